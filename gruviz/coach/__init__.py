"""The coach: fixed rules over what was measured. Each cites its numbers and names the next experiment.

A rule that can't show its numbers doesn't speak. No two that speak turn the same knob.
"""

from typing import Any

import numpy as np

from gruviz.coach.evidence import WINDOW, Advice, Evidence, Severity, observe
from gruviz.coach.rules import RULES, explosion
from gruviz.experiment import Experiment
from gruviz.record import History, Snapshot

MOST_SENTENCES = 3


def advise(seen: Evidence) -> tuple[Advice, ...]:
    """What there is to say, most serious first: at most three sentences.

    A run that diverged is told about that alone, for what it left behind is no longer training.
    """
    if not seen.count:
        return ()
    measured = np.concatenate([seen.steps["loss"], seen.steps["norm"]])
    sound = seen.diverged_at is None and np.isfinite(measured).all()
    rules = RULES if sound else (explosion,)
    turned: set[str] = set()
    said: list[Advice] = []
    for advice in sorted(filter(None, (rule(seen) for rule in rules)), key=lambda a: -a.severity):
        new = advice.taken(seen.experiment) != seen.experiment
        if (new or not advice.settings) and turned.isdisjoint(advice.settings):
            said.append(advice)
            turned |= set(advice.settings)
    return tuple(said[:MOST_SENTENCES])


class Coach:
    """Watches one run and speaks steadily: what it says holds until the next window is full."""

    def __init__(self) -> None:
        self._seen: tuple[Any, ...] = ()
        self._said: tuple[Advice, ...] = ()

    def advice(
        self,
        experiment: Experiment,
        history: History,
        snapshot: Snapshot | None = None,
        diverged_at: int | None = None,
        *,
        over: bool = False,
    ) -> tuple[Advice, ...]:
        """What there is to say about the run now."""
        now = (experiment, len(history.steps) // WINDOW, diverged_at, over)
        if now != self._seen:
            self._seen = now
            self._said = advise(observe(experiment, history, snapshot, diverged_at, over=over))
        return self._said


__all__ = ["RULES", "Advice", "Coach", "Evidence", "Severity", "advise", "observe"]

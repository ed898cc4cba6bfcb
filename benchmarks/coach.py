"""The coach's advice, tried: what a rule names next against doing nothing, the same steps, three seeds.

`python -m benchmarks.coach [rule]` takes some minutes; `tests/test_coach_advice.py` holds the cases
marked as quick to it. A rule that can't be shown to help here has no business on the page.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from gruviz.coach import Advice, Evidence, observe
from gruviz.coach.rules import (
    clip_always,
    explosion,
    overfitting,
    plateau,
    rate_below_usual,
    rate_too_small,
    saturated_gates,
    updates_too_large,
    updates_too_small,
    vanishing,
)
from gruviz.experiment import (
    GRU,
    RNN,
    SGD,
    Adadelta,
    Adding,
    Experiment,
    GradientDescent,
    Momentum,
    SineMixture,
    TableTask,
    Waveforms,
)
from gruviz.record import History
from gruviz.training import advance

SEEDS = range(3)
LAST = 3  # validations that a run is judged by

ADDING = Experiment(task=Adding(size=200, length=10), cell=GRU(8), batch_size=16, steps=300)
SINES = replace(ADDING, task=SineMixture(size=200, length=12, horizon=2))
NOISY = replace(SINES, task=SineMixture(size=200, length=12, horizon=2, noise=0.2))
WAVES = replace(ADDING, task=Waveforms(size=200, length=12))
CO2 = replace(ADDING, task=TableTask(window=12, horizon=2))
BY_HEART = replace(
    ADDING, task=Waveforms(size=20, length=20, noise=1.0), cell=GRU(16), learning_rate=0.01
)
SLOW: dict[str, Any] = {"optimizer": SGD()}
FREE: dict[str, Any] = {"optimizer": SGD(), "clip_norm": None}


@dataclass(frozen=True)
class Case:
    """An experiment of which a rule speaks; quick: it takes about a second."""

    rule: Callable[[Evidence], Advice | None]
    experiment: Experiment
    quick: bool = True

    def __str__(self) -> str:
        experiment = self.experiment
        knobs = f"{experiment.task.name} {experiment.cell.name} {experiment.optimizer.name}"
        return f"{self.rule.__name__} {knobs} {experiment.learning_rate:g}"


CASES = (
    Case(explosion, replace(ADDING, learning_rate=1.0, **FREE)),
    Case(explosion, replace(SINES, learning_rate=10.0, **FREE), quick=False),
    Case(rate_too_small, replace(ADDING, learning_rate=1e-5), quick=False),
    Case(rate_too_small, replace(SINES, learning_rate=1e-5)),
    Case(rate_too_small, replace(WAVES, learning_rate=1e-5, steps=600), quick=False),
    Case(rate_too_small, replace(CO2, optimizer=Adadelta(), learning_rate=3e-3), quick=False),
    Case(rate_below_usual, replace(ADDING, learning_rate=3e-3, **SLOW), quick=False),
    Case(rate_below_usual, replace(SINES, learning_rate=3e-3, **SLOW)),
    Case(rate_below_usual, replace(CO2, learning_rate=3e-3, **SLOW)),
    Case(vanishing, replace(ADDING, task=Adding(size=200, length=60), cell=RNN(8))),
    Case(vanishing, replace(ADDING, task=Adding(size=200, length=60), learning_rate=5e-3)),
    Case(saturated_gates, replace(ADDING, learning_rate=1.0)),
    Case(saturated_gates, replace(SINES, learning_rate=1.0), quick=False),
    Case(updates_too_large, replace(ADDING, optimizer=SGD(), learning_rate=3.0)),
    Case(updates_too_small, replace(ADDING, optimizer=SGD(), learning_rate=1e-5)),
    Case(
        updates_too_small,
        replace(SINES, optimizer=GradientDescent(), learning_rate=1e-4),
        quick=False,
    ),
    Case(overfitting, BY_HEART),
    Case(
        clip_always,
        replace(ADDING, optimizer=SGD(), learning_rate=0.3, clip_norm=0.01, steps=600),
        quick=False,
    ),
    Case(clip_always, replace(SINES, optimizer=SGD(), learning_rate=0.3, clip_norm=0.01)),
    Case(plateau, replace(ADDING, optimizer=SGD(), learning_rate=0.03, steps=600)),
    Case(plateau, replace(ADDING, optimizer=Momentum(), steps=600), quick=False),
    Case(plateau, replace(SINES, learning_rate=0.03, steps=1500), quick=False),
    Case(plateau, replace(NOISY, optimizer=SGD(), learning_rate=1.0, steps=700)),
    Case(plateau, replace(SINES, learning_rate=0.1, steps=900), quick=False),
    Case(rate_below_usual, Experiment(optimizer=SGD(), steps=2000), quick=False),
)


@cache
def trained(experiment: Experiment) -> tuple[Evidence, float]:
    """What the coach sees at the end of a run, and the mean of its last validation losses."""
    part, history = advance(experiment), History()
    history.absorb(part)
    loss = float(np.mean(history.validations["loss"][-LAST:]))
    seen = observe(experiment, history, part.snapshot, part.diverged_at, over=True)
    return seen, loss if part.diverged_at is None else float("inf")


def outcomes(case: Case) -> list[tuple[Advice, float, float]]:
    """The advice for each seed of which the rule speaks, the loss without it and the loss with it."""
    found = []
    for seed in SEEDS:
        experiment = replace(case.experiment, seed=seed)
        seen, without = trained(experiment)
        advice = case.rule(seen)
        if advice is not None:
            found.append((advice, without, trained(advice.taken(experiment))[1]))
    return found


def main(names: list[str]) -> None:
    print("validation loss without the advice -> with it, for each seed of which the rule speaks")
    for case in CASES:
        if names and case.rule.__name__ not in names:
            continue
        found = outcomes(case)
        named = dict(found[0][0].settings) if found else {}
        pairs = "  ".join(f"{before:.3g} -> {after:.3g}" for _said, before, after in found)
        better = sum(after < before for _said, before, after in found)
        print(f"{case!s:44} {better}/{len(found)}  {pairs}  {named}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Runs side by side: the settings in which they differ, and how far and how fast each came."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from gruviz.experiment import Experiment, Knob, Pick
from gruviz.experiment.course import Turn
from gruviz.experiment.link import settings
from gruviz.record import Columns, History
from gruviz.runs.run import Status

# What decides the initial weights, the data and the order in which they are seen.
SAME_START = ("task", "cell", "initial", "batch_size", "seed")


class Trained(Protocol):
    """What is compared of a run, be it under way, over or stored."""

    @property
    def experiment(self) -> Experiment: ...
    @property
    def turns(self) -> Sequence[Turn]: ...
    @property
    def history(self) -> History: ...
    @property
    def status(self) -> Status: ...
    @property
    def diverged_at(self) -> int | None: ...


@dataclass(frozen=True)
class Row:
    """How one run did. None: never measured, never reached, never diverged.

    settings: its last values of those that differ, by key; a key is absent where the run has no such
    knob. turned: the steps at which live knobs were.
    best_loss, final_loss: of the moving average of the training loss. seconds: in training.
    """

    name: str
    settings: Mapping[str, Any]
    turned: tuple[int, ...]
    status: Status
    steps: int
    seconds: float
    best_loss: float | None
    final_loss: float | None
    best_validation: float | None
    final_validation: float | None
    steps_to_target: int | None
    seconds_to_target: float | None
    diverged_at: int | None


@dataclass(frozen=True)
class Comparison:
    """differing: the knobs and picks that tell the runs apart, by their keys in the link.

    target: the training loss (moving average) that steps and seconds are counted to.
    """

    differing: Mapping[str, Knob | Pick]
    target: float | None
    rows: tuple[Row, ...]


def compare(runs: Mapping[str, Trained], target: float | None = None) -> Comparison:
    """Compare runs by name. Without a target it is the best loss of the worst run that didn't
    diverge: the lowest that all of them reached."""
    differing = _differing([run.experiment for run in runs.values()])
    if target is None:
        best = [
            found
            for run in runs.values()
            if run.diverged_at is None and (found := _best(run.history.steps, "smooth")) is not None
        ]
        target = max(best, default=None)
    rows = tuple(_row(name, run, differing, target) for name, run in runs.items())
    return Comparison(differing, target, rows)


def same_start(wanted: Experiment, pinned: Experiment) -> Experiment:
    """The wanted experiment with the initial weights, the data and the batches of the pinned one, so
    that only its other knobs make the difference."""
    return replace(wanted, **{name: getattr(pinned, name) for name in SAME_START})


def _differing(experiments: list[Experiment]) -> dict[str, Knob | Pick]:
    """The knobs and picks of which two experiments have different values."""
    values: dict[str, list[Any]] = {}
    knobs: dict[str, Knob | Pick] = {}
    for experiment in experiments:
        for key, what, value in settings(experiment):
            knobs.setdefault(key, what)
            values.setdefault(key, []).append(value.name if isinstance(what, Pick) else value)
    return {
        key: what
        for key, what in knobs.items()
        if any(value != values[key][0] for value in values[key])
    }


def _row(
    name: str, run: Trained, differing: Mapping[str, Knob | Pick], target: float | None
) -> Row:
    history = run.history
    rows = history.steps.since(0)  # of one length, though the run may be adding to it
    smooth, step = rows["smooth"], rows["step"]
    reached = step[smooth <= target] if target is not None else step[:0]
    at = int(reached[0]) if len(reached) else None
    return Row(
        name,
        {key: value for key, _what, value in settings(run.experiment) if key in differing},
        tuple(turn.step for turn in run.turns),
        run.status,
        int(step[-1]) if len(step) else 0,
        history.seconds,
        _best(history.steps, "smooth"),
        _final(history.steps, "smooth"),
        _best(history.validations, "loss"),
        _final(history.validations, "loss"),
        at,
        None if at is None else history.seconds_at(at),
        run.diverged_at,
    )


def _best(columns: Columns, name: str) -> float | None:
    values = columns[name]
    finite = values[np.isfinite(values)]
    return float(finite.min()) if len(finite) else None


def _final(columns: Columns, name: str) -> float | None:
    return float(columns[name][-1]) if len(columns) else None

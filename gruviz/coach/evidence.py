"""What the coach looks at, and what it may say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from gruviz.experiment import Experiment
from gruviz.experiment.link import from_link, to_link
from gruviz.record import Columns, History, Snapshot

Floats = npt.NDArray[np.float64]

WINDOW = 50  # steps; what is said changes only when another window is full


class Severity(IntEnum):
    """How much is lost if nothing is done."""

    HINT = 1
    WARNING = 2
    PROBLEM = 3


@dataclass(frozen=True)
class Advice:
    """What a rule says. settings: knobs as in the link, which are the next experiment it names; none
    where it only tells what is to be seen."""

    rule: str
    severity: Severity
    sentence: str
    settings: Mapping[str, str] = field(default_factory=dict)

    def taken(self, experiment: Experiment) -> Experiment:
        """The experiment with the knobs set as this advice says."""
        return from_link(to_link(experiment) | dict(self.settings))[0]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the rules look at: columns by name as in `gruviz.record.History`, of whole windows.

    signals, gradient: as in `gruviz.record.Snapshot`; without one, empty and None.
    """

    experiment: Experiment
    steps: Mapping[str, Floats]
    validations: Mapping[str, Floats]
    blocks: Mapping[str, Floats]
    signals: Mapping[str, npt.NDArray[Any]]
    gradient: npt.NDArray[np.floating[Any]] | None
    diverged_at: int | None = None

    @property
    def count(self) -> int:
        return len(self.steps["step"])

    def ratio(self) -> float | None:
        """Median over the blocks and the last window of log10 of the update-to-weight ratio."""
        step = self.blocks.get("step", np.empty(0))
        recent = step > self.steps["step"][-1] - WINDOW if self.count else step > 0
        values = [v[recent] for name, v in self.blocks.items() if name.startswith("update.")]
        found = np.concatenate(values) if values else np.empty(0)
        found = found[np.isfinite(found)]
        return float(np.median(found)) if len(found) else None


def observe(
    experiment: Experiment,
    history: History,
    snapshot: Snapshot | None = None,
    diverged_at: int | None = None,
    *,
    over: bool = False,
) -> Evidence:
    """The evidence of a run: of its whole windows, or of all its steps once it is over."""
    steps = history.steps.since(0)
    end = len(steps["step"])
    if not over:
        end -= end % WINDOW
    last = steps["step"][end - 1] if end else 0.0
    shown = snapshot if end else None
    return Evidence(
        experiment,
        {name: values[:end] for name, values in steps.items()},
        _until(history.validations, last),
        {} if history.blocks is None else _until(history.blocks, last),
        {} if shown is None else shown.signals,
        None if shown is None else shown.gradient,
        diverged_at,
    )


def _until(columns: Columns, step: float) -> dict[str, Floats]:
    rows = columns.since(0)
    end = int(np.searchsorted(rows["step"], step, side="right"))
    return {name: values[:end] for name, values in rows.items()}

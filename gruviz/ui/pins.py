"""The curves of pinned runs, thinned, behind the current one."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gruviz.record import Columns, History
from gruviz.ui.columns import Tables

PIN_POINTS = 600


def pin_tables(pinned: Sequence[History]) -> Tables:
    """The curves of pinned runs, as the tables "pin0", "pin1", … that `charts.loss` draws."""
    return {f"pin{place}": _pin(history.steps) for place, history in enumerate(pinned)}


def _pin(steps: Columns) -> dict[str, npt.NDArray[np.float64]]:
    """At most PIN_POINTS rows: those in which one of the columns is extreme in its part of the run."""
    rows = steps.since(0)
    names = ("smooth", "norm", "learning_rate")
    count = len(rows["step"])
    kept = np.arange(count)
    if count > PIN_POINTS:
        borders = np.linspace(0, count, PIN_POINTS // (2 * len(names)) + 1).astype(int)
        extremes = [
            start + pick(rows[name][start:end])
            for start, end in pairwise(borders)
            for name in names
            for pick in (_least, _greatest)
        ]
        kept = np.unique(extremes)
    return {name: rows[name][kept] for name in ("step", *names)}


def _least(values: npt.NDArray[np.float64]) -> int:
    return int(np.argmin(np.where(np.isnan(values), np.inf, values)))


def _greatest(values: npt.NDArray[np.float64]) -> int:
    return int(np.argmax(np.where(np.isnan(values), -np.inf, values)))

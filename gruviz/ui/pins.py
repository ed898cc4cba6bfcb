"""Pinned runs on the page: their curves behind the current one, and the table beside it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from gruviz.experiment import Choice, Knob, Pick
from gruviz.record import Columns, History
from gruviz.runs.comparison import Comparison
from gruviz.ui.view import Tables, value
from gruviz.words import _, readable

PIN_POINTS = 600
NONE = "–"


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


def comparison_table(found: Comparison) -> dict[str, list[str]]:
    """The comparison as columns of text, by their headings; one row a run."""
    rows = found.rows
    table: dict[str, list[str]] = {_("Run"): [row.name for row in rows]}
    for key, what in found.differing.items():
        label = _(what.label)
        heading = f"{label} ({key})" if label in table else label
        table[heading] = [_setting(row.settings, key, what) for row in rows]
    target = _("target") if found.target is None else readable(found.target, 3)
    return table | {
        _("Steps"): [f"{row.steps:,}" for row in rows],
        _("Best training loss"): [_number(row.best_loss) for row in rows],
        _("Final training loss"): [_number(row.final_loss) for row in rows],
        _("Best validation loss"): [_number(row.best_validation) for row in rows],
        _("Final validation loss"): [_number(row.final_validation) for row in rows],
        _("Steps to {target}").format(target=target): [
            NONE if row.steps_to_target is None else f"{row.steps_to_target:,}" for row in rows
        ],
        _("Seconds to {target}").format(target=target): [
            _number(row.seconds_to_target) for row in rows
        ],
        _("Diverged"): [
            _("no")
            if row.diverged_at is None
            else _("at step {step:,}").format(step=row.diverged_at)
            for row in rows
        ],
    }


def _setting(settings: Any, key: str, what: Knob | Pick) -> str:
    """What a run has for a knob, as people write it; a dash where it has no such knob."""
    if key not in settings:
        return NONE
    found = settings[key]
    return _(found.label) if isinstance(found, Choice) else value(found, what)


def _number(number: float | None) -> str:
    return NONE if number is None else readable(number, 3)

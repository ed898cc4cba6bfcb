"""What whoever runs the server may set in its environment: a row of SETTINGS each."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gruviz.errors import GruvizError
from gruviz.words import N_, _


@dataclass(frozen=True)
class Setting:
    """A number from `low` to `high`; whole if its default is. about: a sentence for the README."""

    name: str
    default: int | float
    low: int | float
    high: int | float
    unit: str
    about: str


SETTINGS: Mapping[str, Setting] = {
    row.name: row
    for row in (
        Setting("GRUVIZ_WORKERS", 2, 1, 64, "", N_("Worker processes that all visitors share.")),
        Setting(
            "GRUVIZ_MAX_VIEWERS",
            200,
            1,
            10_000,
            "",
            N_("Panels that may be open at once, of all visitors together."),
        ),
    )
}


def limit(name: str) -> int:
    """A setting that is a whole number. Raises GruvizError if the environment has no such number."""
    return int(amount(name))


def amount(name: str) -> float:
    """Any setting. Raises GruvizError, naming the value, if the environment has nonsense for it."""
    row = SETTINGS[name]
    text = os.environ.get(name)
    if text is None:
        return row.default
    try:
        found = int(text) if isinstance(row.default, int) else float(text)
    except ValueError:
        found = None
    # Digits alone: int and float read more than people write, such as "1_0" and " 5 ".
    plain = text.isascii() and not set(text) - set("0123456789.")
    if found is None or not plain or not row.low <= found <= row.high:
        raise GruvizError(
            _("{name} is {value!r}; set it to a number from {low:,} to {high:,}.").format(
                name=name, value=text[:60], low=row.low, high=row.high
            )
        )
    return found

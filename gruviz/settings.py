"""What whoever runs the server may set in its environment: a row of SETTINGS each."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from gruviz.errors import GruvizError
from gruviz.words import _


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
        Setting("GRUVIZ_WORKERS", 2, 1, 64, "", "Worker processes that all visitors share."),
        Setting("GRUVIZ_MAX_TABLES", 20, 1, 10_000, "", "How many uploads a tab may keep."),
        Setting(
            "GRUVIZ_MAX_TABLES_MB",
            200,
            20,
            100_000,
            "MB",
            "What the uploads of a tab may take, with the tables that they were read as.",
        ),
        Setting(
            "GRUVIZ_MAX_ALL_TABLES_MB",
            1_000,
            20,
            1_000_000,
            "MB",
            "What all uploads may take; never more than a third of their file system.",
        ),
        Setting(
            "GRUVIZ_MAX_DATA_MB",
            1_000,
            10,
            1_000_000,
            "MB",
            "What the data sets of all runs may take in shared memory.",
        ),
        Setting(
            "GRUVIZ_MAX_DATA_SECONDS",
            1.5,
            0.1,
            1_000,
            "s",
            "How long one core may take to make the data of a task.",
        ),
        Setting(
            "GRUVIZ_MAX_STEP_SECONDS",
            0.25,
            0.01,
            3_600,
            "s",
            "How long one step of training may take on a quiet core, as estimated before it.",
        ),
        Setting(
            "GRUVIZ_MAX_STEP_MB",
            400,
            20,
            1_000_000,
            "MB",
            "How much memory one step of training may take, as estimated before it.",
        ),
        Setting(
            "GRUVIZ_WORKER_MB",
            1_000,
            300,
            1_000_000,
            "MB",
            "Memory of a worker's own; one that has grown beyond is replaced after its slice.",
        ),
        Setting(
            "GRUVIZ_HUNG_SECONDS",
            60,
            5,
            3_600,
            "s",
            "After this time without an answer a worker is killed, and its run paused.",
        ),
        Setting(
            "GRUVIZ_KEEP_MINUTES",
            10,
            1,
            10_000,
            "min",
            "How long a run is kept that nobody watches and no open tab holds.",
        ),
        Setting(
            "GRUVIZ_MAX_RUNS",
            12,
            1,
            10_000,
            "",
            "Runs of one visitor that are kept for a refresh; the longest unwatched go first.",
        ),
        Setting(
            "GRUVIZ_MAX_STUDIES",
            4,
            1,
            1_000,
            "",
            "Studies of one visitor that are under way at once; the oldest is cancelled.",
        ),
        Setting(
            "GRUVIZ_RUNS_MB",
            500,
            10,
            1_000_000,
            "MB",
            "Memory of all kept runs; those of whoever has most go first.",
        ),
        Setting(
            "GRUVIZ_MAX_VIEWERS",
            200,
            1,
            10_000,
            "",
            "Panels that may be open at once, of all visitors together.",
        ),
    )
}


def check_all() -> None:
    """Raises GruvizError if the environment has nonsense for any setting."""
    for name in SETTINGS:
        amount(name)


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

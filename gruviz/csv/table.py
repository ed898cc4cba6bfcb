"""A table as the rest of gruviz sees it: columns of numbers, their times, and how it was read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.csv.findings import Finding
from gruviz.csv.reading import Overrides, Reading

HEAD = 8
MARK = "?"  # between a table's digest and the overrides it was read with

# What a column is good for.
NUMBER, TIME, COUNTER, IDENTIFIER, CONSTANT, EMPTY, WORDS = (
    "number",
    "time",
    "counter",
    "identifier",
    "constant",
    "empty",
    "words",
)


PLACES = "places"  # the finding that rows are no times


@dataclass(frozen=True, eq=False)
class Table:
    """A file as a table. Names and cells are data of somebody else: show them as text, not markup.

    `frame` has a row per data row, in the file's order, and the file's columns; numbers are float64
    with NaN for missing, everything else is text. Where the file tells the time, its index is it.

    `columns`, `time` and `groups` are for learning: the columns of numbers to choose from, in the
    order of time (`order`: the rows of `frame` in that order).
    """

    name: str
    digest: str
    """SHA-256 of the file's bytes."""
    frame: pd.DataFrame
    columns: Mapping[str, npt.NDArray[np.float64]]
    time: pd.DatetimeIndex | None
    order: npt.NDArray[np.int64]
    groups: npt.NDArray[np.int64] | None
    """Which series each row belongs to, where the table holds several: no window crosses them."""
    kinds: Mapping[str, str]
    """What each column of the frame is good for."""
    reading: Reading
    findings: tuple[Finding, ...]
    overrides: Overrides

    @property
    def others(self) -> tuple[str, ...]:
        """The columns that hold no numbers."""
        return tuple(
            name
            for name, kind in self.kinds.items()
            if kind in (WORDS, EMPTY)
            or (kind == TIME and name in self.frame and self.frame[name].dtype != np.float64)
        )

    @property
    def rows(self) -> int:
        """How many rows there are to learn from."""
        return len(self.order)

    @property
    def head(self) -> pd.DataFrame:
        """The first rows, as read."""
        return self.frame.head(HEAD)

    @property
    def no_series(self) -> str:
        """Why the rows can't be forecast, as a sentence; "" where they can."""
        return next((each.sentence for each in self.findings if each.code == PLACES), "")

    @property
    def source(self) -> str:
        """The digest and the overrides in one string, for an experiment and its link."""
        changes = self.overrides.to_json()
        return f"{self.digest}{MARK}{changes}" if changes else self.digest

    @property
    def first_choice(self) -> str:
        """The column that one would forecast: the first of numbers that is mostly there."""
        numbers = [name for name in self.columns if self.kinds[name] == NUMBER]
        for name in numbers:
            if np.isfinite(self.columns[name]).mean() > 0.5:
                return name
        others = [name for name in self.columns if self.kinds[name] != TIME]
        return next(iter((*numbers, *others, *self.columns)))


def split_source(source: str) -> tuple[str, Overrides]:
    """The digest (or a sample's name) and the overrides in a table's source.

    Raises GruvizError if the overrides can't be understood.
    """
    digest, _mark, changes = source.partition(MARK)
    return digest, Overrides.from_json(changes)

"""Tables: an ordinary comma-separated file with a header, parsed as if its sender meant harm."""

import contextlib
import csv
import hashlib
import io
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.errors import GruvizError
from gruviz.words import _

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_NAMES = ("sunspots_yearly", "co2_weekly", "airline_passengers")
MAX_BYTES = 20_000_000
MAX_COLUMNS = 200
MAX_ROWS = 500_000
MAX_NAME = 200
MIN_ROWS = 20


@dataclass(frozen=True, eq=False)
class Table:
    """The numeric columns of a file. Missing cells are NaN. `digest` is the file's SHA-256."""

    name: str
    digest: str
    columns: Mapping[str, npt.NDArray[np.float64]]
    others: tuple[str, ...]
    head: pd.DataFrame
    rows: int

    @property
    def first_choice(self) -> str:
        """The first numeric column that doesn't just count up, as a year or a date does."""
        with np.errstate(over="ignore", invalid="ignore"):
            for name, values in self.columns.items():
                if not np.all(np.diff(values) > 0):
                    return name
        return next(iter(self.columns))


def read_table(content: bytes, name: str) -> Table:
    """The table in the bytes of a file.

    Raises GruvizError, one sentence with the reason and the remedy, for whatever can't be used.
    """
    text = _decode(content)
    _check_size(text)
    _check_separator(text)
    try:
        with warnings.catch_warnings():
            # Rows longer than the header would be cut with no more than a warning.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.StringIO(text),
                dtype=str,
                keep_default_na=False,
                skipinitialspace=True,
                index_col=False,
            )
    except pd.errors.ParserWarning as error:
        raise GruvizError(
            _(
                "Some rows have more cells than the header has names; remove any lines above the"
                " header, or name every column."
            )
        ) from error
    except ValueError as error:
        reason = _reason(error)
        raise GruvizError(
            _(
                "This file can't be read as a table: {reason}. Save it as CSV with one header line"
                " and the same number of commas in each row."
            ).format(reason=reason)
        ) from error
    if len(frame) < MIN_ROWS:
        raise GruvizError(
            _("This file has {count} data rows; at least {least} are needed to learn from.").format(
                count=len(frame), least=MIN_ROWS
            )
        )
    if any(len(str(label)) > MAX_NAME for label in frame.columns):
        raise GruvizError(
            _(
                "A column name is longer than {most} characters; shorten it, or check the header."
            ).format(most=MAX_NAME)
        )
    columns: dict[str, npt.NDArray[np.float64]] = {}
    others: list[str] = []
    for label in map(str, frame.columns):
        values = _numbers(frame[label])
        if values is None:
            others.append(label)
        else:
            columns[label] = values
    if not columns:
        raise GruvizError(
            _(
                "No column of this file holds only numbers (with a decimal point); the columns"
                " found are: {names}."
            ).format(names=", ".join(repr(label[:40]) for label in others[:8]))
        )
    digest = hashlib.sha256(content).hexdigest()
    return Table(name, digest, columns, tuple(others), frame.head(8), len(frame))


def _check_size(text: str) -> None:
    """Refuse what would take the parser long: pandas renames equal names in quadratic time."""
    try:
        header = next(csv.reader(io.StringIO(text.lstrip()), skipinitialspace=True), [])
    except csv.Error:  # a cell of more than 131,072 characters
        header = []
    columns = max(len(header), text.lstrip().split("\n", 1)[0].count(",") // 50)
    if columns > MAX_COLUMNS:
        raise GruvizError(
            _("This file has {count:,} columns; keep at most {most} and upload it again.").format(
                count=columns, most=MAX_COLUMNS
            )
        )
    rows = text.count("\n")
    if rows > MAX_ROWS:
        raise GruvizError(
            _("This file has {count:,} lines; keep at most {most:,} and upload it again.").format(
                count=rows, most=MAX_ROWS
            )
        )


def _reason(error: ValueError) -> str:
    """What the parser stumbled over, without its own jargon where that is known."""
    found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
    if found:
        return _("line {line} has {cells} cells, the ones before it {usual}").format(
            usual=found[1], line=found[2], cells=found[3]
        )
    return str(error).splitlines()[-1][:200].rstrip(".")


def _decode(content: bytes) -> str:
    if not content.strip():
        raise GruvizError(_("This file is empty; choose one with a header line and rows."))
    if len(content) > MAX_BYTES:
        raise GruvizError(
            _("This file has {size:.0f} MB; upload at most {most:.0f} MB.").format(
                size=len(content) / 1e6, most=MAX_BYTES / 1e6
            )
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GruvizError(
            _(
                "This file isn't UTF-8 text (byte {place:,} can't be read); save it as CSV UTF-8."
            ).format(place=error.start)
        ) from error
    if not text.strip():
        raise GruvizError(_("This file is empty; choose one with a header line and rows."))
    if "\0" in text:
        raise GruvizError(_("This file is binary, not text; save the table as CSV UTF-8."))
    return text


def _check_separator(text: str) -> None:
    """Raise GruvizError if the header is split by something other than commas."""
    header = text.lstrip().split("\n", 1)[0]
    for mark, word in ((";", _("semicolons")), ("\t", _("tabs"))):
        if header.count(mark) > header.count(","):
            raise GruvizError(
                _("The columns of this file are separated by {mark}; save it with commas.").format(
                    mark=word
                )
            )


def _numbers(cells: "pd.Series[str]") -> npt.NDArray[np.float64] | None:
    """The column as numbers, empty cells as NaN; None unless all other cells are finite numbers."""
    with contextlib.suppress(ValueError):  # the common case, fast: numbers and nothing else
        plain = pd.to_numeric(cells, errors="raise").to_numpy(np.float64)
        return None if np.isinf(plain).any() or np.isnan(plain).all() else plain
    stripped = cells.str.strip()
    present = (~stripped.str.lower().isin(["", "na", "nan"])).to_numpy(bool)
    values = pd.to_numeric(stripped.where(present), errors="coerce").to_numpy(np.float64)
    if not present.any() or not np.isfinite(values[present]).all():
        return None
    return values


@cache
def sample(name: str) -> Table:
    """A bundled table by its name."""
    return read_table((SAMPLES / f"{name}.csv").read_bytes(), name)

"""A file's columns by name: their text, and as numbers with the missing ones taken out."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gruviz.csv import checks, panels, sentinels, times
from gruviz.csv.body import Body, Progress, with_progress
from gruviz.csv.cells import MARKS, TIMELY, common_kind
from gruviz.csv.findings import Finding, note, quoted
from gruviz.csv.glued import Glued, cut, cut_rare_flags
from gruviz.csv.numbers import Column, Marks, convert, looked_at, marks_of, sample
from gruviz.csv.parts import Field
from gruviz.csv.reading import Overrides
from gruviz.csv.records import Dialect
from gruviz.csv.table import NUMBER, TIME, WORDS
from gruviz.csv.times import Clock
from gruviz.errors import GruvizError
from gruviz.words import N_, _

MAX_NAME = 200

ID_NAME = re.compile(
    r"(?:^|[_\s\-.])(?:id|index|idx|nr|no|code|key|uuid|plz|zip|postcode)\.?$|^(?:id|index|unnamed)"
    r"|^(?:№|#|编号|序号)$|[a-z]ID$",
    re.IGNORECASE,
)
BREAK = re.compile(r"(?:\s*<br\s*/?>)+$", re.IGNORECASE)
SURE_ID_NAME = re.compile(r"(?i:(?:^|[_\s\-.])(?:id|uuid|plz|zip|postcode)$)|[a-z]I[Dd]$")


@dataclass
class Columns:
    """The columns of a file; `cells` is a sample of each, `numbers` is filled where it has some."""

    texts: dict[str, pa.ChunkedArray]
    cells: dict[str, Sequence[str]]
    numbers: dict[str, Column]
    marks: Marks
    units: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """The names, in the file's order."""
        return list(self.texts)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.texts.values())))

    def known(self, wanted: Sequence[str]) -> Sequence[str]:
        """The wanted names. Raises GruvizError if one of them isn't here."""
        return known(wanted, self.names)

    def numeric(self) -> list[str]:
        """The names of the columns that hold numbers, or nothing at all."""
        return [name for name, column in self.numbers.items() if column.values is not None]

    def field(self, name: str) -> Field:
        """A column as it is looked at for times."""
        return Field(name, self.texts[name], self.cells[name], self.numbers[name].values)

    def keep(self, rows: npt.NDArray[np.bool_]) -> None:
        """Leave out all other rows."""
        mask = pa.array(rows)
        for name, column in self.numbers.items():
            self.texts[name] = self.texts[name].filter(mask)
            if column.values is not None:
                column.values = column.values[rows]

    def without_first(self, count: int) -> None:
        """Leave out the first rows."""
        for name, column in self.numbers.items():
            self.texts[name] = self.texts[name].slice(count)
            if column.values is not None:
                column.values = column.values[count:]


def known(wanted: Sequence[str], names: Sequence[str]) -> Sequence[str]:
    """The wanted names. Raises GruvizError if one of them isn't among the names."""
    for name in wanted:
        if name not in names:
            raise GruvizError(
                _("There is no column {name!r} in this file; its columns are: {names}.").format(
                    name=name[:40], names=quoted(names, 8)
                )
            )
    return wanted


def columns_of(
    dialect: Dialect,
    body: Body,
    overrides: Overrides,
    findings: list[Finding],
    progress: Progress,
) -> Columns:
    """Name the columns, find out how numbers are written, and read them.

    Raises GruvizError where an override names a column that isn't there.
    """
    names, texts, units = _named(dialect, body, findings, progress)
    most = looked_at(len(texts))
    samples = [sample(text, most) for text in with_progress(texts, progress, 0.2, 0.3, body.rows)]
    as_text = set(known(overrides.text or (), names))
    together = list(zip(names, texts, samples, strict=True))
    bare = [
        (text, cells, Glued()) if name in as_text else cut(name, text, cells)
        for name, text, cells in with_progress(together, progress, 0.3, 0.5, body.rows)
    ]
    found = marks_of((cells for _text, cells, _glued in bare), dialect.separator)
    marks = _marks(found, overrides)
    missing = MARKS
    if overrides.missing is not None:
        missing = frozenset({"", *(mark.strip().lower() for mark in overrides.missing)})
    numbers: dict[str, Column] = {}
    held = dict(zip(names, texts, strict=True))
    for place, name in enumerate(with_progress(names, progress, 0.5, 1.0, body.rows)):
        text, cells, glued = bare[place]
        numbers[name] = Column(None) if name in as_text else convert(text, cells, marks, missing)
        values = numbers[name].values
        if values is None:
            continue
        if numbers[name].odd and not glued.flags:
            text, glued = cut_rare_flags(text, list(numbers[name].odd))
            if glued.flags:
                numbers[name] = convert(text, cells, marks, missing)
                values = numbers[name].values
                assert values is not None  # there are more numbers now than before
        numbers[name].glued, held[name] = glued, text
        if glued.factors is not None:
            values *= glued.factors
    return Columns(
        held,
        dict(zip(names, samples, strict=True)),
        numbers,
        marks,
        units,
    )


def _named(
    dialect: Dialect, body: Body, findings: list[Finding], progress: Progress
) -> tuple[list[str], list[pa.ChunkedArray], tuple[tuple[str, str], ...]]:
    """The columns, named one and all, without those that have neither name nor cells."""
    given = [re.sub(r"[\x00-\x1f\x7f]+", " ", name).strip()[:MAX_NAME] for name in dialect.names]
    texts = [
        pc.utf8_trim_whitespace(column)
        for column in with_progress(body.columns, progress, 0, 0.1, body.rows)
    ]
    numbered: list[str] = []
    kept: list[int] = []
    for place, text in enumerate(with_progress(texts, progress, 0.1, 0.2, body.rows)):
        name = given[place]
        if not name and dialect.header and not pc.any(pc.not_equal(text, "")).as_py():
            continue
        stand_in = "row" if place == 0 and dialect.row_names else f"column {place + 1}"
        numbered.append(BREAK.sub("", name) or stand_in)
        kept.append(place)
    if not kept:  # nothing but separators
        raise GruvizError(_("This file is empty; choose one with a header line and rows."))
    lost = len(given) - len(kept)
    if lost:
        findings.append(
            note(
                "unnamed-empty",
                N_("One column has neither a name nor a cell; it is left out."),
                N_("{count} columns have neither a name nor a cell; they are left out."),
                count=lost,
            )
        )
    names = panels.unique(numbered)
    same = [new for old, new in zip(numbered, names, strict=True) if old != new]
    if same:
        findings.append(
            note(
                "equal-names",
                N_("Columns of equal names are told apart: {names}."),
                names=quoted(same),
            )
        )
    told = dict(enumerate(dialect.units))
    units = tuple(
        (name, told[place]) for name, place in zip(names, kept, strict=True) if told.get(place)
    )
    return names, [texts[place] for place in kept], units


def _marks(found: Marks, asked: Overrides) -> Marks:
    """How numbers are written: by the evidence, and what is overruled."""
    decimal, thousands = found.decimal, found.thousands
    if asked.decimal is not None:
        other = "," if asked.decimal == "." else "."
        if thousands not in ("'", " "):
            thousands = other if other in (decimal, thousands) else ""
        decimal = asked.decimal
    if asked.thousands is not None:
        thousands = asked.thousands
        if thousands == decimal:
            if asked.decimal is not None:
                raise GruvizError(
                    _("{mark!r} can't be both the decimal and the thousands mark.").format(
                        mark=decimal
                    )
                )
            decimal = "," if thousands == "." else "."
    settled = asked.decimal is not None or asked.thousands is not None
    return Marks(decimal, thousands, found.doubtful and not settled)


Codes = dict[str, dict[str, int]]


def take_out_sentinels(
    columns: Columns, clock: Clock | None, asked: Overrides
) -> tuple[Codes, dict[str, list[float]]]:
    """Numbers that stand for a missing value become NaN, and are counted, column by column.

    The second part are numbers that perhaps stand for one; they are left as they are.
    """
    told = set(clock.columns) if clock else set()
    values = {
        name: column.values
        for name, column in columns.numbers.items()
        if column.values is not None and name not in told
    }
    perhaps: dict[str, list[float]] = {}
    if asked.missing_in is None:
        sure, perhaps = sentinels.find(values)
    else:
        sure = {}
        for name, code in asked.missing_in:
            columns.known([name])
            number = _number(code)
            if number is None:
                raise GruvizError(
                    _("{code!r} is no number that could stand for a missing value.").format(
                        code=code[:20]
                    )
                )
            sure.setdefault(name, []).append(number)
    everywhere = [number for mark in asked.missing or () if (number := _number(mark)) is not None]
    counted: Codes = {}
    for name, column in values.items():
        for number in everywhere:
            here = column == number
            if here.any():
                columns.numbers[name].missing[f"{number:g}"] += int(here.sum())
                column[here] = np.nan
        for number in sure.get(name, ()):
            here = column == number
            if here.any():
                counted.setdefault(name, {})[f"{number:g}"] = int(here.sum())
                column[here] = np.nan
    return counted, perhaps


def _number(text: str) -> float | None:
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def frame_of(columns: Columns, clock: Clock | None) -> pd.DataFrame:
    """The columns as a frame, with the time as its index where there is one."""
    data: dict[str, object] = {}
    for name, text in columns.texts.items():
        values = columns.numbers[name].values
        if values is not None:
            data[name] = values
        else:
            empty = pc.equal(pc.utf8_length(text), 0)
            data[name] = pc.if_else(empty, pa.scalar(None, pa.string()), text).to_pandas()
    frame = pd.DataFrame(data)
    if clock is not None:
        frame.index = pd.DatetimeIndex(clock.times, name="time")
    return frame


def _id_share(name: str) -> float:
    """How many of the numbers under a name must be distinct to be identifiers; above 1: never."""
    if SURE_ID_NAME.search(name):
        return 0.0
    return 0.95 if ID_NAME.search(name) else 2.0


def kinds_of(columns: Columns, clock: Clock | None) -> dict[str, str]:
    """What each column is good for."""
    kinds: dict[str, str] = {}
    for name, column in columns.numbers.items():
        if clock is not None and name in clock.columns:
            kinds[name] = TIME
        elif column.values is None:
            timely = clock is not None and common_kind(columns.cells[name]) == TIMELY
            kinds[name] = TIME if timely else WORDS
        else:
            kind = checks.kind_of(column.values, _id_share(name))
            if kind == NUMBER:
                field = columns.field(name)
                if times.elapses(field) if clock is None else times.tells_time(field):
                    kind = TIME
            kinds[name] = kind
    return kinds

"""From bytes to a table, step by step."""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.csv import checks, steps
from gruviz.csv.body import Body, Progress, read_body
from gruviz.csv.clock import Start, clock_of, start_in_rows
from gruviz.csv.columns import (
    Codes,
    Columns,
    columns_of,
    take_out_sentinels,
)
from gruviz.csv.dialect import about_lines, sniff
from gruviz.csv.encoding import MAX_BYTES, Text, decode
from gruviz.csv.findings import Finding, quoted, warning
from gruviz.csv.foreign import refuse_text
from gruviz.csv.formats import Times
from gruviz.csv.places import places
from gruviz.csv.reading import AS_IN_FILE, BY_TIME, Overrides, Reading
from gruviz.csv.records import Dialect, OpenQuoteError, head_of
from gruviz.csv.shape import Shape, reshaped, shape_of
from gruviz.csv.table import EMPTY, IDENTIFIER, NUMBER, TIME, Table
from gruviz.csv.totals import take_out_totals
from gruviz.csv.written import about_numbers
from gruviz.errors import GruvizError
from gruviz.words import N_, _, n_

MAX_COLUMNS = 200  # to choose from
MAX_ROWS = 500_000
MIN_ROWS = 10
MAX_LINE = 200_000  # characters
MAX_CELLS = 10_000_000

# A whole line in quotes, with separators between them.
WRAPPED = re.compile(r'"(?=.*[,;\t])(?:[^"]|"")+"')


def read_csv(
    source: bytes | str | os.PathLike[str],
    reading: Overrides | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Table:
    """The table in a file, given by its path or its bytes.

    Everything is decided by evidence and told in `table.reading`. What is decided wrongly is
    overruled by `reading`, or by its parts as keywords, such as `separator=";"`, `header=3`.
    `progress` is called with a share from 0 to 1 and a word on what is being done.

    Raises GruvizError, one sentence with the reason and the remedy, for whatever is no table or
    holds nothing to learn from.
    """

    def tell(share: float, what: str) -> None:
        if progress is not None:
            progress(share, what)

    asked = (reading or Overrides()) | Overrides.of(**changes)
    content, name = _content(source, name)
    tell(0.0, _("Finding out the encoding…"))
    text = decode(content, asked)
    tell(0.05, _("Finding out the columns…"))
    refuse_text(text.text)
    lines = _lines(text.text)
    tell(0.1, _("Finding out the columns…"))
    dialect, body = _rows(
        lines,
        asked,
        lambda share, what: tell(0.1 + 0.5 * share, what),
        # A last line that doesn't end may have been cut off.
        whole=text.text.endswith("\n"),
    )
    findings = [*text.findings, *about_lines(dialect), *body.findings]
    _check_rows(body.rows)
    columns = columns_of(
        dialect, body, asked, findings, lambda share, what: tell(0.6 + 0.2 * share, what)
    )
    tell(0.8, _("Reading the times…"))
    start = start_in_rows(columns, dialect, asked, findings)
    take_out_totals(columns, asked, findings)
    _check_rows(columns.rows)
    clock = clock_of(
        columns, dialect, asked, start, findings, lambda: tell(0.8, _("Reading the times…"))
    )
    tell(0.9, _("Looking at what was read…"))
    codes, perhaps = take_out_sentinels(columns, clock, asked)
    tell(0.92, _("Looking at what was read…"))
    shape = shape_of(columns, clock, asked)
    tell(0.94, _("Looking at what was read…"))
    told = _reading(text, dialect, body, columns, shape, codes, start, asked)
    findings += about_numbers(columns, told.text or ())
    findings += checks.about_marks(
        {name: columns.numbers[name].missing for name in _held(columns)}, codes, told
    )
    findings += checks.about_perhaps(perhaps, told)
    tell(0.96, _("Looking at what was read…"))
    table = _table(shape, told, findings, asked, name, hashlib.sha256(content).hexdigest())
    tell(1.0, _("Done."))
    return table


def _content(source: bytes | str | os.PathLike[str], name: str | None) -> tuple[bytes, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), name if name is not None else "data"
    path = Path(source)
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except (OSError, ValueError) as error:
        raise GruvizError(
            _("The file {name!r} can't be opened; check its name and place.").format(
                name=str(source)[:200]
            )
        ) from error
    if size > MAX_BYTES:
        raise GruvizError(
            _("This file has {size:.0f} MB; upload at most {most:.0f} MB.").format(
                size=size / 1e6, most=MAX_BYTES / 1e6
            )
        )
    return content, name if name is not None else path.name


def _lines(text: str) -> list[str]:
    """The lines, without the quotes that a spreadsheet puts around each whole line of a CSV.

    Raises GruvizError if there are too many, or one of them is too long.
    """
    end = text.find("\n", len(text.rstrip()))
    text = text if end < 0 else text[:end]
    count = text.count("\n") + 1
    if count > MAX_ROWS:
        raise GruvizError(
            _("This file has {count:,} lines; keep at most {most:,} and upload it again.").format(
                count=count, most=MAX_ROWS
            )
        )
    lines = text.split("\n")
    longest = max(map(len, lines))
    if longest > MAX_LINE:
        raise GruvizError(
            _(
                "Line {line:,} has {count:,} characters, more than a row of a table may have"
                " ({most:,}); save the table as CSV with a line for each row."
            ).format(line=list(map(len, lines)).index(longest) + 1, count=longest, most=MAX_LINE)
        )
    some = [line.strip() for line in head_of(lines) if line.strip()][:100]
    if all(WRAPPED.fullmatch(line) for line in some):
        return [line.strip()[1:-1].replace('""', '"') if line.strip() else "" for line in lines]
    return lines


def _rows(
    lines: Sequence[str], asked: Overrides, progress: Progress, *, whole: bool
) -> tuple[Dialect, Body]:
    """The dialect and the rows; quotes are read as letters where one of them never closes."""
    dialect = sniff(lines, asked)
    cells = (len(lines) - dialect.first) * dialect.width
    if cells > MAX_CELLS:
        raise GruvizError(
            _(
                "This file has {count:,} cells; keep at most {most:,} and upload it again: leave out"
                " columns or rows."
            ).format(count=cells, most=MAX_CELLS)
        )
    try:
        return dialect, read_body(lines, dialect, asked, progress, whole=whole)
    except OpenQuoteError as error:
        line = error.line
    plain = replace(asked, quote="")
    dialect = replace(sniff(lines, plain), own_quotes=False)
    try:
        return dialect, read_body(lines, dialect, plain, progress, whole=whole)
    except (GruvizError, OpenQuoteError) as error:
        raise GruvizError(
            _(
                "This file can't be read as a table: a quote opens in line {line} and never closes."
                " Close it, or take it out."
            ).format(line=line)
        ) from error


def _check_rows(rows: int) -> None:
    if not rows:
        raise GruvizError(
            _("This file has a header but no data rows; choose one with rows of numbers.")
        )
    if rows < MIN_ROWS:
        raise GruvizError(
            n_(
                "This file has {count} data row; at least {least} are needed to learn from.",
                "This file has {count} data rows; at least {least} are needed to learn from.",
                rows,
            ).format(count=rows, least=MIN_ROWS)
        )


def _held(columns: Columns) -> list[str]:
    """The columns of numbers in which there is a number."""
    return [
        name
        for name, column in columns.numbers.items()
        if column.values is not None and not np.isnan(column.values).all()
    ]


def _reading(
    text: Text,
    dialect: Dialect,
    body: Body,
    columns: Columns,
    shape: Shape,
    codes: Codes,
    start: Start | None,
    asked: Overrides,
) -> Reading:
    """How the file was read, part by part."""
    used: Counter[str] = Counter()
    for column in columns.numbers.values():
        used.update(column.missing)
    used.pop("", None)
    skipped = [record.line for record in dialect.skipped]
    first = dialect.first
    if start is not None:
        skipped += [first, first + 1]
        first += 2
    clock = shape.clock
    begin, step = asked.start, asked.step
    if clock is not None and not clock.columns:
        begin = str(clock.times[0])
        step = float((clock.times[1] - clock.times[0]).astype(np.int64)) / 1e6
    layout = "wide" if shape.wide else "long" if shape.long else "rows"
    return Reading(
        encoding=text.encoding,
        separator=dialect.separator,
        quote=dialect.quote,
        comment=dialect.comment,
        decimal=columns.marks.decimal,
        thousands=columns.marks.thousands,
        header=dialect.header,
        first=first,
        footer=asked.footer if asked.footer is not None else len(body.footer),
        missing=asked.missing if asked.missing is not None else tuple(sorted(used)),
        missing_in=tuple((name, code) for name, each in codes.items() for code in each),
        text=asked.text or (),
        time=clock.columns if clock is not None and clock.columns else None if clock else (),
        time_format=clock.format if clock is not None and clock.columns else None,
        start=begin,
        step=step,
        order=asked.order or BY_TIME,
        reshape=asked.reshape or "",
        id=shape.long.id if shape.long is not None else "",
        value=asked.value,
        newline=text.newline,
        skipped=tuple(skipped),
        comments=max(0, dialect.comments),
        units=columns.units,
        zone=clock.zone if clock is not None else None,
        layout=layout,
    )


def _table(
    shape: Shape,
    told: Reading,
    findings: list[Finding],
    asked: Overrides,
    name: str,
    digest: str,
) -> Table:
    """The table with its columns to choose from, in order, and with everything said."""
    if asked.reshape:
        shape = reshaped(shape, asked)
        _check_rows(len(shape.frame))
    else:
        findings += checks.about_columns(shape.frame, shape.kinds)
    frame, kinds, clock, long = shape.frame, shape.kinds, shape.clock, shape.long
    findings += checks.about_missing(frame, kinds)
    numeric = [str(name) for name in frame if frame[name].dtype == np.float64]
    numeric = [name for name in numeric if kinds[name] != EMPTY]
    _check_numbers(numeric, kinds)
    order = np.arange(len(frame))
    findings += _about_time(shape, asked)
    if shape.grid is not None:
        findings += checks.about_grid(shape.grid.year, shape.grid.total)
    if shape.calendar is not None and not asked.reshape:
        findings += checks.about_calendar(shape.calendar.month, shape.calendar.years)
    if long is not None:
        values = [name for name in numeric if kinds[name] == NUMBER and name != long.id]
        findings += checks.about_long(long.id, long.count, len(frame), values, clock is not None)
    elif clock is not None:
        findings += steps.about_order(clock.times, asked)
        if asked.order != AS_IN_FILE:
            order = _order(clock.times)
        findings += steps.about_steps(clock.times[_order(clock.times)])
    if shape.wide is None:
        findings += checks.about_size(len(frame))
    chosen = _offered(numeric, kinds, findings)
    columns = {name: frame[name].to_numpy(np.float64) for name in chosen}
    if (np.diff(order) != 1).any():
        columns = {name: values[order] for name, values in columns.items()}
    if long is None:
        measured = {name: columns[name] for name in chosen if kinds[name] == NUMBER}
        findings += checks.about_exchange(measured)
    return Table(
        name=name,
        digest=digest,
        frame=frame,
        columns=columns,
        time=pd.DatetimeIndex(clock.times[order], name="time") if clock is not None else None,
        order=order,
        groups=long.groups if long is not None else None,
        kinds=kinds,
        reading=told,
        findings=tuple(findings),
        overrides=asked,
    )


def _about_time(shape: Shape, asked: Overrides) -> Iterator[Finding]:
    """What tells the time of the rows, or why nothing does."""
    if shape.wide is not None:
        yield from checks.about_wide(shape.wide.columns, shape.frame)
    elif shape.clock is not None:
        if not asked.reshape:
            yield from steps.about_clock(shape.clock)
    elif shape.calendar is not None:
        return
    elif shape.long is None and (found := places(shape.frame, shape.kinds)):
        yield from checks.about_places(found)
    else:
        yield from checks.about_no_time(shape.kinds)


def _offered(numeric: list[str], kinds: Mapping[str, str], findings: list[Finding]) -> list[str]:
    """The columns to choose from: all, or of too many the first measurements."""
    if len(numeric) <= MAX_COLUMNS:
        return numeric
    findings.append(
        warning(
            "many-columns",
            N_("There are {count:,} columns of numbers; the first {most} are offered."),
            count=len(numeric),
            most=MAX_COLUMNS,
        )
    )
    ranked = set(sorted(numeric, key=lambda name: kinds[name] != NUMBER)[:MAX_COLUMNS])
    return [name for name in numeric if name in ranked]


def _check_numbers(numeric: Sequence[str], kinds: Mapping[str, str]) -> None:
    if not numeric:
        raise GruvizError(
            _("No column of this file holds only numbers; the columns found are: {names}.").format(
                names=", ".join(repr(name[:40]) for name in list(kinds)[:8])
            )
        )
    if all(kinds[name] in (IDENTIFIER, TIME) for name in numeric):
        raise GruvizError(
            _(
                "There is nothing to forecast in this file: its only columns of numbers ({names}) are"
                " identifiers or times. Choose a file with measurements."
            ).format(names=quoted(numeric))
        )


def _order(stamps: Times) -> npt.NDArray[np.int64]:
    """Rows in order of time, rows without one at the end; equal times as they follow each other."""
    known = stamps[~np.isnat(stamps)]
    onward = np.diff(known).astype(np.int64)
    if len(onward) and (onward <= 0).all():
        # Newest first: turned around, so that equal times are turned around as well.
        rows = np.arange(len(stamps))[::-1]
        return rows[np.argsort(stamps[rows], kind="stable")]
    return np.argsort(stamps, kind="stable")

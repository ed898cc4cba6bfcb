"""Records to columns of text: every row as wide as the table, and what doesn't fit said."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import TypeVar

import pyarrow as pa

from gruviz.csv.cells import EMPTY, MISSING, NUMERIC, TIMELY, WORDS, common_kind, kind
from gruviz.csv.findings import Finding, Remedy, note, warning
from gruviz.csv.reading import Overrides
from gruviz.csv.records import (
    LOOKED_AT,
    Dialect,
    Record,
    are_columns,
    columns_of_lines,
    plain_rows,
    records,
)
from gruviz.errors import GruvizError
from gruviz.words import N_, _

CHUNK = 20_000  # rows, fewer of wide tables
CHUNK_CELLS = 800_000
OFTEN = 200_000  # cells
FEW = 3  # names by which a line is told to be the header
TAIL = 40  # rows at the end among which a footer may be
MOST_TOO_LONG = 0.01  # share of rows that may be left out for having more cells than the table

Progress = Callable[[float, str], None]

T = TypeVar("T")


def with_progress(
    items: Sequence[T], progress: Progress, begin: float, end: float, rows: int
) -> Iterator[T]:
    """The columns; `progress` is called now and then on the way from `begin` to `end`."""
    often = max(1, OFTEN // max(1, rows))
    for place, item in enumerate(items):
        if place % often == 0:
            progress(begin + (end - begin) * place / len(items), _("Reading the numbers…"))
        yield item


@dataclass
class Body:
    """The columns of a file as text, blanks trimmed at reading, and which lines were left out."""

    columns: list[pa.ChunkedArray]
    rows: int
    footer: list[Record]
    findings: list[Finding]


@dataclass
class _Widths:
    """Rows that are not as wide as the table."""

    short: Counter[int] = field(default_factory=Counter)
    first_short: int = 0
    long: list[Record] = field(default_factory=list)
    notes: list[Record] = field(default_factory=list)
    """Rows that hold a remark in one cell more."""
    kinds: list[str] = field(default_factory=list)
    """What the columns hold, by the first rows among which one is not as wide."""
    repeated: int = 0

    def see(self, fitting: Iterable[Sequence[str]]) -> None:
        """Tell by the first rows that are as wide as the table what its columns hold."""
        if not self.kinds:
            some = zip(*islice(fitting, LOOKED_AT), strict=True)
            self.kinds = [common_kind(cells) for cells in some] or [EMPTY]


def read_body(
    lines: Sequence[str],
    dialect: Dialect,
    overrides: Overrides,
    progress: Progress | None,
    *,
    whole: bool,
) -> Body:
    """Read all rows from the first data line on.

    Raises GruvizError where rows can't be brought to one width, OpenQuoteError for an open quote.
    """
    width, widths = dialect.width, _Widths()
    chunks: list[list[pa.Array]] = []
    rows: list[Record] = []
    used = set(dialect.header)
    names = [name.strip() for name in dialect.names]
    chunk = max(100, min(CHUNK, CHUNK_CELLS // width))

    def tell(line: int) -> None:
        if progress is not None:
            progress(line / len(lines), _("Reading the rows…"))

    line = dialect.first
    while line + chunk + TAIL < len(lines) and max(used, default=0) < line:
        some, numbers = list(lines[line - 1 : line - 1 + chunk]), range(line, line + chunk)
        columns = _plain_columns(some, dialect, numbers, width, widths, names)
        if columns is None:
            break
        chunks.append(columns)
        line += chunk
        tell(line)
    for record in records(lines, dialect, line, tell):
        if record.line in used:
            continue
        rows.append(record)
        if len(rows) >= chunk + TAIL:
            ready, rows = rows[:chunk], rows[chunk:]
            chunks.append(_columns_of(ready, width, widths, names))
            tell(record.line)
    footer: list[Record] = []
    findings: list[Finding] = []
    if overrides.footer is None:
        footer = _footer(rows, width, bool(chunks))
        if footer:
            rows = rows[: len(rows) - len(footer)]
            findings.append(_about_footer(footer))
    cut = None if whole else _cut_off(rows, width, widths)
    if cut:
        rows = rows[:-1]
        findings.append(
            warning(
                "cut-off",
                N_(
                    "The last line ({line}) has {cells} of {width} cells, as if the file was cut off;"
                    " it is left out."
                ),
                line=cut.line,
                cells=len(cut.cells),
                width=width,
            )
        )
        footer = [cut, *footer]
    if rows:
        chunks.append(_columns_of(rows, width, widths, names))
    # In one piece: what is done to many columns costs as much for each piece.
    columns = [
        pa.chunked_array([pa.concat_arrays([chunk[place] for chunk in chunks])])
        if chunks
        else pa.chunked_array([], pa.string())
        for place in range(width)
    ]
    count = len(columns[0])
    if overrides.footer:
        if overrides.footer >= count:
            raise GruvizError(
                _("All {rows:,} rows would be left out as a footer; leave out fewer.").format(
                    rows=count
                )
            )
        count -= overrides.footer
        columns = [column.slice(0, count) for column in columns]
    findings += _about_widths(widths, width, count)
    return Body(columns, count, footer, findings)


def _columns_of(
    rows: Sequence[Record], width: int, widths: _Widths, names: Sequence[str]
) -> list[pa.Array]:
    return _columns(
        [record.cells for record in rows], [record.line for record in rows], width, widths, names
    )


def _columns(
    cells: list[list[str]],
    lines: Sequence[int],
    width: int,
    widths: _Widths,
    names: Sequence[str],
) -> list[pa.Array]:
    """A chunk of rows, each of a line, as one array a column."""
    if set(map(len, cells)) != {width}:
        widths.see(row for row in cells if len(row) == width)
        fitted: list[list[str]] = []
        for line, row in zip(lines, cells, strict=True):
            fit = row if len(row) == width else _fitted(Record(line, row), width, widths)
            if fit is not None:
                fitted.append(fit)
        cells = fitted
    if any(names) and names[0] in set(map(str.strip, map(itemgetter(0), cells))):
        kept = [
            row for row in cells if row[0].strip() != names[0] or [c.strip() for c in row] != names
        ]
        widths.repeated += len(cells) - len(kept)
        cells = kept
    if not cells:
        return [pa.array([], pa.string()) for _place in range(width)]
    return [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]


def _plain_columns(
    some: list[str],
    dialect: Dialect,
    lines: Sequence[int],
    width: int,
    widths: _Widths,
    names: Sequence[str],
) -> list[pa.Array] | None:
    """As `_columns`, of lines of which each is a row, and faster; None where they aren't."""
    separator = dialect.separator
    begin = list(names[:FEW])
    header_again = any(names) and any(
        [cell.strip() for cell in line.split(separator or None, FEW)[:FEW]] == begin
        for line in some
        if names[0] in line
    )
    if width < 2 or header_again or not are_columns(some, dialect):
        cells = plain_rows(some, dialect)
        return None if cells is None else _columns(cells, lines, width, widths, names)
    odd = [place for place, line in enumerate(some) if line.count(separator) != width - 1]
    if odd:
        rows = plain_rows([some[place] for place in odd], dialect)
        if rows is None:
            return None
        others = set(odd)
        widths.see(line.split(separator) for place, line in enumerate(some) if place not in others)
        for place, row in zip(odd, rows, strict=True):
            fit = _fitted(Record(lines[place], row), width, widths)
            some[place] = "" if fit is None else separator.join(fit)
        some = [line for line in some if line]
    return columns_of_lines(some, separator, width)


def _fitted(record: Record, width: int, widths: _Widths) -> list[str] | None:
    """A row of another width, brought to the table's; None where it can't be."""
    row = record.cells
    if len(row) < width:
        widths.short[len(row)] += 1
        widths.first_short = widths.first_short or record.line
        return row + [""] * (width - len(row))
    if _has_note(record, width, widths):
        widths.notes.append(record)
    elif any(cell.strip() for cell in row[width:]):
        widths.long.append(record)
        return None
    return row[:width]


def _has_note(record: Record, width: int, widths: _Widths) -> bool:
    """Whether a row fits, but for words in one cell more."""
    further = [cell for cell in record.cells[width:] if cell.strip()]
    return (
        len(further) == 1
        and kind(further[0]) == WORDS
        and all(
            kind(cell) in (wanted, EMPTY, MISSING)
            for cell, wanted in zip(record.cells, widths.kinds, strict=False)
            if wanted in (NUMERIC, TIMELY)
        )
    )


def _about_widths(widths: _Widths, width: int, count: int) -> list[Finding]:
    findings: list[Finding] = []
    if widths.notes:
        first = widths.notes[0]
        findings.append(
            warning(
                "row-notes",
                N_("Line {line} has a note in one cell more ({text!r}); the note is left out."),
                N_(
                    "{count:,} rows have a note in one cell more (the first is line {line}: {text!r});"
                    " the notes are left out."
                ),
                count=len(widths.notes),
                line=first.line,
                text=" ".join(cell.strip() for cell in first.cells[width:]).strip()[:60],
            )
        )
    if widths.long:
        line, cells = widths.long[0].line, len(widths.long[0].cells)
        if len(widths.long) > MOST_TOO_LONG * (count + len(widths.long)):
            raise GruvizError(
                _(
                    "This file can't be read as a table: line {line} has {cells} cells, the ones"
                    " before it {width}. Save it as CSV with one header line and the same number of"
                    " cells in each row, and with quotes around cells that hold the separator."
                ).format(line=line, cells=cells, width=width)
            )
        findings.append(
            warning(
                "long-rows",
                N_(
                    "Line {line} has {cells} cells where the table has {width} columns; it is left"
                    " out."
                ),
                N_(
                    "{count:,} rows have more cells than the table has columns (the first is line"
                    " {line}); they are left out."
                ),
                count=len(widths.long),
                line=line,
                cells=cells,
                width=width,
            )
        )
    short = sum(widths.short.values())
    if short:
        if len(widths.short) > 3 and short > 0.3 * count:
            raise GruvizError(
                _(
                    "The rows of this file have from {least} to {most} cells; a table needs the same"
                    " number in each row."
                ).format(least=min(widths.short), most=width)
            )
        findings.append(
            warning(
                "short-rows",
                N_(
                    "The row of line {line} has fewer than {width} cells; the ones at its end count as"
                    " missing."
                ),
                N_(
                    "{count:,} rows have fewer than {width} cells (the first is line {line}); the ones"
                    " at their ends count as missing."
                ),
                count=short,
                width=width,
                line=widths.first_short,
            )
        )
    if widths.repeated:
        findings.append(
            warning(
                "repeated-header",
                N_(
                    "The names of the columns stand once more among the rows; that line is left out."
                ),
                N_(
                    "The names of the columns stand {count:,} more times among the rows; those lines"
                    " are left out."
                ),
                count=widths.repeated,
            )
        )
    return findings


def _footer(rows: Sequence[Record], width: int, more: bool) -> list[Record]:
    """The last rows that are no data: totals, sources, remarks, rows without any cell."""
    sure = [record.cells for record in rows[:-1] if len(record.cells) == width][-100:]
    looked_at = range(min(width, LOOKED_AT))
    kinds = [common_kind(row[place] for row in sure) for place in looked_at] if sure else []
    end = len(rows)
    remarks = 0
    while end > 0 and remarks < TAIL and _no_data(rows[end - 1], kinds, width):
        remarks += any(cell.strip() for cell in rows[end - 1].cells)
        end -= 1
    if end == 0 and not more:
        return []
    return list(rows[end:])


def _no_data(record: Record, kinds: Sequence[str], width: int) -> bool:
    """Whether one of the last rows is a remark, a total, or blank."""
    cells = [cell.strip() for cell in record.cells]
    full = [cell for cell in cells if cell]
    if not full:
        return True
    if not kinds or not any(each in (NUMERIC, TIMELY) for each in kinds):
        return False
    lead = next((place for place, each in enumerate(kinds) if each in (NUMERIC, TIMELY)), 0)
    found = [kind(cell) for cell in cells[: len(kinds)]]
    right = sum(a == b for a, b in zip(found, kinds, strict=False) if b in (NUMERIC, TIMELY))
    if width > 1 and len(full) == 1 and right == 0 and kind(full[0]) == WORDS:
        place = cells.index(full[0])
        return len(cells) < width or (place < len(kinds) and kinds[place] in (NUMERIC, TIMELY))
    if len(cells) < width and right == 0:
        return True
    if width == 1:
        return found[0] == WORDS and len(full[0]) > 12
    # "Total;;1234": words where every other row has a time or a number, in its first such column.
    words_first = lead == 0 and found[0] == WORDS and kinds[0] in (NUMERIC, TIMELY)
    blank_first = kinds[0] == TIMELY and found[0] in (EMPTY, MISSING) and len(full) < len(cells)
    return words_first or (blank_first and right <= 1)


def _about_footer(footer: Sequence[Record]) -> Finding:
    text = " ".join(cell.strip() for cell in footer[0].cells if cell.strip())[:60]
    return note(
        "footer",
        N_("The last row (line {line}: {text!r}) is no data; it is left out."),
        N_("The last {count:,} rows (from line {line}: {text!r}) are no data; they are left out."),
        count=len(footer),
        line=footer[0].line,
        text=text,
        remedies=(Remedy(N_("Keep them"), Overrides(footer=0)),),
    )


def _cut_off(rows: Sequence[Record], width: int, widths: _Widths) -> Record | None:
    """The last row, if it alone is short and nothing but the file's end follows it."""
    if len(rows) < 3 or widths.short:
        return None
    last, others = rows[-1], rows[:-1]
    if len(last.cells) >= width or any(len(record.cells) < width for record in others):
        return None
    return last

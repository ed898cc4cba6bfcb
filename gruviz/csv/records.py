"""Lines to records: how they are cut into cells, comments and blank lines left out."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import csv as arrow

LOOKED_AT = 60  # columns of a record
HEAD_LINES = 400  # by which the dialect is told: fewer where they are long, but always some
HEAD_CHARACTERS = 1_000_000
LEAST_LINES = 12
OFTEN = 20_000  # lines
LONGEST_CELL = 131_072  # characters, as `csv` has it

Tell = Callable[[int], None]


class Record(NamedTuple):
    """A row's cells and the line on which it begins."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Dialect:
    """How lines become cells, and which of the lines are what."""

    separator: str
    quote: str
    comment: str
    header: tuple[int, ...] = ()
    first: int = 1
    width: int = 1
    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    skipped: tuple[Record, ...] = ()
    comments: int = 0
    row_names: bool = False
    commented_header: bool = False
    trailing_separator: bool = False
    unnamed: int = 0
    """How many columns at the right have no name, because the header is too short."""
    notes: int = 0
    """How many lines beside the names hold sources, ids and the like."""
    own_quotes: bool = True
    """False where a quote opens that never closes, and quotes are read as letters."""

    def is_comment(self, line: str) -> bool:
        """Whether a line is a comment, not data."""
        return bool(self.comment) and line.lstrip().startswith(self.comment)


def head_of(lines: Sequence[str]) -> Sequence[str]:
    """The first lines, as many as it takes to tell the dialect."""
    characters = 0
    for count, line in enumerate(lines[:HEAD_LINES]):
        characters += len(line)
        if characters > HEAD_CHARACTERS and count >= LEAST_LINES:
            return lines[:count]
    return lines[:HEAD_LINES]


class OpenQuoteError(Exception):
    """A quote opens on a line and never closes."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


MOST_BROKEN = 300  # lines of one cell; beyond, a quote was left open


def plain_rows(lines: Sequence[str], dialect: Dialect) -> list[list[str]] | None:
    """The cells of lines of which each is a row; None where quotes, comments or blank lines occur.

    The same as `records` gives, only faster.
    """
    text = "\n".join(lines)
    if not _is_plain(text, lines, dialect):
        return None
    if not dialect.separator:
        rows = [[line] for line in map(str.strip, lines)]
    else:
        if dialect.separator == " ":
            lines = list(map(str.strip, text.replace("\t", " ").split("\n")))
        try:
            rows = list(_reader(lines, dialect))
        except csv.Error:
            return None
    if min(map(len, rows)) < 2 and any(len(row) < 2 and not "".join(row).strip() for row in rows):
        return None
    return rows


def _is_plain(text: str, lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether each line is a row: no quotes, no comments, no blank lines."""
    marked = any(mark and mark in text for mark in (dialect.quote, dialect.comment))
    return not marked and "\n\n" not in text and bool(lines and lines[0] and lines[-1])


def are_columns(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether lines can be read by `columns_of_lines`."""
    separator, text = dialect.separator, "\n".join(lines)
    return (
        separator != ""
        and separator.isascii()
        and (separator == "\t" or not separator.isspace())
        and _is_plain(text, lines, dialect)
        # A mark of the byte order would be left out.
        and not text.startswith("\ufeff")
        and max(map(len, lines)) <= LONGEST_CELL
    )


def columns_of_lines(lines: Sequence[str], separator: str, width: int) -> list[pa.Array]:
    """The columns of plain lines of `width` cells each, as `plain_rows` reads them but for blanks."""
    content = "\n".join(lines).encode()
    names = [str(place) for place in range(width)]
    table = arrow.read_csv(
        pa.py_buffer(content),
        arrow.ReadOptions(use_threads=False, block_size=len(content) + 1, column_names=names),
        arrow.ParseOptions(
            delimiter=separator, quote_char=False, double_quote=False, ignore_empty_lines=False
        ),
        arrow.ConvertOptions(check_utf8=False, column_types=dict.fromkeys(names, pa.string())),
    )
    return [column.combine_chunks() for column in table.columns]


def _trimmed(lines: Iterable[str], dialect: Dialect) -> Iterable[str]:
    """Lines that end; where blanks part the cells, without those at the ends."""
    if dialect.separator == " ":
        return (line.replace("\t", " ").strip() + "\n" for line in lines)
    return (line + "\n" for line in lines)


def _reader(lines: Iterable[str], dialect: Dialect) -> Any:
    return csv.reader(
        lines,
        delimiter=dialect.separator,
        skipinitialspace=True,
        quotechar=dialect.quote or '"',
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )


def _watched(lines: Sequence[str], start: int, tell: Tell | None) -> Iterator[str]:
    for number, line in enumerate(lines[start - 1 :], start):
        if tell is not None and number % OFTEN == 0:
            tell(number)
        yield line


def records(
    lines: Sequence[str], dialect: Dialect, start: int = 1, tell: Tell | None = None
) -> Iterator[Record]:
    """The rows from line `start` on, blank lines and comments left out.

    `tell` is called with the number of a line now and then.

    Raises OpenQuoteError where a quote swallows the rest of the file.
    """
    comment, separator = dialect.comment, dialect.separator
    rest = _watched(lines, start, tell)
    if not separator:
        for number, text in enumerate(rest, start):
            cell = text.strip()
            if dialect.quote and len(cell) > 1 and cell[0] == cell[-1] == dialect.quote:
                cell = cell[1:-1].replace(dialect.quote * 2, dialect.quote)
            if cell and not (comment and dialect.is_comment(text)):
                yield Record(number, [cell])
        return
    reader = _reader(_trimmed(rest, dialect), dialect)
    line, before = start, start - 1
    row: list[str] = []
    try:
        for row in reader:
            line, before = before + 1, start - 1 + reader.line_num
            if before - line > MOST_BROKEN:
                raise OpenQuoteError(line)
            if not row or (comment and dialect.is_comment(lines[line - 1])):
                continue
            if len(row) == 1 and not row[0].strip():
                continue
            yield Record(line, row)
        if dialect.quote and row and row[-1].endswith("\n"):  # the end came within quotes
            quotes = sum(each.count(dialect.quote) for each in lines[line - 1 :])
            if quotes % 2:
                raise OpenQuoteError(line)
    except csv.Error as error:  # a cell of more than 131,072 characters
        raise OpenQuoteError(before + 1) from error

"""Which records name the columns, where the data begin, and how wide they are."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from gruviz.csv.cells import EMPTY, MISSING, NUMERIC, TIMELY, WORDS, common_kind, kind
from gruviz.csv.names import MAX_WIDTH, UNIT, are_units, is_label, named, names_times
from gruviz.csv.parts import part_name
from gruviz.csv.reading import Overrides
from gruviz.csv.records import Dialect, OpenQuoteError, Record, records
from gruviz.csv.sideways import refuse_sideways
from gruviz.errors import GruvizError
from gruviz.words import _

LOOKED_AT = 40_000  # cells of the first rows
MOST_NAMING = 6  # lines that name columns
MOST_LABELLED = 20  # where each begins with what it tells, such as Unit


def arrange(
    found: list[Record], dialect: Dialect, overrides: Overrides, head: Sequence[str]
) -> Dialect:
    """Which lines name the columns, where the data begin, and how wide they are."""
    if overrides.separator is None and overrides.header is None:
        refuse_sideways(found, dialect.separator)
    body = found[len(found) // 3 :] if len(found) > 4 else found[-max(1, len(found) - 1) :]
    width = _usual_width(body)
    if width > MAX_WIDTH:
        raise GruvizError(
            _("This file has {count:,} columns; keep at most {most:,} and upload it again.").format(
                count=width, most=MAX_WIDTH
            )
        )
    kinds = _column_kinds(body, width)
    begin = (
        _begin(found, kinds, width)
        if overrides.first is None
        else next(
            (i for i, record in enumerate(found) if record.line >= (overrides.first or 1)),
            len(found),
        )
    )
    naming = _naming(found[:begin], width, kinds, head)
    if overrides.header is not None:
        wanted = set(overrides.header)
        naming = [record for record in found if record.line in wanted][:MOST_LABELLED]
        if missing := sorted(wanted - {record.line for record in naming}):
            raise GruvizError(
                _(
                    "Line {line} can't name the columns; choose a line among the first {most}."
                ).format(line=missing[0], most=len(head))
            )
        if overrides.first is None and naming:
            after = (i for i, record in enumerate(found) if record.line > naming[-1].line)
            begin = max(begin, next(after, len(found)))
        if overrides.first is None and not naming:
            begin = _first_of_width(found, width)
    elif not naming and begin == 0 and not any(each in (NUMERIC, TIMELY) for each in kinds):
        naming, begin = found[:1], 1  # words under words: the first row names the columns
    commented = _commented_names(head, dialect, found, begin, width) if not naming else None
    if overrides.header is not None:
        commented = None
    used = {record.line for record in naming}
    skipped = tuple(record for record in found[:begin] if record.line not in used)
    first = found[begin].line if begin < len(found) else (found[-1].line + 1 if found else 1)
    dialect = replace(
        dialect,
        header=tuple(record.line for record in naming),
        first=first,
        width=width,
        skipped=skipped,
        comments=sum(dialect.is_comment(line) for line in head[: first - 1])
        if dialect.comment
        else 0,
    )
    if commented:
        lines = tuple(record.line for record in commented)
        dialect = replace(
            dialect, header=lines, commented_header=True, comments=dialect.comments - len(lines)
        )
        naming = commented
    return named(dialect, naming, found[begin:])


def _usual_width(body: Sequence[Record]) -> int:
    """The most common width; a row that only lacks its last cells counts for the wider one."""
    widths = Counter(len(record.cells) for record in body)
    return max(widths.items(), key=lambda item: (item[1], item[0]))[0]


def _column_kinds(body: Sequence[Record], width: int) -> list[str]:
    most = max(20, min(100, LOOKED_AT // width))
    fitting = [record.cells for record in body if len(record.cells) == width][:most]
    return [common_kind(row[place] for row in fitting) for place in range(width)]


def _fits(record: Record, kinds: Sequence[str], width: int) -> bool:
    """Whether a row holds numbers and times where the columns do."""
    if len(record.cells) > width + 1 or (
        len(record.cells) < width - 1 and len(record.cells) * 2 < width
    ):
        return False
    if kinds[0] in (NUMERIC, TIMELY) and is_label(record.cells[0]):
        return False
    typed = right = empty = timely = 0
    for cell, wanted in zip(record.cells, kinds, strict=False):
        if wanted in (NUMERIC, TIMELY):
            typed += 1
            found = kind(cell)
            empty += found in (EMPTY, MISSING)
            right += found == wanted
            timely += found == wanted == TIMELY
    if not typed:
        return len(record.cells) == width
    if right and right + empty == typed:
        return True
    # A lone odd word in a row of numbers is a matter of that cell.
    return right * 2 > typed - bool(timely)


def _begin(found: Sequence[Record], kinds: Sequence[str], width: int) -> int:
    """The index of the first data row."""
    if not any(each in (NUMERIC, TIMELY) for each in kinds):
        return min(_first_of_width(found, width) + 1, len(found)) if len(found) > 1 else len(found)
    for place, record in enumerate(found):
        if not _fits(record, kinds, width):
            continue
        following = found[place + 1 : place + 6]
        onward = sum(_fits(r, kinds, width) or _empty(r, kinds, width) for r in following)
        if onward < 0.6 * len(following):
            continue
        if following and _counts_up(record, kinds) > any(_counts_up(r, kinds) for r in following):
            return place + 1
        # Rows of missing values belong to the data, up to the line that names the columns.
        while place > 1 and _only_missing(found[place - 1], kinds):
            place -= 1
        return place
    return len(found)


def _first_of_width(found: Sequence[Record], width: int) -> int:
    return next((i for i, record in enumerate(found) if len(record.cells) == width), 0)


def _empty(record: Record, kinds: Sequence[str], width: int) -> bool:
    """Whether a row of full width has nothing where there should be numbers or times."""
    pairs = zip(record.cells, kinds, strict=False)
    cells = [cell for cell, wanted in pairs if wanted in (NUMERIC, TIMELY)]
    return len(record.cells) == width and all(kind(cell) in (EMPTY, MISSING) for cell in cells)


def _only_missing(record: Record, kinds: Sequence[str]) -> bool:
    """Whether a row has marks of missing values wherever there should be numbers or times."""
    cells = [
        cell.strip()
        for cell, wanted in zip(record.cells, kinds, strict=False)
        if wanted in (NUMERIC, TIMELY)
    ]
    marks = [cell for cell in cells if cell]
    # A lone letter is rather a name or a unit.
    return bool(marks) and all(
        kind(cell) == MISSING and not re.fullmatch("[a-zA-Z]", cell) for cell in marks
    )


def _counts_up(record: Record, kinds: Sequence[str]) -> bool:
    """Whether a row of numbers is rather a row of names, such as 1960, 1961, 1962 …"""
    values = [
        cell.strip()
        for cell, wanted in zip(record.cells, kinds, strict=False)
        if wanted in (NUMERIC, EMPTY, MISSING) and cell.strip()
    ]
    if kinds[0] in (NUMERIC, TIMELY) and len(values) > 10 and kind(values[0]) == WORDS:
        values = values[1:]  # such as Year, before 1, 2, 3 …
    if part_name(record.cells[0]) == "%m":  # Month, before 1990, 1991
        years = [cell.strip() for cell in record.cells[1:] if cell.strip()]
        if all(re.fullmatch(r"[12]\d{3}", year) for year in years):
            return len(years) > 1 and all(int(b) - int(a) == 1 for a, b in pairwise(years))
    if len(values) < 3 or not all(re.fullmatch(r"\d{1,6}", value) for value in values):
        return False
    numbers = [int(value) for value in values]
    steps = {after - before for before, after in pairwise(numbers)}
    return (
        len(steps) == 1
        and steps <= {1, -1, 5, 10}
        and (numbers[0] < 2 or numbers[0] >= 1500 or len(values) >= 10)
    )


def _naming(
    before: Sequence[Record], width: int, kinds: Sequence[str], head: Sequence[str]
) -> list[Record]:
    """The rows above the data that name its columns: wide enough, and mostly words."""
    naming: list[Record] = []
    pending: list[Record] = []
    held = sum(each != EMPTY for each in kinds)
    for record in reversed(before):
        full = [cell for cell in record.cells if cell.strip()]
        above = naming or pending
        if above and any(not line.strip() for line in head[record.line : above[0].line - 1]):
            break  # a blank line parts them
        labelled = kinds[0] in (NUMERIC, TIMELY) and is_label(record.cells[0])
        if labelled and full and len(record.cells) <= width + 1 and len(naming) < MOST_LABELLED:
            naming.insert(0, record)
            continue
        short = kinds[0] == TIMELY and len(full) > 1 and names_times(record.cells[0])
        if not full or (
            len(record.cells) not in (width - 1, width, width + 1) and not (short and not naming)
        ):
            break
        words = sum(kind(cell) in (WORDS, TIMELY, MISSING) for cell in full)
        numbers = sum(
            kind(cell) == NUMERIC == wanted
            for cell, wanted in zip(record.cells, kinds, strict=False)
        )
        few = len(full) * 2 <= held and held > 1 and words == len(full) and not short
        if few and not naming and not pending:
            pending = [record]  # such as "Date" alone, under the names of the other columns
            continue
        merged = bool(naming) and (len(full) > 1 or not record.cells[0].strip())
        enough = len(full) * 2 > held or merged or short
        worded = words * 2 >= len(full) and not (naming and numbers)
        if not enough or not (worded or _counts_up(record, kinds) or not naming):
            break
        if naming and width == 1 and not UNIT.fullmatch(naming[-1].cells[0]):
            break
        if naming and len(record.cells) < width:
            break
        naming.insert(0, record)
        if len(naming) >= MOST_NAMING:
            break
    if (
        not naming
        and pending
        and len(pending[0].cells) == width
        and not pending[0].cells[0].strip()
    ):
        # The rows' names, such as a frame's index, have none: ",x".
        return pending if all(cell.strip() for cell in pending[0].cells[1:]) else []
    return naming + pending if naming else []


def _commented_names(
    head: Sequence[str], dialect: Dialect, found: Sequence[Record], begin: int, width: int
) -> list[Record] | None:
    """The last comment above the data, if it names the columns, with the units below it."""
    if not dialect.comment or begin >= len(found):
        return None
    line = found[begin].line - 1
    while line > 0 and not head[line - 1].strip():
        line -= 1
    if line < 1:
        return None
    below = _comment_names(head[line - 1], dialect, width)
    if below is None:
        return None
    above = _comment_names(head[line - 2], dialect, width) if line > 1 else None
    if above is not None and are_units(below, above):
        return [Record(line - 1, above), Record(line, below)]
    return [Record(line, below)]


def _comment_names(line: str, dialect: Dialect, width: int) -> list[str] | None:
    """The names in a comment, if it has one for each column and none is a number."""
    if not dialect.is_comment(line):
        return None
    text = line.lstrip().lstrip("".join(set(dialect.comment))).strip()
    if width == 1 and not re.fullmatch(r"[\w.°%()\[\]/-]{1,30}", text):
        return None
    try:
        row = next(iter(records([text], replace(dialect, comment=""))), None)
    except OpenQuoteError:
        return None
    if row is None or len(row.cells) != width:
        return None
    names = [cell.strip() for cell in row.cells]
    return None if any(kind(name) in (NUMERIC, TIMELY, EMPTY) for name in names) else names

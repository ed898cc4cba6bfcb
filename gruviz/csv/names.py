"""The names of columns, from the lines that hold them: several levels, units, sources and ids."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gruviz.csv.cells import NUMERIC, TIMELY, common_kind
from gruviz.csv.parts import part_name
from gruviz.csv.records import Dialect, Record
from gruviz.csv.times import TIME_NAME
from gruviz.errors import GruvizError
from gruviz.words import _

MAX_WIDTH = 2_000
UNIT = re.compile(r"[\[(].{0,20}[\])]|[°µΩ%‰$€/²³·^a-zA-Z0-9 .\-]{1,12}")
SURE_UNIT = re.compile(
    r"[\[(].{0,20}[\])]|.{0,11}[°µΩ%‰$€²³/^].{0,11}"
    r"|[kmcdMGµn]?(?:m|s|g|W|Wh|V|A|Hz|Pa|bar|K|l|L|J|N|mol)|min|h|hr|d|C|F|degC|degF|deg|rad|ppm|ppb"
    r"|Volts?|Amps?|TS|RN|sec|hours?|days?|percent|pct|mm/h|kts?|knots|mph|USD|EUR|GBP|count|unitless"
)
# What a line of the header tells, in its first cell, above the times.
LABEL = re.compile(
    r"(?P<name>titles?|names?|variables?|parameters?|series(?: names?)?|indicators?|elements?"
    r"|bezeichnung|merkmal|titre|nom|título|nombre)"
    r"|(?P<units>units?(?: of measure(?:ment)?)?|einheit(?:en)?|unités?|unidad(?:es)?|unità)"
    r"|(?P<id>(?:series |station |site )?(?:ids?|codes?|no\.?|key)|mnemonic|ticker symbol|kennung)"
    r"|(?P<note>sources?|quellen?|fuente|fonte|frequency|type|(?:data|series) type|descriptions?"
    r"|notes?|comments?|remarks?|publication date|last updated?|updated|series (?:start|end)"
    r"|no\.? ?of obs\.?|no\.? obs\.?|collection month|sensor|instrument|method|aggregation"
    r"|statistic|multiplier|adjustment|seasonal adjustment|origin|provider|licen[cs]e)",
    re.IGNORECASE,
)
CODE = re.compile(r"(?=.*\d)[A-Za-z0-9_.:/-]{2,24}")


def is_label(cell: str) -> bool:
    """Whether the first cell of a line tells what the line is: Unit, Source, Series ID."""
    match = LABEL.fullmatch(cell.strip(" :#\ufeff"))
    return match is not None and match.lastgroup != "name"


def names_times(name: str) -> bool:
    """Whether a column of that name tells the time."""
    return bool(TIME_NAME.search(name) or part_name(name) or re.fullmatch(r"t|ds", name.strip()))


@dataclass
class _Lines:
    """The lines above the data by what they tell."""

    names: list[list[str]]
    units: list[str] = field(default_factory=list)
    notes: int = 0


def named(dialect: Dialect, naming: Sequence[Record], data: Sequence[Record]) -> Dialect:
    """The dialect with the columns' names, and with the width that names and rows call for."""
    if not naming:
        return replace(dialect, names=("",) * dialect.width)
    rows = [_without_quotes([cell.strip() for cell in record.cells]) for record in naming]
    width = dialect.width
    longest = max(map(len, rows))
    trailing = row_names = False
    unnamed = 0
    firsts = [record.cells[0] for record in data[:100]]
    wide = sum(len(r.cells) == width for r in data) > 0.9 * len(data)
    if longest > width and all(not cell for row in rows for cell in row[width:]):
        rows = [row[:width] for row in rows]
    elif longest == width - 1 and wide:
        ends = {record.cells[-1].strip() for record in data if len(record.cells) == width}
        if ends <= {""}:
            width, trailing = width - 1, True
        elif _timely(firsts) and names_times(rows[-1][0]):
            unnamed = 1
        else:
            rows, row_names = [["", *row] for row in rows], True
    elif longest < width - 1 and _timely(firsts):
        unnamed = width - longest
    else:
        width = longest
    if width > MAX_WIDTH:
        raise GruvizError(
            _("This file has {count:,} columns; keep at most {most:,} and upload it again.").format(
                count=width, most=MAX_WIDTH
            )
        )
    lines = _told([row + [""] * (width - len(row)) for row in rows], timely=_timely(firsts))
    if len(lines.names) > 1:
        lines.names = [_spread(row) for row in lines.names[:-1]] + [lines.names[-1]]
    names = tuple(
        " ".join(dict.fromkeys(part for part in parts if part))
        for parts in zip(*lines.names, strict=True)
    )
    return replace(
        dialect,
        width=width,
        names=names,
        units=tuple(lines.units or [""] * width),
        row_names=row_names,
        unnamed=unnamed,
        trailing_separator=trailing,
        notes=lines.notes,
    )


def _timely(cells: Sequence[str]) -> bool:
    """Whether cells are times, or years, or times as large numbers."""
    kind = common_kind(cells)
    return kind == TIMELY or (
        kind == NUMERIC
        and all(
            re.fullmatch(r"\s*(?:1[5-9]|20|21)\d\d\s*|\s*\d{9,19}(?:\.\d*)?\s*", c) for c in cells
        )
    )


def _told(rows: list[list[str]], *, timely: bool) -> _Lines:
    """Which of the lines name the columns, which tells units, and how many are notes."""
    lines = _Lines(rows)
    if timely and (labelled := _labelled(rows)):
        return labelled
    plain = _complete(rows[0]) and not _codes(rows[0])
    if len(rows) > 2 and plain and all(any(row[1:]) for row in rows[1:]):
        # Names, then units, then what else: as a logger writes "Avg", "Smp" under them.
        units = next((row for row in rows[1:] if _sure_units(row)), None)
        if units is not None and all(UNIT.fullmatch(c) for row in rows[1:] for c in row if c):
            return _Lines(rows[:1], _units(units), len(rows) - 2)
    if len(rows) > 1 and are_units(rows[-1], rows[-2]):
        lines = _Lines(rows[:-1], _units(rows[-1]))
    codes = [row for row in lines.names if _codes(row)]
    words = [row for row in lines.names if row not in codes]
    if len(words) == 1 and codes and _complete(words[0]) and all(map(_complete, codes)):
        wordy = sum(not re.search(r"\d", cell) for cell in words[0])
        if wordy > 0.5 * len(words[0]):
            return _Lines(words, lines.units, len(codes))
    return lines


def _labelled(rows: Sequence[list[str]]) -> _Lines | None:
    """The lines where the first cells say what they are; None unless some do."""
    kinds = [
        (match.lastgroup or "") if (match := LABEL.fullmatch(row[0].strip(" :#"))) else ""
        for row in rows
    ]
    if len(rows) < 2 or not {"units", "id", "note"} & set(kinds):
        return None
    units = next((row for row, kind in zip(rows, kinds, strict=True) if kind == "units"), None)
    for wanted in ("name", "", "id", "note", "units"):
        chosen = [row for row, kind in zip(rows, kinds, strict=True) if kind == wanted]
        # The first line that names each column in its own way.
        best = next((row for row in chosen if _complete(row[1:])), None)
        if best is not None:
            told = ["", *_units(units)[1:]] if units is not None else []
            return _Lines([best], told, len(rows) - 1 - (units is not None))
    return None


def _complete(row: Sequence[str]) -> bool:
    """Whether a line names all columns (but perhaps the first), each in its own way."""
    full = [cell for cell in row if cell]
    return len(full) >= len(row) - 1 and len(set(full)) == len(full) and len(full) > 0


def _codes(row: Sequence[str]) -> bool:
    return all(CODE.fullmatch(cell) for cell in row[1:] if cell)


def _units(row: Sequence[str]) -> list[str]:
    return [unit.strip("[]() ") for unit in row]


def _sure_units(row: Sequence[str]) -> bool:
    full = [cell for cell in row if cell]
    return sum(bool(SURE_UNIT.fullmatch(cell)) for cell in full) >= 0.5 * len(full) > 0


def _without_quotes(row: list[str]) -> list[str]:
    """Names without the single quotes around each of them."""
    full = [cell for cell in row if cell]
    if full and all(len(cell) > 2 and cell[0] == cell[-1] == "'" for cell in full):
        return [cell[1:-1].strip() for cell in row]
    return row


def are_units(row: Sequence[str], above: Sequence[str]) -> bool:
    """Whether a line tells units: short, often bracketed, under names that are complete."""
    full = [cell for cell in row if cell]
    named = [cell for cell in above if cell]
    if not full or len(set(named)) < len(named) or len(named) < len(above) - 1:
        return False
    if all(re.fullmatch(r"[\[(].*[\])]", cell) for cell in full):
        return True
    short = sum(bool(UNIT.fullmatch(cell)) for cell in full) >= 0.8 * len(full)
    return short and sum(map(len, full)) / len(full) <= 6


def _spread(row: Sequence[str]) -> list[str]:
    """An upper line of names with merged cells: each name holds until the next."""
    spread, last = [], ""
    for cell in row:
        last = cell or last
        spread.append(last)
    return spread

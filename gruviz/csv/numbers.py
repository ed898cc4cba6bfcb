"""Columns of text to numbers: the decimal mark, the thousands mark, what stands for "missing"."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gruviz.csv.cells import MARKS, NUMBER
from gruviz.csv.distinct import Places, distinct
from gruviz.csv.glued import Glued

Floats = npt.NDArray[np.float64]

LOOKED_AT = 40_000  # cells, of the whole table
MOST_ODD = 0.1  # share of cells in a column of numbers that may be anything else
FEW_ODD = 0.02  # …and be of many kinds
KINDS_OF_ODD = 5

BLANKS = " \u00a0\u202f"
EXPONENT = re.compile("[eE]")
QUOTED, PARTED = re.compile(r"\d['’]\d"), re.compile(f"\\d[{BLANKS}]\\d")
GROUPS = {".": r"\.", ",": ",", "'": "['’]", " ": "[ \u00a0\u202f]"}


WITH_UNIT = re.compile(
    rf"({NUMBER.pattern})\s*([^\W\d_]{{1,5}}(?:/[^\W\d_]{{1,3}}[²³23]?)?|°[CFK]?|[µ°][^\W\d_]+)"
)


@dataclass
class Marks:
    """How the numbers of a table are written."""

    decimal: str = "."
    thousands: str = ""
    doubtful: bool = False
    """Every mark stands before exactly three digits: 1.234 may be a thousand or one and a bit."""


@dataclass
class Column:
    """A column as numbers. `values` is None where it holds words."""

    values: Floats | None
    missing: Counter[str] = field(default_factory=Counter)
    odd: Counter[str] = field(default_factory=Counter)
    percent: bool = False
    unit: str = ""
    """What follows the number in each cell."""
    glued: Glued = field(default_factory=Glued)


def sample(column: pa.ChunkedArray, most: int) -> list[str]:
    """Cells from the whole length of a column, trimmed."""
    rows = len(column)
    if rows > most:
        places = np.unique(np.linspace(0, rows - 1, most).astype(np.int64))
        column = column.take(pa.array(places))
    return [cell.strip() for cell in column.to_pylist()]


def looked_at(columns: int) -> int:
    """How many cells of each column are looked at: fewer, the more columns there are."""
    return max(20, min(400, LOOKED_AT // max(1, columns)))


def marks_of(samples: Iterable[Sequence[str]], separator: str) -> Marks:
    """The decimal and the thousands mark, by what can't be anything else."""
    sure: Counter[str] = Counter()
    doubtful: Counter[str] = Counter()
    for cells in samples:
        numbers = [cell for cell in cells if NUMBER.fullmatch(cell)]
        held = sum(cell.lower() not in MARKS for cell in cells)
        if not numbers or len(numbers) < 0.75 * held:
            continue
        votes, doubts = _votes(numbers)
        for each in votes:  # a column has one voice, however long it is
            sure[each] += 1
        if not any(each.startswith("decimal") for each in votes):
            for each in doubts:
                doubtful[each] += 1
    comma, point = sure["decimal ,"], sure["decimal ."]
    unsure = not comma and not point
    if comma or point:
        decimal = "," if comma > point else "."
    elif sure["thousands ."] or (
        doubtful[","] and separator in (";", " ") and not sure["thousands ,"]
    ):
        decimal = ","
    else:
        decimal = "."
    other = "." if decimal == "," else ","
    thousands = ""
    if sure[f"thousands {other}"] or doubtful[other]:
        thousands = other
    elif sure["thousands '"]:
        thousands = "'"
    elif sure["thousands  "]:
        thousands = " "
    doubt = unsure and bool(doubtful) and not any(each.startswith("thousands") for each in sure)
    return Marks(decimal, thousands, doubt)


def _votes(numbers: Iterable[str]) -> tuple[set[str], set[str]]:
    """What the numbers of a column prove, and the marks that could be either."""
    votes: set[str] = set()
    doubts: set[str] = set()
    for cell in numbers:
        body = EXPONENT.split(cell.strip("+-−€$£¥₹% \u00a0\u202f"))[0]
        if QUOTED.search(body):
            votes.add("thousands '")
            body = re.sub("['’]", "", body)
        if PARTED.search(body):
            votes.add("thousands  ")
            body = re.sub(f"[{BLANKS}]", "", body)
        commas, points = body.count(","), body.count(".")
        if commas and points:
            last = max(",", ".", key=body.rfind)
            votes |= {f"decimal {last}", f"thousands {'.' if last == ',' else ','}"}
        elif commas + points > 1:
            votes.add(f"thousands {',' if commas else '.'}")
        elif commas + points == 1:
            mark = "," if commas else "."
            whole, part = body.split(mark)
            if len(part) == 3 and 1 <= len(whole) <= 3 and not whole.startswith("0"):
                doubts.add(mark)
            else:
                votes.add(f"decimal {mark}")
    return votes, doubts


def grammar(marks: Marks) -> str:
    """The regular expression (RE2) of a number that is written with these marks."""
    point = re.escape(marks.decimal)
    whole = r"\d+"
    if marks.thousands:
        whole = rf"(?:\d{{1,3}}(?:{GROUPS[marks.thousands]}\d{{3}})+|\d+)"
    return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def convert(
    column: pa.ChunkedArray,
    cells: Sequence[str],
    marks: Marks,
    missing: frozenset[str],
    *,
    forced: bool = False,
) -> Column:
    """A column as numbers, with missing ones as NaN; `cells` is a sample of it.

    Nine tenths of the cells must be numbers; what the others hold is counted as odd.
    """
    held = [cell for cell in cells if cell.lower() not in missing]
    unit = _unit(held)
    ending = rf"\s*{re.escape(unit)}$"
    if unit:
        held = [re.sub(ending, "", cell) for cell in held]
    numeric = sum(bool(NUMBER.fullmatch(cell)) for cell in held)
    if held and numeric < (1 - 2 * MOST_ODD) * len(held) and not forced:
        return Column(None)
    once, places = distinct(column)
    often = np.bincount(places, minlength=len(once))
    if unit:
        once = pc.utf8_trim_whitespace(pc.replace_substring_regex(once, ending, ""))
    gone = _numpy(pc.is_in(pc.utf8_lower(once), value_set=pa.array(sorted(missing), pa.string())))
    counted = _counts(once, often, gone)
    if counted.total() == len(column):
        return Column(np.full(len(column), np.nan), counted)
    present = pc.if_else(pa.array(gone), pa.scalar(None, pa.string()), once)
    values: Floats | None = None
    if marks.decimal == "." and not marks.thousands:
        values = _cast(present)
    odd: Counter[str] = Counter()
    percent = False
    if values is None or not np.isfinite(values[~gone]).all():
        percent = bool(held) and sum(cell.endswith("%") for cell in held) > 0.5 * len(held)
        values, strange = _with_marks(present, marks)
        strange &= ~gone
        count = int(often[strange].sum())
        if count:
            odd = _counts(once, often, strange)
            held_rows = len(column) - counted.total()
            few = len(odd) <= KINDS_OF_ODD or count <= FEW_ODD * held_rows
            if count > MOST_ODD * held_rows or not few:
                return Column(None)
    return Column(values[places], counted, odd, percent, unit)


def _unit(cells: Sequence[str]) -> str:
    """The unit that follows the number in each cell, such as "°C"."""
    if not cells or not (match := WITH_UNIT.fullmatch(cells[0])) or NUMBER.fullmatch(cells[0]):
        return ""
    if not all(cell.endswith(match[2]) and WITH_UNIT.fullmatch(cell) for cell in cells):
        return ""
    return match[2]


def _numpy(mask: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(mask.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _cast(cells: pa.Array) -> Floats | None:
    try:
        return np.array(
            pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64
        )
    except pa.ArrowInvalid:
        return None


def _fitting(cells: pa.Array, marks: Marks) -> pa.Array:
    return pc.fill_null(pc.match_substring_regex(cells, grammar(marks)), False)


def _with_marks(cells: pa.Array, marks: Marks) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """The numbers, and where there are none."""
    plain = cells
    fits = _fitting(plain, marks)
    others = pc.fill_null(pc.and_(pc.invert(fits), pc.is_valid(cells)), False)
    if pc.any(others).as_py():
        bare = pc.replace_substring(plain.filter(others), "−", "-")
        bare = pc.replace_substring_regex(bare, r"^\((.*)\)$", r"-\1")  # as accountants write it
        bare = pc.replace_substring_regex(bare, r"^([+-]?)\s?[€$£¥₹]\s?|\s?[%€$£¥₹]$", r"\1")
        bare = pc.replace_substring_regex(bare, r"^([+-])\s", r"\1")
        plain = pc.replace_with_mask(plain, others, bare)
        fits = _fitting(plain, marks)
    plain = pc.if_else(fits, plain, pa.scalar(None, pa.string()))
    if marks.thousands in (",", "."):
        plain = pc.replace_substring(plain, marks.thousands, "")
    elif marks.thousands:
        plain = pc.replace_substring_regex(plain, GROUPS[marks.thousands], "")
    if marks.decimal != ".":
        plain = pc.replace_substring(plain, marks.decimal, ".")
    values = _cast(plain)
    assert values is not None  # the grammar is narrower than the cast
    strange = ~_numpy(fits) | np.isinf(values)
    values[np.isinf(values)] = np.nan
    return values, strange


def _counts(once: pa.Array, often: Places, which: npt.NDArray[np.bool_]) -> Counter[str]:
    """How often some of the distinct cells occur."""
    counted: Counter[str] = Counter()
    for cell, count in zip(once.filter(pa.array(which)).to_pylist(), often[which], strict=True):
        counted[cell] += int(count)
    return counted

"""What is glued to numbers: K, M and B that multiply them, and flags that only remark on them."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gruviz.csv.cells import LONGEST, MARKS, NUMBER
from gruviz.csv.distinct import distinct

Floats = npt.NDArray[np.float64]

LEAST_NUMBERS = 0.9  # of a column's cells, once what is glued to them is cut
LEAST_SUFFIXED = 0.05
MOST_LETTERED = 0.5  # of the cells may have a letter as a flag; more, and they are words
MOST_FLAGS = 8

FACTORS: Mapping[str, float] = {
    "k": 1e3,
    "m": 1e6,
    "mn": 1e6,
    "mln": 1e6,
    "mio": 1e6,
    "b": 1e9,
    "bn": 1e9,
    "bln": 1e9,
    "mrd": 1e9,
    "t": 1e12,
    "tn": 1e12,
    "trn": 1e12,
}
# Alone in a column these are as good as sure; m, b and t may be units or flags.
SURE = frozenset(["k", "K", "M", "B", "mn", "mln", "mio", "bn", "bln", "mrd"])
SUFFIXES = r"[kKmMbBtT]|[mMbBtT][nN]|[mMbB][lL][nN]|[mM][iI][oO]|[mM][rR][dD]|[tT][rR][nN]"
SUFFIX = rf"\.?\s?({SUFFIXES})\.?"
SUFFIXED = re.compile(rf"({NUMBER.pattern})(?:{SUFFIX})?")
PARTED = rf"^(?P<number>[^a-zA-Z]*[\d.,)])\.?\s?(?P<suffix>{SUFFIXES})\.?$"
SUFFIX_PARTED = re.compile(PARTED)
WARMTH = re.compile(r"temp|kelvin|\bt[ _]?\(?k\)?$|wärme|chaleur", re.IGNORECASE)

NB = "\u00a0"  # a blank that doesn't break
TAGS = r"(?:\s*</?[a-zA-Z][^<>]{0,20}>)+"
SIGNS = rf"[ {NB}]?[*#†‡!?^~§¤@¹²³]{{1,3}}"
NUMBERED = rf"[ {NB}]?(?:\[\w{{1,3}}\]|\([a-zA-Z]{{1,2}}\))"
LETTERS = rf"[acdefhijlnp-su-zAC-FHIJLN-SU-Z]|[ {NB}](?:[a-jln-zAC-FHIJLN-SU-Z]|[bcdefnprsuz]{{2}})"
FLAG = rf"{TAGS}|{SIGNS}|{NUMBERED}|{LETTERS}"
FLAGGED = re.compile(rf"({NUMBER.pattern}|:)({FLAG})")
LETTERED = re.compile(LETTERS)
# As RE2 has it: the number stands before, whatever its marks.
ENDING = rf"^(?P<number>[^a-zA-Z<>]*[\d.,)%:])(?P<flag>{FLAG})$"
CUT = re.compile(ENDING)


@dataclass
class Glued:
    """What was cut from the numbers of a column."""

    factors: Floats | None = None
    """What each number is to be multiplied with."""
    suffixes: tuple[str, ...] = ()
    flags: Counter[str] = field(default_factory=Counter)
    """How many cells had each flag."""


def cut(
    name: str, column: pa.ChunkedArray, cells: Sequence[str]
) -> tuple[pa.ChunkedArray, Sequence[str], Glued]:
    """A column and its sample without what is glued to the numbers, and what that was."""
    held = [cell for cell in cells if cell.lower() not in MARKS and len(cell) <= LONGEST]
    if not held or all(NUMBER.fullmatch(cell) for cell in held):
        return column, cells, Glued()
    if _are_suffixed(name, held):
        return _without_suffixes(column, cells)
    if _are_flagged(held):
        return _without_flags(column, cells)
    return column, cells, Glued()


def cut_rare_flags(column: pa.ChunkedArray, odd: Sequence[str]) -> tuple[pa.ChunkedArray, Glued]:
    """A column without flags so rare that its sample has none: if all of its odd cells have one."""
    if not odd or not all(FLAGGED.fullmatch(cell) for cell in odd):
        return column, Glued()
    bare, _cells, glued = _without_flags(column, ())
    return bare, glued


def _are_suffixed(name: str, held: Sequence[str]) -> bool:
    found = [SUFFIXED.fullmatch(cell) for cell in held]
    numbers = [match for match in found if match]
    if len(numbers) < LEAST_NUMBERS * len(held):
        return False
    suffixes = [m[2] if len(m[2]) == 1 else m[2].lower() for m in numbers if m[2]]
    kinds = set(suffixes)
    if len(suffixes) < max(2, LEAST_SUFFIXED * len(held)):
        return False
    if kinds <= {"K"} and WARMTH.search(name):
        return False
    if len({each.lower() for each in kinds}) > 1:
        return any(each in SURE for each in kinds)
    # One alone: K beside smaller plain numbers, but B beside plain ones may be a house's.
    alone = len(suffixes) == len(numbers)
    return any(each in SURE for each in kinds) and (alone or not kinds <= {"B"})


def _without_suffixes(
    column: pa.ChunkedArray, cells: Sequence[str]
) -> tuple[pa.ChunkedArray, Sequence[str], Glued]:
    once, places = distinct(column)
    parts = pc.extract_regex(once, PARTED)
    suffixes = pc.struct_field(parts, "suffix")
    bare = pc.coalesce(pc.struct_field(parts, "number"), once).take(pa.array(places))
    kinds = [each for each in pc.unique(suffixes).to_pylist() if each]
    factors = np.array([FACTORS[each.lower()] if each else 1.0 for each in suffixes.to_pylist()])
    plain = [m["number"] if (m := SUFFIX_PARTED.fullmatch(cell)) else cell for cell in cells]
    kinds.sort(key=lambda each: (FACTORS[each.lower()], each))
    return pa.chunked_array([bare]), plain, Glued(factors[places], tuple(kinds))


def _are_flagged(held: Sequence[str]) -> bool:
    numbers, flags, lettered = 0, set[str](), 0
    for cell in held:
        if NUMBER.fullmatch(cell):
            numbers += 1
        elif match := FLAGGED.fullmatch(cell):
            numbers += 1
            flag = match[2]
            flags.add(flag)
            lettered += bool(LETTERED.fullmatch(flag))
    return (
        numbers >= LEAST_NUMBERS * len(held)
        and 0 < len(flags) <= MOST_FLAGS
        and lettered < MOST_LETTERED * len(held)
    )


def _without_flags(
    column: pa.ChunkedArray, cells: Sequence[str]
) -> tuple[pa.ChunkedArray, Sequence[str], Glued]:
    once, places = distinct(column)
    parts = pc.extract_regex(once, ENDING)
    bare = pc.coalesce(pc.struct_field(parts, "number"), once).take(pa.array(places))
    flags: Counter[str] = Counter()
    often = np.bincount(places, minlength=len(once))
    for flag, count in zip(pc.struct_field(parts, "flag").to_pylist(), often, strict=True):
        if flag is not None:
            flags[flag.strip()[:LONGEST]] += int(count)
    plain = [m["number"] if (m := CUT.fullmatch(cell)) else cell for cell in cells]
    return pa.chunked_array([bare]), plain, Glued(flags=flags)

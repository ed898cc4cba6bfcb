"""Times in parts: year, month, day and hour in columns of their own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from gruviz.csv.distinct import Change, changed
from gruviz.csv.formats import DECIMAL_HOUR, Floats, parse, plain

LEAST_PARSED = 0.9  # of the cells in a column of times

PARTS: Mapping[str, frozenset[str]] = {
    "%Y": frozenset(
        ["year", "yr", "yyyy", "jahr", "année", "annee", "an", "año", "ano", "anno", "rok", "år", "年",
         "年份"]
    ),
    "%m": frozenset(["month", "mo", "mon", "mm", "monat", "mois", "mes", "mês", "mese", "月", "月份"]),
    "%d": frozenset(
        ["day", "dy", "dd", "tag", "jour", "día", "dia", "giorno", "日", "mday", "dom", "dayofmonth"]
    ),
    "%j": frozenset(["doy", "jday", "julian", "yday", "dayofyear", "julianday"]),
    "%H": frozenset(["hour", "hr", "hh", "stunde", "std", "heure", "hora", "ora", "时", "時", "小时"]),
    "%M": frozenset(["minute", "min", "mi", "minuto", "分", "分钟"]),
    "%S": frozenset(["second", "sec", "ss", "sekunde", "seconde", "segundo", "秒"]),
}  # fmt: skip
RANGES: Mapping[str, tuple[int, int]] = {
    "%Y": (1000, 2999), "%m": (1, 12), "%d": (1, 31), "%j": (1, 366), "%H": (0, 24), "%M": (0, 59),
    "%S": (0, 59),
}  # fmt: skip
HOUR_NAME = re.compile(
    r"(?=.)(?:decimal|dec|local|utc|ut|gmt)?"
    r"(?:hours?|hrs?|h|time|stunden?|uhrzeit|zeit|heures?|horas?|ora|час|時|时)?"
    r"(?:utc|ut|gmt|h|hours?|hrs?|local|ofday|decimal|dec)?"
)


@dataclass(frozen=True, eq=False)
class Field:
    """What is known of a column when times are looked for; text is made plain only when asked for."""

    name: str
    written: pa.ChunkedArray
    sample: Sequence[str]
    values: Floats | None

    @property
    def text(self) -> pa.ChunkedArray:
        """The column as `strptime` reads it."""
        change, _cells = self._plain
        return self.written if change is None else changed(change, self.written)

    @property
    def cells(self) -> Sequence[str]:
        """The sample as `strptime` reads it."""
        return self._plain[1]

    @cached_property
    def _plain(self) -> tuple[Change | None, Sequence[str]]:
        return plain(self.sample) if self.values is None else (None, self.sample)


def are_hours(field: Field) -> bool:
    """Whether a column holds hours with a fraction, such as 13.5."""
    if field.values is None or not HOUR_NAME.fullmatch(re.sub(r"[\W\d_]+", "", field.name.lower())):
        return False
    known = field.values[np.isfinite(field.values)]
    return bool(
        len(known) > 0
        and known.min() >= 0
        and 12 < known.max() <= 24
        and (known != np.floor(known)).any()
    )


def part_name(name: str) -> str | None:
    """The part of a time that a column is named for, as `strptime` writes it."""
    plain = re.sub(r"[\s_\-.()\[\]]", "", name.lower())
    return next((part for part, names in PARTS.items() if plain in names), None)


def in_range(field: Field, part: str) -> bool:
    """Whether a column holds whole numbers that a part of a time can be."""
    if field.values is None:
        return False
    known = field.values[np.isfinite(field.values)]
    low, high = RANGES[part]
    return bool(
        len(known) > 0
        and known.min() >= low
        and known.max() <= high
        and (known == np.floor(known)).all()
    )


def _parts(fields: Sequence[Field]) -> dict[str, Field]:
    """The columns that are named for a part of a time, and hold no more than it can."""
    parts: dict[str, Field] = {}
    for field in fields:
        part = part_name(field.name)
        if part is None or part in parts:
            continue
        if in_range(field, part):
            parts[part] = field
        elif part == "%H" and are_hours(field):
            parts[DECIMAL_HOUR] = field
        elif part == "%m" and field.values is None and "%Y" in parts:
            some = pa.chunked_array([pa.array([f"{cell}" for cell in field.cells], pa.string())])
            for written in ("%b", "%B"):
                if (~np.isnat(parse(some, written)[0])).mean() > LEAST_PARSED:
                    parts[written] = field
                    break
    return parts


def spread_over(fields: Sequence[Field]) -> tuple[list[Field], str] | None:
    """Year, month, day, hour in columns of their own: by their names, or by how they step."""
    parts = _parts(fields)
    if "%Y" in parts and len(parts) > 1:
        month = next((each for each in ("%m", "%b", "%B") if each in parts), None)
        chain = ["%Y", month, "%d"] if month else ["%Y", "%j"]
        used: list[str] = []
        for part in (*chain, "%H", "%M", "%S"):
            if part is None or part not in parts:
                if part in ("%d", "%j", "%H", "%M"):
                    break
                continue
            used.append(part)
        if used[-1] in ("%d", "%j") and DECIMAL_HOUR in parts:
            used.append(DECIMAL_HOUR)
        if len(used) > 1:
            return [parts[part] for part in used], " ".join(used)
    return _stepping(fields)


def _stepping(fields: Sequence[Field]) -> tuple[list[Field], str] | None:
    """Columns without telling names that step like year, month, day, hour."""
    for place in range(min(3, len(fields) - 1)):
        year, month = fields[place], fields[place + 1]
        if year.values is None or not in_range(year, "%Y") or not in_range(month, "%m"):
            continue
        if year.values.min() < 1600 or month.values is None:
            continue
        chosen, count = [year, month], year.values * 12 + month.values
        parts = ["%Y", "%m"]
        for field, part, base in zip(
            fields[place + 2 :], ("%d", "%H", "%M"), (31, 24, 60), strict=False
        ):
            if not in_range(field, part) or field.values is None:
                break
            if (np.diff(count) > 0).all():
                break
            chosen.append(field)
            parts.append(part)
            count = count * base + field.values
        steps = np.diff(count)
        if len(steps) and ((steps > 0).all() or (steps < 0).all()):
            return chosen, " ".join(parts)
    return None

"""Which columns tell the time: one, a date beside a time of day, or parts of a time apart."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gruviz.csv.cells import CLOCK_ONLY, MARKS, TIMELY, common_kind
from gruviz.csv.formats import (
    DECIMAL_HOUR,
    DECIMAL_YEAR,
    EXCEL,
    NUMERIC,
    UNIX,
    Floats,
    Times,
    formats,
    has_clock,
    only_clock,
    parse,
)
from gruviz.csv.parts import LEAST_PARSED, Field, are_hours, in_range, part_name, spread_over
from gruviz.errors import GruvizError
from gruviz.words import _

MOST_CANDIDATES = 6
PIECE = 100_000  # cells
LONG = 20_000  # cells, of which a tenth are tried first
MOST_SPAN = 5 * 366 * 86_400  # seconds; identifiers of 19 digits go further

TIME_NAME = re.compile(
    r"time|date|datum|zeit|fecha|hora|heure|dato|\bdata\b|stamp|unix|epoch|日期|时间|時間|日時|日付"
    r"|\byear\b|yyyy|\bjahr\b|tstamp|\bts\b|datetime|период|дата|время|week|month|period|quarter",
    re.IGNORECASE,
)


ELAPSED_NAME = re.compile(
    r"time|zeit|elapsed|tempo|temps|second|^t$|^t[ _(\[]|\bsec\b|\bms\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Clock:
    """The columns that tell the time, and the times."""

    columns: tuple[str, ...]
    format: str
    times: Times
    zone: str | None = None
    other: str | None = None
    """The format that would do as well: the day and the month change places."""
    proof: str = ""
    """How day and month were told apart: "values", "order", "custom", "default" or ""."""
    unread: int = 0
    """Cells that hold something, but no time in this format."""


def joined(fields: Sequence[Field]) -> pa.ChunkedArray:
    """Several columns as one text, joined by blanks; missing where one of them is."""
    texts = [pc.utf8_trim_whitespace(field.text) for field in fields]
    if len(texts) == 1:
        return texts[0]
    empty = [pc.equal(pc.utf8_length(text), 0) for text in texts]
    together = pc.binary_join_element_wise(*texts, " ")
    for each in empty:
        together = pc.if_else(each, pa.scalar(""), together)
    return together


def find(
    fields: Sequence[Field], *, day_first: bool, tell: Callable[[], None] = lambda: None
) -> Clock | None:
    """The columns that tell the time, by the evidence; None if there are none.

    `day_first` is the custom of whoever wrote the file, for when nothing else decides; `tell` is
    called now and then, for it may last.
    """
    found: list[Clock] = []
    for columns, written in islice(_candidates(fields, tell), MOST_CANDIDATES):
        clock = _best(columns, written, day_first=day_first, tell=tell)
        if clock is not None:
            found.append(clock)
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    distinct = [len(np.unique(clock.times[~np.isnat(clock.times)])) for clock in found]
    most = max(distinct)
    return next(c for c, each in zip(found, distinct, strict=True) if each >= 0.9 * most)


def read(fields: Sequence[Field], written: str | None, *, day_first: bool) -> Clock:
    """The time told by the given columns. Raises GruvizError if they tell none."""
    names = ", ".join(repr(field.name[:40]) for field in fields)
    if written is not None:
        text = joined(fields)
        times, zone = parse(text, written)
        if not np.isnat(times).all():
            names_ = tuple(field.name for field in fields)
            return Clock(names_, written, times, zone, None, "", _unread(text, times))
        raise GruvizError(
            _("No cell of {names} is a time of the form {format!r}; choose another form.").format(
                names=names, format=written[:60]
            )
        )
    for columns, options in _candidates(fields):
        if len(columns) == len(fields):
            ordered = [field for field in fields if field in columns]
            clock = _best(ordered if len(columns) == 1 else columns, options, day_first=day_first)
            if clock is not None:
                return clock
    if len(fields) == 1 and fields[0].values is not None:
        clock = _best(fields, _numeric_formats(fields[0], named=True), day_first=day_first)
        if clock is not None:
            return clock
    raise GruvizError(
        _("{names} can't be read as times; choose other columns, or say the form.").format(
            names=names
        )
    )


def _candidates(
    fields: Sequence[Field], tell: Callable[[], None] = lambda: None
) -> Iterator[tuple[Sequence[Field], list[str]]]:
    """Columns that may tell the time, in the table's order, with the formats to try."""
    parts = spread_over(fields)
    first_clock = cache(lambda: next(filter(_tells_clock, fields), None))
    for place, field in enumerate(fields):
        tell()
        if parts is not None and field in parts[0]:
            if field is parts[0][0]:
                yield parts[0], [parts[1]]
            continue
        if field.values is None:
            options = _formats_of(field, only_dates=True)
        else:
            options = _numeric_formats(field, named=bool(TIME_NAME.search(field.name)))
        if not options:
            continue
        if not any(has_clock(each) or each in NUMERIC for each in options):
            beside = _clock_beside(fields, place, first_clock)
            if beside is not None:
                clock, clock_format = beside
                yield (field, clock), [f"{each} {clock_format}" for each in options]
                continue
        yield (field,), options


def _tells_clock(field: Field) -> bool:
    """Whether a column of text holds times of day without dates."""
    if field.values is not None or not any(map(CLOCK_ONLY.search, field.sample)):
        return False  # told without making the column plain and parsing it
    options = _formats_of(field)
    return bool(options) and only_clock(options[0])


def _clock_beside(
    fields: Sequence[Field], place: int, first_clock: Callable[[], Field | None]
) -> tuple[Field, str] | None:
    """The time of day that belongs to a date: in the next column, the one before, or anywhere."""
    near = [fields[each] for each in (place + 1, place - 1) if 0 <= each < len(fields)]
    clock = next(filter(_tells_clock, near), None) or first_clock()
    if clock is not None:
        return clock, _formats_of(clock)[0]
    for field in near:
        if part_name(field.name) == "%H" and field.values is not None and in_range(field, "%H"):
            return field, "%H"
    return next(((field, DECIMAL_HOUR) for field in near if are_hours(field)), None)


def _formats_of(field: Field, *, only_dates: bool = False) -> list[str]:
    """The formats of a column of text, most general first, by a few of its cells."""
    cells = [cell for cell in field.cells if cell.lower() not in MARKS]
    if not cells or common_kind(cells) != TIMELY:
        return []
    places = {0, len(cells) // 3, len(cells) // 2, 2 * len(cells) // 3, len(cells) - 1}
    options: dict[str, None] = {}
    for place in sorted(places):
        options.update(dict.fromkeys(formats(cells[place])))
    if only_dates:
        options = {written: None for written in options if not only_clock(written)}
    if not options:
        return []
    some = pa.chunked_array([pa.array(cells, pa.string())])
    good = {written: (~np.isnat(parse(some, written)[0])).mean() for written in options}
    best = sorted(good, key=lambda written: -good[written])
    return [written for written in best if good[written] >= 0.5]


def _numeric_formats(field: Field, *, named: bool) -> list[str]:
    """The formats of a column of numbers; without a telling name only what steps on evenly."""
    assert field.values is not None
    known = field.values[np.isfinite(field.values)]
    if len(known) < 3:
        return []
    low, high = float(known.min()), float(known.max())
    steps = np.diff(known)
    whole = bool((known == np.floor(known)).all())
    onward = bool((steps > 0).all() or (steps < 0).all())
    unnamed = not field.name.strip("column 0123456789")
    if unnamed and (steps >= 0).all() and (steps > 0).mean() > 0.05:
        onward = True
    if not named and not onward:
        return []
    if whole and (digits := _digits(known, low, high)):
        return [digits]
    for written, factor in UNIX.items():
        early, late = (1e8, 4.2e9) if named else (9e8, 2.2e9)
        if (
            low >= early * factor
            and high <= late * factor
            and (named or factor <= 1e3 or (unnamed and high - low < MOST_SPAN * factor))
        ):
            return [written]
    even = len(set(steps)) == 1 and abs(steps[0]) == 1
    if whole and low >= 1500 and high <= 2200 and (named or even):
        return ["%Y"]
    if not whole and low >= 1500 and high <= 2200 and onward and np.abs(steps).max() < 5:
        return [DECIMAL_YEAR]
    if named and low >= 20_000 and high <= 80_000 and (steps >= 0).all():
        return [EXCEL]
    return []


def _digits(known: Floats, low: float, high: float) -> str:
    """The format of whole numbers such as 20210131 or 202101311530; "" if they are none."""
    if low >= 17_000_101 and high <= 21_991_231:
        return "%Y%m%d"
    months = known % 100
    if low >= 170_001 and high <= 219_912 and (months >= 1).all() and (months <= 12).all():
        return "%Y%m"
    for written, scale in (("%Y%m%d%H", 1), ("%Y%m%d%H%M", 100), ("%Y%m%d%H%M%S", 10_000)):
        fits = low > 1.7e9 * scale and high < 2.2e9 * scale and len(known) > 9
        if fits and _calendar(known, scale):
            return written
    return ""


def _calendar(known: Floats, below_hours: int) -> bool:
    """Whether numbers such as 202101311530 have months, days and hours where these belong."""
    hours, rest = known // below_hours, known // below_hours // 100
    days, months = rest % 100, rest // 100 % 100
    return bool(
        (hours % 100 < 25).all()
        and ((days > 0) & (days < 32)).all()
        and ((months > 0) & (months < 13)).all()
    )


def elapses(field: Field) -> bool:
    """Whether a column counts time from the start of a measurement."""
    if field.values is None or not ELAPSED_NAME.search(field.name):
        return False
    known = field.values[np.isfinite(field.values)]
    return len(known) == len(field.values) and bool((np.diff(known) > 0).all())


def tells_time(field: Field) -> bool:
    """Whether a column of numbers is a time, beside the one that was chosen."""
    named = bool(TIME_NAME.search(field.name))
    return part_name(field.name) is None and bool(_numeric_formats(field, named=named))


def _best(
    fields: Sequence[Field],
    options: Sequence[str],
    *,
    day_first: bool,
    tell: Callable[[], None] = lambda: None,
) -> Clock | None:
    """The format that reads the most cells; day and month told apart by order, else by custom."""
    text = joined(fields)
    names = tuple(field.name for field in fields)
    options = _hopeful(text, options)
    read_by: list[tuple[int, str, Times, str | None]] = []
    for written in options:
        times, zone = _parsed(text, written, tell)
        read_by.append((int((~np.isnat(times)).sum()), written, times, zone))
    if not read_by:
        return None
    most = max(count for count, *_rest in read_by)
    held = len(text) - _blank(text)
    if not most or most < LEAST_PARSED * held:
        tell()
        mixed = _mixed(text, read_by, held)
        if mixed is None:
            return None
        return Clock(names, mixed[1], mixed[2], mixed[3], None, "", held - mixed[0])
    best = [each for each in read_by if each[0] == most]
    proof, other = "", None
    swapped = [each for each in read_by if each[1] in _swaps(read_by[0][1], options)]
    if len(swapped) > 1:
        proof = "values"
    _count, written, times, zone = best[0]
    if len(best) > 1 and not all(np.array_equal(times, e[2], equal_nan=True) for e in best[1:]):
        # Of two readings that are both possible, the one whose times go on evenly.
        ranked = sorted(best, key=lambda each: _unevenness(each[2]))
        first, second = _unevenness(ranked[0][2]), _unevenness(ranked[1][2])
        dotted = [each for each in best if "%d." in each[1]]
        if second - first > 0.3:
            proof, choice = "order", ranked[0]
        elif dotted:  # with dots nobody writes the month first
            return Clock(names, dotted[0][1], dotted[0][2], dotted[0][3])
        else:
            proof = "default"
            wanted = "%d" if day_first and "%p" not in written else "%m"
            choice = next(
                (each for each in best if re.search("%[dm]", each[1]).group() == wanted),  # type: ignore[union-attr]
                ranked[0],
            )
        _count, written, times, zone = choice
        other = next(each[1] for each in best if each is not choice)
    unread = _unread(text, times)
    if unread:
        filled = _mixed(text, [(most, written, times, zone)], held)
        if filled is not None and filled[0] > most:
            times, unread = filled[2], held - filled[0]
    return Clock(names, written, times, zone, other, proof, unread)


def _parsed(
    text: pa.ChunkedArray, written: str, tell: Callable[[], None]
) -> tuple[Times, str | None]:
    """As `parse`, piece by piece, for it lasts where many cells are no times."""
    pieces = []
    for start in range(0, max(1, len(text)), PIECE):
        tell()
        pieces.append(parse(text.slice(start, PIECE), written))
    zone = next((zone for _times, zone in pieces if zone), None)
    return np.concatenate([times for times, _zone in pieces]), zone


def _hopeful(text: pa.ChunkedArray, options: Sequence[str]) -> Sequence[str]:
    """The formats that read about as many cells as the best does, by some cells of a long column."""
    if len(text) < LONG or len(options) < 2:
        return options
    some = text.take(pa.array(np.linspace(0, len(text) - 1, LONG // 10).astype(np.int64)))
    read = {written: int((~np.isnat(parse(some, written)[0])).sum()) for written in options}
    return [written for written in options if read[written] >= 0.8 * max(read.values())]


def _swaps(written: str, options: Sequence[str]) -> list[str]:
    turned = written.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")
    return [each for each in options if each in (written, turned)]


def _blank(text: pa.ChunkedArray) -> int:
    gone = pc.is_in(pc.utf8_lower(text), value_set=pa.array(sorted(MARKS), pa.string()))
    return int(pc.sum(gone).as_py() or 0)


def _unread(text: pa.ChunkedArray, times: Times) -> int:
    return max(0, int(np.isnat(times).sum()) - _blank(text))


def _mixed(
    text: pa.ChunkedArray, read_by: Sequence[tuple[int, str, Times, str | None]], held: int
) -> tuple[int, str, Times, str | None] | None:
    """Times of one form of date, with and without a time of day or seconds."""
    _count, written, times, zone = max(read_by, key=lambda each: each[0])
    times = times.copy()
    for _round in range(3):
        left = np.flatnonzero(np.isnat(times))
        if not len(left):
            break
        cells = text.take(pa.array(left))
        first = next((c for c in map(str, cells) if c and c.lower() not in MARKS), None)
        kin = [each for each in formats(first or "") if _same_date(each, written)]
        if not kin:
            break
        times[left], zone_of = parse(cells, kin[0])
        zone = zone or zone_of
    read_now = int((~np.isnat(times)).sum())
    return (read_now, written, times, zone) if read_now >= LEAST_PARSED * held else None


def _same_date(one: str, other: str) -> bool:
    """Whether two formats have day, month and year in the same order."""
    order = [re.findall("%[dmYybBj]", each) for each in (one, other)]
    return order[0] == order[1]


def _unevenness(times: Times) -> float:
    """How far times are from going on evenly: orders of magnitude, and a penalty for turning back."""
    steps = np.diff(times[~np.isnat(times)]).astype(np.int64)
    steps = steps[steps != 0]
    if not len(steps):
        return 0.0
    onward = max((steps > 0).mean(), (steps < 0).mean())
    sizes = np.abs(steps).astype(np.float64)
    return float(10 * (1 - onward) + np.log10(sizes.max() / np.median(sizes)))

"""How times are written: the formats a cell may have, and text or numbers to times."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gruviz.csv.cells import (
    CLOCK_ONLY,
    LONGEST,
    MARKS,
    SPAN,
    TIMELY,
    common_kind,
    kind,
    month_of,
)
from gruviz.csv.distinct import Change, distinct

Times = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]

# Times written as one number: units a second, or what else they count.
UNIX: Mapping[str, float] = {"unix s": 1, "unix ms": 1e3, "unix us": 1e6, "unix ns": 1e9}
EXCEL, DECIMAL_YEAR, QUARTER, WEEK = "excel", "decimal year", "quarter", "week"
DECIMAL_HOUR = "decimal hour"  # beside a date, after a blank
NUMERIC = (*UNIX, EXCEL, DECIMAL_YEAR, QUARTER, WEEK)

# The patterns of dates, and the formats that each may mean.
DATES: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = tuple(
    (re.compile(pattern), formats)
    for pattern, formats in (
        (r"\d{4}([-/.])\d{1,2}\1\d{1,2}", ("%Y{0}%m{0}%d",)),
        (r"\d{1,2}([-/. ])\d{1,2}\1\d{4}", ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y")),
        (r"\d{1,2}([-/.])\d{1,2}\1\d{2}", ("%d{0}%m{0}%y", "%m{0}%d{0}%y", "%y{0}%m{0}%d")),
        (r"\d{4}年\d{1,2}月\d{1,2}日()", ("%Y年%m月%d日",)),
        (r"\d{4}年\d{1,2}月()", ("%Y年%m月",)),
        (r"\d{1,2}(\.? ?[-/. ]?)[^\W\d_]{3,10}\1\d{4}", ("%d{0}%b{0}%Y", "%d{0}%B{0}%Y")),
        (r"\d{1,2}(\. )[^\W\d_]{3,10} \d{4}", ("%d{0}%b %Y", "%d{0}%B %Y")),
        (r"\d{1,2}([-/. ]?)[^\W\d_]{3,10}\1\d{2}", ("%d{0}%b{0}%y", "%d{0}%B{0}%y")),
        (r"[^\W\d_]{3,10}(\.? )\d{1,2}, \d{4}", ("%b{0}%d, %Y", "%B{0}%d, %Y")),
        (r"[^\W\d_]{3,10}([-/. ])\d{1,2}\1\d{4}", ("%b{0}%d{0}%Y", "%B{0}%d{0}%Y")),
        (r"[^\W\d_]{3,10}(\.?[-/. ])\d{4}", ("%b{0}%Y", "%B{0}%Y")),
        (r"[^\W\d_]{3}([-/ ])\d{2}", ("%b{0}%y",)),
        (r"\d{4}([-/. ])[^\W\d_]{3,10}", ("%Y{0}%b", "%Y{0}%B")),
        (r"\d{4}([-/.])[^\W\d_]{3,10}\1\d{1,2}", ("%Y{0}%b{0}%d",)),
        (r"\d{4}([-/.])\d{1,2}", ("%Y{0}%m",)),
        (r"\d{1,2}([-/.])\d{4}", ("%m{0}%Y",)),
        (r"\d{4}M\d{2}()", ("%YM%m",)),
        (r"(?:19|20)\d{6}()", ("%Y%m%d",)),
        (r"\d{8}()", ("%d%m%Y", "%m%d%Y")),
        (r"(?:1[6-9]|20)\d{2}(?:0[1-9]|1[0-2])()", ("%Y%m",)),
        (r"(?:1[5-9]|2[01])\d{2}()", ("%Y",)),
        (r"\d{4}[- ]?Q[1-4]()|Q[1-4][-/ ]?\d{4}", (QUARTER,)),
        (r"\d{4}-?W\d{2}(?:-\d)?()", (WEEK,)),
    )
)
CLOCKS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), written)
    for pattern, written in (
        (r"\d{1,2}([:.h])\d{2}([:.])\d{2}[.,]\d{1,9}", "%H{0}%M{1}%S{fraction}%f"),
        (r"\d{1,2}([:.h])\d{2}([:.])\d{2}", "%H{0}%M{1}%S"),
        (r"\d{1,2}([:.h])\d{2}()", "%H{0}%M"),
        (r"\d{2}()\d{2}()\d{2}", "%H%M%S"),
        (r"\d{2}()\d{2}()", "%H%M"),
        (r"\d{1,2}()()", "%H"),
    )
)
SPLIT = re.compile(
    r"(?P<weekday>[^\W\d_]{2,10}\.?,? )??"
    r"(?P<date>[^\sT,;_]+(?:(?:\. ?|, ?| )(?:[^\W\d_]{3,10}\.?|\d{1,2}|\d{4}),?(?: \d{4})?)?)"
    r"(?P<gap>[ T,;_\-]+)"
    r"(?P<clock>\d{1,6}(?:[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d{1,9})?)?)?)"
    r"(?P<noon>[ \-]?[AaPp]\.?[Mm]\.?)?(?P<zone> ?(?:Z|UTC|GMT|[+\-]\d{2}:?\d{2}))?"
)
ALONE = re.compile(
    r"(?P<clock>\d{1,2}(?:[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d{1,9})?)?)?)"
    r"(?P<noon>[ \-]?[AaPp]\.?[Mm]\.?)?(?P<zone> ?(?:Z|UTC|GMT|[+\-]\d{2}:?\d{2}))?"
)
MIDNIGHT = r"([ T_-])24((?:[:.]?00){0,2})$"

LETTER = re.compile(r"[^\W\d_]{1,3}\W? ?(?=\d)")

ENGLISH = frozenset(
    [
        "Jan",
        "Feb",
        "Mar",
        "Apr",
        "May",
        "Jun",
        "Jul",
        "Aug",
        "Sep",
        "Oct",
        "Nov",
        "Dec",
        "January",
        "February",
        "March",
        "April",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
)
MONTH_WORD = re.compile(r"(?:^|(?<=[\d\s./,-]))[^\W\d_]{3,10}(?=\.?(?:$|[\d\s./,-]))")


def plain(cells: Sequence[str]) -> tuple[Change | None, Sequence[str]]:
    """Times as `strptime` reads them: of a span its start, of a foreign month the English name.

    What changes a column so, by a sample of its cells (None: nothing), and the sample so changed.
    """
    if max(map(len, cells), default=0) > 2 * LONGEST:
        return None, cells
    changes: list[tuple[str, str]] = []
    if letter := letter_before(cells):
        changes.append((f"^{re.escape(letter)}", ""))
        cells = [cell.removeprefix(letter) for cell in cells]
    held = [cell for cell in cells if cell.lower() not in MARKS]
    spans = [match for cell in held[:50] if (match := SPAN.fullmatch(cell))]
    if held and len(spans) == len(held[:50]) and all(kind(m[1]) == TIMELY for m in spans):
        changes.append((r"^(\S.*\d\S*) (?:-|–|—|to|bis) (\S.*\d\S*)$", r"\1"))
        cells = [match[1] if (match := SPAN.fullmatch(cell)) else cell for cell in cells]
    words = {match[0] for cell in held if len(cell) < 40 and (match := MONTH_WORD.search(cell))}
    foreign = {word: month for word in words if (month := month_of(word))}
    known = all(word.title() in ENGLISH for word in words)
    if words and len(words) <= 24 and len(foreign) == len(words) and not known:
        for month in sorted(set(foreign.values())):
            # Of two words that begin alike both are of one month.
            of = sorted((word for word in words if foreign[word] == month), key=len, reverse=True)
            pattern = rf"(^|[\d\s./,-])(?:{'|'.join(map(re.escape, of))})\.?"
            changes.append((pattern, rf"\1{month}"))
            cells = [re.sub(pattern, rf"\1{month}", cell) for cell in cells]
    if not changes:
        return None, cells

    def change(text: pa.Array) -> pa.Array:
        for pattern, new in changes:
            text = pc.replace_substring_regex(text, pattern, new)
        return text

    return change, cells


def letter_before(cells: Sequence[str]) -> str:
    """What stands before each time, such as D- in D-1/3/90; "" if nothing does."""
    held = [cell for cell in cells if cell.lower() not in MARKS]
    match = LETTER.match(held[0]) if held else None
    if not match or not all(cell.startswith(match[0]) for cell in held):
        return ""
    if common_kind(held) == TIMELY:  # Q1 2020
        return ""
    bare = common_kind(cell.removeprefix(match[0]) for cell in held)
    return match[0] if bare == TIMELY else ""


def parse(text: pa.ChunkedArray, written: str) -> tuple[Times, str | None]:
    """Times (microseconds, NaT where there is none) and the zone that they state, if any.

    `written` is a format of `strptime` or a name of NUMERIC.
    """
    once, places = distinct(text)
    times, zone = _parse(once, written)
    return times[places], zone


def _parse(text: pa.Array, written: str) -> tuple[Times, str | None]:
    if written in UNIX or written in (EXCEL, DECIMAL_YEAR):
        return from_numbers(_numbers(text), written), "UTC" if written in UNIX else None
    if written.endswith(f" {DECIMAL_HOUR}"):
        dates = pc.replace_substring_regex(text, r"^(.*) \S+$", r"\1")
        days, zone = _parse(dates, written.removesuffix(f" {DECIMAL_HOUR}"))
        hours = _numbers(pc.replace_substring_regex(text, r"^.* (\d+)(?:[.,](\d*))?$", r"\1.\2"))
        good = (hours >= 0) & (hours <= 24)
        # Hours are given to a second or so: 0.3333 is twenty minutes.
        seconds = np.round(np.where(good, hours, 0) * 3600).astype(np.int64)
        none = np.datetime64("NaT", "us")
        return np.where(good, days + seconds * np.timedelta64(1, "s"), none), zone
    shift = None
    if pc.any(pc.match_substring_regex(text, MIDNIGHT)).as_py() and "%H" in written:
        late = pc.match_substring_regex(text, MIDNIGHT)
        text = pc.replace_substring_regex(text, MIDNIGHT, r"\g<1>00\2".replace(r"\g<1>", r"\1"))
        shift = np.asarray(late.to_numpy(zero_copy_only=False), dtype=np.bool_)
    if written == QUARTER:
        text = pc.replace_substring_regex(text, r"^Q([1-4])[-/ ]?(\d{4})$", r"\2-Q\1")
        text = pc.replace_substring_regex(text, r"^(\d{4})[- ]?Q([1-4])$", r"\1-\2")
        for quarter, month in ((4, 10), (3, 7), (2, 4), (1, 1)):
            text = pc.replace_substring_regex(text, rf"^(\d{{4}})-{quarter}$", rf"\1/{month}")
        written = "%Y/%m"
    elif written == WEEK:
        text = pc.replace_substring_regex(text, r"^(\d{4})-?W(\d{2})$", r"\1-W\2-1")
        text = pc.replace_substring_regex(text, r"^(\d{4})W", r"\1-W")
        written = "%G-W%V-%u"
    zone = "UTC" if re.search("UTC$|GMT$|Z$|%z$", written) else None
    times = _strptime(text, written)
    if times is None:
        return np.full(len(text), "NaT", dtype="datetime64[us]"), None
    if shift is not None:
        times = np.where(shift, times + np.timedelta64(1, "D"), times)
    return times, zone


def _strptime(text: pa.Array, written: str) -> Times | None:
    """Times, in UTC where they state a zone; None if the format is none."""
    with np.errstate(all="ignore"):
        try:
            found = pd.to_datetime(
                pd.Series(text.to_pandas()), format=written, errors="coerce", utc="%z" in written
            )
        except (ValueError, OverflowError, re.error):
            return None
    if "%z" in written:
        found = found.dt.tz_localize(None)
    return found.to_numpy().astype("datetime64[us]")


def _numbers(text: pa.Array) -> Floats:
    """Plain numbers, and NaN for anything else."""
    fits = pc.match_substring_regex(text, r"^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$")
    numbers = pc.cast(pc.if_else(fits, text, None), pa.float64())
    return np.array(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)


def from_numbers(numbers: Floats, written: str) -> Times:
    """Times from unix times, days of a spreadsheet, or years with a fraction."""
    with np.errstate(invalid="ignore", over="ignore"):
        if written in UNIX:
            micro = np.round(numbers * (1e6 / UNIX[written]))
        elif written == EXCEL:
            # A spreadsheet's day is exact to a millisecond or so.
            micro = np.round((numbers - 25569) * 86_400_000) * 1000
        else:
            years = np.floor(numbers)
            good = (years > 0) & (years < 9999)
            whole = np.where(good, years, 1970).astype(np.int64)
            start = (whole - 1970).astype("datetime64[Y]")
            first = start.astype("datetime64[us]").astype(np.int64)
            last = (start + 1).astype("datetime64[us]").astype(np.int64)
            micro = np.where(good, first + (numbers - years) * (last - first), np.nan)
            micro = np.round(micro / 1e6) * 1e6
        good = np.isfinite(micro) & (np.abs(micro) < 2.5e17)
        out = np.full(len(numbers), np.iinfo(np.int64).min, dtype=np.int64)
        out[good] = micro[good].astype(np.int64)
    return out.view("datetime64[us]")


def formats(cell: str) -> list[str]:
    """The formats that a cell may be written in, a time of day without a date included."""
    cell = cell.strip()
    if len(cell) > LONGEST:
        return []
    found = _date_formats(cell)
    if found:
        return found + _clock_formats(cell)  # 18.00.00 may be either
    split = SPLIT.fullmatch(cell)
    if split:
        clock = _clock_format(split["clock"], split["noon"] or "")
        if clock is not None:
            zone = _zone_format(split["zone"] or "")
            weekday = _weekday(split["weekday"] or "")
            dates = _date_formats(split["date"])
            return [f"{weekday}{date}{split['gap']}{clock}{zone}" for date in dates]
    return _clock_formats(cell)


def _clock_formats(cell: str) -> list[str]:
    alone = ALONE.fullmatch(cell)
    if not alone or not CLOCK_ONLY.fullmatch(cell):
        return []
    clock = _clock_format(alone["clock"], alone["noon"] or "")
    return [clock + _zone_format(alone["zone"] or "")] if clock is not None else []


def _date_formats(text: str) -> list[str]:
    for pattern, written in DATES:
        if match := pattern.fullmatch(text):
            return [each.format(match[1] or "") for each in written]
    if match := re.fullmatch(r"([^\W\d_]{2,10}\.?,? )(.+)", text):
        return [_weekday(match[1]) + each for each in _date_formats(match[2]) if "%" in each]
    return []


def _weekday(text: str) -> str:
    if not text:
        return ""
    name = text.rstrip(" ,.")
    return ("%a" if len(name) <= 3 else "%A") + text[len(name) :]


def _zone_format(text: str) -> str:
    return text if not text or text.strip()[0] in "ZUG" else re.sub(r"[+\-].*", "%z", text)


def _clock_format(text: str, noon: str) -> str | None:
    for pattern, written in CLOCKS:
        if match := pattern.fullmatch(text):
            fraction = "," if "," in text else "."
            clock = written.format(match[1], match[2], fraction=fraction)
            if noon:
                clock = clock.replace("%H", "%I") + re.sub(r"[AaPp]\.?[Mm]\.?", "%p", noon)
            return clock
    return None


def has_clock(written: str) -> bool:
    """Whether a format tells the time of day."""
    return "%H" in written or "%I" in written or written.endswith(DECIMAL_HOUR)


def only_clock(written: str) -> bool:
    """Whether a format tells the time of day and no date."""
    return has_clock(written) and not any(
        part in written for part in ("%d", "%j", "%Y", "%y", "%b")
    )

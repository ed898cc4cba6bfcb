"""Tables that hold many series: one below the other, or one a row with time along the columns."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from gruviz.csv.cells import month_of
from gruviz.csv.formats import Times, formats, only_clock, parse
from gruviz.csv.table import COUNTER, IDENTIFIER, NUMBER, WORDS
from gruviz.csv.times import Clock

Codes = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

LEAST_DATES = 5
LEAST_YEARS = 2
SHARE_OF_DATES = 0.6
MOST_LABELS = 30  # columns that are looked at for names of series
LEAST_TOTALS = 0.8  # of the years that are whole
CLOSE = 2e-3  # as far as a total of rounded months is off
MOST_IDS = 0.5  # series to rows; more, and it isn't a panel


@dataclass(frozen=True)
class Wide:
    """Time along the columns: the columns, in order, and their times."""

    columns: tuple[str, ...]
    times: Times
    format: str


@dataclass(frozen=True)
class Long:
    """Series one below the other: the column that tells them apart, and each row's series."""

    id: str
    groups: Codes
    count: int
    counter: str = ""
    """A column that counts within each series, where there are no times."""


def wide(names: Sequence[str], numeric: Sequence[str]) -> Wide | None:
    """The columns whose names are times, if most columns of numbers are named so."""
    numbers = [name for name in names if name in set(numeric)]
    dated = [name for name in numbers if re.match(r"[XxYy]?\W?\d|[^\W\d_]{3}", name)]
    if len(dated) < LEAST_DATES:
        return None
    plain = [re.sub(r"^[XxYy]_?(?=\d{4})", "", name) for name in dated]
    for place in (0, len(plain) // 2, len(plain) - 1):
        for written in formats(plain[place]):
            if only_clock(written):
                continue
            some = pa.chunked_array([pa.array(plain, pa.string())])
            found, _zone = parse(some, written)
            good = ~np.isnat(found)
            if good.sum() < max(LEAST_DATES, SHARE_OF_DATES * len(numbers)):
                continue
            steps = np.diff(found[good])
            if not (steps > np.timedelta64(0)).all() and not (steps < np.timedelta64(0)).all():
                continue
            chosen = tuple(name for name, fits in zip(dated, good, strict=True) if fits)
            return Wide(chosen, found[good], written)
    return None


def _labels(frame: pd.DataFrame, kinds: Mapping[str, str]) -> dict[str, pd.Series]:
    """The columns that may name a series: words and whole numbers, in the table's order."""
    labels: dict[str, pd.Series] = {}
    for name, kind in list(kinds.items())[:MOST_LABELS]:
        column = frame[name].reset_index(drop=True)
        if kind in (NUMBER, IDENTIFIER, COUNTER):
            values = column.to_numpy(np.float64)
            if not np.isfinite(values).all() or not (values == np.floor(values)).all():
                continue
        elif kind != WORDS:
            continue
        labels[name] = column
    return labels


def long(frame: pd.DataFrame, kinds: Mapping[str, str], clock: Clock | None) -> Long | None:
    """The series of a long table: a column within which each time occurs once."""
    labels = _labels(frame, kinds)
    if clock is not None:
        known = ~np.isnat(clock.times)
        stamps, distinct = pd.factorize(clock.times)
        repeated = len(stamps) - len(distinct)
        if repeated < 0.3 * len(stamps) or not known.any():
            return None
        best: Long | None = None
        for name, column in labels.items():
            if name in clock.columns:
                continue
            groups, series = pd.factorize(column)
            if not 1 < len(series) <= MOST_IDS * len(column) or (groups < 0).any():
                continue
            pairs = pd.Series(groups).astype("int64") * (stamps.max() + 1) + stamps
            if pairs.nunique() >= 0.98 * len(pairs) and (best is None or len(series) > best.count):
                best = Long(name, groups.astype(np.int64), len(series))
        return best
    for name, column in labels.items():
        groups, series = pd.factorize(column)
        if not 1 < len(series) <= 0.2 * len(column) or (groups < 0).any():
            continue
        changes = np.flatnonzero(np.diff(groups)) + 1
        if len(changes) + 1 != len(series):  # a series isn't in one piece
            continue
        for counter, values in labels.items():
            if counter == name or kinds[counter] == WORDS:
                continue
            steps = np.diff(values.to_numpy(np.float64, na_value=np.nan))
            inside = np.delete(steps, changes - 1)
            if (inside > 0).all() and (steps[changes - 1] < 0).mean() > 0.9:
                return Long(name, groups.astype(np.int64), len(series), counter)
    return None


@dataclass(frozen=True)
class Grid:
    """A row per year and a column per month: time along both."""

    year: str
    months: tuple[str, ...]
    total: str = ""
    """The column that holds the sum or the mean of the twelve."""


def grid(frame: pd.DataFrame, clock: Clock | None) -> Grid | None:
    """The twelve columns of months beside a column of years."""
    if clock is None or clock.format != "%Y":
        return None
    named = {_month(str(name)): str(name) for name in frame if len(str(name)) <= 10}
    months = [named.get(month) for month in YEAR]
    found = tuple(name for name in months if name and frame[name].dtype == np.float64)
    if len(found) < len(YEAR):
        return None
    values = frame[list(found)].to_numpy(np.float64)
    rest = [
        str(name)
        for name in frame
        if frame[name].dtype == np.float64 and name not in (*found, *clock.columns)
    ]
    totals = (each for each in rest if are_totals(values, frame[each].to_numpy(np.float64)))
    return Grid(clock.columns[0], found, next(totals, ""))


@dataclass(frozen=True)
class Calendar:
    """A row per month and a column per year: time along both."""

    month: str
    years: tuple[str, ...]


def calendar(cells: Mapping[str, Sequence[str | None]], numeric: Sequence[str]) -> Calendar | None:
    """The columns named by years, one after the other, beside one that names the twelve months.

    cells: the text of each column. Below the months there may be one row more.
    """
    plain = {name: re.sub(r"^[XxYy]_?(?=\d{4})", "", name.strip()) for name in numeric}
    years = tuple(name for name in numeric if re.fullmatch(r"[12]\d{3}", plain[name]))
    numbers = np.array([int(plain[name]) for name in years])
    if len(years) < LEAST_YEARS or not (np.diff(numbers) == 1).all():
        return None
    for name, texts in cells.items():
        first = [_month(text or "") for text in texts[: len(YEAR)]]
        if name not in years and tuple(first) == YEAR and len(texts) <= len(YEAR) + 1:
            return Calendar(name, years)
    return None


def in_order(frame: pd.DataFrame, found: Calendar) -> pd.DataFrame:
    """A row per month of all years, in one column."""
    first = re.sub(r"\D", "", found.years[0])
    stamps = np.datetime64(first, "M") + np.arange(12 * len(found.years))
    values = frame[list(found.years)].to_numpy(np.float64)[: len(YEAR)].T.ravel()
    index = pd.DatetimeIndex(stamps.astype("datetime64[us]"), name="time")
    return pd.DataFrame({"value": values}, index=index)


def are_totals(months: Floats, totals: Floats) -> bool:
    """Whether numbers are the sums, or the means, of twelve months each; (years, 12), (years,)."""
    known = np.isfinite(totals) & np.isfinite(months).all(axis=1)
    if not known.any():
        return False
    for expected in (months[known].sum(axis=1), months[known].mean(axis=1)):
        size = np.maximum(np.abs(expected), np.abs(months[known]).max(axis=1))
        close = np.abs(totals[known] - expected) <= CLOSE * size
        varied = np.ptp(months[known], axis=1) > 0
        if close.mean() >= LEAST_TOTALS and varied.any():
            return True
    return False


def _month(name: str) -> str | None:
    """The month that a column is named for, by a word or a number."""
    match = re.fullmatch(r"(?:m|month|monat|mois|mes)?[ _]?0?(\d{1,2})", name.strip().lower())
    if match and 1 <= int(match[1]) <= 12:
        return YEAR[int(match[1]) - 1]
    return month_of(name)


YEAR = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def unrolled(frame: pd.DataFrame, found: Grid) -> pd.DataFrame:
    """A row per month, in one column."""
    years = frame.index.to_numpy().astype("datetime64[Y]")
    stamps = years[:, None].astype("datetime64[M]") + np.arange(12)
    values = frame[list(found.months)].to_numpy(np.float64)
    index = pd.DatetimeIndex(stamps.astype("datetime64[us]").ravel(), name="time")
    out = pd.DataFrame({"value": values.ravel()}, index=index)
    return out[out.index.notna()].sort_index()


def pivot(frame: pd.DataFrame, stamps: Times, id: str, value: str) -> pd.DataFrame:
    """A column per series and a row per time; of equal times in a series the first holds."""
    tall = pd.DataFrame(
        {"time": stamps, "id": frame[id].astype(str).to_numpy(), "value": frame[value].to_numpy()}
    )
    tall = tall[tall["time"].notna()].drop_duplicates(["time", "id"])
    order = list(dict.fromkeys(tall["id"]))
    turned = tall.pivot(index="time", columns="id", values="value")[order].sort_index()
    turned.columns = pd.Index([str(name) for name in order])
    turned.index = pd.DatetimeIndex(turned.index, name="time")
    return turned


def transpose(frame: pd.DataFrame, found: Wide, words: Sequence[str]) -> pd.DataFrame:
    """A row per time and a column per row of the table, named by its words."""
    labels = (
        [
            " · ".join(str(cell) for cell in row if isinstance(cell, str) and cell.strip())
            for row in frame[list(words)].itertuples(index=False)
        ]
        if words
        else [""] * len(frame)
    )
    names = [label or f"row {place}" for place, label in enumerate(labels, 1)]
    turned = frame[list(found.columns)].to_numpy(np.float64).T
    out = pd.DataFrame(
        turned, index=pd.DatetimeIndex(found.times, name="time"), columns=unique(names)
    )
    return out.sort_index()


def unique(names: Sequence[str]) -> list[str]:
    """Names with ".1", ".2" … after those that occur before, as pandas does it."""
    seen: dict[str, int] = {}
    taken = set(names)
    out: list[str] = []
    for name in names:
        if name not in seen:
            seen[name] = 0
            out.append(name)
            continue
        while True:
            seen[name] += 1
            candidate = f"{name}.{seen[name]}"
            if candidate not in taken:
                break
        taken.add(candidate)
        out.append(candidate)
    return out

"""What is worth saying about columns once they are read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.csv.findings import Finding, Remedy, note, quoted, warning
from gruviz.csv.reading import PIVOT, TRANSPOSE, Overrides, Reading
from gruviz.csv.table import CONSTANT, COUNTER, EMPTY, IDENTIFIER, NUMBER, PLACES, TIME, WORDS
from gruviz.words import N_

Floats = npt.NDArray[np.float64]

FEW_ROWS, SHORT = 100, 500
MOSTLY_MISSING = 0.5
EXACT = 2.0**53
DAY = 86_400.0


def kind_of(values: Floats, id_share: float = 2.0) -> str:
    """What a column of numbers that tells no time is good for.

    Whole numbers are an identifier if at least `id_share` of them are distinct: by the name.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return EMPTY
    if known.min() == known.max():
        return CONSTANT
    with np.errstate(over="ignore", invalid="ignore"):
        whole = bool((known == np.floor(known)).all())
        if whole and np.abs(known).max() > EXACT:
            distinct = len(np.unique(known)) > 0.9 * len(known)
            return IDENTIFIER if distinct else NUMBER
        steps = np.diff(known)
        if whole and len(steps) > 1 and (steps == steps[0]).all() and abs(steps[0]) == 1:
            return COUNTER
    if whole and len(np.unique(known)) >= id_share * len(known):
        return IDENTIFIER
    return NUMBER


def about_columns(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Iterator[Finding]:
    """What is worth saying about columns, kind by kind."""
    of = {
        kind: [name for name, each in kinds.items() if each == kind] for kind in set(kinds.values())
    }
    if names := of.get(EMPTY):
        yield warning(
            "empty-columns",
            N_("Column {names} holds nothing."),
            N_("Columns {names} hold nothing."),
            count=len(names),
            names=quoted(names),
        )
    if names := of.get(CONSTANT):
        yield warning(
            "constant-columns",
            N_(
                "Column {names} never changes: there is nothing to learn from it, and it can't be"
                " standardised."
            ),
            N_(
                "Columns {names} never change: there is nothing to learn from them, and they can't be"
                " standardised."
            ),
            count=len(names),
            names=quoted(names),
        )
    if names := of.get(COUNTER):
        yield note(
            "counter",
            N_("Column {names} only counts the rows; it is no measurement."),
            N_("Columns {names} only count the rows; they are no measurements."),
            count=len(names),
            names=quoted(names),
        )
    if names := of.get(IDENTIFIER):
        yield note(
            "identifier",
            N_("Column {names} tells things apart; its numbers measure nothing."),
            N_("Columns {names} tell things apart; their numbers measure nothing."),
            count=len(names),
            names=quoted(names),
        )
    if names := of.get(WORDS):
        constant = [name for name in names if _says_the_same(frame[name])]
        yield note(
            "words",
            N_("Column {names} holds words."),
            N_("Columns {names} hold words."),
            count=len(names),
            names=quoted(names),
        )
        if constant:
            yield note(
                "constant-words",
                N_("Column {names} says the same in every row."),
                N_("Columns {names} say the same in every row."),
                count=len(constant),
                names=quoted(constant),
            )
    large = [
        name
        for name, kind in kinds.items()
        if kind in (NUMBER, IDENTIFIER) and _beyond_exact(frame[name].to_numpy())
    ]
    if large:
        yield warning(
            "precision",
            N_(
                "The whole numbers in column {names} have more than 15 digits; the last ones are lost."
            ),
            N_(
                "The whole numbers in columns {names} have more than 15 digits; the last ones are lost."
            ),
            count=len(large),
            names=quoted(large),
        )


def _says_the_same(words: pd.Series) -> bool:
    first = words.iloc[0]
    return bool(words.isna().all() if pd.isna(first) else (words == first).all())


def _beyond_exact(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return bool(np.abs(known).max() > EXACT and (known == np.floor(known)).all())


def about_missing(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Iterator[Finding]:
    """Columns and stretches of rows with hardly a value."""
    numbers = [name for name, kind in kinds.items() if kind in (NUMBER, CONSTANT)]
    if not numbers:
        return
    gone = frame[numbers].isna().to_numpy()
    share = gone.mean(axis=0)
    sparse = [
        f"{name} ({each:.0%})"
        for name, each in zip(numbers, share, strict=True)
        if each > MOSTLY_MISSING
    ]
    if sparse:
        yield warning(
            "mostly-missing",
            N_("More than half of column {names} is missing."),
            N_("More than half of columns {names} is missing."),
            count=len(sparse),
            names=quoted(sparse),
        )
    whole: npt.NDArray[np.bool_] = np.all(gone, axis=1)
    full = np.flatnonzero(~whole)
    if not len(full) or not whole.any():
        return
    last, first = len(whole) - 1 - full[-1], full[0]
    if last:
        remedy = Remedy(N_("Leave these rows out"), Overrides(footer=int(last)))
        yield warning(
            "empty-end",
            N_("The last row holds no number at all."),
            N_(
                "The last {count:,} rows hold no number at all, as if the export ran ahead of the data."
            ),
            count=int(last),
            remedies=(remedy,),
        )
    if first:
        yield note(
            "empty-start",
            N_("The first row holds no number at all."),
            N_("The first {count:,} rows hold no number at all."),
            count=int(first),
        )
    inside = int(whole.sum()) - int(last) - int(first)
    if inside:
        yield note(
            "empty-rows",
            N_("One row within the table holds no number at all."),
            N_("{count:,} rows within the table hold no number at all."),
            count=inside,
        )


def about_exchange(columns: Mapping[str, Floats]) -> Iterator[Finding]:
    """Two neighbouring columns of very different size that change places inside the file."""
    names = list(columns)[:40]
    for one, other in pairwise(names):
        a, b = columns[one], columns[other]
        with np.errstate(all="ignore"):
            ratio = np.log10(a) - np.log10(b)
        known = np.flatnonzero(np.isfinite(ratio))
        if len(known) < 100 or len(known) < 0.9 * len(a):
            continue
        sign = ratio[known] > 0
        turns = np.flatnonzero(np.diff(sign.astype(np.int8)))
        if not len(turns):
            continue
        best = max(
            turns[:: max(1, len(turns) // 50)],
            key=lambda turn: abs(sign[: turn + 1].mean() - sign[turn + 1 :].mean()),
        )
        before, after = ratio[known[: best + 1]], ratio[known[best + 1 :]]
        if min(len(before), len(after)) < 20:
            continue
        left, right = np.median(before), np.median(after)
        steady = min(
            (np.sign(before) == np.sign(left)).mean(), (np.sign(after) == np.sign(right)).mean()
        )
        # Each takes over the size of the other.
        with np.errstate(all="ignore"):
            taken = np.nanmedian(np.log10(a[: known[best] + 1])) - np.nanmedian(
                np.log10(b[known[best] + 1 :])
            )
        if left * right < 0 and min(abs(left), abs(right)) > 1 and steady > 0.98 and abs(taken) < 1:
            yield warning(
                "exchanged-columns",
                N_(
                    "Columns {one!r} and {other!r} seem to change places in row {row:,}: the larger one"
                    " becomes the smaller."
                ),
                one=one[:40],
                other=other[:40],
                row=int(known[best]) + 2,
            )


def about_size(rows: int) -> Iterator[Finding]:
    """How little there is to learn from."""
    if rows < FEW_ROWS:
        yield warning(
            "few-rows",
            N_("There is only {count} row: too few to learn much from."),
            N_("There are only {count} rows: too few to learn much from."),
            count=rows,
        )
    elif rows < SHORT:
        yield note(
            "short-series",
            N_("A short series ({count} row): keep the network small."),
            N_("A short series ({count} rows): keep the network small."),
            count=rows,
        )


def about_marks(
    counts: Mapping[str, Counter[str]], sentinels: Mapping[str, Mapping[str, int]], reading: Reading
) -> Iterator[Finding]:
    """What stands for a missing value, mark by mark: said, never silently."""
    totals: Counter[str] = Counter()
    for found in counts.values():
        totals.update(found)
    where = {mark: [name for name, found in counts.items() if found[mark]] for mark in totals}
    if empty := totals.pop("", 0):
        yield note(
            "empty-cells",
            N_("One cell in columns of numbers is empty and counts as missing."),
            N_("{count:,} cells in columns of numbers are empty and count as missing."),
            count=empty,
        )
    for mark, count in totals.most_common(8):
        yield note(
            "missing-marks",
            N_("{mark!r} stands for a missing value in one cell (column {names})."),
            N_("{mark!r} stands for a missing value in {count:,} cells (column {names})."),
            count=count,
            mark=mark[:20],
            names=quoted(where[mark]),
        )
    by_code: dict[str, dict[str, int]] = {}
    for name, codes in sentinels.items():
        for code, count in codes.items():
            by_code.setdefault(code, {})[name] = count
    for code, columns in by_code.items():
        kept = tuple(pair for pair in reading.missing_in or () if pair[1] != code)
        yield warning(
            "sentinel",
            N_("{code} stands for a missing value in one cell of {names}."),
            N_("{code} stands for a missing value in {count:,} cells of {names}."),
            count=sum(columns.values()),
            code=code,
            names=quoted(columns),
            remedies=(
                Remedy(N_("Read {code} as a number"), Overrides(missing_in=kept), {"code": code}),
            ),
        )


def about_perhaps(perhaps: Mapping[str, Sequence[float]], reading: Reading) -> Iterator[Finding]:
    """Numbers that may stand for a missing value, but are read as numbers."""
    for name, codes in perhaps.items():
        pairs = (*(reading.missing_in or ()), *((name, f"{code:g}") for code in codes))
        values = {"code": f"{codes[0]:g}"}
        yield note(
            "perhaps-missing",
            N_(
                "{code} is the only negative number in column {name!r} and may stand for a missing"
                " value; it is read as a number."
            ),
            code=f"{codes[0]:g}",
            name=name[:40],
            remedies=(Remedy(N_("Read {code} as missing"), Overrides(missing_in=pairs), values),),
        )


def about_wide(columns: Sequence[str], frame: pd.DataFrame) -> Iterator[Finding]:
    """Time along the columns."""
    yield warning(
        "wide-panel",
        N_(
            "Time runs along the columns, from {first!r} to {last!r}, and each of the {rows:,} rows is a"
            " series: read as it stands, the rows would be taken for time."
        ),
        first=columns[0],
        last=columns[-1],
        rows=len(frame),
        remedies=(Remedy(N_("Turn rows into columns"), Overrides(reshape=TRANSPOSE)),),
    )
    steps = np.diff(frame[list(columns)].to_numpy(np.float64), axis=1)
    known = np.isfinite(steps)
    falls = ((steps < 0) & known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    if (falls < 0.02).mean() > 0.8 and (steps[known] > 0).any():
        yield note(
            "cumulative",
            N_(
                "The values of most rows never decrease: they look like totals so far, not like what is"
                " new."
            ),
        )


def about_grid(year: str, total: str) -> Iterator[Finding]:
    """A row per year and a column per month."""
    yield warning(
        "month-grid",
        N_(
            "Each row is a year ({year!r}) and each column a month: read as it stands, a row would be"
            " taken for one step in time."
        ),
        year=year[:40],
        remedies=(Remedy(N_("One row per month"), Overrides(reshape=TRANSPOSE)),),
    )
    if total:
        yield note(
            "year-total-column",
            N_("Column {name!r} holds the total or the mean of the twelve months; it is no month."),
            name=total[:40],
        )


def about_calendar(month: str, years: Sequence[str]) -> Iterator[Finding]:
    """A row per month and a column per year."""
    yield warning(
        "month-grid",
        N_(
            "Each row is a month ({month!r}) and each column a year, {first} to {last}: read as it"
            " stands, the years would be taken for series side by side."
        ),
        month=month[:40],
        first=years[0],
        last=years[-1],
        remedies=(Remedy(N_("One row per month"), Overrides(reshape=TRANSPOSE)),),
    )


def about_places(names: Sequence[str]) -> Iterator[Finding]:
    """Rows are places."""
    yield warning(
        PLACES,
        N_(
            "Each row is a place ({names}), not a time: there is no past in it to forecast from. Choose"
            " a table with a row for each time."
        ),
        names=quoted(names),
        remedies=(Remedy(N_("Take the rows for days all the same"), Overrides(step=DAY)),),
    )


def about_no_time(kinds: Mapping[str, str]) -> Iterator[Finding]:
    """No column tells the time of day or the date."""
    elapsed = [name for name, kind in kinds.items() if kind == TIME]
    if elapsed:
        yield note(
            "elapsed",
            N_("Column {names} counts the time from the start; it is no input."),
            names=quoted(elapsed),
        )
    else:
        yield note("no-time", N_("No column tells the time: rows are taken to be evenly spaced."))


def about_long(
    id: str, count: int, rows: int, values: Sequence[str], timed: bool
) -> Iterator[Finding]:
    """Series one below the other."""
    remedies = tuple(
        Remedy(
            N_("A column per series, of {value!r}"),
            Overrides(reshape=PIVOT, id=id, value=value),
            {"value": value[:40]},
        )
        for value in (values[:3] if timed else ())
    )
    yield warning(
        "long-panel",
        N_(
            "The file holds {count:,} series one below the other, told apart by {id!r}, of about"
            " {each:,} rows each: read as one series, the end of one would lead on to the next."
        ),
        count=count,
        id=id[:40],
        each=rows // count,
        remedies=remedies,
    )

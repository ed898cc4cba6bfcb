"""What is worth saying about columns and times once they are read."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.data.csv.findings import Finding, Remedy, note, quoted, warning
from gruviz.data.csv.reading import AS_IN_FILE, BY_TIME, PIVOT, TRANSPOSE, Overrides, Reading
from gruviz.data.csv.table import CONSTANT, COUNTER, EMPTY, IDENTIFIER, NUMBER, TIME, WORDS
from gruviz.data.csv.times import Clock, Times
from gruviz.words import N_

Floats = npt.NDArray[np.float64]

FEW_ROWS, SHORT = 100, 500
MOSTLY_MISSING = 0.5
EXACT = 2.0**53
DAY = 86_400.0


def kind_of(values: Floats, *, named_as_id: bool) -> str:
    """What a column of numbers that tells no time is good for."""
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
    if whole and named_as_id and len(np.unique(known)) > 0.95 * len(known):
        return IDENTIFIER
    return NUMBER


def about_columns(frame: pd.DataFrame, kinds: Mapping[str, str]) -> Iterator[Finding]:
    """What is worth saying about columns, kind by kind."""
    of = {
        kind: [name for name, each in kinds.items() if each == kind] for kind in set(kinds.values())
    }
    if names := of.get(EMPTY):
        yield warning(
            "empty-columns", N_("Column {names} holds nothing."), N_("Columns {names} hold nothing."),
            count=len(names), names=quoted(names),
        )  # fmt: skip
    if names := of.get(CONSTANT):
        yield warning(
            "constant-columns",
            N_("Column {names} never changes: there is nothing to learn from it, and it can't be"
               " standardised."),
            N_("Columns {names} never change: there is nothing to learn from them, and they can't be"
               " standardised."),
            count=len(names), names=quoted(names),
        )  # fmt: skip
    if names := of.get(COUNTER):
        yield note(
            "counter", N_("Column {names} only counts the rows; it is no measurement."),
            N_("Columns {names} only count the rows; they are no measurements."),
            count=len(names), names=quoted(names),
        )  # fmt: skip
    if names := of.get(IDENTIFIER):
        yield note(
            "identifier", N_("Column {names} tells things apart; its numbers measure nothing."),
            N_("Columns {names} tell things apart; their numbers measure nothing."),
            count=len(names), names=quoted(names),
        )  # fmt: skip
    if names := of.get(WORDS):
        constant = [name for name in names if frame[name].nunique(dropna=False) <= 1]
        yield note(
            "words", N_("Column {names} holds words."), N_("Columns {names} hold words."),
            count=len(names), names=quoted(names),
        )  # fmt: skip
        if constant:
            yield note(
                "constant-words", N_("Column {names} says the same in every row."),
                N_("Columns {names} say the same in every row."),
                count=len(constant), names=quoted(constant),
            )  # fmt: skip
    large = [
        name for name, kind in kinds.items()
        if kind in (NUMBER, IDENTIFIER) and _beyond_exact(frame[name].to_numpy())
    ]  # fmt: skip
    if large:
        yield warning(
            "precision",
            N_("The whole numbers in column {names} have more than 15 digits; the last ones are lost."),
            N_("The whole numbers in columns {names} have more than 15 digits; the last ones are lost."),
            count=len(large), names=quoted(large),
        )  # fmt: skip


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
            "mostly-missing", N_("More than half of column {names} is missing."),
            N_("More than half of columns {names} is missing."),
            count=len(sparse), names=quoted(sparse),
        )  # fmt: skip
    whole = gone.all(axis=1)
    full = np.flatnonzero(~whole)
    if not len(full) or not whole.any():
        return
    last, first = len(whole) - 1 - full[-1], full[0]
    if last:
        remedy = Remedy(N_("Leave these rows out"), Overrides(footer=int(last)))
        yield warning(
            "empty-end", N_("The last row holds no number at all."),
            N_("The last {count:,} rows hold no number at all, as if the export ran ahead of the data."),
            count=int(last), remedies=(remedy,),
        )  # fmt: skip
    if first:
        yield note(
            "empty-start", N_("The first row holds no number at all."),
            N_("The first {count:,} rows hold no number at all."), count=int(first),
        )  # fmt: skip
    inside = int(whole.sum()) - int(last) - int(first)
    if inside:
        yield note(
            "empty-rows", N_("One row within the table holds no number at all."),
            N_("{count:,} rows within the table hold no number at all."), count=inside,
        )  # fmt: skip


def about_exchange(columns: Mapping[str, Floats]) -> Iterator[Finding]:
    """Two neighbouring columns of very different size that change places inside the file."""
    names = list(columns)[:40]
    for one, other in zip(names, names[1:], strict=False):
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
                N_("Columns {one!r} and {other!r} seem to change places in row {row:,}: the larger one"
                   " becomes the smaller."),
                one=one[:40], other=other[:40], row=int(known[best]) + 2,
            )  # fmt: skip


def about_size(rows: int) -> Iterator[Finding]:
    """How little there is to learn from."""
    if rows < FEW_ROWS:
        yield warning(
            "few-rows", N_("There is only {count} row: too few to learn much from."),
            N_("There are only {count} rows: too few to learn much from."), count=rows,
        )  # fmt: skip
    elif rows < SHORT:
        yield note(
            "short-series", N_("A short series ({count} row): keep the network small."),
            N_("A short series ({count} rows): keep the network small."), count=rows,
        )  # fmt: skip


def step_words(seconds: float) -> str:
    """A length of time as people say it: "15 min", "1 h", "7 d"."""
    for size, name in ((DAY, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")):
        if seconds >= size:
            return f"{seconds / size:.4g} {name}"
    return f"{seconds * 1000:.4g} ms"


def about_clock(clock: Clock) -> Iterator[Finding]:
    """How the time was found and read."""
    names = quoted(clock.columns)
    if len(clock.columns) > 1:
        yield note("time-joined", N_("Columns {names} tell the time together."), names=names)
    elif clock.columns:
        yield note("time", N_("Column {names} tells the time; it is no input."), names=names)
    if clock.other and clock.proof == "default":
        yield warning(
            "ambiguous-dates",
            N_("The dates in {names} can be read day first or month first; they are read as"
               " {format}."),
            names=names, format=clock.format,
            remedies=(
                Remedy(N_("Read them as {format}"), Overrides(time=clock.columns, time_format=clock.other),
                       {"format": clock.other}),
            ),
        )  # fmt: skip
    elif clock.other:
        yield note(
            "dates-by-order",
            N_("The dates in {names} can be read day first or month first; only as {format} do they go"
               " on evenly."),
            names=names, format=clock.format,
            remedies=(
                Remedy(N_("Read them as {format}"), Overrides(time=clock.columns, time_format=clock.other),
                       {"format": clock.other}),
            ),
        )  # fmt: skip
    elif "%d" in clock.format and "%m" in clock.format and clock.format[:2] != "%Y":
        first = clock.format.find("%d") < clock.format.find("%m")
        text = (
            N_("Dates are day first ({format}).")
            if first
            else N_("Dates are month first ({format}).")
        )
        yield note("day-first" if first else "month-first", text, format=clock.format)
    if clock.zone:
        yield note("zone", N_("Times are in {zone}."), zone=clock.zone)
    if clock.unread:
        yield warning(
            "unread-times", N_("One cell of {names} is no time; its row is kept without one."),
            N_("{count:,} cells of {names} are no times; their rows are kept without one."),
            count=clock.unread, names=names,
        )  # fmt: skip


def about_order(times: Times, overrides: Overrides) -> Iterator[Finding]:
    """Newest first, out of order; `times` as they stand in the file."""
    known = times[~np.isnat(times)]
    steps = np.diff(known).astype(np.int64)
    if not len(steps) or not (steps < 0).any():
        return
    kept = overrides.order == AS_IN_FILE
    remedy = (
        Remedy(N_("Put them in order"), Overrides(order=BY_TIME))
        if kept
        else Remedy(N_("Keep the file's order"), Overrides(order=AS_IN_FILE))
    )
    if (steps <= 0).all():
        text = (
            N_("The newest row comes first; it is kept that way, so the past is forecast.")
            if kept
            else N_(
                "The newest row comes first; the columns are turned around, so time runs forward."
            )
        )
        yield note("newest-first", text, remedies=(remedy,))
    else:
        yield warning(
            "unordered",
            N_("Once the time goes back from one row to the next; the columns are put in order."),
            N_("{count:,} times the time goes back from one row to the next; the columns are put in"
               " order."),
            count=int(min((steps < 0).sum(), (steps > 0).sum())), remedies=(remedy,),
        )  # fmt: skip


def about_steps(times: Times) -> Iterator[Finding]:
    """Repeated times, gaps, clock changes, uneven steps; `times` in order."""
    known = times[~np.isnat(times)]
    steps = np.diff(known).astype(np.int64) / 1e6
    if len(steps) < 3:
        return
    repeated = np.flatnonzero(steps == 0)
    onward = steps[steps > 0]
    if not len(onward):
        return
    sizes, counts = np.unique(onward, return_counts=True)
    usual, share = float(sizes[counts.argmax()]), float(counts.max() / len(onward))
    calendar = _calendar_step(known)
    gaps = np.flatnonzero(steps > 1.5 * usual)
    nights = 0
    if usual <= 3600 and share > 0.9:
        # Short of a missing or doubled hour, at most.
        nights = _clock_changes(known[repeated]) + _clock_changes(
            known[gaps[steps[gaps] <= 3600 + usual]]
        )
        late = np.flatnonzero((steps > 1.1 * usual) & (steps <= 1.5 * usual))
        nights += _clock_changes(known[late])
    if len(repeated):
        yield warning(
            "repeated-times", N_("One time occurs twice (the first: {first})."),
            N_("{count:,} times occur more than once (the first: {first})."),
            count=len(repeated), first=str(known[repeated[0]])[:19].replace("T", " "),
        )  # fmt: skip
    if calendar:
        lacking, unit = calendar
        if lacking:
            yield warning(
                "gaps", N_("{count:,} {unit} is missing: rows go on as if it didn't exist."),
                N_("{count:,} {unit} are missing: rows go on as if they didn't exist."),
                count=lacking, unit=unit,
            )  # fmt: skip
    elif _working_days(known, usual):
        yield note("working-days", N_("Rows are working days: weekends are left out, not missing."))
    elif share < 0.8:
        yield warning(
            "irregular",
            N_("The rows aren't evenly spaced in time: steps go from {least} to {most}, half are longer"
               " than {middle}. The network sees them as if they were."),
            least=step_words(float(onward.min())), most=step_words(float(onward.max())),
            middle=step_words(float(np.median(onward))),
        )  # fmt: skip
    elif len(gaps):
        lost = float(np.sum(np.round(steps[gaps] / usual) - 1))
        yield warning(
            "gaps",
            N_("One step is longer than the usual {step} (rows lacking: {lost:,.0f}; the longest gap"
               " is {longest}, after {after})."),
            N_("{count:,} steps are longer than the usual {step} (rows lacking: {lost:,.0f}; the"
               " longest gap is {longest}, after {after})."),
            count=len(gaps), step=step_words(usual), lost=lost,
            longest=step_words(float(steps[gaps].max())),
            after=str(known[gaps[steps[gaps].argmax()]])[:19].replace("T", " "),
        )  # fmt: skip
    if nights:
        yield note(
            "clock-change",
            N_("One of these lies in a night in which the clocks change: times are those of a local"
               " clock."),
            N_("{count:,} of these lie in nights in which the clocks change: times are those of a local"
               " clock."),
            count=nights,
        )  # fmt: skip


def _working_days(known: Times, usual: float) -> bool:
    """Whether times are days with hardly a Saturday or Sunday among them."""
    if usual != DAY or len(known) < 10:
        return False
    week = pd.DatetimeIndex(known).day_of_week
    steps = np.diff(known).astype(np.int64) / 1e6
    return bool((week >= 5).mean() < 0.02 and (steps <= 5 * DAY).mean() > 0.98)


def _calendar_step(known: Times) -> tuple[int, str] | None:
    """How many months or years are lacking, where rows are a month, a quarter or a year apart."""
    months = known.astype("datetime64[M]")
    within = (known - months).astype(np.int64)
    days = within // (86_400 * 1_000_000)
    if within.max() != within.min() and not (days >= 27).all():
        return None
    steps = np.diff(months.astype(np.int64))
    steps = steps[steps > 0]
    if not len(steps):
        return None
    sizes, counts = np.unique(steps, return_counts=True)
    usual = int(sizes[counts.argmax()])
    if counts.max() < 0.8 * len(steps):
        return None
    lacking = int(sum(round(step / usual) - 1 for step in steps if step > usual))
    return lacking, {1: "months", 3: "quarters", 12: "years"}.get(usual, f"× {usual} months")


def _clock_changes(times: Times) -> int:
    """How many of some times lie within hours of a Sunday on which clocks change somewhere."""
    index = pd.DatetimeIndex(times)
    early = index.hour <= 3
    sunday = index.day_of_week == 6
    day, month = index.day, index.month
    europe = ((month == 3) | (month == 10)) & (day >= 25)
    america = ((month == 3) & (day >= 8) & (day <= 14)) | ((month == 11) & (day <= 7)) | (
        (month == 4) & (day <= 7)
    )  # fmt: skip
    return int((early & sunday & (europe | america)).sum())


def about_marks(
    counts: Mapping[str, Counter[str]], sentinels: Mapping[str, Mapping[str, int]],
    reading: Reading,
) -> Iterator[Finding]:  # fmt: skip
    """What stands for a missing value, mark by mark: said, never silently."""
    totals: Counter[str] = Counter()
    for found in counts.values():
        totals.update(found)
    where = {mark: [name for name, found in counts.items() if found[mark]] for mark in totals}
    if empty := totals.pop("", 0):
        yield note(
            "empty-cells", N_("One cell in columns of numbers is empty and counts as missing."),
            N_("{count:,} cells in columns of numbers are empty and count as missing."), count=empty,
        )  # fmt: skip
    for mark, count in totals.most_common(8):
        yield note(
            "missing-marks", N_("{mark!r} stands for a missing value in one cell (column {names})."),
            N_("{mark!r} stands for a missing value in {count:,} cells (column {names})."),
            count=count, mark=mark[:20], names=quoted(where[mark]),
        )  # fmt: skip
    by_code: dict[str, dict[str, int]] = {}
    for name, codes in sentinels.items():
        for code, count in codes.items():
            by_code.setdefault(code, {})[name] = count
    for code, columns in by_code.items():
        kept = tuple(pair for pair in reading.missing_in or () if pair[1] != code)
        yield warning(
            "sentinel", N_("{code} stands for a missing value in one cell of {names}."),
            N_("{code} stands for a missing value in {count:,} cells of {names}."),
            count=sum(columns.values()), code=code, names=quoted(columns),
            remedies=(
                Remedy(N_("Read {code} as a number"), Overrides(missing_in=kept), {"code": code}),
            ),
        )  # fmt: skip


def about_perhaps(perhaps: Mapping[str, Sequence[float]], reading: Reading) -> Iterator[Finding]:
    """Numbers that may stand for a missing value, but are read as numbers."""
    for name, codes in perhaps.items():
        pairs = (*(reading.missing_in or ()), *((name, f"{code:g}") for code in codes))
        yield note(
            "perhaps-missing",
            N_("{code} is the only negative number in column {name!r} and may stand for a missing value;"
               " it is read as a number."),
            code=f"{codes[0]:g}", name=name[:40],
            remedies=(
                Remedy(N_("Read {code} as missing"), Overrides(missing_in=pairs), {"code": f"{codes[0]:g}"}),
            ),
        )  # fmt: skip


def about_wide(columns: Sequence[str], rows: int, growing: bool) -> Iterator[Finding]:
    """Time along the columns."""
    yield warning(
        "wide-panel",
        N_("Time runs along the columns, from {first!r} to {last!r}, and each of the {rows:,} rows is a"
           " series: read as it stands, the rows would be taken for time."),
        first=columns[0], last=columns[-1], rows=rows,
        remedies=(Remedy(N_("Turn rows into columns"), Overrides(reshape=TRANSPOSE)),),
    )  # fmt: skip
    if growing:
        yield note(
            "cumulative",
            N_("The values of most rows never decrease: they look like totals so far, not like what is"
               " new."),
        )  # fmt: skip


def about_long(
    id: str, count: int, rows: int, values: Sequence[str], timed: bool
) -> Iterator[Finding]:
    """Series one below the other."""
    remedies = tuple(
        Remedy(
            N_("A column per series, of {value!r}"), Overrides(reshape=PIVOT, id=id, value=value),
            {"value": value[:40]},
        )
        for value in (values[:3] if timed else ())
    )  # fmt: skip
    yield warning(
        "long-panel",
        N_("The file holds {count:,} series one below the other, told apart by {id!r}, of about"
           " {each:,} rows each: read as one series, the end of one would lead on to the next."),
        count=count, id=id[:40], each=rows // count, remedies=remedies,
    )  # fmt: skip


__all__ = [
    "TIME", "about_clock", "about_columns", "about_exchange", "about_long", "about_marks",
    "about_missing", "about_order", "about_perhaps", "about_size", "about_steps", "about_wide",
    "kind_of", "step_words",
]  # fmt: skip

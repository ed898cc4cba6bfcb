"""What is worth saying about times: how they were read, their order, gaps, repeats, clock changes."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from gruviz.csv.findings import Finding, Remedy, note, quoted, warning
from gruviz.csv.formats import Times
from gruviz.csv.reading import AS_IN_FILE, BY_TIME, Overrides
from gruviz.csv.times import Clock
from gruviz.words import N_

DAY = 86_400.0


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
    swap: tuple[Remedy, ...] = ()
    if clock.other:
        other = Overrides(time=clock.columns, time_format=clock.other)
        swap = (Remedy(N_("Read them as {format}"), other, {"format": clock.other}),)
    if clock.other and clock.proof == "default":
        yield warning(
            "ambiguous-dates",
            N_(
                "The dates in {names} can be read day first or month first; they are read as"
                " {format}."
            ),
            names=names,
            format=clock.format,
            remedies=swap,
        )
    elif clock.other:
        yield note(
            "dates-by-order",
            N_(
                "The dates in {names} can be read day first or month first; only as {format} do they go"
                " on evenly."
            ),
            names=names,
            format=clock.format,
            remedies=swap,
        )
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
            "unread-times",
            N_("One cell of {names} is no time; its row is kept without one."),
            N_("{count:,} cells of {names} are no times; their rows are kept without one."),
            count=clock.unread,
            names=names,
        )


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
            N_(
                "{count:,} times the time goes back from one row to the next; the columns are put in"
                " order."
            ),
            count=int(min((steps < 0).sum(), (steps > 0).sum())),
            remedies=(remedy,),
        )


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
            "repeated-times",
            N_("One time occurs twice (the first: {first})."),
            N_("{count:,} times occur more than once (the first: {first})."),
            count=len(repeated),
            first=str(known[repeated[0]])[:19].replace("T", " "),
        )
    if calendar:
        lacking, unit = calendar
        if lacking:
            yield warning(
                "gaps",
                N_("{count:,} {unit} is missing: rows go on as if it didn't exist."),
                N_("{count:,} {unit} are missing: rows go on as if they didn't exist."),
                count=lacking,
                unit=unit,
            )
    elif _working_days(known, usual):
        yield note("working-days", N_("Rows are working days: weekends are left out, not missing."))
    elif share < 0.8:
        yield warning(
            "irregular",
            N_(
                "The rows aren't evenly spaced in time: steps go from {least} to {most}, half are longer"
                " than {middle}. The network sees them as if they were."
            ),
            least=step_words(float(onward.min())),
            most=step_words(float(onward.max())),
            middle=step_words(float(np.median(onward))),
        )
    elif len(gaps):
        lost = float(np.sum(np.round(steps[gaps] / usual) - 1))
        yield warning(
            "gaps",
            N_(
                "One step is longer than the usual {step} (rows lacking: {lost:,.0f}; the longest gap"
                " is {longest}, after {after})."
            ),
            N_(
                "{count:,} steps are longer than the usual {step} (rows lacking: {lost:,.0f}; the"
                " longest gap is {longest}, after {after})."
            ),
            count=len(gaps),
            step=step_words(usual),
            lost=lost,
            longest=step_words(float(steps[gaps].max())),
            after=str(known[gaps[steps[gaps].argmax()]])[:19].replace("T", " "),
        )
    if nights:
        yield note(
            "clock-change",
            N_(
                "One of these lies in a night in which the clocks change: times are those of a local"
                " clock."
            ),
            N_(
                "{count:,} of these lie in nights in which the clocks change: times are those of a local"
                " clock."
            ),
            count=nights,
        )


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
    america = (
        ((month == 3) & (day >= 8) & (day <= 14))
        | ((month == 11) & (day <= 7))
        | ((month == 4) & (day <= 7))
    )
    return int((early & sunday & (europe | america)).sum())

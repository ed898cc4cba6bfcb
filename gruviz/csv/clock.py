"""The time of each row: told by columns, by the first rows, by the lines above, or by the caller."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gruviz.csv import times
from gruviz.csv.columns import Columns
from gruviz.csv.findings import Finding, Remedy, note, warning
from gruviz.csv.formats import from_numbers, letter_before
from gruviz.csv.reading import Overrides
from gruviz.csv.records import Dialect
from gruviz.csv.times import Clock
from gruviz.errors import GruvizError
from gruviz.words import N_, _

LEAST_ROWS = 12
MOST_SECONDS = 2e11  # from the first row to the last, some 6,000 years
START = re.compile(
    r"(?:start|begin|from|beginn|début|inicio)[^\d]{0,40}(\d[\d.:/\- TZ]{7,40})", re.IGNORECASE
)
RATE = re.compile(r"(?:rate|freq|sampl|fs)[^\d]{0,40}(\d+(?:\.\d+)?)\s*(k?Hz)", re.IGNORECASE)


@dataclass(frozen=True)
class Start:
    """The time of the first row and the seconds from row to row, where no column tells the time."""

    time: str | None
    step: float | None


def start_in_rows(
    columns: Columns, dialect: Dialect, asked: Overrides, findings: list[Finding]
) -> Start | None:
    """Start and rate in the first two rows, as an Empatica wrist band writes them.

    The two rows are taken out of the columns.
    """
    overruled = asked.start is not None or asked.step is not None or asked.first is not None
    if overruled or dialect.header or columns.rows < LEAST_ROWS:
        return None
    values = [column.values for column in columns.numbers.values()]
    numbers = [column for column in values if column is not None]
    if len(numbers) < len(values):
        return None
    table = np.stack(numbers)
    begin, rate, rest = table[:, 0], table[:, 1], table[:, 2:]
    fits = (
        (begin == begin[0]).all()
        and 9e8 < begin[0] < 2.5e9
        and (rate == rate[0]).all()
        and 0 < rate[0] <= 10_000
        and np.abs(rest[np.isfinite(rest)]).max(initial=0.0) < begin[0] / 100
    )
    if not fits:
        return None
    columns.without_first(2)
    start = str(from_numbers(begin[:1], "unix s")[0])
    as_data = Overrides(first=dialect.first, time=())
    findings.append(
        warning(
            "start-and-rate",
            N_(
                "The first two rows are no data: they tell the start ({start}) and {rate:g} rows a"
                " second."
            ),
            start=start[:19].replace("T", " "),
            rate=float(rate[0]),
            remedies=(Remedy(N_("Read them as data"), as_data),),
        )
    )
    return Start(start, 1 / float(rate[0]))


def clock_of(
    columns: Columns,
    dialect: Dialect,
    asked: Overrides,
    start: Start | None,
    findings: list[Finding],
    tell: Callable[[], None] = lambda: None,
) -> Clock | None:
    """The time of each row; None if nothing tells it.

    Raises GruvizError if what the caller says about the time can't be.
    """
    if asked.time == ():
        return None
    # Who writes 1,5 or separates by semicolons mostly writes the day first.
    day_first = columns.marks.decimal == "," or dialect.separator == ";"
    if asked.time is not None:
        fields = [columns.field(name) for name in columns.known(asked.time)]
        return times.read(fields, asked.time_format, day_first=day_first)
    start = start or Start(asked.start, asked.step)
    if start.time is None and start.step is None:
        if len(columns.names) > 1:
            fields = [columns.field(name) for name in columns.names]
            found = times.find(fields, day_first=day_first, tell=tell)
            if found is not None and asked.time_format is not None:
                chosen = [columns.field(name) for name in found.columns]
                return times.read(chosen, asked.time_format, day_first=day_first)
            if found is not None:
                findings += _about_letter(columns, found)
                return found
        start = _start_above(dialect, findings)
    return _counted(start, columns.rows)


def _about_letter(columns: Columns, found: Clock) -> Iterator[Finding]:
    for name in found.columns:
        if columns.numbers[name].values is None and (letter := letter_before(columns.cells[name])):
            yield note(
                "letter-before",
                N_(
                    "Each cell of column {name!r} begins with {letter!r}; the time is what follows."
                ),
                name=name[:40],
                letter=letter,
            )


def _counted(start: Start, rows: int) -> Clock | None:
    """Times counted from the start by equal steps; None without a step."""
    if start.step is None:
        return None
    if rows * start.step > MOST_SECONDS:
        raise GruvizError(
            _(
                "{rows:,} rows, {step:g} seconds apart, are longer than time; choose a smaller step."
            ).format(rows=rows, step=start.step)
        )
    try:
        begin = np.datetime64(pd.Timestamp(start.time or "1970-01-01").tz_localize(None), "us")
        steps = (np.arange(rows) * start.step * 1e6).round().astype("timedelta64[us]")
        stamps = begin + steps
    except (ValueError, OverflowError, TypeError) as error:
        raise GruvizError(
            _("{start!r} is no time to start from; write it as 2024-01-31 12:00.").format(
                start=str(start.time)[:40]
            )
        ) from error
    return Clock((), "", stamps)


def _start_above(dialect: Dialect, findings: list[Finding]) -> Start:
    """Start and sampling rate in the lines above the table."""
    above = [", ".join(record.cells) for record in dialect.skipped]
    rate = next((match for line in above if (match := RATE.search(line))), None)
    if rate is None or not float(rate[1]):
        return Start(None, None)
    hertz = float(rate[1]) * (1000 if rate[2].lower() == "khz" else 1)
    written = next((match[1] for line in above if (match := START.search(line))), "")
    begin = pd.to_datetime(written.strip(" ,-"), errors="coerce") if written else pd.NaT
    time = "1970-01-01" if pd.isna(begin) else str(begin)
    findings.append(
        note(
            "rate-above",
            N_("The lines above the table tell the start ({start}) and {rate:g} rows a second."),
            start=time,
            rate=hertz,
        )
    )
    return Start(time, 1 / hertz)

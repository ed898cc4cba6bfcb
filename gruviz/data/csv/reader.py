"""From bytes to a table, step by step."""

import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gruviz.data.csv import checks, panels, sentinels, times
from gruviz.data.csv.body import Body, Progress, read_body
from gruviz.data.csv.cells import MARKS, TIMELY, common_kind
from gruviz.data.csv.dialect import Dialect, OpenQuoteError, refuse_other_kinds, sniff
from gruviz.data.csv.encoding import MAX_BYTES, Text, decode
from gruviz.data.csv.findings import Finding, Remedy, note, quoted, warning
from gruviz.data.csv.numbers import Column, Marks, convert, looked_at, marks_of
from gruviz.data.csv.reading import AS_IN_FILE, BY_TIME, PIVOT, TRANSPOSE, Overrides, Reading
from gruviz.data.csv.table import COUNTER, EMPTY, IDENTIFIER, NUMBER, TIME, WORDS, Table
from gruviz.data.csv.times import Clock, Field
from gruviz.errors import GruvizError
from gruviz.words import N_, _, n_

MAX_COLUMNS = 200  # to choose from
MAX_ROWS = 500_000
MAX_NAME = 200
MIN_ROWS = 10

Floats = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]

ID_NAME = re.compile(
    r"(?:^|[_\s\-.])(?:id|index|idx|nr|no|code|key|uuid|plz|zip|postcode)\.?$|^(?:id|index|unnamed)"
    r"|^(?:№|#|编号|序号)$|[a-z]ID$",
    re.IGNORECASE,
)
START = re.compile(
    r"(?:start|begin|from|beginn|début|inicio)[^\d]{0,40}(\d[\d.:/\- TZ]{7,40})", re.IGNORECASE
)
RATE = re.compile(r"(?:rate|freq|sampl|fs)[^\d]{0,40}(\d+(?:\.\d+)?)\s*(k?Hz)?", re.IGNORECASE)


def read_csv(
    source: bytes | str | os.PathLike[str],
    reading: Overrides | None = None,
    *,
    name: str | None = None,
    progress: Progress | None = None,
    **changes: Any,
) -> Table:
    """The table in a file, given by its path or its bytes.

    Everything is decided by evidence and told in `table.reading`. What is decided wrongly is
    overruled by `reading`, or by its parts as keywords, such as `separator=";"`, `header=3`.
    `progress` is called with a share from 0 to 1 and a word on what is being done.

    Raises GruvizError, one sentence with the reason and the remedy, for whatever is no table or
    holds nothing to learn from.
    """
    overrides = (reading or Overrides()) | Overrides.of(**changes)
    content, name = _content(source, name)
    _tell(progress, 0.0, _("Finding out the encoding…"))
    text = decode(content, overrides)
    refuse_other_kinds(text.text)
    lines = text.text.split("\n")
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    if len(lines) > MAX_ROWS:
        raise GruvizError(
            _("This file has {count:,} lines; keep at most {most:,} and upload it again.").format(
                count=len(lines), most=MAX_ROWS
            )
        )
    # Whether the last line ends: one that doesn't may have been cut off.
    whole = text.text.endswith("\n")
    _tell(progress, 0.1, _("Finding out the columns…"))
    lines = _unwrapped(lines)
    dialect, body = _rows(lines, overrides, progress, whole=whole)
    _tell(progress, 0.6, _("Reading the numbers…"))
    table = _Maker(text, dialect, body, overrides, name, hashlib.sha256(content).hexdigest()).make(
        progress
    )
    _tell(progress, 1.0, _("Done."))
    return table


def _unwrapped(lines: list[str]) -> list[str]:
    """Lines without the quotes that a spreadsheet puts around each whole line of a CSV."""
    some = [line.strip() for line in lines[:100] if line.strip()]
    if not all(len(line) > 2 and line[0] == line[-1] == '"' for line in some):
        return lines
    rows = [next(csv.reader([line])) for line in some]
    if not all(len(row) == 1 and re.search("[,;\t]", row[0]) for row in rows):
        return lines
    return [line.strip()[1:-1].replace('""', '"') if line.strip() else "" for line in lines]


def _tell(progress: Progress | None, share: float, what: str) -> None:
    if progress is not None:
        progress(share, what)


def _content(source: bytes | str | os.PathLike[str], name: str | None) -> tuple[bytes, str]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), name if name is not None else "data"
    path = Path(source)
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b"\0" * (MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise GruvizError(
            _("The file {name!r} can't be opened; check its name and place.").format(
                name=str(source)[:200]
            )
        ) from error
    if size > MAX_BYTES:
        raise GruvizError(
            _("This file has {size:.0f} MB; upload at most {most:.0f} MB.").format(
                size=size / 1e6, most=MAX_BYTES / 1e6
            )
        )
    return content, name if name is not None else path.name


def _rows(
    lines: Sequence[str], overrides: Overrides, progress: Progress | None, *, whole: bool
) -> tuple[Dialect, Body]:
    """The dialect and the rows; quotes are read as letters where one of them never closes."""

    def share(done: float, what: str) -> None:
        _tell(progress, 0.1 + 0.5 * done, what)

    dialect = sniff(lines, overrides)
    try:
        return dialect, read_body(lines, dialect, overrides, share, whole=whole)
    except OpenQuoteError as error:
        line = error.line
    plain = replace(overrides, quote="")
    dialect = replace(sniff(lines, plain), own_quotes=False)
    try:
        return dialect, read_body(lines, dialect, plain, share, whole=whole)
    except (GruvizError, OpenQuoteError) as error:
        raise GruvizError(
            _(
                "This file can't be read as a table: a quote opens in line {line} and never closes."
                " Close it, or take it out."
            ).format(line=line)
        ) from error


@dataclass
class _Maker:
    """What a table is made of, on its way."""

    text: Text
    dialect: Dialect
    body: Body
    overrides: Overrides
    name: str
    digest: str

    def make(self, progress: Progress | None) -> Table:
        """The table. Raises GruvizError if it holds nothing to learn from."""
        self.findings: list[Finding] = [*self.text.findings]
        self._about_lines()
        self._check_rows(self.body.rows)
        names, columns, units = self._names()
        samples = looked_at(columns)
        self.marks = self._marks(samples)
        missing = MARKS
        if self.overrides.missing is not None:
            missing = frozenset({"", *(mark.strip().lower() for mark in self.overrides.missing)})
        as_text = set(self._known(self.overrides.text or (), names))
        self.missing = missing
        self.converted: dict[str, Column] = {}
        for place, (name, column, cells) in enumerate(zip(names, columns, samples, strict=True)):
            self.converted[name] = (
                Column(None) if name in as_text else convert(column, cells, self.marks, missing)
            )
            if place % 20 == 0:
                _tell(progress, 0.6 + 0.2 * place / len(names), _("Reading the numbers…"))
        self.texts = dict(zip(names, columns, strict=True))
        self.cells = dict(zip(names, samples, strict=True))
        start, step, first = self._start_in_rows(names)
        _tell(progress, 0.8, _("Reading the times…"))
        clock = self._clock(names, start, step)
        codes, perhaps = self._sentinels(names, clock)
        frame = self._frame(names, clock)
        wide = panels.wide(names, [n for n in names if self.converted[n].values is not None])
        if wide is not None and self.overrides.time is None:
            clock = None
            frame.index = pd.RangeIndex(len(frame))
        kinds = self._kinds(frame, clock, wide)
        long = None if wide is not None else self._long(frame, kinds, clock)
        if long is not None and kinds[long.id] != WORDS:
            kinds[long.id] = IDENTIFIER
        if long is not None and long.counter:
            kinds[long.counter] = COUNTER
        layout = "wide" if wide else "long" if long else "rows"
        reading = self._reading(clock, codes, units, layout, start, step, first)
        if long is not None:
            reading = replace(reading, id=long.id)
        _tell(progress, 0.9, _("Looking at what was read…"))
        self._about_cells(names, codes, perhaps, reading)
        table = Table(
            self.name, self.digest, frame, {}, None, np.arange(len(frame)), None, kinds, reading, (),
            self.overrides,
        )  # fmt: skip
        return self._finished(table, clock, wide, long)

    # -- lines -------------------------------------------------------------------------------------

    def _about_lines(self) -> None:
        dialect, say = self.dialect, self.findings.append
        if dialect.skipped:
            text = " ".join(cell for cell in dialect.skipped[0].cells if cell.strip())[:60]
            say(note("preamble", N_("Line {line} above the table ({text!r}) is skipped."),
                     N_("{count} lines above the table (the first: {text!r}) are skipped."),
                     count=len(dialect.skipped), line=dialect.skipped[0].line, text=text))  # fmt: skip
        if dialect.comments > 0:
            say(note("comments", N_("One line is a comment ({mark})."),
                     N_("{count} lines are comments ({mark})."),
                     count=dialect.comments, mark=dialect.comment))  # fmt: skip
        if not dialect.header:
            say(warning("no-header", N_("No line names the columns; they are numbered."),
                        remedies=(Remedy(N_("Line {line} names them"),
                                         Overrides(header=(dialect.first,)),
                                         {"line": dialect.first}),)))  # fmt: skip
        if dialect.commented_header:
            say(note("header-in-comment", N_("The names of the columns stand in the comment of line"
                                             " {line}."), line=dialect.header[0]))  # fmt: skip
        if dialect.row_names:
            say(note("short-header", N_("The header has a name less than the rows have cells: the first"
                                        " column holds the rows' names.")))  # fmt: skip
        if dialect.trailing_separator:
            say(note("trailing-separator", N_("Each row ends with a separator; it is left out.")))
        if any(dialect.units):
            say(note("units", N_("The line under the names tells the units.")))
        if len(dialect.header) > 1 + any(dialect.units):
            say(note("many-headers", N_("{count} lines name the columns together."),
                     count=len(dialect.header) - any(dialect.units)))  # fmt: skip
        if not dialect.own_quotes:
            say(
                warning(
                    "open-quote", N_("A quote opens and never closes; quotes are read as letters.")
                )
            )
        self.findings += self.body.findings

    def _check_rows(self, rows: int) -> None:
        if not rows:
            raise GruvizError(
                _("This file has a header but no data rows; choose one with rows of numbers.")
            )
        if rows < MIN_ROWS:
            raise GruvizError(
                n_(
                    "This file has {count} data row; at least {least} are needed to learn from.",
                    "This file has {count} data rows; at least {least} are needed to learn from.",
                    rows,
                ).format(count=rows, least=MIN_ROWS)
            )

    def _names(self) -> tuple[list[str], list[pa.ChunkedArray], list[tuple[str, str]]]:
        """The columns, named one and all, without those that have neither name nor cells."""
        given = [re.sub(r"[\x00-\x1f\x7f]+", " ", name).strip() for name in self.dialect.names]
        given = [name[:MAX_NAME] for name in given]
        columns = [pc.utf8_trim_whitespace(column) for column in self.body.columns]
        numbered, kept, lost = [], [], 0
        for place, (name, column) in enumerate(zip(given, columns, strict=True)):
            if not name and self.dialect.header and not pc.any(pc.not_equal(column, "")).as_py():
                lost += 1
                continue
            plain = _("row") if place == 0 and self.dialect.row_names else f"column {place + 1}"
            numbered.append(name or plain)
            kept.append(place)
        if lost:
            self.findings.append(
                note("unnamed-empty", N_("One column has neither a name nor a cell; it is left out."),
                     N_("{count} columns have neither a name nor a cell; they are left out."),
                     count=lost)
            )  # fmt: skip
        names = panels.unique(numbered)
        same = [new for old, new in zip(numbered, names, strict=True) if old != new]
        if same:
            self.findings.append(
                note("equal-names", N_("Columns of equal names are told apart: {names}."),
                     names=quoted(same))
            )  # fmt: skip
        units = [
            (name, self.dialect.units[place])
            for name, place in zip(names, kept, strict=True)
            if place < len(self.dialect.units) and self.dialect.units[place]
        ]
        return names, [columns[place] for place in kept], units

    # -- cells -------------------------------------------------------------------------------------

    def _marks(self, samples: Sequence[Sequence[str]]) -> Marks:
        found = marks_of(samples, self.dialect.separator)
        asked = self.overrides
        if asked.decimal is not None:
            other = "," if asked.decimal == "." else "."
            thousands = found.thousands if found.thousands in ("'", " ") else ""
            doubtful_or_sure = found.decimal == other or found.thousands == other
            found = Marks(asked.decimal, thousands or (other if doubtful_or_sure else ""))
        if asked.thousands is not None:
            if asked.thousands == found.decimal:
                if asked.decimal is not None:
                    raise GruvizError(
                        _("{mark!r} can't be both the decimal and the thousands mark.").format(
                            mark=found.decimal
                        )
                    )
                found.decimal = "," if asked.thousands == "." else "."
            found = Marks(found.decimal, asked.thousands)
        return found

    def _known(self, wanted: Sequence[str], names: Sequence[str]) -> Sequence[str]:
        for name in wanted:
            if name not in names:
                raise GruvizError(
                    _("There is no column {name!r} in this file; its columns are: {names}.").format(
                        name=name[:40], names=quoted(names, 8)
                    )
                )
        return wanted

    def _start_in_rows(self, names: Sequence[str]) -> tuple[str | None, float | None, int | None]:
        """Start and step, if given, or if the first two rows tell them, as an Empatica's do."""
        asked = self.overrides
        if asked.start is not None or asked.step is not None or asked.first is not None:
            return asked.start, asked.step, None
        columns = [self.converted[name].values for name in names]
        if (
            self.dialect.header
            or asked.header
            or any(c is None or len(c) < MIN_ROWS + 2 for c in columns)
        ):
            return None, None, None
        numbers = np.stack([column for column in columns if column is not None])
        begin, rate = numbers[:, 0], numbers[:, 1]
        rest = numbers[:, 2:]
        if not (
            (begin == begin[0]).all() and 9e8 < begin[0] < 2.5e9 and (rate == rate[0]).all()
            and 0 < rate[0] <= 10_000 and np.nanmax(np.abs(rest), initial=0.0) < begin[0] / 100
        ):  # fmt: skip
            return None, None, None
        self.body.columns = [column.slice(2) for column in self.body.columns]
        for name in names:
            self.texts[name] = self.texts[name].slice(2)
            column = self.converted[name]
            self.converted[name] = Column(
                None if column.values is None else column.values[2:], column.missing, column.odd
            )
        start = str(times.from_numbers(begin[:1], "unix s")[0])[:26]
        self.findings.append(
            warning(
                "start-and-rate",
                N_("The first two rows are no data: they tell the start ({start}) and {rate:g} rows a"
                   " second."),
                start=start[:19].replace("T", " "), rate=float(rate[0]),
                remedies=(
                    Remedy(N_("Read them as data"), Overrides(first=self.dialect.first, time=())),
                ),
            )
        )  # fmt: skip
        return start, 1 / float(rate[0]), self.dialect.first + 2

    def _clock(self, names: Sequence[str], start: str | None, step: float | None) -> Clock | None:
        asked = self.overrides
        rows = len(self.texts[names[0]])
        day_first = self.marks.decimal == "," or self.dialect.separator == ";"
        if asked.time == ():
            return None
        fields = [
            Field(name, self.texts[name], self.cells[name], self.converted[name].values)
            for name in names
        ]
        if asked.time is not None:
            by_name = {field.name: field for field in fields}
            wanted = [by_name[name] for name in self._known(asked.time, names)]
            return times.read(wanted, asked.time_format, day_first=day_first)
        if start is None and step is None:
            found = times.find(fields, day_first=day_first) if len(names) > 1 else None
            if found is not None and asked.time_format is not None:
                by_name = {field.name: field for field in fields}
                wanted = [by_name[name] for name in found.columns]
                return times.read(wanted, asked.time_format, day_first=day_first)
            if found is not None:
                return found
            start, step = self._start_above()
        if step is None:
            return None
        try:
            begin = np.datetime64(pd.Timestamp(start or "1970-01-01").tz_localize(None), "us")
            stamps = begin + (np.arange(rows) * step * 1e6).round().astype("timedelta64[us]")
        except (ValueError, OverflowError, TypeError) as error:
            raise GruvizError(
                _("{start!r} is no time to start from; write it as 2024-01-31 12:00.").format(
                    start=str(start)[:40]
                )
            ) from error
        return Clock((), "start + step", stamps, None)

    def _start_above(self) -> tuple[str | None, float | None]:
        """Start and sampling rate in the lines above the table."""
        above = [", ".join(record.cells) for record in self.dialect.skipped]
        start = next((m[1] for line in above if (m := START.search(line))), None)
        rate = next((m for line in above if (m := RATE.search(line)) and m[2]), None)
        if rate is None or not float(rate[1]):
            return None, None
        hertz = float(rate[1]) * (1000 if rate[2].lower() == "khz" else 1)
        begin = pd.to_datetime(start.strip(" ,-"), errors="coerce") if start else pd.NaT
        found = str(begin.isoformat()) if begin is not pd.NaT else "1970-01-01"
        self.findings.append(
            note("rate-above", N_("The lines above the table tell the start ({start}) and {rate:g} rows"
                                  " a second."), start=found.replace("T", " "), rate=hertz)
        )  # fmt: skip
        return found, 1 / hertz

    def _sentinels(
        self, names: Sequence[str], clock: Clock | None
    ) -> tuple[dict[str, dict[str, int]], dict[str, list[float]]]:
        """The numbers that stand for a missing value, taken out and counted, column by column."""
        told = set(clock.columns) if clock else set()
        numbers = {
            name: column.values
            for name, column in self.converted.items()
            if column.values is not None and name not in told
        }
        perhaps: dict[str, list[float]] = {}
        if self.overrides.missing_in is not None:
            sure: dict[str, list[float]] = {}
            for name, code in self.overrides.missing_in:
                self._known([name], names)
                try:
                    sure.setdefault(name, []).append(float(code.replace(",", ".")))
                except ValueError as error:
                    raise GruvizError(
                        _("{code!r} is no number that could stand for a missing value.").format(
                            code=code[:20]
                        )
                    ) from error
        else:
            sure, perhaps = sentinels.find(numbers)
        everywhere = []
        for mark in self.overrides.missing or ():
            try:
                everywhere.append(float(mark.replace(",", ".")))
            except ValueError:
                continue
        counted: dict[str, dict[str, int]] = {}
        for name, values in numbers.items():
            for code in everywhere:
                here = values == code
                if here.any():
                    self.converted[name].missing[f"{code:g}"] += int(here.sum())
                    values[here] = np.nan
            for code in sure.get(name, ()):
                here = values == code
                if here.any():
                    counted.setdefault(name, {})[f"{code:g}"] = int(here.sum())
                    values[here] = np.nan
        return counted, {name: codes for name, codes in perhaps.items() if name not in counted}

    def _frame(self, names: Sequence[str], clock: Clock | None) -> pd.DataFrame:
        data: dict[str, Any] = {}
        for name in names:
            values = self.converted[name].values
            if values is None:
                text = self.texts[name]
                empty = pc.equal(pc.utf8_length(text), 0)
                values = pc.if_else(empty, pa.scalar(None, pa.string()), text).to_pandas()
            data[name] = values
        frame = pd.DataFrame(data)
        if clock is not None:
            frame.index = pd.DatetimeIndex(clock.times, name="time")
        return frame

    def _kinds(
        self, frame: pd.DataFrame, clock: Clock | None, wide: panels.Wide | None
    ) -> dict[str, str]:
        kinds: dict[str, str] = {}
        for name in frame:
            values = self.converted[name].values
            if clock is not None and name in clock.columns:
                kinds[name] = TIME
            elif values is None:
                timely = common_kind(self.cells[name]) == TIMELY
                kinds[name] = TIME if timely and clock is not None else WORDS
            else:
                kind = checks.kind_of(values, named_as_id=bool(ID_NAME.search(name)))
                field = Field(name, self.texts[name], self.cells[name], values)
                if kind == NUMBER and (
                    times.elapses(field) if clock is None else times.tells_time(field)
                ):
                    kind = TIME
                kinds[name] = kind
        return kinds

    def _long(
        self, frame: pd.DataFrame, kinds: dict[str, str], clock: Clock | None
    ) -> panels.Long | None:
        if self.overrides.id == "":
            return None
        if self.overrides.id is not None:
            self._known([self.overrides.id], list(frame.columns))
            groups, found = pd.factorize(frame[self.overrides.id])
            return panels.Long(self.overrides.id, groups.astype(np.int64), len(found))
        labels: dict[str, pd.Series[Any]] = {}
        counters: list[str] = []
        for name, kind in list(kinds.items())[:30]:
            column = frame[name].reset_index(drop=True)
            if kind == WORDS:
                labels[name] = column
            elif kind in (NUMBER, IDENTIFIER, COUNTER):
                values = column.to_numpy(np.float64)
                if np.isfinite(values).all() and (values == np.floor(values)).all():
                    labels[name] = column
                    counters.append(name)
        return panels.long(labels, clock, counters)

    # -- what was read -----------------------------------------------------------------------------

    def _reading(
        self, clock: Clock | None, codes: dict[str, dict[str, int]], units: list[tuple[str, str]],
        layout: str, start: str | None, step: float | None, first: int | None,
    ) -> Reading:  # fmt: skip
        dialect, asked = self.dialect, self.overrides
        used: Counter[str] = Counter()
        for column in self.converted.values():
            used.update(column.missing)
        used.pop("", None)
        skipped = [record.line for record in dialect.skipped]
        if first is not None:
            skipped += [dialect.first, dialect.first + 1]
        if clock is not None and not clock.columns and start is None:
            start = str(clock.times[0])
            step = float((clock.times[1] - clock.times[0]).astype(np.int64)) / 1e6
        return Reading(
            encoding=self.text.encoding, separator=dialect.separator, quote=dialect.quote,
            comment=dialect.comment, decimal=self.marks.decimal, thousands=self.marks.thousands,
            header=dialect.header, first=first or dialect.first,
            footer=asked.footer if asked.footer is not None else len(self.body.footer),
            missing=asked.missing if asked.missing is not None else tuple(sorted(used)),
            missing_in=tuple((name, code) for name, each in codes.items() for code in each),
            text=asked.text or (), time=clock.columns if clock else (),
            time_format=clock.format if clock and clock.columns else None,
            start=start, step=step, order=asked.order or BY_TIME, reshape=asked.reshape or "",
            id=asked.id or "", value=asked.value, newline=self.text.newline, skipped=tuple(skipped),
            comments=max(0, dialect.comments),
            footer_lines=tuple(record.line for record in self.body.footer), units=tuple(units),
            zone=clock.zone if clock else None, layout=layout,
        )  # fmt: skip

    def _about_cells(
        self, names: Sequence[str], codes: dict[str, dict[str, int]], perhaps: dict[str, list[float]],
        reading: Reading,
    ) -> None:  # fmt: skip
        marks, say = self.marks, self.findings.append
        if marks.doubtful:
            point = marks.decimal == "." and not marks.thousands
            other = Overrides(decimal=",", thousands=".") if point else (
                Overrides(decimal=".", thousands=",") if marks.decimal == ","
                else Overrides(decimal=",", thousands="")
            )  # fmt: skip
            say(
                warning(
                    "ambiguous-numbers",
                    N_("Every mark in a number stands before three digits: 1.234 and 1,234 can be about"
                       " one, or over a thousand. They are read with the decimal mark {decimal!r}."),
                    decimal=marks.decimal,
                    remedies=(Remedy(N_("Read them the other way"), other),),
                )
            )  # fmt: skip
        elif marks.decimal == "," or marks.thousands:
            text = (
                N_(
                    "Numbers have the decimal mark {decimal!r} and the thousands mark {thousands!r}."
                )
                if marks.thousands
                else N_("Numbers have the decimal mark {decimal!r}.")
            )
            say(note("number-marks", text, decimal=marks.decimal, thousands=marks.thousands))
        self.findings += checks.about_marks(
            {name: column.missing for name, column in self.converted.items()
             if column.values is not None and not np.isnan(column.values).all()},
            codes, reading,
        )  # fmt: skip
        self.findings += checks.about_perhaps(perhaps, reading)
        for name in names:
            column = self.converted[name]
            if column.odd:
                say(
                    warning(
                        "odd-cells",
                        N_("One cell of column {name!r} is no number ({cells}); it counts as missing."),
                        N_("{count:,} cells of column {name!r} are no numbers ({cells}); they count as"
                           " missing."),
                        count=column.odd.total(), name=name[:40],
                        cells=quoted(cell for cell, _count in column.odd.most_common()),
                        remedies=(Remedy(N_("Keep the column as text"),
                                         Overrides(text=(*reading.text, name) if reading.text else (name,))),),
                    )
                )  # fmt: skip
            elif column.unit:
                say(note("unit-in-cells", N_("In column {name!r} the unit {unit!r} stands in each cell."),
                         name=name[:40], unit=column.unit))  # fmt: skip
            elif column.percent:
                say(
                    note(
                        "percent",
                        N_("Column {name!r} is in percent: 12% is read as 12."),
                        name=name[:40],
                    )
                )

    def _finished(
        self, table: Table, clock: Clock | None, wide: panels.Wide | None, long: panels.Long | None
    ) -> Table:
        """The table with its columns to choose from, in order, and with everything said."""
        asked, frame, kinds = self.overrides, table.frame, table.kinds
        findings = self.findings
        if asked.reshape in (PIVOT, TRANSPOSE):
            frame, kinds = self._reshaped(frame, clock, wide, long)
            stamps = frame.index.to_numpy().astype("datetime64[us]")
            clock, long, wide = Clock((), "", stamps), None, None
            if not len(frame) or not len(frame.columns):
                raise GruvizError(_("Turned that way, nothing is left of this table."))
            self._check_rows(len(frame))
        else:
            findings += checks.about_columns(frame, kinds)
        findings += checks.about_missing(frame, kinds)
        numeric = [
            name for name in frame if frame[name].dtype == np.float64 and kinds[name] != EMPTY
        ]
        self._check_numbers(numeric, kinds, list(frame.columns))
        order = np.arange(len(frame))
        if wide is not None:
            findings += self._about_wide(wide, frame)
        elif clock is None:
            findings.append(
                note("no-time", N_("No column tells the time: rows are taken to be evenly spaced."))
            )
        elif asked.reshape in (None, ""):
            findings += checks.about_clock(clock)
        if long is not None:
            values = [name for name in numeric if kinds[name] == NUMBER and name != long.id]
            findings += checks.about_long(
                long.id, long.count, len(frame), values, clock is not None
            )
        elif clock is not None:
            findings += checks.about_order(clock.times, asked)
            if asked.order != AS_IN_FILE:
                order = _order(clock.times)
            findings += checks.about_steps(clock.times[_order(clock.times)])
        if wide is None:
            findings += checks.about_size(len(frame))
        chosen = numeric
        if len(numeric) > MAX_COLUMNS:
            first = [name for name in numeric if kinds[name] == NUMBER][:MAX_COLUMNS]
            chosen = [name for name in numeric if name in set(first)] or numeric[:MAX_COLUMNS]
            findings.append(
                warning("many-columns",
                        N_("There are {count:,} columns of numbers; the first {most} are offered."),
                        count=len(numeric), most=MAX_COLUMNS)
            )  # fmt: skip
        columns = {name: frame[name].to_numpy()[order] for name in chosen}
        if long is None:
            findings += checks.about_exchange(
                {name: columns[name] for name in chosen if kinds[name] == NUMBER}
            )
        time = pd.DatetimeIndex(clock.times[order], name="time") if clock is not None else None
        return replace(
            table, frame=frame, columns=columns, time=time, order=order, kinds=kinds,
            groups=long.groups if long is not None else None, findings=tuple(findings),
        )  # fmt: skip

    def _check_numbers(
        self, numeric: Sequence[str], kinds: dict[str, str], names: Sequence[str]
    ) -> None:
        if not numeric:
            raise GruvizError(
                _(
                    "No column of this file holds only numbers; the columns found are: {names}."
                ).format(names=", ".join(repr(label[:40]) for label in names[:8]))
            )
        useful = [name for name in numeric if kinds[name] not in (IDENTIFIER, TIME)]
        if not useful:
            raise GruvizError(
                _(
                    "There is nothing to forecast in this file: its only columns of numbers ({names}) are"
                    " identifiers or times. Choose a file with measurements."
                ).format(names=quoted(numeric))
            )

    def _about_wide(self, wide: panels.Wide, frame: pd.DataFrame) -> Sequence[Finding]:
        numbers = frame[list(wide.columns)].to_numpy(np.float64)
        with np.errstate(invalid="ignore"):
            steps = np.diff(numbers, axis=1)
            falls = np.nanmean(steps < 0, axis=1) if steps.size else np.array([1.0])
        growing = bool((falls < 0.02).mean() > 0.8 and np.nanmax(steps, initial=0.0) > 0)
        return list(checks.about_wide(wide.columns, len(frame), growing))

    def _reshaped(
        self, frame: pd.DataFrame, clock: Clock | None, wide: panels.Wide | None,
        long: panels.Long | None,
    ) -> tuple[pd.DataFrame, dict[str, str]]:  # fmt: skip
        asked = self.overrides
        if asked.reshape == TRANSPOSE:
            if wide is None:
                raise GruvizError(
                    _("The columns of this file aren't named by times; there is nothing to turn.")
                )
            words = [name for name in frame if self.converted[name].values is None]
            turned = panels.transpose(frame, wide, words)
        else:
            if long is None or clock is None:
                raise GruvizError(
                    _(
                        "This file doesn't hold several series one below the other, each with its times."
                    )
                )
            numeric = [
                name for name in frame
                if frame[name].dtype == np.float64 and name not in (*clock.columns, long.id)
            ]  # fmt: skip
            value = asked.value or next(iter(numeric), "")
            self._known([value], numeric)
            turned = panels.pivot(frame, clock.times, long.id, value)
        kinds = {
            name: checks.kind_of(turned[name].to_numpy(np.float64), named_as_id=False)
            for name in turned
        }
        return turned, kinds


def _order(stamps: times.Times) -> Order:
    """Rows in order of time, rows without one at the end; equal times as they follow each other."""
    known = stamps[~np.isnat(stamps)]
    steps = np.diff(known).astype(np.int64)
    if len(steps) and (steps <= 0).all():
        # Newest first: turned around, so that equal times are turned around as well.
        rows = np.arange(len(stamps))[::-1]
        return rows[np.argsort(stamps[rows], kind="stable")]
    return np.argsort(stamps, kind="stable")

"""Kinds of files that were read wrongly once: numbers, names and times in odd guises."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gruviz.csv import Overrides, Table
from gruviz.csv.panels import YEAR
from gruviz.data.loading import load
from gruviz.errors import GruvizError
from gruviz.experiment import TableTask
from tests.test_csv_kinds import VALUES, codes, comma, read, refusal, same, stamps, text

POSITIVE = [abs(value) for value in VALUES]
HALVES = [round(abs(value) * 2) / 2 for value in VALUES]


def finding(table: Table, code: str) -> str:
    (found,) = [each for each in table.findings if each.code == code]
    return found.sentence


MIXED = [f"{v:.2f}M" if row % 2 else f"{v * 1000:.2f}K" for row, v in enumerate(VALUES)]
LARGE = [round(v, 2) * 1e6 for v in VALUES]


def test_thousands_and_millions_in_one_column_are_multiplied_and_said() -> None:
    table = read(text("Date,Vol.,Change %", stamps(), MIXED, [f"{v}%" for v in VALUES]))
    same(table, "Vol.", LARGE)
    same(table, "Change %", VALUES)
    assert finding(table, "suffixes") == (
        "Numbers of column 'Vol.' end in 'K', 'M': they are read as thousands (K), millions (M) and"
        " billions (B)."
    )


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ([cell.replace(".", ",") for cell in MIXED], LARGE),
        (
            [f"{v:.2f}k" if r % 2 else f"{v:.2f} M" for r, v in enumerate(POSITIVE)],
            [v * (1e3 if r % 2 else 1e6) for r, v in enumerate(POSITIVE)],
        ),
        (
            [f"${v:.2f}B" if r % 3 else f"${v:.2f}T" for r, v in enumerate(POSITIVE)],
            [v * (1e9 if r % 3 else 1e12) for r, v in enumerate(POSITIVE)],
        ),
        ([f"{row + 3}K" for row in range(48)], [(row + 3) * 1e3 for row in range(48)]),
        ([f"{v}M" for v in VALUES], [v * 1e6 for v in VALUES]),
        ([f"{v} Mio." for v in VALUES], [v * 1e6 for v in VALUES]),
        (
            [f"{v}K" if r % 4 else 950 + r for r, v in enumerate(POSITIVE)],
            [v * 1e3 if r % 4 else 950 + r for r, v in enumerate(POSITIVE)],
        ),
        (
            ["-" if r % 5 == 2 else cell for r, cell in enumerate(MIXED)],
            [np.nan if r % 5 == 2 else v for r, v in enumerate(LARGE)],
        ),
    ],
)
def test_suffixes_are_read_however_the_numbers_are_written(
    cells: list[Any], values: list[float]
) -> None:
    same(read(text("Date;Vol.", stamps(), cells, sep=";")), "Vol.", values)


def test_suffixes_stand_beside_thousands_marks() -> None:
    cells = [f'"{v * 1000:,.1f}K"' for v in POSITIVE]
    same(
        read(text("Date,Vol.", stamps(), cells)),
        "Vol.",
        [round(v * 1000, 1) * 1e3 for v in POSITIVE],
    )


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("place", [f"Block {'K' if row % 2 else 'M'}" for row in range(48)]),
        ("size", ["S", "M", "K", "B"] * 12),
        ("house", [f"{row}{'abc'[row % 3]}" for row in range(48)]),
        ("house", [f"{row}B" if row % 4 == 0 else row for row in range(48)]),
        ("length", ["5 cm", "7 mm", "1 m"] * 16),
    ],
)
def test_words_that_only_end_like_numbers_with_a_suffix_stay_words(
    name: str, cells: list[Any]
) -> None:
    table = read(text(f"date,{name},y", stamps(), cells, VALUES))
    assert list(table.columns) == ["y"] and not codes(table) & {"suffixes", "flags"}


def test_kelvin_and_a_lone_suffix_multiply_nothing() -> None:
    kelvin = read(text("date,Temperature", stamps(), [f"{v + 273}K" for v in POSITIVE]))
    same(kelvin, "Temperature", [v + 273 for v in POSITIVE])
    alone = read(text("date,x", stamps(), ["5K", *VALUES[1:]]))
    assert np.isnan(alone.columns["x"][0]) and "odd-cells" in codes(alone)


@pytest.mark.parametrize("flag", ["#", " p", "*", "<br />", "†", " [1]", "E", " bp", "(e)"])
def test_a_flag_behind_some_numbers_is_cut_counted_and_said(flag: str) -> None:
    cells = [f"{v}{flag if row % 5 == 1 else ''}" for row, v in enumerate(VALUES)]
    table = read(text("date,x,y", stamps(), cells, VALUES))
    same(table, "x", VALUES)
    assert finding(table, "flags") == (
        f"From 10 numbers of column 'x' what follows them is cut ({flag.strip()!r})."
    )
    kept = read(text("date,x,y", stamps(), cells, VALUES), text="x")
    assert kept.frame["x"].iloc[1] == cells[1].strip()


def test_flags_are_cut_where_each_number_has_one_or_hardly_any() -> None:
    table = read(text("date,x<br />", stamps(), [f"{v}<br />" for v in VALUES]))
    same(table, "x", VALUES)
    many = [f"{v}" for v in range(4000)]
    many[1234] += "*"
    table = read(text("x,y", many, [row * 7 % 13 for row in range(4000)]))
    same(table, "x", list(range(4000)))
    assert finding(table, "flags").startswith("From one number of column 'x'")


def test_flags_are_counted_by_the_cells_that_have_them_however_often_one_is_repeated() -> None:
    cells = [f"{row % 7}*" if row % 7 == 3 else f"{row % 7}" for row in range(48)]
    table = read(text("date,x,y", stamps(), cells, VALUES))
    same(table, "x", [row % 7 for row in range(48)])
    assert finding(table, "flags") == "From 7 numbers of column 'x' what follows them is cut ('*')."


def test_a_flagged_mark_of_a_missing_value_is_missing() -> None:
    cells = [
        ": u" if row % 7 == 0 else f"{v} p" if row % 5 == 1 else v for row, v in enumerate(VALUES)
    ]
    table = read(text("date,x,y", stamps(), cells, VALUES))
    assert int(table.frame["x"].isna().sum()) == 7


def test_a_note_in_one_cell_more_leaves_the_row_in_and_is_said() -> None:
    lines = text("date,x,y", stamps(), VALUES, VALUES).splitlines()
    for row in (5, 17, 30):
        lines[row] += ",sensor cleaned"
    table = read("\n".join(lines))
    same(table, "y", VALUES)
    assert finding(table, "row-notes") == (
        "3 rows have a note in one cell more (the first is line 6: 'sensor cleaned'); the notes are"
        " left out."
    )


@pytest.mark.parametrize("cell", ["7.5", "2021-01-05", "4,5"])
def test_a_further_cell_that_is_no_note_is_still_a_row_too_long(cell: str) -> None:
    lines = text("date,x,y", stamps(), VALUES, VALUES).splitlines()
    for row in (5, 17, 30):
        lines[row] += f",{cell}"
    assert "the ones before it 3" in refusal("\n".join(lines))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_short_header_above_times_names_the_left_columns(count: int) -> None:
    table = read(text("date,x", stamps(), *[VALUES] * count))
    assert list(table.frame) == ["date", "x", *(f"column {each}" for each in range(3, count + 2))]
    assert table.reading.time == ("date",) and "names-left" in codes(table)
    years = read(text("year,a", range(1950, 1998), VALUES, VALUES))
    assert list(years.frame) == ["year", "a", "column 3"]


def test_a_short_header_without_a_name_for_the_times_names_the_right_columns() -> None:
    for names, first in (("open,high", stamps()), ("year,x", range(1, 49)), ("mpg,cyl", range(48))):
        second = list(range(1950, 1998)) if names == "year,x" else VALUES
        table = read(text(names, first, second, VALUES))
        assert list(table.frame) == ["row", *names.split(",")]
        assert "short-header" in codes(table)


NOTES = (
    "Title,GDP,CPI\nUnits,$ bn,Index\nFrequency,Daily,Daily\nSource,RBA,RBA\n"
    "Publication date,05-Jan-2022,05-Jan-2022\nSeries ID,GGDP1,CCPI2"
)
STATISTICS = (
    ",GDP ; volume,CPI ; all\nUnit,$ Millions,Index\nSeries Type,Original,Trend\n"
    "Series Start,Sep-1959,Sep-1960\nNo. Obs,220,221\nSeries ID,A123,A124"
)


@pytest.mark.parametrize(
    ("header", "names", "units", "notes"),
    [
        (NOTES, ["Title", "GDP", "CPI"], {"GDP": "$ bn", "CPI": "Index"}, 4),
        (
            STATISTICS,
            ["column 1", "GDP ; volume", "CPI ; all"],
            {"GDP ; volume": "$ Millions", "CPI ; all": "Index"},
            4,
        ),
        (
            "Time,Temp,Hum\n,°C,%\n,S-001,S-002",
            ["Time", "Temp", "Hum"],
            {"Temp": "°C", "Hum": "%"},
            1,
        ),
        (
            ",S-001,S-002\nTime,Temp,Hum\n,°C,%",
            ["Time", "Temp", "Hum"],
            {"Temp": "°C", "Hum": "%"},
            1,
        ),
        (
            "TIMESTAMP,Batt,T\nTS,Volts,Deg C\n,Min,Avg",
            ["TIMESTAMP", "Batt", "T"],
            {"TIMESTAMP": "TS", "Batt": "Volts", "T": "Deg C"},
            1,
        ),
    ],
)
def test_of_several_header_lines_one_is_the_names_and_the_others_are_notes(
    header: str, names: list[str], units: dict[str, str], notes: int
) -> None:
    table = read(text(header, stamps(), VALUES, VALUES))
    assert (list(table.frame), dict(table.reading.units), table.rows) == (names, units, 48)
    (found,) = [each for each in table.findings if each.code == "header-notes"]
    assert found.values["count"] == notes
    again = read(text(header, stamps(), VALUES, VALUES), header=table.reading.header)
    assert list(again.frame) == names


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (",Wind,\nt,speed,dir", ["t", "Wind speed", "Wind dir"]),
        ("Price,Close,High\nTicker,A,A\nDate,,", ["Price Ticker Date", "Close A", "High A"]),
        ("date,x,y\n,°C,%", ["date", "x", "y"]),
    ],
)
def test_levels_of_names_are_no_notes(header: str, names: list[str]) -> None:
    table = read(text(header, stamps(), VALUES, VALUES))
    assert list(table.frame) == names and "header-notes" not in codes(table)


def test_a_frames_index_without_a_name_is_no_reason_to_skip_the_header() -> None:
    assert list(read(text(",x", range(48), VALUES)).frame) == ["column 1", "x"]


def bare(value: float) -> str:
    return f"{value:g}".replace(".", ",")


def test_decimal_commas_that_part_cells_are_said_and_refused() -> None:
    assert refusal(text("date,a,b", stamps(), map(bare, HALVES), map(bare, HALVES[::-1]))) == (
        "Decimal commas part the cells of this file, so cells move sideways (line 2 has 4 cells, line 3"
        " has 3); save it again with semicolons between the cells, or with decimal points."
    )
    torn = text("date,a,b", stamps(), map(comma, POSITIVE), map(comma, POSITIVE))
    assert "line 2 has 5 cells, line 1 has 3" in refusal(torn)


def test_rows_too_long_among_decimal_points_are_not_put_down_to_decimal_commas() -> None:
    lines = text("date,a,b", stamps(), VALUES, VALUES).splitlines()
    lines[1::4] = [f"{line},7" for line in lines[1::4]]
    said = refusal("\n".join(lines))
    assert "Decimal commas" not in said and "line 2 has 4 cells" in said.lower()


@pytest.mark.parametrize(
    "content",
    [
        text("date;a;b", stamps(), map(bare, HALVES), map(bare, HALVES[::-1]), sep=";"),
        text(
            "date,a,b", stamps(), [f'"{bare(v)}"' for v in HALVES], [f'"{bare(v)}"' for v in HALVES]
        ),
        text("date,a", stamps(), range(48), range(100, 148)),
        "a,b,c\n" + "1,2,3\n" * 20 + "4,5\n" * 10,
    ],
)
def test_other_commas_move_nothing(content: str) -> None:
    assert read(content).rows >= 30


@pytest.mark.parametrize("factor", [1, 10**3, 10**6, 10**9])
@pytest.mark.parametrize("header", ["", ",x"])
def test_unnamed_columns_of_epochs_tell_the_time(header: str, factor: int) -> None:
    cells = [(1_600_000_000 * 4 + row) * factor // 4 for row in range(48)]
    table = read(text(header, cells, VALUES))
    assert table.time is not None and table.reading.time == ("column 1",)
    assert str(table.time[0]) == "2020-09-13 12:26:40"
    assert str(table.time[4]) == "2020-09-13 12:26:41"


def test_long_identifiers_are_no_epochs() -> None:
    ids = np.sort(np.random.default_rng(0).integers(10**18, 17 * 10**17, 48))
    assert read(text("", ids, VALUES)).time is None
    assert read(text("id,x", [16 * 10**14 + row * 7919 for row in range(48)], VALUES)).time is None


HOURS = [row % 24 + 0.5 for row in range(48)]
TWO_DAYS = [f"2021-01-{5 + row // 24:02d}" for row in range(48)]


@pytest.mark.parametrize("name", ["hour", "Time (UTC)", "decimal hour", "HOUR_UT", "Stunde"])
@pytest.mark.parametrize("write", [str, bare])
def test_a_decimal_hour_beside_a_date_is_part_of_the_time(
    name: str, write: Callable[[float], str]
) -> None:
    table = read(text(f"date;{name};x", TWO_DAYS, map(write, HOURS), map(write, VALUES), sep=";"))
    assert table.time is not None and table.reading.time == ("date", name)
    assert list(table.time) == list(pd.date_range("2021-01-05 00:30", periods=48, freq="h"))


def test_a_decimal_hour_may_follow_year_month_and_day() -> None:
    days = [5 + row // 24 for row in range(48)]
    table = read(text("year,month,day,hour,x", [2021] * 48, [1] * 48, days, HOURS, VALUES))
    assert table.time is not None
    assert list(table.time) == list(pd.date_range("2021-01-05 00:30", periods=48, freq="h"))


@pytest.mark.parametrize("name", ["sunshine hours", "hours of sunshine", "x"])
def test_hours_that_were_measured_are_no_time(name: str) -> None:
    table = read(text(f"date,{name},y", stamps(), HOURS, VALUES))
    assert table.reading.time == ("date",) and name in table.columns


@pytest.mark.parametrize("header", ["day,x,y", ""])
def test_a_letter_before_each_date_is_left_out_and_said(header: str) -> None:
    cells = [f"D-{row % 28 + 1}/{row // 28 + 3}/90" for row in range(48)]
    table = read(text(header, cells, VALUES, VALUES))
    assert table.time is not None
    assert [str(table.time[place].date()) for place in (0, -1)] == ["1990-03-01", "1990-04-20"]
    assert "begins with 'D-'" in finding(table, "letter-before")


@pytest.mark.parametrize(
    "cells",
    [
        [f"D-{row}" for row in range(48)],
        [f"{'DN'[row % 2]}-1/3/{row + 10}" for row in range(48)],
        [f"{'DN'[row % 16 == 15]}-1/3/{row + 10}" for row in range(48)],
    ],
)
def test_codes_with_a_letter_are_no_dates(cells: list[str]) -> None:
    assert read(text("code,x", cells, VALUES)).time is None


def months(
    total: Callable[[Sequence[float]], float], years: int = 6
) -> list[tuple[int, int, float]]:
    """(year, month, value) with a month 13."""
    rng, rows = np.random.default_rng(1), []
    for year in range(1990, 1990 + years):
        values = [round(float(v), 3) for v in rng.uniform(10, 50, 12)]
        rows += [(year, month, value) for month, value in enumerate(values, 1)]
        rows.append((year, 13, round(total(values), 3)))
    return rows


@pytest.mark.parametrize("total", [sum, np.mean])
@pytest.mark.parametrize("form", ["{0}{1:02d}", "{0}-{1:02d}", "{0}M{1:02d}", "{0},{1}"])
def test_a_thirteenth_month_that_holds_the_total_is_left_out_and_said(
    form: str, total: Callable[[Sequence[float]], float]
) -> None:
    rows = months(total)
    header = "Year,Month,Value" if "," in form else "YYYYMM,Value"
    content = text(header, [form.format(y, m) for y, m, _v in rows], [v for _y, _m, v in rows])
    table = read(content)
    same(table, "Value", [value for _year, month, value in rows if month < 13])
    assert table.time is not None and str(table.time[-1].date()) == "1995-12-01"
    assert finding(table, "year-totals") == (
        "6 rows are of a month 13 and hold the year's total; they are left out."
    )
    (found,) = [each for each in table.findings if each.code == "year-totals"]
    assert read(content, reading=found.remedies[0].overrides).rows == 78


def test_a_thirteenth_month_is_left_out_where_the_newest_row_comes_first() -> None:
    rows = months(sum)
    cells = [f"{y}-{m:02d}" for y, m, _v in rows]
    table = read(text("YYYYMM,Value", cells[::-1], [v for _y, _m, v in rows[::-1]]))
    assert {"year-totals", "newest-first"} <= codes(table)
    assert table.columns["Value"].tolist() == [v for _y, month, v in rows if month < 13]


def test_totals_of_several_series_below_each_other_are_left_out() -> None:
    rows = [("TX", *row) for row in months(sum)] + [("CA", *row) for row in months(sum)]
    cells = [f"{y}{m:02d}" for _s, y, m, _v in rows]
    table = read(text("MSN,YYYYMM,Value", [r[0] for r in rows], cells, [r[3] for r in rows]))
    assert (table.reading.layout, table.reading.id, table.rows) == ("long", "MSN", 144)


@pytest.mark.parametrize("name", ["Month", "Period"])
def test_a_thirteenth_period_that_is_no_total_stays(name: str) -> None:
    rows = months(lambda _values: 23.0)
    table = read(text(f"Year,{name},Value", *zip(*rows, strict=True)))
    assert table.rows == 78 and "year-totals" not in codes(table)


@pytest.mark.parametrize(
    "names",
    ["Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,Annual", ",".join(map(str, range(1, 14)))],
)
@pytest.mark.parametrize("total", [sum, lambda values: 23.0 + values[0]])
def test_a_thirteenth_column_is_told_from_the_months_and_said_if_it_is_the_total(
    names: str, total: Callable[[Sequence[float]], float]
) -> None:
    rows = months(total, years=20)
    lines = [
        ",".join(map(str, [1990 + year, *(v for _y, _m, v in rows[13 * year : 13 * year + 13])]))
        for year in range(20)
    ]
    content = "\n".join([f"Year,{names}", *lines])
    table = read(content)
    assert ("year-total-column" in codes(table)) == (total is sum)
    (found,) = [each for each in table.findings if each.code == "month-grid"]
    turned = read(content, reading=found.remedies[0].overrides)
    same(turned, "value", [value for _year, month, value in rows if month < 13])


@pytest.mark.parametrize("years", [2, 3, 20])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("total", [sum, np.mean, None])
def test_months_down_and_years_across_are_one_series_without_the_row_of_totals(
    years: int, named: bool, total: Callable[[Sequence[float]], float] | None
) -> None:
    rows = months(total or sum, years=years)
    by_year = [[v for y, m, v in rows[13 * year : 13 * year + 13]] for year in range(years)]
    labels = [*(YEAR if named else map(str, range(1, 13))), *(["Total"] if total else [])]
    columns = [each if total else each[:12] for each in by_year]
    header = ",".join(["Month", *(str(1990 + year) for year in range(years))])
    content = text(header, labels, *columns)
    table = read(content)
    told = "year-totals" if named else "footer"  # a word below numbers is no row of data
    assert (told in codes(table)) == (total is not None)
    assert table.rows == 12
    (found,) = [each for each in table.findings if each.code == "month-grid"]
    turned = read(content, reading=found.remedies[0].overrides)
    same(turned, "value", [value for each in by_year for value in each[:12]])
    assert turned.time is not None and str(turned.time[12].date()) == "1991-01-01"


def test_a_row_below_the_months_that_is_no_total_stays() -> None:
    rows = months(lambda _values: 23.0, years=3)
    columns = [[v for _y, _m, v in rows[13 * year : 13 * year + 13]] for year in range(3)]
    labels = [
        *["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        "Note",
    ]
    table = read(text("Month,1990,1991,1992", labels, *columns))
    assert table.rows == 13 and "year-totals" not in codes(table)


RNG = np.random.default_rng(1)
LATITUDES, LONGITUDES = RNG.uniform(40, 50, 48).round(4), RNG.uniform(5, 15, 48).round(4)
TOWNS = [f"Town {chr(65 + row % 26)}{chr(97 + row // 26)}" for row in range(48)]


@pytest.mark.parametrize(
    "content",
    [
        text("city,lat,lng,people", TOWNS, LATITUDES, LONGITUDES, VALUES),
        text("Latitude,Longitude,depth", LATITUDES, LONGITUDES, VALUES),
        text("country,x,y", TOWNS, VALUES, VALUES),
    ],
)
def test_a_table_of_places_is_read_but_not_forecast(content: str) -> None:
    table = read(content)
    assert table.rows == 48 and table.no_series.startswith("Each row is a place (")
    task = TableTask(source="0" * 64, column=table.first_choice, window=4, horizon=1)
    with pytest.raises(GruvizError, match="there is no past in it to forecast from"):
        load(task, 0, lambda _source: table)
    (found,) = [each for each in table.findings if each.code == "places"]
    days = read(content, reading=found.remedies[0].overrides)
    assert days.time is not None and not days.no_series


@pytest.mark.parametrize(
    "content",
    [
        text("date,city,lat,lng", stamps(), TOWNS, LATITUDES, LONGITUDES),
        text("lat,lon,x", np.cumsum(RNG.normal(0, 1e-3, 48)) + 47, 8 + np.arange(48) / 1e3, VALUES),
        text("lat,lon,x", [47.1] * 48, [8.2] * 48, VALUES),
        text("time [s],lat,lon,x", range(48), LATITUDES, LONGITUDES, VALUES),
        text("name,x", TOWNS, VALUES),
        text("station,x", ["Kloten"] * 48, VALUES),
    ],
)
def test_stations_tracks_and_names_are_no_places(content: str) -> None:
    assert read(content).no_series == ""


def test_a_pointer_of_git_lfs_is_said_with_what_to_do() -> None:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"
    assert refusal(pointer) == (
        "This is a pointer of Git LFS, which only says where the file lies; run “git lfs pull” in its"
        " repository, or download the file itself, and upload that."
    )


def test_what_is_cut_can_be_kept_by_an_override() -> None:
    content = text("date,x", stamps(), MIXED)
    (found,) = [each for each in read(content).findings if each.code == "suffixes"]
    assert found.remedies[0].overrides == Overrides(text=("x",))
    with pytest.raises(GruvizError, match="holds only numbers"):
        read(content, reading=found.remedies[0].overrides)

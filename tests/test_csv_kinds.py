"""Small files of many kinds with known answers, beside the wild ones."""

import gzip
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gruviz.csv import Severity, Table, read_csv
from gruviz.errors import GruvizError

DAY, HALF_HOUR = timedelta(days=1), timedelta(minutes=30)
BEGIN = datetime(2021, 1, 5)
VALUES = [round(17 * np.sin(row / 3) + row / 10 + 5.21, 2) for row in range(48)]


def stamps(form: str = "%Y-%m-%d", step: timedelta = DAY, rows: int = 48) -> list[str]:
    return [(BEGIN + row * step).strftime(form) for row in range(rows)]


def comma(value: float) -> str:
    return f"{value:.2f}".replace(".", ",")


def text(header: str, *columns: Iterable[Any], sep: str = ",") -> str:
    """A file with a header (or none: "") and columns of cells."""
    lines = [sep.join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join(([header] if header else []) + lines) + "\n"


PLAIN = text("date,x", stamps(), VALUES)
GERMAN = text("Datum;Temperatur", stamps("%d.%m.%Y"), map(comma, VALUES), sep=";")


def codes(table: Table) -> set[str]:
    return {finding.code for finding in table.findings}


def refusal(content: bytes | str) -> str:
    with pytest.raises(GruvizError) as caught:
        read_csv(content.encode() if isinstance(content, str) else content)
    return str(caught.value)


def read(content: bytes | str, **changes: Any) -> Table:
    return read_csv(content.encode() if isinstance(content, str) else content, **changes)


def same(table: Table, name: str, values: Sequence[float]) -> None:
    np.testing.assert_allclose(table.columns[name], values)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   "])
def test_columns_are_parted_by_what_parts_them(separator: str) -> None:
    table = read(text(f"date{separator}x", stamps(), VALUES, sep=separator))
    assert table.reading.separator == separator[0]
    assert (list(table.frame), table.rows) == (["date", "x"], 48)
    same(table, "x", VALUES)


@pytest.mark.parametrize("separator", [";", "\t", " ", "|"])
def test_a_decimal_comma_is_found(separator: str) -> None:
    table = read(text(f"a{separator}b", map(comma, VALUES), map(comma, VALUES), sep=separator))
    assert (table.reading.separator, table.reading.decimal) == (separator, ",")
    same(table, "b", VALUES)


def test_a_single_column_has_no_separator_and_may_have_a_decimal_comma() -> None:
    for write, decimal in ((str, "."), (comma, ",")):
        table = read(text("x", map(write, VALUES)))
        assert (table.reading.separator, table.reading.decimal) == ("", decimal)
        same(table, "x", VALUES)


def test_the_hint_of_a_spreadsheet_names_the_separator() -> None:
    table = read("sep=;\n" + GERMAN)
    assert (table.reading.separator, table.reading.header) == (";", (2,))


def test_quotes_around_whole_lines_are_taken_off() -> None:
    table = read("\n".join(f'"{line}"' for line in PLAIN.splitlines()))
    assert list(table.frame) == ["date", "x"]


LARGE = [1234.5 * (row + 1) for row in range(48)]


@pytest.mark.parametrize(
    ("group", "point", "separator"),
    [
        (",", ".", ";"),
        (".", ",", ";"),
        (" ", ",", ";"),
        ("\u202f", ",", ";"),
        ("'", ".", ","),
        ("’", ".", ";"),
    ],
)
def test_thousands_marks_are_found(group: str, point: str, separator: str) -> None:
    cells = [f"{v:,.2f}".replace(",", "G").replace(".", point).replace("G", group) for v in LARGE]
    table = read(text(f"date{separator}x", stamps(), cells, sep=separator))
    expected = {"\u202f": " ", "’": "'"}.get(group, group)
    assert (table.reading.decimal, table.reading.thousands) == (point, expected)
    same(table, "x", LARGE)


def test_a_quoted_number_may_hold_the_separator() -> None:
    same(read(text("date,x", stamps(), [f'"{v:,.2f}"' for v in LARGE])), "x", LARGE)
    same(read(text("date,x,y", stamps(), [f'"{comma(v)}"' for v in VALUES], VALUES)), "y", VALUES)


def test_numbers_that_can_be_read_in_two_ways_are_said_and_can_be_turned() -> None:
    cells = [f"{1 + row},{100 + row}" for row in range(48)]
    table = read(text("date;x", stamps(), cells, sep=";"))
    (finding,) = [each for each in table.findings if each.code == "ambiguous-numbers"]
    assert finding.severity is Severity.WARNING
    same(table, "x", [float(cell.replace(",", ".")) for cell in cells])
    (remedy,) = finding.remedies
    turned = read(text("date;x", stamps(), cells, sep=";"), reading=remedy.overrides)
    same(turned, "x", [float(cell.replace(",", "")) for cell in cells])
    assert "ambiguous-numbers" not in codes(turned)


@pytest.mark.parametrize(
    ("written", "code"),
    [("{}%", "percent"), ("{} °C", "unit-in-cells"), ("€ {}", None), ("${}", None), ("{}e0", None)],
)
def test_what_stands_around_a_number_is_taken_off(written: str, code: str | None) -> None:
    positive = [abs(value) for value in VALUES]
    table = read(text("date,x", stamps(), [written.format(value) for value in positive]))
    same(table, "x", positive)
    assert code is None or code in codes(table)


def test_minus_signs_of_typesetters_and_accountants_are_minus_signs() -> None:
    for form in ("−{}", "({})"):
        cells = [str(v) if v >= 0 else form.format(abs(v)) for v in VALUES]
        same(read(text("date,x", stamps(), cells)), "x", VALUES)


ENCODED = text("Größe (°C);Übergabe;Jahr", map(comma, VALUES), VALUES, VALUES, sep=";")


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-32", "utf-32"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("latin-1", "latin-1"),
        ("cp1252", "latin-1"),
        ("mac_roman", "mac_roman"),
        ("cp850", "cp850"),
    ],
)
def test_western_encodings_are_found(encoding: str, found: str) -> None:
    table = read(ENCODED.encode(encoding))
    assert table.reading.encoding == found
    assert list(table.frame) == ["Größe (°C)", "Übergabe", "Jahr"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", "Prix (€),Qualité – “bon”"),
        ("latin-1", "T (°C),PM (µg/m³)"),
        ("cp1250", "Średnia,Łódź"),
        ("cp1254", "Sıcaklık,Değişim"),
        ("cp1251", "Температура воздуха,Влажность"),
        ("koi8_r", "Температура воздуха,Влажность"),
        ("cp1253", "Ημερομηνία,Θερμοκρασία"),
        ("gb18030", "日期,温度,湿度"),
        ("gb18030", "时间,水位(米),流量(立方米每秒)"),
        ("gb18030", "城市,空气质量指数,价格（€）"),
        ("cp932", "日付,気温,湿度"),
        ("cp932", "年月日,平均気温(℃),降水量の合計(mm)"),
        ("cp932", "時刻,電力使用量(万kW),予測値"),
        ("euc_jp", "日付,きおん"),
        ("cp949", "일시,평균기온(°C),최저기온(°C),풍속"),
        ("big5", "日期,氣溫,濕度,雨量"),
    ],
)
def test_other_encodings_are_found_by_a_few_names(encoding: str, names: str) -> None:
    columns = [VALUES] * len(names.split(","))
    table = read(text(names, *columns).encode(encoding))
    assert (table.reading.encoding, list(table.frame)) == (encoding, names.split(","))
    (finding,) = [each for each in table.findings if each.code == "encoding"]
    assert finding.remedies


def test_a_wrong_encoding_can_be_overruled() -> None:
    content = text("Größe,x", VALUES, VALUES).encode("latin-1")
    assert next(iter(read(content, encoding="cp1251").frame)) == "GrцЯe"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\r\r\n", "\r\r\r\n"])
def test_any_line_end_ends_a_line(end: str) -> None:
    table = read(PLAIN.replace("\n", end))
    assert (table.rows, table.reading.header, table.reading.first) == (48, (1,), 2)


def test_mixed_line_ends_are_said() -> None:
    table = read(PLAIN.replace("\n", "\r\n", 10))
    assert (table.rows, table.reading.newline) == (48, "mixed")
    assert "line-ends" in codes(table)


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("https://example.org\n", 2),
        ("Category: all\n\n", 3),
        ("Station,Zürich\nLat,47.4\nLon,8.5\n\n", 5),
        ("A remark\n" * 12, 13),
        ("Report,\nMade on 5 May,\n,\n", 4),
    ],
)
def test_lines_above_the_table_are_skipped_and_said(above: str, line: int) -> None:
    table = read(above + PLAIN)
    assert (table.reading.header, table.rows) == ((line,), 48)
    assert "preamble" in codes(table)


@pytest.mark.parametrize(
    ("header", "names", "units"),
    [
        ("t,Temp,Hum\ns,°C,%", ["t", "Temp", "Hum"], [("t", "s"), ("Temp", "°C"), ("Hum", "%")]),
        ("t,Temp,Hum\n,[°C],[%]", ["t", "Temp", "Hum"], [("Temp", "°C"), ("Hum", "%")]),
        (",Wind,\nt,speed,dir", ["t", "Wind speed", "Wind dir"], []),
        ("Price,Close,High\nTicker,A,A\nDate,,", ["Price Ticker Date", "Close A", "High A"], []),
        (
            "'Elapsed','ECG','V'\n'sec','mV','mV'",
            ["Elapsed", "ECG", "V"],
            [("Elapsed", "sec"), ("ECG", "mV"), ("V", "mV")],
        ),
    ],
)
def test_several_lines_name_the_columns(
    header: str, names: list[str], units: list[tuple[str, str]]
) -> None:
    table = read(text(header, range(48), VALUES, VALUES))
    assert (list(table.frame), table.rows) == (names, 48)
    assert table.reading.header == tuple(range(1, header.count("\n") + 2))
    assert table.reading.units == tuple(units)


@pytest.mark.parametrize("mark", ["#", "%", "//"])
def test_comment_lines_are_left_out(mark: str) -> None:
    lines = PLAIN.splitlines()
    lines[20:20] = [f"{mark} a gap, here"]
    table = read(f"{mark} one\n{mark} two, three\n" + "\n".join(lines))
    assert (table.reading.comment, table.rows, table.reading.header) == (mark, 48, (3,))


def test_names_in_a_comment_are_names() -> None:
    table = read("# made by us\n#time,temp\n" + text("", stamps(), VALUES))
    assert (list(table.frame), table.reading.header) == (["time", "temp"], (2,))
    buoy = "#YY MM DD WSPD\n#yr mo dy m/s\n" + text("", stamps("%Y %m %d"), VALUES, sep=" ")
    table = read(buoy)
    assert list(table.frame) == ["YY", "MM", "DD", "WSPD"]
    assert (table.reading.units[-1], table.first_choice) == (("WSPD", "m/s"), "WSPD")


def test_a_column_may_be_called_by_the_mark_of_a_comment() -> None:
    assert list(read(text("#,date,x", range(48), stamps(), VALUES)).frame) == ["#", "date", "x"]


@pytest.mark.parametrize(
    "footer",
    [
        "Total,123.4\n",
        "\nSource: somewhere, 2021\n",
        "Sum,\n",
        "* preliminary\n",
        "Mean,1\nMax,4\n",
        "\n\nNotes:\n1) one, two\n",
        ",\n" * 100,
    ],
)
def test_what_stands_below_the_table_is_left_out_and_said(footer: str) -> None:
    table = read(PLAIN + footer)
    assert table.rows == 48
    (finding,) = [each for each in table.findings if each.code == "footer"]
    kept = read(PLAIN + footer, reading=finding.remedies[0].overrides)
    assert kept.rows > 48 and kept.reading.footer == 0


def test_a_table_without_a_header_gets_numbered_columns_and_a_remedy() -> None:
    table = read(text("", stamps(), VALUES))
    assert (table.reading.header, list(table.frame), table.rows) == (
        (),
        ["column 1", "column 2"],
        48,
    )
    (finding,) = [each for each in table.findings if each.code == "no-header"]
    named = read(text("", stamps(), VALUES), reading=finding.remedies[0].overrides)
    assert (named.rows, named.reading.header) == (47, (1,))


@pytest.mark.parametrize("name", ["Mazda {}", "{}", '"{}"'])
def test_a_header_that_is_one_short_leaves_out_the_rows_names(name: str) -> None:
    table = read(text("a,b", [name.format(row + 1) for row in range(48)], VALUES, VALUES))
    assert (list(table.frame), table.rows) == (["row", "a", "b"], 48)
    assert "short-header" in codes(table)


def test_separators_at_the_ends_of_lines_make_no_columns() -> None:
    for header, row in (
        ("a,b,", "{},{},"),
        ("a,b", "{},{},"),
        ("a,b,", "{},{}"),
        ("a,b,,", "{},{},,"),
    ):
        lines = [header, *(row.format(value, value) for value in VALUES)]
        assert list(read("\n".join(lines) + "\n").frame) == ["a", "b"]


def test_quoted_line_breaks_stay_in_their_cell() -> None:
    table = read(text("date,x,said", stamps(), VALUES, ['"a\nb, ""c"""'] * 48))
    assert (table.rows, table.frame["said"].iloc[0]) == (48, 'a\nb, "c"')


def test_a_quote_that_never_closes_swallows_nothing_in_silence() -> None:
    table = read(PLAIN + '2021-05-01,"5\n2021-05-02,6\n')
    assert table.rows == 50
    assert {"open-quote", "odd-cells"} <= codes(table)
    assert read(text("date,pipe,x", stamps(), ['5" wide'] * 48, VALUES)).rows == 48


FORMATS = [
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d %b %Y",
    "%d-%b-%y",
    "%b %d, %Y",
    "%d %B %Y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%y-%m-%d",
    "%a, %d %b %Y",
    "%Y年%m月%d日",
    "%Y-%b-%d",
    "%d%b%Y",
]


@pytest.mark.parametrize("form", FORMATS)
def test_dates_are_read(form: str) -> None:
    table = read(text("date;x", stamps(form), VALUES, sep=";"))
    assert table.time is not None
    assert [str(table.time[0]), str(table.time[-1])] == [
        "2021-01-05 00:00:00",
        "2021-02-21 00:00:00",
    ]


CLOCKS = [
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%dT%H:%M:%S+00:00",
    "%Y-%m-%d %H:%M:%S.%f",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y, %H:%M",
    "%Y%m%d %H%M",
    "%Y%m%dT%H%M%S",
    "%Y%m%d%H%M",
    "%Y-%m-%d %H:%M:%S UTC",
    "%d-%b-%Y %H:%M:%S",
    "%b %d %Y %H:%M",
    "%Y-%m-%d;%H:%M",
    "%d/%m/%Y;%H.%M.%S",
    "%Y;%m;%d;%H;%M",
    "%m/%d/%Y;%I:%M %p",
    "%Y%m%d;%H:%M:%S",
    "%d.%m.%Y %H:%M - 06.01.2021 00:00",
]


@pytest.mark.parametrize("form", CLOCKS)
def test_times_are_read_from_one_column_or_several(form: str) -> None:
    names = {1: "time", 2: "Date;Time", 5: "Year;Month;Day;Hour;Minute"}[form.count(";") + 1]
    table = read(text(f"{names};x", stamps(form, HALF_HOUR), VALUES, sep=";"))
    assert table.time is not None
    assert [str(table.time[0]), str(table.time[-1])] == [
        "2021-01-05 00:00:00",
        "2021-01-05 23:30:00",
    ]
    assert table.first_choice == "x"


MONTHS = pd.date_range("2018-01-01", periods=48, freq="MS")
GERMAN_MONTHS = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"]
FRENCH_MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]


@pytest.mark.parametrize(
    "cells",
    [
        [f"{month:{form}}" for month in MONTHS]
        for form in (
            "%Y-%m",
            "%m/%Y",
            "%b %Y",
            "%b-%y",
            "%YM%m",
            "%Y%m",
            "%B %Y",
            "%d/%m/%Y",
            "%m/%d/%Y",
        )
    ]
    + [
        [f"{names[month.month - 1]} {month.year}" for month in MONTHS]
        for names in (GERMAN_MONTHS, FRENCH_MONTHS)
    ],
)
def test_months_are_read(cells: list[str]) -> None:
    table = read(text("month,x", cells, VALUES))
    assert table.time is not None
    assert list(table.time) == list(MONTHS)
    assert not codes(table) & {"irregular", "gaps"}


@pytest.mark.parametrize(
    ("name", "cells", "first"),
    [
        ("q", [f"{2000 + row // 4}Q{row % 4 + 1}" for row in range(48)], "2000-01-01 00:00:00"),
        ("w", [f"2021-W{row + 1:02d}" for row in range(48)], "2021-01-04 00:00:00"),
        ("Year", [1900 + row for row in range(48)], "1900-01-01 00:00:00"),
        ("timestamp", [1_600_000_000 + row * 60 for row in range(48)], "2020-09-13 12:26:40"),
        ("ts", [1_600_000_000_000 + row * 60_000 for row in range(48)], "2020-09-13 12:26:40"),
        ("t", [1_600_000_000 + row / 4 for row in range(48)], "2020-09-13 12:26:40"),
        ("Date", [44_000 + row for row in range(48)], "2020-06-18 00:00:00"),
        ("decimal_date", [f"{1990 + row / 12:.4f}" for row in range(48)], "1990-01-01 00:00:00"),
        (
            "MESS_DATUM",
            [2021010500 + row % 24 + row // 24 * 100 for row in range(48)],
            "2021-01-05 00:00:00",
        ),
        ("t", [f"{cell}+01:00" for cell in stamps("%Y-%m-%dT%H:%M:%S")], "2021-01-04 23:00:00"),
        (
            "t",
            [f"05.01.2021 {row // 2 + 1:02d}:{row % 2 * 30:02d}" for row in range(46)]
            + ["05.01.2021 24:00", "06.01.2021 00:30"],
            "2021-01-05 01:00:00",
        ),
    ],
)
def test_times_in_other_guises_are_read(name: str, cells: list[Any], first: str) -> None:
    table = read(text(f"{name};x", cells, VALUES, sep=";"))
    assert table.time is not None and str(table.time[0]) == first
    assert table.first_choice == "x"
    assert not codes(table) & {"unordered", "unread-times"}


def test_day_and_month_are_told_apart_by_order_or_the_doubt_is_said() -> None:
    table = read(text("date,x", [f"{month:%d/%m/%Y}" for month in MONTHS], VALUES))
    assert "dates-by-order" in codes(table)
    random = ["03/04/2020", "05/09/2021", "01/02/2020", "07/07/2022"] * 3
    doubtful = text("date,x", random, VALUES[:12])
    table = read(doubtful)
    (finding,) = [each for each in table.findings if each.code == "ambiguous-dates"]
    assert table.frame.index[0] == pd.Timestamp("2020-03-04")
    turned = read(doubtful, reading=finding.remedies[0].overrides)
    assert turned.frame.index[0] == pd.Timestamp("2020-04-03")


def test_the_start_and_the_rate_may_stand_in_the_first_rows_or_above() -> None:
    for columns in (1, 3):
        rows = [
            ["1592985316.0"] * columns,
            ["32.0"] * columns,
            *([[f"{v}"] * columns for v in VALUES]),
        ]
        table = read("\n".join(", ".join(row) for row in rows))
        assert (table.rows, table.reading.first, table.reading.step) == (48, 3, 1 / 32)
        assert table.time is not None and str(table.time[0]) == "2020-06-24 07:55:16"
    above = "Start time: 2021-01-05 10:00:00\nSampling rate: 4 Hz\n"
    table = read(above + text("x,y", VALUES, VALUES))
    assert table.time is not None
    assert [str(each) for each in table.time[:2]] == [
        "2021-01-05 10:00:00",
        "2021-01-05 10:00:00.250000",
    ]


def test_start_and_step_can_be_told() -> None:
    table = read(text("x", VALUES), start="2024-01-31", step=3600)
    assert table.time is not None and str(table.time[1]) == "2024-01-31 01:00:00"


def test_newest_first_is_turned_for_learning_and_kept_in_the_frame() -> None:
    table = read(text("date,x", stamps()[::-1], VALUES))
    assert "newest-first" in codes(table)
    same(table, "x", VALUES[::-1])
    assert list(table.frame["x"]) == VALUES
    same(read(text("date,x", stamps()[::-1], VALUES), order="file"), "x", VALUES)


def test_rows_out_of_order_are_put_in_order() -> None:
    rows = np.random.default_rng(0).permutation(48)
    table = read(text("date,x", np.array(stamps())[rows], np.array(VALUES)[rows]))
    assert "unordered" in codes(table)
    same(table, "x", VALUES)


def test_repeats_gaps_and_clock_changes_are_said() -> None:
    days = stamps(rows=60)
    assert "repeated-times" in codes(read(text("d,x", days[:10] + days[9:47], VALUES)))
    gap = read(text("d,x", days[:10] + days[15:53], VALUES))
    (finding,) = [each for each in gap.findings if each.code == "gaps"]
    assert finding.sentence == (
        "One step is longer than the usual 1 d (rows lacking: 5; the longest gap is 6 d, after"
        " 2021-01-14 00:00:00)."
    )
    hours = pd.date_range("2021-03-25", "2021-11-05", freq="h", tz="Europe/Berlin").tz_localize(
        None
    )
    local = read(text("d,x", hours, np.arange(len(hours)) % 24))
    assert {"repeated-times", "gaps", "clock-change"} <= codes(local)
    work = pd.bdate_range("2021-01-04", periods=48)
    assert codes(read(text("d,x", work, VALUES))) & {"working-days", "gaps"} == {"working-days"}


@pytest.mark.parametrize(
    "mark",
    [
        "NA",
        "NaN",
        "?",
        "-",
        ".",
        "***",
        "null",
        "N/A",
        "#N/A",
        "--",
        "None",
        "#DIV/0!",
        "\\N",
        "k.A.",
        "",
    ],
)
def test_marks_of_missing_values_are_missing_and_said(mark: str) -> None:
    cells = [mark if row % 5 == 2 else value for row, value in enumerate(VALUES)]
    table = read(text("date,x", stamps(), cells))
    assert int(table.frame["x"].isna().sum()) == 10
    assert ("missing-marks" if mark else "empty-cells") in codes(table)
    assert table.reading.missing == ((mark,) if mark else ())


@pytest.mark.parametrize(
    "code",
    ["-200", "-999", "-9999", "-99", "-99.9", "-999.9", "999.9", "9999", "99999", "-9999.00"],
)
def test_numbers_that_stand_for_missing_are_taken_out_and_said(code: str) -> None:
    cells = [code if row % 5 == 2 else abs(value) for row, value in enumerate(VALUES)]
    table = read(text("date,x", stamps(), cells))
    assert int(table.frame["x"].isna().sum()) == 10
    (finding,) = [each for each in table.findings if each.code == "sentinel"]
    kept = read(text("date,x", stamps(), cells), reading=finding.remedies[0].overrides)
    assert int(kept.frame["x"].isna().sum()) == 0


@pytest.mark.parametrize(
    "cells",
    [[-1, 0, 1] * 16, [99.9, 55.5, 80.1, 97.0] * 12, [999, 940, 941, 942] * 12, [-1, 1] * 24],
)
def test_numbers_that_only_look_like_marks_are_numbers(cells: list[float]) -> None:
    table = read(text("date,x", stamps(), cells))
    assert "sentinel" not in codes(table)
    same(table, "x", cells)


def test_a_mark_of_ones_own_can_be_told() -> None:
    cells = ["bad" if row % 3 == 2 else abs(value) for row, value in enumerate(VALUES)]
    content = text("date,x", stamps(), cells)
    table = read(content, missing="bad")
    assert (int(table.frame["x"].isna().sum()), table.reading.missing) == (16, ("bad",))
    one = read(text("date,x", stamps(), [7, *VALUES[1:]]), missing_in=[["x", "7"]])
    assert np.isnan(one.columns["x"][0]) and one.reading.missing_in == (("x", "7"),)


def test_a_few_words_among_numbers_count_as_missing_or_make_a_column_of_text() -> None:
    content = text("date,x,y", stamps(), ["<1", *VALUES[1:]], VALUES)
    table = read(content)
    (finding,) = [each for each in table.findings if each.code == "odd-cells"]
    assert finding.sentence == "One cell of column 'x' is no number ('<1'); it counts as missing."
    kept = read(content, reading=finding.remedies[0].overrides)
    assert kept.others == ("date", "x") and kept.frame["x"].iloc[0] == "<1"


def test_infinity_is_no_number() -> None:
    table = read(text("date,x", stamps(), ["inf", *VALUES[1:]]))
    assert np.isnan(table.columns["x"][0]) and "odd-cells" in codes(table)


def test_constant_empty_counting_and_identifying_columns_are_told() -> None:
    ids = [10**17 + row * 7919 for row in range(48)]
    table = read(
        text("No,id,same,none,word,x", range(48), ids, [5] * 48, [""] * 48, ["a"] * 48, VALUES)
    )
    assert dict(table.kinds) == {
        "No": "counter",
        "id": "identifier",
        "same": "constant",
        "none": "empty",
        "word": "words",
        "x": "number",
    }
    assert table.first_choice == "x"
    assert codes(table) >= {
        "counter",
        "identifier",
        "constant-columns",
        "empty-columns",
        "words",
        "precision",
    }


def test_time_along_the_columns_is_said_and_can_be_turned() -> None:
    years = list(range(1960, 2000))
    rows = [[f"C{row}", *((row * year) % 17 for year in years)] for row in range(20)]
    content = "\n".join(",".join(map(str, row)) for row in [["Country", *years], *rows])
    table = read(content)
    assert (table.reading.layout, table.reading.header, len(table.frame)) == ("wide", (1,), 20)
    (finding,) = [each for each in table.findings if each.code == "wide-panel"]
    turned = read(content, reading=finding.remedies[0].overrides)
    assert (list(turned.columns)[:2], turned.rows) == (["C0", "C1"], 40)
    same(turned, "C7", [(7 * year) % 17 for year in years])
    assert turned.time is not None and str(turned.time[0].date()) == "1960-01-01"


def test_years_down_and_months_across_can_be_unrolled() -> None:
    header = "Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec"
    rows = [
        f"{1950 + row}," + ",".join(f"{row * 12 + month}" for month in range(12))
        for row in range(20)
    ]
    content = "\n".join([header, *rows])
    (finding,) = [each for each in read(content).findings if each.code == "month-grid"]
    unrolled = read(content, reading=finding.remedies[0].overrides)
    same(unrolled, "value", list(range(240)))
    assert unrolled.time is not None and str(unrolled.time[13].date()) == "1951-02-01"


@pytest.mark.parametrize("together", [True, False])
def test_series_below_each_other_are_told_and_can_be_put_side_by_side(together: bool) -> None:
    rows = [(shop, day) for shop in range(5) for day in range(48)]
    rows.sort(key=lambda row: row[0] if together else row[1])
    content = text(
        "shop,date,sales",
        [f"s{shop}" for shop, _day in rows],
        [stamps()[day] for _shop, day in rows],
        [shop * 100 + VALUES[day] for shop, day in rows],
    )
    table = read(content)
    assert (table.reading.layout, table.reading.id, table.rows) == ("long", "shop", 240)
    assert table.groups is not None and list(np.bincount(table.groups)) == [48] * 5
    (finding,) = [each for each in table.findings if each.code == "long-panel"]
    side = read(content, reading=finding.remedies[0].overrides)
    assert (list(side.columns), side.rows) == (["s0", "s1", "s2", "s3", "s4"], 48)
    same(side, "s3", [300 + value for value in VALUES])
    assert read(content, id="").groups is None


def test_series_may_be_told_apart_by_a_number_and_count_their_rows() -> None:
    units = [unit for unit in range(1, 6) for _row in range(30)]
    table = read(text("id,time,value", units, list(range(30)) * 5, np.arange(150) % 13))
    assert (table.reading.layout, table.reading.id, table.first_choice) == ("long", "id", "value")


def test_more_columns_than_can_be_chosen_from_get_a_sentence() -> None:
    content = text(",".join(f"c{column}" for column in range(210)), *[VALUES] * 210)
    table = read(content)
    assert (len(table.columns), table.frame.shape) == (200, (48, 210))
    (finding,) = [each for each in table.findings if each.code == "many-columns"]
    assert finding.sentence == "There are 210 columns of numbers; the first 200 are offered."
    assert refusal((b"1," * 5000 + b"1\n") * 12) == (
        "This file has 5,001 columns; keep at most 2,000 and upload it again."
    )


def test_a_file_that_is_cut_off_loses_its_last_line_and_says_so() -> None:
    table = read(PLAIN + "2021-05-01")
    assert table.rows == 48 and codes(table) & {"cut-off", "short-rows"} == {"cut-off"}
    assert "padding" in codes(read(PLAIN.encode() + b"\0" * 50))
    assert read(PLAIN + "\x1a").rows == 48
    cut = text("x,place", VALUES, ["Zürich"] * 48).encode() + b"3,Z\xc3"
    assert read(cut).rows == 49


def test_broken_characters_are_said() -> None:
    content = text("place,x", ["Zürich"] * 48, VALUES).encode() + b"Z\xfcrich,3\n"
    table = read(content)
    assert table.reading.encoding == "utf-8" and "damaged-text" in codes(table)


def test_rows_of_other_widths_are_refused_left_out_or_filled_and_said() -> None:
    assert refusal("a,b\n" + "1,2\n" * 20 + "1,2,3\n").startswith(
        "This file can't be read as a table: line 22 has 3 cells, the ones before it 2."
    )
    few = read("a,b\n" + "1,2\n3,4\n" * 100 + "1,2,3\n" + "5,6\n" * 5)
    assert few.rows == 205 and "long-rows" in codes(few)
    short = read("a,b,c\n" + "1,2,3\n" * 20 + "4,5\n" * 10)
    assert int(short.frame["c"].isna().sum()) == 10 and "short-rows" in codes(short)
    assert "repeated-header" in codes(read(PLAIN + PLAIN))


def zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.csv", PLAIN)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\t\r\n ", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a,b,c\n", "no data rows"),
        (b"a,b\n1,2\n", "1 data row;"),
        (b"a,b\n" + b"1,2\n" * 9, "9 data rows"),
        (b'{"a": [1, 2]}', "JSON"),
        (b'[{"a": 1}]', "JSON"),
        (b'{"a": 1}\n' * 30, "JSON"),
        (b"<?xml version='1.0'?><a/>", "XML"),
        (b"<svg xmlns='x'></svg>", "XML"),
        (b"\n <!DOCTYPE html><html>", "HTML"),
        (b"<html>\n<table>", "HTML"),
        (gzip.compress(PLAIN.encode()), "gzip"),
        (zipped(), "zipped"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n\0\0", "picture"),
        (b"\xff\xd8\xff\xe0\0", "picture"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "Excel"),
        (b"PAR1\x15", "Parquet"),
        (b"\x93NUMPY\1", "NumPy"),
        (PLAIN.encode().replace(b"2021-01-10", b"20\0\0\0"), "binary"),
        (b"who,what\n" + b"ann,bob\n" * 20, "No column of this file holds only numbers"),
        (
            text("id,name", [10**17 + 7919 * row for row in range(48)], ["x"] * 48).encode(),
            "nothing to forecast",
        ),
        (b"It was a dark night.\nThe rain fell, in torrents; except\n" * 20, "No column"),
        (np.random.default_rng(0).integers(0, 256, 3000, dtype=np.uint8).tobytes(), ""),
        (b"a\n" + b"1\n" * 600_000, "600,001 lines"),
        (b"1" * 20_000_001, "20 MB"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    assert reason in refusal(content)


def test_a_path_that_is_no_file_is_refused() -> None:
    for path in ("/nowhere/at/all.csv", "/", "a\0b"):
        with pytest.raises(GruvizError, match="can't be opened"):
            read_csv(path)


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"separator": "::"}, "separator"),
        ({"decimal": ";"}, "decimal"),
        ({"header": 0}, "header"),
        ({"encoding": "klingon"}, "klingon"),
        ({"time": "nowhere"}, "nowhere"),
        ({"text": "nowhere"}, "nowhere"),
        ({"colour": "red"}, "colour"),
        ({"footer": -1}, "footer"),
        ({"footer": 48}, "48 rows"),
        ({"decimal": ",", "thousands": ","}, "decimal"),
        ({"reshape": "pivot"}, "several series"),
        ({"reshape": "transpose"}, "named by times"),
        ({"time": "x"}, "'x'"),
        ({"time": "date", "time_format": "%d.%m.%Y"}, "%d.%m.%Y"),
        ({"missing_in": [["x", "abc"]]}, "abc"),
        ({"start": "soon", "time": None, "step": 1}, "soon"),
    ],
)
def test_an_override_that_can_not_be_is_refused_by_name(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(GruvizError) as caught:
        read(PLAIN, **changes)
    assert part in str(caught.value)


def test_every_part_of_a_reading_can_be_overruled() -> None:
    content = (
        "% head\nn;x\n" + "\n".join(f"{row};1.{row:03d}" for row in range(100, 148)) + "\nend;9"
    )
    table = read(
        content,
        comment="%",
        separator=";",
        decimal=",",
        thousands=".",
        header=2,
        first=4,
        footer=2,
        quote="",
        time=[],
        order="file",
    )
    same(table, "x", [1000 + row for row in range(101, 147)])
    assert table.reading.header == (2,)


def test_progress_runs_from_nothing_to_all() -> None:
    told: list[tuple[float, str]] = []
    read(PLAIN, progress=lambda share, what: told.append((share, what)))
    shares = [share for share, _what in told]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0, 1)
    assert all(what for _share, what in told)


def test_names_and_cells_stay_data_in_sentences() -> None:
    table = read(text("date,<b>{x}</b>,{0}", stamps(), VALUES, [5] * 48))
    assert "'{0}'" in " ".join(finding.sentence for finding in table.findings)

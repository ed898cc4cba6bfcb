"""Any frame in any dialect comes back equal; any bytes give a table or the one error."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from gruviz.csv import MAX_COLUMNS, Overrides, Table, read_csv
from gruviz.errors import GruvizError
from tests.test_experiment import SURE


@dataclass(frozen=True)
class Written:
    """A file, and what is to come back of it."""

    content: bytes
    frame: pd.DataFrame
    parts: dict[str, Any]


THOUSANDS = {".": ["", ",", " ", "'"], ",": ["", ".", " "]}
# Cells that keep every row from looking like a remark, a time or a mark of a missing value.
WORDS = st.text("abcdeäß;,\t|\"'\n .:", max_size=12).map(lambda text: f"Ort{text}e")


def number(hundredths: int, decimal: str, thousands: str) -> str:
    """A number of hundredths as people write it."""
    whole = f"{abs(hundredths) // 100:,}".replace(",", thousands)
    return f"{'-' if hundredths < 0 else ''}{whole}{decimal}{abs(hundredths) % 100:02d}"


@st.composite
def files(draw: st.DrawFn) -> Written:
    """A frame of numbers and words in one of the dialects that the reader must cope with."""
    rows = draw(st.integers(10, 25))
    separator = draw(st.sampled_from([",", ";", "\t", "|"]))
    decimal = draw(st.sampled_from([".", ","]))
    thousands = draw(st.sampled_from(THOUSANDS[decimal]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    mark = draw(st.sampled_from(["", "NA", "?", "-", "***", "n/a"]))
    newline = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"]))
    before = draw(st.sampled_from(["", "Report of the station\n\n", "# made by us\n# in May\n"]))
    names = draw(
        st.lists(
            st.text("abcdefgäöß ()%", max_size=9).map(lambda name: f"n{name}e"),
            min_size=3,
            max_size=5,
            unique=True,
        )
    )
    values = draw(
        st.lists(
            st.lists(
                st.none() | st.integers(-(10**9), 10**9),
                min_size=len(names) - 1,
                max_size=len(names) - 1,
            ),
            min_size=rows,
            max_size=rows,
        )
    )
    # Evidence: one number of each column that can be read in one way only.
    values[0] = [123_456_725 for _value in values[0]]
    words = draw(st.lists(WORDS, min_size=rows, max_size=rows))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow(names)
    for row, word in zip(values, words, strict=True):
        cells = [mark if v is None else number(v, decimal, thousands) for v in row]
        writer.writerow([*cells, word])
    text = (before + out.getvalue()).replace("\n", newline)
    frame = pd.DataFrame(
        {
            name: [np.nan if v is None else v / 100 for v in column]
            for name, column in zip(names[:-1], zip(*values, strict=True), strict=True)
        },
        dtype=np.float64,
    )
    frame[names[-1]] = pd.array(words, "str")
    lines = before.count("\n")
    parts = {
        "separator": separator,
        "decimal": decimal,
        "thousands": thousands,
        "header": (lines + 1,),
        "first": lines + 2,
    }
    return Written(text.encode(encoding), frame, parts)


@SURE
@given(files())
def test_any_frame_in_any_dialect_comes_back_equal(written: Written) -> None:
    # Every number may be drawn, those that stand for a missing value elsewhere among them.
    table = read_csv(written.content, missing_in=(), time=())
    found = {part: getattr(table.reading, part) for part in written.parts}
    assert found == written.parts
    pd.testing.assert_frame_equal(table.frame, written.frame)


@SURE
@given(files())
def test_a_frame_comes_back_equal_when_its_dialect_is_told(written: Written) -> None:
    table = read_csv(
        written.content,
        missing_in=(),
        time=(),
        missing=["NA", "?", "-", "***", "n/a"],
        **written.parts,
    )
    pd.testing.assert_frame_equal(table.frame, written.frame)


PIECES = st.sampled_from(
    [
        ",",
        ",,",
        "\n",
        "\r\n",
        "\r",
        '"',
        '""',
        "'",
        ";",
        "\t",
        " ",
        "a",
        "é",
        "#",
        "\\",
        "\ufeff",
        "1",
        "-2.5",
        "1,5",
        "1.234,5",
        "1e5",
        "1e999",
        "nan",
        "inf",
        "NA",
        "-",
        "?",
        "-200",
        "-9999",
        "True",
        "0x1f",
        "9" * 25,
        "18446744073709551616",
        "-9223372036854775809",
        "2020-01-01",
        "01/02/2020",
        "10:30",
        "24:00",
        "1592985316",
        "19991231",
        "1999",
        "Q1 2020",
        "2020-W01",
        "\0",
        "\x1a",
        "\u2028",
        "=1+1",
        "1_000",
        "1j",
        "5%",
        "€",
        "3 °C",
        "(3)",
        "Jan",
        "日",
        "{",
        "<a>",
        "%",
        "1.5K",
        "2M",
        "3#",
        "4 p",
        "5<br />",
        "D-1/3/90",
        "199013",
        "13",
        "Unit",
        "Source",
        "lat",
        "year",
    ]
)
ROWS = st.tuples(st.lists(PIECES, max_size=8), st.lists(PIECES, max_size=8)).map(
    lambda parts: "".join(parts[0]) + ("\n" + "".join(parts[1])) * 14
)
MIXED = st.tuples(
    st.lists(PIECES, max_size=6).map("".join),
    st.lists(st.lists(PIECES, min_size=3, max_size=3), min_size=10, max_size=16),
    st.sampled_from([",", ";", "\t", " "]),
).map(lambda parts: parts[0] + "\n" + "\n".join(parts[2].join(row) for row in parts[1]))
BYTES = (
    st.binary(max_size=300)
    | st.lists(PIECES, max_size=200).map("".join).map(str.encode)
    | st.tuples(ROWS | MIXED, st.sampled_from(["utf-8", "utf-16", "utf-16-be", "gb18030"])).map(
        lambda pair: pair[0].encode(pair[1], "ignore")
    )
)
COLUMN = st.sampled_from(["column 1", "column 2", "a", "row", "1", "nowhere"])
COLUMNS = st.lists(COLUMN, max_size=2).map(tuple)
OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "encoding": st.sampled_from(
            ["utf-8", "latin-1", "utf-16", "idna", "rot13", "zip", "no\0ne"]
        ),
        "separator": st.sampled_from([",", ";", " ", "", "\t", '"', "a", "é"]),
        "quote": st.sampled_from(['"', "'", "", ",", "é"]),
        "comment": st.sampled_from(["#", "", "a", "//"]),
        "decimal": st.sampled_from([".", ","]),
        "thousands": st.sampled_from(["", ",", ".", " ", "'"]),
        "header": st.lists(st.integers(1, 9), max_size=3).map(tuple),
        "first": st.integers(1, 30),
        "footer": st.integers(0, 30),
        "missing": st.lists(st.sampled_from(["NA", "1", "x", "-2.5", "nan"]), max_size=3).map(
            tuple
        ),
        "missing_in": st.lists(
            st.tuples(COLUMN, st.sampled_from(["1", "x", "inf"])), max_size=2
        ).map(tuple),
        "text": COLUMNS,
        "time": COLUMNS,
        "time_format": st.sampled_from(
            ["%Y", "%d.%m.%Y", "unix s", "excel", "week", "%", "%Q", "("]
        ),
        "start": st.sampled_from(
            ["2020-01-01", "soon", "", "9999-12-31", "2020-01-01T00:00+02:00"]
        ),
        "step": st.sampled_from([1e-6, 0.25, 86_400.0, 9e11]),
        "order": st.sampled_from(["time", "file"]),
        "reshape": st.sampled_from(["", "pivot", "transpose"]),
        "id": COLUMN | st.just(""),
        "value": COLUMN,
    },
)


def check(table: Table) -> None:
    """What holds for every table."""
    assert 0 < len(table.columns) <= MAX_COLUMNS and table.first_choice in table.columns
    for values in table.columns.values():
        assert values.dtype == np.float64 and values.shape == (table.rows,)
        assert not np.isinf(values).any() and not np.isnan(values).all()
    assert table.rows == len(table.frame)
    assert sorted(table.order) == list(range(table.rows))
    assert table.time is None or len(table.time) == table.rows
    assert table.groups is None or len(table.groups) == table.rows
    for finding in table.findings:
        assert finding.sentence
        for remedy in finding.remedies:
            assert remedy.label
            assert Overrides.from_json(remedy.overrides.to_json()) == remedy.overrides


@SURE
@given(BYTES)
def test_any_bytes_give_a_table_or_a_reason(content: bytes) -> None:
    try:
        table = read_csv(content)
    except GruvizError:
        return
    check(table)
    for finding in table.findings:  # a remedy is a call, too
        for remedy in finding.remedies:
            try:
                check(read_csv(content, remedy.overrides))
            except GruvizError:
                continue


@SURE
@given(BYTES, OVERRIDES)
def test_any_bytes_read_in_any_way_give_a_table_or_a_reason(
    content: bytes, changes: dict[str, Any]
) -> None:
    try:
        table = read_csv(content, **changes)
    except GruvizError:
        return
    check(table)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=6,
)


@SURE
@given(OVERRIDES)
def test_overrides_travel_as_json(changes: dict[str, Any]) -> None:
    overrides = Overrides.of(**changes)
    again = Overrides.from_json(overrides.to_json())
    assert again == overrides and hash(again) == hash(overrides)


@SURE
@given(st.dictionaries(st.sampled_from([*Overrides.__annotations__, "other"]), JSON, max_size=3))
def test_overrides_from_a_hostile_link_are_overrides_or_a_reason(plain: dict[str, Any]) -> None:
    import json

    try:
        overrides = Overrides.from_json(json.dumps(plain))
    except GruvizError:
        return
    assert isinstance(hash(overrides), int)

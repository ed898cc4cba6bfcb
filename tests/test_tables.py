"""Reading a file as a table: equal numbers back, or one sentence that says why not."""

import hashlib
from csv import DictReader

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruviz.data.tables import (
    MAX_BYTES,
    SAMPLE_NAMES,
    SAMPLES,
    Table,
    read_table,
    sample,
)
from gruviz.errors import GruvizError
from tests.test_experiment import SURE


def reason(content: bytes) -> str:
    """Why a file is refused."""
    with pytest.raises(GruvizError) as caught:
        read_table(content, "file.csv")
    return str(caught.value)


def csv(header: str, row: str, rows: int = 20) -> bytes:
    return "\n".join([header, *[row] * rows]).encode()


def test_numbers_words_and_gaps_are_told_apart() -> None:
    lines = ["day, sun ,wind,cloud", *(f"d{row},{row}.5, {row}e2,few" for row in range(18))]
    content = "\n".join([*lines, "d18,,NA,few", "d19,NaN,-1,many", ""]).encode()
    table = read_table(content, "weather.csv")
    assert table.name == "weather.csv"
    assert table.digest == hashlib.sha256(content).hexdigest()
    assert table.rows == 20
    assert list(table.columns) == ["sun ", "wind"]
    assert table.others == ("day", "cloud")
    np.testing.assert_array_equal(table.columns["sun "], [*np.arange(18) + 0.5, np.nan, np.nan])
    np.testing.assert_array_equal(table.columns["wind"], [*np.arange(18) * 100.0, np.nan, -1])
    assert len(table.head) == 8


@SURE
@given(
    st.lists(
        st.lists(
            st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-(2**53), 2**53),
            min_size=3,
            max_size=3,
        ),
        min_size=20,
        max_size=30,
    ),
    st.lists(
        st.text("abcxyzäß🙂 '\"\n,.-_%", min_size=1, max_size=8).map(lambda name: "n" + name),
        min_size=3,
        max_size=3,
        unique=True,
    ),
)  # fmt: skip
def test_any_frame_of_finite_numbers_comes_back_equal(
    rows: list[list[float]], names: list[str]
) -> None:
    frame = pd.DataFrame(rows, columns=names, dtype=np.float64)
    table = read_table(frame.to_csv(index=False).encode(), "x")
    assert list(table.columns) == [name.replace("\r\n", "\n") for name in names]
    for name in names:
        np.testing.assert_array_equal(table.columns[name], frame[name].to_numpy())


PIECES = st.sampled_from(
    [",", ",,", "\n", "\r\n", "\r", '"', '""', "'", ";", "\t", " ", "a", "é", "#", "\\", "\ufeff",
     "1", "-2.5", "1e5", "1e999", "nan", "inf", "True", "0x1f", "9" * 25, "18446744073709551616",
     "-9223372036854775809", "2020-01-01", "\0", "\x1a", "\u2028", "=1+1", "1_000", "1j"]
)  # fmt: skip


@SURE
@given(
    st.binary(max_size=300)
    | st.lists(PIECES, max_size=200).map("".join).map(str.encode)
    | st.tuples(st.lists(PIECES, max_size=6), st.lists(PIECES, max_size=6)).map(
        lambda parts: ("".join(parts[0]) + ("\n" + "".join(parts[1])) * 25).encode()
    )
)
def test_any_bytes_give_a_table_or_a_reason(content: bytes) -> None:
    try:
        table = read_table(content, "x")
    except GruvizError:
        return
    assert isinstance(table, Table)
    assert table.columns and table.first_choice in table.columns
    for values in table.columns.values():
        assert values.dtype == np.float64 and values.shape == (table.rows,)
        assert not np.isinf(values).any() and not np.isnan(values).all()


def test_a_byte_order_mark_is_not_part_of_the_first_name() -> None:
    assert list(read_table(b"\xef\xbb\xbf" + csv("sun,rain", "1,2"), "x").columns) == [
        "sun",
        "rain",
    ]


def test_equal_names_are_told_apart() -> None:
    assert list(read_table(csv("a,a", "1,2"), "x").columns) == ["a", "a.1"]


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n "])
def test_an_empty_file_is_said_to_be_empty(content: bytes) -> None:
    assert reason(content) == "This file is empty; choose one with a header line and rows."


def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    assert reason(b"1" * (MAX_BYTES + 1)) == "This file has 20 MB; upload at most 20 MB."


def test_other_encodings_are_refused_at_their_byte() -> None:
    content = csv("año,b", "1,2").decode().encode("latin-1")
    assert reason(content) == (
        "This file isn't UTF-8 text (byte 1 can't be read); save it as CSV UTF-8."
    )


def test_a_binary_file_is_said_to_be_binary() -> None:
    assert reason(b"a,b\n\0\0\0") == ("This file is binary, not text; save the table as CSV UTF-8.")


@pytest.mark.parametrize(("mark", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_another_separator_is_named(mark: str, word: str) -> None:
    content = csv(f"a{mark}b{mark}c", f"1,5{mark}2,5{mark}3")
    assert reason(content) == (
        f"The columns of this file are separated by {word}; save it with commas."
    )


def test_a_row_that_is_longer_than_the_header_is_refused_and_not_cut() -> None:
    message = reason(csv("a,b", "1,2") + b"\n1,2,3\n")
    assert message.startswith("This file can't be read as a table: ")
    assert message.endswith(
        " Save it as CSV with one header line and the same number of commas in each row."
    )
    assert reason(csv("a,b", "1,2,3")) == (
        "Some rows have more cells than the header has names; remove any lines above the header,"
        " or name every column."
    )


def test_an_open_quote_never_swallows_rows_in_silence() -> None:
    message = reason(csv("a,b", "1,2") + b'\n1,"2\n')
    assert message.startswith("This file can't be read as a table: ")


def test_too_few_rows_and_too_many_columns_are_counted() -> None:
    assert reason(csv("a,b", "1,2", 19)) == (
        "This file has 19 data rows; at least 20 are needed to learn from."
    )
    wide = csv(",".join(f"c{column}" for column in range(201)), ",".join("1" * 201))
    assert reason(wide) == "This file has 201 columns; keep at most 200 and upload it again."


def test_a_file_without_numbers_names_its_columns() -> None:
    assert reason(csv("who,what", "ann,1.5.0")) == (
        "No column of this file holds only numbers (with a decimal point); the columns found are:"
        " 'who', 'what'."
    )


def test_one_word_among_numbers_makes_a_column_of_words() -> None:
    table = read_table(csv("a,b", "1,2") + b"\n1,two\n", "x")
    assert (list(table.columns), table.others) == (["a"], ("b",))
    table = read_table(csv("a,b", "1,2") + b"\n1,inf\n", "x")
    assert (list(table.columns), table.others) == (["a"], ("b",))


def test_the_first_choice_is_the_first_column_that_does_not_just_count_up() -> None:
    rows = "".join(f"{1900 + row},{row % 3},{row % 5}\n" for row in range(20))
    assert read_table(f"year,rain,sun\n{rows}".encode(), "x").first_choice == "rain"
    rows = "".join(f"{1900 + row}\n" for row in range(20))
    assert read_table(f"year\n{rows}".encode(), "x").first_choice == "year"


@pytest.mark.parametrize("name", SAMPLE_NAMES)
def test_every_sample_is_read_as_it_is(name: str) -> None:
    table = sample(name)
    with (SAMPLES / f"{name}.csv").open(newline="") as file:
        rows = [row[table.first_choice] for row in DictReader(file)]
    assert table.rows == len(rows)
    values = [float(cell) if cell else np.nan for cell in rows]
    np.testing.assert_array_equal(table.columns[table.first_choice], values)


def test_the_samples_offer_the_columns_that_one_would_forecast() -> None:
    assert {name: sample(name).first_choice for name in SAMPLE_NAMES} == {
        "sunspots_yearly": "SUNACTIVITY", "co2_weekly": "co2", "airline_passengers": "Passengers",
    }  # fmt: skip


def test_a_header_of_a_hundred_thousand_equal_names_is_refused_before_it_is_parsed() -> None:
    message = reason(b"a," * 100_000 + b"a\n1\n")
    assert message == "This file has 100,001 columns; keep at most 200 and upload it again."


def test_more_lines_than_are_read_in_good_time_are_refused() -> None:
    message = reason(b"a\n" + b"1\n" * 600_000)
    assert message == "This file has 600,001 lines; keep at most 500,000 and upload it again."

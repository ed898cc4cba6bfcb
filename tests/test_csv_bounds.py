"""Files that would keep a server busy: bounded work, refusals, and a callback that can stop it."""

import inspect
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow.compute as pc
import pytest

from gruviz.csv import read_csv
from gruviz.csv.cells import LONGEST, WORDS, _kind, kind
from gruviz.csv.formats import formats
from gruviz.csv.reader import MAX_CELLS, MAX_LINE
from gruviz.csv.records import HEAD_CHARACTERS, LEAST_LINES, head_of
from gruviz.errors import GruvizError
from tests.test_csv_kinds import VALUES, refusal, stamps, text


@pytest.mark.parametrize("piece", [b"a", b"1", b",", b'"', b"1.5,", b"\xe9", b"<a:", b"a\t'"])
def test_a_giant_line_is_refused_by_its_length_alone(piece: bytes) -> None:
    content = b"a,b\n1,2\n" + piece * (2_000_000 // len(piece)) + b"\n"
    assert refusal(content) == (
        f"Line 3 has {2_000_000 // len(piece) * len(piece):,} characters, more than a row of a table may"
        f" have ({MAX_LINE:,}); save the table as CSV with a line for each row."
    )


def test_more_cells_than_can_be_read_are_refused_before_they_are() -> None:
    assert refusal((b"," * 1999 + b"\n") * 6000) == (
        f"This file has 11,996,000 cells; keep at most {MAX_CELLS:,} and upload it again: leave out"
        " columns or rows."
    )


def test_blank_lines_at_the_end_are_no_lines() -> None:
    table = read_csv(text("date,x", stamps(), VALUES).encode() + b" \n\t\n" * 400_000)
    assert table.rows == 48


def test_the_dialect_is_told_by_few_lines_where_they_are_long() -> None:
    assert len(head_of(["a,b"] * 1000)) == 400
    assert len(head_of(["a" * MAX_LINE] * 400)) == LEAST_LINES
    assert sum(map(len, head_of(["a" * 10_000] * 400))) <= HEAD_CHARACTERS


def test_long_cells_are_words_and_are_not_remembered() -> None:
    _kind.cache_clear()
    assert kind("2021-01-01" + "-" * 100_000) == kind("1" * (LONGEST + 1)) == WORDS
    assert _kind.cache_info().currsize == 0
    assert formats("2021-01-01" + "-" * 100_000) == []


def test_many_returns_end_few_lines_and_many_tabs_hold_no_quote() -> None:
    assert read_csv(b"x,y\r\n" + b"1,2\r\r\r\n3,5\r\n" * 30).rows == 60
    assert read_csv(b"\t" * 150_000 + b"'a\n" + b"1\t2\n3\t5\n" * 30).rows == 60


def cells_parsed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[int]:
    """How many cells each call of pandas for times was given while a file was read."""
    given: list[int] = []
    whole = pd.to_datetime

    def counted(cells: Any, *args: Any, **kwargs: Any) -> Any:
        given.append(len(cells))
        return whole(cells, *args, **kwargs)

    monkeypatch.setattr(pd, "to_datetime", counted)
    read_csv(content)
    return given


def test_a_time_is_parsed_once_however_often_it_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    forms = [
        "{:02}.01.2021",
        "{:02}/01/2021",
        "2021-01-{:02}",
        "{} Jan 2021",
        "2021-01-{:02} 12:00",
    ]
    lines = [f"{forms[row % 5].format(row % 28 + 1)},{row % 97}" for row in range(14_000)]
    given = cells_parsed(monkeypatch, "\n".join(["date,x", *lines]).encode())
    # Samples have up to 400 cells, and distinct are 28 days in each of 5 forms.
    assert given and max(given) <= 140


def test_dates_in_many_columns_are_tried_for_a_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ",".join(f"d{column}" for column in range(100))
    lines = [",".join([f"2021-01-{row + 1:02}"] * 100) + f",{row * row % 7}" for row in range(20)]
    given = cells_parsed(monkeypatch, "\n".join([f"{names},x", *lines]).encode())
    assert 0 < len(given) <= 20


def test_a_number_is_matched_once_however_often_it_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[int] = []
    whole = pc.match_substring_regex

    def counted(cells: Any, pattern: str) -> Any:
        given.append(len(cells))
        return whole(cells, pattern)

    monkeypatch.setattr(pc, "match_substring_regex", counted)
    lines = [f"€{row % 50};{row % 97},5" for row in range(10_000)]
    read_csv("\n".join(["x;y", *lines]).encode())
    assert given and max(given) <= 97


class TimeIsUpError(Exception):
    """What a worker's callback raises when the time is up."""


def wide() -> Iterator[str]:
    yield ",".join(f"w{column}" for column in range(500))
    for row in range(600):
        yield ",".join(f"{row * column % 97}.5" for column in range(500))


@pytest.mark.parametrize(
    "content",
    [
        text("date,x,y", stamps(rows=48) * 1000, VALUES * 1000, VALUES * 1000).encode(),
        "\n".join(wide()).encode(),
    ],
)
def test_a_callback_that_raises_stops_the_read_at_any_point(content: bytes) -> None:
    told: list[float] = []
    read_csv(content, progress=lambda share, _what: told.append(share))
    assert told == sorted(told) and (told[0], told[-1]) == (0, 1)
    assert len(told) >= 10
    for last in (1, len(told) // 2, len(told) - 1):
        calls = 0

        def stop(_share: float, _what: str, last: int = last) -> None:
            nonlocal calls
            calls += 1
            if calls == last:
                raise TimeIsUpError

        with pytest.raises(TimeIsUpError):
            read_csv(content, progress=stop)
        assert calls == last


def test_a_refusal_is_one_sentence_with_a_remedy() -> None:
    assert "progress" in inspect.signature(read_csv).parameters
    for content in (b"a" * 1_000_000, b"1\n" * 600_000, (b"," * 1999 + b"\n") * 6000):
        with pytest.raises(GruvizError) as caught:
            read_csv(content)
        assert str(caught.value).count(". ") == 0 and str(caught.value).endswith(".")

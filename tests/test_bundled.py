"""The samples, and what every reader of a table may count on."""

import hashlib
import subprocess
import sys
from csv import DictReader

import numpy as np
import pytest

import gruviz
from gruviz.csv import Overrides, read_csv
from gruviz.data.bundled import SAMPLE_NAMES, SAMPLES, sample


def test_numbers_words_and_gaps_are_told_apart() -> None:
    lines = ["day, sun ,wind,cloud", *(f"d{row},{row}.5, {row}e2,few" for row in range(18))]
    content = "\n".join([*lines, "d18,,NA,few", "d19,NaN,-1,many", ""]).encode()
    table = read_csv(content, name="weather.csv")
    assert table.name == "weather.csv"
    assert table.digest == hashlib.sha256(content).hexdigest()
    assert table.rows == 20
    assert list(table.columns) == ["sun", "wind"]
    assert table.others == ("day", "cloud")
    np.testing.assert_array_equal(table.columns["sun"], [*np.arange(18) + 0.5, np.nan, np.nan])
    np.testing.assert_array_equal(table.columns["wind"], [*np.arange(18) * 100.0, np.nan, -1])
    assert len(table.head) == 8


def test_the_first_choice_is_the_first_measurement() -> None:
    rows = "".join(f"{1900 + row},{row % 3},{row % 5}\n" for row in range(20))
    assert read_csv(f"year,rain,sun\n{rows}".encode()).first_choice == "rain"
    rows = "".join(f"{1900 + row}\n" for row in range(20))
    assert read_csv(f"year\n{rows}".encode()).first_choice == "year"


SERIES = SAMPLE_NAMES[:3]  # the others are sequences to classify


@pytest.mark.parametrize("name", SERIES)
def test_every_sample_is_read_as_it_is(name: str) -> None:
    table = sample(name)
    with (SAMPLES / f"{name}.csv").open(newline="") as file:
        rows = [row[table.first_choice] for row in DictReader(file)]
    assert table.rows == len(rows)
    values = [float(cell) if cell else np.nan for cell in rows]
    np.testing.assert_array_equal(table.columns[table.first_choice], values)


def test_the_samples_offer_the_columns_that_one_would_forecast() -> None:
    assert {name: sample(name).first_choice for name in SERIES} == {
        "sunspots_yearly": "SUNACTIVITY",
        "co2_weekly": "co2",
        "airline_passengers": "Passengers",
    }


def test_the_samples_tell_their_times() -> None:
    first = {}
    for name in SERIES:
        time = sample(name).time
        assert time is not None
        first[name] = str(time[0].date())
    assert first == {
        "sunspots_yearly": "1700-01-01",
        "co2_weekly": "1958-03-29",
        "airline_passengers": "1949-01-01",
    }


def test_a_source_carries_the_overrides() -> None:
    content = b"a;b\n" + b"1,5;2\n2,5;3\n" * 10
    plain, turned = read_csv(content), read_csv(content, text="b")
    assert plain.source == plain.digest
    assert turned.source == plain.digest + '?{"text":["b"]}'
    assert turned.overrides == Overrides(text=("b",))


def test_the_public_face_reads_a_file_without_torch() -> None:
    path = SAMPLES / "sunspots_yearly.csv"
    assert gruviz.read_csv(path).name == "sunspots_yearly.csv"
    code = f"import gruviz, sys; gruviz.read_csv({str(path)!r}); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

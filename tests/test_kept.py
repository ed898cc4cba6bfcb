"""Tables in folders: what is written is what is opened."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gruviz.csv import Table, read_csv
from gruviz.data.bundled import SAMPLES
from gruviz.data.kept import open_table, write_table

NEWEST_FIRST = "time,a\n" + "\n".join(f"2024-01-{day:02},{day % 7}" for day in range(28, 0, -1))
GERMAN = "Tag;Preis;Ort\n" + "\n".join(f"{d:02}.03.2024;{d},5;Ü{d}" for d in range(1, 29))
NO_TIME = "a b c,a b c\n" + "\n".join(f"{row},{row * row % 11 or ''}" for row in range(40))
LATE = GERMAN.replace("09.03.2024", "?")
LONG = "id,day,value\n" + "\n".join(
    f"{name},2024-01-{day:02},{day % 5}.5" for name in "abc" for day in range(1, 21)
)

TABLES = [
    *(path.read_bytes() for path in sorted(SAMPLES.glob("*.csv"))),
    *(text.encode() for text in (NEWEST_FIRST, GERMAN, NO_TIME, LATE, LONG)),
]


def kept(table: Table, folder: Path) -> Table:
    write_table(table, folder)
    found = open_table(folder)
    assert found is not None
    return found


@pytest.mark.parametrize("number", range(len(TABLES)))
def test_a_table_is_opened_as_it_was_written(number: int, tmp_path: Path) -> None:
    made = read_csv(TABLES[number], name="*mine*.csv")
    found = kept(made, tmp_path)
    pd.testing.assert_frame_equal(found.frame, made.frame, check_freq=False)
    assert list(found.columns) == list(made.columns)
    for name, values in made.columns.items():
        np.testing.assert_array_equal(found.columns[name], values)
    for name in ("time", "order", "groups"):
        here, there = getattr(found, name), getattr(made, name)
        assert (here is None) == (there is None)
        if there is not None:
            np.testing.assert_array_equal(here, there)
    for name in ("name", "digest", "kinds", "reading", "overrides", "source", "others"):
        assert getattr(found, name) == getattr(made, name)
    assert found.first_choice == made.first_choice
    for one, other in zip(found.findings, made.findings, strict=True):
        assert (one.code, one.severity, one.sentence) == (
            other.code,
            other.severity,
            other.sentence,
        )
        assert [(each.label, each.overrides) for each in one.remedies] == [
            (each.label, each.overrides) for each in other.remedies
        ]


def test_a_time_that_is_missing_stays_missing(tmp_path: Path) -> None:
    made = read_csv(LATE.encode(), name="late.csv")
    times = pd.DatetimeIndex(made.frame.index.to_numpy(), name="time")
    broken = Table(**{**vars(made), "frame": made.frame.set_axis(times.where(times != times[3]))})
    missing = broken.frame.index.isna().tolist()
    assert missing[3]
    assert kept(broken, tmp_path).frame.index.isna().tolist() == missing


def test_numbers_are_the_files_own_not_copies(tmp_path: Path) -> None:
    found = kept(read_csv(NEWEST_FIRST.encode(), name="x"), tmp_path)
    assert not found.columns["a"].flags.owndata and not found.columns["a"].flags.writeable
    np.testing.assert_array_equal(found.columns["a"], found.frame["a"].to_numpy()[::-1])


def test_where_no_table_was_written_there_is_none(tmp_path: Path) -> None:
    assert open_table(tmp_path / "nowhere") is None

"""What a page shows of a data set without having it."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gruviz.data import known, load, preview_of, previewed
from gruviz.data.store import TableStore
from gruviz.experiment import TASKS, Adding, Lorenz, MadeUp, SineMixture, TableTask

MODULE = sys.modules["gruviz.data.preview"]


@pytest.mark.parametrize("name", TASKS)
def test_a_preview_says_what_the_data_says(name: str) -> None:
    task = TASKS[name]()
    MODULE._kept.clear()
    data, found = load(task, 4), preview_of(task, 4)
    np.testing.assert_array_equal(found.shown.inputs, data.validation.inputs[:4])
    np.testing.assert_array_equal(found.shown.targets, data.validation.targets[:4])
    assert (found.sequences, found.held_out) == (len(data.train), len(data.validation))
    assert (found.features, found.length) == data.train.inputs.shape[:0:-1]
    assert (found.one_hot, found.outputs) == (data.one_hot, data.outputs)
    assert (found.input_names, found.class_names) == (data.input_names, data.class_names)
    for field in ("unit", "mean", "scale", "missing", "left_out", "series", "border", "findings"):
        assert getattr(found, field) == getattr(data, field)


def test_a_preview_is_small_and_refers_to_no_data() -> None:
    found = previewed(load(SineMixture(size=10_000), 0))
    assert MODULE._size(found) < 10_000
    assert found.shown.inputs.base is None and found.shown.targets.base is None


def test_the_size_of_a_made_up_task_makes_no_other_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    few = preview_of(Adding(size=100), 7)
    monkeypatch.setattr(MODULE, "made_now", None)  # nothing is made again
    many = preview_of(Adding(size=100_000), 7)
    assert (few.sequences, many.sequences) == (100, 100_000)
    assert many.shown is few.shown


def test_forecasts_that_are_judged_are_spread_over_the_whole_part(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    rows = "\n".join(str(row % 97) for row in range(20_000))
    task = TableTask(source=tables.put(f"a\n{rows}".encode(), "long.csv").source)
    ends, found = load(task, 0, tables).ends, preview_of(task, 0, tables).ends
    assert ends is not None and found is not None
    assert (len(found), found[0], found[-1]) == (2_000, ends[0], ends[-1])
    assert set(found) <= set(ends) and np.diff(found).max() <= 3


def test_only_what_is_quick_is_known_at_once(tmp_path: Path) -> None:
    MODULE._kept.clear()
    tables = TableStore(tmp_path)
    for task in (row() for row in TASKS.values()):
        assert known(task, 0, tables) is not None
    slow = Lorenz(length=1000)
    assert known(slow, 0, tables) is None
    preview_of(slow, 0, tables)
    assert known(slow, 0, tables) is not None
    mine = TableTask(source=tables.put(b"a\n" + b"1\n2\n3\n" * 30, "mine.csv").source)
    assert known(mine, 0, tables) is None
    assert isinstance(slow, MadeUp) and known(replace(slow, size=11), 0, tables) is not None

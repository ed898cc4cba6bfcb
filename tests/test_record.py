"""Columns that grow, and the moving average."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruviz.record import STEP_COLUMNS, Checkpoint, Columns, History, Slice, solved


def slice_of(loss: list[float], seconds: float = 0.5, validation: float | None = None) -> Slice:
    """A slice with this loss and 0, 1, 2, ... in the other columns."""
    count = np.arange(len(loss), dtype=float)
    steps: Mapping[str, np.ndarray] = {
        name: np.array(loss) if name == "loss" else count for name in STEP_COLUMNS
    }
    values = np.array([] if validation is None else [validation])
    validations = {"step": values, "loss": values, "accuracy": values}
    return Slice(Checkpoint(0, {}, 1.0), steps, validations, None, seconds, 10)


def test_columns_grow_past_any_size_and_keep_every_row() -> None:
    columns, expected = Columns(("a", "b")), np.empty(0)
    for count in (0, 1, 255, 1, 300, 2000, 0, 7):
        more = np.arange(len(expected), len(expected) + count, dtype=float)
        columns.append({"a": more, "b": -more})
        expected = np.concatenate([expected, more])
    assert (len(columns), columns.names) == (2564, ("a", "b"))
    np.testing.assert_array_equal(columns["a"], expected)
    np.testing.assert_array_equal(columns["b"], -expected)


def test_a_column_that_was_read_does_not_change_when_rows_are_added() -> None:
    columns = Columns(("a",))
    columns.append({"a": np.array([1.0, 2.0])})
    before = columns["a"]
    columns.append({"a": np.array([3.0])})
    assert (before.tolist(), columns["a"].tolist()) == ([1.0, 2.0], [1.0, 2.0, 3.0])


def test_a_column_of_one_value_takes_no_room_until_another_comes() -> None:
    names = ("step", "none", "rate", "zero")
    columns, expected = Columns(names), {name: np.empty(0) for name in names}
    for place, count in enumerate((3, 0, 400, 600, 200)):
        start = len(columns)
        more = {
            "step": np.arange(start, start + count, dtype=float),
            "none": np.full(count, np.nan),
            "rate": np.full(count, 0.1 if place < 3 else 0.2),
            "zero": np.full(count, -0.0 if place == 4 else 0.0),
        }
        before = columns.size
        columns.append(more)
        for name in names:
            expected[name] = np.concatenate([expected[name], more[name]])
            np.testing.assert_array_equal(columns[name], expected[name])
            assert not (np.signbit(columns[name]) != np.signbit(expected[name])).any()
            np.testing.assert_array_equal(columns.since(2)[name], expected[name][2:])
            np.testing.assert_array_equal(columns.since(5000)[name], [])
        if place == 2:
            assert 403 * 8 <= columns.size <= 1.5 * 403 * 8 + 3 * 8
        elif place == 3:
            assert columns.size > before + 1003 * 8  # "rate" is an array now
    assert [len(columns[name]) for name in names] == [1203] * 4


def test_a_column_of_one_value_that_was_read_does_not_change_either() -> None:
    columns = Columns(("a",))
    columns.append({"a": np.array([1.0, 1.0])})
    before = columns["a"]
    columns.append({"a": np.array([2.0])})
    columns.append({"a": np.array([1.0])})
    assert (before.tolist(), columns["a"].tolist()) == ([1.0, 1.0], [1.0, 1.0, 2.0, 1.0])


def test_a_step_of_a_long_run_takes_at_most_60_bytes() -> None:
    history, count = History(), 1000
    nothing, rate = np.full(count, np.nan), np.full(count, 1e-3)
    random = np.random.default_rng(0)
    for start in range(0, 100_000, count):
        steps = {
            "step": np.arange(start, start + count, dtype=float),
            "loss": random.random(count),
            "learning_rate": rate,
            "norm": random.random(count),
            "clipped_norm": random.random(count),
            "clip_norm": nothing,
            "penalty": nothing,
        }
        few = {name: np.empty(0) for name in ("step", "loss", "accuracy")}
        history.absorb(Slice(Checkpoint(start, {}, 1.0), steps, few, None, 0.1, 10))
    assert history.size <= 60 * 100_000


def test_a_history_appends_what_slices_measured() -> None:
    history = History()
    history.absorb(slice_of([4.0, 2.0], 0.25, validation=9.0))
    history.absorb(slice_of([1.0], 0.5))
    assert history.loss.tolist() == [4.0, 2.0, 1.0]
    assert history.steps["norm"].tolist() == [0.0, 1.0, 0.0]
    assert history.validations["loss"].tolist() == [9.0]
    assert history.seconds == 0.75
    assert history.steps.names == (*STEP_COLUMNS, "smooth")


def test_seconds_until_a_step_lie_on_straight_lines_between_slices() -> None:
    history = History()
    assert history.seconds_at(7) == 0
    for step, seconds in ((10, 0.5), (30, 1.5)):
        part = slice_of([1.0], seconds)
        history.absorb(replace(part, checkpoint=Checkpoint(step, {}, 1.0)))
    assert history.times["step"].tolist() == [10, 30]
    assert history.times["seconds"].tolist() == [0.5, 2.0]
    found = [history.seconds_at(step) for step in (0, 5, 10, 20, 30)]
    assert found == [0, 0.25, 0.5, 1.25, 2.0]


def test_the_moving_average_is_the_bias_free_one_of_pandas_however_it_is_cut() -> None:
    loss = np.random.default_rng(0).random(500)
    expected = pd.Series(loss).ewm(alpha=0.1, adjust=True).mean().to_numpy()
    for cuts in ([500], [1] * 500, [3, 200, 297]):
        history, start = History(), 0
        for count in cuts:
            history.absorb(slice_of(loss[start : start + count].tolist()))
            start += count
        np.testing.assert_allclose(history.steps["smooth"], expected, rtol=1e-12)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(0, 99), st.lists(st.integers(0, 300), max_size=12))
def test_the_moving_average_is_the_same_to_the_bit_however_it_is_cut(
    seed: int, cuts: list[int]
) -> None:
    loss = np.random.default_rng(seed).lognormal(size=300)
    whole, parts = History(), History()
    whole.absorb(slice_of(loss.tolist()))
    for part in np.split(loss, sorted(cuts)):
        parts.absorb(slice_of(part.tolist()))
    np.testing.assert_array_equal(parts.steps["smooth"], whole.steps["smooth"])


def test_the_average_of_a_constant_loss_is_that_constant_from_the_first_step() -> None:
    history = History()
    history.absorb(slice_of([3.0] * 5))
    np.testing.assert_allclose(history.steps["smooth"], 3.0, rtol=1e-14)


def test_a_slice_without_a_step_leaves_the_curves_alone() -> None:
    history = History()
    history.absorb(slice_of([1.0]))
    history.absorb(slice_of([]))
    assert history.loss.tolist() == [1.0]


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        ([0.5, 0.009, 0.008, 0.007], 50),
        ([0.009, 0.009, 0.009], 0),
        ([0.5, 0.009, 0.02, 0.009, 0.008, 0.007], 150),
        ([0.5, 0.009, 0.008], None),
        ([0.5, 0.009, 0.009, 0.009, 0.01], None),
        ([0.009, math.nan, 0.009, 0.009, 0.009], 100),
        ([0.009, 0.009, 0.009, math.nan], None),
        ([], None),
        ([0.5] * 9, None),
    ],
)
def test_a_task_is_solved_where_the_loss_falls_below_for_good_and_three_validations(
    losses: list[float], step: int | None
) -> None:
    steps = np.arange(0.0, 50.0 * len(losses), 50)
    assert solved({"step": steps, "loss": np.array(losses)}, 0.01) == step


def test_a_history_has_blocks_once_a_slice_has_brought_some() -> None:
    history = History()
    history.absorb(slice_of([1.0]))
    assert history.blocks is None
    for value in (1.0, 2.0):
        rows = {
            name: np.array([value])
            for name in ("step", "gradient.a", "gradient.b.c", "update.a", "update.b.c")
        }
        history.absorb(replace(slice_of([1.0]), blocks=rows))
    assert history.blocks is not None
    assert history.blocks["update.b.c"].tolist() == [1.0, 2.0]
    assert history.blocks.names == tuple(rows)
    history.absorb(slice_of([1.0]))
    assert len(history.blocks) == 2

"""Tasks about remembering: every target computed once more, from the inputs alone."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruviz.data import synthetic
from gruviz.experiment import (
    Adding,
    Brackets,
    CopyMemory,
    DelayedEcho,
    Parity,
    TemporalOrder,
)
from tests.test_experiment import SURE

SEEDS = st.integers(0, 999)


def symbols(inputs: np.ndarray) -> np.ndarray:
    """One-hot inputs (n, time, kinds) as symbols (n, time)."""
    assert set(np.unique(inputs)) <= {0.0, 1.0}
    assert (inputs.sum(axis=2) == 1).all()
    return np.asarray(inputs.argmax(axis=2))


@pytest.mark.parametrize("length", [2, 7, 50])
def test_the_adding_problem_marks_one_value_in_each_half_and_wants_their_sum(length: int) -> None:
    made = synthetic.adding(Adding(length=length), 300, np.random.default_rng(0))
    values, marks = made.inputs[..., 0], made.inputs[..., 1]
    assert made.inputs.shape == (300, length, 2)
    assert set(np.unique(marks)) <= {0.0, 1.0}
    half = length // 2
    assert (marks[:, :half].sum(1) == 1).all() and (marks[:, half:].sum(1) == 1).all()
    np.testing.assert_allclose(made.targets[:, 0], (values * marks).sum(1), rtol=1e-6)
    assert values.min() >= 0 and values.max() < 1


def test_always_answering_one_to_the_adding_problem_errs_by_a_sixth() -> None:
    made = synthetic.adding(Adding(), 5000, np.random.default_rng(0))
    assert float(((made.targets - 1) ** 2).mean()) == pytest.approx(1 / 6, rel=0.05)


def test_every_mark_position_occurs() -> None:
    made = synthetic.adding(Adding(length=8), 500, np.random.default_rng(0))
    assert (made.inputs[..., 1].sum(0) > 0).all()


@SURE
@given(length=st.integers(1, 60), seed=SEEDS)
def test_copy_memory_wants_the_first_ten_symbols_back_at_the_end(length: int, seed: int) -> None:
    task = CopyMemory(length=length)
    made = synthetic.copy(task, 20, np.random.default_rng(seed))
    read = symbols(made.inputs)
    assert read.shape == made.targets.shape == (20, length + 20)
    assert task.time_steps == length + 20
    for sequence, wanted in zip(read.tolist(), made.targets.tolist(), strict=True):
        shown = sequence[:10]
        assert all(1 <= symbol <= 8 for symbol in shown)
        assert sequence[10:] == [0] * (length - 1) + [9] + [0] * 10
        assert wanted == [0] * (length + 10) + shown


def test_copy_memory_shows_all_eight_symbols_equally_often() -> None:
    made = synthetic.copy(CopyMemory(length=1), 4000, np.random.default_rng(0))
    counts = np.bincount(made.targets[:, -10:].ravel(), minlength=10)
    assert counts[[0, 9]].tolist() == [0, 0]
    np.testing.assert_allclose(counts[1:9] / 40_000, 1 / 8, atol=0.01)


@SURE
@given(length=st.integers(2, 60), delay=st.integers(1, 100), seed=SEEDS)
def test_an_echo_is_the_input_some_steps_before(length: int, delay: int, seed: int) -> None:
    task = DelayedEcho(length=length, delay=delay)
    made = synthetic.echo(task, 5, np.random.default_rng(seed))
    assert made.inputs.shape == made.targets.shape == (5, length + delay, 1)
    assert np.isnan(made.targets[:, :delay]).all()
    for time in range(delay, length + delay):
        np.testing.assert_array_equal(made.targets[:, time], made.inputs[:, time - delay])
    assert np.abs(made.inputs).max() <= 1


@SURE
@given(length=st.integers(2, 80), seed=SEEDS)
def test_parity_turns_over_at_every_one(length: int, seed: int) -> None:
    made = synthetic.parity(Parity(length=length), 10, np.random.default_rng(seed))
    odd = np.zeros(10, bool)
    for time in range(length):
        odd ^= made.inputs[:, time, 0] == 1
        np.testing.assert_array_equal(made.targets[:, time], odd)
    assert made.targets.dtype == np.int64


@SURE
@given(length=st.integers(10, 200), seed=SEEDS)
def test_temporal_order_asks_which_two_of_x_and_y_came(length: int, seed: int) -> None:
    task = TemporalOrder(length=length)
    made = synthetic.order(task, 30, np.random.default_rng(seed))
    tenth = length // 10
    for sequence, wanted in zip(symbols(made.inputs), made.targets, strict=True):
        names = [task.inputs[symbol] for symbol in sequence]
        assert (names[0], names[-1]) == ("begin", "end")
        places = [time for time, name in enumerate(names) if name in "XY"]
        first, second = places
        assert tenth <= first <= 2 * tenth and 5 * tenth <= second <= 6 * tenth
        assert task.classes[wanted] == f"{names[first]} {names[second]}"
        rest = set(names[1:-1]) - {"X", "Y"}
        assert rest <= {"a", "b", "c", "d"}


def test_the_four_orders_occur_equally_often() -> None:
    made = synthetic.order(TemporalOrder(), 8000, np.random.default_rng(0))
    np.testing.assert_allclose(np.bincount(made.targets) / 8000, 0.25, atol=0.02)


def balanced(text: str) -> bool:
    """Whether nothing is left when pairs that touch are taken out again and again."""
    before = None
    while before != text:
        before, text = text, text.replace("()", "").replace("[]", "").replace("{}", "")
    return not text


@SURE
@given(pairs=st.integers(1, 40), kinds=st.integers(1, 3), seed=SEEDS)
def test_brackets_are_balanced_exactly_where_the_target_says_so(
    pairs: int, kinds: int, seed: int
) -> None:
    task = Brackets(pairs=pairs, kinds=kinds)
    made = synthetic.brackets(task, 40, np.random.default_rng(seed))
    assert made.inputs.shape == (40, 2 * pairs, 6) and task.time_steps == 2 * pairs
    for sequence, wrong in zip(symbols(made.inputs), made.targets, strict=True):
        text = "".join(task.inputs[symbol] for symbol in sequence)
        assert set(text) <= set("()[]{}"[: 2 * kinds])
        assert balanced(text) == (wrong == 0)


def test_half_of_the_brackets_are_wrong_by_one_and_every_nesting_is_equally_likely() -> None:
    task = Brackets(pairs=3)
    made = synthetic.brackets(task, 20_000, np.random.default_rng(0))
    assert float(made.targets.mean()) == pytest.approx(0.5, abs=0.02)
    texts = ["".join("()"[s] for s in row) for row in symbols(made.inputs)]
    right = [text for text, wrong in zip(texts, made.targets, strict=True) if not wrong]
    shares = {text: right.count(text) / len(right) for text in set(right)}
    assert sorted(shares) == ["((()))", "(()())", "(())()", "()(())", "()()()"]
    np.testing.assert_allclose(list(shares.values()), 1 / 5, atol=0.02)


@pytest.mark.parametrize("row", [Adding, CopyMemory, DelayedEcho, Parity, TemporalOrder, Brackets])
def test_the_generator_decides_everything(row: Any) -> None:
    make = getattr(synthetic, row.name)
    first, again, other = (make(row(), 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs, other.inputs)
    assert first.inputs.dtype == np.float32

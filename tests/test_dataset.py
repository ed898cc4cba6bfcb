"""Sequences, and the order in which training sees them."""

from itertools import chain, islice

import numpy as np
import pytest

from gruviz.data import Dataset, Sequences, batches, judged
from gruviz.experiment import Kind


def order(count: int, size: int, seed: int, step: int, batches_wanted: int) -> list[list[int]]:
    return [rows.tolist() for rows in islice(batches(count, size, seed, step), batches_wanted)]


@pytest.mark.parametrize(("count", "size"), [(10, 3), (12, 4), (5, 5), (7, 1)])
def test_every_epoch_sees_every_row_once(count: int, size: int) -> None:
    per_epoch = -(-count // size)
    steps = order(count, size, 0, 0, 3 * per_epoch)
    for epoch in range(3):
        rows = steps[epoch * per_epoch : (epoch + 1) * per_epoch]
        assert sorted(chain.from_iterable(rows)) == list(range(count))
        assert all(len(each) == size for each in rows[:-1])


def test_the_last_batch_of_an_epoch_holds_what_is_left() -> None:
    assert [len(rows) for rows in order(10, 4, 0, 0, 6)] == [4, 4, 2, 4, 4, 2]


@pytest.mark.parametrize("step", range(9))
def test_from_any_step_on_the_batches_are_the_same(step: int) -> None:
    assert order(10, 3, 5, step, 9) == order(10, 3, 5, 0, 9 + step)[step:]


def test_epochs_and_seeds_differ_in_their_order() -> None:
    first, second = (
        [*rows, *rest] for rows, rest in (order(50, 49, 0, 0, 2), order(50, 49, 0, 2, 2))
    )
    assert first != second
    assert first != list(chain.from_iterable(order(50, 49, 1, 0, 2)))
    assert first != list(range(50))


@pytest.mark.parametrize("step", [0, 3])
def test_a_batch_of_everything_has_its_own_order_in_every_epoch(step: int) -> None:
    assert order(5, 5, 7, step, 3) == [[0, 1, 2, 3, 4]] * 3


def test_sequences_are_taken_by_rows_with_their_targets() -> None:
    inputs = np.arange(12, dtype=np.float32).reshape(4, 3, 1)
    sequences = Sequences(inputs, np.array([10, 11, 12, 13]))
    part = sequences[np.array([3, 1])]
    assert (len(sequences), len(part)) == (4, 2)
    np.testing.assert_array_equal(part.inputs, inputs[[3, 1]])
    np.testing.assert_array_equal(part.targets, [13, 11])
    np.testing.assert_array_equal(sequences[slice(0, 1)].targets, [10])


def test_the_features_of_a_dataset_are_those_of_its_inputs() -> None:
    sequences = Sequences(np.zeros((4, 3, 5), np.float32), np.zeros((4, 1), np.float32))
    assert Dataset(Kind.REGRESSION, sequences, sequences, 1, ("a",)).features == 5


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 300, 511, 512, 2872, 1_000_003])
def test_the_judged_sequences_are_spread_evenly_from_the_first_to_the_last(count: int) -> None:
    rows = np.arange(count)
    inputs = np.broadcast_to(np.float32(0), (count, 3, 1))
    found = judged(Sequences(inputs, rows)).targets
    assert len(found) == min(count, 256)
    assert (found[0], found[-1]) == (0, count - 1)
    gaps = np.diff(found)
    assert len(gaps) == 0 or 1 <= gaps.min() <= gaps.max() <= gaps.min() + 1


def test_the_judged_sequences_are_a_copy_that_is_as_large_as_they_are() -> None:
    windows = np.lib.stride_tricks.sliding_window_view(np.zeros((9_000, 1), np.float32), 48, axis=0)
    long = Sequences(windows.transpose(0, 2, 1), np.zeros((len(windows), 1), np.float32))
    found = judged(long).inputs
    assert not np.shares_memory(found, windows)
    assert found.nbytes == 256 * 48 * 4

"""Missing values: what each method makes of a hole, worked out by hand."""

import numpy as np
import pytest

from gruviz.data.missing import METHODS, at_the_end, carry, means, punch, rows_since
from gruviz.errors import GruvizError

N = np.nan
#                  0  1  2  3  4 | 5  6  7  8
HOLES = np.array([N, 2.0, N, N, 4.0, N, 8.0, N, 0.0])[:, None]
BORDER = 6  # rows 0 to 5 are for training; their mean is 3

FILLED: dict[str, list[float]] = {
    "drop": [N, 2, N, N, 4, N, 8, N, 0],
    "carry": [N, 2, 2, 2, 4, 4, 8, 8, 0],
    # Row 5 lies before the border: that 8 follows isn't known there.
    "interpolate": [N, 2, 2 + 2 / 3, 2 + 4 / 3, 4, 4, 8, 4, 0],
    "mean": [3, 2, 3, 3, 4, 3, 8, 3, 0],
}
MASK: list[float] = [0, 1, 0, 0, 1, 0, 1, 0, 1]


@pytest.mark.parametrize("name", list(FILLED))
def test_each_method_fills_these_holes_with_these_numbers(name: str) -> None:
    np.testing.assert_allclose(METHODS[name].fill(HOLES, BORDER)[:, 0], FILLED[name])


def test_mean_and_mask_tells_where_the_mean_stands() -> None:
    channels = METHODS["mask"].fill(HOLES, BORDER)
    np.testing.assert_array_equal(channels, np.stack([FILLED["mean"], MASK], axis=1))


def test_decay_gives_the_last_value_the_mask_and_the_time_of_che_et_al() -> None:
    last, mask, since = METHODS["decay"].fill(HOLES, BORDER).T
    np.testing.assert_array_equal(last, [3, 2, 2, 2, 4, 4, 8, 8, 0])
    np.testing.assert_array_equal(mask, MASK)
    # Their equation: 0 first; then 1, and what came before as well if that was missing.
    expected = [0.0]
    for row in range(1, 9):
        expected.append(1 + (0 if MASK[row - 1] else expected[-1]))
    np.testing.assert_array_equal(since, expected)
    np.testing.assert_array_equal(since, [0, 1, 1, 2, 3, 1, 2, 1, 2])


def test_columns_are_filled_each_by_itself_group_by_group() -> None:
    series = np.hstack([HOLES, 10 * HOLES[::-1]])
    for name, method in METHODS.items():
        channels = method.fill(series, BORDER)
        assert channels.shape == (9, 2 * len(method.groups)), name
        one = method.fill(series[:, :1], BORDER)
        other = method.fill(series[:, 1:], BORDER)
        np.testing.assert_array_equal(channels[:, 0::2], one)
        np.testing.assert_array_equal(channels[:, 1::2], other)


@pytest.mark.parametrize("name", list(METHODS))
def test_a_series_without_holes_is_left_as_it_is(name: str) -> None:
    series = np.random.default_rng(0).random((20, 2))
    np.testing.assert_array_equal(METHODS[name].fill(series, 15)[:, :2], series)


@pytest.mark.parametrize("name", list(METHODS))
def test_no_row_of_training_depends_on_what_follows_the_border(name: str) -> None:
    generator = np.random.default_rng(1)
    series = punch(generator.random((60, 2)), 0.4, (1, 6), generator)
    changed = series.copy()
    changed[40:] = punch(1000 * generator.random((20, 2)), 0.4, (3,), generator)
    fill = METHODS[name].fill
    np.testing.assert_array_equal(fill(series, 40)[:40], fill(changed, 40)[:40])


@pytest.mark.parametrize("name", list(METHODS))
def test_only_a_method_that_looks_ahead_says_so(name: str) -> None:
    changed = HOLES.copy()
    changed[8] = 100
    fill = METHODS[name].fill
    looks = not np.array_equal(fill(HOLES, BORDER)[:8], fill(changed, BORDER)[:8], equal_nan=True)
    assert looks == METHODS[name].looks_ahead == (name == "interpolate")


def test_a_window_that_ends_in_a_hole_carries_forward_there_alone() -> None:
    filled = METHODS["interpolate"].fill(HOLES, len(HOLES))
    windows = np.stack([filled[1:4], filled[2:5], filled[5:8]])  # the last rows: hole, value, hole
    last = carry(HOLES)[[3, 4, 7]]
    since = rows_since(HOLES)[[3, 4, 7]]
    found = at_the_end(windows, last, since)[..., 0]
    np.testing.assert_allclose(found, [[2.0, 2, 2], [2 + 2 / 3, 2 + 4 / 3, 4], [6.0, 8, 8]])


def test_rows_since_counts_from_before_the_series_until_there_is_a_value() -> None:
    series = np.array([N, N, 5.0, N, N, 1.0])[:, None]
    np.testing.assert_array_equal(rows_since(series)[:, 0], [1, 2, 0, 1, 2, 0])


def test_a_column_without_values_has_no_mean_and_stays_missing() -> None:
    empty = np.full((4, 1), N)
    assert np.isnan(means(empty, 4)).all()
    for name in FILLED:
        assert np.isnan(METHODS[name].fill(empty, 3)).all()


def runs(holes: np.ndarray) -> list[int]:
    """The lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.r_[0, holes.astype(int), 0]))
    lengths: list[int] = (edges[1::2] - edges[::2]).tolist()
    return lengths


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("length", [1, 4, 10])
def test_holes_have_the_share_and_the_length_asked_for(share: float, length: int) -> None:
    series = np.arange(400.0).reshape(200, 2)
    punched = punch(series, share, (length,), np.random.default_rng(3))
    for column in range(2):
        holes = np.isnan(punched[:, column])
        assert holes.sum() == round(share * 200)
        assert set(runs(holes)) <= {length}
        np.testing.assert_array_equal(punched[~holes, column], series[~holes, column])
    assert share == 0 or not np.array_equal(np.isnan(punched[:, 0]), np.isnan(punched[:, 1]))
    assert not np.isnan(series).any()


def test_holes_of_several_lengths_are_mixed_and_lie_everywhere() -> None:
    punched = punch(np.zeros(100_000), 0.2, (1, 5), np.random.default_rng(0))
    holes = np.isnan(punched)
    found = runs(holes)
    assert holes.sum() == 20_000
    assert sorted(set(found) - {1, 5}) == [3]  # the last one, cut for the share
    assert found.count(3) == 1
    assert 0.45 < found.count(1) / len(found) < 0.55
    for part in np.split(holes, 10):
        assert 0.17 < part.mean() < 0.23


def test_equal_generators_punch_equal_holes() -> None:
    one, same, other = (
        punch(np.zeros(50), 0.3, (1, 3), np.random.default_rng(seed)) for seed in (7, 7, 8)
    )
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(np.isnan(one), np.isnan(other))


def test_a_share_that_leaves_no_room_between_holes_is_still_exact() -> None:
    assert np.isnan(punch(np.zeros(100), 0.9, (1,), np.random.default_rng(0))).sum() == 90


def test_shares_and_lengths_that_make_no_sense_are_refused() -> None:
    generator = np.random.default_rng(0)
    with pytest.raises(GruvizError) as caught:
        punch(np.zeros(10), 1.0, (1,), generator)
    assert str(caught.value) == ("A share of 1.0 can't be made missing; choose one from 0 to 0.95.")
    with pytest.raises(GruvizError) as caught:
        punch(np.zeros(10), 0.5, (0, 1), generator)
    assert str(caught.value) == "Holes are at least one row long; choose lengths of 1 or more."

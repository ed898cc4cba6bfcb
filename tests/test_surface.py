"""The loss surface: the plane of a path with known shape, and the losses on it."""

import numpy as np
import pytest
import torch

from gruviz.data import fetch_sample
from gruviz.errors import GruvizError
from gruviz.experiment import GRU, Adding, Experiment
from gruviz.studies import Surface
from gruviz.training import advance, proceed
from gruviz.training.weights import TrainingLoss

SMALL = Experiment(task=Adding(size=40, length=5), cell=GRU(3), batch_size=16, learning_rate=0.05)


def in_a_plane(generator: np.random.Generator) -> tuple[np.ndarray, list[tuple[int, np.ndarray]]]:
    """A random path in a random plane of a space of 50 dimensions: its coordinates, its points."""
    basis = np.linalg.qr(generator.normal(size=(50, 2)))[0].T
    flat = generator.normal(size=(12, 2)) * [5, 1]
    points = flat @ basis + generator.normal(size=50)
    return flat, [(3 * step, w.astype(np.float32)) for step, w in enumerate(points)]


@pytest.mark.parametrize("seed", range(3))
def test_two_directions_explain_all_of_a_planar_path_and_keep_its_distances(seed: int) -> None:
    flat, points = in_a_plane(np.random.default_rng(seed))
    found = Surface.begin(points)
    assert found.explained.sum() == pytest.approx(1, abs=1e-6)
    variance = np.linalg.eigvalsh(np.cov(flat.T))[::-1]
    np.testing.assert_allclose(found.explained, variance / variance.sum(), atol=1e-5)
    np.testing.assert_allclose(
        np.linalg.norm(found.path, axis=1), np.linalg.norm(flat - flat[-1], axis=1), atol=1e-4
    )
    assert found.steps.tolist() == list(range(0, 36, 3))
    np.testing.assert_array_equal(found.path[-1], [0, 0])
    for (_step, weights), place in zip(points, found.path, strict=True):
        at = found.origin + place @ found.directions
        np.testing.assert_allclose(at, weights, atol=1e-4)


def test_a_path_along_the_axes_of_three_dimensions_has_its_known_shares() -> None:
    ends = np.array(
        [[6, 0, 0], [-6, 0, 0], [0, 3, 0], [0, -3, 0], [0, 0, 2], [0, 0, -2]], np.float32
    )
    found = Surface.begin([(step, end) for step, end in enumerate(ends)])
    np.testing.assert_allclose(found.explained, [36 / 49, 9 / 49], rtol=1e-6)


def test_the_path_comes_from_the_upper_left_and_the_grid_leaves_a_margin_around_it() -> None:
    _flat, points = in_a_plane(np.random.default_rng(1))
    found = Surface.begin(points, size=9)
    assert found.path[0, 0] < 0 < found.path[0, 1]
    low, high = found.path.min(0), found.path.max(0)
    margin = 0.25 * (high - low).max()
    for axis, grid in enumerate((found.across, found.along)):
        np.testing.assert_allclose([grid[0], grid[-1]], [low[axis] - margin, high[axis] + margin])
        assert len(grid) == 9
    assert (found.losses.shape, found.progress) == ((9, 9), 0.0)


def test_every_cell_is_the_training_loss_at_its_place() -> None:
    path = advance(SMALL, steps=20).path
    found = proceed(SMALL, Surface.begin(path, size=5, sequences=30))
    assert found.progress == 1.0
    loss = TrainingLoss(SMALL, fetch_sample, 30, 10**9, twice=False)
    for row in range(5):
        for column in range(5):
            first, second = found.directions
            at = found.origin + found.across[column] * first + found.along[row] * second
            expected = loss.part(0, torch.from_numpy(at.astype(np.float32))).item()
            assert found.losses[row, column] == pytest.approx(expected, rel=1e-5)
    assert found.losses.max() > found.losses.min()


def test_however_it_is_cut_it_finds_the_same() -> None:
    begin = Surface.begin(advance(SMALL, steps=9).path, size=4)
    whole, state, slices = proceed(SMALL, begin), begin, 0
    while state.progress < 1:
        state, slices = proceed(SMALL, state, seconds=0.0), slices + 1
        assert np.isfinite(state.losses).sum() == slices
    np.testing.assert_array_equal(state.losses, whole.losses)


def test_a_loss_beyond_all_numbers_is_infinite() -> None:
    size = len(advance(SMALL, steps=1).path[0][1])
    turned = (np.arange(size) % 3 - 1).astype(np.float32)
    points = [
        (0, np.full(size, -1e25, np.float32)),
        (1, turned * np.float32(1e30)),
        (2, np.zeros(size, np.float32)),
    ]
    found = proceed(SMALL, Surface.begin(points, size=2))
    assert np.isposinf(found.losses).any()
    assert not np.isnan(found.losses).any()


def test_a_path_of_two_points_or_one_that_stands_still_has_no_plane() -> None:
    still = np.ones(5, np.float32)
    with pytest.raises(GruvizError) as caught:
        Surface.begin([(0, still), (9, still + 1)])
    assert str(caught.value) == (
        "The path has only 2 of the 3 points that span a plane; train for some more steps first."
    )
    with pytest.raises(GruvizError) as caught:
        Surface.begin([(step, still) for step in (0, 4, 8)])
    assert str(caught.value) == ("The weights have not moved between steps 0 and 8; train first.")

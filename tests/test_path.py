"""The path of a run: evenly spaced, bounded, and the same however the run was cut."""

from collections.abc import Iterator

import numpy as np
import pytest

from gruviz.experiment import GRU, Adding, Experiment
from gruviz.record import MOST_POINTS, PATH_BYTES, Checkpoint, Point, kept_every, weights_of
from gruviz.runs.path import Path
from gruviz.training import advance

SMALL = Experiment(task=Adding(size=40, length=4), cell=GRU(2), batch_size=16, steps=150)


def emitted(first: int, last: int, weights: int) -> Iterator[Point]:
    """What a slice hands over, with weights that name their step."""
    for step in range(first, last + 1):
        if step % kept_every(step, weights) == 0:
            yield step, np.full(weights, step, np.float32)


@pytest.mark.parametrize(
    ("step", "every"),
    [(0, 1), (63, 1), (64, 2), (127, 2), (128, 4), (10_000, 256), (100_000, 2048)],
)
def test_the_further_the_run_the_wider_apart_are_the_points(step: int, every: int) -> None:
    assert kept_every(step, 100) == every


def test_a_large_model_has_fewer_points() -> None:
    assert PATH_BYTES == 4_000_000
    assert [kept_every(9, weights) for weights in (100_000, 125_000, 200_000, 10**6)] == [
        1,
        2,
        2,
        4,
    ]


@pytest.mark.parametrize("weights", [3, 200_000])
@pytest.mark.parametrize("end", [5, 64, 100, 777])
def test_a_path_keeps_multiples_whatever_the_slices_were(weights: int, end: int) -> None:
    generator = np.random.default_rng(end)
    paths = []
    for _each in range(3):
        path, at = Path(), 0
        while at <= end:
            until = min(end, at + int(generator.integers(0, 90)))
            path.extend(list(emitted(at, until, weights)))
            at = until + 1
        paths.append([step for step, _weights in path.points])
        assert [w[0] for _step, w in path.points] == paths[-1]
    last = max(step for step, _w in emitted(0, end, weights))
    every = kept_every(last, weights)
    assert paths == [list(range(0, last + 1, every))] * 3
    assert 2 <= len(paths[0]) <= MOST_POINTS
    assert len(paths[0]) * weights * 4 <= PATH_BYTES


def test_the_latest_point_ends_the_path_once() -> None:
    path = Path()
    assert path.up_to(None) == []
    path.extend(list(emitted(0, 2, 1)))
    assert [step for step, _w in path.up_to(None)] == [0, 1, 2]
    assert [step for step, _w in path.up_to((2, np.zeros(1, np.float32)))] == [0, 1, 2]
    assert [step for step, _w in path.up_to((9, np.zeros(1, np.float32)))] == [0, 1, 2, 9]
    assert [step for step, _w in path.points] == [0, 1, 2]


def test_training_hands_over_the_weights_of_those_steps_bit_for_bit() -> None:
    whole = advance(SMALL)
    path = Path()
    path.extend(whole.path)
    assert [step for step, _w in path.points] == list(range(0, 151, 4))
    checkpoint: Checkpoint | None = None
    cut = Path()
    for count in (1, 3, 59, 70, 17):
        part = advance(SMALL, checkpoint, steps=count)
        checkpoint = part.checkpoint
        cut.extend(part.path)
        if checkpoint.step % 4 == 0:
            np.testing.assert_array_equal(dict(cut.points)[checkpoint.step], weights_of(checkpoint))
    assert checkpoint is not None and checkpoint.step == 150
    assert dict(path.points).keys() == dict(cut.points).keys()
    for step, weights in path.points:
        np.testing.assert_array_equal(dict(cut.points)[step], weights)
    assert not np.array_equal(path.points[0][1], path.points[1][1])


def test_a_path_begins_at_the_initial_weights() -> None:
    (step, weights), *_rest = advance(SMALL, steps=1).path
    assert step == 0
    assert (len(weights), float(np.abs(weights).max()) <= 2**-0.5) == (6 * 2 + 6 * 2 + 12 + 3, True)

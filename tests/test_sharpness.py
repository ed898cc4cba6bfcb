"""Sharpness against the eigenvalues of the whole Hessian."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch

from gruviz.data import fetch_sample, load
from gruviz.errors import GruvizError
from gruviz.experiment import (
    CELLS,
    GRU,
    LSTM,
    RNN,
    SGD,
    Adding,
    Digits,
    Experiment,
    SineMixture,
    Waveforms,
)
from gruviz.record import weights_of
from gruviz.studies import Sharpness
from gruviz.training import Trainer, advance, proceed
from gruviz.training.studies import sharpness as curvature
from gruviz.training.studies.sharpness import hessian_times
from gruviz.training.weights import TrainingLoss, flat

SMALL = Experiment(
    task=Adding(size=40, length=5),
    cell=GRU(3),
    batch_size=40,
    steps=500,
    optimizer=SGD(),
    learning_rate=0.1,
    clip_norm=None,
)


def hessian(experiment: Experiment, weights: np.ndarray) -> np.ndarray:
    """The whole Hessian of the loss over all training sequences, by torch's own means."""
    loss = TrainingLoss(experiment, fetch_sample, 10_000, 10**9, twice=True)
    assert len(loss) == 1
    at = torch.from_numpy(weights.copy())
    found = torch.autograd.functional.hessian(partial(loss.part, 0), at)
    return np.asarray(found.double())


def weights_after(experiment: Experiment, steps: int) -> np.ndarray:
    return advance(experiment, steps=steps).path[-1][1]


@pytest.mark.parametrize(
    "experiment",
    [
        *(replace(SMALL, cell=CELLS[name](3)) for name in CELLS),
        replace(SMALL, task=Waveforms(size=40, length=8), cell=LSTM(2)),
        replace(SMALL, task=SineMixture(size=40, length=6, horizon=2), loss_on="every"),
    ],
    ids=[*CELLS, "classes", "every step"],
)
@pytest.mark.parametrize("steps", [0, 30])
def test_sharpness_is_the_largest_eigenvalue_of_the_hessian(
    experiment: Experiment, steps: int
) -> None:
    weights = weights_after(experiment, steps) if steps else advance(experiment, steps=1).path[0][1]
    exact = np.linalg.eigvalsh(hessian(experiment, weights))
    begin = Sharpness.begin(
        [(steps, weights)], experiment.rate, sequences=40, tolerance=1e-4, most=400
    )
    found = proceed(experiment, begin)
    assert found.converged.tolist() == [True]
    assert found.values[0] == pytest.approx(exact[-1], rel=2e-3)


def test_within_the_default_tolerance_it_is_one_per_cent_off_at_most() -> None:
    for seed in range(4):
        experiment = replace(SMALL, seed=seed, cell=RNN(4))
        weights = weights_after(experiment, 40)
        exact = np.linalg.eigvalsh(hessian(experiment, weights))[-1]
        found = proceed(experiment, Sharpness.begin([(40, weights)], experiment.rate))
        assert found.converged.tolist() == [True]
        assert found.values[0] == pytest.approx(exact, rel=0.01)


def diagonal(monkeypatch: pytest.MonkeyPatch, *eigenvalues: float) -> Sharpness:
    """A study of a quadratic whose Hessian is known, in place of the network's."""
    values = np.array(eigenvalues)

    def product(_loss: object, _part: int, _weights: np.ndarray, vector: np.ndarray) -> np.ndarray:
        return np.asarray(values * vector)

    monkeypatch.setattr(curvature, "hessian_times", product)
    point = (0, np.zeros(len(values), np.float32))
    return Sharpness.begin([point], SMALL.rate, sequences=10, tolerance=1e-6, most=200)


@pytest.mark.parametrize(
    ("eigenvalues", "largest"),
    [
        ((3.0, 2.0, -1.0), 3.0),
        ((2.0, 1.0, -5.0), 2.0),  # the dominant one is negative
        ((-4.0, -2.0, -1.0), -1.0),
        ((3.0, 1.0, -3.0), 3.0),  # neither dominates
        ((7.0, 7.0, 0.0), 7.0),
        ((0.0, 0.0, 0.0), 0.0),
    ],
)
def test_it_is_the_algebraically_largest_whatever_the_signs(
    monkeypatch: pytest.MonkeyPatch, eigenvalues: tuple[float, ...], largest: float
) -> None:
    found = proceed(SMALL, diagonal(monkeypatch, *eigenvalues))
    assert found.values[0] == pytest.approx(largest, abs=1e-4)
    assert (found.converged.tolist(), found.progress) == ([True], 1.0)


def test_it_gives_up_after_twice_the_most_products_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = replace(diagonal(monkeypatch, *np.linspace(-1, 1, 50)), most=15, tolerance=1e-9)
    found = proceed(SMALL, begin)
    assert (found.iterations.tolist(), found.converged.tolist()) == ([30], [False])
    assert 0 < found.values[0] <= 1


def test_a_product_is_the_sum_of_its_parts_and_equals_the_hessian_times_the_vector() -> None:
    weights = weights_after(SMALL, 20)
    whole = hessian(SMALL, weights)
    vector = np.random.default_rng(0).normal(size=len(weights))
    loss = TrainingLoss(SMALL, fetch_sample, 40, 7 * 5 * 3, twice=True)
    assert len(loss) == 6  # seven sequences each, and the rest
    total = sum(hessian_times(loss, part, weights, vector) for part in range(6))
    np.testing.assert_allclose(total, whole @ vector, atol=1e-4 * np.abs(whole @ vector).max())


@pytest.mark.parametrize(
    "experiment", [SMALL, replace(SMALL, task=Digits()), replace(SMALL, loss_on="every")]
)
def test_the_loss_of_a_vector_is_that_of_the_model_over_the_training_set(
    experiment: Experiment,
) -> None:
    dataset = load(experiment.task, 0)
    trainer = Trainer(experiment, dataset)
    inputs, targets = map(torch.from_numpy, (dataset.train.inputs, dataset.train.targets))
    wanted = trainer.objective.wanted(inputs, targets)
    expected = trainer.objective(trainer.model(inputs, every=trainer.objective.every), wanted)
    weights = torch.from_numpy(flat(trainer.model))
    for twice in (False, True):
        loss = TrainingLoss(experiment, fetch_sample, 10_000, 1000, twice=twice)
        total = sum(loss.part(part, weights).item() for part in range(len(loss)))
        assert total == pytest.approx(expected.item(), rel=1e-5)


def test_fewer_sequences_are_spread_evenly_over_the_training_set() -> None:
    dataset = load(SMALL.task, 0)
    loss = TrainingLoss(SMALL, fetch_sample, 4, 10**9, twice=False)
    ((inputs, _wanted),) = loss._parts
    np.testing.assert_array_equal(inputs, dataset.train.inputs[[0, 13, 26, 39]])


def test_however_it_is_cut_it_finds_the_same() -> None:
    path = advance(SMALL, steps=20).path
    begin = Sharpness.begin(path, SMALL.rate, most_points=3)
    assert begin.steps.tolist() == [0, 10, 20]
    whole, state, slices = proceed(SMALL, begin), begin, 0
    while state.progress < 1:
        before = state.progress
        state, slices = proceed(SMALL, state, seconds=0.0), slices + 1
        assert state.progress > before
    assert slices == whole.iterations.sum()
    np.testing.assert_array_equal(state.values, whole.values)


def test_full_batch_gradient_descent_goes_to_the_edge_of_stability() -> None:
    # Cohen et al. 2021, figure 1: the sharpness rises to 2 / learning rate and stays around it.
    task = SineMixture(size=40, length=12, horizon=2)
    experiment = replace(SMALL, task=task, cell=GRU(8), learning_rate=0.3, steps=1900)
    path = advance(experiment).path
    points = [path[0], *path[-15::5]]
    found = proceed(experiment, Sharpness.begin(points, experiment.rate, sequences=40))
    assert found.limits.tolist() == pytest.approx([2 / 0.3] * 4)
    share = found.values / found.limits
    assert share[0] < 0.35
    assert ((share[1:] > 0.9) & (share[1:] < 1.1)).all()


def test_without_weights_there_is_nothing_to_look_at() -> None:
    with pytest.raises(GruvizError) as caught:
        Sharpness.begin([], SMALL.rate)
    assert str(caught.value) == "There are no weights to look at yet; press Train first."


def test_second_derivatives_through_too_many_steps_are_refused_with_a_number() -> None:
    long = Experiment(task=Adding(size=40, length=300), cell=GRU(256), batch_size=16)
    points = [(0, weights_of(advance(long, steps=1).checkpoint))]
    with pytest.raises(GruvizError) as caught:
        proceed(long, Sharpness.begin(points, long.rate))
    assert str(caught.value) == (
        "Second derivatives through 300 time steps of 256 hidden units take too long on a shared"
        " server; make the sequences at most 163 steps long, or the layer smaller."
    )

"""Penalties, dropout and initial weights in a run of the trainer."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from gruviz import nn
from gruviz.data import load
from gruviz.experiment import (
    GRU,
    INITIALS,
    ChoGRU,
    Experiment,
    KerasInitial,
    OwnInitial,
    Regularized,
)
from gruviz.experiment.initializers import FOR_BIASES, FOR_MATRICES
from gruviz.training import Trainer, advance
from tests.test_advance import SMALL, assert_same, fold


def trainer(experiment: Experiment) -> Trainer:
    return Trainer(experiment, load(experiment.task, experiment.seed))


def parts(made: Trainer) -> dict[str, torch.Tensor]:
    return {k: v.detach().clone() for k, v in made.model.recurrent.named_parameters()}


def test_the_penalty_is_the_sum_of_its_terms_and_no_part_of_the_loss() -> None:
    row = Regularized(
        kernel_l1=0.1, kernel_l2=0.02, recurrent_l1=0.3, recurrent_l2=0.04, bias_l2=0.5
    )
    made = trainer(replace(SMALL, regularization=row))
    weights = parts(made)
    kernel, recurrent = weights["weight_ih_l0"], weights["weight_hh_l0"]
    biases = torch.cat([weights["bias_ih_l0"], weights["bias_hh_l0"]])
    expected = (
        0.1 * kernel.abs().sum()
        + 0.02 * kernel.square().sum()
        + 0.3 * recurrent.abs().sum()
        + 0.04 * recurrent.square().sum()
        + 0.5 * biases.square().sum()
    )
    found, plain = made.step()[0], trainer(SMALL).step()[0]
    assert found["penalty"] == pytest.approx(float(expected), rel=1e-5)
    assert found["loss"] == plain["loss"]
    assert math.isnan(plain["penalty"])


def test_the_gradient_is_that_of_loss_and_penalty() -> None:
    made = trainer(replace(SMALL, clip_norm=None, regularization=Regularized(recurrent_l2=0.5)))
    plain = trainer(replace(SMALL, clip_norm=None))
    weights = parts(made)
    made.step()
    plain.step()
    for (name, ours), theirs in zip(
        made.model.recurrent.named_parameters(), plain.model.recurrent.parameters(), strict=True
    ):
        assert ours.grad is not None and theirs.grad is not None
        extra = weights[name] if name == "weight_hh_l0" else torch.zeros(())
        torch.testing.assert_close(ours.grad, theirs.grad + extra)


@pytest.mark.parametrize(
    "row", [Regularized(input_dropout=0.5), Regularized(recurrent_dropout=0.5)]
)
def test_dropout_is_in_training_steps_only_and_the_same_however_a_run_is_cut(
    row: Regularized,
) -> None:
    experiment = replace(SMALL, regularization=row)
    made, plain = trainer(experiment), trainer(SMALL)
    assert made.validate()["loss"] == plain.validate()["loss"]
    assert made.step()[0]["loss"] != plain.step()[0]["loss"]
    made.model.load_state_dict(plain.model.state_dict())
    assert made.validate()["loss"] == plain.validate()["loss"]
    np.testing.assert_array_equal(made.snapshot().prediction, plain.snapshot().prediction)
    whole = fold(experiment)[0]
    assert_same(fold(experiment, steps=1)[0], whole)
    assert_same(fold(experiment, steps=7)[0], whole)


def test_each_step_draws_masks_of_its_own() -> None:
    experiment = replace(
        SMALL, batch_size=None, regularization=Regularized(input_dropout=0.5), learning_rate=1e-6
    )
    losses = advance(experiment, steps=5).steps["loss"].tolist()
    assert len({round(loss, 4) for loss in losses}) == 5
    other = advance(replace(experiment, seed=1, task=SMALL.task), steps=5).steps["loss"].tolist()
    assert losses != other


def test_the_menus_have_the_initialisers_that_there_are() -> None:
    assert set(FOR_MATRICES) == {"default", *nn.INITIALIZERS}
    assert set(FOR_BIASES) < set(FOR_MATRICES)


@pytest.mark.parametrize("name", [name for name in FOR_BIASES if name != "default"])
def test_a_rule_for_biases_fills_a_vector(name: str) -> None:
    made = trainer(replace(SMALL, initial=OwnInitial(bias=name)))
    assert torch.isfinite(parts(made)["bias_ih_l0"]).all()


@pytest.mark.parametrize("name", [name for name in FOR_MATRICES if name != "default"])
def test_a_rule_for_matrices_fills_them_and_nothing_else(name: str) -> None:
    made, plain = trainer(replace(SMALL, initial=OwnInitial(kernel=name))), trainer(SMALL)
    like = torch.empty(18, 2)
    nn.INITIALIZERS[name](like, torch.Generator().manual_seed(0))
    torch.testing.assert_close(parts(made)["weight_ih_l0"], like)
    bound = 6**-0.5
    assert (parts(made)["weight_hh_l0"].abs() <= bound).all()
    assert not torch.equal(parts(plain)["weight_ih_l0"], like)


def test_keras_starts_with_orthogonal_columns_and_no_bias() -> None:
    weights = parts(trainer(replace(SMALL, initial=KerasInitial())))
    recurrent = weights["weight_hh_l0"]
    torch.testing.assert_close(recurrent.T @ recurrent, torch.eye(6), rtol=0, atol=1e-5)
    assert float(weights["bias_ih_l0"].abs().sum() + weights["bias_hh_l0"].abs().sum()) == 0
    assert (weights["weight_ih_l0"].abs() <= math.sqrt(6 / (18 + 2))).all()


def test_the_default_initial_weights_are_torchs() -> None:
    assert next(iter(INITIALS.values()))().arguments() == {}
    assert OwnInitial().arguments() == {}


@pytest.mark.parametrize("cell", [GRU, ChoGRU])
def test_a_gru_may_tie_its_gates_or_change_its_activation(cell: type[GRU] | type[ChoGRU]) -> None:
    tied = trainer(replace(SMALL, cell=cell(6, tied_gates=True)))
    assert parts(tied)["weight_hh_l0"].shape == (6, 6)
    signals = tied.snapshot().signals
    np.testing.assert_array_equal(signals["reset"], signals["update"])
    relu = trainer(replace(SMALL, cell=cell(6, activation="relu")))
    assert relu.snapshot().signals["candidate"].min() == 0

"""One step at a time, against the same step done by hand with torch."""

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from torch.nn import functional

from gruviz.data import batches, load
from gruviz.data.missing import METHODS, punch
from gruviz.data.windows import forecast_windows
from gruviz.errors import GruvizError
from gruviz.experiment import (
    GRU,
    OPTIMIZERS,
    SGD,
    TASKS,
    Adam,
    Adding,
    Cosine,
    Experiment,
    Kind,
    Momentum,
    RMSprop,
    SineMixture,
    Waveforms,
)
from gruviz.training import Trainer

SMALL = Experiment(
    task=Adding(size=40, length=8), cell=GRU(6), batch_size=16, steps=60, learning_rate=0.05,
    clip_norm=0.3, schedule=Cosine(),
)  # fmt: skip


def trainer(experiment: Experiment) -> Trainer:
    return Trainer(experiment, load(experiment.task, experiment.seed))


class ByHand(torch.nn.Module):
    """The same network from torch's own parts, with the same initial weights."""

    def __init__(self, made: Trainer) -> None:
        super().__init__()
        features, units = made.dataset.features, made.experiment.cell.units
        self.gru = torch.nn.GRU(features, units, batch_first=True)
        self.head = torch.nn.Linear(units, made.dataset.outputs)
        arrays = {k: torch.from_numpy(v) for k, v in made.checkpoint().arrays.items()}
        prefix = "model.recurrent."
        gru = {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}
        self.gru.load_state_dict(gru)
        head = {k.split(".")[-1]: v for k, v in arrays.items() if k.startswith("model.head.")}
        self.head.load_state_dict(head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.head(self.gru(x)[0][:, -1])
        return answer


Weights = Iterable[torch.nn.Parameter]
HANDS: dict[str, Callable[[Weights], torch.optim.Optimizer]] = {
    "sgd": lambda weights: torch.optim.SGD(weights, lr=0.05),
    "momentum": lambda weights: torch.optim.SGD(weights, lr=0.05, momentum=0.7),
    "rmsprop": lambda weights: torch.optim.RMSprop(weights, lr=0.05, alpha=0.8),
    "adam": lambda weights: torch.optim.Adam(weights, lr=0.05, betas=(0.6, 0.7)),
}
ROWS = {
    "sgd": SGD(), "momentum": Momentum(0.7), "rmsprop": RMSprop(0.8), "adam": Adam(0.6, 0.7),
}  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_equal_those_of_the_torch_class_driven_by_hand(name: str) -> None:
    made = trainer(replace(SMALL, optimizer=ROWS[name]))
    model, data = ByHand(made), made.dataset.train
    optimizer = HANDS[name](model.parameters())
    for step, rows in enumerate(islice(batches(40, 16, 0, 0), 20)):
        optimizer.zero_grad()
        x, y = torch.from_numpy(data.inputs[rows]), torch.from_numpy(data.targets[rows])
        loss = functional.mse_loss(model(x), y)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        rate = 0.05 * (1 + math.cos(math.pi * step / 60)) / 2
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        row, diverged = made.step()
        assert not diverged
        assert row["step"] == step + 1
        # RMSprop divides by small gradients: float32 sums in another order show sooner.
        assert row["loss"] == pytest.approx(loss.item(), rel=1e-4)
        assert row["norm"] == pytest.approx(float(norm), rel=1e-4)
        assert row["learning_rate"] == pytest.approx(rate, rel=1e-12)
    for ours, theirs in zip(made.parameters, model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_every_optimizer_is_checked_by_hand() -> None:
    assert set(HANDS) == set(ROWS) == set(OPTIMIZERS)


def gradients(made: Trainer) -> torch.Tensor:
    return torch.cat(
        [weight.grad.flatten() for weight in made.parameters if weight.grad is not None]
    )


def weights(made: Trainer) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in made.parameters])


def test_a_clipped_sgd_step_goes_the_clip_norm_far_along_the_gradient() -> None:
    free = trainer(replace(SMALL, optimizer=SGD(), clip_norm=None))
    start = weights(free)
    row, _diverged = free.step()
    gradient = gradients(free)
    norm = float(gradient.norm())
    assert norm > 0.3
    assert row["norm"] == row["clipped_norm"] == pytest.approx(norm, rel=1e-6)
    assert math.isnan(row["clip_norm"])
    torch.testing.assert_close(weights(free), start - 0.05 * gradient)

    clipped = trainer(replace(SMALL, optimizer=SGD(), clip_norm=0.3))
    assert torch.equal(weights(clipped), start)
    row, _diverged = clipped.step()
    assert row["norm"] == pytest.approx(norm, rel=1e-6)
    assert row["clip_norm"] == 0.3
    torch.testing.assert_close(
        weights(clipped), start - 0.05 * 0.3 * gradient / norm, rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("clip_norm", [0.001, 0.05, 0.2])
def test_the_clipped_norm_is_what_clip_grad_norm_leaves(clip_norm: float) -> None:
    made = trainer(replace(SMALL, clip_norm=clip_norm))
    peer = ByHand(made)
    rows = next(batches(40, 16, 0, 0))
    data = made.dataset.train
    x, y = torch.from_numpy(data.inputs[rows]), torch.from_numpy(data.targets[rows])
    functional.mse_loss(peer(x), y).backward()
    torch.nn.utils.clip_grad_norm_(peer.parameters(), clip_norm)
    left = torch.cat([w.grad.flatten() for w in peer.parameters() if w.grad is not None]).norm()
    row, _diverged = made.step()
    assert row["norm"] > clip_norm
    assert row["clipped_norm"] == pytest.approx(float(left), rel=1e-5)
    assert float(gradients(made).norm()) == pytest.approx(row["clipped_norm"], rel=1e-5)


def test_a_gradient_shorter_than_the_clip_norm_is_left_as_it_is() -> None:
    made, free = trainer(replace(SMALL, clip_norm=1000.0)), trainer(replace(SMALL, clip_norm=None))
    row, _diverged = made.step()
    other, _diverged = free.step()
    assert row["norm"] == row["clipped_norm"] == other["norm"]
    assert torch.equal(gradients(made), gradients(free))


def test_a_diverged_step_updates_nothing() -> None:
    experiment = replace(SMALL, optimizer=SGD(), learning_rate=10.0, clip_norm=None)
    made = trainer(experiment)
    first, diverged = made.step()
    assert not diverged
    row = first
    while not diverged:
        before = weights(made)
        last, (row, diverged) = row, made.step()
    assert torch.equal(weights(made), before)
    assert row["step"] == made.step_count == last["step"] + 1
    assert not row["loss"] <= 1e6 * first["loss"] or not math.isfinite(row["norm"])
    assert last["loss"] <= 1e6 * first["loss"]


@pytest.mark.parametrize(("poison", "what"), [(math.nan, "nan"), (math.inf, "inf")])
def test_a_loss_that_is_no_number_is_a_divergence_at_its_step(poison: float, what: str) -> None:
    made = trainer(SMALL)
    made.step()
    with torch.no_grad():
        made.model.head.bias.fill_(poison)
    before = weights(made)
    row, diverged = made.step()
    assert (diverged, row["step"], str(row["loss"])) == (True, 2.0, what)
    assert weights(made).tolist() == pytest.approx(before.tolist(), nan_ok=True)


def test_validation_is_the_loss_on_the_held_out_sequences() -> None:
    experiment = replace(SMALL, task=Waveforms(size=40, length=8))
    made = trainer(experiment)
    peer, held_out = ByHand(made), made.dataset.validation
    with torch.no_grad():
        output = peer(torch.from_numpy(held_out.inputs[:256]))
    target = torch.from_numpy(held_out.targets[:256])
    found = made.validate()
    assert found["step"] == 0
    assert found["loss"] == pytest.approx(float(functional.cross_entropy(output, target)), rel=1e-5)
    assert found["accuracy"] == float((output.argmax(1) == target).double().mean())


@pytest.mark.parametrize("name", TASKS)
def test_a_snapshot_shows_the_first_held_out_sequence(name: str) -> None:
    experiment = Experiment(task=TASKS[name](), cell=GRU(6), batch_size=8)
    made = trainer(experiment)
    made.step()
    snapshot, held_out = made.snapshot(), made.dataset.validation
    time = held_out.inputs.shape[1]
    assert snapshot.step == 1
    assert list(snapshot.signals) == ["reset", "update", "candidate", "hidden"]
    assert {values.shape for values in snapshot.signals.values()} == {(6, time)}
    np.testing.assert_array_equal(snapshot.inputs, held_out.inputs[0])
    np.testing.assert_array_equal(snapshot.target, held_out.targets[0])
    peer = ByHand(made)
    with torch.no_grad():
        states = peer.gru(torch.from_numpy(held_out.inputs[:1]))[0][0]
        output = peer.head(states)
        expected = output.softmax(1) if made.dataset.kind is Kind.CLASSIFICATION else output
    np.testing.assert_allclose(snapshot.signals["hidden"], states.numpy().T, atol=1e-6)
    np.testing.assert_allclose(snapshot.prediction, expected.numpy(), atol=1e-5)


def test_a_checkpoint_holds_arrays_and_no_torch_and_is_not_touched_by_later_steps() -> None:
    made = trainer(SMALL)
    made.step()
    checkpoint = made.checkpoint()
    before = {name: array.copy() for name, array in checkpoint.arrays.items()}
    made.step()
    assert checkpoint.step == 1
    assert all(type(array) is np.ndarray for array in checkpoint.arrays.values())
    assert len(before) == 6 + 3 * 6  # weights; step and two averages of each
    for name, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(array, before[name])


def test_a_checkpoint_holds_tens_of_kilobytes() -> None:
    made = trainer(Experiment(task=SineMixture(size=40)))
    made.step()
    assert sum(array.nbytes for array in made.checkpoint().arrays.values()) < 100_000


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(GruvizError) as caught:
        trainer(replace(SMALL, batch_size=41))
    assert str(caught.value) == (
        "Batch size is 41, but there are only 40 training sequences; choose a batch of at most 40."
    )


@pytest.mark.parametrize("missing", list(METHODS))
def test_windows_of_every_method_can_be_trained_on(missing: str) -> None:
    series = punch(np.sin(0.3 * np.arange(400.0)), 0.05, (1, 2), np.random.default_rng(0))
    data = forecast_windows(
        series, 8, 2, "x", further={"y": np.cos(0.3 * np.arange(400.0))}, missing=missing
    )
    trainer = Trainer(Experiment(), data)
    first = trainer.validate()["loss"]
    for _ in range(60):
        trainer.step()
    assert trainer.validate()["loss"] < 0.7 * first

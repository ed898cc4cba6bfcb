"""One step at a time, against the same step done by hand with torch."""

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from itertools import islice, repeat
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import gruviz.training.trainer
from gruviz.data import batches, judged, load
from gruviz.data.missing import METHODS, punch
from gruviz.data.windows import forecast_windows
from gruviz.errors import GruvizError
from gruviz.experiment import (
    CELLS,
    GRU,
    OPTIMIZERS,
    SGD,
    TASKS,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Adding,
    Cosine,
    Experiment,
    GradientDescent,
    Momentum,
    Muon,
    NAdam,
    Nesterov,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
    SineMixture,
    TableTask,
    Waveforms,
)
from gruviz.nn import GRUD
from gruviz.training import Trainer

SMALL = Experiment(
    task=Adding(size=40, length=8),
    cell=GRU(6),
    batch_size=16,
    steps=60,
    learning_rate=0.05,
    clip_norm=0.3,
    schedule=Cosine(),
)


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


Weights = list[torch.nn.Parameter]
Made = list[torch.optim.Optimizer]


def muon(weights: Weights) -> Made:
    matrices = [weight for weight in weights if weight.dim() == 2]
    rest = [weight for weight in weights if weight.dim() == 1]
    return [
        torch.optim.Muon(
            matrices, lr=0.05, momentum=0.8, weight_decay=0.02, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(rest, lr=0.05, betas=(0.6, 0.7), eps=1e-6, weight_decay=0.02),
    ]


# Each row with other knobs than its defaults, and the same by hand, in torch's plainest loop.
optim = torch.optim
PLAIN: dict[str, Any] = {"foreach": False}
BETAS: dict[str, Any] = {"betas": (0.6, 0.7), "eps": 1e-6, "weight_decay": 0.02, **PLAIN}
HANDS: dict[str, tuple[Optimizer, Callable[[Weights], Made]]] = {
    "gd": (GradientDescent(0.01), lambda w: [optim.SGD(w, 0.05, weight_decay=0.01, **PLAIN)]),
    "sgd": (SGD(0.01), lambda w: [optim.SGD(w, 0.05, weight_decay=0.01, **PLAIN)]),
    "momentum": (
        Momentum(0.7, 0.2, 0.01),
        lambda w: [optim.SGD(w, 0.05, 0.7, 0.2, weight_decay=0.01, **PLAIN)],
    ),
    "nesterov": (
        Nesterov(0.7, 0.01),
        lambda w: [optim.SGD(w, 0.05, 0.7, weight_decay=0.01, nesterov=True, **PLAIN)],
    ),
    "adagrad": (
        Adagrad(0.1, 1e-6, 0.01),
        lambda w: [
            optim.Adagrad(
                w, 0.05, weight_decay=0.01, initial_accumulator_value=0.1, eps=1e-6, **PLAIN
            )
        ],
    ),
    "adadelta": (
        Adadelta(0.8, 1e-4, 0.01),
        lambda w: [optim.Adadelta(w, 0.05, rho=0.8, eps=1e-4, weight_decay=0.01, **PLAIN)],
    ),
    "rmsprop": (
        RMSprop(0.8, 1e-6, 0.5, True, 0.01),
        lambda w: [
            optim.RMSprop(
                w,
                0.05,
                alpha=0.8,
                eps=1e-6,
                weight_decay=0.01,
                momentum=0.5,
                centered=True,
                **PLAIN,
            )
        ],
    ),
    "adam": (
        Adam(0.6, 0.7, 1e-6, 0.02, True),
        lambda w: [optim.Adam(w, 0.05, amsgrad=True, **BETAS)],
    ),
    "adamw": (AdamW(0.6, 0.7, 1e-6, 0.02), lambda w: [optim.AdamW(w, 0.05, **BETAS)]),
    "adamax": (Adamax(0.6, 0.7, 1e-6, 0.02), lambda w: [optim.Adamax(w, 0.05, **BETAS)]),
    "nadam": (
        NAdam(0.6, 0.7, 1e-6, 0.02, 0.01),
        lambda w: [optim.NAdam(w, 0.05, momentum_decay=0.01, **BETAS)],
    ),
    "radam": (RAdam(0.6, 0.7, 1e-6, 0.02), lambda w: [optim.RAdam(w, 0.05, **BETAS)]),
    "rprop": (
        Rprop(0.6, 1.1, 1e-5, 0.1),
        lambda w: [optim.Rprop(w, 0.05, etas=(0.6, 1.1), step_sizes=(1e-5, 0.1), **PLAIN)],
    ),
    "muon": (Muon(0.6, 0.7, 1e-6, 0.02, 0.8), muon),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_steps_equal_those_of_the_torch_class_driven_by_hand(name: str) -> None:
    row, by_hand = HANDS[name]
    assert row.name == name
    # Some of these rules divide by gradients near 0 or take their sign, and make a whole step of a
    # last bit: so the gradients are our own layer's, unclipped; both have tests of their own.
    made = trainer(replace(SMALL, optimizer=row, clip_norm=None))
    peer = copy.deepcopy(made.model)
    data, optimizers = made.dataset.train, by_hand(list(peer.parameters()))
    orders = repeat(np.arange(40)) if name == "gd" else batches(40, 16, 0, 0)
    for step, rows in enumerate(islice(orders, 50)):
        x, y = torch.from_numpy(data.inputs[rows]), torch.from_numpy(data.targets[rows])
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss = functional.mse_loss(peer(x), y)
        loss.backward()
        rate = 0.05 * (1 + math.cos(math.pi * step / 60)) / 2
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
        found, diverged = made.step()
        assert not diverged
        assert found["step"] == step + 1
        assert found["loss"] == pytest.approx(loss.item(), rel=1e-4)
        assert found["learning_rate"] == pytest.approx(rate, rel=1e-12)
    for ours, theirs in zip(made.parameters, peer.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("row", [SGD(), Momentum(0.7), Adam(0.6, 0.7)])
def test_twenty_steps_equal_those_of_torchs_own_layer_and_optimizer(row: Optimizer) -> None:
    made = trainer(replace(SMALL, optimizer=row))
    model, data = ByHand(made), made.dataset.train
    assert row.torch_class is not None
    optimizer = getattr(optim, row.torch_class)(model.parameters(), 0.05, **row.arguments())
    for step, rows in enumerate(islice(batches(40, 16, 0, 0), 20)):
        optimizer.zero_grad()
        x, y = torch.from_numpy(data.inputs[rows]), torch.from_numpy(data.targets[rows])
        loss = functional.mse_loss(model(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.3)
        optimizer.param_groups[0]["lr"] = 0.05 * (1 + math.cos(math.pi * step / 60)) / 2
        optimizer.step()
        assert made.step()[0]["loss"] == pytest.approx(loss.item(), rel=1e-4)
    for ours, theirs in zip(made.parameters, model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_every_optimizer_is_checked_by_hand() -> None:
    assert set(HANDS) == set(OPTIMIZERS)


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


@pytest.mark.parametrize(("value", "clip_norm"), [(0.02, None), (0.02, 0.05), (0.02, 10.0)])
def test_clipping_by_value_then_by_norm_leaves_what_torch_leaves(
    value: float, clip_norm: float | None
) -> None:
    made = trainer(replace(SMALL, clip_value=value, clip_norm=clip_norm))
    peer, data = ByHand(made), made.dataset.train
    rows = next(batches(40, 16, 0, 0))
    x, y = torch.from_numpy(data.inputs[rows]), torch.from_numpy(data.targets[rows])
    functional.mse_loss(peer(x), y).backward()
    raw = float(torch.nn.utils.clip_grad_norm_(peer.parameters(), math.inf))
    torch.nn.utils.clip_grad_value_(peer.parameters(), value)
    between = float(torch.nn.utils.clip_grad_norm_(peer.parameters(), clip_norm or math.inf))
    left = torch.cat([w.grad.flatten() for w in peer.parameters() if w.grad is not None])
    row, _diverged = made.step()
    assert row["norm"] == pytest.approx(raw, rel=1e-5)
    assert between < raw and row["clipped_norm"] == pytest.approx(float(left.norm()), rel=1e-5)
    torch.testing.assert_close(gradients(made), left, rtol=1e-4, atol=1e-7)


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
    peer, held_out = ByHand(made), judged(made.dataset.validation)
    with torch.no_grad():
        output = peer(torch.from_numpy(held_out.inputs))
    target = torch.from_numpy(held_out.targets)
    found = made.validate()
    assert found["step"] == 0
    assert found["loss"] == pytest.approx(float(functional.cross_entropy(output, target)), rel=1e-5)
    assert found["accuracy"] == float((output.argmax(1) == target).double().mean())


def test_an_error_in_the_second_half_of_a_long_validation_part_is_seen() -> None:
    series = np.sin(0.3 * np.arange(8_000.0))
    series[7_200:] += 5.0  # the validation part is 6,400 to 8,000
    data = forecast_windows(series, 12, 1, "x")
    made = Trainer(Experiment(task=TableTask(), cell=GRU(4)), data)
    for _ in range(100):
        made.step()
    with torch.no_grad():
        held_out = data.validation
        output = made.model(torch.from_numpy(np.array(held_out.inputs)))
        whole = float(functional.mse_loss(output, torch.from_numpy(np.array(held_out.targets))))
        first = float(functional.mse_loss(output[:256], torch.from_numpy(held_out.targets[:256])))
    assert whole > 10 * first
    assert made.validate()["loss"] == pytest.approx(whole, rel=0.05)


EVERY_KIND = ["sine", "adding", "waveforms", "echo", "parity"]


@pytest.mark.parametrize("name", EVERY_KIND)
@pytest.mark.parametrize("loss_on", ["task", "last", "every"])
def test_validated_in_parts_the_loss_is_that_of_the_whole(
    name: str, loss_on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = Experiment(task=TASKS[name](), cell=GRU(6), batch_size=8, loss_on=loss_on)
    whole = trainer(experiment).validate()
    monkeypatch.setattr(gruviz.training.trainer, "VALIDATED_AT_ONCE", 7_000)
    made, shapes = trainer(experiment), []
    made.model.register_forward_pre_hook(lambda _model, given: shapes.append(given[0].shape))
    parts = made.validate()
    assert len(shapes) > 1 and max(n * time for n, time, _features in shapes) * 6 <= 7_000
    assert parts == pytest.approx(whole, rel=1e-5, nan_ok=True)
    assert parts == pytest.approx(trainer(experiment).validate(), rel=0, abs=0, nan_ok=True)


def test_the_memory_of_a_validation_is_bounded_whatever_the_size() -> None:
    experiment = Experiment(task=Adding(size=40, length=200), cell=GRU(256), batch_size=8)
    made, sizes = trainer(experiment), []
    made.model.recurrent.register_forward_hook(
        lambda _layer, _given, found: sizes.append(found[0].numel())
    )
    made.validate()
    assert max(sizes) <= 1 << 21 and sum(sizes) == 256 * 200 * 256


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
        expected = output.softmax(1) if made.dataset.kind.classes else output
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
    assert len(before) == 6 + 3 * 6 + 2  # weights; step and two averages of each; validations
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


def test_a_warm_up_longer_than_the_run_is_refused() -> None:
    with pytest.raises(GruvizError) as caught:
        trainer(replace(SMALL, warmup=1000))
    assert str(caught.value) == (
        "Warm-up is 1,000 steps, but the run has only 60; choose more steps or a shorter warm-up."
    )


@pytest.mark.parametrize("missing", list(METHODS))
def test_windows_of_every_method_can_be_trained_on(missing: str) -> None:
    series = punch(np.sin(0.3 * np.arange(400.0)), 0.05, (1, 2), np.random.default_rng(0))
    data = forecast_windows(
        series, 8, 2, "x", further={"y": np.cos(0.3 * np.arange(400.0))}, missing=missing
    )
    trainer = Trainer(Experiment(task=TableTask(missing=missing)), data)
    assert isinstance(trainer.model.recurrent, GRUD) == (missing == "decay")
    first = trainer.validate()["loss"]
    for _ in range(60):
        trainer.step()
    assert trainer.validate()["loss"] < 0.7 * first


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_of_the_menu_and_its_layer_name_the_same_gates_in_the_same_order(name: str) -> None:
    experiment = Experiment(task=Adding(size=20, length=8), cell=CELLS[name](), batch_size=4)
    made = Trainer(experiment, load(experiment.task, 0))
    assert made.model.recurrent.gates == experiment.cell.gates

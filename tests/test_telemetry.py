"""Norms by block of weights and the anatomy of a step, against the same from checkpoints."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from gruviz.data import batches, load
from gruviz.experiment import (
    GRU,
    LSTM,
    OPTIMIZERS,
    RNN,
    SGD,
    Adagrad,
    Adam,
    Cell,
    Muon,
    Regularized,
    Waveforms,
)
from gruviz.record import Checkpoint
from gruviz.training import Trainer, advance
from tests.test_advance import SMALL, fold

GRU_BLOCKS = ("W_ir", "W_iz", "W_in", "W_hr", "W_hz", "W_hn", "biases", "head")
ROWS = {
    "W_ir": ("recurrent.weight_ih_l0", 0),
    "W_iz": ("recurrent.weight_ih_l0", 1),
    "W_in": ("recurrent.weight_ih_l0", 2),
    "W_hr": ("recurrent.weight_hh_l0", 0),
    "W_hz": ("recurrent.weight_hh_l0", 1),
    "W_hn": ("recurrent.weight_hh_l0", 2),
}


def block(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The numbers of one block of a GRU with 6 units, of arrays by the model's own names."""
    if name in ROWS:
        source, gate = ROWS[name]
        return arrays[source][6 * gate : 6 * gate + 6].ravel()
    start = "head." if name == "head" else "recurrent.bias"
    return np.concatenate([v.ravel() for key, v in arrays.items() if key.startswith(start)])


def weights(checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    return {
        key.removeprefix("model."): value.astype(np.float64)
        for key, value in checkpoint.arrays.items()
        if key.startswith("model.")
    }


def test_the_update_ratio_equals_one_from_two_consecutive_checkpoints() -> None:
    before = advance(SMALL, steps=19).checkpoint
    after = advance(SMALL, before, steps=1)
    assert after.blocks["step"].tolist() == [20]
    old, new = weights(before), weights(after.checkpoint)
    for name in GRU_BLOCKS:
        moved = np.linalg.norm(block(new, name) - block(old, name))
        ratio = np.log10(moved / np.linalg.norm(block(old, name)))
        assert after.blocks[f"update.{name}"][0] == pytest.approx(ratio, abs=1e-6)


def test_the_gradient_of_a_block_is_that_before_clipping() -> None:
    made = Trainer(replace(SMALL, clip_norm=1e-3), load(SMALL.task, 0), telemetry=True)
    peer = Trainer(replace(SMALL, clip_norm=None), load(SMALL.task, 0))
    row, _diverged = made.step()
    peer.step()
    named = peer.model.named_parameters()
    arrays = {key: w.grad.numpy() for key, w in named if w.grad is not None}
    assert made.telemetry is not None
    found = made.telemetry.columns()
    for name in GRU_BLOCKS:
        expected = np.linalg.norm(block(arrays, name))
        assert found[f"gradient.{name}"][0] == pytest.approx(expected, rel=1e-5)
    whole = np.sqrt(sum(found[f"gradient.{name}"][0] ** 2 for name in GRU_BLOCKS))
    assert row["norm"] == pytest.approx(whole, rel=1e-6)
    assert row["clipped_norm"] == 1e-3


def test_the_second_moment_is_the_root_mean_square_of_what_the_checkpoint_holds() -> None:
    names = [name for name, _weight in Trainer(SMALL, load(SMALL.task, 0)).model.named_parameters()]
    for row, key in ((Adam(), "exp_avg_sq"), (Adagrad(), "sum")):
        part = advance(replace(SMALL, optimizer=row), steps=10)
        arrays = {
            name: part.checkpoint.arrays[f"optimizer.{place}.{key}"].astype(np.float64)
            for place, name in enumerate(names)
        }
        for name in GRU_BLOCKS:
            expected = np.sqrt(np.mean(block(arrays, name) ** 2))
            assert part.blocks[f"moment.{name}"][-1] == pytest.approx(expected, rel=1e-6)


def test_who_keeps_no_second_moment_has_none() -> None:
    moments = {
        name: {
            block: bool(np.isfinite(values).all())
            for block in GRU_BLOCKS
            for values in [part.blocks[f"moment.{block}"]]
        }
        for name, row in OPTIMIZERS.items()
        for part in [advance(replace(SMALL, optimizer=row()), steps=1)]
    }
    without = {name for name, found in moments.items() if not any(found.values())}
    assert without == {"gd", "sgd", "momentum", "nesterov", "adamax", "rprop"}
    assert moments[Muon.name] == {
        block: block == "biases" for block in GRU_BLOCKS
    }  # the head has a matrix
    assert all(all(moments[name].values()) for name in ("adam", "nadam", "rmsprop", "adadelta"))


@pytest.mark.parametrize("cut", [1, 7, 13])
def test_the_same_steps_are_measured_however_a_run_is_cut(cut: int) -> None:
    whole, pieces = fold(SMALL)[0].blocks, fold(SMALL, steps=cut)[0].blocks
    assert whole is not None and pieces is not None
    assert whole["step"].tolist() == [1, *range(10, 121, 10)]
    assert whole.names == pieces.names
    for name in whole.names:
        np.testing.assert_array_equal(whole[name], pieces[name], err_msg=name)


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        (GRU(6), GRU_BLOCKS),
        (GRU(6, tied_gates=True), ("W_i", "W_h", "biases", "head")),
        (RNN(6), ("W_ih", "W_hh", "biases", "head")),
        (
            LSTM(6),
            ("W_ii", "W_if", "W_ig", "W_io", "W_hi", "W_hf", "W_hg", "W_ho", "biases", "head"),
        ),
    ],
)
def test_every_cell_has_blocks_of_its_own(cell: Cell, names: tuple[str, ...]) -> None:
    part = advance(replace(SMALL, cell=cell), steps=1)
    kinds = ("gradient", "update", "moment")
    assert list(part.blocks) == ["step", *(f"{kind}.{name}" for kind in kinds for name in names)]
    assert all(np.isfinite(values).all() for values in part.blocks.values())


def test_telemetry_leaves_the_curve_alone() -> None:
    plain, watched = advance(SMALL, telemetry=False), advance(SMALL)
    for name, values in watched.steps.items():
        np.testing.assert_array_equal(plain.steps[name], values, err_msg=name)
    for name, array in watched.checkpoint.arrays.items():
        np.testing.assert_array_equal(plain.checkpoint.arrays[name], array, err_msg=name)
    assert (plain.blocks, plain.anatomy, plain.snapshot) == ({}, {}, None)


def test_the_anatomy_of_a_step_is_its_numbers_stage_by_stage() -> None:
    experiment = replace(SMALL, optimizer=SGD(), clip_norm=0.05)
    before = advance(experiment, steps=4)
    part = advance(experiment, before.checkpoint, steps=1)
    found = part.anatomy
    row = {name: float(values[0]) for name, values in part.steps.items()}
    rows = next(batches(40, 16, 0, 4))
    assert found["step"] == 5
    assert found["batch"] == {"rows": rows[:8].tolist(), "count": len(rows)}
    data = load(experiment.task, 0)
    made = Trainer(experiment, data, before.checkpoint)
    with torch.no_grad():
        output = made.model(torch.from_numpy(data.train.inputs[rows]))
    assert found["forward"]["answer"] == pytest.approx(output[0].tolist(), rel=1e-5)
    assert found["forward"]["target"] == data.train.targets[rows[0]].tolist()
    assert found["loss"] == row["loss"]
    made.experiment = replace(experiment, clip_norm=None)
    made.step()
    arrays = {key: w.grad.numpy() for key, w in made.model.named_parameters() if w.grad is not None}
    largest = {name: float(np.abs(block(arrays, name)).max()) for name in GRU_BLOCKS}
    name = max(largest, key=lambda each: largest[each])
    assert found["backward"] == {
        "norm": row["norm"],
        "largest": pytest.approx(largest[name]),
        "block": name,
    }
    assert found["clip"] == {"factor": pytest.approx(0.05 / row["norm"]), "norm": 0.05}
    old, new = weights(before.checkpoint), weights(part.checkpoint)
    moved = np.concatenate([(new[key] - old[key]).ravel() for key in old])
    after = np.concatenate([values.ravel() for values in new.values()])
    assert found["update"] == {
        "learning_rate": row["learning_rate"],
        "norm": pytest.approx(float(np.linalg.norm(moved)), rel=1e-5),
        "largest": pytest.approx(float(np.abs(moved).max()), rel=1e-5),
        "weights": pytest.approx(float(np.linalg.norm(after)), rel=1e-6),
    }
    assert found["update"]["norm"] == pytest.approx(0.05 * row["learning_rate"], rel=1e-4)


def test_a_class_is_answered_by_probabilities_and_a_penalty_is_named() -> None:
    experiment = replace(
        SMALL, task=Waveforms(size=40, length=8), regularization=Regularized(kernel_l2=0.1)
    )
    part = advance(experiment, steps=1)
    answer = part.anatomy["forward"]["answer"]
    assert (len(answer), sum(answer)) == (10, pytest.approx(1))
    rows = part.anatomy["batch"]["rows"]
    target = load(experiment.task, 0).train.targets[rows[0]]
    assert part.anatomy["forward"]["target"] == [float(target)]
    assert part.anatomy["penalty"] == part.steps["penalty"][0] > 0


def test_a_step_that_diverges_is_taken_apart_and_moves_nothing() -> None:
    experiment = replace(SMALL, optimizer=SGD(), learning_rate=10.0, clip_norm=None)
    parts = fold(experiment, steps=1)[1]
    last = parts[-1]
    assert last.stopped == "diverged"
    assert last.anatomy["step"] == last.diverged_at
    assert (last.anatomy["update"]["norm"], last.anatomy["update"]["largest"]) == (0.0, 0.0)
    assert fold(experiment)[1][-1].anatomy == {}

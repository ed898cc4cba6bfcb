"""A new cell is a class of the experiment, and an equation with its layer: nothing else knows of it.

The minimal gated unit of Zhou, Wu, Zhang, Zhou 2016, "Minimal gated unit for recurrent neural
networks" (arXiv 1603.09420), which has one gate and no compiled loop.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from gruviz import nn
from gruviz.data import load, preview_of
from gruviz.experiment import CELLS, Adam, Cell, Experiment, Signal, SineMixture
from gruviz.experiment.link import from_link, to_link
from gruviz.nn.equation import GATE, TANH, Equation, Range, Step, Weights
from gruviz.training import Trainer
from gruviz.ui import cards, columns
from tests.test_advance import assert_same, fold
from tests.test_charts_blocks import measured


@dataclass(frozen=True)
class MinimalGatedUnit(Cell):
    name: ClassVar[str] = "mgu"
    label: ClassVar[str] = "Minimal gated unit"
    help: ClassVar[str] = "One gate both forgets and writes."
    layer: ClassVar[str] = "MGU"
    gates: ClassVar[str] = "fh"
    equation: ClassVar[str] = r"h_t = (1 - f_t) \odot h_{t-1} + f_t \odot \tilde h_t"
    signals: ClassVar[tuple[Signal, ...]] = (
        Signal("forget", "Forget gate f", "bright: the candidate is written", 0.0),
        Signal("candidate", "Candidate", "what would be written", -1.0),
        Signal("hidden", "Hidden state h", "the memory itself", -1.0),
    )


@dataclass(frozen=True)
class MGUEquation(Equation):
    name: ClassVar[str] = "mgu"
    gates: ClassVar[str] = "fh"

    @cached_property
    def summarised(self) -> Mapping[str, Range | None]:
        return {"forget": GATE, "candidate": TANH}

    def step(
        self, x: Tensor, h: Tensor, masked: Tensor, _cell: Tensor | None, weights: Weights
    ) -> Step:
        f, candidate = weights.of_gates(0, 1), weights.of_gates(1, 2)
        forget = torch.sigmoid(f.from_input(x) + f.from_state(masked))
        new = torch.tanh(candidate.from_input(x) + candidate.from_state(forget * masked))
        hidden = (1 - forget) * h + forget * new
        return Step(hidden, None, {"forget": forget, "candidate": new})


class MGU(nn.Recurrent):
    def __init__(self, input_size: int, hidden_size: int, **options: Any) -> None:
        super().__init__(MGUEquation(), input_size, hidden_size, **options)


BLOCKS = ("W_if", "W_ih", "W_hf", "W_hh", "biases", "head")


@pytest.fixture(autouse=True)
def experiment(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setitem(CELLS, "mgu", MinimalGatedUnit)
    monkeypatch.setitem(nn.LAYERS, "MGU", MGU)
    return Experiment(
        task=SineMixture(size=40, length=8, horizon=3),
        cell=MinimalGatedUnit(5),
        optimizer=Adam(),
        learning_rate=0.02,
        batch_size=16,
        steps=60,
    )


def test_a_link_holds_the_cell_and_gives_it_back(experiment: Experiment) -> None:
    link = to_link(experiment)
    assert (link["cell"], link["mgu.units"]) == ("mgu", "5")
    assert from_link(link) == (experiment, [])


def test_it_learns_and_is_the_same_to_the_bit_however_the_run_is_cut(
    experiment: Experiment,
) -> None:
    (whole, parts), (pieces, _parts) = fold(experiment), fold(experiment, steps=7)
    assert_same(whole, pieces)
    losses = whole.validations["loss"]
    assert losses[-1] < 0.7 * losses[0]
    assert parts[-1].stopped == "steps"


def test_its_signals_rebuild_its_hidden_state(experiment: Experiment) -> None:
    snapshot = fold(experiment)[1][-1].snapshot
    assert snapshot is not None and list(snapshot.signals) == ["forget", "candidate", "hidden"]
    forget, candidate, hidden = snapshot.signals.values()
    before = np.hstack([np.zeros((5, 1), np.float32), hidden[:, :-1]])
    np.testing.assert_allclose((1 - forget) * before + forget * candidate, hidden, atol=1e-6)
    assert ((forget > 0) & (forget < 1)).all()


def test_the_gradient_through_time_and_the_summary_are_recorded() -> None:
    layer, recording = MGU(2, 5, engine="torch", batch_first=True), nn.Recording("summary")
    x = torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0))
    output, final = layer(x, record=recording)
    assert output.shape == (3, 7, 5) and torch.equal(output[:, -1], final[0])
    output[:, -1].sum().backward()
    (record,) = recording.layers
    assert record.gradient_norm is not None
    assert record.gradient_norm[-1] == pytest.approx(np.sqrt(3 * 5))
    assert (record.gradient_norm > 0).all()
    assert list(record.mean) == list(record.saturation) == ["forget", "candidate"]
    full = nn.Recording()
    layer(x, record=full)
    signals = full.layers[0].signals
    np.testing.assert_allclose(record.mean["forget"], signals["forget"].mean((1, 2)), rtol=1e-6)


def test_telemetry_measures_its_gates_apart(experiment: Experiment) -> None:
    part = fold(experiment)[1][-1]
    assert measured(part.blocks) == BLOCKS == experiment.cell.blocks()
    assert part.blocks["step"].tolist() == [1, 10, 20, 30, 40, 50, 60]
    assert all(np.isfinite(values).all() for values in part.blocks.values())
    assert part.anatomy["step"] == 60


def test_the_page_has_a_picture_for_each_signal_and_a_line_for_each_block(
    experiment: Experiment,
) -> None:
    made, part = experiment, fold(experiment)[1][-1]
    data = preview_of(made.task, made.seed)
    assert part.snapshot is not None
    tables = columns.snapshot_tables(part.snapshot, data) | {"blocks": dict(part.blocks)}
    assert list(tables["signals"]) == ["forget", "candidate", "hidden"]
    assert len(tables["gradient"]["norm"]) == 8
    about = cards.subject(made, data)
    found = {card.name: card for card in cards.cards_of("overview", about)}
    names = [part["name"] for part in found["gates"].parts]
    assert names == ["forget", "candidate", "hidden"]
    (card, *_others) = cards.cards_of("blocks", about)
    assert [len(part["data"]) for part in card.parts] == [len(BLOCKS)]


def test_the_layer_says_once_that_torch_computes_it(caplog: pytest.LogCaptureFixture) -> None:
    class Unheard(MGU):
        pass

    with caplog.at_level(logging.WARNING, "gruviz"):
        layers = [Unheard(2, 3) for _each in range(3)]
    assert [record.getMessage() for record in caplog.records] == [
        "Unheard has no compiled loop: torch computes it step by step, several times slower"
    ]
    assert {layer.engine for layer in layers} == {"torch"}
    with pytest.raises(ValueError, match='MGU has no compiled loop; choose engine="torch"'):
        MGU(2, 3, engine="numba")


def test_the_experiment_and_the_layer_name_the_same_gates(experiment: Experiment) -> None:
    made = Trainer(experiment, load(experiment.task, 0))
    assert made.model.recurrent.gates == experiment.cell.gates

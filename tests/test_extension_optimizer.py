"""A new optimizer is one class with its rule and its knobs: nothing else knows of it.

Lion, of Chen et al. 2023, "Symbolic discovery of optimization algorithms" (arXiv 2302.06675), which
torch doesn't have.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pytest

from gruviz.experiment import OPTIMIZERS, Optimizer, with_live
from gruviz.experiment.knobs import knob
from gruviz.experiment.link import from_link, to_link
from gruviz.record import Checkpoint, weights_of
from gruviz.training import advance
from tests.page import labelled, sidebar
from tests.test_advance import SMALL, assert_same, fold


@dataclass(frozen=True)
class Lion(Optimizer):
    name: ClassVar[str] = "lion"
    label: ClassVar[str] = "Lion"
    rule: ClassVar[str] = r"w \leftarrow w - \eta\, \mathrm{sign}(\beta_1 m + (1-\beta_1) g)"
    source: ClassVar[str] = "Chen et al. 2023, arXiv:2302.06675"
    usual_rate: ClassVar[float] = 1e-4

    beta1: float = knob(0.9, 0.0, 0.999, label="Lion's beta 1", live=True, one_minus=True)
    beta2: float = knob(0.99, 0.0, 0.999, label="Lion's beta 2", live=True, one_minus=True)

    def update(self, weight: Any, gradient: Any, memory: dict[str, Any], rate: float) -> None:
        momentum = memory.setdefault("exp_avg", gradient * 0)
        weight -= rate * (self.beta1 * momentum + (1 - self.beta1) * gradient).sign()
        momentum.mul_(self.beta2).add_(gradient, alpha=1 - self.beta2)


@dataclass(frozen=True)
class SquareRoot(Lion):
    """RMSprop by hand, whose mean of squares has torch's name for it."""

    name: ClassVar[str] = "square_root"
    label: ClassVar[str] = "Square root"

    def update(self, weight: Any, gradient: Any, memory: dict[str, Any], rate: float) -> None:
        squares = memory.setdefault("exp_avg_sq", gradient * 0)
        squares.mul_(self.beta2).add_(gradient**2, alpha=1 - self.beta2)
        weight -= rate * gradient / (squares.sqrt() + 1e-8)


ROWS = {row.name: row for row in (Lion, SquareRoot)}
EXPERIMENT = replace(SMALL, steps=60, learning_rate=0.01)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, row in ROWS.items():
        monkeypatch.setitem(OPTIMIZERS, name, row)


def test_a_link_holds_the_optimizer_and_its_knobs_and_gives_them_back() -> None:
    experiment = replace(EXPERIMENT, optimizer=Lion(beta1=0.5))
    link = to_link(experiment)
    assert (link["optimizer"], link["lion.beta1"]) == ("lion", "0.5")
    assert from_link(link) == (experiment, [])


def test_each_weight_moves_by_the_learning_rate_whatever_its_gradient() -> None:
    experiment = replace(EXPERIMENT, optimizer=Lion())
    before = advance(experiment, steps=3)
    after = advance(experiment, before.checkpoint, steps=1)
    moved = np.abs(weights_of(after.checkpoint) - weights_of(before.checkpoint))
    np.testing.assert_allclose(moved, after.steps["learning_rate"][0], rtol=1e-3)


@pytest.mark.parametrize("row", ROWS.values())
def test_it_learns_and_is_the_same_to_the_bit_however_the_run_is_cut(row: type[Lion]) -> None:
    experiment = replace(EXPERIMENT, optimizer=row())
    whole, pieces = fold(experiment)[0], fold(experiment, steps=7)[0]
    assert_same(whole, pieces)
    losses = whole.validations["loss"]
    assert losses[-1] < losses[0]


def test_a_live_knob_acts_from_the_next_slice_on() -> None:
    running = replace(EXPERIMENT, optimizer=Lion())
    turned = with_live(running, replace(running, optimizer=Lion(beta1=0.0)))
    assert turned.optimizer == Lion(beta1=0.0)
    start = advance(running, steps=10).checkpoint

    def on(experiment: Any, checkpoint: Checkpoint) -> np.ndarray:
        return weights_of(advance(experiment, checkpoint, steps=5).checkpoint)

    assert not np.array_equal(on(running, start), on(turned, start))


def test_telemetry_shows_a_second_moment_where_the_rule_keeps_one() -> None:
    with_one, without = (
        advance(replace(EXPERIMENT, optimizer=row()), steps=10).blocks for row in (SquareRoot, Lion)
    )
    for block in EXPERIMENT.cell.blocks():
        assert np.isfinite(with_one[f"moment.{block}"]).all()
        assert np.isnan(without[f"moment.{block}"]).all()
        assert np.isfinite(without[f"update.{block}"]).all()


def test_the_controls_have_its_knobs() -> None:
    page = sidebar()
    labelled(page.selectbox, "Optimizer").set_value("lion").run()
    labelled(page.select_slider, "Lion's beta 1").set_value(0.5).run()
    assert not page.exception
    assert page.session_state["made"].optimizer == Lion(beta1=0.5)

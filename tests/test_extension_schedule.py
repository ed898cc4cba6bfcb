"""A new schedule is one class with its factor and its knobs: nothing else knows of it.

The triangles of Smith 2017, "Cyclical learning rates for training neural networks" (arXiv 1506.01186).
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from gruviz.experiment import SCHEDULES, Experiment, Schedule
from gruviz.experiment.knobs import knob
from gruviz.experiment.link import from_link, to_link
from gruviz.ui import columns
from tests.page import labelled, sidebar
from tests.test_advance import SMALL, assert_same, fold


@dataclass(frozen=True)
class Triangles(Schedule):
    name: ClassVar[str] = "triangles"
    label: ClassVar[str] = "Triangles"
    help: ClassVar[str] = "Up and down in straight lines, again and again."

    cycle: int = knob(20, 2, 10_000, label="Steps of a cycle", log=True)
    lowest: float = knob(0.1, 0.0, 1.0, label="Lowest share", step=0.01)

    def factor(self, step: int, _steps: int) -> float:
        height = 1 - abs(2 * (step % self.cycle) / self.cycle - 1)
        return self.lowest + (1 - self.lowest) * height


@pytest.fixture(autouse=True)
def experiment(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setitem(SCHEDULES, "triangles", Triangles)
    return replace(SMALL, steps=45, schedule=Triangles(lowest=0.2), learning_rate=0.05)


def test_a_link_holds_the_schedule_and_its_knobs_and_gives_them_back(
    experiment: Experiment,
) -> None:
    link = to_link(experiment)
    assert (link["schedule"], link["triangles.lowest"]) == ("triangles", "0.2")
    assert from_link(link) == (experiment, [])


def test_training_has_its_rates_however_the_run_is_cut(experiment: Experiment) -> None:
    whole, pieces = fold(experiment)[0], fold(experiment, steps=7)[0]
    assert_same(whole, pieces)
    rates = whole.steps["learning_rate"]
    np.testing.assert_allclose(rates[[0, 5, 10, 15, 20]], [0.01, 0.03, 0.05, 0.03, 0.01])
    np.testing.assert_array_equal(rates[:20], rates[20:40])


def test_the_preview_of_the_page_is_what_training_has(experiment: Experiment) -> None:
    planned = columns.plan(experiment)
    rates = fold(experiment)[0].steps["learning_rate"]
    np.testing.assert_array_equal(planned["learning_rate"], rates)


def test_the_controls_have_its_knobs() -> None:
    page = sidebar()
    labelled(page.selectbox, "Decay schedule").set_value("triangles").run()
    labelled(page.slider, "Lowest share").set_value(0.5).run()
    assert not page.exception
    assert page.session_state["made"].schedule == Triangles(lowest=0.5)

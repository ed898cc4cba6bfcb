"""A new task is one class and the function that makes its sequences: nothing else knows of it.

This one asks for a number after the last time step, the largest of those read, and is not the adding
problem: no mark among its inputs, no loss known without training.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from gruviz.data import Sequences, load, preview_of
from gruviz.data.bounds import check, permitted
from gruviz.data.loading import fetch_sample
from gruviz.data.making import making_seconds
from gruviz.data.synthetic import MAKERS
from gruviz.data.theory import NOTHING_KNOWN, theory
from gruviz.experiment import GRU, TASKS, Adding, Experiment, Kind, Lorenz, MadeUp
from gruviz.experiment.knobs import knob
from gruviz.experiment.link import from_link, to_link
from gruviz.ui import columns
from tests.page import labelled, sidebar
from tests.test_advance import assert_same, fold


@dataclass(frozen=True)
class Largest(MadeUp):
    name: ClassVar[str] = "largest"
    label: ClassVar[str] = "The largest number"
    help: ClassVar[str] = "Which was the largest of the numbers?"
    kind: ClassVar[Kind] = Kind.REGRESSION

    length: int = knob(10, 2, 100, label="Numbers to read")


def largest(task: Largest, count: int, generator: np.random.Generator) -> Sequences:
    numbers = generator.random((count, task.length, 1), np.float32)
    return Sequences(numbers, numbers.max(axis=1))


@pytest.fixture(autouse=True)
def experiment(monkeypatch: pytest.MonkeyPatch) -> Experiment:
    monkeypatch.setitem(TASKS, "largest", Largest)
    monkeypatch.setitem(MAKERS, "largest", largest)
    task = Largest(size=200, length=6)
    return Experiment(task=task, cell=GRU(8), learning_rate=0.02, steps=200, seed=3)


def test_a_link_holds_the_task_and_its_knobs_and_gives_them_back(experiment: Experiment) -> None:
    link = to_link(experiment)
    assert (link["task"], link["largest.length"]) == ("largest", "6")
    assert from_link(link) == (experiment, [])


def test_its_data_is_made_and_known_to_the_page(experiment: Experiment) -> None:
    data = load(experiment.task, 3)
    assert data.train.inputs.shape == (200, 6, 1) and data.train.targets.shape == (200, 1)
    np.testing.assert_array_equal(data.train.targets[:, 0], data.train.inputs.max(axis=(1, 2)))
    about = preview_of(experiment.task, 3)
    assert (about.sequences, about.features, about.outputs) == (200, 1, 1)
    assert theory(experiment, about) == NOTHING_KNOWN


def test_what_nobody_has_measured_counts_as_the_dearest_and_is_permitted(
    experiment: Experiment,
) -> None:
    dearest = making_seconds(Lorenz(length=6, horizon=1), 500)
    assert making_seconds(Largest(length=6), 500) <= dearest
    assert making_seconds(Largest(length=6), 500) > making_seconds(Adding(length=6), 500)
    check(experiment)
    permitted(experiment, fetch_sample)


def test_it_is_learned_and_is_the_same_to_the_bit_however_the_run_is_cut(
    experiment: Experiment,
) -> None:
    (whole, parts), (pieces, _parts) = fold(experiment), fold(experiment, steps=70)
    assert_same(whole, pieces)
    # The variance of the largest of n numbers from U[0,1]: always answering its mean.
    n = 6
    assert whole.validations["loss"][-1] < 0.5 * n / ((n + 1) ** 2 * (n + 2))
    assert len(parts[-1].anatomy["forward"]["answer"]) == 1


@pytest.mark.parametrize("loss_on", ["last", "every"])
def test_its_answers_may_be_judged_after_any_time_step(
    experiment: Experiment, loss_on: str
) -> None:
    whole = fold(replace(experiment, loss_on=loss_on, steps=20))[0]
    assert np.isfinite(whole.steps["loss"]).all()


def test_the_view_has_its_answer_after_every_time_step(experiment: Experiment) -> None:
    snapshot = fold(replace(experiment, steps=20))[1][-1].snapshot
    assert snapshot is not None
    tables = columns.snapshot_tables(snapshot, preview_of(experiment.task, 3))
    np.testing.assert_array_equal(tables["answer"]["value"], snapshot.prediction[:, 0])


def test_the_controls_have_its_knobs() -> None:
    page = sidebar()
    labelled(page.selectbox, "Task").set_value("largest").run()
    labelled(page.slider, "Numbers to read").set_value(20).run()
    assert not page.exception
    assert page.session_state["made"].task == Largest(length=20)

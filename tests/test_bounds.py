"""What a shared server refuses, in a sentence, before it begins."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gruviz.data import check, permitted, preview_of
from gruviz.data.cost import Step
from gruviz.data.making import MAKING, making_seconds
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import (
    GRU,
    LSTM,
    RNN,
    TASKS,
    Adding,
    Experiment,
    Lorenz,
    MadeUp,
    SineMixture,
    Waveforms,
)


def step(experiment: Experiment) -> Step:
    return Step.of(experiment, preview_of(experiment.task, experiment.seed))


@pytest.mark.parametrize(
    "experiment",
    [
        # Each of these was sent to a server, which then had no time, or no memory, for anybody else.
        Experiment(task=SineMixture(size=10_000, length=1000), cell=GRU(256), batch_size=None),
        Experiment(task=SineMixture(length=1000), cell=LSTM(62), batch_size=516),
        Experiment(task=SineMixture(size=10_000, length=100), cell=GRU(64), batch_size=10_000),
        Experiment(task=Adding(length=500), cell=GRU(256), batch_size=1),
    ],
)
def test_a_step_that_would_keep_the_class_waiting_is_refused(experiment: Experiment) -> None:
    with pytest.raises(GruvizError, match=r"asks too much of a shared server|are too much"):
        check(experiment)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_can_be_trained_with_every_usual_size(name: str) -> None:
    for units in (1, 32, 128):
        check(Experiment(task=TASKS[name](), cell=GRU(units), batch_size=16))
    check(Experiment(task=TASKS[name](), cell=LSTM(), batch_size=None))


@pytest.mark.parametrize(
    ("task", "most"),
    [
        (Lorenz(length=1000), 6000),
        (Waveforms(length=200), 100_000),
        (SineMixture(length=1000), 20_000),
    ],
)
def test_data_that_takes_seconds_to_make_is_refused(task: MadeUp, most: int) -> None:
    inputs = len(task.inputs)
    with pytest.raises(GruvizError) as caught:
        check(Experiment(task=replace(task, size=most)))
    assert str(caught.value) == (
        f"{most:,} sequences of {task.time_steps:,} time steps with {inputs} inputs are too much for a"
        " shared server; make fewer or shorter ones."
    )
    check(Experiment(task=replace(task, size=1000)))


def test_it_is_known_how_long_the_making_of_every_made_up_task_takes() -> None:
    tasks = [row() for row in TASKS.values() if issubclass(row, MadeUp)]
    assert {task.name for task in tasks} >= set(MAKING)
    assert all(0 < making_seconds(task, 2_500) < 0.2 for task in tasks)


def test_whoever_runs_the_server_may_move_the_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Experiment(task=Adding(length=500), cell=GRU(256), batch_size=1)
    large = Experiment(task=Adding(length=500, size=4000), cell=GRU(8), batch_size=None)
    longer = Experiment(task=Lorenz(length=1000, size=4000))
    for name, value, experiment in (
        ("GRUVIZ_MAX_STEP_SECONDS", "10", slow),
        ("GRUVIZ_MAX_STEP_MB", "1000", large),
        ("GRUVIZ_MAX_DATA_SECONDS", "10", longer),
    ):
        with pytest.raises(GruvizError):
            check(experiment)
        monkeypatch.setenv(name, value)
        check(experiment)


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (Experiment(batch_size=64), Experiment(batch_size=32)),
        (Experiment(cell=GRU(64)), Experiment(cell=GRU(32))),
        (Experiment(cell=LSTM()), Experiment(cell=GRU())),
        (Experiment(cell=GRU()), Experiment(cell=RNN())),
        (Experiment(task=SineMixture(length=100)), Experiment()),
        (Experiment(loss_on="every"), Experiment()),
        (Experiment(task=Adding()), Experiment(task=SineMixture(horizon=1))),
    ],
)
def test_more_of_anything_costs_more(more: Experiment, less: Experiment) -> None:
    large, small = step(more), step(less)
    assert large.seconds > small.seconds and large.megabytes > small.megabytes


def test_the_worker_refuses_too(tmp_path: Any) -> None:
    for experiment in (
        Experiment(task=SineMixture(length=1000), cell=LSTM(62), batch_size=516),
        Experiment(task=Lorenz(length=1000, size=6000)),
    ):
        with pytest.raises(GruvizError, match="too much"):
            permitted(experiment, TableStore(tmp_path))
    assert not list(tmp_path.iterdir())  # and makes nothing first
    permitted(Experiment(), TableStore(tmp_path))


def test_the_estimate_needs_no_data() -> None:
    experiment = Experiment(task=SineMixture(size=10_000, length=500))
    found = step(experiment)
    assert np.isfinite([found.seconds, found.megabytes]).all()

"""Runs side by side, and runs that begin alike."""

from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest

from gruviz.data import batches, load
from gruviz.experiment import (
    GRU,
    LSTM,
    SGD,
    Adam,
    Adding,
    Cosine,
    Experiment,
    SineMixture,
    StepDecay,
)
from gruviz.experiment.course import Turn
from gruviz.record import Columns, History
from gruviz.runs import Status
from gruviz.runs.comparison import SAME_START, Row, compare, same_start
from gruviz.training import Trainer, advance
from tests.test_run import SMALL, OnDemand, a_run


class Stored:
    """A run that is over, with these curves."""

    turns: tuple[Turn, ...] = ()

    def __init__(
        self,
        experiment: Experiment,
        smooth: list[float],
        validation: list[float],
        seconds: float = 1.0,
        diverged_at: int | None = None,
    ) -> None:
        self.experiment, self.diverged_at = experiment, diverged_at
        self.status = Status.FINISHED if diverged_at is None else Status.DIVERGED
        self.history = History(seconds=seconds)
        count = len(smooth)
        step = np.arange(1.0, count + 1)
        self.history.steps.append(
            dict.fromkeys(self.history.steps.names, step) | {"smooth": np.array(smooth)}
        )
        values = np.array(validation)
        self.history.validations.append({"step": values, "loss": values, "accuracy": values})
        self.history.times.append(
            {"step": np.array([float(count)]), "seconds": np.array([seconds])}
        )


def keys(*experiments: Experiment) -> list[str]:
    runs = {str(place): Stored(each, [1.0], []) for place, each in enumerate(experiments)}
    return list(compare(runs).differing)


def test_the_rows_say_how_far_and_how_fast_each_run_came() -> None:
    slow = replace(SMALL, learning_rate=0.001)
    found = compare(
        {
            "fast": Stored(SMALL, [4, 2, 1, 0.5], [3, 0.25, 0.75], 2.0),
            "slow": Stored(slow, [4, 3, 2, 1], [], 8.0),
            "wild": Stored(replace(SMALL, clip_norm=None), [4, 0.1, 1e9], [], 0.5, 3),
        }
    )
    assert found.target == 1.0
    assert {key: what.label for key, what in found.differing.items()} == {
        "learning_rate": "Learning rate",
        "clip_norm": "Clip norm",
    }
    assert found.rows == (
        Row(
            "fast",
            {"learning_rate": 0.02, "clip_norm": 0.5},
            (),
            Status.FINISHED,
            4,
            2.0,
            0.5,
            0.5,
            0.25,
            0.75,
            3,
            1.5,
            None,
        ),
        Row(
            "slow",
            {"learning_rate": 0.001, "clip_norm": 0.5},
            (),
            Status.FINISHED,
            4,
            8.0,
            1.0,
            1.0,
            None,
            None,
            4,
            8.0,
            None,
        ),
        Row(
            "wild",
            {"learning_rate": 0.02, "clip_norm": None},
            (),
            Status.DIVERGED,
            3,
            0.5,
            0.1,
            1e9,
            None,
            None,
            2,
            1 / 3,
            3,
        ),
    )


def test_a_target_that_is_asked_for_may_be_missed() -> None:
    runs = {"one": Stored(SMALL, [4, 2], []), "other": Stored(SMALL, [4, 3], [])}
    found = compare(runs, target=2.5)
    assert [(row.steps_to_target, row.seconds_to_target) for row in found.rows] == [
        (2, 1.0),
        (None, None),
    ]


def test_a_run_that_has_not_begun_has_a_row_of_nothing() -> None:
    found = compare({"new": a_run(OnDemand())})
    assert found.target is None
    assert found.rows == (
        Row("new", {}, (), Status.PAUSED, 0, 0.0, None, None, None, None, None, None, None),
    )


@pytest.mark.parametrize(
    ("experiments", "expected"),
    [
        ([SMALL], []),
        ([SMALL, SMALL], []),
        ([SMALL, replace(SMALL, seed=1), replace(SMALL, steps=9)], ["steps", "seed"]),
        ([SMALL, replace(SMALL, optimizer=SGD())], ["optimizer"]),
        (
            [
                replace(SMALL, optimizer=SGD()),
                replace(SMALL, optimizer=Adam(0.5)),
                replace(SMALL, optimizer=Adam(0.6)),
            ],
            ["optimizer", "adam.beta1"],
        ),
        (
            [replace(SMALL, schedule=Cosine(0.5)), replace(SMALL, schedule=StepDecay())],
            ["schedule"],
        ),
        ([SMALL, replace(SMALL, cell=GRU(5))], ["gru.units"]),
    ],
)
def test_the_settings_shown_are_those_that_differ(
    experiments: list[Experiment], expected: list[str]
) -> None:
    assert keys(*experiments) == expected


def test_a_real_run_is_compared_as_it_stands() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do(2)
    (row,) = compare({"mine": run}).rows
    smooth, validation = run.history.steps["smooth"], run.history.validations["loss"]
    assert (row.status, row.steps) == (Status.RUNNING, 10)
    assert (row.best_loss, row.final_loss) == (smooth.min(), smooth[-1])
    assert (row.best_validation, row.final_validation) == (validation.min(), validation[-1])
    assert row.steps_to_target == int(smooth.argmin()) + 1
    assert row.seconds == run.history.seconds > 0
    assert row.seconds_to_target == run.history.seconds_at(int(smooth.argmin()) + 1)


WANTED = Experiment(
    task=SineMixture(),
    cell=LSTM(3),
    batch_size=7,
    seed=5,
    learning_rate=1.0,
    clip_norm=None,
    optimizer=SGD(),
    schedule=StepDecay(),
    steps=9,
)


def test_the_same_start_leaves_all_other_knobs_as_wanted() -> None:
    pinned = replace(SMALL, task=Adding(size=50, length=9), cell=GRU(6), batch_size=20, seed=8)
    made = same_start(WANTED, pinned)
    assert made == replace(
        WANTED, task=Adding(size=50, length=9), cell=GRU(6), batch_size=20, seed=8
    )
    assert [name for name in SAME_START if getattr(made, name) != getattr(pinned, name)] == []


def test_the_same_start_has_the_same_weights_data_and_batches_to_the_bit() -> None:
    made = same_start(WANTED, SMALL)
    trainers = [Trainer(each, load(each.task, each.seed)) for each in (made, SMALL)]
    one, other = (each.checkpoint().arrays for each in trainers)
    weights = [name for name in other if name.startswith("model.")]
    assert len(weights) == 6
    for name in weights:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    orders: list[Any] = [
        list(islice(batches(40, each.batch_size or 40, each.seed, 0), 9)) for each in (made, SMALL)
    ]
    np.testing.assert_equal(*orders)
    first, pinned = (advance(each, steps=2).steps for each in (made, SMALL))
    assert first["loss"][0] == pinned["loss"][0]
    assert first["norm"][0] == pinned["norm"][0]
    assert first["loss"][1] != pinned["loss"][1]


class Growing(Columns):
    """Columns to which another thread adds a row after every look at one of them."""

    def __getitem__(self, name: str) -> Any:
        found = super().__getitem__(name)
        self.append({each: np.array([9.0]) for each in self.names})
        return found


def test_a_run_that_trains_on_while_it_is_compared_is_compared_as_it_was() -> None:
    run = Stored(SMALL, [4, 2, 1], [], 6.0)
    for name in ("steps", "times"):
        columns: Columns = getattr(run.history, name)
        growing = Growing(columns.names)
        growing.append(columns.since(0))
        setattr(run.history, name, growing)
    (row,) = compare({"training": run}, target=2.0).rows
    assert (row.steps, row.steps_to_target, row.seconds_to_target) == (3, 2, 4.0)

"""When a run is over, as a function of its step and its validations; and real runs that are."""

import math
from dataclasses import replace
from typing import Any

import pytest

from gruviz.experiment import STOPS, Experiment, GradientDescent, last_step, stopped
from gruviz.training import advance
from tests.test_advance import SMALL, fold

FREE = Experiment(steps=100, batch_size=16)


@pytest.mark.parametrize(
    ("experiment", "step", "losses", "rule"),
    [
        (FREE, 99, [1.0], None),
        (FREE, 100, [1.0], "steps"),
        (replace(FREE, epochs=2), 5, [1.0], None),
        (replace(FREE, epochs=2), 6, [1.0], "epochs"),  # 40 sequences: three batches an epoch
        (replace(FREE, epochs=1000), 100, [1.0], "steps"),
        (replace(FREE, target_loss=0.5), 50, [1.0, 0.51], None),
        (replace(FREE, target_loss=0.5), 50, [1.0, 0.5], "target"),
        (replace(FREE, target_loss=0.5), 50, [0.4, math.nan], None),
        (replace(FREE, target_loss=0.5), 0, [], None),
        (replace(FREE, target_loss=0.5), 100, [0.4], "target"),
        (replace(FREE, patience=2), 50, [3.0, 1.0, 1.0], None),
        (replace(FREE, patience=2), 50, [3.0, 1.0, 1.0, 1.5], "patience"),
        (replace(FREE, patience=2), 50, [3.0, 1.0, math.nan, 1.5], "patience"),
        (replace(FREE, patience=2), 50, [3.0, 1.0, 1.5, 0.9], None),
        (replace(FREE, patience=1), 0, [], None),
    ],
)
def test_a_run_stops_by_the_rule_that_says_so(
    experiment: Experiment, step: int, losses: list[float], rule: str | None
) -> None:
    assert stopped(experiment, step, 40, losses) == rule
    assert rule is None or STOPS[rule]


def test_an_epoch_of_the_full_batch_is_one_step() -> None:
    assert last_step(replace(FREE, epochs=7, optimizer=GradientDescent()), 40) == 7
    assert last_step(replace(FREE, epochs=7), 40) == 21
    assert last_step(replace(FREE, epochs=700), 40) == 100


@pytest.mark.parametrize("cut", [7, 1000])
@pytest.mark.parametrize(
    ("rules", "rule", "step"),
    [
        ({}, "steps", 120),
        ({"epochs": 11}, "epochs", 33),
        ({"target_loss": 1000.0}, "target", 0),
        ({"target_loss": 0.2}, "target", 50),
        ({"patience": 1, "learning_rate": 1e-6, "clip_norm": 1e-3}, "steps", 120),
        ({"patience": 1, "learning_rate": 3.0, "steps": 5000}, "patience", 150),
    ],
)
def test_a_real_run_stops_there_however_it_is_cut(
    rules: dict[str, Any], rule: str, step: int, cut: int
) -> None:
    history, parts = fold(replace(SMALL, **rules), steps=cut)
    assert (parts[-1].stopped, parts[-1].checkpoint.step) == (rule, step)
    assert {part.stopped for part in parts[:-1]} <= {None}
    assert len(history.loss) == step
    assert history.validations["step"][-1] == step
    over = advance(replace(SMALL, **rules), parts[-1].checkpoint, steps=5)
    assert (over.stopped, over.steps["step"].tolist()) == (rule, [])


def test_a_rule_that_is_turned_acts_on_the_next_slice() -> None:
    start = advance(SMALL, steps=50)
    assert start.stopped is None
    assert advance(replace(SMALL, epochs=1), start.checkpoint).stopped == "epochs"
    assert advance(replace(SMALL, target_loss=100.0), start.checkpoint).stopped == "target"

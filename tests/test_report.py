"""What the page says of a run: figures, marks, settings, standing."""

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from gruviz.coach import Advice, Coach, Severity
from gruviz.data.theory import NOTHING_KNOWN, Theory
from gruviz.experiment import (
    GRU,
    SGD,
    Adam,
    Experiment,
    SineMixture,
    Waveforms,
    about,
)
from gruviz.experiment.course import Course, Turn
from gruviz.runs import Run, Status
from gruviz.ui import report
from gruviz.words import readable
from tests.test_columns import data_of, trained
from tests.test_run import SMALL, OnDemand, a_run


def test_the_step_from_which_on_a_task_is_solved_is_a_figure_and_a_mark() -> None:
    run = a_run(OnDemand())
    known = Theory(threshold=0.01)
    rows = {"step": np.arange(0.0, 250, 50), "loss": np.array([0.2, 0.1, 0.001, 0.002, 0.001])}
    run.history.validations.append({**rows, "accuracy": np.full(5, math.nan)})
    assert report.solved_at(run, known) == 100
    assert ("solved", "Solved < 0.01", "step 100") in report.figures(run, SMALL, known)
    (mark,) = report.change_marks(run, known)
    assert mark["label"]["text"] == "solved at step 100"
    assert report.solved_at(run, Theory(threshold=0.0005)) is None
    assert ("solved", "Solved < 0.0005", "–") in report.figures(run, SMALL, Theory((), 0.0005))
    assert report.solved_at(run, NOTHING_KNOWN) is report.solved_at(None, known) is None
    assert report.change_marks(run) == []


def test_a_change_is_marked_at_its_step_with_the_new_values() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(3)
    executor.do_all()
    run.adjust(replace(SMALL, learning_rate=0.5, clip_norm=None, optimizer=Adam(beta1=0.25)))
    run.train(1)
    executor.do_all()
    (mark,) = report.change_marks(run)
    assert (mark["x0"], mark["label"]["text"]) == (
        3,
        "Learning rate 0.5, Clip norm off, Momentum beta 1 0.25",
    )


@pytest.mark.parametrize(
    ("turns", "marks"),
    [
        ([(50, 0.5, 1.0), (53, 0.25, 1.0)], [(50, "Learning rate 0.25")]),
        (
            [(50, 0.5, 1.0), (56, 0.25, 1.0)],
            [(50, "Learning rate 0.5"), (56, "Learning rate 0.25")],
        ),
        ([(50, 0.5, 1.0), (53, 0.5, 9.0)], [(50, "Learning rate 0.5"), (53, "Clip norm 9")]),
    ],
)
def test_changes_of_the_same_knob_within_a_twentieth_of_the_run_are_one_mark(
    turns: list[tuple[int, float, float]], marks: list[tuple[int, str]]
) -> None:
    first = replace(SMALL, learning_rate=0.02, clip_norm=1.0)
    turned = tuple(
        Turn(step, replace(first, learning_rate=rate, clip_norm=limit))
        for step, rate, limit in turns
    )
    run = cast(Run, SimpleNamespace(course=Course(first, turned), step_count=100))
    found = [(mark["x0"], mark["label"]["text"]) for mark in report.change_marks(run)]
    assert found == marks


def test_what_was_done_to_the_data_of_a_table_is_said_with_its_numbers() -> None:
    made_up = data_of(SMALL)
    assert report.findings(made_up) == ""
    of_table = replace(
        made_up, unit="mm", mean=12.5, scale=0.25, sequences=1200, held_out=300, missing=1
    )
    said = (
        "1,200 training windows, 300 for validation (the end of the series)."
        " Scaled as (value - 12.5) / 0.25."
    )
    assert report.findings(replace(of_table, left_out=24)) == (
        f"{said} 1 value is missing; 24 windows that touch it were left out."
    )
    assert report.findings(replace(of_table, missing=0)) == said


def test_a_turn_that_is_still_to_come_is_not_marked_and_the_page_is_drawn_again_when_it_is() -> (
    None
):
    executor = OnDemand()
    run = a_run(executor, Course(SMALL).turned(7, replace(SMALL, clip_norm=9.0)))
    run.train()
    executor.do()
    assert (run.step_count, report.change_marks(run), report.standing(run)) == (5, [], "running")
    executor.do()
    assert [mark["x0"] for mark in report.change_marks(run)] == [7]
    assert report.standing(run) == "running, turned 1"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (None, "off"),
        (0.003, "0.003"),
        (1e-6, "1×10⁻⁶"),
        (1234.5, "1,234.5"),
        (2000, "2,000"),
        (Adam(), "Adam"),
        (SineMixture(), "Sine mixture"),
        ("x" * 50, "x" * 40),
    ],
)
def test_a_setting_is_written_as_people_write_it(setting: Any, text: str) -> None:
    assert report.value(setting) == text


def test_a_setting_is_written_in_the_words_of_its_knob() -> None:
    knobs = dict(about(Experiment)) | dict(about(GRU))
    assert report.value(None, knobs["batch_size"]) == "all"
    assert report.value(None, knobs["clip_norm"]) == "off"
    assert report.value("relu", knobs["activation"]) == "ReLU"
    assert (report.value(True, knobs["tied_gates"]), report.value(False)) == ("on", "off")


def test_before_training_the_figures_are_dashes() -> None:
    assert report.figures(None, Experiment()) == [
        ("step", "Step", "0 / 10,000"),
        ("epoch", "Epoch", "–"),
        ("training-loss", "Training loss", "–"),
        ("validation-loss", "Validation loss", "–"),
        ("gradient-norm", "Gradient norm", "–"),
        ("learning-rate", "Current rate", "–"),
        ("speed", "Steps/s", "–"),
    ]
    names = [name for name, _label, _text in report.figures(None, Experiment(task=Waveforms()))]
    assert "accuracy" in names


def test_the_figures_are_the_last_row_of_the_history() -> None:
    experiment = replace(SMALL, task=Waveforms(size=40, length=8))
    run = trained(experiment, steps=23)
    steps, parts = run.history.steps, run.history.validations
    assert {name: text for name, _label, text in report.figures(run, experiment)} == {
        "step": "23 / 23",
        "epoch": "7.7",
        "training-loss": f"{steps['smooth'][-1]:.4g}",
        "validation-loss": f"{parts['loss'][-1]:.4g}",
        "accuracy": f"{parts['accuracy'][-1]:.1%}",
        "gradient-norm": f"{steps['norm'][-1]:.4g}",
        "learning-rate": readable(steps["learning_rate"][-1]),
        "speed": "–",
    }


def test_speed_is_shown_while_a_run_trains() -> None:
    now = [0.0]
    executor = OnDemand()
    run = a_run(executor, clock=lambda: now[0])
    run.train()
    executor.do()
    now[0] = 0.004
    executor.do()
    assert report.figures(run, SMALL)[-1] == ("speed", "Steps/s", "1,250")
    run.pause()
    assert report.figures(run, SMALL)[-1] == ("speed", "Steps/s", "–")


def test_a_pause_is_settling_until_its_slice_has_come_back() -> None:
    executor = OnDemand()
    run = a_run(executor)
    assert report.standing(run) == "paused"
    run.train()
    assert report.standing(run) == "running"
    run.pause()
    assert report.standing(run) == "settling"
    executor.do()
    assert report.standing(run) == "paused"
    run.train(1)
    assert report.standing(run) == "running"
    run.status = Status.DIVERGED
    assert report.standing(run) == "diverged"


def test_the_button_of_an_advice_names_what_it_turns_in_this_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = Advice("x", Severity.PROBLEM, "Do.", {"clip_norm": "0.5", "optimizer": "sgd"})
    monkeypatch.setattr(Coach, "advice", lambda *_args, **_named: (named,))
    run = a_run(OnDemand(), replace(SMALL, clip_norm=None, learning_rate=0.125, seed=9))
    assert report.advice(run, Coach()) == [
        {
            "rule": "x",
            "severity": "serious",
            "text": "Do.",
            "action": "Clip norm → 0.5, Optimizer → SGD",
        }
    ]
    taken = replace(run.experiment, optimizer=SGD(), clip_norm=0.5)
    assert report.advice(a_run(OnDemand(), taken), Coach())[0]["action"] == ""

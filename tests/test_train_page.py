"""The training page's logic, without a browser."""

import json

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from gruviz.errors import PassingError
from gruviz.experiment import Experiment
from gruviz.experiment.course import Course, Turn
from gruviz.runs import Status, classroom
from gruviz.runs.pool import Died, Hung, NoWorker
from tests.page import button, labelled, mine, run_of, stepped, texts, wait_until_settled


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file("../app.py", default_timeout=20).run()


def test_the_controls_show_the_default_experiment(page: AppTest) -> None:
    assert not page.exception
    assert labelled(page.select_slider, "Learning rate").value == Experiment().learning_rate
    assert labelled(page.select_slider, "Clip norm").value == Experiment().clip_norm
    assert labelled(page.selectbox, "Optimizer").value == "adam"
    assert labelled(page.selectbox, "Decay schedule").value == "constant"
    assert page.query_params == {}


def test_before_there_is_a_run_only_train_and_step_can_be_pressed(page: AppTest) -> None:
    names = ("Train", "Pause", "Step", "Reset")
    assert [button(page, name).disabled for name in names] == [False, True, False, True]
    assert "Press **Train** to start" in texts(page)


def test_step_makes_one_update_and_stays_paused(page: AppTest) -> None:
    button(page, "Step").click().run()
    wait_until_settled(run_of(page))
    page.run()
    assert run_of(page).step_count == 1
    assert run_of(page).status is Status.PAUSED
    assert "Paused at step 1" in texts(page)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Hung("60 s"), "The training process gave no sign for too long and was ended."),
        (Died("killed"), "The training process died again and again."),
        (NoWorker("none"), "The server has no room for a training process now."),
        (PassingError("No room now; try later."), "No room now; try later."),
        (OSError(28, "No space left"), "The server can't do this now (No space left)."),
    ],
)
def test_a_run_that_lost_its_worker_says_why_and_that_nothing_is_lost(
    page: AppTest, error: Exception, reason: str
) -> None:
    button(page, "Step").click().run()
    wait_until_settled(run_of(page))
    run_of(page).error = error
    page.run()
    said = "Paused at step 1, nothing is lost. Press **Train** to go on."
    assert f"{reason} {said}" in texts(page)


def test_pace_makes_any_number_of_steps_and_whole_epochs(page: AppTest) -> None:
    labelled(page.number_input, "Steps at once").set_value(7)
    button(page, "Make these steps").click().run()
    run = run_of(page)
    wait_until_settled(run)
    assert (run.step_count, run.status) == (7, Status.PAUSED)
    page.run()
    button(page, "One epoch").click().run()
    assert run_of(page) is run
    wait_until_settled(run)
    assert run.step_count == 7 + 63  # 2000 sequences in batches of 32
    assert run.status is Status.PAUSED


def test_slow_motion_acts_on_the_present_run_and_on_the_next(page: AppTest) -> None:
    button(page, "Step").click().run()
    first = run_of(page)
    labelled(page.toggle, "Slow motion").set_value(True).run()
    assert first.slow
    wait_until_settled(first)
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    button(page, "Train").click().run()
    second = run_of(page)
    assert second is not first and second.slow
    labelled(page.toggle, "Slow motion").set_value(False).run()
    assert not second.slow
    button(page, "Pause").click().run()


def test_a_run_trains_what_the_controls_show_and_finishes(page: AppTest) -> None:
    labelled(page.select_slider, "Steps").set_value(3)
    labelled(page.selectbox, "Optimizer").select("sgd")
    labelled(page.select_slider, "Clip norm").set_value("off")
    page.run()
    button(page, "Train").click().run()
    run = run_of(page)
    assert run.experiment == Experiment.from_dict(
        {"steps": 3, "optimizer": {"name": "sgd"}, "clip_norm": None}
    )
    wait_until_settled(run)
    page.run()
    assert run.status is Status.FINISHED
    assert "Finished after 3 steps" in texts(page)
    assert page.query_params == {"steps": "3", "optimizer": "sgd", "clip_norm": "off"}


def test_moving_a_slider_that_waits_leaves_the_run_alone(page: AppTest) -> None:
    button(page, "Step").click().run()
    wait_until_settled(run_of(page))
    before = run_of(page)
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    assert run_of(page) is before
    assert before.experiment == Experiment()
    assert "With the next Train: Hidden units 32 → 16" in texts(page)


def test_a_live_knob_reaches_the_run_and_nothing_else_does(page: AppTest) -> None:
    button(page, "Step").click().run()
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    labelled(page.select_slider, "Learning rate").set_value(0.01).run()
    labelled(page.select_slider, "Momentum beta 1").set_value(0.5).run()
    experiment = run_of(page).experiment
    assert experiment == Experiment.from_dict(
        {"learning_rate": 0.01, "optimizer": {"name": "adam", "beta1": 0.5}}
    )


def test_train_after_a_change_that_waits_starts_a_new_run_and_undo_brings_the_old_one(
    page: AppTest,
) -> None:
    button(page, "Step").click().run()
    old = run_of(page)
    wait_until_settled(old)
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    button(page, "Train").click().run()
    new = run_of(page)
    assert new is not old
    assert new.experiment.cell.units == 16
    button(page, "Undo").click().run()
    assert run_of(page) is old
    assert new.status is not Status.RUNNING
    assert labelled(page.select_slider, "Hidden units").value == 32


def test_reset_drops_the_run_and_keeps_the_controls(page: AppTest) -> None:
    labelled(page.select_slider, "Learning rate").set_value(0.01).run()
    button(page, "Step").click().run()
    button(page, "Reset").click().run()
    assert mine(page).run is None
    assert labelled(page.select_slider, "Learning rate").value == 0.01


def test_undo_brings_back_the_run_before_a_reset_before_and_after_the_next_train(
    page: AppTest,
) -> None:
    button(page, "Step").click().run()
    first = run_of(page)
    wait_until_settled(first)
    button(page, "Reset").click().run()
    button(page, "Undo").click().run()
    assert run_of(page) is first
    assert mine(page).previous is None
    button(page, "Reset").click().run()
    button(page, "Step").click().run()
    assert run_of(page) is not first
    wait_until_settled(run_of(page))
    button(page, "Undo").click().run()
    assert run_of(page) is first


def test_a_run_that_was_turned_more_often_than_a_link_can_say_is_said_to_be(page: AppTest) -> None:
    button(page, "Step").click().run()
    run = run_of(page)
    wait_until_settled(run)
    often = (Turn(step + 1, Experiment(seed=0, clip_norm=1 + step % 2)) for step in range(501))
    run.course = Course(Experiment(), tuple(often))
    page.run()
    assert page.query_params == {}
    said = "Knobs of this run were turned at 501 steps; a link carries 500, so the page's address"
    assert said in texts(page)


def test_a_link_sets_the_controls() -> None:
    page = AppTest.from_file("../app.py", default_timeout=20)
    for key, value in {
        "task": "adding",
        "adding.length": "30",
        "schedule": "cosine",
        "clip_norm": "off",
        "learning_rate": "0.0123",
        "axis": "linear",
    }.items():
        page.query_params[key] = value
    page.run()
    assert labelled(page.selectbox, "Task").value == "adding"
    assert labelled(page.select_slider, "Sequence length (time steps)").value == 30
    assert labelled(page.select_slider, "Clip norm").value == "off"
    assert labelled(page.select_slider, "Learning rate").value == 0.0123
    assert page.query_params["axis"] == "linear"
    assert not page.warning


def test_a_batch_larger_than_the_data_is_refused_with_the_remedy(page: AppTest) -> None:
    labelled(page.selectbox, "Task").select("table").run()
    labelled(page.select_slider, "Batch size (sequences)").set_value(1024).run()
    button(page, "Train").click().run()
    assert mine(page).run is None
    assert "choose a batch of at most 220" in texts(page).replace("\\", "")


def test_a_link_to_somebody_elses_upload_is_not_followed() -> None:
    content = ("a\n" + "\n".join(map(str, range(30)))).encode()
    table = classroom().tables.put(content, "secret.csv")
    page = AppTest.from_file("../app.py", default_timeout=20)
    page.query_params["task"] = "table"
    page.query_params["table.source"] = table.digest
    page.run()
    assert labelled(page.selectbox, "Data").value == "sunspots_yearly"
    assert "an upload doesn" in texts(page)


def test_a_live_knob_that_is_turned_draws_no_figure_anew(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    stepped(page, 3)
    monkeypatch.setattr(go, "Figure", None)
    labelled(page.select_slider, "Learning rate").set_value(0.01).run()
    assert not page.exception
    assert run_of(page).experiment.learning_rate == 0.01
    (panel,) = page.get("bidi_component")
    assert len(json.loads(panel.proto.json)["cards"]) == 6

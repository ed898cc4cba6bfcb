"""The lab: studies that are started, watched, cancelled, gone on with, and taken up."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gruviz.experiment import Experiment
from gruviz.experiment.link import to_link
from gruviz.runs import Study, StudyStatus, classroom
from gruviz.runs.pool import Hung
from gruviz.runs.sliced import MOST_TRIES
from gruviz.studies.range_test import suggest
from gruviz.training import proceed
from gruviz.ui import lab
from gruviz.ui.session import Session
from gruviz.words import readable
from tests.page import (
    go,
    labelled,
    mine,
    opened,
    pressed,
    run_of,
    stepped,
    texts,
    wait_for,
    weights,
)
from tests.test_columns import trained
from tests.test_run import OnDemand, assert_same

LAB = "pages/Lab.py"
SMALL = Experiment.from_dict(
    {
        "task": {"name": "adding", "size": 40, "length": 8},
        "cell": {"name": "gru", "units": 4},
        "batch_size": 16,
        "steps": 300,
    }
)
LINK = to_link(SMALL)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnDemand]:
    """Studies whose slices are done when the test says so, a single step each."""
    executor = OnDemand()
    room = classroom()

    def made(experiment: Experiment, state: Any, _visitor: str) -> Study[Any]:
        return Study(experiment, state, executor, room.tables, lambda: 0.0)

    monkeypatch.setattr(room, "study", made)
    yield executor
    executor.waiting.clear()


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def keys(page: AppTest) -> set[str]:
    return {each.key for each in page.button if each.key and "-" in each.key}


def pictures(page: AppTest) -> set[str]:
    return {str(each.key) for each in page.get("plotly_chart")}


def test_without_a_run_each_study_can_be_started_or_says_what_is_missing() -> None:
    page = opened(LAB, LINK)
    assert "there is no run yet" in texts(page)
    assert keys(page) == {"start-range-test", "start-sharpness", "start-surface"}
    press(page, "start-sharpness")
    assert "There are no weights to look at yet; press Train first." in texts(page)
    press(page, "start-surface")
    assert "The path has only 0 of the 3 points that span a plane" in texts(page)
    assert len(page.error) == 1
    assert mine(page).studies == {}


def test_an_experiment_that_can_not_be_trained_is_refused_with_one_sentence() -> None:
    page = opened(LAB, {"task": "table", "batch_size": "1024"})
    press(page, "start-range-test")
    assert [e.value.replace("\\", "") for e in page.error] == [
        "Batch size is 1,024, but there are only 220 training sequences; choose a batch of at most"
        " 220."
    ]
    assert mine(page).studies == {}


def test_a_study_is_watched_cancelled_and_gone_on_with(by_hand: OnDemand) -> None:
    page = press(opened(LAB, LINK), "start-range-test")
    study = mine(page).studies["range-test"]
    by_hand.do(50)
    page.run()
    assert (study.status, keys(page)) == (
        StudyStatus.RUNNING,
        {"cancel-range-test", "start-sharpness", "start-surface"},
    )
    (bar,) = page.get("progress")
    assert (bar.proto.value, bar.proto.text) == (10, "10% done")
    press(page, "cancel-range-test")
    by_hand.do_all()
    page.run()
    assert (study.status, keys(page)) == (
        StudyStatus.CANCELLED,
        {"start-range-test", "resume-range-test", "start-sharpness", "start-surface"},
    )
    assert "Not finished." in texts(page)
    assert pictures(page) == {"chart-range-test"}
    assert not page.get("progress")
    press(page, "resume-range-test")
    assert mine(page).studies["range-test"] is study
    by_hand.do_all()
    page.run()
    assert study.status is StudyStatus.FINISHED
    whole = proceed(SMALL, type(study.state).begin())
    np.testing.assert_array_equal(study.state.losses, whole.losses)
    assert suggest(whole.rates, whole.losses).reason in texts(page)


def test_a_study_that_fails_says_why_and_can_be_started_again(by_hand: OnDemand) -> None:
    page = press(opened(LAB, LINK), "start-range-test")
    for _each in range(MOST_TRIES):
        by_hand.die()
    page.run()
    assert "The process that made this study failed (BrokenExecutor). Start it again." in texts(
        page
    )
    press(page, "start-range-test")
    assert mine(page).studies["range-test"].status is StudyStatus.RUNNING


def test_a_study_whose_worker_hung_says_so_and_can_be_gone_on_with(by_hand: OnDemand) -> None:
    page = press(opened(LAB, LINK), "start-range-test")
    by_hand.do(2)
    by_hand.waiting.popleft()[0].set_exception(Hung("60 s"))
    page.run()
    assert (
        "The training process gave no sign for too long and was ended. Nothing is lost: press Go on."
    ) in texts(page)
    press(page, "resume-range-test")
    assert mine(page).studies["range-test"].status is StudyStatus.RUNNING


def test_a_study_that_nobody_watched_goes_on_when_somebody_does(by_hand: OnDemand) -> None:
    page = press(opened(LAB, LINK), "start-range-test")
    study = mine(page).studies["range-test"]
    study.watched_at -= 1000
    by_hand.do()
    assert (study.status, study.unwatched) == (StudyStatus.CANCELLED, True)
    page.run()
    assert study.status is StudyStatus.RUNNING
    assert "cancel-range-test" in keys(page)


def test_adopting_a_rate_turns_the_control_and_the_running_run() -> None:
    page = opened(link={"task": "sine", "sine.length": "10", "gru.units": "4"})
    run = stepped(page, 2)
    history = {name: run.history.steps[name].copy() for name in run.history.steps.names}
    before = weights(run)
    press(go(page, LAB), "start-range-test")
    study = mine(page).studies["range-test"]
    assert (study.experiment, study.state.start) == (run.experiment, None)
    wait_for(study)
    page.run()
    found = suggest(study.state.rates, study.state.losses)
    assert found.rate is not None
    assert found.reason in texts(page)
    # The run in view is as it was, to the bit.
    assert run_of(page) is run
    assert run.step_count == 2
    for name, values in history.items():
        np.testing.assert_array_equal(run.history.steps[name], values)
    for name, array in weights(run).items():
        np.testing.assert_array_equal(array, before[name])
    pressed(page, f"Adopt {readable(found.rate)}")
    assert labelled(page.select_slider, "Learning rate").value == found.rate
    assert run.experiment.learning_rate == found.rate
    assert page.query_params["at.2"] == f"learning_rate:{found.rate:g}"
    go(page, "app.py")
    assert labelled(page.select_slider, "Learning rate").value == found.rate
    stepped(page, 1)
    assert run.history.steps["learning_rate"].tolist()[-2:] == [
        Experiment().learning_rate,
        found.rate,
    ]


@pytest.mark.parametrize("asked", ["initial", "run"])
def test_a_range_test_of_a_run_starts_where_the_control_says(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    run = trained(steps=1)
    monkeypatch.setattr(st, "session_state", {"range-test-from": asked})
    experiment, state = lab._range_test(Session({}, run), Experiment())
    assert experiment == run.experiment
    assert state.start is (run.checkpoint if asked == "run" else None)


def test_a_range_test_starts_from_the_run_where_that_is_asked_for() -> None:
    page = opened(LAB, LINK)
    assert [each.label for each in page.segmented_control] == []  # there is no run to start from
    run = stepped(go(page, "app.py"), 300)
    (control,) = go(page, LAB).segmented_control
    assert control.options == ["From initial weights", "From the run as it stands"]
    assert control.value == "initial"
    control.set_value("run").run()
    press(page, "start-range-test")
    study = mine(page).studies["range-test"]
    assert run.checkpoint is not None
    start = study.state.start  # a copy, once it has been to a worker and back
    assert start.step == run.checkpoint.step == 300
    for name, values in run.checkpoint.arrays.items():
        np.testing.assert_array_equal(start.arrays[name], values)
    wait_for(study)
    page.run()
    assert study.state.suggestion.reason in texts(page)
    (control,) = go(go(page, "app.py"), LAB).segmented_control
    assert control.value == "run"


def test_studies_of_a_run_leave_its_course_as_it_would_have_been() -> None:
    page, plain = opened(link=LINK), opened(link=LINK)
    run, other = stepped(page, 20), stepped(plain, 20)
    go(page, LAB)
    assert "as it stands at step 20" in texts(page)
    for name in ("range-test", "sharpness", "surface"):
        press(page, f"start-{name}")
        wait_for(mine(page).studies[name])
        page.run()
    assert pictures(page) == {"chart-range-test", "chart-sharpness", "chart-surface"}
    assert all(each.proto.alt for each in page.get("plotly_chart"))
    assert mine(page).studies["sharpness"].state.steps[-1] == 20
    go(page, "app.py")
    stepped(page, 20)
    stepped(plain, 20)
    assert run_of(page) is run
    assert_same(run.history, other.history)


def test_a_study_is_of_the_run_in_view_not_of_what_waits_in_the_controls() -> None:
    page = opened(link=LINK)
    run = stepped(page, 5)
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    press(go(page, LAB), "start-range-test")
    study = mine(page).studies["range-test"]
    assert study.experiment == run.experiment
    study.cancel()
    wait_for(study)


def test_what_a_study_found_is_still_there_after_a_look_at_another_page() -> None:
    page = press(opened(LAB, LINK), "start-range-test")
    wait_for(mine(page).studies["range-test"])
    go(go(page, "app.py"), LAB)
    assert pictures(page) == {"chart-range-test"}

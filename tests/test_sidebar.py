"""One experiment on every page: the controls keep their values wherever one goes."""

from dataclasses import replace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gruviz.experiment import TASKS, Experiment
from gruviz.experiment.course import Course
from gruviz.experiment.link import course_from_link, to_link
from gruviz.runs import Run, Status
from gruviz.ui import controls, frame
from gruviz.ui.session import Session
from tests.page import button, go, labelled, mine, opened, pressed, run_of, stepped, texts
from tests.test_pinboard import LINK
from tests.test_run import OnDemand, a_run

PAGES = ("app.py", "pages/Data.py", "pages/Lab.py")
CHOSEN = Experiment.from_dict(
    {
        "learning_rate": 0.01,
        "clip_norm": None,
        "seed": 7,
        "optimizer": {"name": "adam", "beta1": 0.5},
        "cell": {"name": "lstm", "units": 16},
        "task": {"name": "adding", "length": 30},
        "schedule": {"name": "cosine"},
    }
)


def shown(page: AppTest) -> tuple[object, ...]:
    return (
        labelled(page.select_slider, "Learning rate").value,
        labelled(page.select_slider, "Clip norm").value,
        labelled(page.number_input, "Seed").value,
        labelled(page.selectbox, "Optimizer").value,
        labelled(page.select_slider, "Momentum beta 1").value,
        labelled(page.selectbox, "Cell").value,
        labelled(page.select_slider, "Hidden units").value,
        labelled(page.selectbox, "Task").value,
        labelled(page.select_slider, "Sequence length (time steps)").value,
        labelled(page.selectbox, "Decay schedule").value,
    )


VALUES = (0.01, "off", 7, "adam", 0.5, "lstm", 16, "adding", 30, "cosine")


def test_a_link_sets_the_controls_of_every_page_and_they_keep_it_there_and_back() -> None:
    page = opened(link=to_link(CHOSEN))
    for to in (*PAGES, *reversed(PAGES)):
        assert shown(go(page, to)) == VALUES, to
        assert page.query_params == to_link(CHOSEN)


def test_what_is_turned_on_one_page_is_so_on_the_others() -> None:
    page = opened("pages/Data.py")
    rates = (0.01, 0.02, 0.05)
    for rate, to in zip(rates, ("pages/Lab.py", "app.py", "pages/Data.py"), strict=True):
        labelled(page.select_slider, "Learning rate").set_value(rate).run()
        go(page, to)
        assert labelled(page.select_slider, "Learning rate").value == rate
        assert page.query_params == {"learning_rate": str(rate)}


def test_a_choice_is_kept_though_one_goes_on_before_its_page_has_been_drawn() -> None:
    page = opened()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frame, "navigation", st.stop)
        labelled(page.selectbox, "Task").set_value("adding").run()
    assert not page.selectbox
    go(page, "pages/Data.py")
    assert labelled(page.selectbox, "Task").value == "adding"
    assert page.query_params == {"task": "adding"}


def test_a_link_can_open_any_page_and_the_controls_are_the_same_on_the_others() -> None:
    for first in PAGES:
        page = opened(first, to_link(CHOSEN))
        assert shown(page) == VALUES
        for to in PAGES:
            assert shown(go(page, to)) == VALUES, (first, to)


def test_knobs_of_a_row_that_is_not_chosen_have_their_defaults_when_it_is_again() -> None:
    page = opened(link=to_link(CHOSEN))
    labelled(page.selectbox, "Optimizer").select("sgd").run()
    assert "Momentum beta 1" not in {each.label for each in page.select_slider}
    go(page, "pages/Lab.py")
    assert labelled(page.selectbox, "Optimizer").value == "sgd"
    assert page.query_params["optimizer"] == "sgd"
    assert "adam.beta1" not in page.query_params


def test_a_live_knob_reaches_the_run_from_any_page_and_changing_pages_turns_none() -> None:
    page = opened()
    run = stepped(page)
    for to in ("pages/Data.py", "pages/Lab.py", "app.py"):
        go(page, to)
        assert run.experiment == Experiment()
    go(page, "pages/Lab.py")
    labelled(page.select_slider, "Learning rate").set_value(0.01).run()
    assert run_of(page) is run
    assert run.experiment == Experiment(learning_rate=0.01)
    go(page, "app.py")
    assert not button(page, "Train").disabled
    assert "With the next Train" not in "".join(each.value for each in page.markdown)


def test_undo_brings_back_the_controls_on_the_other_pages_too() -> None:
    page = opened()
    stepped(page)
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    pressed(page, "Train")
    pressed(page, "Pause")
    pressed(page, "Undo")
    go(page, "pages/Data.py")
    assert labelled(page.select_slider, "Hidden units").value == 32
    assert run_of(page).status is Status.PAUSED


TURNS = {"at.3": "clip_norm:9", "at.5": "learning_rate:0.01"}
COURSE = course_from_link(LINK | TURNS)[0]


def attached(page: AppTest, run: Run) -> AppTest:
    """The page in a tab that was refreshed, or duplicated."""
    begin = frame.begin

    def callback(title: str) -> None:
        begin(title)
        mine(page).attach(run.token)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(frame, "begin", callback)
        page.run()
    assert not page.exception
    return page


def live(page: AppTest) -> tuple[object, object]:
    return tuple(
        labelled(page.select_slider, name).value for name in ("Learning rate", "Clip norm")
    )


def test_a_link_with_turns_begins_at_the_first_and_train_turns_them_at_their_steps() -> None:
    page = opened(link=LINK | TURNS)
    assert live(page) == (0.003, 1)
    assert "As in the link, live knobs turn by themselves at 2 steps." in texts(page)
    for steps, shown in ((2, (0.003, 1)), (1, (0.003, 9)), (4, (0.01, 9))):
        run = stepped(page, steps)
        assert live(page) == shown
        assert page.query_params == LINK | TURNS
        assert "With the next Train" not in texts(page)
    assert (run.step_count, run.course) == (7, COURSE)


def test_controls_that_were_moved_begin_without_the_turns_and_moved_back_with_them() -> None:
    page = opened(link=LINK | TURNS)
    labelled(page.select_slider, "Learning rate").set_value(0.02).run()
    assert page.query_params == LINK | {"learning_rate": "0.02"}
    assert "by themselves" not in texts(page)
    labelled(page.select_slider, "Learning rate").set_value(0.003).run()
    assert page.query_params == LINK | TURNS
    labelled(page.number_input, "Seed").set_value(4).run()
    run = stepped(page, 7)
    assert run.course == Course(replace(COURSE.first, seed=4))
    assert page.query_params == LINK | {"seed": "4"}


def test_a_knob_that_is_turned_is_in_the_address_at_its_step() -> None:
    page = opened(link=LINK)
    run = stepped(page, 3)
    labelled(page.select_slider, "Clip norm").set_value(10).run()
    assert page.query_params == LINK | {"at.3": "clip_norm:10"}
    stepped(page, 2)
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    assert page.query_params == LINK | {"clip_norm": "10", "gru.units": "16"}
    pressed(page, "Take back")
    assert page.query_params == LINK | {"at.3": "clip_norm:10"}
    assert run_of(page) is run


def test_a_knob_that_is_turned_while_the_link_turns_others_takes_over() -> None:
    page = opened(link=LINK | TURNS)
    run = stepped(page, 4)
    labelled(page.select_slider, "Learning rate").set_value(0.02).run()
    assert page.query_params == LINK | {"at.3": "clip_norm:9", "at.4": "learning_rate:0.02"}
    stepped(page, 3)
    assert live(page) == (0.02, 9)
    assert [turn.step for turn in run.course.turns] == [3, 4]


def test_reset_begins_anew_as_the_controls_stand_and_undo_brings_run_and_address_back() -> None:
    page = opened(link=LINK | TURNS)
    run = stepped(page, 4)
    pressed(page, "Reset")
    assert page.query_params == LINK | {"clip_norm": "9"}
    pressed(page, "Undo")
    assert run_of(page) is run
    assert (live(page), page.query_params) == ((0.003, 9), LINK | TURNS)
    stepped(page, 3)
    assert (run.course, live(page)) == (COURSE, (0.01, 9))
    pressed(page, "Reset")
    again = stepped(page, 1)
    assert again.course == Course(COURSE.last)


def test_a_refresh_in_the_middle_of_the_turns_keeps_the_run_its_controls_and_its_address() -> None:
    run = stepped(opened(link=LINK | TURNS), 4)
    page = opened(link=LINK | TURNS)
    assert live(page) == (0.003, 1)
    attached(page, run)
    assert run_of(page) is run
    assert (live(page), page.query_params) == ((0.003, 9), LINK | TURNS)
    assert (run.course, run.experiment) == (COURSE, COURSE.at(4))


def test_tabs_that_share_a_run_turn_different_knobs_and_see_each_others() -> None:
    one = opened(link=LINK)
    run = stepped(one, 3)
    other = opened(link=LINK)
    attached(other, run)
    labelled(one.select_slider, "Learning rate").set_value(0.02).run()
    labelled(other.select_slider, "Clip norm").set_value(10).run()
    assert run.experiment == replace(COURSE.first, learning_rate=0.02, clip_norm=10)
    assert live(other) == (0.02, 10)
    assert live(one.run()) == (0.02, 10)
    assert one.query_params == LINK | {"at.3": "learning_rate:0.02,clip_norm:10"}


def test_another_tabs_knob_is_not_overwritten_between_two_looks() -> None:
    run = a_run(OnDemand(), COURSE)
    one, other = (Session({}, run, controls_were=COURSE.first) for _each in range(2))
    one.adjust(replace(COURSE.first, learning_rate=0.02))
    other.adjust(replace(COURSE.first, clip_norm=10))
    assert run.experiment == replace(COURSE.first, learning_rate=0.02, clip_norm=10)


def test_undo_brings_back_the_run_that_was_replaced_last_with_its_settings_and_then_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled: list[Experiment] = []
    monkeypatch.setattr(controls, "fill", filled.append)
    executor = OnDemand()
    first, second, third = (a_run(executor, replace(COURSE.first, seed=seed)) for seed in (1, 2, 3))
    second.train(1)
    executor.do_all()
    second.adjust(replace(second.experiment, clip_norm=9))  # from its first step on
    tab = Session({}, first)
    tab.replace(second)
    tab.replace(third)
    third.train()
    for run, other in ((second, third), (third, second)):
        tab.undo()
        assert (tab.run, tab.previous) == (run, other)
        assert filled[-1] == tab.controls_were == tab.seen == run.experiment
        assert other.status is Status.PAUSED
    assert second.experiment.clip_norm == 9


def test_view_and_axis_are_in_the_link_unless_they_are_the_first() -> None:
    page = opened(link={"view": "clip", "axis": "linear", "seed": "3"})
    kinds = {each.key: each for each in page.button_group}
    assert kinds["view"].value == "clip"
    assert kinds["axis"].value == "linear"
    assert page.query_params == {"view": "clip", "axis": "linear", "seed": "3"}
    kinds["view"].set_value("blocks").run()
    assert page.query_params == {"view": "blocks", "axis": "linear", "seed": "3"}
    {each.key: each for each in page.button_group}["axis"].set_value("log").run()
    assert page.query_params == {"view": "blocks", "seed": "3"}
    go(go(page, "pages/Data.py"), "app.py")
    assert {each.key: each for each in page.button_group}["view"].value == "blocks"
    assert page.query_params == {"view": "blocks", "seed": "3"}


def test_a_view_that_there_is_not_is_the_first_one() -> None:
    page = opened(link={"view": "<b>", "axis": "sideways"})
    found = {each.key: each.value for each in page.button_group}
    assert found == {"view": "overview", "axis": "log"}
    assert page.query_params == {}


def test_every_task_can_be_taken_to_every_page() -> None:
    for name in TASKS:
        page = opened(link={"task": name})
        for to in PAGES[1:]:
            go(page, to)
            assert labelled(page.selectbox, "Task").value == name


def test_the_menu_of_optimizers_says_which_rate_is_usual_with_the_chosen_one() -> None:
    page = opened()
    assert any("Its usual learning rate is 0.001." in each.value for each in page.caption)
    labelled(page.selectbox, "Optimizer").set_value("sgd").run()
    assert any("Its usual learning rate is 0.1." in each.value for each in page.caption)
    assert labelled(page.select_slider, "Learning rate").value == Experiment().learning_rate

"""The coach on the page: its button turns the controls, and nothing but a new Train acts."""

from typing import Any

import pytest
import streamlit as st

from gruviz.coach import Advice, Coach, Severity
from gruviz.ui import report, train
from tests.page import button, go, labelled, opened, pressed, run_of, stepped

WILD = {
    "task": "adding",
    "adding.size": "40",
    "adding.length": "8",
    "gru.units": "4",
    "batch_size": "16",
    "optimizer": "sgd",
    "learning_rate": "10",
    "clip_norm": "off",
}


@pytest.fixture
def rule(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The panel as two buttons, the second one for an advice: what the browser would send."""
    sent = [""]

    def panel(**given: Any) -> None:
        st.session_state["panel"] = {"advice": sent[0]}
        st.button("Take it", on_click=given["on_advice"])

    monkeypatch.setattr(train, "panel", panel)
    return sent


def test_taking_an_advice_turns_the_controls_that_it_names(rule: list[str]) -> None:
    page = opened(link=WILD)
    run = stepped(page, 100)
    assert run.diverged_at is not None
    (said,) = Coach().advice(
        run.experiment, run.history, run.snapshot, run.diverged_at, over=run.over
    )
    (shown,) = report.advice(run, Coach())
    assert shown["severity"] == "serious" and str(run.diverged_at) in shown["text"]
    rule[0] = shown["rule"]
    page.run()
    pressed(page, "Take it")
    taken = said.taken(run.experiment)
    assert taken != run.experiment
    if taken.clip_norm is not None:
        assert labelled(page.select_slider, "Clip norm").value == taken.clip_norm
    assert labelled(page.select_slider, "Learning rate").value == taken.learning_rate
    assert labelled(page.selectbox, "Optimizer").value == "sgd"
    assert run_of(page) is run and run.experiment.learning_rate == 10
    go(page, "pages/Lab.py")
    assert labelled(page.select_slider, "Learning rate").value == taken.learning_rate
    go(page, "app.py")
    pressed(page, "Train")
    assert run_of(page) is not run
    assert run_of(page).experiment == taken
    pressed(page, "Pause")


def test_what_waits_in_the_controls_beside_an_advice_is_kept(rule: list[str]) -> None:
    page = opened(link=WILD)
    run = stepped(page, 100)
    rule[0] = report.advice(run, Coach())[0]["rule"]
    labelled(page.number_input, "Seed").set_value(9).run()
    before = dict(page.query_params)
    pressed(page, "Take it")
    assert labelled(page.number_input, "Seed").value == 9
    assert page.query_params != before


@pytest.mark.parametrize("sent", ["", "plateau", "<b>"])
def test_an_advice_that_the_coach_does_not_give_is_not_taken(rule: list[str], sent: str) -> None:
    page = opened(link=WILD)
    button(page, "Take it").click().run()  # before there is a run
    stepped(page, 100)
    before = dict(page.query_params)
    rule[0] = sent
    page.run()
    pressed(page, "Take it")
    assert page.query_params == before


def test_what_is_only_to_be_seen_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = Advice("clip holds", Severity.HINT, "Clip norm 1 is at work.")
    monkeypatch.setattr(Coach, "advice", lambda *_args, **_named: (seen,))
    run = stepped(opened(link=WILD), 1)
    (shown,) = report.advice(run, Coach())
    assert (shown["text"], shown["action"]) == ("Clip norm 1 is at work.", "")

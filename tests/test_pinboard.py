"""Pinned runs on the page: named, compared in a table, brought back."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from gruviz.experiment import SGD, Adam, Experiment
from gruviz.experiment.course import Turn
from gruviz.experiment.link import course_from_link, course_to_link, to_link
from gruviz.runs import Run, Status
from gruviz.runs.comparison import compare
from gruviz.ui import pinboard
from gruviz.ui.session import MOST_PINS
from gruviz.words import readable
from tests.page import (
    button,
    labelled,
    mine,
    opened,
    pressed,
    run_of,
    stepped,
    tables_of,
    texts,
)
from tests.test_comparison import Stored
from tests.test_run import OnDemand, a_run

SMALL = Experiment.from_dict(
    {
        "task": {"name": "adding", "size": 40, "length": 8},
        "cell": {"name": "gru", "units": 4},
        "batch_size": 16,
        "steps": 300,
    }
)
LINK = to_link(SMALL)


def names(page: AppTest) -> list[str]:
    return [pin.name for pin in mine(page).pins]


def drawn(page: AppTest) -> dict[str, Any]:
    """What the panel is given."""
    (found,) = page.get("bidi_component")
    data: dict[str, Any] = json.loads(found.proto.json)
    return data


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def another(page: AppTest, steps: int = 3, **choice: object) -> Run:
    """A new run from the controls."""
    pressed(page, "Reset")
    for label, value in choice.items():
        menus = [*page.selectbox, *page.select_slider, *page.number_input]
        labelled(menus, label.replace("_", " ")).set_value(value).run()
    return stepped(page, steps)


def test_there_is_nothing_to_pin_before_a_run_and_no_run_is_pinned_twice() -> None:
    page = opened(link=LINK)
    assert button(page, "Pin").disabled
    assert "Pinned runs" not in [each.value for each in page.subheader]
    stepped(page, 1)
    pressed(page, "Pin")
    assert names(page) == ["Adam 0.003"]
    assert button(page, "Pin").disabled
    assert "Pinned runs" in [each.value for each in page.subheader]
    mine(page).pin()
    assert len(mine(page).pins) == 1


def test_a_pinned_run_is_drawn_behind_the_next_one_and_compared_with_it() -> None:
    page = opened(link=LINK)
    first = stepped(page, 5)
    pressed(page, "Pin")
    assert "pin0" not in drawn(page)["tables"]  # it is the run in view
    (table,) = tables_of(page)
    assert table["run"].tolist() == ["Adam 0.003"]
    second = another(page, 3, Optimizer="sgd")
    assert run_of(page) is second is not first
    data = drawn(page)
    np.testing.assert_array_equal(data["tables"]["pin0"]["smooth"], first.history.steps["smooth"])
    traces = [
        trace for card in data["cards"] for chart in card["charts"] for trace in chart["data"]
    ]
    assert "Adam 0.003" in {trace.get("name") for trace in traces}
    (table,) = tables_of(page)
    found = compare({"Adam 0.003": first, "current": second})
    best = [row.best_loss for row in found.rows]
    assert found.target is not None and None not in best
    assert table["run"].tolist() == ["Adam 0.003", "current"]
    assert table["Optimizer"].tolist() == ["Adam", "SGD"]
    assert list(table).index("outcome") == 2  # they differ in nothing else
    assert table["outcome"].tolist() == ["paused", "paused"]
    assert table["steps"].tolist() == ["5", "3"]
    assert table["best loss"].tolist() == [readable(float(each)) for each in best if each]
    assert table["final loss"].tolist() == [
        readable(float(run.history.steps["smooth"][-1])) for run in (first, second)
    ]
    assert table["best validation"].tolist() == [
        readable(float(run.history.validations["loss"].min())) for run in (first, second)
    ]
    target = max(min(run.history.steps["smooth"]) for run in (first, second))
    steps = [int(np.argmax(run.history.steps["smooth"] <= target)) + 1 for run in (first, second)]
    assert table[f"steps to {readable(target, 3)}"].tolist() == [str(each) for each in steps]


def test_a_run_that_diverged_says_where() -> None:
    wild = {"optimizer": "sgd", "learning_rate": "10", "clip_norm": "off"}
    page = opened(link=LINK | wild)
    run = stepped(page, 100)
    assert run.status is Status.DIVERGED
    pressed(page, "Pin")
    (table,) = tables_of(page)
    assert table["outcome"].tolist() == [f"diverged at step {run.diverged_at}"]


def test_pins_of_one_name_are_told_apart_and_four_are_the_most() -> None:
    page = opened(link=LINK)
    for number in range(1, MOST_PINS + 1):
        another(page, 1) if number > 1 else stepped(page, 1)
        pressed(page, "Pin")
    assert names(page) == ["Adam 0.003", "Adam 0.003 (2)", "Adam 0.003 (3)", "Adam 0.003 (4)"]
    another(page, 1)
    assert button(page, "Pin").disabled
    assert "At most 4 runs can be pinned" in button(page, "Pin").help
    (table,) = tables_of(page)
    assert table["run"].tolist() == [*names(page), "current"]
    press(page, "pin-off-1")
    assert names(page) == ["Adam 0.003", "Adam 0.003 (3)", "Adam 0.003 (4)"]
    assert not button(page, "Pin").disabled
    pressed(page, "Pin")
    assert names(page) == ["Adam 0.003", "Adam 0.003 (3)", "Adam 0.003 (4)", "Adam 0.003 (2)"]


def two_pins() -> AppTest:
    page = opened(link=LINK)
    stepped(page, 1)
    pressed(page, "Pin")
    another(page, 2, Seed=1)
    return pressed(page, "Pin")


def test_a_pin_gets_another_name() -> None:
    page = two_pins()
    runs = [pin.run for pin in mine(page).pins]
    page.text_input[0].set_value("slow").run()
    assert names(page) == ["slow", "Adam 0.003 (2)"]
    assert [pin.run for pin in mine(page).pins] == runs
    assert tables_of(page)[0]["run"].tolist() == ["slow", "Adam 0.003 (2)"]
    assert [field.value for field in page.text_input] == names(page)


@pytest.mark.parametrize(
    ("typed", "name"),
    [("Adam 0.003 (2)", "Adam 0.003 (2) (2)"), (" slow ", "slow"), ("   ", "Adam 0.003")],
)
def test_a_name_that_is_taken_padded_or_empty_makes_a_name_all_the_same(
    typed: str, name: str
) -> None:
    page = two_pins()
    page.text_input[0].set_value(typed).run(timeout=10)
    assert not page.exception
    assert names(page) == [name, "Adam 0.003 (2)"]
    page.run()
    assert names(page) == [name, "Adam 0.003 (2)"]


def test_a_name_is_shown_as_the_text_it_is() -> None:
    page = two_pins()
    page.text_input[1].set_value("<b>*x*</b>").run()
    another(page, 1, Seed=2)
    assert tables_of(page)[0]["run"].tolist() == ["Adam 0.003", "<b>*x*</b>", "current"]
    data = drawn(page)
    traces = [
        trace for card in data["cards"] for chart in card["charts"] for trace in chart["data"]
    ]
    shown = {trace["name"] for trace in traces if "x*" in (trace.get("name") or "")}
    assert shown and all("<b>" not in name for name in shown)


def test_same_start_sets_what_makes_runs_comparable_and_nothing_else() -> None:
    page = opened(link=LINK)
    stepped(page, 1)
    pressed(page, "Pin")
    pressed(page, "Reset")
    labelled(page.number_input, "Seed").set_value(5).run()
    labelled(page.select_slider, "Hidden units").set_value(16).run()
    labelled(page.select_slider, "Batch size (sequences)").set_value(8).run()
    labelled(page.selectbox, "Task").set_value("sine").run()
    labelled(page.selectbox, "Optimizer").set_value("sgd").run()
    labelled(page.select_slider, "Learning rate").set_value(0.01).run()
    press(page, "pin-start-0")
    assert page.query_params == LINK | {"optimizer": "sgd", "learning_rate": "0.01"}
    run = stepped(page, 1)
    pinned = mine(page).pins[0].run
    assert run.history.steps["loss"][0] == pinned.history.steps["loss"][0]


def test_a_pin_that_is_brought_back_is_the_run_in_view_with_its_settings() -> None:
    page = two_pins()
    first, second = (pin.run for pin in mine(page).pins)
    assert page.button(key="pin-back-1").disabled
    press(page, "pin-back-0")
    assert run_of(page) is first
    assert page.query_params == LINK
    assert labelled(page.number_input, "Seed").value == 0
    assert [page.button(key=f"pin-back-{place}").disabled for place in (0, 1)] == [True, False]
    assert "With the next Train" not in texts(page)
    pressed(page, "Undo")
    assert run_of(page) is second
    assert labelled(page.number_input, "Seed").value == 1
    stepped(page, 3)
    assert (first.step_count, second.step_count) == (1, 5)


def test_a_pin_of_a_run_whose_knobs_were_turned_says_so_and_has_the_link_to_its_course() -> None:
    page = opened(link=LINK | {"at.2": "clip_norm:9", "at.4": "clip_norm:10"})
    run = stepped(page, 3)
    pressed(page, "Pin")
    assert names(page) == ["Adam 0.003, turned"]
    labelled(page.select_slider, "Learning rate").set_value(0.01).run()
    another(page, 1, Seed=1)
    (table,) = tables_of(page)
    assert table["knobs turned at step"].tolist() == ["2, 3", "–"]
    (link,) = page.get("link_button")
    course, complaints = course_from_link(dict(parse_qsl(link.proto.url.removeprefix("?"))))
    assert (course, complaints) == (run.course, [])
    assert [turn.step for turn in course.turns] == [2, 3]
    press(page, "pin-back-0")
    assert page.query_params == course_to_link(course)


def test_the_last_pin_that_goes_takes_the_table_with_it_and_leaves_the_run() -> None:
    page = opened(link=LINK)
    run = stepped(page, 1)
    pressed(page, "Pin")
    press(page, "pin-off-0")
    assert names(page) == [] and not tables_of(page)
    assert run_of(page) is run


def test_the_table_of_the_comparison_says_everything_in_words() -> None:
    long = Stored(
        replace(SMALL, optimizer=SGD(), clip_norm=None), [4.0] * 12_344 + [0.5], [1, 0.75]
    )
    beta = Stored(replace(SMALL, optimizer=Adam(0.5)), [4, 1, 0.25], [])
    wild = Stored(replace(SMALL, optimizer=Adam(0.25)), [4, 1e9], [], 0.5, 1234)
    found = pinboard.table(compare({"long": long, "beta": beta, "wild": wild}))
    assert "knobs turned at step" not in found
    assert found.to_dict("list") == {
        "run": ["long", "beta", "wild"],
        "Clip norm": ["off", "1", "1"],
        "Optimizer": ["SGD", "Adam", "Adam"],
        "Momentum beta 1": ["–", "0.5", "0.25"],
        "outcome": ["finished", "finished", "diverged at step 1,234"],
        "steps": ["12,345", "3", "2"],
        "best loss": ["0.5", "0.25", "4"],
        "final loss": ["0.5", "0.25", "1×10⁹"],
        "best validation": ["0.75", "–", "–"],
        "final validation": ["0.75", "–", "–"],
        "steps to 0.5": ["12,345", "3", "–"],
        "seconds to 0.5": ["1", "1", "–"],
    }


def test_the_steps_of_many_turns_are_cut_short() -> None:
    often = Stored(SMALL, [1.0], [])
    often.turns = tuple(Turn(step, SMALL) for step in (7, 1_000, 2_000, 3_000))
    found = pinboard.table(compare({"often": often, "never": Stored(SMALL, [1.0], [])}))
    assert found["knobs turned at step"].tolist() == ["7, 1,000, 2,000, …", "–"]


def test_before_any_step_there_is_no_target_to_name() -> None:
    found = pinboard.table(compare({"new": a_run(OnDemand())}))
    assert (found["steps to"].tolist(), found["best loss"].tolist()) == (["–"], ["–"])

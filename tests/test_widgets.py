"""The stops of a log-spaced slider, and the widget that each kind of knob gets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from gruviz.ui.widgets import steps_between, steps_near_one
from tests.test_experiment import SURE


def test_the_stops_between_decades_are_those_that_people_write() -> None:
    assert steps_between(1e-3, 0.1, {3e-3}) == [
        0.001,
        0.0015,
        0.002,
        0.003,
        0.005,
        0.007,
        0.01,
        0.015,
        0.02,
        0.03,
        0.05,
        0.07,
        0.1,
    ]


def test_whole_stops_are_powers_of_two_where_the_default_is_one() -> None:
    assert steps_between(1, 256, {32}) == [
        1,
        2,
        3,
        4,
        6,
        8,
        12,
        16,
        24,
        32,
        48,
        64,
        96,
        128,
        192,
        256,
    ]


def test_other_whole_stops_are_round_numbers() -> None:
    assert steps_between(1, 1000, {500}) == [
        1,
        2,
        3,
        5,
        7,
        10,
        20,
        30,
        50,
        70,
        100,
        200,
        300,
        500,
        700,
        1000,
    ]
    assert steps_between(2, 60, {50}) == [2, 3, 5, 7, 10, 20, 30, 50, 60]


@SURE
@given(st.floats(1e-6, 0.1), st.floats(1.0, 1e4), st.lists(st.floats(0.1, 1.0), max_size=3))
def test_any_range_has_its_ends_and_the_wanted_stops_in_order(
    low: float, high: float, also: list[float]
) -> None:
    stops = steps_between(low, high, also)
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (low, high)
    assert set(also) <= set(stops)
    assert all(type(stop) is float for stop in stops)


@SURE
@given(st.integers(1, 10), st.integers(20, 100_000), st.lists(st.integers(10, 20), max_size=3))
def test_any_whole_range_has_whole_stops(low: int, high: int, also: list[int]) -> None:
    stops = steps_between(low, high, also)
    assert stops == sorted(set(stops))
    assert (stops[0], stops[-1]) == (low, high)
    assert set(also) <= set(stops)
    assert all(type(stop) is int for stop in stops)


def test_the_stops_of_a_share_near_one_are_evenly_far_from_it() -> None:
    assert steps_near_one(0.0, 0.99, {0.6}) == [
        0.0,
        0.3,
        0.5,
        0.6,
        0.7,
        0.8,
        0.85,
        0.9,
        0.93,
        0.95,
        0.97,
        0.98,
        0.985,
        0.99,
    ]


def page(name: str, start: object) -> None:
    """A page with the widget of one knob of the experiment."""
    import streamlit as st

    from gruviz.experiment import Adam, Cosine, Experiment, Knob, about
    from gruviz.ui.widgets import knob

    owner = {"final": Cosine, "beta2": Adam}.get(name, Experiment)
    what = dict(about(owner))[name]
    assert isinstance(what, Knob)
    st.session_state.setdefault("knob", start)  # as a link sets it
    st.text(repr(knob("knob", what, getattr(owner(), name))))


def shown(name: str, start: Any) -> AppTest:
    app = AppTest.from_function(page, kwargs={"name": name, "start": start}).run(timeout=20)
    assert not app.exception
    return app


def every_widget() -> None:
    """A page with the widgets of all knobs, each of which must show its default."""
    from dataclasses import fields

    from gruviz.experiment import Experiment, Knob, Pick, about
    from gruviz.ui.widgets import knob

    owners: list[type[Any]] = [Experiment]
    for _name, what in about(Experiment):
        if isinstance(what, Pick):
            owners += what.table.values()
    for owner in owners:
        for field in fields(owner):
            about_it = field.metadata.get("about")
            if isinstance(about_it, Knob) and about_it.high != about_it.low:
                shown = knob(f"{owner.__name__}.{field.name}", about_it, field.default)
                assert shown == field.default, (owner, field.name, shown)


def test_every_widget_shows_the_default_of_its_knob() -> None:
    app = AppTest.from_function(every_widget).run(timeout=60)
    assert not app.exception
    assert len(app.select_slider) > 50


def test_the_learning_rate_is_a_log_slider_that_returns_its_number() -> None:
    app = shown("learning_rate", 0.003)
    slider = app.select_slider(key="knob")
    assert (slider.label, slider.value, app.text[0].value) == ("Learning rate", 0.003, "0.003")
    assert slider.options[:3] == ["1e-06", "1.5e-06", "2e-06"]
    assert slider.options[-1] == "10"
    assert slider.set_value(0.5).run().text[0].value == "0.5"


def test_a_value_from_a_link_that_is_no_stop_is_kept() -> None:
    assert shown("learning_rate", 0.00123).text[0].value == "0.00123"


def test_clip_norm_can_be_off_and_on_again() -> None:
    app = shown("clip_norm", None)
    slider = app.select_slider(key="knob")
    assert (slider.options[0], slider.value, app.text[0].value) == ("off", "off", "None")
    assert slider.set_value(2.0).run().text[0].value == "2.0"
    assert app.select_slider(key="knob").set_value("off").run().text[0].value == "None"


def test_a_batch_size_is_a_log_slider_of_whole_numbers_with_its_unit() -> None:
    app = shown("batch_size", 32)
    slider = app.select_slider(key="knob")
    assert (slider.label, app.text[0].value) == ("Batch size (sequences)", "32")
    assert "64" in slider.options and "1,024" in slider.options


def test_the_whole_set_is_the_far_end_of_the_batch_size() -> None:
    app = shown("batch_size", None)
    slider = app.select_slider(key="knob")
    assert (slider.options[-2:], app.text[0].value) == (["10,000", "all"], "None")
    assert slider.set_value(64).run().text[0].value == "64"


def test_a_beta_has_its_stops_near_one() -> None:
    app = shown("beta2", 0.999)
    slider = app.select_slider(key="knob")
    assert (slider.options[0], slider.options[-1], app.text[0].value) == ("0", "0.9999", "0.999")
    assert slider.set_value(0.95).run().text[0].value == "0.95"


def test_a_seed_is_a_field_for_a_whole_number() -> None:
    app = shown("seed", 7)
    field = app.number_input(key="knob")
    assert (field.label, field.min, field.max, app.text[0].value) == ("Seed", 0, 9999, "7")
    assert field.set_value(42).run().text[0].value == "42"


@pytest.mark.parametrize("start", [0.0, 0.5])
def test_a_share_is_a_plain_slider_with_its_step(start: float) -> None:
    app = shown("final", start)
    slider = app.slider(key="knob")
    assert (slider.min, slider.max, slider.step) == (0.0, 1.0, 0.01)
    assert app.text[0].value == repr(start)

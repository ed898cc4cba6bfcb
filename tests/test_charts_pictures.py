"""Pictures of one sequence: drawn from the columns that they name, on fixed scales."""

import numpy as np
import plotly.graph_objects as go
import pytest

from gruviz import charts
from tests.test_charts_curves import Tables, a_table, assert_drawn_from_its_columns, drawn_from


def filled() -> Tables:
    generator = np.random.default_rng(0)
    probe = a_table("time input mark target true", 6, generator)
    probe |= a_table("future", 2, generator) | {"image": generator.random((8, 6))}
    signals = {
        name: generator.random((4, 6)) for name in ("reset", "update", "candidate", "hidden")
    }
    return {"probe": probe, "answer": a_table("value", 6, generator), "signals": signals}


@pytest.mark.parametrize(
    ("name", "low", "ticks"),
    [
        ("reset", 0.0, (0.0, 0.5, 1.0)), ("update", 0.0, (0.0, 0.5, 1.0)),
        ("candidate", -1.0, (-1.0, 0.0, 1.0)), ("hidden", -1.0, (-1.0, 0.0, 1.0)),
    ],
)  # fmt: skip
def test_a_signal_is_a_heat_map_of_units_by_time_on_its_fixed_scale(
    name: str, low: float, ticks: tuple[float, ...]
) -> None:
    chart = charts.signal(filled(), name, "Title", "aid", low, 1.0)
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [(None, {"z": f"signals.{name}"})]
    (trace,) = chart.data
    assert isinstance(trace, go.Heatmap)
    assert np.shape(trace.z) == (4, 6)
    assert (trace.zmin, trace.zmax, trace.zsmooth) == (low, 1.0, False)
    assert trace.colorbar.tickvals == ticks
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == (
        "time step", "hidden unit",
    )  # fmt: skip
    assert dict(chart.layout.meta) == {"title": "Title", "aid": "aid"}


def test_gates_and_states_have_scales_of_different_colours() -> None:
    gate, state = (charts.signal({}, "x", "t", "a", low, 1.0).data[0] for low in (0.0, -1.0))
    assert gate.colorscale != state.colorscale
    assert gate.z is None and state.z is None


def test_a_forecast_shows_the_past_what_came_and_what_was_said() -> None:
    chart = charts.forecast(filled(), "passengers")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input"}),
        ("truth", {"x": "probe.future", "y": "probe.target"}),
        ("prediction", {"x": "probe.future", "y": "answer.value"}),
    ]
    assert chart.layout.yaxis.title.text == "passengers"
    assert charts.forecast({}, "").layout.yaxis.title.text == "value"


def test_a_column_name_can_not_bring_markup_into_a_title() -> None:
    title = charts.forecast({}, '<a href="http://x">1 & 2</a>' + "x" * 99).layout.yaxis.title.text
    assert title == '&lt;a href="http://x"&gt;1 &amp; 2&lt;/a&gt;' + "x" * 32


def test_a_regression_shows_the_marked_inputs_the_sum_and_the_answer_so_far() -> None:
    chart = charts.regression(filled())
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input", "color": "probe.mark"}),
        ("truth", {"x": "probe.time", "y": "probe.target"}),
        ("answer so far", {"x": "probe.time", "y": "answer.value"}),
    ]


def test_a_classification_shows_the_curve_and_a_probability_for_each_class() -> None:
    chart = charts.classification(filled(), list("abcdef"), 1)
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input"}),
        (None, {"x": "answer.value", "color": "probe.true"}),
    ]
    assert chart.data[1].y == tuple("abcdef")
    assert tuple(chart.layout.xaxis2.range) == (0, 1)
    assert chart.layout.yaxis.title.text == "value"


def test_a_classification_of_images_shows_the_image() -> None:
    chart = charts.classification(filled(), list("abcdef"), 8)
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        (None, {"z": "probe.image"}),
        (None, {"x": "answer.value", "color": "probe.true"}),
    ]
    assert isinstance(chart.data[0], go.Heatmap)
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == (
        "pixel", "time step (row, downwards)",
    )  # fmt: skip


@pytest.mark.parametrize(
    "chart",
    [
        charts.forecast({}, "x"), charts.regression({}), charts.classification({}, ["a"], 1),
        charts.classification({}, ["a"], 8), charts.signal({}, "x", "Prediction", "aid", 0, 1),
    ],
)  # fmt: skip
def test_without_data_a_picture_has_its_axes_title_and_reading_aid(chart: go.Figure) -> None:
    assert chart.layout.meta["title"] == "Prediction"
    assert chart.layout.meta["aid"]
    assert chart.layout.xaxis.title.text and chart.layout.yaxis.title.text
    chart.to_json()

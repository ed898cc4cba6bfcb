"""Pictures of one sequence: drawn from the columns that they name, on fixed scales."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from gruviz import charts
from gruviz.charts import CHARTS, Subject
from gruviz.charts.pictures import ANSWERS, DIVERGING, SEQUENTIAL
from gruviz.charts.style import BLUE, GREEN
from gruviz.experiment import CELLS
from gruviz.experiment.cells import Signal
from tests.test_charts_curves import (
    Tables,
    a_table,
    assert_drawn_from_its_columns,
    drawn_from,
    skeleton,
)


def predicted(answer: str, inputs: Sequence[str] = "x", **about: Any) -> go.Figure:
    return skeleton("prediction", answer=answer, inputs=tuple(inputs), **about)


def heat_map(low: float = -1.0, name: str = "x") -> go.Figure:
    return skeleton("gates", signals=(Signal(name, "Title", "aid", low),))


def filled() -> Tables:
    generator = np.random.default_rng(0)
    probe = a_table("time input mark target true", 6, generator)
    probe |= a_table("future", 2, generator) | {"image": generator.random((8, 6))}
    probe |= {"asked": np.arange(6), "symbols": generator.random((4, 6))}
    signals = {
        name: generator.random((4, 6)) for name in ("reset", "update", "candidate", "hidden")
    }
    answer = a_table("value", 6, generator) | {"chances": generator.random((3, 6))}
    return {"probe": probe, "answer": answer, "signals": signals}


@pytest.mark.parametrize(
    ("name", "low", "ticks"),
    [
        ("reset", 0.0, (0.0, 0.5, 1.0)),
        ("update", 0.0, (0.0, 0.5, 1.0)),
        ("candidate", -1.0, (-1.0, 0.0, 1.0)),
        ("hidden", -1.0, (-1.0, 0.0, 1.0)),
    ],
)
def test_a_signal_is_a_heat_map_of_units_by_time_on_its_fixed_scale(
    name: str, low: float, ticks: tuple[float, ...]
) -> None:
    chart = heat_map(low, name)
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [(None, {"z": f"signals.{name}"})]
    (trace,) = chart.data
    assert isinstance(trace, go.Heatmap)
    assert (trace.zmin, trace.zmax, trace.zsmooth) == (low, 1.0, False)
    assert trace.colorbar.tickvals == ticks
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == (
        "time step",
        "hidden unit",
    )
    assert dict(chart.layout.meta) == {"title": "Title", "aid": "aid"}


def test_gates_and_states_have_scales_of_different_colours() -> None:
    gate, state = (heat_map(low).data[0] for low in (0.0, -1.0))
    assert gate.colorscale != state.colorscale
    assert gate.z is None and state.z is None


def test_a_forecast_shows_the_past_what_came_and_what_was_said() -> None:
    chart = predicted("forecast", "ab", unit="passengers")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input"}),
        ("truth", {"x": "probe.future", "y": "probe.target"}),
        ("prediction", {"x": "probe.future", "y": "answer.value"}),
    ]
    rolled = predicted("forecast", "a")
    assert drawn_from(rolled)[-1] == ("free running", {"x": "rollout.time", "y": "rollout.value"})
    assert chart.layout.yaxis.title.text == "passengers"
    assert predicted("forecast").layout.yaxis.title.text == "value"


def test_a_column_name_can_not_bring_markup_into_a_title() -> None:
    unit = '<a href="http://x">1 & 2</a>' + "x" * 99
    title = predicted("forecast", unit=unit).layout.yaxis.title.text
    assert title == '&lt;a href="http://x"&gt;1 &amp; 2&lt;/a&gt;' + "x" * 32


def test_marked_numbers_are_shown_with_their_sum_and_the_answer_so_far() -> None:
    chart = predicted("marked")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input", "color": "probe.mark"}),
        ("truth", {"x": "probe.time", "y": "probe.target"}),
        ("answer so far", {"x": "probe.time", "y": "answer.value"}),
    ]


def test_another_regression_shows_the_curves_that_are_read_the_number_wanted_and_the_answer() -> (
    None
):
    tables = filled()
    tables["probe"] |= {f"input.{n}": np.arange(6.0) for n in range(1, 6)}
    chart = predicted("regression", ["value", "<b>two", *"345678"])
    assert_drawn_from_its_columns(chart, tables)
    assert drawn_from(chart) == [
        ("value", {"x": "probe.time", "y": "probe.input"}),
        ("&lt;b&gt;two", {"x": "probe.time", "y": "probe.input.1"}),
        *((name, {"x": "probe.time", "y": f"probe.input.{n}"}) for n, name in enumerate("3456", 2)),
        ("truth", {"x": "probe.time", "y": "probe.target"}),
        ("answer so far", {"x": "probe.time", "y": "answer.value"}),
    ]
    looks = {(trace.line.color, trace.line.dash) for trace in chart.data}
    assert len(looks) == len(chart.data)


def test_a_classification_shows_the_curve_and_a_probability_for_each_class() -> None:
    chart = predicted("classification", classes=tuple("abcdef"))
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input"}),
        (None, {"x": "answer.value", "color": "probe.true"}),
    ]
    assert chart.data[1].y == tuple("abcdef")
    assert tuple(chart.layout.xaxis2.range) == (0, 1)
    assert chart.layout.yaxis.title.text == "value"


def test_a_classification_of_images_shows_the_image() -> None:
    chart = predicted("classification", "12345678", classes=tuple("abcdef"))
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        (None, {"z": "probe.image"}),
        (None, {"x": "answer.value", "color": "probe.true"}),
    ]
    assert isinstance(chart.data[0], go.Heatmap)
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == (
        "pixel",
        "time step (row, downwards)",
    )


def test_a_classification_of_symbols_names_them() -> None:
    chart = predicted("classification", "wxyz", classes=("yes", "no"), one_hot=True)
    assert drawn_from(chart)[0] == (None, {"z": "probe.symbols"})
    axis = chart.layout.yaxis
    assert (axis.ticktext, axis.tickvals, axis.range) == (tuple("wxyz"), (0, 1, 2, 3), (3.5, -0.5))
    assert (chart.layout.xaxis.title.text, axis.title.text) == ("time step", "symbol")


def test_a_tracking_shows_what_is_read_what_is_wanted_and_what_is_said() -> None:
    chart = predicted("tracking")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("input", {"x": "probe.time", "y": "probe.input"}),
        ("truth", {"x": "probe.asked", "y": "probe.target"}),
        ("prediction", {"x": "probe.time", "y": "answer.value"}),
    ]


def test_a_labelling_shows_what_is_read_above_the_chances_with_the_true_classes() -> None:
    chart = predicted("labelling", "wxyz", classes=("even", "odd", "none"))
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        (None, {"z": "probe.symbols"}),
        (None, {"z": "answer.chances"}),
        ("truth", {"x": "probe.asked", "y": "probe.target"}),
    ]
    assert [trace.yaxis for trace in chart.data] == ["y", "y2", "y2"]
    assert (chart.data[1].zmin, chart.data[1].zmax) == (0, 1)
    assert chart.layout.yaxis.ticktext == tuple("wxyz")
    assert chart.layout.yaxis2.ticktext == ("even", "odd", "none")
    assert chart.layout.xaxis2.title.text == "time step"


def test_a_text_is_read_along_the_axis() -> None:
    chart = predicted("labelling", "ab ", classes=tuple("ab "), letters="a ba b")
    assert [trace.meta for trace in chart.data] == [
        {"z": "answer.chances"},
        {"x": "probe.asked", "y": "probe.target"},
    ]
    assert chart.layout.xaxis.ticktext == ("a", "␣", "b", "a", "␣", "b")
    assert chart.layout.yaxis.ticktext == ("a", "b", "␣")
    long = predicted("labelling", "ab ", classes=tuple("ab "), letters="a" * 81)
    assert (long.layout.xaxis.ticktext, long.layout.xaxis.title.text) == (None, "time step")


def test_of_many_names_only_as_many_as_fit_are_shown_each_at_its_place() -> None:
    chart = predicted("labelling", classes=tuple(f"class {n}" for n in range(20)))
    assert chart.layout.yaxis2.tickvals == tuple(range(0, 20, 3))
    assert chart.layout.yaxis2.ticktext == tuple(f"class {n}" for n in range(0, 20, 3))


def test_sequences_show_what_is_read_and_what_is_wanted() -> None:
    time = np.arange(4)
    line = {"time": time, "input": np.array([1.0, 2, 3, 4])}
    probes = [
        line | {"future": np.array([4, 5]), "target": np.array([5.0, 6])},
        line | {"mark": np.array([0, 1, 0, 1])},
        {**line, "symbols": np.eye(4), "asked": time[2:], "target": np.array([1, 0])},
        line | {"image": np.eye(4)},
    ]
    chart = charts.sequences(probes, ["", "6", "", "eight"], list("abcd"))
    assert [(trace.type, trace.xaxis) for trace in chart.data] == [
        ("scatter", "x"),
        ("scatter", "x"),
        ("bar", "x2"),
        ("heatmap", "x3"),
        ("scatter", "x3"),
        ("heatmap", "x4"),
    ]
    assert chart.data[1].x.tolist() == [4, 5] and chart.data[1].y.tolist() == [5, 6]
    assert len(set(chart.data[2].marker.color)) == 2
    assert chart.data[4].x.tolist() == [2, 3] and chart.data[4].y.tolist() == [1, 0]
    assert chart.layout.yaxis3.ticktext == tuple("abcd")
    assert [chart.layout[f"yaxis{n}"].autorange for n in (2, 4)] == [None, "reversed"]  # an image
    assert [note.text for note in chart.layout.annotations] == ["6", "eight"]


@pytest.mark.parametrize(
    "chart",
    [
        *(predicted(answer, classes=("a",)) for answer in ANSWERS),
        predicted("classification", "12345678", classes=("a",)),
        predicted("labelling", "a", classes=("a",), letters="aa"),
        predicted("classification", "xy", classes=("a",), one_hot=True),
        skeleton("gates", signals=(Signal("x", "Prediction", "aid", 0),)),
    ],
)
def test_without_data_a_picture_has_its_axes_title_and_reading_aid(chart: go.Figure) -> None:
    assert chart.layout.meta["title"] == "Prediction"
    assert chart.layout.meta["aid"]
    lowest = max(axis for axis in chart.layout if axis.startswith("xaxis"))
    assert chart.layout[lowest].title.text and chart.layout.yaxis.title.text
    chart.to_json()


def test_classes_that_a_file_names_are_text_in_every_picture() -> None:
    names = ["<b>no</b>", '<a href="https://example.org">yes</a>']
    probe = {"time": np.arange(3), "input": np.arange(3.0), "true": np.array([0.0, 1.0])}
    one = charts.sequences([probe, probe], names, ["value"])
    other = predicted("classification", classes=tuple(names))
    shown = [*(each.text for each in one.layout.annotations), *other.data[1].y]
    assert len(shown) == 4
    assert not [text for text in shown if "<" in text]


def test_gates_are_drawn_on_the_sequential_scale_and_states_on_the_diverging_one() -> None:
    for cell in CELLS.values():
        for name, chart in CHARTS["gates"].figures(Subject(signals=cell.signals)).items():
            (trace,) = chart.data
            gate = name in ("reset", "update", "input", "forget", "output")
            scale = go.Heatmap(colorscale=SEQUENTIAL if gate else DIVERGING).colorscale
            assert (trace.colorscale, trace.zmin) == (scale, 0 if gate else -trace.zmax)


def test_units_count_from_the_bottom_time_from_the_left_and_an_image_from_the_top() -> None:
    gates = heat_map().layout
    assert [axis.autorange for axis in (gates.xaxis, gates.yaxis)] == [None, None]
    assert [axis.range for axis in (gates.xaxis, gates.yaxis)] == [None, None]
    image = predicted("classification", "12345678", classes=("a",)).layout
    assert (image.xaxis.autorange, image.yaxis.autorange) == (None, "reversed")
    labels = predicted("labelling", "wxyz", classes=("even", "odd")).layout
    assert (labels.yaxis.range, labels.yaxis2.range) == ((3.5, -0.5), (1.5, -0.5))
    assert [axis.autorange for axis in (labels.xaxis, labels.xaxis2)] == [None, None]
    assert image.yaxis2.autorange == "reversed"  # the classes, downwards


def test_the_gradient_is_drawn_from_the_first_time_step_to_the_last() -> None:
    chart = skeleton("flow")
    assert drawn_from(chart) == [("gradient", {"x": "gradient.time", "y": "gradient.norm"})]
    assert (chart.layout.xaxis.autorange, chart.layout.xaxis.range) == (None, None)
    assert "low at the left: vanishing" in chart.layout.meta["aid"]


def test_what_a_reading_aid_says_of_colours_is_so() -> None:
    marked = predicted("marked")
    assert "blue where marked" in marked.layout.meta["aid"]
    assert [colour == BLUE for _value, colour in marked.data[0].marker.colorscale] == [False, True]
    classes = predicted("classification", classes=("a", "b"))
    assert "the true one green" in classes.layout.meta["aid"]
    assert [colour == GREEN for _value, colour in classes.data[1].marker.colorscale] == [
        False,
        True,
    ]
    probe = {"time": np.arange(3), "input": np.arange(3.0), "mark": np.array([0, 1, 0])}
    few = charts.sequences([probe], [""], ["value"])
    assert "blue where marked" in few.layout.meta["aid"]
    assert [colour == BLUE for colour in few.data[0].marker.color] == [False, True, False]

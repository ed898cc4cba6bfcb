"""Curves: every trace names the columns that it is drawn from, and is drawn from them."""

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from gruviz import charts
from gruviz.charts import CHARTS, Subject, column
from gruviz.charts.curves import PINS, curve

Tables = dict[str, dict[str, np.ndarray]]


def skeleton(name: str, **about: Any) -> go.Figure:
    """The one figure of a chart, for a subject with these parts."""
    return CHARTS[name].draw(Subject(**{"measure": "mean squared error", **about}))


def a_table(names: str, rows: int, generator: np.random.Generator) -> dict[str, np.ndarray]:
    """Columns of random numbers, no two of which are equal."""
    return {name: generator.random(rows) for name in names.split()}


def filled() -> Tables:
    """Every table that a curve may be drawn from."""
    generator = np.random.default_rng(0)
    return {
        "steps": a_table("step loss smooth learning_rate norm clipped clip_norm", 7, generator),
        "pin0": a_table("step smooth norm learning_rate", 6, generator),
        "pin1": a_table("step smooth norm learning_rate", 4, generator),
        "validations": a_table("step loss accuracy", 3, generator),
        "plan": a_table("step learning_rate", 9, generator),
        "next": a_table("step learning_rate", 5, generator),
        "here": a_table("step learning_rate", 1, generator),
    }


def drawn_from(chart: go.Figure) -> list[tuple[str | None, dict[str, str]]]:
    """The name of each trace and the columns that it says it is drawn from."""
    return [(trace.name, trace.meta) for trace in chart.data]


def assert_drawn_from_its_columns(chart: go.Figure, tables: Any) -> None:
    """Each column in a trace's `meta` is there, and the trace brings no data in its place."""
    for trace in chart.data:
        assert set(trace.meta) <= {"x", "y", "z", "color"}
        for what, name in trace.meta.items():
            assert (trace.marker.color if what == "color" else trace[what]) is None
            assert len(column(tables, name)), name


def test_the_loss_is_drawn_raw_smoothed_and_validated() -> None:
    chart = skeleton("loss")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("each step", {"x": "steps.step", "y": "steps.loss"}),
        ("training", {"x": "steps.step", "y": "steps.smooth"}),
        ("validation", {"x": "validations.step", "y": "validations.loss"}),
    ]
    raw, smooth, validation = chart.data
    assert raw.line.width < smooth.line.width and raw.opacity < 1
    assert validation.line.dash == "dash"


def test_the_axis_of_the_loss_is_log_or_linear_and_names_the_measure() -> None:
    log = skeleton("loss", measure="cross-entropy (nats)")
    linear = skeleton("loss", measure="cross-entropy (nats)", log=False)
    assert (log.layout.yaxis.type, linear.layout.yaxis.type) == ("log", None)
    assert log.layout.yaxis.title.text == "cross-entropy (nats)"
    assert log.layout.xaxis.title.text == "step (updates)"


def test_the_gradient_norm_is_drawn_before_clipping_with_its_threshold() -> None:
    chart = skeleton("norm")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("before clipping", {"x": "steps.step", "y": "steps.norm"}),
        ("clipped", {"x": "steps.step", "y": "steps.clipped"}),
        ("clip norm", {"x": "steps.step", "y": "steps.clip_norm"}),
    ]
    before, clipped, threshold = chart.data
    assert (before.mode, clipped.mode, threshold.line.dash) == ("lines", "markers", "dash")
    assert chart.layout.yaxis.type == "log"


def test_the_learning_rate_is_drawn_as_planned_as_used_and_where_the_run_is() -> None:
    chart = skeleton("rate")
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("schedule", {"x": "plan.step", "y": "plan.learning_rate"}),
        ("with the next Train", {"x": "next.step", "y": "next.learning_rate"}),
        ("used", {"x": "steps.step", "y": "steps.learning_rate"}),
        ("you are here", {"x": "here.step", "y": "here.learning_rate"}),
    ]
    assert chart.data[3].mode == "markers"


@pytest.mark.parametrize(
    ("chart", "title"),
    [
        (skeleton("loss"), "Loss"),
        (skeleton("norm"), "Gradient norm"),
        (skeleton("rate"), "Learning rate"),
    ],
)
def test_without_data_a_chart_has_its_axes_title_and_reading_aid(
    chart: go.Figure, title: str
) -> None:
    assert all(trace.x is trace.y is None for trace in chart.data)
    assert chart.layout.meta["title"] == title
    assert chart.layout.meta["aid"]
    assert chart.layout.xaxis.title.text and chart.layout.yaxis.title.text
    assert chart.layout.uirevision == "keep"


def test_a_column_is_found_by_table_and_name_or_is_empty() -> None:
    tables = filled()
    assert column(tables, "steps.loss") is tables["steps"]["loss"]
    assert column(tables, "steps.absent").tolist() == []
    assert column(tables, "absent.loss").tolist() == []


def test_a_curve_carries_its_style() -> None:
    line = curve("here.step", "plan.step", "name", mode="markers")
    assert (line.name, line.mode, line.meta) == (
        "name",
        "markers",
        {"x": "here.step", "y": "plan.step"},
    )


@pytest.mark.parametrize(
    ("name", "y"), [("loss", "smooth"), ("norm", "norm"), ("rate", "learning_rate")]
)
def test_pinned_runs_lie_behind_the_current_one_each_in_a_style_of_its_own(
    name: str, y: str
) -> None:
    chart, alone = skeleton(name, pinned=("first", "<b>second")), skeleton(name)
    assert_drawn_from_its_columns(chart, filled())
    assert drawn_from(chart) == [
        ("first", {"x": "pin0.step", "y": f"pin0.{y}"}),
        ("&lt;b&gt;second", {"x": "pin1.step", "y": f"pin1.{y}"}),
        *drawn_from(alone),
    ]
    assert [(t.line.color, t.line.dash) for t in chart.data[:2]] == list(PINS[:2])


def test_six_pins_have_six_dashes_and_colours_that_no_current_curve_has() -> None:
    own = {
        (trace.line.color, trace.line.dash)
        for chart in (
            skeleton("loss"),
            skeleton("norm"),
            skeleton("rate"),
        )
        for trace in chart.data
    }
    assert len(set(PINS)) == 6
    assert own.isdisjoint(PINS)


def test_a_mark_is_a_vertical_line_with_its_label() -> None:
    marks = charts.marks([(7, "Clip norm 2"), (9, "Learning rate 1")])
    assert [(m["x0"], m["x1"], m["y0"], m["y1"]) for m in marks] == [(7, 7, 0, 1), (9, 9, 0, 1)]
    assert [m["label"]["text"] for m in marks] == ["Clip norm 2", "Learning rate 1"]
    assert {(m["type"], m["xref"], m["yref"]) for m in marks} == {("line", "x", "paper")}
    assert len(skeleton("loss").update_layout(shapes=marks).layout.shapes) == 2
    assert charts.marks([]) == []


def test_lines_known_without_training_lie_across_the_loss_with_their_labels() -> None:
    chart = skeleton("loss", lines=(("guess", 2.5), ("best", 0.125)))
    shapes = chart.layout.shapes
    assert [(s.xref, s.yref, s.x0, s.x1, s.y0, s.y1) for s in shapes] == [
        ("paper", "y", 0, 1, 2.5, 2.5),
        ("paper", "y", 0, 1, 0.125, 0.125),
    ]
    assert [s.label.text for s in shapes] == ["guess: 2.5", "best: 0.125"]
    assert [(s.label.textposition, s.label.yanchor) for s in shapes] == [
        ("end", "top"),
        ("start", "bottom"),
    ]
    dashes = {trace.line.dash for trace in chart.data} | {"dot"}  # dot: the marks
    assert {s.line.dash for s in shapes} == {"dashdot"} and "dashdot" not in dashes
    assert chart.layout.yaxis.autorangeoptions.include < 0.125
    assert "known without training" in chart.layout.meta["aid"]
    assert "known" not in skeleton("loss").layout.meta["aid"]


def test_the_mark_of_a_solved_task_is_for_the_loss_chart_alone() -> None:
    mark = charts.solved(1500)
    assert (mark["x0"], mark["x1"], mark["name"]) == (1500, 1500, "loss")
    assert mark["label"]["text"] == "solved at step 1,500"
    assert "name" not in charts.marks([(1500, "x")])[0]
    assert skeleton("loss").update_layout(shapes=[mark]).layout.shapes[0].name == "loss"

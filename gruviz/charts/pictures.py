"""Pictures of one sequence: what each unit does at each time step, and what the network answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gruviz.charts.curves import column, curve
from gruviz.charts.style import BLUE, GREEN, GREY, RED, figure, plain
from gruviz.words import _

Arrays = Mapping[str, Mapping[str, npt.NDArray[Any]]]

# Diverging, dark at both ends of a light middle, and told apart without red and green.
DIVERGING = [[0, "#b35806"], [0.25, "#fdb863"], [0.5, "#f7f7f7"], [0.75, "#b2abd2"], [1, "#542788"]]
SEQUENTIAL = "Viridis"


def signal(tables: Arrays, name: str, title: str, aid: str, low: float, high: float) -> go.Figure:
    """A heat map, units by time, of one of the cell's signals, on its fixed scale."""
    chart = figure(title, aid, _("time step"), _("hidden unit"), hovermode="closest")
    chart.update_layout(showlegend=False, margin={"l": 52, "r": 8, "t": 6, "b": 42})
    chart.add_trace(
        go.Heatmap(
            z=column(tables, f"signals.{name}") if "signals" in tables else None,
            meta={"z": f"signals.{name}"},
            zmin=low,
            zmax=high,
            zsmooth=False,
            colorscale=SEQUENTIAL if low == 0 else DIVERGING,
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [low, (low + high) / 2, high],
            },
            hovertemplate=_("unit %{y}, time %{x}: %{z:.3f}") + "<extra></extra>",
        )
    )
    return chart


def gradient_through_time(tables: Arrays) -> go.Figure:
    """How much the loss depends on the state at each time step: ‖∂L/∂h_t‖ of the latest batch."""
    chart = figure(
        _("Gradient through time"),
        _(
            "how strongly the loss pulls at the memory of each time step · low at the left: vanishing"
        ),
        _("time step"),
        _("‖∂L/∂h‖ (L2)"),
        log=True,
    )
    chart.update_layout(showlegend=False)
    chart.add_trace(
        curve(
            tables, "gradient.time", "gradient.norm", _("gradient"), mode="lines+markers",
            line={"color": RED, "width": 2}, marker={"size": 4}, hovertemplate="%{y:.3g}",
        )
    )  # fmt: skip
    return chart


def forecast(tables: Arrays, unit: str) -> go.Figure:
    """A held-out window, how it really went on, and how the network says it does."""
    chart = figure(
        _("Prediction"),
        _("a held-out sequence · dashed: what really came next · bold: what the network says"),
        _("time step"),
        plain(unit) or _("value"),
    )
    chart.add_traces(
        [
            curve(
                tables, "probe.time", "probe.input", _("input"), mode="lines",
                line={"color": GREY, "width": 1.8}, hovertemplate="%{y:.4g}",
            ),
            curve(
                tables, "probe.future", "probe.target", _("truth"), mode="lines+markers",
                line={"color": GREEN, "width": 2, "dash": "dash"}, marker={"size": 5},
                hovertemplate="%{y:.4g}",
            ),
            curve(
                tables, "probe.future", "answer.value", _("prediction"), mode="lines+markers",
                line={"color": RED, "width": 2.5}, marker={"size": 5, "symbol": "square"},
                hovertemplate="%{y:.4g}",
            ),
        ]
    )  # fmt: skip
    return chart


def regression(tables: Arrays) -> go.Figure:
    """The inputs of a held-out sequence, the number wanted, and the answer after each time step."""
    chart = figure(
        _("Prediction"),
        _(
            "bars: the numbers, blue where marked · dashed: the sum wanted · bold: the answer so far"
        ),
        _("time step"),
        _("value"),
    )
    chart.add_traces(
        [
            go.Bar(
                x=column(tables, "probe.time"), y=column(tables, "probe.input"),
                meta={"x": "probe.time", "y": "probe.input", "color": "probe.mark"},
                marker={
                    "color": column(tables, "probe.mark"), "cmin": 0, "cmax": 1,
                    "colorscale": [[0, "#b9c4d4"], [1, BLUE]], "line": {"width": 0},
                },
                name=_("input"), hovertemplate="%{y:.3f}", showlegend=False,
            ),
            curve(
                tables, "probe.time", "probe.target", _("truth"), mode="lines",
                line={"color": GREEN, "width": 2, "dash": "dash"}, hovertemplate="%{y:.4g}",
            ),
            curve(
                tables, "probe.time", "answer.value", _("answer so far"), mode="lines",
                line={"color": RED, "width": 2.5}, hovertemplate="%{y:.4g}",
            ),
        ]
    )  # fmt: skip
    return chart


def classification(tables: Arrays, classes: Sequence[str], features: int) -> go.Figure:
    """A held-out sequence beside the probability that the network gives to each class."""
    look = figure(
        _("Prediction"),
        _("left: a held-out sequence · right: probability of each class, the true one green"),
        _("time step"),
        _("value") if features == 1 else _("pixel"),
    )
    # The names of the classes stand between the two halves, also in a narrow card.
    room = 0.42 if max(map(len, classes), default=0) > 3 else 0.22
    chart = make_subplots(1, 2, column_widths=[0.5, 0.5], horizontal_spacing=room)
    chart.update_layout(look.layout)
    chart.update_layout(showlegend=False, hovermode="closest")
    if features == 1:
        shape: Any = curve(
            tables, "probe.time", "probe.input", _("input"), mode="lines",
            line={"color": GREY, "width": 2}, hovertemplate="%{y:.3g}",
        )  # fmt: skip
    else:
        shape = go.Heatmap(
            z=column(tables, "probe.image") if "probe" in tables else None,
            meta={"z": "probe.image"}, colorscale="Greys", showscale=False, zmin=0, zmax=1,
            hovertemplate="%{z:.2f}<extra></extra>",
        )  # fmt: skip
    chart.add_trace(shape, row=1, col=1)
    chart.add_trace(
        go.Bar(
            x=column(tables, "answer.value"), y=list(classes), orientation="h",
            meta={"x": "answer.value", "color": "probe.true"},
            marker={
                "color": column(tables, "probe.true"), "cmin": 0, "cmax": 1,
                "colorscale": [[0, "#b9c4d4"], [1, GREEN]], "line": {"width": 0},
            },
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        ),
        row=1, col=2,
    )  # fmt: skip
    chart.update_xaxes(title_text=_("probability"), range=[0, 1], tickformat=".0%", row=1, col=2)
    chart.update_yaxes(autorange="reversed", type="category", tickmode="linear", row=1, col=2)
    if features > 1:
        chart.update_xaxes(title_text=_("pixel"), row=1, col=1)
        chart.update_yaxes(
            title_text=_("time step (row, downwards)"),
            autorange="reversed",
            scaleanchor="x",
            row=1,
            col=1,
        )
    return chart

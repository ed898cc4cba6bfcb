"""Curves over training steps: loss, gradient norm, learning rate."""

from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from gruviz.charts.chart import Lines, Subject
from gruviz.charts.style import AMBER, BLUE, GREEN, GREY, INK, PURPLE, RED, figure, plain
from gruviz.words import _

# Pinned runs in the order of their pins: colour and dash, none of them a style of the run in view.
PINS = (
    (AMBER, "dot"),
    (INK, "dashdot"),
    (GREEN, "longdash"),
    (PURPLE, "dot"),
    (RED, "longdashdot"),
    (BLUE, "dashdot"),
)


# Of the steps that were clipped.
CROSSES = {
    "mode": "markers",
    "marker": {"size": 5, "symbol": "x-thin", "line": {"width": 1.5, "color": PURPLE}},
    "hoverinfo": "skip",
}


def curve(x: str, y: str, name: str, **style: Any) -> go.Scatter:
    """A line or markers over two columns."""
    return go.Scatter(meta={"x": x, "y": y}, name=name, **style)


def line(
    x: str,
    y: str,
    name: str,
    colour: str,
    width: float,
    dash: str | None = None,
    *,
    hover: str | None = "%{y:.4g}",
    mode: str = "lines",
    **style: Any,
) -> go.Scatter:
    """A line over two columns. hover: how the cursor writes a value; None: it doesn't."""
    pen = {"color": colour, "width": width} | ({} if dash is None else {"dash": dash})
    told = {"hoverinfo": "skip"} if hover is None else {"hovertemplate": hover}
    return curve(x, y, name, mode=mode, line=pen, **told, **style)


def over_steps(y: str, name: str, *look: Any, **style: Any) -> go.Scatter:
    """A line over the steps of the run."""
    return line("steps.step", f"steps.{y}", name, *look, **style)


def pins(y: str, pinned: Sequence[str]) -> list[go.Scatter]:
    """The column y of the tables "pin0", "pin1", …, each under the name that its run was given."""
    looks = [PINS[place % len(PINS)] for place in range(len(pinned))]
    return [
        line(f"pin{place}.step", f"pin{place}.{y}", plain(name), colour, 2, dash)
        for place, (name, (colour, dash)) in enumerate(zip(pinned, looks, strict=True))
    ]


def loss(subject: Subject) -> go.Figure:
    """Loss over steps: raw thin, smoothed bold, validation dashed; pinned runs behind.

    Columns: see `gruviz.record`.
    """
    lines = subject.lines
    aid = _("thin: each step · bold: moving average · dashed: validation · lower is better")
    if lines:
        aid += " · " + _("dash and dot: known without training")
    measure = _(subject.measure)
    chart = figure(_("Loss"), aid, _("step (updates)"), measure, log=subject.log)
    chart.add_traces(
        [
            *pins("smooth", subject.pinned),
            over_steps("loss", _("each step"), BLUE, 1, hover=None, opacity=0.45),
            over_steps("smooth", _("training"), BLUE, 2.5),
            line(
                "validations.step",
                "validations.loss",
                _("validation"),
                GREEN,
                2,
                "dash",
                mode="lines+markers",
                marker={"size": 5, "symbol": "diamond"},
            ),
        ]
    )
    if lines:
        chart.update_layout(shapes=_levels(lines))
        # Room for the label below the lowest of them.
        chart.update_yaxes(autorangeoptions_include=min(value for _label, value in lines) / 1.15)
    return chart


def _levels(lines: Lines) -> list[dict[str, Any]]:
    """A horizontal line for each value, with its label below its right end: curves come from above.

    The lowest of several has it above its left end, for there is no room below it.
    In the data's own coordinates, so that Plotly makes room for them on the axis of the loss.
    """
    low = min(value for _label, value in lines)
    above = {"textposition": "start", "yanchor": "bottom"}
    below = {"textposition": "end", "yanchor": "top"}
    return [
        {
            "type": "line",
            "xref": "paper",
            "yref": "y",
            "x0": 0,
            "x1": 1,
            "y0": value,
            "y1": value,
            "line": {"color": GREY, "width": 1.5, "dash": "dashdot"},
            "label": {
                "text": f"{label}: {value:.4g}",
                "font": {"size": 11, "color": GREY},
                **(above if value == low and len(lines) > 1 else below),
            },
        }
        for label, value in lines
    ]


def gradient_norm(subject: Subject) -> go.Figure:
    """Length of the gradient before clipping; the threshold; the steps that were clipped."""
    chart = figure(
        _("Gradient norm"),
        _("before clipping, log scale · dashed: clip norm · crosses: clipped steps"),
        _("step (updates)"),
        _("‖gradient‖ (L2)"),
        log=True,
    )
    chart.add_traces(
        [
            *pins("norm", subject.pinned),
            over_steps("norm", _("before clipping"), RED, 1.3),
            curve("steps.step", "steps.clipped", _("clipped"), **CROSSES),
            over_steps("clip_norm", _("clip norm"), GREY, 2, "dash", line_shape="hv"),
        ]
    )
    return chart


def learning_rate(subject: Subject) -> go.Figure:
    """The schedule from the first step to the last, what was used so far, and where the run is."""
    chart = figure(
        _("Learning rate"),
        _("dashed: the schedule to come · bold: used so far · dot: you are here"),
        _("step (updates)"),
        _("learning rate"),
    )
    chart.update_yaxes(rangemode="tozero", exponentformat="power")
    dot = {"color": PURPLE, "size": 12, "line": {"width": 2, "color": "white"}}
    plan, wanted, hover = _("schedule"), _("with the next Train"), "%{y:.3g}"
    chart.add_traces(
        [
            *pins("learning_rate", subject.pinned),
            line("plan.step", "plan.learning_rate", plan, GREY, 2, "dash", hover=hover),
            line("next.step", "next.learning_rate", wanted, BLUE, 2, "dot", hover=hover),
            over_steps("learning_rate", _("used"), PURPLE, 2.5, hover=hover),
            curve(
                "here.step",
                "here.learning_rate",
                _("you are here"),
                mode="markers",
                marker=dot,
                cliponaxis=False,
                hovertemplate=hover,
            ),
        ]
    )
    return chart


def marks(changes: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """A vertical dotted line with a label where a live knob was turned: (step, label)."""
    return [
        {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": step,
            "x1": step,
            "y0": 0,
            "y1": 1,
            "line": {"color": GREY, "width": 1.5, "dash": "dot"},
            "label": {
                "text": label,
                "textposition": "end",
                "textangle": -90,
                "xanchor": "right",
                "font": {"size": 11, "color": GREY},
            },
        }
        for step, label in changes
    ]


def solved(step: int) -> dict[str, Any]:
    """A vertical line at the step from which on a task counts as solved, in the loss chart alone."""
    (mark,) = marks([(step, _("solved at step {step:,}").format(step=step))])
    mark["line"] = {"color": GREEN, "width": 2, "dash": "solid"}
    mark["label"]["font"]["color"] = GREEN
    return {**mark, "name": "loss"}

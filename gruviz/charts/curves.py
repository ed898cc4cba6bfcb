"""Curves over training steps: loss, gradient norm, learning rate."""

from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from gruviz.charts.chart import Lines, Subject
from gruviz.charts.style import AMBER, BLUE, GREEN, GREY, INK, PURPLE, RED, figure, plain
from gruviz.words import _

# Pinned runs in the order of their pins: colour and dash, none of them a style of the run in view.
PINS = (
    (AMBER, "dot"), (INK, "dashdot"), (GREEN, "longdash"), (PURPLE, "dot"), (RED, "longdashdot"),
    (BLUE, "dashdot"),
)  # fmt: skip


def curve(x: str, y: str, name: str, **style: Any) -> go.Scatter:
    """A line or markers over two columns."""
    return go.Scatter(meta={"x": x, "y": y}, name=name, **style)


def pins(y: str, pinned: Sequence[str]) -> list[go.Scatter]:
    """The column y of the tables "pin0", "pin1", …, each under the name that its run was given."""
    return [
        curve(
            f"pin{place}.step", f"pin{place}.{y}", plain(name), mode="lines",
            line={"color": colour, "dash": dash, "width": 2}, hovertemplate="%{y:.4g}",
        )
        for place, name in enumerate(pinned)
        for colour, dash in [PINS[place % len(PINS)]]
    ]  # fmt: skip


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
            curve(
                "steps.step", "steps.loss", _("each step"), mode="lines", opacity=0.45,
                line={"color": BLUE, "width": 1}, hoverinfo="skip",
            ),
            curve(
                "steps.step", "steps.smooth", _("training"), mode="lines",
                line={"color": BLUE, "width": 2.5}, hovertemplate="%{y:.4g}",
            ),
            curve(
                "validations.step", "validations.loss", _("validation"),
                mode="lines+markers", line={"color": GREEN, "width": 2, "dash": "dash"},
                marker={"size": 5, "symbol": "diamond"}, hovertemplate="%{y:.4g}",
            ),
        ]
    )  # fmt: skip
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
            "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": value, "y1": value,
            "line": {"color": GREY, "width": 1.5, "dash": "dashdot"},
            "label": {
                "text": f"{label}: {value:.4g}", "font": {"size": 11, "color": GREY},
                **(above if value == low and len(lines) > 1 else below),
            },
        }
        for label, value in lines
    ]  # fmt: skip


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
            curve(
                "steps.step", "steps.norm", _("before clipping"), mode="lines",
                line={"color": RED, "width": 1.3}, hovertemplate="%{y:.4g}",
            ),
            curve(
                "steps.step", "steps.clipped", _("clipped"), mode="markers",
                marker={"size": 5, "symbol": "x-thin", "line": {"width": 1.5, "color": PURPLE}},
                hoverinfo="skip",
            ),
            curve(
                "steps.step", "steps.clip_norm", _("clip norm"), mode="lines",
                line={"color": GREY, "width": 2, "dash": "dash", "shape": "hv"},
                hovertemplate="%{y:.4g}",
            ),
        ]
    )  # fmt: skip
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
    chart.add_traces(
        [
            *pins("learning_rate", subject.pinned),
            curve(
                "plan.step", "plan.learning_rate", _("schedule"), mode="lines",
                line={"color": GREY, "width": 2, "dash": "dash"}, hovertemplate="%{y:.3g}",
            ),
            curve(
                "next.step", "next.learning_rate", _("with the next Train"), mode="lines",
                line={"color": BLUE, "width": 2, "dash": "dot"}, hovertemplate="%{y:.3g}",
            ),
            curve(
                "steps.step", "steps.learning_rate", _("used"), mode="lines",
                line={"color": PURPLE, "width": 2.5}, hovertemplate="%{y:.3g}",
            ),
            curve(
                "here.step", "here.learning_rate", _("you are here"), mode="markers",
                marker={"color": PURPLE, "size": 12, "line": {"width": 2, "color": "white"}},
                cliponaxis=False, hovertemplate="%{y:.3g}",
            ),
        ]
    )  # fmt: skip
    return chart


def marks(changes: Iterable[tuple[int, str]]) -> list[dict[str, Any]]:
    """A vertical dotted line with a label where a live knob was turned: (step, label)."""
    return [
        {
            "type": "line", "xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1,
            "line": {"color": GREY, "width": 1.5, "dash": "dot"},
            "label": {
                "text": label, "textposition": "end", "textangle": -90, "xanchor": "right",
                "font": {"size": 11, "color": GREY},
            },
        }
        for step, label in changes
    ]  # fmt: skip


def solved(step: int) -> dict[str, Any]:
    """A vertical line at the step from which on a task counts as solved, in the loss chart alone."""
    (mark,) = marks([(step, _("solved at step {step:,}").format(step=step))])
    mark["line"] = {"color": GREEN, "width": 2, "dash": "solid"}
    mark["label"]["font"]["color"] = GREEN
    return {**mark, "name": "loss"}

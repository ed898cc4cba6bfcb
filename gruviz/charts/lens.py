"""The clip lens: loss, gradient norm, clipping and the effective step over one axis of steps."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gruviz.charts.chart import Floats, Subject
from gruviz.charts.curves import CROSSES, curve, over_steps
from gruviz.charts.style import BLUE, GREEN, GREY, LOG_TICKS, PURPLE, RED, figure
from gruviz.words import _

SHARE_WINDOW = 100

# The rows from top to bottom: where each begins and ends, as shares of the height.
ROWS = {"y": (0.70, 1.0), "y2": (0.37, 0.66), "y3": (0.19, 0.33), "y4": (0.0, 0.15)}


def clip_lens(subject: Subject) -> go.Figure:
    """Four rows on one axis of steps and with one cursor, so that a spike, the clip and the loss
    line up. Columns: "clipped", "clipped_share" and "effective_step" are this module's and curves'.
    """
    chart = figure(
        _("Clip lens"),
        _(
            "one cursor through all rows: a spike of the norm, the clip that shortens the step, and"
            " what the loss makes of it · clipped: share of the last {count} steps"
        ).format(count=SHARE_WINDOW),
        _("step (updates)"),
        _(subject.measure),
        log=subject.log,
    )
    titles = {"y2": _("‖gradient‖ (L2)"), "y3": _("clipped (%)"), "y4": _("effective step")}
    look = chart.layout.yaxis.to_plotly_json()
    for name, text in titles.items():
        kind = {"type": "linear"} if name == "y3" else {"type": "log", **LOG_TICKS}
        chart.layout[name.replace("y", "yaxis")] = {
            **look,
            **kind,
            "title": {**look["title"], "text": text},
        }
    for name, domain in ROWS.items():
        chart.layout[name.replace("y", "yaxis")].update(anchor="x", domain=domain)
    chart.layout.yaxis3.update(range=[-4, 104], tickvals=[0, 50, 100])
    chart.layout.xaxis.update(
        anchor="y4",
        showspikes=True,
        spikemode="across",
        spikesnap="cursor",
        spikethickness=1,
        spikecolor=GREY,
        spikedash="dot",
        rangemode="nonnegative",
    )
    # At the left the legend is out of the way of Plotly's buttons.
    chart.update_layout(hoversubplots="axis", margin={"l": 68}, legend={"x": 0, "xanchor": "left"})
    hover = "%{y:.3g}"
    chart.add_traces(
        [
            _row("y", "loss", _("loss"), BLUE, 1, opacity=0.45, showlegend=False),
            _row("y", "smooth", _("loss, moving average"), BLUE, 2.5, hover=None),
            _row("y2", "clipped_norm", _("norm after clipping"), BLUE, 3.5, opacity=0.5),
            _row("y2", "norm", _("norm before clipping"), RED, 1.3),
            curve("steps.step", "steps.clipped", _("clipped step"), **CROSSES, **_on("y2")),
            _row("y2", "clip_norm", _("clip norm"), GREY, 2, "dash", line_shape="hv"),
            _row(
                "y3",
                "clipped_share",
                _("share clipped"),
                PURPLE,
                2,
                hover="%{y:.0f} %",
                showlegend=False,
            ),
            _row("y4", "learning_rate", _("learning rate"), GREY, 2, "dash", hover=hover),
            _row("y4", "effective_step", _("effective step"), GREEN, 1.5, hover=hover),
        ]
    )
    return chart


def _row(axis: str, name: str, label: str, *look: Any, **style: Any) -> go.Scatter:
    return over_steps(name, label, *look, **_on(axis), **style)


def _on(axis: str) -> dict[str, str]:
    return {"xaxis": "x", "yaxis": axis}


def clipped(norm: Floats, after: Floats) -> Floats:
    """The norm where clipping left less of it, else NaN: the column behind the crosses."""
    with np.errstate(invalid="ignore"):
        return np.where(norm > after, norm, math.nan)


def clipped_share(norm: Floats, after: Floats) -> Floats:
    """Per cent of clipped steps among the last SHARE_WINDOW, or among all while there are fewer.

    The norm before and after clipping, of every step so far; or with SHARE_WINDOW - 1 steps in
    front of those that are wanted.
    """
    with np.errstate(invalid="ignore"):
        count = np.concatenate([[0], np.cumsum(norm > after)])
    end = np.arange(1, len(norm) + 1)
    start = np.maximum(end - SHARE_WINDOW, 0)
    share: Floats = 100.0 * (count[end] - count[start]) / (end - start)
    return share


def effective_step(rate: Floats, norm: Floats, after: Floats) -> Floats:
    """lr · min(1, c/‖g‖): the rate that would take the same step along the unclipped gradient.

    From the norm before and after clipping; NaN where the norm is. Pascanu et al. 2013 (arXiv
    1211.5063), section 3.2: clipping is a learning rate that adapts to the norm.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return rate * np.where(norm > after, after / norm, np.where(np.isnan(norm), norm, 1.0))

"""What the optimizer does to each block of weights: W_ir and its like, biases, head.

The gate decides the colour, input or recurrent the dash. Columns: "blocks.gradient.W_ir" and so on.
"""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from gruviz.charts.chart import Subject
from gruviz.charts.curves import curve
from gruviz.charts.style import AMBER, BLUE, GREEN, GREY, INK, PURPLE, RED, figure
from gruviz.words import _

# log10 of the update-to-weight ratio. Karpathy, CS231n, "Neural Networks Part 3: Learning and
# Evaluation", section "Ratio of weights:updates": "somewhere around 1e-3".
HEALTHY = (-3.5, -2.5)

GATES = {
    "r": BLUE,
    "z": RED,
    "n": GREEN,  # GRU
    "i": BLUE,
    "f": RED,
    "g": GREEN,
    "o": PURPLE,  # LSTM
    "h": BLUE,  # plain RNN
}


def block_gradients(subject: Subject) -> go.Figure:
    """The gradient's norm in each block, before clipping."""
    chart = figure(
        _("Gradient norm per block"),
        _("colour: gate · dotted: from the input · solid: from the old state · log scale"),
        _("step (updates)"),
        _("‖gradient‖ (L2)"),
        log=True,
    )
    return _drawn(chart, "gradient", subject.blocks, "%{y:.3g}")


def block_updates(subject: Subject) -> go.Figure:
    """The size of each block's update beside that of its weights, and the healthy band."""
    chart = figure(
        _("Update-to-weight ratio"),
        _(
            "shaded: healthy, about 1/1000 (Karpathy, CS231n) · above: steps too large · below: hardly"
            " moving"
        ),
        _("step (updates)"),
        _("log₁₀ ‖Δw‖ / ‖w‖"),
    )
    low, high = HEALTHY
    chart.add_shape(
        type="rect",
        xref="paper",
        x0=0,
        x1=1,
        yref="y",
        y0=low,
        y1=high,
        layer="below",
        fillcolor="rgba(0,143,104,0.15)",
        line={"width": 0},
    )
    return _drawn(chart, "update", subject.blocks, "%{y:.2f}")


def block_moments(subject: Subject) -> go.Figure:
    """Root mean square of the second moment: adaptive optimizers divide the step by its root."""
    chart = figure(
        _("Second moment per block"),
        _("running mean (or sum) of squared gradients: adaptive optimizers divide by its root"),
        _("step (updates)"),
        _("second moment (RMS)"),
        log=True,
    )
    words = {"empty": _("This optimizer keeps no second moment.<br>Choose Adam or RMSprop.")}
    chart.layout.meta = {**chart.layout.meta, **words}
    return _drawn(chart, "moment", subject.blocks, "%{y:.3g}")


def _drawn(chart: go.Figure, what: str, blocks: Sequence[str], hover: str) -> go.Figure:
    for block in blocks:
        style = {"mode": "lines", "hovertemplate": hover, **_style(block)}
        chart.add_trace(curve("blocks.step", f"blocks.{what}.{block}", label(block), **style))
    return chart


def label(block: str) -> str:
    """A block's name for a legend: matrices as in the equations, the rest in words."""
    if block.startswith("W_"):
        return f"W<sub>{block.removeprefix('W_')}</sub>"
    return {"biases": _("biases"), "head": _("head"), "decay": _("decay")}[block]


def _style(block: str) -> dict[str, Any]:
    """Colour, dash, and the symbol that stands for the line while there is only one point."""
    if block == "biases":
        colour, dash, symbol = AMBER, "dashdot", "diamond"
    elif block == "head":
        colour, dash, symbol = INK, "dash", "square"
    elif block.startswith("W_i"):
        colour, dash, symbol = GATES.get(block[-1], GREY), "dot", "circle-open"
    else:
        colour, dash, symbol = GATES.get(block[-1], GREY), "solid", "circle"
    return {"line": {"color": colour, "dash": dash, "width": 1.8}, "marker": {"symbol": symbol}}

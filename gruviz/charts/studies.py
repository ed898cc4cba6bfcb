"""Still pictures of what studies found: the range test, sharpness over steps, the loss surface."""

from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from gruviz.charts.chart import Floats
from gruviz.charts.style import BLUE, GREEN, GREY, LOG_TICKS, PURPLE, RED, figure
from gruviz.words import _

MOST_LEVELS = 18


def range_test(
    rates: Floats,
    low: Floats,
    mean: Floats,
    high: Floats,
    measure: str,
    suggestion: float | None = None,
) -> go.Figure:
    """The loss against the learning rate: the mean of the seeds in the band between their extremes.

    rates, low, mean, high: (steps,), NaN where nothing is known; measure: the loss with its unit.
    """
    chart = figure(
        _("Learning-rate range test"),
        _(
            "bold: mean of the seeds · band: from the best to the worst · choose where it falls steeply"
        ),
        _("learning rate (per update)"),
        measure,
        log=True,
    )
    chart.update_xaxes(type="log", **LOG_TICKS)
    there = np.isfinite(mean)
    x, low, mean, high = rates[there], low[there], mean[there], high[there]
    chart.add_traces(
        [
            go.Scatter(
                x=np.concatenate([x, x[::-1]]),
                y=np.concatenate([high, low[::-1]]),
                name=_("best to worst seed"),
                mode="lines",
                fill="toself",
                fillcolor="rgba(0,114,178,0.2)",
                hoverinfo="skip",
                line={"color": BLUE, "width": 0.5, "dash": "dot"},
            ),
            go.Scatter(
                x=x,
                y=mean,
                name=_("mean"),
                mode="lines",
                hovertemplate="%{y:.4g}",
                line={"color": BLUE, "width": 2.5},
            ),
        ]
    )
    if suggestion is not None and len(x):
        at = int(np.abs(np.log(x) - np.log(suggestion)).argmin())
        chart.add_trace(
            go.Scatter(
                x=[suggestion],
                y=[mean[at]],
                name=_("suggestion"),
                mode="markers",
                marker={"color": RED, "size": 12, "symbol": "diamond"},
                hovertemplate=_("learning rate %{x:.2g}") + "<extra></extra>",
            )
        )
        # On a log axis a shape stands at the number, its label at the number's logarithm.
        chart.add_vline(suggestion, line={"color": RED, "width": 2, "dash": "dash"})
        chart.add_annotation(
            x=float(np.log10(suggestion)),
            y=1,
            yref="paper",
            xanchor="right",
            yanchor="top",
            showarrow=False,
            font={"color": RED},
            xshift=-4,
            text=_("suggested {rate:.2g}").format(rate=suggestion),
        )
    return chart


def sharpness(steps: Floats, values: Floats, limits: Floats) -> go.Figure:
    """The largest Hessian eigenvalue over training steps beside 2 / learning rate.

    steps, values, limits: (points,), NaN: not known yet. The axis is logarithmic unless a value is
    not above zero.
    """
    known = np.isfinite(values)
    log = not (values[known] <= 0).any()
    chart = figure(
        _("Sharpness"),
        _("above the dashed line plain gradient descent can't settle: each step overshoots more"),
        _("step (updates)"),
        _("largest Hessian eigenvalue"),
        log=log,
    )
    chart.add_traces(
        [
            go.Scatter(
                x=steps[known],
                y=values[known],
                name=_("sharpness"),
                mode="lines+markers",
                line={"color": PURPLE, "width": 2.5},
                marker={"size": 7, "symbol": "circle"},
                hovertemplate="%{y:.4g}",
            ),
            go.Scatter(
                x=steps,
                y=limits,
                name=_("2 / learning rate"),
                mode="lines" if len(steps) > 1 else "markers",
                line={"color": GREY, "width": 2, "dash": "dash"},
                marker={"symbol": "line-ew", "size": 40, "line": {"width": 2, "color": GREY}},
                hovertemplate="%{y:.4g}",
            ),
        ]
    )
    return chart


def surface(
    across: Floats,
    along: Floats,
    losses: Floats,
    path: Floats,
    steps: npt.NDArray[Any],
    explained: Floats,
    measure: str,
) -> go.Figure:
    """The loss on a plane through weight space, on a log scale, with the path of training on it.

    across: (columns,), along: (rows,), losses: (rows, columns), NaN: not known yet, inf: none.
    path: (points, 2), steps: (points,), explained: (2,) shares of the path's variance.
    """
    chart = figure(
        _("Loss surface"),
        _("dark is low, a line joins equal losses · the path goes from the square to the star"),
        _("first principal direction ({share:.0%} of the path's variance)").format(
            share=explained[0]
        ),
        _("second principal direction ({share:.0%})").format(share=explained[1]),
        hovermode="closest",
    )
    with np.errstate(divide="ignore"):
        z = np.log10(np.where(np.isfinite(losses), losses, np.nan))
    z[~np.isfinite(z)] = np.nan
    colorbar, contours = _scale(z)
    chart.add_traces(
        [
            go.Contour(
                x=across,
                y=along,
                z=z,
                colorscale="Viridis",
                contours=contours,
                autocontour=False,
                line={"width": 0.7, "color": "rgba(255,255,255,0.45)"},
                colorbar={
                    "title": {"text": measure, "side": "right"},
                    "thickness": 10,
                    "outlinewidth": 0,
                    **colorbar,
                },
                customdata=losses,
                connectgaps=False,
                hovertemplate=_("loss %{customdata:.4g}") + "<extra></extra>",
            ),
            go.Scatter(
                x=path[:, 0],
                y=path[:, 1],
                name=_("path"),
                mode="lines+markers",
                line={"color": "white", "width": 2},
                customdata=steps,
                marker={"size": 5, "color": "white", "line": {"width": 1, "color": "black"}},
                hovertemplate=_("step %{customdata}") + "<extra></extra>",
            ),
            *(
                go.Scatter(
                    x=path[[at], 0],
                    y=path[[at], 1],
                    name=name,
                    mode="markers",
                    customdata=steps[[at]],
                    hovertemplate=name + "<extra></extra>",
                    marker={
                        "size": 13,
                        "symbol": symbol,
                        "color": colour,
                        "line": {"width": 1.5, "color": "black"},
                    },
                )
                for at, name, symbol, colour in (
                    (0, _("start (step {step:,})").format(step=int(steps[0])), "square", RED),
                    (-1, _("end (step {step:,})").format(step=int(steps[-1])), "star", GREEN),
                )
            ),
        ]
    )
    chart.update_yaxes(scaleanchor="x", constrain="domain")
    chart.update_xaxes(constrain="domain")
    return chart


def _scale(z: Floats) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ticks of the colour bar, as losses, and the lines of equal loss, for log10 losses."""
    known = z[np.isfinite(z)]
    if not len(known):
        return {}, {}
    low, high = float(known.min()), float(known.max())
    high = max(high, low + 1e-9)
    ticks = np.linspace(low, high, 5)
    colorbar = {"tickvals": ticks, "ticktext": [f"{10**tick:.2g}" for tick in ticks]}
    return colorbar, {"start": low, "end": high, "size": (high - low) / MOST_LEVELS}

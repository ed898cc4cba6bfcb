"""A series from a table: where it is split, what was forecast, and how ways to fill gaps compare."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from gruviz.charts.curves import PINS
from gruviz.charts.style import BLUE, GREEN, GREY, PURPLE, RED, figure, plain
from gruviz.words import _

Floats = npt.NDArray[np.float64]
Axis = npt.NDArray[Any]  # row numbers, or times

MOST_POINTS = 4_000
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
COLOURS = (BLUE, RED, GREEN, PURPLE, GREY, PINS[0][0])


def column(x: Axis, values: Floats, name: str, border: int, x_title: str) -> go.Figure:
    """A column from its first row to its last, gaps left open, with the rows kept for validation.

    x, values: (rows,). Of a long series the extremes of each stretch are drawn.
    """
    chart = figure(
        plain(name),
        _("gaps are missing values · right of the dashed line: kept for validation"),
        x_title,
        plain(name),
    )
    kept = _thinned(values)
    chart.add_trace(
        go.Scatter(
            x=x[kept],
            y=values[kept],
            mode="lines",
            name=plain(name),
            connectgaps=False,
            line={"color": BLUE, "width": 1.3},
            hovertemplate="%{y:.6g}",
            showlegend=False,
        )
    )
    if 0 < border < len(x):
        chart.update_layout(margin={"t": 24, "r": 36})  # room for the word over the line
        chart.add_shape(
            type="line",
            xref="x",
            yref="paper",
            x0=x[border],
            x1=x[border],
            y0=0,
            y1=1,
            line={"color": GREY, "width": 1.5, "dash": "dash"},
        )
        # Not the line's own label: that is cut off where the axis ends.
        chart.add_annotation(
            text=_("validation"),
            x=x[border],
            xref="x",
            xanchor="left",
            y=1,
            yref="paper",
            yanchor="bottom",
            showarrow=False,
            font={"size": 12, "color": GREY},
        )
    return chart


def _thinned(values: Floats) -> npt.NDArray[np.int64]:
    """Rows to draw: of each stretch the least, the greatest, and one that is missing."""
    count = len(values)
    if count <= MOST_POINTS:
        return np.arange(count)
    rows: list[int] = []
    for start, end in zip(*_stretches(count), strict=True):
        part = values[start:end]
        missing = np.isnan(part)
        if missing.any():
            rows.append(int(start + missing.argmax()))
        if not missing.all():
            rows += [int(start + np.nanargmin(part)), int(start + np.nanargmax(part))]
    return np.unique(np.array(rows, dtype=np.int64))


def _stretches(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    borders = np.linspace(0, count, MOST_POINTS // 3 + 1).astype(np.int64)
    return borders[:-1], borders[1:]


def forecasts(
    x: Axis,
    truth: Floats,
    ahead: Axis,
    said: Mapping[str, Floats],
    name: str,
    x_title: str,
    band: tuple[Floats, Floats] | None = None,
) -> go.Figure:
    """What came last, and what each forecaster says of what follows.

    x, truth: (rows,), NaN where missing or not known yet. ahead: (horizon,); said: by name,
    (horizon,). band: lower and upper end, (horizon,), of the first one's prediction interval.
    """
    chart = figure(
        _("Forecast"),
        _("grey: what really happened · each line: what one forecaster says")
        + (" · " + _("band: 80 % of past errors lay within") if band is not None else ""),
        x_title,
        plain(name),
    )
    chart.add_trace(
        go.Scatter(
            x=x,
            y=truth,
            mode="lines+markers",
            name=_("truth"),
            connectgaps=False,
            line={"color": GREY, "width": 2},
            marker={"size": 4},
            hovertemplate="%{y:.6g}",
        )
    )
    if band is not None and np.isfinite(band[0]).all():
        low, high = band
        chart.add_trace(
            go.Scatter(
                x=np.concatenate([ahead, ahead[::-1]]),
                y=np.concatenate([high, low[::-1]]),
                fill="toself",
                mode="lines",
                name=_("80 % interval"),
                hoverinfo="skip",
                line={"width": 0.5, "color": BLUE, "dash": "dot"},
                fillcolor="rgba(0,114,178,0.18)",
            )
        )
    for place, (label, values) in enumerate(said.items()):
        chart.add_trace(
            go.Scatter(
                x=ahead,
                y=values,
                mode="lines+markers",
                name=plain(label),
                line={
                    "color": COLOURS[place % len(COLOURS)],
                    "width": 2.6 if place == 0 else 1.8,
                    "dash": DASHES[place % len(DASHES)],
                },
                marker={"size": 5, "symbol": place},
                hovertemplate="%{y:.6g}",
            )
        )
    return chart


def contest(curves: Mapping[str, tuple[Floats, Floats]], measure: str) -> go.Figure:
    """Validation curves of several experiments: by name, steps and losses, (validations,) each."""
    chart = figure(
        _("Ways to deal with missing values"),
        _(
            "validation loss of each way · lower is better · the same series, split and start for all"
        ),
        _("step (updates)"),
        measure,
        log=True,
    )
    for place, (label, (steps, losses)) in enumerate(curves.items()):
        chart.add_trace(
            go.Scatter(
                x=steps,
                y=losses,
                mode="lines+markers",
                name=plain(label),
                line={
                    "color": COLOURS[place % len(COLOURS)],
                    "width": 2,
                    "dash": DASHES[place % len(DASHES)],
                },
                marker={"size": 5, "symbol": place},
                hovertemplate="%{y:.4g}",
            )
        )
    return chart


def in_words(name: str, values: Floats) -> str:
    """A column in words, for those who don't see it."""
    known = values[np.isfinite(values)]
    if not len(known):
        return _("{name}: no values.").format(name=name)
    return _(
        "{name}: {rows:,} rows, from {low:.4g} to {high:.4g}, mean {mean:.4g}, {missing:,} missing."
    ).format(
        name=name,
        rows=len(values),
        low=known.min(),
        high=known.max(),
        mean=known.mean(),
        missing=len(values) - len(known),
    )


def forecasts_in_words(said: Mapping[str, Floats]) -> str:
    """The first and the last value that each forecaster says."""
    return " ".join(
        _("{name}: {first:.4g} next, {last:.4g} at the horizon's end.").format(
            name=name, first=values[0], last=values[-1]
        )
        for name, values in said.items()
    )


def contest_in_words(curves: Mapping[str, tuple[Floats, Floats]]) -> str:
    """The last validation loss of each experiment."""
    return " ".join(
        _("{name}: validation loss {loss:.4g} after {step:,.0f} steps.").format(
            name=name, loss=losses[-1], step=steps[-1]
        )
        for name, (steps, losses) in curves.items()
        if len(steps)
    )

"""The look all charts share. Colours are Okabe and Ito's, safe for the colour-blind."""

import html
from typing import Any

import plotly.graph_objects as go

BLUE, GREEN, RED, PURPLE, GREY = "#0072b2", "#008f68", "#d55e00", "#a8578a", "#5b6575"
AMBER, INK = "#8a6500", "#1f2937"

# The same hues, light enough for a dark page. The live panel swaps them with the theme, and `on_dark`
# for a still picture.
DARK = {
    BLUE: "#5fb4f2",
    GREEN: "#35cfa5",
    RED: "#ff8f45",
    PURPLE: "#e39fca",
    GREY: "#a3adbd",
    AMBER: "#f0c04a",
    INK: "#e8edf5",
    "#b9c4d4": "#4a566b",
    # A diverging scale turned over: dark in the middle, bright at the ends.
    "#b35806": "#ffb458",
    "#fdb863": "#9a5c1a",
    "#f7f7f7": "#151b27",
    "#b2abd2": "#57478a",
    "#542788": "#bba6ff",
}

LOG_TICKS = {"exponentformat": "power"}


def on_dark(chart: go.Figure) -> go.Figure:
    """The chart in the colours for a dark page."""
    return go.Figure(_swapped(chart.to_dict()))


def _swapped(part: Any) -> Any:
    if isinstance(part, str):
        return DARK.get(part, part)
    if isinstance(part, list | tuple):
        return [_swapped(each) for each in part]
    if isinstance(part, dict):
        return {name: _swapped(each) for name, each in part.items()}
    return part


def plain(text: str) -> str:
    """Text from a file as a title: Plotly would read tags and links in it as markup."""
    return html.escape(text[:60], quote=False)


def figure(
    title: str, aid: str, x_title: str, y_title: str, *, log: bool = False, **layout: Any
) -> go.Figure:
    """An empty figure with titled axes; `layout.meta` carries its title and its reading aid."""
    return go.Figure(
        layout={
            "template": "none",
            "meta": {"title": title, "aid": aid},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"size": 13},
            "margin": {"l": 62, "r": 14, "t": 8, "b": 44},
            "showlegend": True,
            "legend": {
                "orientation": "h",
                "x": 1,
                "xanchor": "right",
                "y": 1,
                "yanchor": "bottom",
                "font": {"size": 12},
                "bgcolor": "rgba(0,0,0,0)",
            },
            "hovermode": "x unified",
            "uirevision": "keep",
            "xaxis": {"title": {"text": x_title, "standoff": 6}, "zeroline": False},
            "yaxis": {
                "title": {"text": y_title, "standoff": 6},
                "zeroline": False,
                **({"type": "log", **LOG_TICKS} if log else {}),
            },
            **layout,
        }
    )

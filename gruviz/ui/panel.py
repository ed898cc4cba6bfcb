"""The live panel: a component that owns its Plotly figures and is fed over its own WebSocket."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import streamlit as st

from gruviz import charts
from gruviz.ui import server
from gruviz.ui.cards import Card
from gruviz.ui.columns import Tables

# Sent again at every run of the page, so it only fetches the real program, which is cached.
LOADER = """
export default (component) => {
  const root = component.parentElement;
  if (!root.firstChild) root.textContent = component.data.words.loading;
  const address = location.origin + component.data.files + "/panel/panel.js";
  const panel = import(address).then((program) => program.show(component));
  return () => panel.then((close) => close());
};
"""

_component = st.components.v2.component("gruviz_panel", js=LOADER, isolate_styles=False)


def panel(
    *,
    token: str | None,
    fresh: bool,
    status: str,
    language: str | None,
    view: str,
    figures: Sequence[tuple[str, str, str]],
    cards: Sequence[Card],
    tables: Tables,
    marks: list[dict[str, Any]],
    alternatives: dict[str, str],
    words: dict[str, str],
    on_attach: Callable[[], None],
    on_advice: Callable[[], None],
) -> None:
    """Show figures and charts of the run with this token, or what is known before there is one.

    view: which of `charts.VIEWS` the cards are of, so that the feed sends what they need.
    fresh: whether a token that the tab kept through a refresh may be offered for `on_attach`.
    """
    _component(
        key="panel",
        data={
            "token": token,
            "fresh": fresh,
            "status": status,
            "language": language or "",
            "view": view,
            "feed": server.FEED,
            "files": server.FILES,
            "figures": [list(row) for row in figures],
            "cards": [_plain(card, charts.VIEWS[view].widths[card.name]) for card in cards],
            "tables": {
                name: {key: _numbers(values) for key, values in columns.items()}
                for name, columns in tables.items()
            },
            "marks": marks,
            "alternatives": alternatives,
            "words": words,
            "dark": charts.DARK,
        },
        on_attach_change=on_attach,
        on_gone_change=lambda: None,  # the page is drawn anew
        on_status_change=lambda: None,
        on_advice_change=on_advice,
    )


def _numbers(values: npt.NDArray[Any]) -> list[Any]:
    """A column as JSON has it, which knows neither NaN nor infinity."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        finite = np.isfinite(values)
        values = values.astype(object)
        values[~finite] = None
    return list(values.tolist())


def _plain(card: Card, width: str) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "aid": card.aid,
        "width": width,
        "charts": card.parts,
    }

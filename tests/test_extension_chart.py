"""A chart is one row: with a column of its own and its words it is a card, fed and described."""

import json

import numpy as np
import plotly.graph_objects as go
import pytest

from gruviz import charts
from gruviz.charts.curves import curve
from gruviz.charts.style import BLUE, GREEN, figure
from gruviz.ui import columns
from gruviz.ui.feed import Viewer
from gruviz.words import _
from tests.page import opened, stepped
from tests.test_columns import trained
from tests.test_feed import START, unpack


def draw(_subject: charts.Subject) -> go.Figure:
    chart = figure(_("Drop"), _("above zero: it learns"), _("step (updates)"), _("loss it lost"))
    smooth, halves = {"color": BLUE}, {"color": GREEN, "dash": "dash"}
    chart.add_trace(curve("steps.step", "steps.drop", _("drop"), mode="lines", line=smooth))
    chart.add_trace(curve("gradient.time", "gradient.half", _("half"), mode="lines", line=halves))
    return chart


def words(tables: charts.Tables, _subject: charts.Subject) -> str:
    drops = charts.column(tables, "steps.drop")
    return _("The loss has lost {drop:.3g}.").format(drop=drops.sum()) if len(drops) else _("None.")


DROP = charts.Chart(
    "drop",
    draw,
    words,
    derived=(
        charts.Derived(
            "steps.drop",
            lambda steps: -np.diff(steps["smooth"], prepend=steps["smooth"][:1]),
            looks_back=1,
        ),
        charts.Derived("gradient.half", lambda gradient: gradient["norm"] / 2),
    ),
)


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(charts.CHARTS, DROP.name, DROP)
    view = charts.View("Drops", {"rate": "half", DROP.name: "half"})
    monkeypatch.setitem(charts.VIEWS, "drops", view)


def test_it_is_a_card_on_the_page() -> None:
    page = opened(link={"view": "drops"})
    stepped(page, 3)
    (panel,) = page.get("bidi_component")
    data = json.loads(panel.proto.json)
    (card,) = [card for card in data["cards"] if card["name"] == "drop"]
    assert (card["title"], card["aid"], card["width"]) == ("Drop", "above zero: it learns", "half")
    (chart,) = card["charts"]
    assert chart["tables"] == {"gradient": "snapshot", "steps": "grows"}
    assert [trace["meta"]["y"] for trace in chart["data"]] == ["steps.drop", "gradient.half"]
    assert data["alternatives"]["drop"].startswith("The loss has lost ")


def test_it_is_fed_from_any_row_on_and_with_the_snapshot() -> None:
    run = trained(steps=9)
    viewer = Viewer(run, "drops")
    header, tables = unpack(viewer.frame(START))
    smooth = run.history.steps["smooth"]
    expected = np.r_[0.0, smooth[:-1] - smooth[1:]]
    np.testing.assert_allclose(tables["steps"]["drop"], expected, rtol=1e-6)
    np.testing.assert_allclose(tables["gradient"]["half"] * 2, tables["gradient"]["norm"])
    assert (header["snapshot"], run.snapshot is None) == (9, False)
    rest = columns.grown_tables(run, {"steps": 4})["steps"]["drop"]
    np.testing.assert_allclose(rest, expected[4:], rtol=1e-12)


def test_it_is_described_as_the_run_goes_on() -> None:
    run = trained(steps=9)
    header, _tables = unpack(Viewer(run, "drops").frame(START))
    smooth = run.history.steps["smooth"]
    assert header["alternatives"]["drop"] == f"The loss has lost {smooth[0] - smooth[-1]:.3g}."

"""A view is one row: the names of its charts, with the width of each."""

import json

import pytest

from gruviz import charts
from gruviz.ui.feed import Viewer
from tests.page import labelled, opened, stepped
from tests.test_columns import trained, with_blocks
from tests.test_feed import START, unpack

MINE = charts.View("Mine", {"flow": "whole", "block-updates": "third", "loss": "half"})


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(charts.VIEWS, "mine", MINE)


def test_it_can_be_picked_and_shows_its_charts_in_order() -> None:
    page = opened()
    assert "Mine" in labelled(page.button_group, "View").options
    labelled(page.button_group, "View").set_value("mine").run()
    assert page.query_params["view"] == "mine"
    stepped(page, 2)
    (panel,) = page.get("bidi_component")
    data = json.loads(panel.proto.json)
    assert {card["name"]: card["width"] for card in data["cards"]} == MINE.widths
    assert [card["name"] for card in data["cards"]] == list(MINE.widths)
    assert set(data["alternatives"]) == set(MINE.widths)


def test_it_is_fed_what_its_charts_need() -> None:
    run = with_blocks(trained())
    header, tables = unpack(Viewer(run, "mine").frame(START))
    drawn = {"steps", "validations", "blocks", "gradient"}
    assert set(tables) >= drawn
    assert set(header["alternatives"]) == set(MINE.widths)
    assert not [text for text in header["alternatives"].values() if "nothing" in text]

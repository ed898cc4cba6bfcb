"""The panel's drawing, function by function: when a chart is drawn anew, and from what."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from gruviz.ui.server import OWN

pytestmark = pytest.mark.browser
HOST = "http://panel.test"


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that holds nothing and may import the panel's modules."""
    made = browser.new_page()

    def answer(route: Route) -> None:
        path = OWN / route.request.url.rpartition("/")[2]
        if path.is_file():
            route.fulfill(path=path, content_type="text/javascript")
        else:
            route.fulfill(body="<title>nothing</title>", content_type="text/html")

    made.route(f"{HOST}/**", answer)
    made.goto(HOST)
    yield made
    made.close()


def key(page: Page, arrivals: dict[str, str | None], **known: Any) -> str:
    """What a chart of these tables remembers of what it was drawn from."""
    known = {"tables": {}, "counts": {"snapshot": -1}, "marks": [], "theme": {}} | known
    traces = [{"meta": {"x": f"{table}.step", "y": f"{table}.value"}} for table in arrivals]
    found: str = page.evaluate(
        "async ([chart, known]) => (await import('/drawing.js')).keyOf(chart, known)",
        [{"traces": traces, "arrivals": arrivals}, known],
    )
    return found


def test_a_chart_is_drawn_anew_when_a_table_of_its_own_has_changed_and_only_then(
    page: Page,
) -> None:
    grown = {"counts": {"news": 3, "snapshot": -1}}
    seen = {"counts": {"snapshot": 7}}
    moved = {"tables": {"dot": {"step": [5], "value": [1]}}}
    brought = {"tables": {"plan": {"step": [], "value": []}}}
    tables: dict[str, str | None] = {
        "news": "grows", "look": "snapshot", "dot": "frame", "plan": None,
    }  # fmt: skip
    changes = dict(zip(tables, (grown, seen, moved, brought), strict=True))
    for table, how in tables.items():
        before = key(page, {table: how})
        again = {name: key(page, {table: how}, **change) for name, change in changes.items()}
        assert {name for name, after in again.items() if after != before} == {table}


def test_only_charts_over_columns_that_grow_are_drawn_anew_for_a_mark(page: Page) -> None:
    marks = [{"x0": 3}]
    for how, drawn in (("grows", True), ("snapshot", False), ("frame", False), (None, False)):
        assert (key(page, {"own": how}, marks=marks) != key(page, {"own": how})) == drawn

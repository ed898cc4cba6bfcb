"""Who a tab is, and what is counted as its work."""

from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from gruviz.ui import visitor as visitor_module


def drawn() -> None:
    import streamlit as st

    from gruviz.ui.visitor import charged, visitor

    @charged()
    def page() -> None:
        end = sum(range(1_000_000))
        st.markdown(f"{visitor()} {end}")
        st.stop()

    page()


@pytest.fixture
def charges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    room = SimpleNamespace(pool=SimpleNamespace(charge=lambda *what: found.append(what)))
    monkeypatch.setattr(visitor_module, "classroom", lambda: room)
    return found


def test_the_time_that_a_page_takes_is_its_own_visitors_though_it_ends_early(
    charges: list[tuple[str, float]],
) -> None:
    tabs = [AppTest.from_function(drawn).run() for _each in range(2)]
    names = [tab.markdown[0].value.split()[0] for tab in tabs]
    assert [visitor for visitor, _seconds in charges] == names
    assert names[0] != names[1]
    assert all(0.001 < seconds < 10 for _visitor, seconds in charges)

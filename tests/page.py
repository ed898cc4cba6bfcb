"""A page of the app without a browser, and what a test looks for on it."""

import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from gruviz.runs import Run, Status, Study, StudyStatus, classroom
from gruviz.ui.session import Session

SECONDS = 60  # that a loaded machine may take

# Each AppTest looks for components in all that is installed, which takes ten times as long as a page.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


def opened(page: str = "app.py", link: dict[str, str] | None = None) -> AppTest:
    """A page as a link opens it."""
    found = AppTest.from_file("../app.py", default_timeout=SECONDS)
    for key, value in (link or {}).items():
        found.query_params[key] = value
    return go(found, page)


def sidebar() -> AppTest:
    """The controls of an experiment alone; what they make is in the session's state as "made"."""

    def alone() -> None:
        import streamlit as st

        from gruviz.ui.controls import controls

        st.session_state["made"] = controls()

    return AppTest.from_function(alone, default_timeout=SECONDS).run()


def go(page: AppTest, to: str) -> AppTest:
    page.switch_page(to).run()
    assert not page.exception
    return page


def button(page: AppTest, label: str) -> Any:
    return next(each for each in page.button if each.label == label)


def pressed(page: AppTest, label: str) -> AppTest:
    button(page, label).click().run()
    assert not page.exception
    return page


def labelled(widgets: Any, label: str) -> Any:
    return next(each for each in widgets if each.label == label)


def mine(page: AppTest) -> Session:
    session: Session = page.session_state["session"]
    return session


def run_of(page: AppTest) -> Run:
    run = mine(page).run
    assert run is not None
    return run


def texts(page: AppTest) -> str:
    """All that is said in words, Markdown's escapes taken away."""
    said = [*page.markdown, *page.caption, *page.warning, *page.error, *page.info]
    return "\n".join(each.value for each in said).replace("\\", "")


def tables_of(page: AppTest) -> list[Any]:
    return [each.value for each in page.dataframe]


def wait_until_settled(run: Run) -> None:
    for _turn in turns():
        run.watch()
        if not run.settling and run.status is not Status.RUNNING:
            return


def wait_for(study: Study[Any]) -> None:
    """Until a study has ended, with its slice."""
    for _turn in turns():
        study.watch()
        if study.status is not StudyStatus.RUNNING and not study._in_flight:
            return


def turns() -> Iterator[None]:
    deadline = time.monotonic() + SECONDS
    while True:
        yield
        assert time.monotonic() < deadline
        time.sleep(0.01)


def stepped(page: AppTest, steps: int = 1) -> Run:
    """Make some updates on the training page, and wait for them."""
    labelled(page.number_input, "Steps at once").set_value(steps)
    pressed(page, "Make these steps")
    run = run_of(page)
    wait_until_settled(run)
    page.run()
    return run


def weights(run: Run) -> dict[str, np.ndarray]:
    assert run.checkpoint is not None
    return {name: array.copy() for name, array in run.checkpoint.arrays.items()}


def close() -> None:
    """End the workers that pages have started."""
    if classroom.cache_info().currsize:
        classroom().close()
        classroom.cache_clear()

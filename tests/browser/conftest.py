"""A real server on a free port and a real Chromium."""

import os
import re
import subprocess
import time
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
    expect,
    sync_playwright,
)

from benchmarks.clients.server import launch
from tests.browser import get_browser
from tests.browser.get_browser import LEFT_OUT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=20_000)  # a loaded machine is slow, not wrong

# Streamlit looks for its server below a page's own address first, where it isn't.
PROBE = re.compile(r"/(Data|Lab|Guide)/_stcore/(health|host-config)$")
VIEW = ViewportSize(width=1440, height=900)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.path.parts:
            item.add_marker("browser")


@dataclass
class Server:
    """A running app: its address, its process, its log."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def start_server(folder: Path) -> Server:
    """Start the app on a free port and wait until it is healthy."""
    url, process, log = launch(folder, {"GRUVIZ_WORKERS": "2"})
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            return Server(url, process, log)
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("server"))
    yield running
    running.process.terminate()
    running.process.wait(20)
    log = running.log.read_text()
    assert "Traceback" not in log, log


# Playwright's event loop runs as long as this lives: not longer than these tests.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = get_browser.browser()
    if path is None:
        if os.environ.get("CI") == "true":  # `make test` has tried to get one
            pytest.fail(LEFT_OUT)
        warnings.warn(pytest.PytestWarning(LEFT_OUT), stacklevel=1)
        pytest.skip(LEFT_OUT)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@dataclass
class Student:
    """A tab of a browser of its own, and everything that went wrong in it."""

    page: Page
    troubles: list[str]

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    @property
    def step(self) -> int:
        text = self.page.locator("[data-figure=step]").inner_text()
        return int(text.split("/")[0].replace(",", ""))

    def wait_for_step(self, least: int) -> None:
        self.page.wait_for_function(
            "least => Number(document.querySelector('[data-figure=step]')?.textContent"
            ".split('/')[0].replaceAll(',', '')) >= least",
            arg=least,
        )

    def wait_for_points(self, least: int) -> None:
        """Until the loss chart itself has drawn at least so many steps."""
        self.page.wait_for_function(
            "least => Number(document.querySelector('.gv-plot[data-chart=loss]')?.dataset.points)"
            " >= least",
            arg=least,
        )

    def go(self, page: str) -> None:
        """To another page by the link at the top of the sidebar."""
        self.page.get_by_role("link", name=page, exact=True).click()
        self.page.wait_for_url(re.compile(rf"/{page}(\?|$)" if page != "Train" else r":\d+/(\?|$)"))

    def rest(self) -> None:
        """Pause: a run goes on for 15 s after its tab was closed, with a core that others need."""
        pause = self.page.get_by_role("button", name="Pause", exact=True)
        if pause.count() and pause.is_enabled():
            with suppress(Error, AssertionError):  # it may just have ended by itself
                pause.click(timeout=1000)
                expect(pause).to_be_disabled(timeout=5000)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.locator(".gv-plot[data-chart=loss] .main-svg").first.wait_for()


def new_context(browser: Browser) -> BrowserContext:
    """A browser profile. Playwright's `wait_for_function` evaluates strings in the page, which the
    page's own policy forbids; test_connections.py looks on with the policy in force."""
    return browser.new_context(viewport=VIEW, bypass_csp=True)


@pytest.fixture(scope="package")
def shared(browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile for most tests: what Chromium has loaded once, it needn't load again."""
    context = new_context(browser)
    yield context
    context.close()


@pytest.fixture
def student(server: Server, shared: BrowserContext) -> Iterator[Student]:
    with tab(shared, server) as made:
        yield made


@contextmanager
def new_student(browser: Browser, server: Server, *, tolerant: bool = False) -> Iterator[Student]:
    """A student with a browser of their own."""
    context = new_context(browser)
    with tab(context, server, tolerant=tolerant) as made:
        yield made
    context.close()


@contextmanager
def tab(context: BrowserContext, server: Server, *, tolerant: bool = False) -> Iterator[Student]:
    """A tab that fails the test for any error in its console or on its page."""
    page = context.new_page()
    troubles: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith((server.url, "data:", "blob:")):
            troubles.append(f"asked another host: {request.url}")

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not PROBE.search(message.location.get("url", "")):
            troubles.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", watch)
    student = Student(page, troubles)
    student.open(server.url)
    yield student
    if not tolerant:
        student.rest()
    exceptions = 0 if tolerant else page.locator("[data-testid=stException]").count()
    page.close()
    assert tolerant or (troubles, exceptions) == ([], 0)

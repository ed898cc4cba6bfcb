"""What a reader sees when connections break, and what the page may load."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit

from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.browser.conftest import VIEW, Server, Student, new_student, tab
from tests.browser.test_live import choose


class Network:
    """A way to a server that can be lost: what is under way then waits, as it does in the air."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.flows = threading.Event()
        self.flows.set()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self.listening.accept()[0]
                far = socket.create_connection(("127.0.0.1", self.port))
                self.ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.flows.wait()
                other.sendall(data)
            self.flows.wait()
            other.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.flows.set()
        for each in (self.listening, *self.ends):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@contextmanager
def network(server: Server) -> Iterator[Network]:
    port = urlsplit(server.url).port
    assert port is not None
    made = Network(port)
    try:
        yield made
    finally:
        made.close()


def test_a_lost_network_is_said_and_the_panel_goes_on_where_it_was(
    browser: Browser, server: Server
) -> None:
    with (
        network(server) as way,
        new_student(browser, replace(server, url=way.url), tolerant=True) as student,
    ):
        lost = student.page.locator(".gv-lost")
        student.press("Train")
        student.wait_for_points(20)
        way.flows.clear()
        expect(lost).to_have_text("Connection lost: what you see may be old. Trying again…")
        stood = student.step
        way.flows.set()
        student.wait_for_step(stood + 20)
        expect(lost).to_have_text("")
        student.wait_for_points(stood + 20)


def test_a_panel_that_is_told_that_its_run_is_gone_asks_no_more_and_calls_the_page(
    student: Student,
) -> None:
    calls: list[str] = []

    def answer(route: WebSocketRoute) -> None:
        calls.append(route.url)
        route.close(code=4404)

    student.page.route_web_socket("**/gruviz/feed?*", answer)
    student.press("Step")
    expect(student.page.locator(".gv-lost")).to_contain_text("no longer on the server")
    # The page has been called: it shows what it knows of the run, which is that it has made a step.
    expect(student.page.get_by_text("Paused at step 1.")).to_be_visible()
    assert len(calls) == 1


def test_a_panel_that_has_to_make_room_says_so_and_asks_no_more(student: Student) -> None:
    calls: list[str] = []

    def answer(route: WebSocketRoute) -> None:
        calls.append(route.url)
        route.close(code=4409)

    student.page.route_web_socket("**/gruviz/feed?*", answer)
    student.press("Step")
    expect(student.page.locator(".gv-lost")).to_contain_text("open in more tabs")
    student.page.wait_for_timeout(1500)
    assert len(calls) == 1


def test_a_full_server_is_asked_again_more_and_more_seldom(student: Student) -> None:
    calls: list[str] = []

    def answer(route: WebSocketRoute) -> None:
        calls.append(route.url)
        if len(calls) < 3:
            route.close(code=4429)
        else:
            route.connect_to_server()

    student.page.route_web_socket("**/gruviz/feed?*", answer)
    student.press("Train")
    expect(student.page.locator(".gv-lost")).to_contain_text("More people are watching")
    student.wait_for_points(10)
    expect(student.page.locator(".gv-lost")).to_have_text("")
    assert len(calls) == 3


def test_a_figures_label_follows_the_task(student: Student) -> None:
    label = student.page.locator(".gv-figure:has([data-figure=solved]) dt")
    expect(label).to_have_text("Solved < 0.034")
    choose(student, "Task", "Adding problem")
    expect(label).to_have_text("Solved < 0.01")


def test_every_page_works_under_its_own_policy(browser: Browser, server: Server) -> None:
    context = browser.new_context(viewport=VIEW)
    with tab(
        context, server
    ) as student:  # which fails for a violation: it is an error in the console
        page = student.page
        student.press("Train")
        expect(page.locator("[data-figure=training-loss]")).not_to_have_text("–")
        student.press("Pause")
        choose(student, "Task", "Your CSV, or a sample")
        student.go("Data")
        expect(page.locator("[data-testid=stDataFrame]").first).to_be_visible()
        student.go("Lab")
        page.get_by_role("button", name="Start").first.click()
        expect(page.locator("[data-testid=stPlotlyChart]").first).to_be_visible()
        student.go("Guide")
        expect(page.get_by_role("heading", name="What is being trained?")).to_be_visible()
    context.close()

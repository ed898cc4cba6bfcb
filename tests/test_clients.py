"""The raw clients against a real server, and what many sessions leave behind there."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.attack.storms import (
    KEEP_MINUTES,
    MOST_GROWTH,
    SESSIONS,
    come_and_go,
)
from benchmarks.clients import UNKNOWN_RUN, Pace, Server, Student, Viewer, multipart, pace
from tests.test_worker import alive

CSV = ("t,x\n" + "".join(f"{t},{t * t % 97}\n" for t in range(120))).encode()
SECONDS = 60.0  # that a loaded machine may take
FORGETFUL = {"GRUVIZ_KEEP_MINUTES": str(KEEP_MINUTES)}
SETTLE_SECONDS = 60 * KEEP_MINUTES + 30.0  # until the last runs are let go of, and memory is back
END_SECONDS = 20.0  # that processes without a server may take to notice
SOON = ("--server.disconnectedSessionTTL", "10")  # instead of the two minutes of a real class


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = asyncio.run(Server.start(tmp_path_factory.mktemp("server"), 1, FORGETFUL))
    yield running
    running.stop()


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not seen():
            await asyncio.sleep(0.02)


def with_tab(
    server: Server, link: dict[str, str], do: Callable[[Student], Coroutine[Any, Any, None]]
) -> None:
    async def act() -> None:
        tab = await Student.open(server.url, link, files=True)
        try:
            await do(tab)
            assert tab.exceptions() == []
        finally:
            await tab.close()

    asyncio.run(act())


def test_a_student_trains_turns_a_knob_and_pauses(server: Server) -> None:
    async def act(tab: Student) -> None:
        assert (tab.token, tab.steps, tab.says()) == (None, 0, [])
        await tab.press("Train")
        await until(lambda: tab.steps > 0)
        assert tab.token is not None and tab.status == "running"
        await tab.set("Learning rate", "0.01")
        before = tab.steps
        await until(lambda: tab.steps > before)
        # In the address it is a turn, at the step that was made when the slice under way was back.
        await tab.rerun()
        assert re.fullmatch(r"steps=100000&at\.\d+=learning_rate(:|%3A)0\.01", tab.link)
        await tab.press("Pause")
        await until(lambda: tab.status == "paused")

    with_tab(server, {"steps": "100000"}, act)


def test_a_link_sets_the_controls_and_what_it_can_not_mean_is_said(server: Server) -> None:
    async def act(tab: Student) -> None:
        assert tab.labelled("Optimizer").what.raw_value == "SGD"
        assert tab.says() == ["The link has an unknown setting 'nonsense'; it is ignored."]

    with_tab(server, {"optimizer": "sgd", "nonsense": "1"}, act)


def test_a_student_uploads_a_table_and_trains_on_it(server: Server) -> None:
    async def act(tab: Student) -> None:
        assert await tab.upload("a.csv", CSV) == 204
        assert "table.column=x" in tab.link
        await tab.press("Train")
        await until(lambda: tab.steps > 0)

    with_tab(server, {"task": "table"}, act)


def test_an_upload_without_the_tabs_own_xsrf_token_is_refused(server: Server) -> None:
    async def act(tab: Student) -> None:
        assert await tab.upload("a.csv", CSV, token="2|0|0|0") == 403
        assert "table.source" not in tab.link

    with_tab(server, {"task": "table"}, act)


def test_a_second_tab_takes_up_the_run_of_a_token(server: Server) -> None:
    async def act(tab: Student) -> None:
        await tab.press("Step")
        await until(lambda: tab.steps == 1)
        other = await Student.open(server.url)
        await other.trigger("attach", tab.token)
        assert other.token == tab.token
        await until(lambda: other.steps == 1)
        await other.close()

    with_tab(server, {}, act)


def test_a_study_is_watched_on_another_page(server: Server) -> None:
    async def act(tab: Student) -> None:
        await tab.go("Lab")
        await tab.press("Start")
        await until(lambda: any(tab.find("plotly_chart")))

    with_tab(server, {"gru.units": "4"}, act)


def test_a_viewer_with_an_unknown_token_is_told_so(server: Server) -> None:
    async def act(tab: Student) -> None:
        viewer = Viewer(server.url, tab.panel["feed"], "x" * 32)
        async with asyncio.timeout(SECONDS):
            await viewer.watch()
        assert viewer.code == UNKNOWN_RUN

    with_tab(server, {}, act)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_server_leaves_no_process_behind(how: signal.Signals, tmp_path: Path) -> None:
    async def act() -> list[int]:
        server = await Server.start(tmp_path, 2)
        try:
            tab = await Student.open(server.url, {"steps": "100000"})
            await tab.press("Train")
            await until(lambda: tab.steps > 0)
            family = server.family()
            assert len(server.workers()) == 2
            os.kill(server.process.pid, how)
            await asyncio.to_thread(server.process.wait, END_SECONDS)
            for _turn in range(int(END_SECONDS / 0.05)):
                if not any(map(alive, family)):
                    break
                await asyncio.sleep(0.05)
            await tab.close()
            return [pid for pid in family if alive(pid)]
        finally:
            server.stop()

    assert asyncio.run(act()) == []


def test_the_waits_at_both_ends_are_gaps_too() -> None:
    viewer = Viewer("", "", "", arrivals=[(0.0, 5), (1.0, 10), (1.5, 20), (4.0, 60)])
    assert pace(viewer, 0.5, 3.5) == Pace((20 - 5) / 3, (0.5, 0.5, 2.0))
    assert pace(viewer, 4.0, 6.0) == Pace(0.0, (2.0,))
    found = Pace(1.0, (*[0.1] * 18, 0.3, 5.0))
    assert (found.median, found.p95, found.longest) == (0.1, 0.3, 5.0)


def test_a_form_holds_one_file_and_a_name_can_not_break_out_of_it() -> None:
    kind, body = multipart('a"\r\nX: y.csv', b"1,2")
    mark = kind.partition("boundary=")[2].encode()
    assert body.split(b"--" + mark)[1] == (
        b'\r\nContent-Disposition: form-data; name="file"; filename="a%22X: y.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\n1,2\r\n"
    )


def test_three_hundred_sessions_leave_little_behind(tmp_path: Path) -> None:
    async def act() -> tuple[float, int]:
        server = await Server.start(tmp_path, 1, FORGETFUL, SOON)
        try:
            _at_once, later = await come_and_go(server, SESSIONS, SETTLE_SECONDS)
            return later, server.tracebacks()
        finally:
            server.stop()

    growth, tracebacks = asyncio.run(act())
    assert growth <= MOST_GROWTH and tracebacks == 0

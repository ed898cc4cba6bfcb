"""What the server does beside running pages."""

import asyncio
import re
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast
from weakref import ref

import pytest
from starlette.responses import Response
from streamlit import net_util
from streamlit.runtime.caching.ttl_cache import TTLCache
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.runtime.websocket_session_manager import WebsocketSessionManager
from streamlit.web import bootstrap

from gruviz.settings import SETTINGS
from gruviz.ui import cards, server
from gruviz.ui.guard import Guard


class Tab:
    session = SimpleNamespace(id="of a closed tab")


def closed_tab(now: Callable[[], float] = time.monotonic) -> tuple[Any, "ref[Tab]"]:
    """A runtime that holds a closed tab, and nothing else does. now: its time is up after a second;
    by a clock that goes on, at once."""
    storage, tab = MemorySessionStorage(), Tab()
    storage._cache = TTLCache(128, ttl=0 if now is time.monotonic else 1, timer=now)
    storage.save(cast(Any, tab))
    manager = WebsocketSessionManager(storage, *cast(Any, (None, None, None)))
    return SimpleNamespace(_session_mgr=manager), ref(tab)


async def until_gone(held: "ref[Tab]") -> None:
    while held() is not None:
        await asyncio.sleep(0)


def test_a_closed_tab_is_let_go_of_although_no_other_comes_or_goes_and_its_memory_goes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.0)
    said: list[str] = []
    room = SimpleNamespace(have_freed=lambda: said.append("freed"))
    monkeypatch.setattr(server, "classroom", lambda: room)
    now = [0.0]
    runtime, held = closed_tab(lambda: now[0])

    async def a_while() -> None:
        sweeping = asyncio.create_task(server._sweep(runtime))
        for _each in range(10):
            await asyncio.sleep(0)
        assert (held() is None, said) == (False, [])
        now[0] = 2.0
        while not said:
            await asyncio.sleep(0)
        sweeping.cancel()

    asyncio.run(asyncio.wait_for(a_while(), 20))
    assert (held(), said) == (None, ["freed"])


def test_a_server_warms_its_workers_sweeps_while_it_is_up_and_closes_its_classroom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runtime, held = closed_tab()
    done: list[str] = []
    room = SimpleNamespace(
        pool=SimpleNamespace(warm=lambda: done.append("warm")), close=lambda: done.append("closed")
    )
    collector = SimpleNamespace(collect=lambda: None, freeze=lambda: done.append("frozen"))
    monkeypatch.setattr(server, "SWEEP_SECONDS", 0.0)
    monkeypatch.setattr(server, "classroom", lambda: room)
    monkeypatch.setattr(server, "get_instance", lambda: runtime)
    monkeypatch.setattr(server, "gc", collector)
    monkeypatch.setattr(cards, "rehearse", lambda: done.append("rehearsed"))

    async def up() -> None:
        async with server.lifespan(cast(Any, None)):
            await until_gone(held)
            assert done == ["warm", "rehearsed", "frozen"]

    asyncio.run(asyncio.wait_for(up(), 20))
    assert done[3:] == ["closed"]


def test_every_connection_passes_the_guard_and_a_panel_asks_in_a_thousand_bytes() -> None:
    (only,) = server.MIDDLEWARE
    guarding: object = only.cls
    assert guarding is Guard
    assert only.kwargs == {"sizes": {server.FEED: 1_000}, "make_room": server.make_room}


def test_a_session_that_only_sends_files_holds_no_more_than_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = MemoryUploadedFileManager("/")
    monkeypatch.setattr(server, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=manager))
    for number in range(5):
        for session in ("mine", "another's"):
            server.make_room(session)
            manager.add_file(session, UploadedFileRec(str(number), "a.csv", "text/csv", b"a\n1\n"))
    assert list(manager.file_storage["mine"]) == ["3", "4"]
    assert list(manager.file_storage["another's"]) == ["3", "4"]


def test_many_sessions_that_only_send_files_are_bounded_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    manager = MemoryUploadedFileManager("/")
    monkeypatch.setattr(server, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=manager))
    monkeypatch.setattr(server, "MOST_WAITING_BYTES", 50)
    for number in range(20):
        server.make_room(str(number))
        manager.add_file(str(number), UploadedFileRec("1", "a.csv", "text/csv", bytes(10)))
    held = [session for session, files in manager.file_storage.items() if files]
    assert held == ["14", "15", "16", "17", "18", "19"]


def test_no_service_is_asked_for_this_machines_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def asked() -> str:
        raise AssertionError("asked")

    monkeypatch.setattr(net_util, "get_external_ip", asked)
    monkeypatch.setattr(net_util, "get_internal_ip", asked)
    bootstrap._print_url(is_running_hello=False)
    assert "URL: http://localhost:" in capsys.readouterr().out


def test_the_modules_of_the_panel_are_served_as_programs_to_be_kept_forever() -> None:
    files = server.LastingFiles(directory=server.OWN)

    def get(name: str) -> Response:
        scope = {"type": "http", "method": "GET", "headers": []}
        return asyncio.run(files.get_response(name, scope))

    modules = [file for file in server.OWN.iterdir() if file.suffix == ".js"]
    named = re.findall(r'from "./(.+)";', "".join(file.read_text("utf-8") for file in modules))
    assert {*named, "panel.js"} == {file.name for file in modules}
    for name in {*named}:  # as "./" names them, they have the same fingerprint in their address
        assert get(name).headers["content-type"].split(";")[0].endswith("/javascript")
        assert get(name).headers["cache-control"] == server.FOREVER


@pytest.mark.parametrize("name", SETTINGS)
def test_a_server_with_nonsense_for_a_setting_does_not_start_and_says_which(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun() -> None:
        raise AssertionError("begun")

    monkeypatch.setenv(name, "1GB")
    monkeypatch.setattr(server, "audience", begun)

    async def start() -> None:
        async with server.lifespan(cast(Any, None)):
            pass

    with pytest.raises(SystemExit, match=f"{name} is '1GB'; set it to a number from"):
        asyncio.run(start())

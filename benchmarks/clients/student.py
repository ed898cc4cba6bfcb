"""A student: one tab on the page, without a browser, which speaks its protocol."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileUploaderState, UploadedFileInfo
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from benchmarks.clients.elements import SETTERS, Shown, data_of
from benchmarks.clients.viewer import Viewer
from benchmarks.clients.wire import PATIENCE, http, multipart, reset, websocket

KEPT_RUNS = 2  # of the page, for which a browser keeps large messages
PANEL = "gruviz_panel"


class Gone(ConnectionError):
    """The server has closed the page's connection."""


class Student:
    """One tab: it opens a page, presses, moves and uploads, and its panel follows its run.

    Raises Gone where the server hangs up, TimeoutError where it doesn't answer for PATIENCE seconds.
    """

    def __init__(self, url: str, cookie: str, connection: ClientConnection, link: str) -> None:
        self.url, self.link = url, link
        self.viewer: Viewer | None = None
        self.session, self.page = "", ""
        self.pages: dict[str, str] = {}  # name to hash
        self._cookie, self._socket = cookie, connection
        self._elements: dict[tuple[int, ...], Shown] = {}
        self._states: dict[str, WidgetState] = {}
        self._kept: dict[str, tuple[int, ForwardMsg]] = {}
        self._files: dict[str, Any] = {}
        self._clocks: dict[str, asyncio.Task[None]] = {}
        self._begun, self._running, self._full = 0, False, 0
        self._news = asyncio.Event()
        self._turn = asyncio.Lock()
        self._reader = asyncio.create_task(self._read())
        self._panel: dict[str, Any] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._teller: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, url: str, link: Mapping[str, str] | str = "", page: str = "", *, files: bool = False
    ) -> "Student":
        """A tab on a link, drawn once. files: fetch the page itself, too, as a browser does."""
        if files:
            await http("GET", url, f"/{page}")
        _status, headers, _body = await http("GET", url, "/_stcore/health")
        cookie = headers.get("set-cookie", "").split(";")[0]
        connection = await websocket(
            url,
            "/_stcore/stream",
            subprotocols=["streamlit", cookie.partition("=")[2] or "none"],
            additional_headers={"Cookie": cookie},
        )
        student = cls(url, cookie, connection, link if isinstance(link, str) else urlencode(link))
        try:
            await student.rerun(page=page)
        except BaseException:
            await student.close()
            raise
        return student

    async def close(self) -> None:
        """Close the tab."""
        await self._leave()
        with suppress(OSError, ConnectionClosed):
            await self._socket.close()
        self._reader.cancel()

    async def vanish(self) -> None:
        """Lose the network: both connections break without a goodbye."""
        if self.viewer is not None:
            self.viewer.vanish()
        await self._leave()
        reset(self._socket)
        self._reader.cancel()

    async def _leave(self) -> None:
        for task in (*self._clocks.values(), *filter(None, [self._watcher, self._teller])):
            task.cancel()
        if self.viewer is not None:
            await self.viewer.close()

    # What it does

    async def rerun(
        self,
        *states: WidgetState,
        fragment: str = "",
        page: str = "",
        wait: bool = True,
        automatic: bool = False,
    ) -> None:
        """Let the page run with these widgets' states, and wait until it has been drawn."""
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.page_script_hash = self.link, self.page
        if page:
            asked.page_script_hash, asked.page_name = self.pages.get(page, ""), page
        asked.fragment_id, asked.is_auto_rerun = fragment, automatic
        asked.context_info.locale, asked.context_info.url = "en-US", f"{self.url}/{page}"
        asked.cached_message_hashes.extend(self._kept)
        asked.widget_states.widgets.extend([*self._states.values(), *states])
        if not wait:
            await self._send(message)
            return
        async with self._turn:
            begun = self._begun
            await self._send(message)
            await self._until(lambda: self._begun > begun and not self._running)
        self._follow()

    async def _send(self, message: BackMsg) -> None:
        try:
            await self._socket.send(message.SerializeToString())
        except ConnectionClosed as error:
            raise Gone(str(error)) from error

    async def _until(self, seen: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not seen():
                if self._reader.done():
                    raise Gone("the page's connection was closed")
                self._news.clear()
                await self._news.wait()

    async def go(self, page: str) -> None:
        """Go to another page, by its name."""
        await self.rerun(page=page)

    async def press(self, label: str, *, wait: bool = True, place: int = 0) -> None:
        """Press a button, by what it says; the place-th, if several say it."""
        shown = [each for each in self.find("button") if each.what.label == label][place]
        state = WidgetState(id=shown.what.id, trigger_value=True)
        await self.rerun(state, fragment=shown.fragment, wait=wait)

    async def set(self, label: str, value: Any, *, wait: bool = True) -> None:
        """Set a slider, field, menu or switch, by its label, to a value or an option's text."""
        shown = self.labelled(label)
        state = WidgetState(id=shown.what.id, **SETTERS[shown.kind](value))
        self._states[shown.what.id] = state
        await self.rerun(fragment=shown.fragment, wait=wait)

    async def upload(self, name: str, content: bytes, *, wait: bool = True, token: str = "") -> int:
        """Upload a file and let the page read it; returns the HTTP status.

        token: another XSRF token than the tab's own.
        """
        request = f"{name[:20]}-{time.monotonic_ns()}"
        message = BackMsg()
        asked = message.file_urls_request
        asked.request_id, asked.session_id = request, self.session
        asked.file_names.append(name)
        await self._send(message)
        await self._until(lambda: request in self._files)
        urls = self._files.pop(request)
        kind, body = multipart(name, content)
        own = self._cookie.partition("=")[2]
        headers = {"Content-Type": kind, "Cookie": self._cookie, "X-Xsrftoken": token or own}
        status, _headers, _body = await http("PUT", self.url, urls.upload_url, headers, body)
        if status < 300:
            shown = next(self.find("file_uploader"))
            info = UploadedFileInfo(
                name=name, size=len(content), file_id=urls.file_id, file_urls=urls
            )
            files = FileUploaderState(uploaded_file_info=[info])
            state = WidgetState(id=shown.what.id, file_uploader_state_value=files)
            self._states[shown.what.id] = state
            await self.rerun(fragment=shown.fragment, wait=wait)
        return status

    async def trigger(self, event: str, value: Any, *, wait: bool = True) -> None:
        """Say something as the panel in the browser does."""
        shown = next(self._panels())
        name = f"$$STREAMLIT_INTERNAL_KEY_{shown.what.id}__events"
        said = json.dumps([{"event": event, "value": value}])
        state = WidgetState(id=name, json_trigger_value=said)
        await self.rerun(state, fragment=shown.fragment, wait=wait)

    # What it sees

    def find(self, kind: str) -> Iterator[Shown]:
        """The elements of a kind, from top to bottom."""
        return (each for _path, each in sorted(self._elements.items()) if each.kind == kind)

    def labelled(self, label: str) -> Shown:
        """The widget with a label. Raises LookupError if there is none."""
        for each in self._elements.values():
            if each.kind in SETTERS and each.what.label == label:
                return each
        raise LookupError(f"no widget {label!r} on the page")

    def says(self) -> list[str]:
        """What the page refuses, warns of or complains of, without Markdown's escapes."""
        return [each.what.body.replace("\\", "") for each in self.find("alert")]

    def exceptions(self) -> list[str]:
        """Errors of the program itself, which a page should never show."""
        return [f"{each.what.type}: {each.what.message}" for each in self.find("exception")]

    @property
    def panel(self) -> dict[str, Any]:
        """What the live panel was told: token, status, figures, cards, feed ...; {} without one."""
        if self._panel is None:
            shown = next(self._panels(), None)
            self._panel = {} if shown is None else json.loads(data_of(shown.what))
        return self._panel

    def _panels(self) -> Iterator[Shown]:
        return (s for s in self.find("bidi_component") if s.what.component_name == PANEL)

    @property
    def token(self) -> str | None:
        """The token of the tab's run."""
        return self.panel.get("token")

    @property
    def status(self) -> str:
        """How the run stands, by the feed if that has said it, else by the page."""
        told = self.viewer.status if self.viewer is not None else ""
        standing: str = told or self.panel.get("status", "")
        return standing.partition(",")[0]  # "paused, turned 2": a knob was turned at two steps

    @property
    def steps(self) -> float:
        """Steps of the run that the feed has told of."""
        return 0.0 if self.viewer is None else self.viewer.step

    # What the browser does by itself

    async def _read(self) -> None:
        try:
            async for raw in self._socket:
                message = ForwardMsg.FromString(raw)
                HANDLERS.get(str(message.WhichOneof("type")), _ignore)(self, message)
        except ConnectionClosed:
            pass
        finally:
            self._news.set()

    def _new_session(self, message: ForwardMsg) -> None:
        told = message.new_session
        self.session = told.initialize.session_id or self.session
        self.page = told.page_script_hash
        self.pages = {
            each.page_name: each.page_script_hash for each in told.app_pages
        } or self.pages
        self._begun, self._running = self._begun + 1, True
        if not message.metadata.run.fragment_ids:
            self._full = self._begun
            self._stop_clocks(list(self._clocks))
        self._news.set()

    def _navigation(self, message: ForwardMsg) -> None:
        told = message.navigation
        self.page = told.page_script_hash
        self.pages = {each.page_name: each.page_script_hash for each in told.app_pages}

    def _script_finished(self, message: ForwardMsg) -> None:
        if message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        fragments = set(message.metadata.run.fragment_ids)
        for path, each in list(self._elements.items()):
            old = each.run < self._begun if each.fragment in fragments else each.run < self._full
            if old:
                del self._elements[path]
        if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
            oldest = self._begun - KEPT_RUNS
            self._kept = {k: each for k, each in self._kept.items() if each[0] > oldest}
        self._running = False
        self._news.set()

    def _delta(self, message: ForwardMsg) -> None:
        if message.metadata.cacheable:
            self._kept[message.hash] = (self._begun, message)
        self._draw(message, tuple(message.metadata.delta_path))

    def _ref_hash(self, message: ForwardMsg) -> None:
        known = self._kept[message.ref_hash][1]
        self._kept[message.ref_hash] = (self._begun, known)
        self._draw(known, tuple(message.metadata.delta_path))

    def _draw(self, message: ForwardMsg, path: tuple[int, ...]) -> None:
        if message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        shown = Shown(element, self._begun, message.delta.fragment_id)
        self._elements[path] = shown
        if shown.kind == "bidi_component":
            self._panel = None
        elif shown.kind in SETTERS and shown.what.set_value:
            self._states.pop(shown.what.id, None)  # the page has set it, and knows to what

    def _page_info_changed(self, message: ForwardMsg) -> None:
        self.link = message.page_info_changed.query_string

    def _file_urls_response(self, message: ForwardMsg) -> None:
        told = message.file_urls_response
        self._files[told.response_id] = told.file_urls[0]
        self._news.set()

    def _auto_rerun(self, message: ForwardMsg) -> None:
        told = message.auto_rerun
        self._stop_clocks([told.fragment_id])
        self._clocks[told.fragment_id] = asyncio.create_task(
            self._tick(told.fragment_id, told.interval)
        )

    def _stop_auto_rerun(self, message: ForwardMsg) -> None:
        self._stop_clocks(list(message.stop_auto_rerun.fragment_ids))

    def _stop_clocks(self, fragments: list[str]) -> None:
        for each in fragments:
            if each in self._clocks:
                self._clocks.pop(each).cancel()

    async def _tick(self, fragment: str, interval: float) -> None:
        with suppress(Gone):
            while True:
                await asyncio.sleep(interval)
                await self.rerun(fragment=fragment, wait=False, automatic=True)

    def _follow(self) -> None:
        """Let the panel look at the run that the page names, as it does after each drawing."""
        token = self.token
        if self.viewer is not None and token == self.viewer.token:
            return
        if self._watcher is not None:
            self._watcher.cancel()
        self.viewer, old = None, self.viewer
        if old is not None:
            old.vanish()
        if token:
            self.viewer = Viewer(self.url, self.panel["feed"], token, on_status=self._on_status)
            self._watcher = asyncio.create_task(self.viewer.watch())

    def _on_status(self, status: str) -> None:
        if status != self.panel.get("status") and not self._running:
            self._teller = asyncio.create_task(self._tell(status))

    async def _tell(self, status: str) -> None:
        with suppress(Gone, TimeoutError, StopIteration, RuntimeError):
            await self.trigger("status", status)


def _ignore(_student: Student, _message: ForwardMsg) -> None:
    """What only a browser has a use for."""


HANDLERS: dict[str, Callable[[Student, ForwardMsg], None]] = {
    name: getattr(Student, f"_{name}")
    for name in (
        "new_session",
        "navigation",
        "script_finished",
        "delta",
        "ref_hash",
        "page_info_changed",
        "file_urls_response",
        "auto_rerun",
        "stop_auto_rerun",
    )
}

"""Hostile peers at real sockets: uvicorn as Streamlit sets it up, the guard, and the feed."""

import asyncio
import contextlib
import json
import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from urllib.request import urlopen

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server.starlette.starlette_server import _get_uvicorn_config_kwargs
from uvicorn.protocols.utils import ClientDisconnected
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from gruviz.runs import Run
from gruviz.ui import audience as audience_module
from gruviz.ui import feed as feed_module
from gruviz.ui import guard
from gruviz.ui.audience import CROWDED, FULL, MOST_OF_A_RUN, Audience
from gruviz.ui.feed import ASK_BYTES, PROTOCOL, UNKNOWN_RUN, feed
from gruviz.ui.guard import Guard
from tests.test_run import OnDemand, a_run

ASK = json.dumps({"steps": 0, "validations": 0, "snapshot": -1})
SECONDS = 20.0  # that a loaded machine may take


async def page(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("a page")


async def talk(websocket: WebSocket) -> None:
    """What Streamlit's own socket does, in short: it takes messages, and sends much."""
    await websocket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await websocket.receive_text()
            for _each in range(200):
                await websocket.send_bytes(bytes(100_000))


class Served:
    """A server in a thread, its port, and how many of its sockets are open."""

    def __init__(self) -> None:
        self.sending: list[str] = []  # sessions that were about to send a file
        app = Starlette(
            routes=[
                Route("/", page),
                Route("/_stcore/metrics", page),
                WebSocketRoute("/feed", feed),
                WebSocketRoute("/talk", talk),
            ],
            middleware=[
                Middleware(Guard, sizes={"/feed": ASK_BYTES}, make_room=self.sending.append)
            ],
        )
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        config = uvicorn.Config(app, log_config=None, **_get_uvicorn_config_kwargs())
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.listening],))
        self.thread.start()
        self.until(lambda: self.server.started)  # before it nothing is open, and nothing is logged

    @property
    def open(self) -> int:
        return len(self.server.server_state.connections)

    @property
    def busy(self) -> int:
        return len(self.server.server_state.tasks)

    def until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + SECONDS
        while not true():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def until_idle(self) -> None:
        self.until(lambda: self.open == 0 and self.busy == 0)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(SECONDS)
        self.listening.close()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Served]:
    monkeypatch.setattr(guard, "UNREAD_SECONDS", 0.2)
    caplog.set_level(logging.INFO)
    made = Served()
    yield made
    made.stop()
    said = [record for when in ("setup", "call") for record in caplog.get_records(when)]
    assert said  # so it would be seen
    assert [each.exc_info for each in said if each.exc_info or each.levelno > logging.INFO] == []


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    executor = OnDemand()
    made = a_run(executor)
    made.train(3)
    executor.do_all()
    found = {made.token: made}
    room = SimpleNamespace(find=found.get, charge=lambda _run, _seconds: None)
    monkeypatch.setattr(feed_module, "classroom", lambda: room)
    seats = Audience(100)
    monkeypatch.setattr(feed_module, "audience", lambda: seats)
    return made


@contextlib.contextmanager
def look(served: Served, token: str, origin: str | None = None) -> Iterator[ClientConnection]:
    """A panel's connection."""
    with connect(
        f"ws://127.0.0.1:{served.port}/feed",
        subprotocols=[Subprotocol(PROTOCOL), Subprotocol(token)],
        origin=None if origin is None else Origin(origin),
    ) as made:
        yield made


def raw(served: Served, path: str, token: str = "guess") -> socket.socket:
    """A socket after its handshake, which nothing but the test reads from or writes to."""
    made = socket.create_connection(("127.0.0.1", served.port), SECONDS)
    made.sendall(
        (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: {PROTOCOL}, {token}\r\n\r\n"
        ).encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += made.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 ")
    return made


def masked(text: str) -> bytes:
    """A text frame as a browser sends it, with a mask of zeros."""
    content = text.encode()
    assert len(content) < 126
    return struct.pack("!BB4x", 0x81, 0x80 | len(content)) + content


def closing(connection: ClientConnection) -> int:
    """The code with which the other side closes."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            connection.recv(SECONDS)
    assert connection.close_code is not None
    return connection.close_code


def test_a_panel_is_answered_and_who_does_not_know_the_token_is_not(
    served: Served, run: Run
) -> None:
    with look(served, run.token) as panel:
        assert panel.subprotocol == PROTOCOL
        panel.send(ASK)
        assert len(panel.recv(SECONDS)) > 100
    with look(served, "guess") as stranger:
        assert closing(stranger) == UNKNOWN_RUN


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://127.0.0.1:{port}.evil", "null", "http://127.0.0.1", "x"],
)
def test_a_page_of_another_site_is_turned_away(served: Served, run: Run, origin: str) -> None:
    own = f"127.0.0.1:{served.port}"
    with (
        pytest.raises(InvalidStatus),
        look(served, run.token, origin.format(port=served.port)),
    ):
        pass
    for scheme in ("http", "https"):  # a proxy may take the TLS off
        with look(served, run.token, f"{scheme}://{own}"):
            pass


@pytest.mark.parametrize("greeted", [False, True])
@pytest.mark.parametrize("path", ["/feed", "/talk"])
def test_a_message_of_150_megabytes_is_ended_when_its_length_is_announced(
    served: Served, run: Run, path: str, greeted: bool
) -> None:
    with raw(served, path, run.token if greeted else "guess") as peer:
        if greeted and path == "/feed":
            peer.sendall(masked(ASK))
        sent = 0
        with contextlib.suppress(OSError):
            peer.sendall(struct.pack("!BBQ4x", 0x81, 0x80 | 127, 150_000_000))
            while sent < 150_000_000:
                peer.sendall(bytes(100_000))
                sent += 100_000
        assert sent < 20_000_000  # what the kernel holds for a peer that is not read
    served.until_idle()


def test_a_panel_may_say_a_thousand_bytes_at_once_and_a_page_a_million(
    served: Served, run: Run
) -> None:
    with look(served, run.token) as panel:
        panel.send(ASK.ljust(1_000))
        assert panel.recv(SECONDS)
        panel.send(ASK.ljust(1_001))
        assert closing(panel) == 1009  # too large
    with connect(f"ws://127.0.0.1:{served.port}/talk") as other:
        other.send("x" * 1_000_001)
        assert closing(other) == 1009


def test_who_does_not_read_is_dropped_with_all_that_waits_for_it(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "pack", lambda *_parts: bytes(8_000_000))
    monkeypatch.setattr(feed_module, "FRAME_BYTES", 10**12)
    with raw(served, "/feed", run.token) as deaf, raw(served, "/talk") as other:
        deaf.sendall(masked(ASK) * 50)
        other.sendall(masked(ASK))
        served.until(lambda: served.busy == 2)
        served.until_idle()


def test_who_never_asks_is_dropped(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "ASK_SECONDS", 0.05)
    with raw(served, "/feed", run.token):
        served.until_idle()


def reset(peer: socket.socket) -> None:
    """Leave without a word: what is under way is answered with a reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def shut(peer: socket.socket) -> None:
    peer.shutdown(socket.SHUT_WR)
    peer.close()


def say_so(peer: socket.socket) -> None:
    """Close with a frame that says it, as a WebSocket should."""
    peer.sendall(struct.pack("!BB4xH", 0x88, 0x82, 1000))
    peer.close()


def break_off(peer: socket.socket) -> None:
    peer.sendall(masked(ASK)[:9])
    reset(peer)


LEAVES: dict[str, Callable[[socket.socket], None]] = {
    "closes": socket.socket.close,
    "resets": reset,
    "ends": shut,
    "says so": say_so,
    "breaks off": break_off,
}


@pytest.mark.parametrize("leaves", LEAVES)
@pytest.mark.parametrize("asks", [0, 1, 30])
def test_a_peer_that_vanishes_leaves_no_trace_in_the_log(
    served: Served, run: Run, leaves: str, asks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "HOLD_SECONDS", 0.1)

    def visit(path: str, token: str) -> None:
        peer = raw(served, path, token)
        peer.sendall(masked(ASK) * asks)
        LEAVES[leaves](peer)

    places = [("/feed", run.token), ("/feed", "guess"), ("/talk", "")] * 5
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(visit, *place) for place in places]:
            done.result()
    served.until_idle()


def test_who_leaves_during_the_handshake_leaves_no_trace(served: Served) -> None:
    for length in (10, 60, 200):
        peer = socket.create_connection(("127.0.0.1", served.port), SECONDS)
        peer.sendall(b"GET /feed HTTP/1.1\r\nUpgrade: websocket\r\nHost: x\r\n\r\n"[:length])
        reset(peer)
    served.until_idle()


def test_the_oldest_of_too_many_that_look_at_a_run_makes_room(served: Served, run: Run) -> None:
    with contextlib.ExitStack() as stack:
        panels = [stack.enter_context(look(served, run.token)) for _ in range(MOST_OF_A_RUN + 1)]
        assert closing(panels[0]) == CROWDED
        for panel in panels[1:]:
            panel.send(ASK)
            assert panel.recv(SECONDS)


def test_no_more_look_on_than_the_server_takes(
    served: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = Audience(2)
    monkeypatch.setattr(feed_module, "audience", lambda: seats)
    with look(served, run.token) as one, look(served, run.token) as two:
        with look(served, run.token) as three:
            assert closing(three) == FULL
        one.close()
        served.until(lambda: seats.count == 1)
        with look(served, run.token) as four:
            four.send(ASK)
            assert four.recv(SECONDS)
        two.close()
    served.until(lambda: seats.count == 0)
    assert seats._of_runs == {}


def test_the_number_of_viewers_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_VIEWERS", "7")
    assert audience_module.audience.__wrapped__().most == 7


def test_every_answer_says_what_a_browser_may_do_with_it(served: Served) -> None:
    with urlopen(f"http://127.0.0.1:{served.port}/", timeout=SECONDS) as answer:
        said = answer.headers
    names = ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy")
    assert [said[name] for name in names] == ["nosniff", "DENY", "no-referrer"]
    policy = dict(each.split(" ", 1) for each in said["Content-Security-Policy"].split("; "))
    scripts = policy.pop("script-src").split()
    assert scripts[:2] == ["'self'", "blob:"]
    assert len(scripts) > 2 and all(each.startswith("'sha256-") for each in scripts[2:])
    assert policy == {
        "default-src": "'self'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'none'",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-src": "'none'",
        "frame-ancestors": "'none'",
    }


def test_the_servers_own_numbers_are_for_nobody(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), SECONDS) as peer:
        peer.sendall(b"GET /_stcore/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert peer.recv(100).startswith(b"HTTP/1.1 404 ")


def test_room_is_made_for_the_session_that_is_about_to_send_a_file(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), SECONDS) as peer:
        peer.sendall(
            b"PUT /_stcore/upload_file/mine/one HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
            b"Connection: close\r\n\r\n"
        )
        peer.recv(100)
    assert served.sending == ["mine"]


def test_who_sends_after_uvicorn_has_closed_by_itself_learns_that_nobody_is_there() -> None:
    learned: list[bool] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        with pytest.raises(ClientDisconnected):
            await send({"type": "websocket.send", "text": "late"})
        learned.append(True)

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def closed(_message: Message) -> None:
        raise RuntimeError("Unexpected ASGI message 'websocket.send', after 'websocket.close'")

    scope = {"type": "websocket", "path": "/talk", "headers": []}
    asyncio.run(Guard(app, {}, lambda _session: None)(scope, receive, closed))
    assert learned == [True]


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://a]b", "null", "x"])
def test_an_origin_that_is_no_address_is_foreign(origin: str) -> None:
    assert guard.foreign(Headers({"origin": origin, "host": "here"}))

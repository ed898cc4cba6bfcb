"""What every connection is held to before Streamlit or the feed sees it: bounds and headers."""

import asyncio
import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.utils import ClientDisconnected

MESSAGE_BYTES = 1_000_000  # that a page's controls may say at once; files come another way
UNREAD_SECONDS = 10.0  # that a peer may leave what it was sent unread
CLOSED = ("/_stcore/metrics",)
UPLOAD = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/[^/]+$")
PAGE = Path(st.__file__).parent / "static" / "index.html"


def _inline_scripts() -> list[str]:
    """The scripts written into Streamlit's own page, as a policy names them: by their hashes."""
    scripts = re.findall(r"<script>(.*?)</script>", PAGE.read_text("utf-8"), re.DOTALL)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


# Streamlit loads a component's program from a blob; it and Plotly write styles as they draw.
POLICY = {
    "default-src": ["'self'"],
    "script-src": ["'self'", "blob:", *_inline_scripts()],
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:", "blob:"],
    "font-src": ["'self'", "data:"],
    "worker-src": ["'none'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-src": ["'none'"],
    "frame-ancestors": ["'none'"],
}
HEADERS = {
    "Content-Security-Policy": "; ".join(" ".join([k, *values]) for k, values in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


class Guard:
    """Middleware around the whole app.

    sizes: the largest message, in bytes, that a WebSocket at a path takes, where it isn't
    MESSAGE_BYTES. make_room: called with a session that is about to send a file.
    """

    def __init__(
        self, app: ASGIApp, sizes: Mapping[str, int], make_room: Callable[[str], None]
    ) -> None:
        self.app = app
        self.sizes = sizes
        self.make_room = make_room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match scope["type"]:
            case "websocket":
                await self._socket(scope, receive, send)
            case "http":
                await self._page(scope, receive, send)
            case _:
                await self.app(scope, receive, send)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        if scope["method"] == "PUT" and (sent := UPLOAD.search(scope["path"])):
            self.make_room(sent["session"])
        if scope["path"].endswith(CLOSED):
            await PlainTextResponse("Not Found", 404)(scope, receive, dressed)
        else:
            await self.app(scope, receive, dressed)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if foreign(Headers(scope=scope)):
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        # uvicorn's protocol, which no ASGI message reaches.
        protocol: Any = getattr(receive, "__self__", None)
        _limit(protocol, self.sizes.get(scope["path"], MESSAGE_BYTES))

        async def patient(message: Message) -> None:
            if hasattr(protocol, "transport") and protocol.transport.is_closing():
                raise ClientDisconnected
            try:
                async with asyncio.timeout(UNREAD_SECONDS):
                    await send(message)
            except TimeoutError:
                _abort(protocol)
                raise ClientDisconnected from None
            except RuntimeError:  # uvicorn has closed it by itself, after a ping without an answer
                raise ClientDisconnected from None

        try:
            await self.app(scope, receive, patient)
        finally:
            # A peer that doesn't read would never let the last of it go.
            asyncio.get_running_loop().call_later(UNREAD_SECONDS, _abort, protocol)


def foreign(headers: Headers) -> bool:
    """Whether a page of another site opens this connection, and no setting allows it.

    Streamlit asks a service on the internet for its own address before it refuses one.
    """
    origin = headers.get("origin", "")
    if not origin or origin in st.get_option("server.corsAllowedOrigins"):
        return False
    try:
        return urlsplit(origin).netloc != headers.get("host")
    except ValueError:  # "http://["
        return True


def _limit(protocol: Any, size: int) -> None:
    """Take no larger message: one beyond it ends the connection when its length is announced.

    uvicorn has one limit for all sockets, which Streamlit sets to that of what a page is sent.
    """
    if hasattr(protocol, "conn"):
        protocol.conn.max_message_size = size


def _abort(protocol: Any) -> None:
    if hasattr(protocol, "transport"):
        protocol.transport.abort()

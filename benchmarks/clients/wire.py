"""The bare wire: one HTTP request, a file in a form, a WebSocket, a connection that breaks."""

import asyncio
import socket as sockets
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 60.0  # seconds for an answer, on a busy machine


async def http(
    method: str, url: str, path: str, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of one request on a connection of its own."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    head = {"Host": where.netloc, "Content-Length": str(len(body)), **(headers or {})}
    lines = [f"{method} {path} HTTP/1.0", *(f"{name}: {value}" for name, value in head.items())]
    try:
        writer.write("\r\n".join([*lines, "", ""]).encode())
        with suppress(ConnectionError):  # whoever refuses early hangs up; the answer is there
            writer.write(body)
            await writer.drain()
        answer = b""
        with suppress(ConnectionError):
            while chunk := await reader.read(1 << 16):
                answer += chunk
    finally:
        writer.close()
    top, _, rest = answer.partition(b"\r\n\r\n")
    first, *others = top.decode("latin-1").split("\r\n")
    found = dict(line.split(": ", 1) for line in others)
    return int(first.split()[1]), {name.lower(): value for name, value in found.items()}, rest


def multipart(name: str, content: bytes) -> tuple[str, bytes]:
    """The content type and the body of a form that holds one file."""
    mark = "gruviz-benchmark-boundary"
    quoted = name.replace("\\", "\\\\").replace('"', "%22").replace("\r", "").replace("\n", "")
    head = (
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return f"multipart/form-data; boundary={mark}", b"".join(
        (head.encode(), content, f"\r\n--{mark}--\r\n".encode())
    )


def websocket(url: str, path: str, **more: Any) -> Any:
    """A connection as a page of this server opens it: own origin, no limit on what it is sent."""
    options: dict[str, Any] = {
        "origin": url,
        "compression": None,
        "max_size": None,
        "ping_interval": None,
        "close_timeout": 2,
        "open_timeout": PATIENCE,
        "proxy": None,
    }
    return connect(f"ws{url.removeprefix('http')}{path}", **(options | more))


def reset(connection: ClientConnection) -> None:
    """Break a connection as a lost network does: no goodbye, what was on its way is refused."""
    raw = connection.transport.get_extra_info("socket")
    with suppress(OSError):  # closed already
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
    connection.transport.abort()

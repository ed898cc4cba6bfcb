"""A viewer: one panel that asks the feed for what it lacks, and what it saw of its run's pace."""

import asyncio
import json
import math
import statistics
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from benchmarks.clients.wire import reset, websocket

UNKNOWN_RUN = 4404
PROTOCOL = "gruviz"


async def greet(url: str, feed: str, token: str, view: str, **more: Any) -> ClientConnection:
    """A connection to the feed that names the run it looks at, and how.

    Raises ValueError for a token that no handshake can carry.
    """
    connection: ClientConnection = await websocket(
        url, f"{feed}?view={view}", subprotocols=[PROTOCOL, token], **more
    )
    return connection


@dataclass
class Viewer:
    """One panel: it asks for what it lacks, again as soon as it has been answered.

    arrivals: when a frame with new steps came (`time.monotonic`), and the step that it ended at.
    """

    url: str
    feed: str
    token: str
    view: str = "overview"
    on_status: Callable[[str], None] | None = None
    status: str = ""
    step: float = 0.0
    code: int | None = None  # with which the server hung up
    arrivals: list[tuple[float, float]] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: {"steps": 0, "validations": 0, "blocks": 0, "snapshot": -1}
    )
    _socket: ClientConnection | None = None

    async def watch(self) -> None:
        """Look until cancelled, or until the server knows the run no longer; connects again."""
        while self.code != UNKNOWN_RUN:
            with suppress(OSError, TimeoutError, InvalidHandshake):
                try:
                    self._socket = await greet(self.url, self.feed, self.token, self.view)
                    await self._look(self._socket)
                except ConnectionClosed as error:
                    self.code = error.rcvd.code if error.rcvd else None
            await asyncio.sleep(1)

    async def _look(self, connection: ClientConnection) -> None:
        while True:
            await connection.send(json.dumps(self.counts))
            frame = await connection.recv()
            assert isinstance(frame, bytes)
            self._take(frame)

    def _take(self, frame: bytes) -> None:
        header, step = decode(frame)
        for table, _name, shape in header["columns"]:
            if table in header["starts"]:
                self.counts[table] = header["starts"][table] + shape[0]
        self.counts["snapshot"] = header["snapshot"]
        if step > self.step:
            self.arrivals.append((time.monotonic(), step))
        self.step = step
        changed, self.status = header["status"] != self.status, header["status"]
        if changed and self.on_status is not None:
            self.on_status(self.status)

    async def close(self) -> None:
        """Close the panel."""
        if self._socket is not None:
            with suppress(OSError, ConnectionClosed):
                await self._socket.close()

    def vanish(self) -> None:
        """Break the connection without a goodbye."""
        if self._socket is not None and self._socket.transport is not None:
            reset(self._socket)


def decode(frame: bytes) -> tuple[dict[str, Any], float]:
    """The header of a frame and the step that the run is at."""
    (size,) = struct.unpack_from("<I", frame)
    header: dict[str, Any] = json.loads(frame[4 : 4 + size])
    place = 4 + size
    for table, name, shape in header["columns"]:
        if (table, name) == ("here", "step"):
            return header, float(struct.unpack_from("<f", frame, place)[0])
        place += 4 * math.prod(shape)
    return header, 0.0


@dataclass(frozen=True)
class Pace:
    """How a viewer was served in a while: steps a second, and seconds between chart updates."""

    steps: float
    gaps: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.gaps)

    @property
    def p95(self) -> float:
        return sorted(self.gaps)[math.ceil(0.95 * len(self.gaps)) - 1]

    @property
    def longest(self) -> float:
        return max(self.gaps)


def pace(viewer: Viewer, begin: float, end: float) -> Pace:
    """What a viewer saw between two times; the waits at both ends count as gaps, too."""
    before = [step for at, step in viewer.arrivals if at <= begin]
    inside = [(at, step) for at, step in viewer.arrivals if begin < at <= end]
    times = [begin, *(at for at, _step in inside), end]
    gaps = tuple(later - earlier for earlier, later in pairwise(times))
    first = before[-1] if before else 0.0
    last = inside[-1][1] if inside else first
    return Pace((last - first) / (end - begin), gaps)

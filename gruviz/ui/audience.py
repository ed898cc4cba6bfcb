"""Who looks on: the open feeds, so many of a run and so many in all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import cache

from starlette.websockets import WebSocket, WebSocketDisconnect

from gruviz.settings import limit

CROWDED, FULL = 4409, 4429  # codes of a close
MOST_OF_A_RUN = 4  # tabs of one person, with room for one that is about to close


async def close(socket: WebSocket, code: int) -> None:
    """Close a socket, whether or not the other side is still there."""
    with suppress(WebSocketDisconnect, RuntimeError):  # Starlette's, of one that is closed already
        await socket.close(code)


class Audience:
    """The open feeds, at most `most` of them. When a run has too many, its oldest makes room."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.count = 0
        self._of_runs: dict[str, list[WebSocket]] = {}

    @asynccontextmanager
    async def seat(self, token: str, socket: WebSocket) -> AsyncIterator[bool]:
        """Count a feed of a run for as long as it is served. Yields whether it may be served.

        Whoever makes room is gone before the newcomer is served, so what all of them are sent is
        bounded, however fast they come.
        """
        if self.count >= self.most:
            yield False
            return
        seats = self._of_runs.setdefault(token, [])
        seats.append(socket)
        self.count += 1
        try:
            if len(seats) > MOST_OF_A_RUN:
                await close(seats.pop(0), CROWDED)
            yield True
        finally:
            self.count -= 1
            if socket in seats:
                seats.remove(socket)
            if not seats and self._of_runs.get(token) is seats:
                del self._of_runs[token]


@cache
def audience() -> Audience:
    """The audience of this process. Raises GruvizError if GRUVIZ_MAX_VIEWERS is nonsense."""
    return Audience(limit("GRUVIZ_MAX_VIEWERS"))

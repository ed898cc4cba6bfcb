"""Students and viewers of a running server without a browser: a coroutine each, on the bare wire.

A `Student` speaks the page's protocol (protobuf over a WebSocket), a `Viewer` the live feed. Both
drain what they are sent as fast as a browser does, and keep little of it.
"""

from benchmarks.clients.server import Server
from benchmarks.clients.student import Gone, Student
from benchmarks.clients.viewer import UNKNOWN_RUN, Pace, Viewer, greet, pace
from benchmarks.clients.wire import PATIENCE, http, multipart, reset, websocket

__all__ = [
    "PATIENCE",
    "UNKNOWN_RUN",
    "Gone",
    "Pace",
    "Server",
    "Student",
    "Viewer",
    "greet",
    "http",
    "multipart",
    "pace",
    "reset",
    "websocket",
]

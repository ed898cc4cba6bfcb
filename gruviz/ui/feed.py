"""The live feed: the panel in the browser asks over a WebSocket, and is sent what it lacks.

The handshake names the run: its token is the second subprotocol, after PROTOCOL, so that it stands
in no address and nothing needs to be read of who doesn't know one. "view" and "language" are in the
query. Then the browser says how many rows it has; the answer comes as soon as there are more, or
after HOLD_SECONDS. So nothing is lost when a connection breaks, and a slow browser is never sent
more than it can draw.
"""

import asyncio
import json
import struct
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from gruviz import charts
from gruviz.coach import Coach
from gruviz.data.theory import theory
from gruviz.record import Snapshot
from gruviz.runs import Run, classroom
from gruviz.ui import cards, columns, report
from gruviz.ui.anatomy import stages
from gruviz.ui.audience import FULL, audience, close
from gruviz.words import speak

PROTOCOL = "gruviz"
ASK_BYTES = 1_000
ASK_SECONDS = 10.0  # a panel asks as soon as it has drawn
FRAME_SECONDS = 0.12  # no viewer is sent more than about eight frames a second
FRAME_ROWS = 2_500  # at most, of each table; the rest comes with the frames that follow
FRAME_BYTES = 8_000_000  # a second, at most, for who always asks for everything
HOLD_SECONDS = 4.0  # an answer, even if nothing is new
POLL_SECONDS = 0.03
PICTURE_SECONDS = 0.4
PICTURE_BYTES = 1_000_000  # a second, at most, for heat maps
ALWAYS = ("steps", "validations")  # of the tables that grow: the panel's figures are made of them
WORDS_ROWS = 10_000  # what is said of so many more of them is said a tenth of a second more seldom
UNKNOWN_RUN, BAD_REQUEST, SILENT = 4404, 4400, 4408


def pack(header: Mapping[str, Any], tables: Mapping[str, Mapping[str, npt.NDArray[Any]]]) -> bytes:
    """One frame: length of the header, the header as JSON, then the columns as float32.

    The header's "columns" lists [table, column, shape] in the order of the data.
    """
    data = [(t, c, np.asarray(v, np.float32)) for t, cs in tables.items() for c, v in cs.items()]
    about = json.dumps({**header, "columns": [[t, c, v.shape] for t, c, v in data]}).encode()
    about += b" " * (-len(about) % 4)  # float32 arrays must begin at a multiple of four
    return b"".join([struct.pack("<I", len(about)), about, *(v.tobytes() for _t, _c, v in data)])


class Viewer:
    """One panel that looks at one run in one view: what it has, and the frame that it lacks."""

    def __init__(self, run: Run, view: str = charts.OVERVIEW) -> None:
        self.run = run
        self.view = view if view in charts.VIEWS else charts.OVERVIEW
        self.preview = run.preview
        self.subject = cards.subject(run.experiment, self.preview)
        arrivals = [card.arrivals for card in cards.cards_of(self.view, self.subject)]
        self.pictures = any(charts.SNAPSHOT in each for each in arrivals)
        self.mixed = any({charts.SNAPSHOT, charts.GROWS} <= each for each in arrivals)
        drawn = cards.tables_of(self.view, self.subject)
        self.growing = [name for name in columns.GROWING if name in ALWAYS or name in drawn]
        self.known = theory(run.experiment, self.preview)
        self.coach = Coach()
        self._seen: tuple[Any, ...] = ()
        self._next_picture = 0.0
        self._spoke_of: tuple[Any, ...] = ()
        self._spoke_when = ""
        self._next_words = 0.0

    def state(self, steps: int) -> tuple[Any, ...]:
        """What makes a frame worth sending when it changes."""
        run = self.run
        return (
            *self._lengths.values(),
            run.status,
            run.settling,
            run.turns,
            run.unwatched,
            steps,
        )

    @property
    def _lengths(self) -> dict[str, int]:
        """How many rows there are of each table that grows and is shown."""
        return {name: len(getattr(self.run.history, name) or ()) for name in self.growing}

    def news(self, asked: Mapping[str, int]) -> bool:
        """Whether there is anything that the panel lacks."""
        return (
            any(length > asked.get(name, 0) for name, length in self._lengths.items())
            or self.state(asked["steps"]) != self._seen
            or self._picture(asked) is not None
            or self._words_due
        )

    @property
    def _words_due(self) -> bool:
        """Whether to say anew what the curves show: it takes a look at all of their rows."""
        if report.standing(self.run) != self._spoke_when:
            return True
        return self.state(0) != self._spoke_of and time.monotonic() >= self._next_words

    def _picture(self, asked: Mapping[str, int]) -> Snapshot | None:
        """The snapshot, if the panel lacks it and its turn has come: a large one comes seldom."""
        found = self.run.snapshot if self.pictures else None
        due = time.monotonic() >= self._next_picture
        return found if found is not None and found.step != asked["snapshot"] and due else None

    def frame(self, asked: Mapping[str, int]) -> bytes:
        """What comes after the rows that the panel has: all of it, or as much as fits."""
        run = self.run
        self._seen = self.state(asked["steps"])
        picture = self._picture(asked)
        starts = {name: asked.get(name, 0) for name in self.growing}
        tables = columns.grown_tables(run, starts, FRAME_ROWS)
        tables["here"] = columns.here(run)
        alternatives, advice = self._words() if self._words_due else ({}, None)
        if picture is not None:
            shown = columns.snapshot_tables(picture, self.preview)
            size = sum(4 * values.size for values in picture.signals.values())
            self._next_picture = time.monotonic() + max(PICTURE_SECONDS, size / PICTURE_BYTES)
            tables |= shown
            shown["probe"] = columns.probe(self.preview)
            if self.mixed:
                shown |= self._whole()
            alternatives |= cards.alternatives(self.view, shown, self.subject, pictures=True)
        figures = report.figures(run, run.experiment, self.known)
        header = {
            "token": run.token,
            "status": report.standing(run),
            "starts": starts,
            "snapshot": asked["snapshot"] if picture is None else picture.step,
            "figures": {name: text for name, _label, text in figures},
            "marks": report.change_marks(run, self.known),
            "texts": None if picture is None else report.writing(picture),
            "advice": advice,
            "stages": stages(run),
            "alternatives": alternatives,
        }
        return pack(header, tables)

    def _words(self) -> tuple[dict[str, str], list[dict[str, str]]]:
        """What the charts over steps show, and what the coach says of the run."""
        run = self.run
        self._spoke_of, self._spoke_when = self.state(0), report.standing(run)
        self._next_words = time.monotonic() + len(run.history.steps) // WORDS_ROWS / 10
        solved = report.solved_at(run, self.known)
        return (
            cards.alternatives(self.view, self._whole(), self.subject, solved, pictures=False),
            report.advice(run, self.coach),
        )

    def _whole(self) -> columns.Tables:
        """What grows, from the first row on, and where the run is on its schedule."""
        tables = columns.grown_tables(self.run, dict.fromkeys(self.growing, 0))
        return tables | {"here": columns.here(self.run), "plan": columns.plan(self.run.experiment)}


def _asked(message: str) -> dict[str, int]:
    """The row counts in a panel's message: of each table that grows, 0 where it says nothing, and
    the step of its snapshot.

    Raises ValueError if that isn't there, or a count is no whole number.
    """
    found = json.loads(message)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    asked = {name: found.get(name, 0) for name in columns.GROWING} | {
        "snapshot": found.get("snapshot")
    }
    if not all(isinstance(count, int) for count in asked.values()):
        raise ValueError("row counts must be whole numbers")
    return {
        name: max(int(count or 0), -1 if name == "snapshot" else 0) for name, count in asked.items()
    }


async def feed(socket: WebSocket) -> None:
    """Serve one panel: asks and answers in turn, until one of the two has enough."""
    spoken = socket.scope["subprotocols"]
    if len(spoken) != 2 or spoken[0] != PROTOCOL:
        await close(socket, BAD_REQUEST)
        return
    token = str(spoken[1])
    await socket.accept(subprotocol=PROTOCOL)
    async with audience().seat(token, socket) as welcome:
        try:
            code = await _serve(socket, token) if welcome else FULL
        except WebSocketDisconnect:
            return
        except TimeoutError:
            code = SILENT
        except (ValueError, KeyError, TypeError, RecursionError):
            code = BAD_REQUEST
        except WebSocketDisconnected:  # another feed has taken its seat
            return
        await close(socket, code)


async def _serve(socket: WebSocket, token: str) -> int:
    """Answer what a panel asks. Returns why there is nothing (more) to answer.

    Raises ValueError, KeyError, TypeError or RecursionError at nonsense, TimeoutError at silence.
    """
    run = classroom().find(token)
    if run is None:
        return UNKNOWN_RUN
    run.watch()
    speak(socket.query_params.get("language"))
    # A skeleton that nobody has drawn yet takes some time: not that of all the others here.
    viewer = await asyncio.to_thread(Viewer, run, socket.query_params.get("view", ""))
    clock = asyncio.get_running_loop().time
    while True:
        async with asyncio.timeout(ASK_SECONDS):
            asked = _asked(await socket.receive_text())
        began = clock()
        while not viewer.news(asked) and clock() - began < HOLD_SECONDS:
            run.watch()
            await asyncio.sleep(POLL_SECONDS)
        run.watch()
        worked = time.thread_time()
        frame = viewer.frame(asked)
        classroom().charge(run, time.thread_time() - worked)
        await socket.send_bytes(frame)
        await asyncio.sleep(max(FRAME_SECONDS, len(frame) / FRAME_BYTES))

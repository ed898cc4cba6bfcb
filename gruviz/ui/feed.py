"""The live feed: the panel in the browser asks over a WebSocket, and is sent what it lacks.

The browser says how many rows it has; the answer comes as soon as there are more. So nothing is
lost when a connection breaks, and a slow browser is never sent more than it can draw.
"""

import asyncio
import json
import struct
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.websockets import WebSocket, WebSocketDisconnect

from gruviz.coach import Coach
from gruviz.data.theory import theory
from gruviz.record import Snapshot
from gruviz.runs import Run, classroom
from gruviz.ui import view
from gruviz.ui.anatomy import stages
from gruviz.words import speak

FRAME_SECONDS = 0.12  # no viewer is sent more than about eight frames a second
GREETING_SECONDS = 10.0
HOLD_SECONDS = 4.0  # an answer, even if nothing is new
LOOK_SECONDS = 0.03
PICTURE_SECONDS = 0.4
PICTURE_BYTES = 1_000_000  # a second, at most, for heat maps
UNKNOWN_RUN, BAD_REQUEST = 4404, 4400


def pack(header: Mapping[str, Any], tables: Mapping[str, Mapping[str, npt.NDArray[Any]]]) -> bytes:
    """One frame: length of the header, the header as JSON, then the columns as float32.

    The header's "columns" lists [table, column, shape] in the order of the data.
    """
    columns = [(t, c, np.asarray(v, np.float32)) for t, cs in tables.items() for c, v in cs.items()]
    about = json.dumps({**header, "columns": [[t, c, v.shape] for t, c, v in columns]}).encode()
    about += b" " * (-len(about) % 4)  # float32 arrays must begin at a multiple of four
    return b"".join([struct.pack("<I", len(about)), about, *(v.tobytes() for _t, _c, v in columns)])


class Viewer:
    """One panel that looks at one run in one view: what it has, and the frame that it lacks."""

    def __init__(self, run: Run, look: str = "overview") -> None:
        self.run = run
        self.look = look if look in view.VIEWS else "overview"
        self.view = view.VIEWS[self.look]
        self.preview = run.preview
        self.known = theory(run.experiment, self.preview)
        self.coach = Coach()
        self._seen: tuple[Any, ...] = ()
        self._next_picture = 0.0

    def state(self, steps: int) -> tuple[Any, ...]:
        """What makes a frame worth sending when it changes."""
        run = self.run
        return (
            len(run.history.steps),
            len(run.history.blocks or ()),
            run.status,
            run.settling,
            len(run.changes),
            run.unwatched,
            steps,
        )

    def news(self, asked: Mapping[str, int]) -> bool:
        """Whether there is anything that the panel lacks."""
        return (
            self.run.step_count > asked["steps"]
            or self.state(asked["steps"]) != self._seen
            or self._picture(asked) is not None
        )

    def _picture(self, asked: Mapping[str, int]) -> Snapshot | None:
        """The snapshot, if the panel lacks it and its turn has come: a large one comes seldom."""
        found = self.run.snapshot if self.view.pictures else None
        due = time.monotonic() >= self._next_picture
        return found if found is not None and found.step != asked["snapshot"] and due else None

    def frame(self, asked: Mapping[str, int]) -> bytes:
        """Everything after the rows that the panel has."""
        run = self.run
        self._seen = self.state(asked["steps"])
        picture = self._picture(asked)
        tables = view.step_tables(run, asked["steps"], asked["validations"])
        starts = {"steps": asked["steps"], "validations": asked["validations"]}
        tables["here"] = view.here(run)
        whole = {**view.step_tables(run), "here": tables["here"], "plan": view.plan(run.experiment)}
        if self.view.blocks:
            starts["blocks"] = asked.get("blocks", 0)
            tables |= view.block_tables(run, starts["blocks"])
            whole |= view.block_tables(run)
        alternatives = view.alternatives(
            whole, self.look, self.known, view.solved_at(run, self.known)
        )
        if picture is not None:
            shown = view.snapshot_tables(picture, self.preview)
            size = sum(4 * values.size for values in picture.signals.values())
            self._next_picture = time.monotonic() + max(PICTURE_SECONDS, size / PICTURE_BYTES)
            tables |= shown
            shown["probe"] = view.probe(self.preview)
            alternatives |= view.picture_alternatives(shown, run.experiment)
        figures = view.figures(run, run.experiment, self.known)
        header = {
            "token": run.token,
            "status": view.standing(run),
            "starts": starts,
            "snapshot": asked["snapshot"] if picture is None else picture.step,
            "figures": {name: text for name, _label, text in figures},
            "marks": view.change_marks(run, self.known),
            "texts": None if picture is None else view.writing(picture),
            "advice": view.advice(run, self.coach),
            "stages": stages(run),
            "alternatives": alternatives,
        }
        return pack(header, tables)


def _asked(message: str) -> dict[str, int]:
    """The row counts in a panel's message; "blocks" may be left out.

    Raises ValueError if the others aren't there.
    """
    found = json.loads(message)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    found.setdefault("blocks", 0)
    asked = {name: found.get(name) for name in ("steps", "validations", "blocks", "snapshot")}
    if not all(isinstance(count, int) for count in asked.values()):
        raise ValueError("row counts must be whole numbers")
    return {
        name: max(int(count or 0), -1 if name == "snapshot" else 0) for name, count in asked.items()
    }


async def feed(socket: WebSocket) -> None:
    """Serve one panel: first a greeting with the run's token, then asks and answers in turn."""
    # The token is the key; the origin is looked at so that no other site's page may try one.
    origin = socket.headers.get("origin", "")
    if origin and origin.split("://", 1)[-1] != socket.headers.get("host"):
        await socket.close(BAD_REQUEST)
        return
    await socket.accept()
    try:
        greeting = json.loads(await asyncio.wait_for(socket.receive_text(), GREETING_SECONDS))
        run = classroom().find(str(greeting.get("token", "")))
        if run is None:
            await socket.close(UNKNOWN_RUN)
            return
        speak(str(greeting.get("language", "")) or None)
        viewer = Viewer(run, str(greeting.get("view", "")))
        clock = asyncio.get_running_loop().time
        while True:
            asked = _asked(await socket.receive_text())
            began = clock()
            while not viewer.news(asked) and clock() - began < HOLD_SECONDS:
                run.watch()
                await asyncio.sleep(LOOK_SECONDS)
            run.watch()
            await socket.send_bytes(viewer.frame(asked))
            await asyncio.sleep(FRAME_SECONDS)
    except WebSocketDisconnect:
        return
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError, TimeoutError):
        await socket.close(BAD_REQUEST)

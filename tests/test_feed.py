"""The frames that a panel is sent, decoded as the browser decodes them."""

import asyncio
import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect

from gruviz import charts
from gruviz.data import preview_of
from gruviz.data.theory import theory
from gruviz.experiment import NextCharacter
from gruviz.runs import Run, Status
from gruviz.ui import columns, report
from gruviz.ui import feed as feed_module
from gruviz.ui.feed import BAD_REQUEST, PROTOCOL, SILENT, UNKNOWN_RUN, Viewer, feed, pack
from tests.test_columns import with_blocks
from tests.test_run import SMALL, OnDemand, a_run

START = {"steps": 0, "validations": 0, "snapshot": -1}
Arrays = dict[str, dict[str, np.ndarray]]


def unpack(frame: bytes) -> tuple[dict[str, Any], Arrays]:
    """The header and the tables of a frame."""
    (length,) = struct.unpack_from("<I", frame)
    header = json.loads(frame[4 : 4 + length])
    place, tables = 4 + length, cast(Arrays, {})
    assert place % 4 == 0
    for table, name, shape in header.pop("columns"):
        count = int(np.prod(shape))
        values = np.frombuffer(frame, "<f4", count, place).reshape(shape)
        tables.setdefault(table, {})[name] = values
        place += 4 * count
    assert place == len(frame)
    return header, tables


@pytest.mark.parametrize("text", ["", "a", "ab", "abc", "Größe – 度"])
def test_a_frame_decodes_to_the_same_header_and_arrays(text: str) -> None:
    generator = np.random.default_rng(0)
    tables: Mapping[str, Mapping[str, np.ndarray]] = {
        "steps": {"loss": generator.random(5), "norm": np.array([np.nan, np.inf, -0.0])},
        "signals": {"reset": generator.random((4, 7), np.float32).T},
        "probe": {"true": np.array([0, 1, 0]), "none": np.empty(0), "one": np.array([7.0])},
    }
    header, found = unpack(pack({"text": text, "n": 3}, tables))
    assert header == {"text": text, "n": 3}
    assert {t: list(columns) for t, columns in found.items()} == {
        t: list(part) for t, part in tables.items()
    }
    for table, part in tables.items():
        for name, values in part.items():
            np.testing.assert_array_equal(found[table][name], values.astype(np.float32))


def test_a_frame_without_tables_is_a_header() -> None:
    assert unpack(pack({"a": [1, None]}, {})) == ({"a": [1, None]}, {})


def test_a_frame_holds_what_the_panel_lacks() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do(2)
    header, tables = unpack(Viewer(run).frame(START))
    assert header["token"] == run.token
    assert (header["status"], header["snapshot"]) == ("running", 10)
    assert header["starts"] == {"steps": 0, "validations": 0}
    known = theory(SMALL, preview_of(SMALL.task, SMALL.seed))
    assert header["figures"] == {n: text for n, _label, text in report.figures(run, SMALL, known)}
    assert (header["marks"], header["texts"]) == ([], {})
    expected = columns.grown_tables(run, header["starts"])
    assert run.snapshot is not None
    expected |= columns.snapshot_tables(run.snapshot, preview_of(SMALL.task, SMALL.seed))
    expected["here"] = columns.here(run)
    assert set(tables) == set(expected)
    for table, rows in expected.items():
        for name, values in rows.items():
            np.testing.assert_array_equal(tables[table][name], values.astype(np.float32))


def test_a_view_is_sent_what_its_charts_need_and_no_more() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(3)
    executor.do_all()
    with_blocks(run)
    sent = {view: unpack(Viewer(run, view).frame(START)) for view in (*charts.VIEWS, "nonsense")}
    pictures = {"signals", "answer", "gradient"}
    always = {"steps", "validations", "here"}
    assert {view: set(tables) for view, (_header, tables) in sent.items()} == {
        "overview": always | pictures,
        "clip": always,
        "blocks": always | {"blocks"},
        "nonsense": always | pictures,
    }
    assert {view: header["snapshot"] for view, (header, _tables) in sent.items()} == {
        "overview": 3,
        "clip": -1,
        "blocks": -1,
        "nonsense": 3,
    }
    assert set(sent["clip"][0]["alternatives"]) == {"lens", "rate"}


def test_blocks_are_sent_from_the_row_that_the_panel_asks_for() -> None:
    executor = OnDemand()
    run = a_run(executor)
    viewer = Viewer(run, "blocks")
    header, tables = unpack(viewer.frame(START))
    assert (header["starts"]["blocks"], "blocks" in tables) == (0, False)
    run.train(3)
    executor.do_all()
    with_blocks(run, rows=5)
    assert run.history.blocks is not None
    header, tables = unpack(viewer.frame(START | {"steps": 3, "blocks": 2}))
    assert header["starts"] == {"steps": 3, "validations": 0, "blocks": 2}
    expected = run.history.blocks.since(2)
    assert list(tables["blocks"]) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(tables["blocks"][name], values.astype(np.float32))


def test_rows_of_blocks_that_came_late_are_news() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(3)
    executor.do_all()
    viewer, asked = Viewer(run, "blocks"), START | {"steps": 3}
    asked["validations"] = len(run.history.validations)
    asked["blocks"] = len(run.history.blocks or ())
    viewer.frame(asked)
    assert not viewer.news(asked)
    with_blocks(run)
    assert viewer.news(asked)


def test_the_handshake_says_which_view_is_fed(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do_all()
    with_blocks(run)
    asks = json.dumps(START | {"blocks": 1})
    socket = serve(monkeypatch, Socket(run, asks, view="blocks"), run)
    header, tables = unpack(socket.sent[0])
    assert (header["starts"]["blocks"], len(tables["blocks"]["step"])) == (1, 2)


def test_frames_put_end_to_end_are_the_history() -> None:
    executor = OnDemand(steps=4)
    run = a_run(executor)
    viewer, asked = Viewer(run), dict(START)
    run.train()
    losses: list[float] = []
    validations: list[float] = []
    while executor.waiting:
        executor.do()
        header, tables = unpack(viewer.frame(asked))
        assert header["starts"]["steps"] == len(losses)
        losses += tables["steps"]["loss"].tolist()
        validations += tables["validations"]["loss"].tolist()
        asked = {
            "steps": len(losses),
            "validations": len(validations),
            "snapshot": header["snapshot"],
        }
    assert losses == run.history.loss.astype(np.float32).tolist()
    assert validations == run.history.validations["loss"].astype(np.float32).tolist()
    assert header["status"] == "finished"


def test_what_a_model_of_letters_writes_comes_with_its_snapshot() -> None:
    executor = OnDemand()
    experiment = replace(SMALL, task=NextCharacter(size=40, length=8))
    run = a_run(executor, experiment)
    run.train()
    executor.do_all()
    viewer = Viewer(run)
    header, _tables = unpack(viewer.frame(START))
    assert run.snapshot is not None and len(run.snapshot.text) == 120
    assert header["texts"] == {"prediction": "The network writes on: " + run.snapshot.text}


def test_a_solved_task_is_marked_in_the_loss_chart_and_told_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do_all()
    monkeypatch.setattr(report, "solved", lambda _validations, _threshold: 150)
    header, _tables = unpack(Viewer(run).frame(START))
    (mark,) = header["marks"]
    assert (mark["x0"], mark["name"]) == (150, "loss")
    assert header["figures"]["solved"] == "step 150"
    assert " Solved at step 150. " in header["alternatives"]["loss"]


def test_a_snapshot_is_sent_once() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(1)
    executor.do_all()
    viewer = Viewer(run)
    assert "signals" in unpack(viewer.frame(START))[1]
    header, tables = unpack(viewer.frame({"steps": 1, "validations": 1, "snapshot": 1}))
    assert (header["snapshot"], set(tables)) == (1, {"steps", "validations", "here"})
    assert header["texts"] is None
    assert (header["alternatives"], header["advice"]) == ({}, None)


def test_pictures_come_seldom_and_large_ones_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(feed_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    executor = OnDemand()
    run = a_run(executor)
    run.train(1)
    executor.do_all()
    viewer, asked = Viewer(run), {"steps": 1, "validations": 1, "snapshot": -1}
    header, tables = unpack(viewer.frame(asked))
    assert (header["snapshot"], "signals" in tables) == (1, True)
    assert header["alternatives"]["reset"].startswith("Reset gate r: 4 units by 8 time steps")
    run.train(1)
    executor.do_all()
    asked = {"steps": 2, "validations": 1, "snapshot": 1}
    now[0] += 0.39
    header, tables = unpack(viewer.frame(asked))
    assert (header["snapshot"], "signals" in tables, viewer.news(asked)) == (1, False, False)
    now[0] += 0.02
    assert viewer.news(asked)
    header, tables = unpack(viewer.frame(asked))
    assert (header["snapshot"], "signals" in tables) == (2, True)

    assert run.snapshot is not None
    large = {name: np.zeros((250, 500), np.float32) for name in run.snapshot.signals}  # 2 MB
    run.snapshot = replace(run.snapshot, step=3, signals=large)
    now[0] += 10
    viewer.frame(asked)
    now[0] += 1.99
    assert not viewer.news(asked)
    now[0] += 0.02
    assert viewer.news(asked)


def test_a_run_that_has_not_begun_has_a_frame_too() -> None:
    header, tables = unpack(Viewer(a_run(OnDemand())).frame(START))
    assert (header["status"], header["snapshot"]) == ("paused", -1)
    assert tables["steps"]["loss"].shape == (0,)
    assert header["alternatives"]["loss"] == (
        "Loss: nothing trained yet. Known without training: always answer 1, 0.1667."
    )


def test_there_is_news_when_something_changed_and_only_then() -> None:
    executor = OnDemand()
    run = a_run(executor)
    viewer = Viewer(run)
    asked = dict(START)
    assert viewer.news(asked)
    viewer.frame(asked)
    assert not viewer.news(asked)
    run.train()
    assert viewer.news(asked)
    viewer.frame(asked)
    executor.do()
    assert viewer.news(asked)
    asked |= {"steps": 5, "validations": len(run.history.validations), "snapshot": 5}
    viewer.frame(asked)
    assert not viewer.news(asked)
    run.pause()
    assert viewer.news(asked)
    viewer.frame(asked)
    executor.do()
    asked |= {"steps": 10, "snapshot": 10}
    assert viewer.news(asked)
    viewer.frame(asked)
    assert not viewer.news(asked)
    run.adjust(replace(SMALL, learning_rate=0.5))
    run.train(1)
    executor.do()
    assert viewer.news(asked)


def test_a_knob_that_is_turned_again_while_paused_is_news() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(1)
    executor.do_all()
    viewer, asked = Viewer(run), {"steps": 1, "validations": 1, "snapshot": 1}
    for rate in (0.5, 0.25):
        viewer.frame(asked)
        assert not viewer.news(asked)
        run.adjust(replace(SMALL, learning_rate=rate))
        assert viewer.news(asked)
        header, _tables = unpack(viewer.frame(asked))
        assert [mark["label"]["text"] for mark in header["marks"]] == [f"Learning rate {rate}"]


def test_a_diverged_run_has_a_frame_that_can_be_read() -> None:
    executor = OnDemand()
    run = a_run(executor, replace(SMALL, learning_rate=10.0, clip_norm=None))
    run.train(1)
    executor.do_all()
    rows = {name: run.history.steps[name] * np.nan for name in run.history.steps.names}
    run.history.steps.append(rows)
    header, tables = unpack(Viewer(run).frame(START))
    assert np.isnan(tables["steps"]["loss"]).tolist() == [False, True]
    assert header["figures"]["gradient-norm"] == "nan"


class Socket:
    """A socket whose browser says these things and then leaves, or stays and says no more."""

    def __init__(
        self, run: Run | None, *said: str, token: str = "guess", view: str = "", stays: bool = False
    ) -> None:
        self.said = list(said)
        self.stays = stays
        token = token if run is None else run.token
        self.scope = {"subprotocols": [PROTOCOL, token]}
        self.query_params = {"view": view, "language": "en"}
        self.sent: list[bytes] = []
        self.accepted: str | None = None
        self.code: int | None = None
        self.charged: list[Run] = []

    async def accept(self, subprotocol: str) -> None:
        self.accepted = subprotocol

    async def receive_text(self) -> str:
        if not self.said:
            if self.stays:
                await asyncio.Event().wait()
            raise WebSocketDisconnect
        return self.said.pop(0)

    async def send_bytes(self, frame: bytes) -> None:
        self.sent.append(frame)

    async def close(self, code: int) -> None:
        self.code = code


def serve(monkeypatch: pytest.MonkeyPatch, socket: Socket, *runs: Run) -> Socket:
    """Feed the socket, in a classroom with these runs and no time to lose."""
    for name in ("FRAME_SECONDS", "HOLD_SECONDS", "ASK_SECONDS"):
        monkeypatch.setattr(feed_module, name, 0.0 if name != "ASK_SECONDS" else 0.01)
    monkeypatch.setattr(feed_module, "FRAME_BYTES", 10**12)
    found = {run.token: run for run in runs}
    room = SimpleNamespace(find=found.get, charge=lambda run, _seconds: socket.charged.append(run))
    monkeypatch.setattr(feed_module, "classroom", lambda: room)
    asyncio.run(asyncio.wait_for(feed(cast(WebSocket, socket)), 20))
    return socket


def test_a_panel_asks_and_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    run = a_run(OnDemand(), clock=lambda: now[0])
    now[0] = 99.0
    socket = serve(monkeypatch, Socket(run, *[json.dumps(START)] * 3), run)
    assert (socket.accepted, socket.code, len(socket.sent)) == (PROTOCOL, None, 3)
    assert unpack(socket.sent[0])[0]["token"] == run.token
    assert run.watched_at == 99.0
    assert socket.charged == [run] * 3


def test_who_knows_no_token_is_told_so_and_nothing_is_read_of_what_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    socket = serve(monkeypatch, Socket(None, json.dumps(START)), a_run(OnDemand()))
    assert (socket.code, socket.sent, len(socket.said)) == (UNKNOWN_RUN, [], 1)


@pytest.mark.parametrize(
    "subprotocols", [[], ["other", "x"], [""], [PROTOCOL], [PROTOCOL, "x", "y"]]
)
def test_who_does_not_speak_the_feeds_language_is_not_let_in(
    monkeypatch: pytest.MonkeyPatch, subprotocols: list[str]
) -> None:
    socket = Socket(None, json.dumps(START))
    socket.scope["subprotocols"] = subprotocols
    serve(monkeypatch, socket)
    assert (socket.accepted, socket.code, len(socket.said)) == (None, BAD_REQUEST, 1)


def test_a_panel_that_asks_nothing_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(OnDemand())
    assert serve(monkeypatch, Socket(run, stays=True), run).code == SILENT


@pytest.mark.parametrize(
    "ask",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        '{"steps": 1}',
        "[" * 900,
        '{"steps": "1", "validations": 0, "snapshot": 0}',
        '{"steps": 1.5, "validations": 0, "snapshot": 0}',
        '{"steps": null, "validations": 0, "snapshot": 0}',
        '{"steps": 0, "validations": 0, "snapshot": 0, "blocks": "1"}',
    ],
)
def test_an_ask_that_can_not_be_read_ends_the_feed(
    monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    run = a_run(OnDemand())
    socket = serve(monkeypatch, Socket(run, ask, json.dumps(START)), run)
    assert (socket.code, socket.sent) == (BAD_REQUEST, [])


def test_asking_from_behind_the_start_or_beyond_the_end_is_harmless(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(3)
    executor.do_all()
    behind = '{"steps": -5, "validations": -5, "snapshot": -5}'
    beyond = json.dumps({"steps": 10**30, "validations": 10**30, "snapshot": 10**30})
    socket = serve(monkeypatch, Socket(run, behind, beyond), run)
    lengths = [len(unpack(frame)[1]["steps"]["loss"]) for frame in socket.sent]
    assert (lengths, socket.code) == ([3, 0], None)


def test_a_long_run_comes_in_frames_of_bounded_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "FRAME_ROWS", 4)
    executor = OnDemand()
    run = a_run(executor)
    run.train(10)
    executor.do_all()
    viewer, asked = Viewer(run), dict(START)
    losses: list[list[float]] = []
    while viewer.news(asked):
        header, tables = unpack(viewer.frame(asked))
        losses.append(tables["steps"]["loss"].tolist())
        asked = {
            "steps": asked["steps"] + len(losses[-1]),
            "validations": asked["validations"] + len(tables["validations"]["loss"]),
            "snapshot": header["snapshot"],
        }
    assert [len(part) for part in losses] == [4, 4, 2, 0]
    assert list(chain(*losses)) == run.history.loss.astype(np.float32).tolist()


def test_who_asks_a_thousand_times_at_once_is_answered_in_the_rhythm_of_a_panel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = a_run(OnDemand())
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    socket = Socket(run, *[json.dumps(START)] * 1000)
    room = SimpleNamespace(find=lambda _token: run, charge=lambda _run, _seconds: None)
    monkeypatch.setattr(feed_module, "classroom", lambda: room)
    monkeypatch.setattr(feed_module, "HOLD_SECONDS", 0.0)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(feed(cast(WebSocket, socket)))
    assert len(socket.sent) == 1000
    assert sum(slept) >= 1000 * 0.12
    monkeypatch.setattr(feed_module, "FRAME_BYTES", 1000)
    slept.clear()
    large = Socket(run, json.dumps(START))
    asyncio.run(feed(cast(WebSocket, large)))
    assert slept == [len(large.sent[0]) / 1000]


def test_the_curves_of_a_long_run_are_put_into_words_more_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(feed_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(feed_module, "WORDS_ROWS", 1)
    executor = OnDemand()
    run = a_run(executor, replace(SMALL, steps=5))
    viewer, asked = Viewer(run, "clip"), dict(START)

    def said() -> tuple[bool, bool]:
        header, _tables = unpack(viewer.frame(asked))
        return header["alternatives"] != {}, header["advice"] is not None

    run.train(3)
    executor.do_all()
    assert said() == (True, True)
    now[0] += 0.29
    run.train(1)
    executor.do_all()
    assert said() == (False, False)
    asked |= {"steps": 4, "validations": len(run.history.validations)}
    viewer.frame(asked)
    assert not viewer.news(asked)
    now[0] += 0.02  # the three rows that were looked at are three tenths of a second ago
    assert viewer.news(asked)
    assert said() == (True, True)
    run.train(1)
    executor.do_all()
    assert run.status is Status.FINISHED
    assert said() == (True, True)  # where it stands has changed


def test_a_picture_that_the_panel_has_is_not_sent_again_however_long_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1000.0]
    monkeypatch.setattr(feed_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    executor = OnDemand()
    run = a_run(executor)
    run.train(1)
    executor.do_all()
    viewer, asked = Viewer(run), {"steps": 1, "validations": 1, "snapshot": 1}
    viewer.frame(asked)
    now[0] += 60
    assert not viewer.news(asked)
    header, tables = unpack(viewer.frame(asked))
    assert (header["snapshot"], header["texts"]) == (1, None)
    assert set(tables) == {"steps", "validations", "here"}

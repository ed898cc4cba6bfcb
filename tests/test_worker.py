"""A worker leaves with its parent, whatever happened to it."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gruviz.data import loading, shelf
from gruviz.data.loading import key_of
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import GRU, Adding, Experiment, TableTask
from gruviz.runs import worker
from gruviz.studies import RangeTest
from tests.test_run import SMALL, OnDemand, a_run

SERVER = """
import os, threading
from gruviz.runs import Classroom
room = Classroom(2)
room.tables.put(("a\\n" + "1\\n2\\n" * 10).encode(), "mine.csv")
room.pool.warm()
room.pool.submit(os.getpid).result(60)
room.pool.submit(eval, "__import__('threading').Event().wait(600)")
while len(there := [m.process.pid for m in room.pool._members if m.process]) < 2:
    threading.Event().wait(0.01)
print(room.tables.folder, *there, flush=True)
threading.Event().wait(600)
"""


def alive(pid: int) -> bool:
    """Whether a process still runs; one that has ended and was not yet collected doesn't."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def test_workers_and_uploads_are_gone_soon_after_their_server_was_killed() -> None:
    # One worker is in the middle of a slice, the other one may still be loading torch.
    with subprocess.Popen(
        [sys.executable, "-c", SERVER],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as server:
        assert server.stdout is not None
        try:
            folder, *pids = server.stdout.readline().split()
            workers = [int(pid) for pid in pids]
            assert len(workers) == 2 and all(map(alive, workers))
            assert [file for file in Path(folder).iterdir() if len(file.name) == 64]
        finally:
            server.send_signal(signal.SIGKILL)
    deadline, pause = time.monotonic() + 20, threading.Event()
    while any(map(alive, workers)) or Path(folder).exists():
        assert time.monotonic() < deadline, "workers or uploads outlived their server"
        pause.wait(0.05)


def test_a_slice_speaks_the_language_of_its_run_and_not_of_who_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken: list[str | None] = []
    monkeypatch.setattr(worker, "speak", spoken.append)
    tables, experiment = TableStore(tmp_path), Experiment(task=TableTask(source="0" * 64))
    for language in ("fr", None):
        with pytest.raises(GruvizError):
            worker.advance(experiment, None, None, 1, tables, language)
        with pytest.raises(GruvizError):
            worker.proceed(experiment, RangeTest.begin(), 0.1, tables, language)
    assert spoken == ["fr", "fr", None, None]
    executor = OnDemand()
    run = a_run(executor)
    run.language = "fr"
    run.train()
    assert executor.waiting[0][2][-1] == "fr"


def test_a_worker_takes_up_nothing_that_is_too_much_whoever_asked_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = TableStore(tmp_path)
    monkeypatch.setenv("GRUVIZ_MAX_STEP_MB", "20")
    large = Experiment(task=Adding(size=500, length=200), cell=GRU(32), batch_size=64)
    with pytest.raises(GruvizError, match="asks too much of a shared server"):
        worker.advance(large, None, None, 1, tables)
    with pytest.raises(GruvizError, match="asks too much of a shared server"):
        worker.proceed(large, RangeTest.begin(seeds=1, steps=1), 0.0, tables)
    assert not list(tmp_path.iterdir())


def test_slices_of_all_workers_share_the_data_on_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = TableStore(tmp_path)
    first = worker.advance(SMALL, None, None, 1, tables)
    key = key_of(SMALL.task, SMALL.seed, tables)
    assert [each.name for each in (tmp_path / "data").iterdir()] == [key]
    shelf._opened.clear()  # as in another worker
    monkeypatch.setattr(loading, "MAKERS", {})  # where nothing could be made
    assert worker.advance(SMALL, first.checkpoint, None, 1, tables).checkpoint.step == 2

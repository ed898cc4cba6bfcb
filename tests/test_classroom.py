"""What all visitors share: runs by token, tables, and a tidy end."""

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.runs import Classroom, Status, classroom

ROWS = ("a\n" + "1\n2\n" * 10).encode()


@pytest.fixture
def room() -> Iterator[Classroom]:
    made = Classroom(1)  # no process is started before something is submitted
    yield made
    made.close()


def test_a_run_is_found_by_its_token_alone(room: Classroom) -> None:
    runs = [room.start(Experiment(seed=seed)) for seed in range(3)]
    assert [room.find(run.token) for run in runs] == runs
    assert [run.experiment.seed for run in runs] == [0, 1, 2]
    assert all(run.status is Status.PAUSED for run in runs)
    for token in ("", "x", runs[0].token[:-1], runs[0].token + "x"):
        assert room.find(token) is None


def most_runs(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(sys.modules["gruviz.runs.classroom"], "MOST_RUNS", count)


def test_no_run_is_forgotten_while_there_is_room(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    most_runs(monkeypatch, 10)
    runs = [room.start(Experiment()) for _each in range(10)]
    assert [room.find(run.token) for run in runs] == runs


def test_the_oldest_run_is_paused_and_forgotten_when_there_are_too_many(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    most_runs(monkeypatch, 4)
    runs = [room.start(Experiment()) for _each in range(4)]
    runs[0].status = Status.RUNNING
    runs += [room.start(Experiment()) for _each in range(2)]
    assert [room.find(run.token) for run in runs] == [None, None, *runs[2:]]
    assert runs[0].status is Status.PAUSED


def test_a_run_that_somebody_watches_outlives_one_that_nobody_does(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    most_runs(monkeypatch, 4)
    runs = [room.start(Experiment()) for _each in range(4)]
    runs[0].watch()
    runs.append(room.start(Experiment()))
    assert [room.find(run.token) for run in runs] == [runs[0], None, *runs[2:]]


def test_uploads_are_in_a_folder_for_this_user_alone_that_goes_with_the_classroom() -> None:
    room = Classroom(1)
    table = room.tables.put(ROWS, "mine.csv")
    folder = room.tables.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert room.tables(table.digest).rows == 20
    room.close()
    assert not folder.exists()


def test_uploads_are_kept_in_memory_where_there_is_room_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = sys.modules["gruviz.runs.classroom"]
    monkeypatch.setattr(module, "MEMORY", str(tmp_path))
    for most, expected in ((1, True), (10**18, False)):
        monkeypatch.setattr(module, "MOST_BYTES", most)
        room = Classroom(1)
        assert (room.tables.folder.parent == tmp_path) is expected
        room.close()
    monkeypatch.setattr(module, "MEMORY", str(tmp_path / "none"))
    Classroom(1).close()


def test_two_classrooms_share_nothing(room: Classroom) -> None:
    other = Classroom(1)
    try:
        digest = other.tables.put(ROWS, "theirs.csv").digest
        with pytest.raises(GruvizError):
            room.tables(digest)
        assert room.find(other.start(Experiment()).token) is None
    finally:
        other.close()


@pytest.mark.parametrize("asked", ["0", "65", "-1", "two", "1.5", ""])
def test_a_number_of_workers_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    monkeypatch.setenv("GRUVIZ_WORKERS", asked)
    with pytest.raises(GruvizError) as caught:
        classroom.__wrapped__()
    assert str(caught.value) == (f"GRUVIZ_WORKERS is {asked!r}; set it to a number from 1 to 64.")


@pytest.mark.parametrize(("asked", "workers"), [("3", 3), ("64", 64), (None, 2)])
def test_the_environment_says_how_many_workers_there_are(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, workers: int
) -> None:
    if asked is None:
        monkeypatch.delenv("GRUVIZ_WORKERS", raising=False)
    else:
        monkeypatch.setenv("GRUVIZ_WORKERS", asked)
    made = classroom.__wrapped__()
    assert made.pool.workers == workers
    made.close()


def test_the_workers_of_a_run_see_the_uploads_of_its_classroom(room: Classroom) -> None:
    run = room.start(Experiment())
    assert run.tables is room.tables

"""What all visitors share: runs by token, tables, and a tidy end."""

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
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
    for most, expected in (("20", True), ("1000000", False)):
        monkeypatch.setenv("GRUVIZ_MAX_ALL_TABLES_MB", most)
        monkeypatch.setenv("GRUVIZ_MAX_DATA_MB", most)
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


@pytest.fixture(scope="module")
def reader() -> Iterator[Classroom]:
    """A classroom whose worker is there."""
    made = Classroom(1)
    yield made
    made.close()


def said(_share: float, _what: str) -> None:
    pass


def test_an_upload_is_read_by_a_worker_and_is_at_hand_then(
    reader: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["gruviz.data.store"]

    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise AssertionError("read by the page's own process")

    monkeypatch.setattr(module, "read_csv", refuse)
    content = b"day,price\n" + b"\n".join(b"%d,%d" % (day, day % 7) for day in range(30))
    table = reader.read(content, "prices.csv", said)
    assert (table.name, table.rows, list(table.columns)) == ("prices.csv", 30, ["day", "price"])
    assert reader.tables(table.digest) is table
    assert reader.reread(table.digest, said) is table


def test_a_broken_upload_is_refused_with_one_sentence_and_not_kept(reader: Classroom) -> None:
    before = {file.name for file in reader.tables.folder.iterdir()}
    with pytest.raises(GruvizError) as caught:
        reader.read(b"\x89PNG\r\n\x1a\n\0\0\xff", "picture.csv", said, "en")
    assert str(caught.value) == (
        "This is a picture (PNG), not a text table; open it and save the table as CSV."
    )
    left = {file.name for file in reader.tables.folder.iterdir()} - before
    assert not [name for name in left if len(name.partition(".")[0]) == 64]


def test_a_kept_file_is_read_again_as_its_source_says(reader: Classroom) -> None:
    content = b"a;b\n" + b"\n".join(b"%d,5;%d,25" % (row, row) for row in range(30))
    table = reader.read(content, "decimals.csv", said)
    np.testing.assert_array_equal(table.columns["a"], np.arange(30) + 0.5)
    other = reader.reread(f'{table.digest}?{{"header":[],"separator":";"}}', said)
    assert len(other.frame) == 31
    assert other.digest == table.digest and other.source != table.source
    assert reader.tables(table.source) is table
    assert reader.tables(other.source) is other
    with pytest.raises(GruvizError):
        reader.reread(f'{table.digest}?{{"separator":"no"}}', said)
    assert reader.tables(table.source) is table


def test_how_far_a_reading_is_is_told_and_never_goes_back(
    reader: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["gruviz.runs.errands"], "LOOK_SECONDS", 0.005)
    rows = b"\n".join(b"%d,%d.5,%d" % (row, row * 7 % 1000, row * 3) for row in range(200_000))
    told: list[tuple[float, str]] = []
    table = reader.read(
        b"a,b,c\n" + rows, "long.csv", lambda share, what: told.append((share, what))
    )
    assert table.rows == 200_000
    shares = [share for share, _what in told]
    assert len(set(shares)) > 2 and 0 < max(shares) <= 1
    assert shares == sorted(shares)
    assert all(what for _share, what in told)

"""What all visitors share: runs by token, tables, and a tidy end."""

import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gruviz.errors import GruvizError, PassingError
from gruviz.experiment import Experiment, TableTask
from gruviz.experiment.course import Course
from gruviz.runs import Classroom, Run, Status, Study, StudyStatus, classroom
from gruviz.runs.housekeeping import give_back
from gruviz.runs.pool import Seat
from gruviz.studies import RangeTest

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


def test_an_experiment_without_data_is_no_run_and_nothing_is_made_of_it_in_this_process(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = PassingError("not here")

    def refuse(*_arguments: object) -> None:
        raise refusal

    monkeypatch.setattr(sys.modules["gruviz.runs.classroom"], "known", lambda *_: None)
    monkeypatch.setattr(room._previews, "do", refuse)
    with pytest.raises(PassingError) as caught:
        room.start(Experiment(task=TableTask(source="0" * 64)), "me")
    assert caught.value is refusal
    assert len(room.register) == 0


def test_a_visitor_who_starts_205_runs_pushes_out_their_own_and_nobody_elses(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_RUNS", "5")
    others = [room.start(Experiment(), "other").token for _each in range(5)]
    mine = [room.start(Experiment(), "me").token for _each in range(205)]
    assert all(room.find(token) is not None for token in others)
    assert [room.find(token) is not None for token in mine] == [False] * 200 + [True] * 5


def test_what_trains_or_was_watched_last_outlives_the_rest(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_RUNS", "4")
    tokens = [room.start(Experiment(), "me").token for _each in range(4)]
    trains, watched = room.find(tokens[0]), room.find(tokens[1])
    assert trains is not None and watched is not None
    trains.status = Status.RUNNING
    watched.watch()
    del trains, watched
    tokens += [room.start(Experiment(), "me").token for _each in range(2)]
    there = [room.find(token) is not None for token in tokens]
    assert there == [True, True, False, False, True, True]


def test_a_run_that_an_open_tab_holds_is_found_whatever_others_do(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_RUNS", "1")
    pinned = room.start(Experiment(), "me")
    current = room.start(Experiment(), "me")
    room.start(Experiment(), "me")
    room.tidy(time.monotonic() + 1e6)
    assert [room.find(run.token) for run in (pinned, current)] == [pinned, current]
    token = pinned.token
    del pinned
    assert room.find(token) is None


def test_a_run_that_nobody_holds_is_let_go_of_after_a_while(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_KEEP_MINUTES", "10")
    run = room.start(Experiment(), "me")
    token, watched_at = run.token, run.watched_at
    del run
    room.tidy(watched_at + 599)
    assert room.find(token) is not None
    room.tidy(watched_at + 601)
    assert room.find(token) is None


def test_past_the_bytes_for_all_the_runs_of_whoever_has_most_go_first(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_RUNS_MB", "10")
    monkeypatch.setattr(Run, "size", 2_000_000)
    little = [room.start(Experiment(), "little").token for _each in range(2)]
    much = [room.start(Experiment(), "much").token for _each in range(6)]
    room.tidy()
    assert all(room.find(token) is not None for token in little)
    assert [room.find(token) is not None for token in much] == [False] * 3 + [True] * 3


def test_past_the_bytes_for_all_what_trains_goes_last(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_RUNS_MB", "10")
    monkeypatch.setattr(Run, "size", 2_000_000)
    tokens = [room.start(Experiment(), "me").token for _each in range(7)]
    trains = room.find(tokens[0])
    assert trains is not None
    trains.status = Status.RUNNING
    del trains
    room.tidy()
    there = [room.find(token) is not None for token in tokens]
    assert there == [True, False, False, True, True, True, True]


def test_past_the_bytes_for_all_nothing_is_let_go_of_that_a_tab_holds_anyway(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_RUNS_MB", "10")
    monkeypatch.setattr(Run, "size", 2_000_000)
    shown = [room.start(Experiment(), "tab") for _each in range(5)]
    others = [room.start(Experiment(), "other").token for _each in range(2)]
    own = room.start(Experiment(), "tab").token
    room.tidy()
    assert len(room.register._kept) == 5
    assert [room.find(token) for token in (own, *others)] == [None] * 3
    tokens = [run.token for run in shown]
    shown.clear()
    room.tidy()
    assert all(room.find(token) is not None for token in tokens)


def test_memory_is_given_back_when_runs_have_gone_and_not_all_the_time(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    now = begin = time.monotonic()
    monkeypatch.setattr(
        sys.modules["gruviz.runs.classroom"], "give_back", lambda: times.append(now)
    )
    for number in range(3):
        room.start(Experiment(), f"visitor {number}")
    room.tidy(now)
    assert times == []
    now = begin + 1000
    room.tidy(now)
    room.start(Experiment(), "one more")
    room.tidy(now + 1)
    assert times == [begin + 1000]
    room.have_freed()
    now += 11
    room.tidy(now)
    assert times == [begin + 1000, begin + 1011]
    give_back()


def test_after_a_refresh_a_run_counts_as_the_new_tabs(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_RUNS", "2")
    token = room.start(Experiment(), "before").token
    run = room.find(token)
    assert run is not None
    room.adopt(run, "after")
    assert isinstance(run._executor, Seat) and run._executor.visitor == "after"
    charged: list[tuple[str, float]] = []
    monkeypatch.setattr(room.pool, "charge", lambda *what: charged.append(what))
    room.charge(run, 0.5)
    assert charged == [("after", 0.5)]
    del run
    for _each in range(5):
        room.start(Experiment(), "before")
    assert room.find(token) is not None
    for _each in range(2):
        room.start(Experiment(), "after")
    assert room.find(token) is None


def test_after_a_refresh_its_uploads_are_the_new_tabs(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_TABLES", "1")
    run = room.start(Experiment(), "before")
    first = room.uploads.keep(ROWS, "mine.csv", "before")
    room.adopt(run, "after")
    second = room.uploads.keep(ROWS + b"3\n", "mine.csv", "after")
    assert set(room.tables.held()) == {second} != {first}


def test_uploads_that_nobody_uses_are_forgotten(room: Classroom) -> None:
    digest = room.uploads.keep(ROWS, "mine.csv", "me")
    os.utime(room.tables.folder / digest, (0, 0))
    room.tidy(time.monotonic() + 10)
    assert not room.tables.held()


def test_the_oldest_study_makes_room_for_one_too_many(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_STUDIES", "2")
    monkeypatch.setattr(Study, "_submit", lambda _study: None)
    begin = RangeTest.begin(seeds=1, steps=10)
    other = room.study(Experiment(), begin, "other")
    mine = [room.study(Experiment(), begin, "me") for _each in range(2)]
    for study in (other, *mine):
        study.start()
    mine.append(room.study(Experiment(), begin, "me"))
    assert [study.status for study in mine[:2]] == [StudyStatus.RUNNING] * 2
    mine[2].start()
    running, cancelled = StudyStatus.RUNNING, StudyStatus.CANCELLED
    assert other.status is running
    assert [study.status for study in mine] == [cancelled, running, running]
    mine[0].start()  # "Go on"
    assert [study.status for study in mine] == [running, cancelled, running]
    mine[2].cancel()
    mine[1].start()
    mine[2].unwatched = True
    mine[2].watch()
    assert [study.status for study in mine] == [cancelled, running, running]


def test_what_a_running_study_reads_is_in_use(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Study, "_submit", lambda _study: None)
    digest = "0" * 64
    experiment = Experiment(task=TableTask(source=f'{digest}?{{"separator":";"}}'))
    study = room.study(experiment, RangeTest.begin(seeds=1, steps=10), "me")
    assert room._in_use() == set()
    study.start()
    assert room._in_use() == {digest}
    study.cancel()
    assert room._in_use() == set()


def test_what_a_run_reads_is_in_use_while_it_trains_or_somebody_looks_at_it(
    room: Classroom,
) -> None:
    digest, now = "0" * 64, [100.0]
    course = Course(Experiment(task=TableTask(source=f'{digest}?{{"separator":";"}}')))
    run = Run(course, room.pool, room.tables, lambda: 0.2, clock=lambda: now[0])
    room.register.put("me", run)
    now[0] += 15
    assert room._in_use() == {digest}
    now[0] += 0.001
    assert room._in_use() == set()
    run.status = Status.RUNNING
    assert room._in_use() == {digest}


@pytest.mark.parametrize(("workers", "readings"), [(1, 1), (2, 1), (3, 2)])
def test_one_worker_stays_free_of_reading(workers: int, readings: int) -> None:
    made = Classroom(workers)
    assert made._readings._most == readings
    made.close()


def test_a_classroom_keeps_its_memory_together_and_is_tidied_in_rounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = sys.modules["gruviz.runs.classroom"]
    done: list[object] = []

    class Rounds:
        def __init__(self, look: object) -> None:
            done.append(look)

        def stop(self) -> None:
            done.append("stopped")

    monkeypatch.setattr(module, "Housekeeping", Rounds)
    monkeypatch.setattr(module, "keep_together", lambda: done.append("together"))
    made = classroom.__wrapped__()
    made.close()
    assert done == ["together", made.tidy, "stopped"]


def test_a_round_looks_after_the_workers_at_its_own_time(
    room: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    times: list[float] = []
    monkeypatch.setattr(room.pool, "tidy", times.append)
    now = time.monotonic()
    room.tidy(now)
    assert now in times


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

"""Whose the uploads are, and who has to go."""

import os
import shutil
import time
from pathlib import Path

import pytest

from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.runs.uploads import Uploads, digests, leaving

MB = 10**6


class Room:
    """Uploads, each used a second after the one before."""

    def __init__(self, folder: Path) -> None:
        self.tables = TableStore(folder)
        self.spared: set[str] = set()
        self.uploads = Uploads(self.tables, lambda: self.spared)
        self.now = 0
        self.names: dict[str, str] = {}

    def keep(self, visitor: str, number: int, size: int = 100) -> str:
        digest = self.uploads.keep(f"{visitor}{number}".encode().ljust(size), "x.csv", visitor)
        self.names[digest] = f"{visitor}{number}"
        self.use(digest)
        return digest

    def use(self, digest: str) -> None:
        self.now += 1
        os.utime(self.tables.folder / digest, (self.now, self.now))

    @property
    def held(self) -> set[str]:
        return {self.names[digest] for digest in self.tables.held()}


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("GRUVIZ_MAX_TABLES", "3")
    return Room(tmp_path)


def test_a_visitors_own_oldest_makes_room_and_nobody_elses(room: Room) -> None:
    room.keep("b", 0)
    for number in range(50):
        room.keep("a", number)
    assert room.held == {"b0", "a47", "a48", "a49"}


def test_use_refreshes_the_order(room: Room) -> None:
    first = room.keep("a", 0)
    for number in (1, 2):
        room.keep("a", number)
    room.use(first)
    room.keep("a", 3)
    assert room.held == {"a0", "a2", "a3"}


def test_what_a_live_run_reads_stays(room: Room) -> None:
    room.spared = {room.keep("a", 0), room.keep("a", 1)}
    for number in range(2, 10):
        room.keep("a", number)
    assert room.held == {"a0", "a1", "a9"}
    room.spared = {room.keep("a", 10), *room.spared}
    with pytest.raises(GruvizError) as caught:
        room.keep("a", 11)
    assert str(caught.value) == (
        "A tab may keep 3 files or 200 MB, and runs still need yours; pause them or upload less."
    )
    assert room.held == {"a0", "a1", "a10"}


def test_a_visitor_is_bounded_by_bytes(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_TABLES_MB", "20")
    room.keep("b", 0, 9 * MB)
    for number in range(3):
        room.keep("a", number, 9 * MB)
    assert room.held == {"b0", "a1", "a2"}


def test_where_all_is_full_whoever_holds_most_lets_go_of_the_oldest(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tab that is opened anew is another visitor: five of them push out one another, not a class."""
    monkeypatch.setenv("GRUVIZ_MAX_ALL_TABLES_MB", "21")
    for pupil in "abcd":
        room.keep(pupil, 0, MB)
    for tab in "vwxyz":
        for number in range(2):
            room.keep(tab, number, 4 * MB)
    assert room.held == {"a0", "b0", "c0", "d0", "w1", "x1", "y1", "z1"}
    room.keep("e", 0, MB)
    assert room.held == {"a0", "b0", "c0", "d0", "e0", "x1", "y1", "z1"}


def test_what_two_have_stays_with_the_other_when_whoever_holds_most_lets_go(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_ALL_TABLES_MB", "20")
    shared = room.keep("a", 0, 4 * MB)
    room.uploads.own(shared, "z")
    for number in (1, 2):
        room.keep("z", number, 5 * MB)
    room.keep("b", 0, 7 * MB)
    assert room.held == {"a0", "z2", "b0"}


def test_where_all_have_as_much_those_used_least_lately_go(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_ALL_TABLES_MB", "20")
    for visitor in "abcd":
        room.keep(visitor, ord(visitor), 6 * MB)
    assert room.held == {"b98", "c99", "d100"}
    room.keep("d", 0, 6 * MB)
    assert room.held == {"b98", "c99", "d0"}
    room.spared = set(room.tables.held())
    with pytest.raises(GruvizError) as caught:
        room.keep("e", 0, 6 * MB)
    assert str(caught.value) == (
        "There is no room for this file: runs need all that is kept here; try again later."
    )
    assert room.held == {"b98", "c99", "d0"}


def test_what_a_live_run_reads_stays_though_it_is_the_oldest_of_all_where_all_is_full(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_ALL_TABLES_MB", "20")
    room.spared = {room.keep("a", 0, 6 * MB)}
    for visitor in "bcd":
        room.keep(visitor, 0, 6 * MB)
    assert room.held == {"a0", "c0", "d0"}


def test_all_uploads_take_at_most_a_third_of_a_small_file_system(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(room.tables.folder)._replace(total=30 * MB)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    for visitor in "abc":
        room.keep(visitor, ord(visitor), 4 * MB)
    assert room.held == {"b98", "c99"}


def test_equal_files_are_kept_as_long_as_anybody_has_them(room: Room) -> None:
    shared = room.keep("a", 0)
    room.uploads.own(shared, "b")
    for number in range(1, 4):
        room.keep("a", number)
    assert room.held == {"a0", "a1", "a2", "a3"}
    room.uploads.leave(shared, "b")
    assert room.held == {"a1", "a2", "a3"}


def grow(room: Room, digest: str, way: int, size: int) -> None:
    """A file is read, in one way or another, and takes that much more."""
    folder = room.tables.folder / digest / f"read-{way}"
    folder.mkdir()
    (folder / "frame.arrow").write_bytes(bytes(size))
    os.utime(folder, (way, way))
    room.use(digest)


def test_what_a_file_becomes_is_charged(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_TABLES_MB", "20")
    room.spared = {room.keep("b", 0)}
    first, second = room.keep("a", 0), room.keep("a", 1)
    monkeypatch.setattr(time, "time", lambda: float(room.now))
    for way in range(4):
        grow(room, first, way, 4 * MB)
    grow(room, second, 0, 9 * MB)
    room.uploads.tidy(0)  # other ways of reading go first, and those that were used last stay
    assert {path.name for path in (room.tables.folder / first).glob("read-*")} == {"read-3"}
    assert room.held == {"b0", "a0", "a1"}
    grow(room, second, 1, 2 * MB)
    grow(room, first, 4, 18 * MB)
    room.uploads.tidy(1)  # not yet again
    assert room.held == {"b0", "a0", "a1"}
    room.uploads.tidy(5)
    assert room.held == {"b0", "a0"}


def test_what_a_live_run_reads_stays_though_files_became_too_much(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_TABLES_MB", "20")
    monkeypatch.setattr(time, "time", lambda: float(room.now))
    digests = [room.keep("a", number) for number in range(3)]
    for digest in digests:
        grow(room, digest, 0, 9 * MB)
    room.spared = {digests[0]}
    room.uploads.tidy(0)
    assert room.held == {"a0", "a2"}


def test_what_files_become_is_charged_to_all(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_ALL_TABLES_MB", "20")
    monkeypatch.setattr(time, "time", lambda: float(room.now))
    for visitor in "abc":
        grow(room, room.keep(visitor, 0), 0, 6 * MB)
    room.uploads.tidy(0)
    assert room.held == {"a0", "b0", "c0"}
    grow(room, room.keep("d", 0), 0, 5 * MB)
    room.uploads.tidy(5)
    assert room.held == {"b0", "c0", "d0"}


def test_what_nobody_has_used_for_twelve_times_as_long_as_a_run_is_kept_is_forgotten(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_KEEP_MINUTES", "10")
    room.keep("a", 0)
    room.spared = {room.keep("a", 1)}
    room.keep("a", 2)
    monkeypatch.setattr(time, "time", lambda: 7200.0 + 1)
    room.uploads.tidy(0)
    assert room.held == {"a0", "a1", "a2"}
    monkeypatch.setattr(time, "time", lambda: 7200.0 + 2.5)
    room.uploads.tidy(5)
    assert room.held == {"a1", "a2"}


def test_after_a_refresh_what_was_the_old_tabs_is_the_new_ones(room: Room) -> None:
    shared = room.keep("before", 0)
    room.uploads.own(shared, "other")
    room.keep("before", 1)
    room.uploads.move("before", "after")
    for number in range(2, 5):
        room.keep("after", number)
    assert room.held == {"before0", "after2", "after3", "after4"}
    room.uploads.leave(shared, "other")
    assert room.held == {"after2", "after3", "after4"}


def test_a_file_that_is_there_takes_no_more_room(room: Room) -> None:
    for _time in range(5):
        for number in range(3):
            room.keep("a", number)
    assert room.held == {"a0", "a1", "a2"}


def test_who_leaves_is_decided_by_use_and_by_nothing_else() -> None:
    held = {"a": (3.0, 5), "b": (1.0, 5), "c": (2.0, 5)}
    assert leaving(held, 5, 4, 20, ()) == []
    assert leaving(held, 6, 4, 20, ()) == ["b"]
    assert leaving(held, 5, 2, 20, ()) == ["b", "c"]
    assert leaving(held, 6, 4, 20, {"b"}) == ["c"]
    assert leaving(held, 21, 9, 20, ()) is None


def test_a_source_is_a_file_however_it_is_read() -> None:
    assert digests(["abc", 'abc?{"footer":2}', "d"]) == {"abc", "d"}

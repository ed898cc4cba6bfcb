"""What is looked after from time to time, and memory that goes back to the system."""

import ctypes
import gc
import threading
import weakref
from types import SimpleNamespace

import pytest

from gruviz.runs import housekeeping
from gruviz.runs.housekeeping import Housekeeping, give_back, keep_together


class Library:
    """The part of glibc that is asked for, and what was asked of it."""

    def __init__(self) -> None:
        self.chosen: list[tuple[int, int]] = []
        self.trimmed: list[int] = []

    def mallopt(self, what: int, value: int) -> None:
        self.chosen.append((what, value))

    def malloc_trim(self, left: int) -> None:
        self.trimmed.append(left)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    found = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: found)
    return found


def test_all_threads_share_two_heaps_and_blocks_of_a_megabyte_have_pages_of_their_own(
    library: Library,
) -> None:
    keep_together()
    arenas, threshold = -8, -3  # as malloc.h has them
    assert library.chosen == [(arenas, 2), (threshold, 1_048_576)]


class Circle:
    """Refers to itself: only a search for cycles finds that nobody else does."""

    def __init__(self) -> None:
        self.own = self


def test_what_is_given_back_is_what_cycles_held_too(library: Library) -> None:
    gc.disable()
    try:
        held = weakref.ref(Circle())
        assert held() is not None
        give_back()
        assert held() is None
    finally:
        gc.enable()
    assert library.trimmed == [0]


def test_where_the_system_lets_nobody_ask_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: SimpleNamespace())
    keep_together()
    give_back()


def test_a_round_that_fails_is_logged_and_another_one_follows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(housekeeping, "EVERY_SECONDS", 0.0)
    rounds, second = [0], threading.Event()

    def look() -> None:
        rounds[0] += 1
        if rounds[0] == 1:
            raise OSError("full")
        second.set()

    keeper = Housekeeping(look)
    assert second.wait(20)
    keeper.stop()
    assert [record.getMessage() for record in caplog.records] == ["housekeeping failed"]

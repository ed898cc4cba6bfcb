"""What a page asks workers for and waits for: joined, a few at a time, refusals remembered."""

import gc
import threading
import weakref
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from typing import Any, cast

import pytest

from gruviz.errors import GruvizError, PassingError
from gruviz.runs.errands import Errands
from gruviz.runs.pool import Closed, Grown, Hung, NoWorker, Pool

DIED = "The worker did not survive it."


class Workers:
    """A pool whose work ends when a test says so."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Future[Any]]] = []
        self.arrived = threading.Condition()

    def seat(self, visitor: str) -> Executor:
        return cast(Executor, Seat(self, visitor))

    def wait_for(self, count: int) -> list[str]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.taken) >= count, 10)
            return [name for name, _future in self.taken]


class Seat:
    def __init__(self, workers: Workers, visitor: str) -> None:
        self.workers, self.visitor = workers, visitor

    def submit(self, _work: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self.workers.arrived:
            self.workers.taken.append((f"{self.visitor}:{arguments[0]}", future))
            self.workers.arrived.notify_all()
        return future


class Asker(threading.Thread):
    """Somebody who waits for an errand, until `gone` is set."""

    def __init__(self, errands: Errands[Any], visitor: str, file: str) -> None:
        super().__init__(daemon=True)
        self.errands, self.visitor, self.file = errands, visitor, file
        self.gone, self.looked = threading.Event(), threading.Event()
        self.seen: list[bool] = []
        self.result: Any = None
        self.start()
        assert self.looked.wait(10)

    def look(self, begun: bool) -> None:
        self.seen.append(begun)
        self.looked.set()
        if self.gone.is_set():
            raise KeyboardInterrupt

    def run(self) -> None:
        try:
            self.result = self.errands.do(self.file, self.visitor, self.look, len, self.file)
        except BaseException as error:
            self.result = error
        self.looked.set()


@pytest.fixture
def workers() -> Workers:
    return Workers()


def errands(workers: Workers, most: int = 1) -> Errands[Any]:
    return Errands(cast(Pool, workers), most, DIED)


def test_equal_errands_are_done_once_and_all_who_wait_get_the_result(workers: Workers) -> None:
    made = errands(workers)
    askers = [Asker(made, visitor, "file") for visitor in ("a", "a", "b")]
    assert workers.wait_for(1) == ["a:file"]
    workers.taken[0][1].set_result("table")
    for asker in askers:
        asker.join(10)
    assert [asker.result for asker in askers] == ["table"] * 3
    assert len(workers.taken) == 1


def test_only_so_many_are_under_way_and_the_others_are_told_that_they_wait(
    workers: Workers,
) -> None:
    made = errands(workers)
    first, second = Asker(made, "a", "one"), Asker(made, "b", "two")
    assert workers.wait_for(1) == ["a:one"]
    assert (first.seen[-1], second.seen[-1]) == (True, False)
    workers.taken[0][1].set_result(1)
    assert workers.wait_for(2) == ["a:one", "b:two"]
    workers.taken[1][1].set_result(2)
    second.join(10)
    assert second.result == 2


def test_who_has_least_under_way_goes_first(workers: Workers) -> None:
    made = errands(workers, 2)
    for visitor, file in (("a", "1"), ("a", "2"), ("a", "3"), ("a", "4"), ("b", "5")):
        Asker(made, visitor, file)
    assert workers.wait_for(2) == ["a:1", "a:2"]
    workers.taken[0][1].set_result(1)
    assert workers.wait_for(3)[2] == "b:5"


def test_a_page_that_is_drawn_anew_joins_what_is_under_way(workers: Workers) -> None:
    made = errands(workers)
    first = Asker(made, "a", "file")
    first.gone.set()
    first.join(10)
    again = Asker(made, "a", "file")
    workers.taken[0][1].set_result("table")
    again.join(10)
    assert (again.result, len(workers.taken)) == ("table", 1)


def test_what_nobody_waits_for_any_more_is_never_begun(workers: Workers) -> None:
    made = errands(workers)
    Asker(made, "a", "one")
    leaving = Asker(made, "b", "two")
    leaving.gone.set()
    leaving.join(10)
    workers.taken[0][1].set_result(1)
    assert Asker(made, "c", "three").seen
    assert workers.wait_for(2) == ["a:one", "c:three"]


def test_a_refusal_is_remembered_and_one_that_will_pass_is_not(workers: Workers) -> None:
    made = errands(workers)
    for error, submitted in ((PassingError("later"), 1), (GruvizError("never"), 2)):
        asker = Asker(made, "a", "file")
        workers.taken[-1][1].set_exception(error)
        asker.join(10)
        assert str(asker.result) == str(error)
        assert len(workers.taken) == submitted

    def look(_begun: bool) -> None:
        pytest.fail("it is tried again")

    with pytest.raises(GruvizError, match="never"):
        made.do("file", "b", look, len, "file")
    assert len(workers.taken) == 2


def test_what_kills_its_worker_twice_is_given_up_and_may_be_asked_for_again(
    workers: Workers,
) -> None:
    made = errands(workers)
    asker = Asker(made, "a", "file")
    for count in (1, 2):
        workers.wait_for(count)
        workers.taken[count - 1][1].set_exception(BrokenExecutor())
    asker.join(10)
    assert (type(asker.result), str(asker.result)) == (PassingError, DIED)
    assert len(workers.taken) == 2
    again = Asker(made, "a", "file")
    workers.wait_for(3)
    workers.taken[2][1].set_result("table")
    again.join(10)
    assert again.result == "table"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (NoWorker("none"), "The server has no room for a training process now."),
        (Hung("60 s"), DIED),
        (Grown("3 GB"), DIED),
        (Closed("shut down"), "The server is being shut down; try again later."),
    ],
)
def test_what_would_end_so_again_is_not_tried_twice_but_may_be_asked_for_later(
    workers: Workers, error: Exception, sentence: str
) -> None:
    made = errands(workers)
    for submitted in (1, 2):
        asker = Asker(made, "a", "file")
        workers.wait_for(submitted)
        workers.taken[-1][1].set_exception(error)
        asker.join(10)
        assert (type(asker.result), str(asker.result)) == (PassingError, sentence)
        assert len(workers.taken) == submitted


class File(set[str]):
    """Anything that can be referred to weakly."""


def test_what_was_sent_goes_when_it_is_refused_and_waits_for_no_search_of_cycles(
    workers: Workers,
) -> None:
    made = errands(workers)

    def refuse() -> None:
        workers.wait_for(1)
        workers.taken[0][1].set_exception(GruvizError("no table"))

    def ask(file: File) -> "weakref.ref[File]":
        refusing = threading.Thread(target=refuse, daemon=True)
        refusing.start()
        with suppress(GruvizError):
            made.do("a", "ann", lambda _begun: None, len, "a")
        refusing.join()
        workers.taken.clear()
        return weakref.ref(file)

    gc.disable()
    try:
        left = ask(File())
        assert left() is None
    finally:
        gc.enable()

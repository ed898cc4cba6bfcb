"""What a page asks workers for and waits for: a file to be read, a data set to be looked at.

Equal errands are done once, however often a page is drawn anew while it waits; only so many are under
way at a time, and of those that wait the one goes first whose visitor has least under way.
"""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from gruviz.data.latest import Latest
from gruviz.errors import GruvizError, PassingError
from gruviz.runs.pool import Closed, Lost, NoWorker, Pool
from gruviz.words import _

LOOK_SECONDS = 0.1
MOST_TRIES = 2  # of an errand whose worker dies
REFUSALS_BYTES = 1_000_000

T = TypeVar("T")


@dataclass(eq=False)
class _Errand(Generic[T]):
    visitor: str
    work: Callable[..., T]
    arguments: tuple[Any, ...]
    result: Future[T] = field(default_factory=Future)
    begun: bool = False
    asked: int = 0  # how many wait for it
    tries: int = 0


class Errands(Generic[T]):
    """At most `most` errands at a time in the workers of a pool. What ended in a refusal is not
    tried again: the same sentence is raised at once. died: what is said if the worker did not
    survive it; that may have been for others, so it may be tried again."""

    def __init__(self, pool: Pool, most: int, died: str) -> None:
        self._pool = pool
        self._died = died
        self._most = most
        self._lock = threading.RLock()
        self._errands: dict[Hashable, _Errand[T]] = {}  # in the order in which they were asked for
        self._refusals = Latest[str](REFUSALS_BYTES, len)

    def do(
        self,
        key: Hashable,
        visitor: str,
        look: Callable[[bool], None],
        work: Callable[..., T],
        /,
        *arguments: Any,
    ) -> T:
        """What `work` returns in a worker; equal keys mean equal work.

        look: called again and again until then, with whether the errand is under way. What it
        raises goes through; the errand goes on if it has begun, and is dropped if nobody else waits.
        Raises PassingError if there was no worker for it, or none that survived it.
        """
        if (sentence := self._refusals.get(key)) is not None:
            raise GruvizError(sentence)
        with self._lock:
            errand = self._errands.get(key)
            if errand is None:
                errand = self._errands[key] = _Errand(visitor, work, arguments)
            errand.asked += 1
            self._begin()
        try:
            while not wait([errand.result], LOOK_SECONDS).done:
                look(errand.begun)
            return errand.result.result()
        except NoWorker as error:  # said here: only who asks has a language
            raise PassingError(_(NoWorker.said)) from error
        except BrokenExecutor as error:
            raise PassingError(_(self._died)) from error
        except Closed as error:
            raise PassingError(_("The server is being shut down; try again later.")) from error
        finally:
            with self._lock:
                errand.asked -= 1
                if not errand.asked and not errand.begun:
                    self._errands.pop(key, None)
            # An error refers to this frame and those that called it: with the way back to the error
            # they, and the file of whoever asked, would stay until cycles are looked for.
            del errand

    def _begin(self) -> None:
        """Submit those whose turn it is."""
        while True:
            under_way = [each.visitor for each in self._errands.values() if each.begun]
            waiting = [(key, each) for key, each in self._errands.items() if not each.begun]
            if not waiting or len(under_way) >= self._most:
                return
            key, errand = min(waiting, key=lambda pair: under_way.count(pair[1].visitor))
            errand.begun = True
            self._submit(key, errand)

    def _submit(self, key: Hashable, errand: _Errand[T]) -> None:
        errand.tries += 1
        try:
            seat = self._pool.seat(errand.visitor)
            future = seat.submit(errand.work, *errand.arguments)
        except Exception as error:  # no worker, or the server is going down
            self._end(key, errand, error)
        else:
            future.add_done_callback(lambda done: self._receive(key, errand, done))

    def _receive(self, key: Hashable, errand: _Errand[T], future: Future[T]) -> None:
        with self._lock:
            error = future.exception()
            final = isinstance(error, Lost) and error.final
            again = errand.tries < MOST_TRIES and errand.asked and not final
            if isinstance(error, BrokenExecutor) and again:
                self._submit(key, errand)
                return
            if error is None:
                self._errands.pop(key, None)
                errand.result.set_result(future.result())
                self._begin()
            else:
                self._end(key, errand, error)

    def _end(self, key: Hashable, errand: _Errand[T], error: BaseException) -> None:
        self._errands.pop(key, None)
        if isinstance(error, GruvizError) and not isinstance(error, PassingError):
            self._refusals.put(key, str(error))
        errand.result.set_exception(error)
        self._begin()

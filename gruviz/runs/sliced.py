"""Work that is done elsewhere, slice by slice: what runs and studies share."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, Generic, TypeVar

from gruviz.errors import GruvizError
from gruviz.runs.pool import Closed

UNWATCHED_SECONDS = 15.0
MOST_TRIES = 5

log = logging.getLogger(__name__)

Part = TypeVar("Part")


class Sliced(ABC, Generic[Part]):
    """Hands in one slice at a time, takes its result, and tries again when a worker was killed.

    `unwatched`: whether it stopped because nobody was looking. `error`: what stopped it.
    """

    def __init__(self, executor: Executor, clock: Callable[[], float]) -> None:
        self.error: Exception | None = None
        self.unwatched = False
        self.watched_at = clock()
        self._executor = executor
        self._clock = clock
        self._lock = threading.RLock()
        self._in_flight = False
        self._tries = 0

    def watch(self) -> None:
        """Somebody is looking."""
        self.watched_at = self._clock()

    @property
    def _deserted(self) -> bool:
        return self._clock() - self.watched_at > UNWATCHED_SECONDS

    def _hand_in(
        self, work: Callable[..., Part], /, *arguments: Any, again: Callable[[], None]
    ) -> None:
        """Submit a slice. `again` is called, to hand in the same one, if its worker dies."""
        try:
            future = self._executor.submit(work, *arguments)
        except Closed:  # the server is going down
            self._close()
            return
        except Exception as error:
            log.exception("a slice could not be submitted")
            self._fail(error)
            return
        self._in_flight = True
        future.add_done_callback(lambda done: self._receive(done, again))

    def _receive(self, future: Future[Part], again: Callable[[], None]) -> None:
        with self._lock:
            self._in_flight = False
            try:
                part = future.result()
            except BrokenExecutor as error:
                self._tries += 1
                if self._tries < MOST_TRIES:
                    again()
                else:
                    self._tries = 0
                    self._give_up(error)
            except Closed:
                self._close()
            except Exception as error:
                if not isinstance(error, GruvizError):
                    log.exception("a slice failed")
                self._fail(error)
            else:
                self._tries = 0
                self._absorb(part)

    @abstractmethod
    def _absorb(self, part: Part) -> None:
        """Take the result of a slice, and hand in the next one if there is one."""

    @abstractmethod
    def _fail(self, error: Exception) -> None:
        """Software or data is at fault."""

    @abstractmethod
    def _give_up(self, error: Exception) -> None:
        """Workers died MOST_TRIES times in a row."""

    @abstractmethod
    def _close(self) -> None:
        """The pool was shut down."""

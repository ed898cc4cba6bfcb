"""Work that is done elsewhere, slice by slice: what runs and studies share."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any, Generic, TypeVar

from gruviz.data.shelf import IN_USE_SECONDS
from gruviz.errors import GruvizError, PassingError
from gruviz.runs.pool import Closed, Lost

UNWATCHED_SECONDS = IN_USE_SECONDS  # for so long its data must not go
MOST_TRIES = 2  # a slice that killed two workers, in which it was alone, would kill a third

log = logging.getLogger(__name__)

Part = TypeVar("Part")


class Sliced(ABC, Generic[Part]):
    """Hands in one slice at a time, takes its result, and tries again when a worker was killed.

    `unwatched`: whether it stopped because nobody was looking; it goes on when somebody does.
    `error`: what stopped it. `language`: of who asked for it, in which that is said.
    """

    def __init__(self, executor: Executor, clock: Callable[[], float]) -> None:
        self.error: Exception | None = None
        self.language: str | None = None
        self.unwatched = False
        self.watched_at = clock()
        self._executor = executor
        self._clock = clock
        self._lock = threading.RLock()
        self._in_flight = False
        self._tries = 0

    def watch(self) -> None:
        """Somebody is looking: if it stopped because nobody was, it goes on."""
        self.watched_at = self._clock()
        if self.unwatched:
            self._resume()

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
        except (Lost, OSError) as error:  # the machine has no room; what was found is still there
            log.warning("a slice could not be submitted: %s", error)
            self._give_up(error)
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
                if self._tries < MOST_TRIES and not (isinstance(error, Lost) and error.final):
                    again()
                else:
                    self._tries = 0
                    self._give_up(error)
            except (PassingError, OSError) as error:  # a full machine: there may be room later
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
        """What stopped it will pass, or may: no room, no data, no worker, or one that died too often."""

    @abstractmethod
    def _resume(self) -> None:
        """Go on after a time in which nobody was looking."""

    @abstractmethod
    def _close(self) -> None:
        """The pool was shut down."""

"""A study: the handle, in the page's process, of a measurement that is made elsewhere in slices."""

import time
from collections.abc import Callable
from concurrent.futures import Executor
from enum import Enum
from typing import Any, Generic

from gruviz.data.store import TableStore
from gruviz.experiment import Experiment
from gruviz.runs import worker
from gruviz.runs.sliced import Sliced
from gruviz.studies import S


class StudyStatus(Enum):
    """Where a study stands. A cancelled one may go on from there."""

    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Study(Sliced[S], Generic[S]):
    """Takes a state of `gruviz.studies` to its end, one slice at a time, beside whatever trains.

    It only reads the experiment and the checkpoints it was given: no run is touched. `state` is what
    is known so far. begins: called whenever it is about to be under way.

    If nobody calls `watch` for UNWATCHED_SECONDS it stops until somebody does.
    """

    def __init__(
        self,
        experiment: Experiment,
        state: S,
        executor: Executor,
        tables: TableStore,
        slice_seconds: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        begins: Callable[["Study[Any]"], None] = lambda _study: None,
    ) -> None:
        super().__init__(executor, clock)
        self.experiment = experiment
        self.state = state
        self.status = StudyStatus.CANCELLED
        self.tables = tables
        self._slice_seconds = slice_seconds
        self._begins = begins

    @property
    def progress(self) -> float:
        """From 0 to 1."""
        return self.state.progress

    @property
    def result(self) -> S | None:
        """What was found; None as long as it isn't finished."""
        return self.state if self.status is StudyStatus.FINISHED else None

    def start(self) -> None:
        """Begin, or go on where it was cancelled."""
        if self.status is StudyStatus.CANCELLED:
            self._begins(self)  # without the lock: it may cancel others
        with self._lock:
            self._begin()

    def _begin(self) -> None:
        if self.status is StudyStatus.CANCELLED:
            self.status = StudyStatus.RUNNING
            self.unwatched, self.error = False, None
            self.watch()
            self._submit()

    def cancel(self) -> None:
        """Stop after the slice under way, and keep what was found."""
        with self._lock:
            self.unwatched = False
            if self.status is StudyStatus.RUNNING:
                self.status = StudyStatus.CANCELLED

    def _submit(self) -> None:
        if self.status is StudyStatus.RUNNING and not self._in_flight:
            self._hand_in(
                worker.proceed,
                self.experiment,
                self.state,
                self._slice_seconds(),
                self.tables,
                self.language,
                again=self._submit,
            )

    def _absorb(self, part: S) -> None:
        self.state = part
        if part.progress >= 1:
            self.status = StudyStatus.FINISHED
        elif self.status is StudyStatus.RUNNING and self._deserted:
            self.status, self.unwatched = StudyStatus.CANCELLED, True
        else:
            self._submit()

    def _fail(self, error: Exception) -> None:
        self.status, self.error = StudyStatus.FAILED, error

    def _give_up(self, error: Exception) -> None:
        self.status, self.error = StudyStatus.CANCELLED, error

    def _resume(self) -> None:
        self._begins(self)
        with self._lock:
            if self.unwatched:  # still
                self._begin()

    def _close(self) -> None:
        self.cancel()

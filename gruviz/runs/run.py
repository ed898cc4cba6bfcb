"""A run: the handle, in the page's process, of an experiment that trains elsewhere in slices."""

import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, with_live
from gruviz.record import Checkpoint, History, Slice, Snapshot
from gruviz.runs import worker
from gruviz.runs.pool import Closed

UNWATCHED_SECONDS = 15.0
MOST_TRIES = 5

log = logging.getLogger(__name__)


class Status(Enum):
    """Where a run stands. Diverged is an outcome; failed means that the software or data is at fault."""

    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    """Live knobs that were turned: from the update after `step` on, `after` holds."""

    step: int
    before: Experiment
    after: Experiment


class Run:
    """Trains slice by slice on an executor, one slice at a time; everybody may read, few may steer.

    Equal experiments and equal changes give equal histories, whatever happens to the workers.
    """

    def __init__(
        self,
        experiment: Experiment,
        executor: Executor,
        tables: TableStore,
        slice_seconds: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token = secrets.token_urlsafe(24)
        self.experiment = experiment
        self.status = Status.PAUSED
        self.history = History()
        self.checkpoint: Checkpoint | None = None
        self.snapshot: Snapshot | None = None
        self.changes: list[Change] = []
        self.diverged_at: int | None = None
        self.stopped: str | None = None  # the rule of STOPS that ended it
        self.anatomy: Mapping[str, Any] = {}  # the last step stage by stage, as in Slice
        self.unwatched = False
        self.sequences: int | None = None
        self.error: Exception | None = None
        self._executor = executor
        self.tables = tables
        self._slice_seconds = slice_seconds
        self._clock = clock
        self.watched_at = clock()
        self._lock = threading.RLock()
        self._in_flight = False
        self._trained_with = experiment
        self._tries = 0
        self._pace: deque[tuple[float, int]] = deque(maxlen=12)

    @property
    def step_count(self) -> int:
        return 0 if self.checkpoint is None else self.checkpoint.step

    @property
    def epoch(self) -> float | None:
        """How often the training data was seen; None until the first slice has counted it."""
        if self.sequences is None:
            return None
        return self.step_count / -(-self.sequences // self.experiment.batch(self.sequences))

    @property
    def speed(self) -> float | None:
        """Steps per second of wall time over the last few slices; None while there are too few."""
        if len(self._pace) < 2:
            return None
        (start, first), (end, last) = self._pace[0], self._pace[-1]
        return (last - first) / (end - start) if end > start else None

    @property
    def settling(self) -> bool:
        """Whether it is paused but for a slice, or a single step, that is still under way."""
        return self.status is Status.PAUSED and self._in_flight

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train."""
        return self.status in (Status.FINISHED, Status.DIVERGED, Status.FAILED)

    def train(self) -> None:
        """Train, from here on, until somebody pauses it or it is over."""
        with self._lock:
            if not self.over:
                self.status = Status.RUNNING
                self.unwatched, self.error = False, None
                self._pace.clear()
                self.watch()
                self._submit(self._slice_seconds() if self.step_count else 0.05, None)

    def pause(self) -> None:
        """Stop after the slice under way; nothing is lost."""
        with self._lock:
            if self.status is Status.RUNNING:
                self.status = Status.PAUSED

    def step(self, count: int = 1) -> None:
        """Make `count` updates and stay paused."""
        with self._lock:
            if self.status is Status.PAUSED:
                self.unwatched, self.error = False, None
                self.watch()
                self._submit(None, count)

    def adjust(self, wanted: Experiment, before: Experiment | None = None) -> None:
        """Take over the live knobs of `wanted` from the next slice on.

        With `before`, only those in which the two differ: another tab may have turned the others.
        """
        with self._lock:
            self.experiment = with_live(self.experiment, wanted, before)

    def watch(self) -> None:
        """Somebody is looking."""
        self.watched_at = self._clock()

    def _submit(self, seconds: float | None, steps: int | None) -> None:
        if self._in_flight:
            return
        experiment = self.experiment
        try:
            future = self._executor.submit(
                worker.advance, experiment, self.checkpoint, seconds, steps, self.tables
            )
        except Closed:  # the server is going down
            self.pause()
            return
        except Exception as error:
            log.exception("a slice could not be submitted")
            self.status, self.error = Status.FAILED, error
            return
        self._in_flight = True
        if experiment != self._trained_with:
            if self.checkpoint is not None:
                self.changes.append(Change(self.step_count, self._trained_with, experiment))
            self._trained_with = experiment
        future.add_done_callback(lambda done: self._absorb(done, steps))

    def _absorb(self, future: Future[Slice], steps: int | None) -> None:
        with self._lock:
            self._in_flight = False
            try:
                part = future.result()
            except BrokenExecutor as error:
                self._try_again(error, steps)
                return
            except Closed:
                self.pause()
                return
            except Exception as error:
                if not isinstance(error, GruvizError):
                    log.exception("a slice failed")
                self.status, self.error = Status.FAILED, error
                return
            self._tries = 0
            self.checkpoint = part.checkpoint
            self.snapshot = part.snapshot
            self.history.absorb(part)
            self.sequences = part.sequences
            self._pace.append((self._clock(), part.checkpoint.step))
            self.anatomy, self.stopped = part.anatomy, part.stopped
            if part.diverged_at is not None:
                self.status, self.diverged_at = Status.DIVERGED, part.diverged_at
            elif part.stopped is not None:
                self.status = Status.FINISHED
            elif self.status is Status.RUNNING:
                if self._clock() - self.watched_at > UNWATCHED_SECONDS:
                    self.status, self.unwatched = Status.PAUSED, True
                else:
                    self._submit(self._slice_seconds(), None)

    def _try_again(self, error: Exception, steps: int | None) -> None:
        """A worker died: the same slice once more, from the same checkpoint, in a new one."""
        self._tries += 1
        if self._tries >= MOST_TRIES:
            self._tries, self.status, self.error = 0, Status.PAUSED, error
        elif self.status is Status.RUNNING:
            self._submit(self._slice_seconds(), None)
        elif steps is not None:
            self._submit(None, steps)

"""A run: the handle, in the page's process, of an experiment that trains elsewhere in slices."""

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from enum import Enum
from typing import Any

from gruviz.data import Preview
from gruviz.data.store import TableStore
from gruviz.experiment import Experiment, with_live
from gruviz.experiment.course import Course, Turn
from gruviz.record import Checkpoint, History, Point, Slice, Snapshot, weights_of
from gruviz.runs import worker
from gruviz.runs.path import Path
from gruviz.runs.sliced import Sliced

SLOW_SECONDS = 4.0  # between two steps in slow motion: time to read what a step did
FIRST_SLICE_SECONDS = 0.05  # a quick first point


class Status(Enum):
    """Where a run stands. Diverged is an outcome; failed means that the software or data is at fault."""

    PAUSED = "paused"
    RUNNING = "running"
    FINISHED = "finished"
    DIVERGED = "diverged"
    FAILED = "failed"


class Run(Sliced[Slice]):
    """Trains slice by slice on an executor, one slice at a time; everybody may read, few may steer.

    Equal courses give equal histories, whatever happens to the workers. `course`: what was trained,
    and the turns that are still to come.
    """

    def __init__(
        self,
        course: Course,
        executor: Executor,
        tables: TableStore,
        slice_seconds: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        preview: Preview | None = None,
    ) -> None:
        super().__init__(executor, clock)
        self.token = secrets.token_urlsafe(24)
        self.course = course
        self.status = Status.PAUSED
        self.history = History()
        self.checkpoint: Checkpoint | None = None
        self.snapshot: Snapshot | None = None
        self.path = Path()
        self.diverged_at: int | None = None
        self.stopped: str | None = None  # the rule of STOPS that ended it
        self.anatomy: Mapping[str, Any] = {}  # the last step stage by stage, as in Slice
        self.sequences: int | None = None
        self.tables = tables
        self._preview = preview
        self._slice_seconds = slice_seconds
        self.slow = False
        self._goal: int | None = None
        self._asked: int | None = None
        self._timer: threading.Timer | None = None
        self._wanted: Experiment | None = None  # once the slice under way is back
        self._pace: deque[tuple[float, int]] = deque(maxlen=12)

    @property
    def preview(self) -> Preview:
        """What there is to know of its data: made before the run, so that nobody who looks at it
        needs the data."""
        assert self._preview is not None, "only a run that was begun with one can be looked at"
        return self._preview

    @property
    def experiment(self) -> Experiment:
        """What it trains with, and every knob that was turned since."""
        return self._wanted or self.course.at(self.step_count)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The turns of its course that are made by now."""
        return self.course.made(self.step_count)

    @property
    def live(self) -> bool:
        """Whether it trains, or somebody looks at it."""
        return self.status is Status.RUNNING or not self._deserted

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
    def single(self) -> bool:
        """Whether it was last asked for one step alone."""
        return self._asked == 1

    @property
    def settling(self) -> bool:
        """Whether it is paused but for a slice that is still under way."""
        return self.status is Status.PAUSED and self._in_flight

    @property
    def over(self) -> bool:
        """Whether there is nothing left to train."""
        return self.status in (Status.FINISHED, Status.DIVERGED, Status.FAILED)

    def train(self, count: int | None = None) -> None:
        """Train, from here on, until `count` updates are made, somebody pauses it or it is over."""
        with self._lock:
            if not self.over:
                self.status = Status.RUNNING
                self._goal = None if count is None else self.step_count + count
                self._asked = count
                self.unwatched, self.error = False, None
                self._pace.clear()
                self.watch()
                self._submit()

    def slow_down(self, slow: bool) -> None:
        """One step every SLOW_SECONDS from here on, or as fast as it goes."""
        with self._lock:
            self.slow = slow
            if self._timer is not None and not slow:
                self._timer.cancel()
                self._go_on()

    def pause(self) -> None:
        """Stop after the slice under way, until somebody says train; nothing is lost."""
        with self._lock:
            self.unwatched = False
            if self.status is Status.RUNNING:
                self.status = Status.PAUSED

    def sit(self, executor: Executor, slice_seconds: Callable[[], float]) -> None:
        """Hand in the slices from here on by another executor: its visitor has another name now."""
        with self._lock:
            self._executor, self._slice_seconds = executor, slice_seconds

    @property
    def size(self) -> int:
        """Bytes of what it holds in this process."""
        found = self.history.size + self.path.size
        if self.checkpoint is not None:
            found += sum(array.nbytes for array in self.checkpoint.arrays.values())
        if self.snapshot is not None:
            found += sum(array.nbytes for array in self.snapshot.signals.values())
        return found

    def adjust(self, wanted: Experiment, before: Experiment | None = None) -> None:
        """Take over the live knobs of `wanted` from the next slice on, and nothing that was to come.

        With `before`, only those in which the two differ: another tab may have turned the others.
        """
        with self._lock:
            now = self.experiment
            turned = with_live(now, wanted, before)
            if self.over or turned == now:
                return
            in_force = self.course.at(self.step_count)
            self._wanted = None if turned == in_force else turned
            if not self._in_flight:
                self._turn()

    def _turn(self) -> None:
        """Make what was turned while a slice was under way part of the course."""
        if self._wanted is not None:
            self.course = self.course.turned(self.step_count, self._wanted)
            self._wanted = None

    @property
    def points(self) -> list[Point]:
        """The path so far: weights at evenly spaced steps from the first on, and where it stands."""
        here = self.checkpoint
        return self.path.up_to(None if here is None else (here.step, weights_of(here)))

    def rate_at(self, step: int) -> float:
        """The learning rate of the update that followed `step`, or of the last one."""
        rates = self.history.steps["learning_rate"]
        if not len(rates):
            return self.experiment.rate(step)
        return float(rates[min(step, len(rates) - 1)])

    def _submit(self) -> None:
        """The next slice: a few moments long, and no longer than to the goal or the next turn."""
        if self._in_flight:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._turn()
        step = self.step_count
        seconds = self._slice_seconds() if step else FIRST_SLICE_SECONDS
        ends = [end for end in (self._goal, self.course.next_turn(step)) if end is not None]
        steps = min(ends) - step if ends else None
        if self.slow:
            steps = 1
        self._hand_in(
            worker.advance,
            self.course.at(step),
            self.checkpoint,
            seconds,
            steps,
            self.tables,
            self.language,
            again=self._again,
        )

    def _absorb(self, part: Slice) -> None:
        self.checkpoint = part.checkpoint
        self.snapshot = part.snapshot
        self.history.absorb(part)
        self.path.extend(part.path)
        self.sequences = part.sequences
        self.anatomy, self.stopped = part.anatomy, part.stopped
        self._pace.append((self._clock(), part.checkpoint.step))
        if part.stopped is not None:
            self.diverged_at, self._wanted = part.diverged_at, None  # too late
            diverged = part.diverged_at is not None
            self.status = Status.DIVERGED if diverged else Status.FINISHED
            return
        self._turn()
        if self.status is not Status.RUNNING:
            return
        if self._goal is not None and part.checkpoint.step >= self._goal:
            self.pause()
        elif self.slow:
            self._timer = threading.Timer(SLOW_SECONDS, self._go_on)
            self._timer.daemon = True
            self._timer.start()
        else:
            self._go_on()

    def _go_on(self) -> None:
        """The next slice of a running run, if somebody watches."""
        with self._lock:
            self._timer = None
            if self.status is not Status.RUNNING:
                return
            if self._deserted:
                self.status, self.unwatched = Status.PAUSED, True
            else:
                self._submit()

    def _resume(self) -> None:
        with self._lock:
            if self.unwatched and self.status is Status.PAUSED:
                self.unwatched, self.status = False, Status.RUNNING
                self._pace.clear()
                self._submit()

    def _again(self) -> None:
        self._turn()
        if self.status is Status.RUNNING:
            self._submit()

    def _fail(self, error: Exception) -> None:
        self.status, self.error, self._wanted = Status.FAILED, error, None

    def _give_up(self, error: Exception) -> None:
        self._turn()
        self.status, self.error = Status.PAUSED, error

    def _close(self) -> None:
        self.pause()

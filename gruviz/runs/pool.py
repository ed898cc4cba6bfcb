"""Everybody's workers: who of them does what, since when and for whom, and who takes their place."""

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from gruviz.runs.process import Call, Outcome, Process, memory
from gruviz.runs.queue import Queue
from gruviz.runs.worker import load_trainer
from gruviz.settings import limit
from gruviz.words import N_

MOST_STARTS = 3  # that fail in a row before those who wait are told
PAUSE_SECONDS = 0.5  # after a start that failed
RENEWAL_SECONDS = 20.0  # between two workers that are replaced because they have grown
SLOWER_START = 5  # times as long as over an order may a worker sit over its start
FAR_TOO_LARGE = 3  # times the memory after which a worker is replaced: nor is its order awaited

log = logging.getLogger(__name__)

T = TypeVar("T")


class Closed(RuntimeError):  # noqa: N818 - an end, not a mistake
    """The pool was shut down before an order had its turn or was over."""


class Lost(BrokenExecutor):
    """An order came to nothing, whatever it was. said: why, for the page."""

    said: ClassVar[str]
    final: ClassVar[bool] = True  # it would again


class Died(Lost):
    """The worker of an order died."""

    said = N_("The training process died again and again.")
    final = False


class Hung(Lost):
    """The worker of an order gave no sign for so long that it was killed."""

    said = N_("The training process gave no sign for too long and was ended.")


class Grown(Lost):
    """The worker of an order took so much memory that it was killed."""

    said = N_(
        "The training process took too much memory and was ended: choose fewer units, shorter"
        " sequences or a smaller batch."
    )


class NoWorker(Lost):
    """No worker could be started."""

    said = N_("The server has no room for a training process now.")


@dataclass(eq=False)
class Order:
    """A call for somebody, and where its outcome goes."""

    visitor: str
    call: Call
    future: Future[Any]

    def tell(self, outcome: Outcome) -> None:
        """Pass on the outcome; what is done about it happens in this thread."""
        if outcome.error is not None:
            self.future.set_exception(outcome.error)
        else:
            self.future.set_result(outcome.value)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Seat(Executor):
    """The executor through which one visitor's work comes in."""

    def __init__(self, pool: "Pool", visitor: str) -> None:
        self.visitor = visitor
        self._pool = pool

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self._pool.hand_in(self.visitor, (fn, args, kwargs))

    def slice_seconds(self) -> float:
        """How long this visitor's next slice should take."""
        return self._pool.slice_seconds(self.visitor)


class Member:
    """A worker's place in the pool, and the thread that looks after it."""

    def __init__(self, instead: "Member | None", now: float) -> None:
        self.instead = instead
        self.successor: Member | None = None
        self.process: Process | None = None
        self.ready = False
        self.gone = False
        self.relieved = False  # a successor is ready
        self.order: Order | None = None
        self.since = now  # when it began its order, or to start
        self.reason: tuple[Order | None, Lost | None] = None, None  # why it was killed

    def kill(self, reason: Lost) -> None:
        """End its process; whoever waits for its present order learns the reason."""
        self.reason = self.order, reason
        if self.process is not None:
            self.process.kill()


class Pool(Executor):
    """A fair queue before a few worker processes, each of which does one order at a time.

    A killed worker breaks the one order that it had (BrokenExecutor), and another one is started,
    whether it had any. The first ones are started when they are first needed.

    load: what a worker does before its first order.
    """

    def __init__(
        self,
        workers: int,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        load: Callable[[], object] = load_trainer,
    ) -> None:
        self.workers = workers
        self._folder = folder
        self._clock = clock
        self._load = load
        self._changed = threading.Condition()
        self._loading = threading.Lock()  # the first one is ready while the next one loads torch
        self._queue: Queue[Order] = Queue(short=workers >= cores())
        self._members: list[Member] = []
        self._threads: list[threading.Thread] = []
        self._failed_starts = 0
        self._renewed_at = -RENEWAL_SECONDS
        self._closed = False

    def seat(self, visitor: str) -> Seat:
        """The executor through which one visitor's work comes in."""
        return Seat(self, visitor)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return self.hand_in("", (fn, args, kwargs))

    def hand_in(self, visitor: str, call: Call) -> Future[Any]:
        """A visitor's call. Raises Closed after the end, NoWorker where nobody could do it."""
        order = Order(visitor, call, Future())
        with self._changed:
            if self._closed:
                raise Closed("the workers were shut down")
            self._fill()
            if not self._members:
                raise NoWorker("no thread could be started")
            self._queue.put(visitor, order, self._clock())
            self._changed.notify_all()
        return order.future

    def slice_seconds(self, visitor: str) -> float:
        """How long a visitor's next slice should take."""
        with self._changed:
            return self._queue.slice_seconds(visitor, self.workers, self._clock())

    def charge(self, visitor: str, seconds: float) -> None:
        """Count seconds of a core that this process has had for a visitor."""
        with self._changed:
            self._queue.charge(visitor, seconds, self._clock())

    def warm(self) -> None:
        """Start the workers and let them load the trainer, without waiting for it."""
        with self._changed:
            self._fill()

    def tidy(self, now: float | None = None) -> None:
        """Kill the workers that have hung, or eat up the machine's memory."""
        now = self._clock() if now is None else now
        hung, most = limit("GRUVIZ_HUNG_SECONDS"), limit("GRUVIZ_WORKER_MB") * 1_000_000
        with self._changed:
            for member in self._members:
                if member.process is None:
                    continue
                if member.order is not None:
                    if now - member.since > hung:
                        member.kill(Hung(f"no answer for {hung} seconds"))
                    elif memory(member.process.pid) > FAR_TOO_LARGE * most:
                        member.kill(Grown(f"more than {FAR_TOO_LARGE * most} bytes"))
                elif not member.ready and now - member.since > hung * SLOWER_START:
                    member.kill(Hung("it never got ready"))

    # Executor says cancel_futures; here nothing is waited for in any case.
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002
        """Stop the workers at once: what they were doing can be done again from a checkpoint."""
        with self._changed:
            self._closed = True
            for member in self._members:
                member.kill(Died("shut down"))
            waiting = list(self._queue.clear())
            threads = list(self._threads)
            self._changed.notify_all()
        for order in waiting:
            order.tell(Outcome(error=Closed("the workers were shut down")))
        for thread in threads:
            if wait and thread is not threading.current_thread():
                thread.join()

    def _fill(self) -> None:
        """Have as many workers as there should be, under way at least. (The lock is held.)"""
        while not self._closed and len(self._members) < self.workers:
            if self._hire() is None:
                return

    def _hire(self, instead: Member | None = None) -> Member | None:
        """A place for a worker; None if the system has no room for its thread. (Lock held.)"""
        member = Member(instead, self._clock())
        thread = threading.Thread(target=self._live, args=(member,), daemon=True, name="worker")
        try:
            thread.start()
        except RuntimeError as error:
            log.warning("a worker could not be started: %s", error)
            return None
        self._threads = [each for each in self._threads if each.is_alive()] + [thread]
        self._members.append(member)
        return member

    def _live(self, member: Member) -> None:
        """The thread of a worker, from its start to its end."""
        started = False
        try:
            started = self._start(member)
            if started:
                self._work(member)
        finally:
            self._end(member, started)

    def _start(self, member: Member) -> bool:
        """Start the process, one after the other. Returns whether it got ready."""
        with self._loading:
            with self._changed:
                if self._closed:
                    return False
                member.since = self._clock()
            try:
                process = Process(self._folder, self._load)
            except OSError as error:
                log.warning("a worker could not be started: %s", error)
                return False
            with self._changed:
                member.process = process
                if self._closed:
                    process.kill()
            try:
                threading.Thread(target=self._watch, args=(member, process), daemon=True).start()
                process.wait_until_ready()
            except (EOFError, OSError, RuntimeError):
                process.kill()
                if not self._closed:
                    log.warning("a worker died before it was ready")
                return False
        with self._changed:
            member.ready = True
            self._failed_starts = 0
            if member.instead is not None:
                member.instead.relieved = True
            self._fill()
            self._changed.notify_all()
        return True

    def _watch(self, member: Member, process: Process) -> None:
        """Notice the death of a worker, even of one that has nothing to do."""
        process.wait()
        with self._changed:
            member.gone = True
            self._changed.notify_all()

    def _work(self, member: Member) -> None:
        """Hand one order after the other to a worker, until it is gone or relieved."""
        process = member.process
        assert process is not None
        order = self._next(member)
        if order is not None:
            process.give(order.call)
        while order is not None:
            try:
                outcome = process.outcome()
            except (EOFError, OSError):
                outcome = Outcome(error=self._loss(member, order))
            following = None
            try:
                following = self._over(member, order)
            except Exception:  # whatever it was: somebody waits for this outcome
                log.exception("a worker could not be looked after")
            if following is not None:
                process.give(following.call)  # it is busy while we tell
            order.tell(outcome)
            with self._changed:
                self._queue.left(order.visitor, self._clock())
                self._changed.notify_all()
            order = following
            if order is None:
                order = self._next(member)
                if order is not None:
                    process.give(order.call)
        if not member.gone:
            process.leave()

    def _loss(self, member: Member, order: Order) -> Exception:
        """Why an order came to nothing, and its worker to an end."""
        with self._changed:
            member.gone = True
            if self._closed:
                return Closed("the workers were shut down")
            killed_for, reason = member.reason
            return reason if reason is not None and killed_for is order else Died("a worker died")

    def _next(self, member: Member) -> Order | None:
        """The next order for a worker, once there is one; None if the worker is to end."""
        with self._changed:
            while not (self._closed or member.gone or member.relieved):
                order = self._take(member)
                if order is not None:
                    return order
                self._changed.wait(self._queue.pause(self._clock()))
            return None

    def _over(self, member: Member, order: Order) -> Order | None:
        """Note that an order is over. Returns the next one, unless its visitor's next goes before."""
        with self._changed:
            now = self._clock()
            self._queue.done(order.visitor, now - member.since, now)
            member.order = None
            self._renew(member)
            if self._closed or member.gone or member.relieved:
                return None
            return self._take(member, unless=order.visitor)

    def _take(self, member: Member, unless: str | None = None) -> Order | None:
        """The next order of the queue, noted as this worker's. (The lock is held.)"""
        now = self._clock()
        while (found := self._queue.take(now, unless)) is not None:
            visitor, order = found
            if order.future.set_running_or_notify_cancel():
                member.order, member.since = order, now
                return order
            self._queue.done(visitor, 0.0, now)
            self._queue.left(visitor, now)
        return None

    def _renew(self, member: Member) -> None:
        """Have a worker that has grown replaced, as soon as another one is ready. (Lock held.)"""
        now = self._clock()
        if (
            member.process is None
            or member.gone
            or member.successor is not None
            or self._closed
            or now - self._renewed_at < RENEWAL_SECONDS
            or memory(member.process.pid) <= limit("GRUVIZ_WORKER_MB") * 1_000_000
        ):
            return
        self._renewed_at = now
        member.successor = self._hire(instead=member)

    def _end(self, member: Member, started: bool) -> None:
        """A worker is over: somebody takes its place, unless somebody has already."""
        with self._changed:
            member.gone = True
            self._members.remove(member)
            if member.instead is not None and not started:
                member.instead.successor = None  # may be tried again
            waiting: list[Order] = []
            if not (started or self._closed):
                self._failed_starts += 1
            if not started and self._failed_starts >= MOST_STARTS:
                if not self._members:  # of others, one may be about to get ready
                    waiting = list(self._queue.clear())
                    self._failed_starts = 0  # the next order tries again
            else:
                if self._failed_starts:
                    self._changed.wait_for(lambda: self._closed, PAUSE_SECONDS)
                self._fill()
                if not self._members:
                    waiting = list(self._queue.clear())
        if member.process is not None:
            member.process.close()
        for order in waiting:
            order.tell(Outcome(error=NoWorker("no worker could be started")))

"""The pool of worker processes, started once for this file."""

import operator
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gruviz.data.store import TableStore
from gruviz.experiment import GRU, Adding, Cosine, Experiment
from gruviz.experiment.course import Course
from gruviz.runs import Run, Status, Study, StudyStatus
from gruviz.runs import pool as pool_module
from gruviz.runs.pool import (
    MOST_STARTS,
    Closed,
    Died,
    Grown,
    Hung,
    Member,
    NoWorker,
    Order,
    Pool,
)
from gruviz.runs.process import Call, Outcome, Process, memory
from gruviz.studies import RangeTest
from gruviz.training import proceed, train
from tests.test_run import SMALL, assert_same
from tests.test_worker import alive

PATIENCE = 120.0
SLEEP = "__import__('time').sleep(600)"
NOTHING = int  # to load, for workers that train nothing: torch takes them seconds


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    made = Pool(1, tmp_path_factory.mktemp("tables"))
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    made = Pool(2, tmp_path_factory.mktemp("tables"), load=NOTHING)
    made.warm()
    yield made
    made.shutdown()


def ready(pool: Pool) -> list[Member]:
    return [member for member in pool._members if member.ready and not member.gone]


def pids(pool: Pool) -> list[int]:
    """The processes that are there, be they ready or not."""
    with pool._changed:
        return [m.process.pid for m in pool._members if m.process and not m.gone]


def wait_until(condition: Callable[[], bool], watched: Run | Study[Any] | None = None) -> None:
    """Look until it is so; fail if it takes too long. A new worker may be long in coming."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        if watched is not None:
            watched.watch()
        pause.wait(0.005)


class Puppet:
    """A worker without a process: its calls are done in this one, and it starts when told to."""

    starts = threading.Event()

    def __init__(self, _folder: Path, _load: Any) -> None:
        self.pid = os.getpid()
        self.ended, self.killed = threading.Event(), False
        self.call: Call | None = None

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.starts.is_set() or self.ended.is_set())
        if self.ended.is_set():
            raise EOFError

    def give(self, call: Call) -> None:
        self.call = call

    def outcome(self) -> Outcome:
        assert self.call is not None
        function, arguments, named = self.call
        return Outcome(function(*arguments, **named))

    def kill(self) -> None:
        self.killed = True
        self.ended.set()

    def leave(self) -> None:
        self.ended.set()

    def wait(self) -> None:
        self.ended.wait()

    def close(self) -> None:
        pass


@pytest.fixture
def puppets(monkeypatch: pytest.MonkeyPatch) -> type[Puppet]:
    monkeypatch.setattr(pool_module, "Process", Puppet)
    monkeypatch.setattr(pool_module, "memory", lambda _pid: 0)
    monkeypatch.setattr(Puppet, "starts", threading.Event())
    return Puppet


def test_work_is_done_in_another_process_of_low_priority_with_torch_at_hand(pool: Pool) -> None:
    assert pool.submit(os.getpid).result(PATIENCE) != os.getpid()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert pool.submit(os.getpriority, os.PRIO_PROCESS, 0).result(PATIENCE) == min(own + 5, 19)
    loaded = pool.submit(eval, "'torch' in __import__('sys').modules").result(PATIENCE)
    assert loaded is True
    threads = pool.submit(eval, "__import__('os').environ['OMP_NUM_THREADS']").result(PATIENCE)
    assert threads == "1"


def test_an_error_in_a_worker_comes_back_and_harms_nobody(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        pool.submit(operator.truediv, 1, 0).result(PATIENCE)
    assert "In a worker:\nTraceback" in caught.value.__notes__[0]
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pool.submit(lambda: 1).result(PATIENCE)
    with pytest.raises(TypeError, match="cannot pickle"):
        pool.submit(eval, "(each for each in ())").result(PATIENCE)
    assert pool.submit(operator.add, 1, 2).result(PATIENCE) == 3


def test_a_run_on_the_pool_has_the_curve_of_a_plain_loop(pool: Pool, tmp_path: Path) -> None:
    experiment = Experiment(task=Adding(size=40, length=8), cell=GRU(4), batch_size=16, steps=80)
    seat = pool.seat("me")
    run = Run(Course(experiment), seat, TableStore(tmp_path), seat.slice_seconds)
    run.train()
    wait_until(lambda: run.over, run)
    assert run.status is Status.FINISHED
    assert_same(run.history, train(experiment))


def test_a_killed_worker_costs_at_most_one_slice_and_not_one_bit(
    pool: Pool, tmp_path: Path
) -> None:
    experiment = Experiment(
        task=Adding(size=64, length=10), cell=GRU(8), batch_size=16, steps=600, schedule=Cosine()
    )
    victim = pool.submit(os.getpid).result(PATIENCE)
    run = Run(Course(experiment), pool, TableStore(tmp_path), lambda: 0.1)
    run.train()
    wait_until(lambda: run.step_count > 0)
    before = run.checkpoint
    os.kill(victim, signal.SIGKILL)
    assert before is not None and run.status is Status.RUNNING
    wait_until(lambda: run.over, run)
    assert (run.status, run.error) == (Status.FINISHED, None)
    assert run.history.steps["step"].tolist() == list(range(1, 601))
    assert 0 < before.step < 600
    assert_same(run.history, train(experiment))
    assert pool.submit(os.getpid).result(PATIENCE) != victim


def test_a_study_whose_worker_is_killed_finds_the_same(pool: Pool, tmp_path: Path) -> None:
    experiment = Experiment(task=Adding(size=64, length=20), cell=GRU(8), batch_size=16)
    begin = RangeTest.begin(seeds=4, steps=100)
    victim = pool.submit(os.getpid).result(PATIENCE)
    study = Study(experiment, begin, pool, TableStore(tmp_path), lambda: 0.02)
    study.start()
    wait_until(lambda: study.progress > 0)
    os.kill(victim, signal.SIGKILL)
    assert study.status is StudyStatus.RUNNING and study.progress < 1
    wait_until(lambda: study.status is not StudyStatus.RUNNING, study)
    assert (study.status, study.error) == (StudyStatus.FINISHED, None)
    np.testing.assert_array_equal(study.state.losses, proceed(experiment, begin).losses)
    assert pool.submit(os.getpid).result(PATIENCE) != victim


def test_a_killed_worker_breaks_its_own_task_alone(two: Pool) -> None:
    wait_until(lambda: len(ready(two)) == 2)
    slow = [two.seat(name).submit(eval, SLEEP) for name in ("one", "other")]
    wait_until(lambda: sum(member.order is not None for member in two._members) == 2)
    first, second = two._members
    assert first.order is not None and second.order is not None
    assert {first.order.visitor, second.order.visitor} == {"one", "other"}
    victim = ["one", "other"].index(first.order.visitor)
    assert first.process is not None and second.process is not None
    os.kill(first.process.pid, signal.SIGKILL)
    with pytest.raises(Died):
        slow[victim].result(PATIENCE)
    assert not slow[1 - victim].done()
    assert second.order is not None
    wait_until(lambda: len(ready(two)) == 2)
    assert second.process.pid in pids(two) and first.process.pid not in pids(two)
    os.kill(second.process.pid, signal.SIGKILL)
    with pytest.raises(Died):
        slow[1 - victim].result(PATIENCE)


def test_an_idle_worker_that_was_killed_is_replaced_though_nobody_asks_for_it(two: Pool) -> None:
    wait_until(lambda: len(ready(two)) == 2)
    before = pids(two)
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(ready(two)) == 2 and before[0] not in pids(two))
    assert before[1] in pids(two)


def test_a_worker_that_hangs_is_killed_and_says_so(
    two: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_HUNG_SECONDS", "60")
    wait_until(lambda: len(ready(two)) == 2)
    stopped = two.submit(os.getpid).result(PATIENCE)
    os.kill(stopped, signal.SIGSTOP)
    status = Path(f"/proc/{stopped}/stat")  # where there is one: it doesn't stop at once
    wait_until(lambda: not status.exists() or status.read_text().rpartition(")")[2][:2] == " T")
    (member,) = (each for each in ready(two) if each.process and each.process.pid == stopped)
    tasks: list[Future[int]] = []

    def stuck() -> bool:
        tasks.append(two.submit(os.getpid))  # the other worker may do any number of them
        return member.order is not None

    wait_until(stuck)
    wait_until(lambda: sum(not task.done() for task in tasks) == 1)
    two.tidy(member.since + 59)
    assert stopped in pids(two)
    two.tidy(member.since + 61)
    wait_until(lambda: all(task.done() for task in tasks))
    errors = [error for task in tasks if (error := task.exception()) is not None]
    assert [type(error) for error in errors] == [Hung]
    assert stopped not in pids(two)


def test_a_worker_that_has_grown_is_replaced_and_goes_when_the_new_one_is_there(
    two: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: len(ready(two)) == 2)
    sizes = {pid: memory(pid) for pid in pids(two)}
    assert all(10_000_000 < size < 600_000_000 for size in sizes.values())
    grown = -1
    monkeypatch.setattr(
        pool_module, "memory", lambda pid: 2_000_000_000 if pid == grown else sizes.get(pid, 0)
    )
    grown = two.submit(os.getpid).result(PATIENCE)
    # It goes on working until the new one is ready; nobody waits for a worker meanwhile.
    wait_until(
        lambda: two.submit(operator.add, 1, 2).result(PATIENCE) == 3 and grown not in pids(two)
    )
    assert len(ready(two)) == 2


def test_a_worker_that_eats_up_the_memory_is_ended_in_the_middle_of_its_task(
    two: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: len(ready(two)) == 2)
    slow = two.submit(eval, SLEEP)
    wait_until(slow.running)
    monkeypatch.setenv("GRUVIZ_WORKER_MB", "1000")
    monkeypatch.setattr(pool_module, "memory", lambda _pid: 2_900_000_000)
    two.tidy()
    assert not slow.done()
    monkeypatch.setattr(pool_module, "memory", lambda _pid: 3_100_000_000)
    two.tidy()
    with pytest.raises(Grown):
        slow.result(PATIENCE)


def test_where_no_worker_can_be_started_whoever_waits_is_told_and_may_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path, _load: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pool_module, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(pool_module, "Process", full)
    made = Pool(1, tmp_path)
    run = Run(Course(SMALL), made.seat(""), TableStore(tmp_path), lambda: 0.2)
    run.train()
    wait_until(lambda: run.status is not Status.RUNNING, run)
    assert (run.status, type(run.error), run.step_count) == (Status.PAUSED, NoWorker, 0)
    monkeypatch.setattr(pool_module, "Process", Process)
    run.train(3)
    wait_until(lambda: run.step_count == 3, run)
    made.shutdown()


def test_where_no_thread_can_be_started_whoever_asks_is_told_and_may_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    made = Pool(1, tmp_path, load=NOTHING)
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Thread", Full)
        with pytest.raises(NoWorker):
            made.submit(os.getpid)
        run = Run(Course(SMALL), made.seat(""), TableStore(tmp_path), lambda: 0.2)
        run.train()
        assert (run.status, type(run.error)) == (Status.PAUSED, NoWorker)
    assert made.submit(operator.add, 1, 2).result(PATIENCE) == 3
    made.shutdown()


def test_who_waits_is_not_told_that_there_is_no_worker_while_one_is_loading(tmp_path: Path) -> None:
    made = Pool(1, tmp_path)
    failed, loading = Member(None, 0.0), Member(None, 0.0)
    order = Order("me", (os.getpid, (), {}), Future())
    made._members, made._failed_starts = [failed, loading], MOST_STARTS - 1
    made._queue.put("me", order, 0.0)
    made._end(failed, started=False)
    assert not order.future.done()
    made._end(loading, started=False)
    assert isinstance(order.future.exception(0), NoWorker)
    assert made._members == []


def test_what_was_found_is_told_although_a_setting_makes_no_sense(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pool.submit(os.getpid).result(PATIENCE)
    monkeypatch.setenv("GRUVIZ_WORKER_MB", "1GB")
    found = [pool.submit(operator.add, 1, number) for number in range(3)]
    assert [each.result(PATIENCE) for each in found] == [1, 2, 3]
    assert "GRUVIZ_WORKER_MB is '1GB'" in caplog.text


def test_the_end_is_told_to_those_at_work_and_to_those_who_wait(tmp_path: Path) -> None:
    made = Pool(1, tmp_path, load=NOTHING)
    tasks = [made.submit(eval, SLEEP) for _each in range(3)]
    wait_until(tasks[0].running)
    there = pids(made)
    made.shutdown()
    assert [type(task.exception(PATIENCE)) for task in tasks] == [Closed] * 3
    with pytest.raises(Closed):
        made.submit(os.getpid)
    wait_until(lambda: not any(map(alive, there)))


def test_a_task_that_was_cancelled_while_it_waited_is_left_out(pool: Pool) -> None:
    release = pool.submit(eval, "__import__('time').sleep(0.2)")
    waiting = [pool.submit(operator.add, 1, number) for number in range(3)]
    assert waiting[0].cancel()
    assert [task.result(PATIENCE) for task in waiting[1:]] == [2, 3]
    assert release.result(PATIENCE) is None


def test_visitors_have_turns_one_after_the_other_whatever_each_has_asked_for(pool: Pool) -> None:
    release = pool.submit(eval, "__import__('time').sleep(0.3)")
    wait_until(release.running)
    order: list[str] = []

    def came(name: str, _task: Future[Any]) -> None:
        order.append(name)

    tasks = []
    for name, count in (("many", 6), ("one", 1)):
        for _each in range(count):
            task = pool.seat(name).submit(eval, "__import__('time').sleep(0.02)")
            task.add_done_callback(partial(came, name))
            tasks.append(task)
    for task in tasks:
        task.result(PATIENCE)
    wait_until(lambda: len(order) == 7)
    assert "one" in order[:3]


@pytest.mark.parametrize(("workers", "short"), [(1, False), (2, True), (3, True)])
def test_the_page_lacks_a_core_where_there_are_as_many_workers_as_cores(
    workers: int, short: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "cores", lambda: 2)
    assert Pool(workers, tmp_path)._queue._short is short


def test_who_waits_for_what_the_page_did_is_served_though_nothing_else_happens(
    puppets: type[Puppet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "cores", lambda: 2)
    puppets.starts.set()
    made = Pool(2, tmp_path)
    begun, one, all_night = threading.Event(), threading.Event(), threading.Event()

    def wait_for_one() -> bool:
        begun.set()
        return one.wait()

    other = made.seat("other").submit(all_night.wait)
    first = made.seat("busy").submit(wait_for_one)
    assert begun.wait(PATIENCE)
    made.charge("busy", 0.03)
    assert made._queue._accounts["busy"].owed == 0.03
    second = made.seat("busy").submit(operator.add, 1, 2)
    one.set()  # no other event follows: its worker must look at the clock
    assert first.result(PATIENCE) and second.result(20) == 3
    assert not other.done()
    all_night.set()
    made.shutdown()


def test_a_worker_that_never_gets_ready_is_killed_after_five_times_as_long_as_one_at_work(
    puppets: type[Puppet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_HUNG_SECONDS", "60")
    monkeypatch.setattr(pool_module, "PAUSE_SECONDS", 0.0)
    made = Pool(1, tmp_path, clock=lambda: 100.0)
    made.warm()
    wait_until(lambda: len(pids(made)) == 1)
    process = made._members[0].process
    assert isinstance(process, Puppet)
    made.tidy(400.0)
    assert not process.killed
    made.tidy(401.0)
    assert process.killed
    puppets.starts.set()
    assert made.submit(operator.add, 1, 2).result(PATIENCE) == 3  # by its successor
    made.shutdown()

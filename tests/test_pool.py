"""The pool of worker processes, started once for this file."""

import operator
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gruviz.data.store import TableStore
from gruviz.experiment import GRU, Adding, Cosine, Experiment
from gruviz.runs import Run, Status, Study, StudyStatus
from gruviz.runs import pool as pool_module
from gruviz.runs.pool import Pool
from gruviz.studies import RangeTest
from gruviz.training import proceed, train
from tests.test_run import OnDemand, assert_same

PATIENCE = 60.0


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    made = Pool(1, tmp_path_factory.mktemp("tables"))
    yield made
    made.shutdown()


def wait_until(condition: Callable[[], bool], watched: Run | Study[Any] | None = None) -> None:
    """Look until it is so; fail if it takes too long. A new worker may be long in coming."""
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it took too long"
        if watched is not None:
            watched.watch()
        pause.wait(0.005)


def test_work_is_done_in_another_process_of_low_priority_with_torch_at_hand(pool: Pool) -> None:
    assert pool.submit(os.getpid).result(PATIENCE) != os.getpid()
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert pool.submit(os.getpriority, os.PRIO_PROCESS, 0).result(PATIENCE) == min(own + 5, 19)
    loaded = pool.submit(eval, "'torch' in __import__('sys').modules").result(PATIENCE)
    assert loaded is True
    threads = pool.submit(eval, "__import__('os').environ['OMP_NUM_THREADS']").result(PATIENCE)
    assert threads == "1"


def test_an_error_in_a_worker_comes_back_and_harms_nobody(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        pool.submit(operator.truediv, 1, 0).result(PATIENCE)
    assert pool.submit(operator.add, 1, 2).result(PATIENCE) == 3


def test_a_run_on_the_pool_has_the_curve_of_a_plain_loop(pool: Pool, tmp_path: Path) -> None:
    experiment = Experiment(task=Adding(size=40, length=8), cell=GRU(4), batch_size=16, steps=80)
    run = Run(experiment, pool, TableStore(tmp_path), pool.slice_seconds)
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
    run = Run(experiment, pool, TableStore(tmp_path), lambda: 0.1)
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


def on_demand(monkeypatch: pytest.MonkeyPatch, workers: int, *made: Any) -> Pool:
    """A pool whose executors are these, without any process."""
    executors = iter(made)
    monkeypatch.setattr(Pool, "_start", lambda _self: next(executors))
    return Pool(workers, Path())


@pytest.mark.parametrize("workers", [1, 2])
def test_slices_get_shorter_as_the_queue_grows_and_longer_as_it_empties(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    executor = OnDemand()
    crowd = on_demand(monkeypatch, workers, executor)
    assert (pool_module.SLICE_SECONDS, pool_module.SHORTEST_SLICE_SECONDS) == (0.2, 0.03)
    seconds = [crowd.slice_seconds()]
    for _each in range(40):
        crowd.submit(os.getpid)
        seconds.append(crowd.slice_seconds())
    expected = [max(0.03, 0.2 / max(1, waiting / workers)) for waiting in range(41)]
    assert seconds == expected
    executor.do_all()
    assert crowd.slice_seconds() == 0.2


class Dead(OnDemand):
    """An executor whose workers were killed."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        raise BrokenExecutor("killed")


def test_a_broken_executor_is_replaced_at_the_next_submission(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = OnDemand()
    crowd = on_demand(monkeypatch, 1, Dead(), fresh)
    future = crowd.submit(operator.add, 1, 2)
    fresh.do()
    assert future.result(0) == 3


def test_what_waited_for_a_killed_worker_is_not_counted_as_waiting_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = OnDemand()
    crowd = on_demand(monkeypatch, 1, executor)
    for _each in range(5):
        crowd.submit(os.getpid)
    for _each in range(5):
        executor.die()
    assert crowd.slice_seconds() == 0.2


def test_warming_submits_one_job_for_each_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    executor = OnDemand()
    on_demand(monkeypatch, 3, executor).warm()
    assert len(executor.waiting) == 3

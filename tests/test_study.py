"""The handle of a study, on an executor that does one slice at a time and only when told to."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import GRU, Adding, Experiment, TableTask
from gruviz.runs import Run, Study, StudyStatus
from gruviz.runs.pool import Closed
from gruviz.runs.sliced import MOST_TRIES
from gruviz.studies import RangeTest
from gruviz.training import proceed
from tests.test_run import FOLDER, Clock, OnDemand, a_run, assert_same

SMALL = Experiment(task=Adding(size=40, length=4), cell=GRU(2), batch_size=16, steps=30)
BEGIN = RangeTest.begin(seeds=2, steps=10)


def a_study(
    executor: OnDemand, clock: Clock | None = None, experiment: Experiment = SMALL
) -> Study[RangeTest]:
    # No seconds at all: every slice is a single step.
    return Study(experiment, BEGIN, executor, TableStore(FOLDER), lambda: 0.0, clock or Clock())


def assert_found(study: Study[RangeTest]) -> None:
    """Whatever happened, it is what one call finds."""
    whole = proceed(SMALL, BEGIN)
    assert (study.status, study.progress, study.error) == (StudyStatus.FINISHED, 1.0, None)
    assert study.result is study.state
    np.testing.assert_array_equal(study.state.losses, whole.losses)


def test_a_study_does_nothing_until_it_is_started() -> None:
    executor = OnDemand()
    study = a_study(executor)
    assert (study.status, study.progress, study.result) == (StudyStatus.CANCELLED, 0.0, None)
    assert not executor.waiting


def test_a_study_goes_slice_by_slice_to_its_end() -> None:
    executor = OnDemand()
    study = a_study(executor)
    study.start()
    study.start()
    seen = []
    while executor.waiting:
        assert len(executor.waiting) == 1
        assert (study.status, study.result) == (StudyStatus.RUNNING, None)
        seen.append(study.progress)
        executor.do()
    assert seen == pytest.approx([step / 20 for step in range(20)])
    assert_found(study)
    study.start()
    study.cancel()
    assert (study.status, list(executor.waiting)) == (StudyStatus.FINISHED, [])


def test_a_cancelled_study_keeps_what_it_found_and_may_go_on() -> None:
    executor = OnDemand()
    study = a_study(executor)
    study.start()
    executor.do(3)
    study.cancel()
    executor.do()  # the slice under way
    assert (study.status, study.result, list(executor.waiting)) == (StudyStatus.CANCELLED, None, [])
    assert np.isfinite(study.state.losses).sum() == 4
    study.start()
    study.cancel()
    study.start()
    assert len(executor.waiting) == 1
    executor.do_all()
    assert_found(study)


def test_a_killed_worker_costs_a_study_one_slice() -> None:
    executor = OnDemand()
    study = a_study(executor)
    study.start()
    executor.do()
    for _each in range(MOST_TRIES - 1):
        executor.die()
    executor.do()
    executor.die()
    executor.do_all()
    assert_found(study)


def test_a_study_cancelled_while_its_worker_dies_stays_so() -> None:
    executor = OnDemand()
    study = a_study(executor)
    study.start()
    study.cancel()
    executor.die()
    assert (study.status, list(executor.waiting)) == (StudyStatus.CANCELLED, [])


def test_workers_that_die_again_and_again_stop_a_study_which_may_go_on() -> None:
    executor = OnDemand()
    study = a_study(executor)
    study.start()
    executor.do()
    for _each in range(MOST_TRIES):
        executor.die()
    assert (study.status, str(study.error)) == (StudyStatus.CANCELLED, "killed")
    assert not executor.waiting
    study.start()
    executor.do_all()
    assert_found(study)


def test_a_study_that_nobody_watches_for_15_seconds_stops_until_somebody_does() -> None:
    executor, clock = OnDemand(), Clock()
    study = a_study(executor, clock)
    clock.now = 500.0
    study.start()
    clock.now = 514.0
    executor.do()
    study.watch()
    clock.now = 529.0
    executor.do()
    assert (study.status, study.unwatched) == (StudyStatus.RUNNING, False)
    clock.now = 529.001
    executor.do()
    assert (study.status, study.unwatched) == (StudyStatus.CANCELLED, True)
    assert not executor.waiting
    study.watch()
    assert (study.status, study.unwatched) == (StudyStatus.RUNNING, False)
    executor.do_all()
    assert_found(study)


def test_a_study_that_was_cancelled_stays_so_whoever_watches() -> None:
    executor, clock = OnDemand(), Clock()
    study = a_study(executor, clock)
    study.start()
    clock.now += 15.001
    executor.do()
    assert study.unwatched
    study.cancel()
    study.watch()
    assert (study.status, list(executor.waiting)) == (StudyStatus.CANCELLED, [])


def test_data_that_is_gone_stops_a_study_which_may_go_on_when_it_is_back() -> None:
    executor = OnDemand()
    study = a_study(executor, experiment=Experiment(task=TableTask(source="0" * 64)))
    study.start()
    executor.do_all()
    assert study.status is StudyStatus.CANCELLED
    assert isinstance(study.error, GruvizError)
    assert str(study.error) == (
        "The data of this experiment isn't here; upload the file again, or choose a sample."
    )


def test_a_pool_that_is_shut_down_cancels_a_study() -> None:
    class Shut(OnDemand):
        def submit(self, _fn: Callable[..., Any], /, *_args: Any, **_kwargs: Any) -> Any:
            raise Closed("shut down")

    study = a_study(Shut())
    study.start()
    assert (study.status, study.error) == (StudyStatus.CANCELLED, None)


def test_a_study_and_a_run_take_turns_and_the_run_is_untouched_bit_for_bit() -> None:
    executor = OnDemand(steps=2)
    run, alone = a_run(executor, SMALL), a_run(executor, SMALL)
    alone.train()
    executor.do_all()
    run.train(6)
    executor.do_all()
    assert run.checkpoint is not None
    before = {name: array.copy() for name, array in run.checkpoint.arrays.items()}
    study: Study[RangeTest] = Study(
        run.experiment,
        RangeTest.begin(run.checkpoint, seeds=2, steps=20),
        executor,
        run.tables,
        lambda: 0.0,
        Clock(),
    )
    study.start()
    checkpoint = run.checkpoint
    executor.do(2)
    assert run.checkpoint is checkpoint
    run.train()
    turns = []
    while len(executor.waiting) == 2:
        turns.append(executor.waiting[0][1].__name__)
        executor.do()
    assert turns == ["proceed", "advance"] * (len(turns) // 2)
    executor.do_all()
    assert study.status is StudyStatus.FINISHED
    for name, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(array, before[name])
    assert isinstance(run, Run)
    assert_same(run.history, alone.history)

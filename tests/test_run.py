"""The handle of a run, on an executor that does one slice at a time and only when told to."""

import atexit
import shutil
import tempfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from gruviz.data import preview_of
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError, PassingError
from gruviz.experiment import (
    GRU,
    SGD,
    Adam,
    Adding,
    Cosine,
    Experiment,
    Momentum,
    Plateau,
    TableTask,
)
from gruviz.experiment.course import Course, Turn
from gruviz.experiment.link import course_from_link, course_to_link
from gruviz.record import STEP_COLUMNS, History
from gruviz.runs import Run, Status
from gruviz.runs.pool import Closed, Grown, Hung, NoWorker
from gruviz.runs.run import SLOW_SECONDS
from gruviz.runs.sliced import MOST_TRIES, UNWATCHED_SECONDS
from gruviz.training import train

SMALL = Experiment(
    task=Adding(size=40, length=8),
    cell=GRU(4),
    batch_size=16,
    steps=23,
    learning_rate=0.02,
    clip_norm=0.5,
    schedule=Cosine(),
)


class OnDemand(Executor):
    """Runs what was submitted when told to, in this thread; a slice has time for `steps` steps."""

    def __init__(self, steps: int = 5) -> None:
        self.steps = steps
        self.waiting: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self.asked: list[tuple[float | None, int | None]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        assert not kwargs
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args))
        if len(args) == 6:
            self.asked.append((args[2], args[3]))
        return future

    def do(self, slices: int = 1) -> None:
        """Do the next slices in the queue."""
        for _each in range(slices):
            future, fn, args = self.waiting.popleft()
            if len(args) == 6:
                steps = self.steps if args[3] is None else min(args[3], self.steps)
                args = (*args[:2], None, steps, *args[4:])
            try:
                result = fn(*args)
            except Exception as error:
                future.set_exception(error)
            else:
                future.set_result(result)

    def do_all(self) -> None:
        while self.waiting:
            self.do()

    def die(self) -> None:
        """Lose the next slice, as if its worker had been killed."""
        self.waiting.popleft()[0].set_exception(BrokenExecutor("killed"))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


# Where the stores of by-hand runs, of whatever test, put their data sets.
FOLDER = Path(tempfile.mkdtemp(prefix="gruviz-tests-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)


def a_run(
    executor: Executor,
    course: Course | Experiment = SMALL,
    clock: Callable[[], float] | None = None,
) -> Run:
    tables, about = TableStore(FOLDER), None
    course = Course(course) if isinstance(course, Experiment) else course
    with suppress(GruvizError):
        about = preview_of(course.first.task, course.first.seed, tables)
    return Run(course, executor, tables, lambda: 0.2, clock or Clock(), about)


def assert_same(one: History, other: History) -> None:
    for name in STEP_COLUMNS:
        np.testing.assert_array_equal(one.steps[name], other.steps[name], err_msg=name)
    for name in one.validations.names:
        np.testing.assert_array_equal(one.validations[name], other.validations[name])


def test_a_new_run_is_paused_at_step_0_and_asks_for_nothing() -> None:
    executor = OnDemand()
    run = a_run(executor)
    assert (run.status, run.step_count, run.epoch, run.speed) == (Status.PAUSED, 0, None, None)
    assert (len(run.history.steps), run.snapshot, run.over, run.settling) == (0, None, False, False)
    assert not executor.waiting


def test_a_run_trains_slice_by_slice_to_its_end() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    assert (run.status, len(executor.waiting)) == (Status.RUNNING, 1)
    executor.do(2)
    assert (run.step_count, len(executor.waiting)) == (10, 1)
    executor.do_all()
    assert (run.status, run.step_count, run.over) == (Status.FINISHED, 23, True)
    assert run.snapshot is not None and run.snapshot.step == 23
    assert executor.asked == [
        (0.05, None),
        *[(0.2, None)] * 4,
    ]  # a short first slice: a quick point
    assert_same(run.history, train(SMALL))


def test_there_is_never_more_than_one_slice_of_a_run_in_the_queue() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    run.train()
    run.train(1)
    run.pause()
    run.train(1)
    run.train()
    assert len(executor.waiting) == 1
    executor.do()
    assert len(executor.waiting) == 1


def test_two_runs_on_one_worker_take_turns() -> None:
    executor = OnDemand()
    runs = [a_run(executor), a_run(executor, replace(SMALL, seed=1))]
    for run in runs:
        run.train()
    counts = []
    for _each in range(4):
        executor.do()
        counts.append([run.step_count for run in runs])
    assert counts == [[5, 0], [5, 5], [10, 5], [10, 10]]
    executor.do_all()
    assert_same(runs[0].history, train(SMALL))
    assert_same(runs[1].history, train(replace(SMALL, seed=1)))


def test_a_pause_keeps_the_slice_under_way_and_training_goes_on_from_there() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    run.pause()
    assert (run.status, run.settling, run.step_count) == (Status.PAUSED, True, 5)
    executor.do()
    assert (run.status, run.settling, run.step_count) == (Status.PAUSED, False, 10)
    assert not executor.waiting
    run.train()
    executor.do_all()
    assert_same(run.history, train(SMALL))


def test_a_step_is_one_update_and_leaves_the_run_paused() -> None:
    executor = OnDemand()
    run = a_run(executor)
    for _each in range(3):
        run.train(1)
        assert run.status is Status.RUNNING
        executor.do_all()
    run.train(4)
    executor.do_all()
    assert (run.status, run.step_count) == (Status.PAUSED, 7)
    assert executor.asked == [(0.05, 1), (0.2, 1), (0.2, 1), (0.2, 4)]
    run.train()
    executor.do_all()
    assert_same(run.history, train(SMALL))


def test_many_steps_are_several_slices_and_end_at_their_number() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(12)
    for left in (12, 7, 2):
        assert executor.asked[-1][1] == left
        future, fn, args = executor.waiting.popleft()  # each slice runs out of time after 5 steps
        future.set_result(fn(*args[:2], None, min(5, left), *args[4:]))
    assert (run.status, run.step_count, len(executor.waiting)) == (Status.PAUSED, 12, 0)
    run.train()
    executor.do_all()
    assert_same(run.history, train(SMALL))


class Later:
    """Timers that go off when told to."""

    made: ClassVar[list["Later"]] = []

    def __init__(self, seconds: float, act: Callable[[], None]) -> None:
        self.seconds, self.act, self.started, self.cancelled = seconds, act, False, False
        self.made.append(self)

    def start(self) -> None:
        self.started = True

    def cancel(self) -> None:
        self.cancelled = True


def test_in_slow_motion_one_step_is_made_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gruviz.runs.run.threading.Timer", Later)
    Later.made.clear()
    executor = OnDemand()
    run = a_run(executor)
    run.slow_down(True)
    run.train()
    executor.do()
    assert (run.status, run.step_count, len(executor.waiting)) == (Status.RUNNING, 1, 0)
    timer = Later.made[-1]
    assert (timer.seconds, timer.started) == (SLOW_SECONDS, True)
    timer.act()
    executor.do()
    assert (run.step_count, len(executor.waiting), len(Later.made)) == (2, 0, 2)
    run.slow_down(False)
    assert Later.made[-1].cancelled
    executor.do_all()
    assert_same(run.history, train(SMALL))


def test_a_run_that_is_paused_in_slow_motion_has_one_timer_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gruviz.runs.run.threading.Timer", Later)
    Later.made.clear()
    executor = OnDemand()
    run = a_run(executor)
    run.slow_down(True)
    run.train()
    executor.do()
    run.pause()
    run.train()
    assert Later.made[0].cancelled and len(executor.waiting) == 1
    run.pause()
    executor.do()
    Later.made[0].act()  # too late to be cancelled
    assert (run.status, run.step_count, len(executor.waiting)) == (Status.PAUSED, 2, 0)


def test_the_last_step_finishes_the_run_and_no_button_moves_it_on() -> None:
    executor = OnDemand()
    run = a_run(executor, replace(SMALL, steps=2))
    run.train(2)
    executor.do_all()
    assert run.status is Status.FINISHED
    run.train()
    run.train(1)
    run.pause()
    assert (run.status, list(executor.waiting)) == (Status.FINISHED, [])


def test_divergence_is_an_outcome_with_its_step() -> None:
    executor = OnDemand(steps=2)
    wild = replace(SMALL, optimizer=SGD(), learning_rate=10.0, clip_norm=None, schedule=Cosine())
    run = a_run(executor, wild)
    run.train()
    executor.do_all()
    assert (run.status, run.over, run.error) == (Status.DIVERGED, True, None)
    assert run.stopped == "diverged"
    assert run.diverged_at == run.step_count == len(run.history.loss) < 23
    assert_same(run.history, train(wild))


def test_a_run_says_by_which_rule_it_stopped() -> None:
    executor = OnDemand()
    run = a_run(executor, replace(SMALL, epochs=2))
    run.train()
    executor.do()
    assert (run.status, run.stopped) == (Status.RUNNING, None)
    executor.do_all()
    assert (run.status, run.stopped, run.step_count) == (Status.FINISHED, "epochs", 6)
    assert run.anatomy["step"] == 6


def test_a_live_knob_acts_from_the_next_slice_on_and_is_marked_once() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do(2)
    turned = replace(SMALL, learning_rate=0.5, clip_norm=None)
    run.adjust(turned)
    assert list(run.turns) == []
    executor.do()  # this slice was under way
    assert run.turns == (Turn(15, turned),)
    executor.do_all()
    assert run.turns == (Turn(15, turned),)
    rates = run.history.steps["learning_rate"].tolist()
    assert rates == [SMALL.rate(s) for s in range(15)] + [turned.rate(s) for s in range(15, 23)]
    assert np.isnan(run.history.steps["clip_norm"]).tolist() == [False] * 15 + [True] * 8
    loss, quiet = run.history.loss, train(SMALL).loss
    np.testing.assert_array_equal(loss[:16], quiet[:16])
    assert loss[16] != quiet[16]


LONG = replace(SMALL, steps=200, optimizer=Adam(amsgrad=True), schedule=Plateau(patience=1))


def turned_by_hand() -> Run:
    """A run whose knobs somebody turned: under way, paused, twice before a slice was back."""
    executor = OnDemand(steps=20)
    run = a_run(executor, LONG)
    run.train()
    executor.do(2)
    run.adjust(replace(LONG, clip_norm=None))
    run.adjust(replace(LONG, learning_rate=0.005), before=LONG)
    executor.do()
    run.pause()
    executor.do_all()
    run.train(3)
    executor.do_all()
    run.adjust(replace(run.experiment, optimizer=Adam(beta1=0.5, amsgrad=True)))
    run.adjust(replace(run.experiment, clip_value=0.01))
    run.train()
    executor.do()
    run.adjust(replace(run.experiment, epochs=50))
    executor.do_all()
    return run


@pytest.mark.parametrize("steps", [1, 77, 1000])
def test_a_run_from_the_link_of_a_turned_one_has_its_curve_to_the_bit_however_cut(
    steps: int,
) -> None:
    live = turned_by_hand()
    assert [turn.step for turn in live.turns] == [60, 83, 123]
    assert (live.stopped, live.step_count) == ("epochs", 150)
    course, complaints = course_from_link(course_to_link(live.course))
    assert (course, complaints) == (live.course, [])
    executor = OnDemand(steps)
    again = a_run(executor, course)
    again.train()
    executor.do_all()
    assert (again.status, again.stopped, again.step_count) == (
        live.status,
        live.stopped,
        live.step_count,
    )
    assert (again.course, again.turns, again.experiment) == (
        live.course,
        live.turns,
        live.experiment,
    )
    assert_same(again.history, live.history)


COURSE = Course(SMALL, (Turn(7, replace(SMALL, clip_norm=None)),))
BOTH = replace(SMALL, clip_norm=None, learning_rate=0.5)


def test_a_turn_of_the_course_is_made_at_its_very_step() -> None:
    executor = OnDemand()
    run = a_run(executor, COURSE)
    run.train()
    executor.do()
    assert (run.step_count, run.turns, run.experiment) == (5, (), SMALL)
    assert executor.asked[-1][1] == 2
    executor.do()
    assert (run.step_count, run.turns, run.experiment) == (7, COURSE.turns, COURSE.last)
    assert executor.asked[-1][1] is None
    executor.do_all()
    norms = run.history.steps["clip_norm"]
    assert np.isnan(norms).tolist() == [False] * 7 + [True] * 16


def test_steps_that_are_asked_for_are_cut_at_the_turns_too() -> None:
    executor = OnDemand(steps=50)
    run = a_run(executor, COURSE)
    run.train(10)
    executor.do_all()
    assert [steps for _seconds, steps in executor.asked] == [7, 3]
    assert (run.status, run.step_count) == (Status.PAUSED, 10)


def test_a_knob_that_is_turned_takes_the_place_of_the_turns_to_come() -> None:
    executor = OnDemand()
    course = Course(SMALL, (*COURSE.turns, Turn(20, SMALL)))
    run = a_run(executor, course)
    run.train()
    executor.do(2)
    run.adjust(replace(BOTH, clip_norm=9.0), before=COURSE.last)
    assert run.experiment.learning_rate == 0.5
    run.adjust(BOTH)
    executor.do_all()
    assert run.course == Course(SMALL, (*COURSE.turns, Turn(12, BOTH)))


def test_a_look_at_controls_that_nobody_moved_leaves_the_turns_to_come() -> None:
    executor = OnDemand()
    run = a_run(executor, COURSE)
    run.train()
    executor.do()
    run.adjust(SMALL, before=SMALL)
    run.adjust(replace(SMALL, learning_rate=0.5), before=SMALL)
    run.adjust(SMALL, before=replace(SMALL, learning_rate=0.5))
    executor.do()
    run.adjust(SMALL, before=SMALL)  # its controls are still those of before the turn
    executor.do_all()
    assert run.course == COURSE
    assert run.experiment == COURSE.last


def test_a_knob_that_is_turned_while_paused_is_part_of_the_course_at_once() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(3)
    executor.do_all()
    run.adjust(replace(SMALL, learning_rate=0.5))
    run.adjust(BOTH)
    assert run.course == Course(SMALL, (Turn(3, BOTH),))
    run.adjust(SMALL)
    assert run.course == Course(SMALL)
    run.train()
    run.adjust(BOTH)
    assert run.course == Course(SMALL)  # nobody knows yet how far the slice under way comes
    run.pause()
    executor.do()
    assert run.course == Course(SMALL, (Turn(8, BOTH),))


@pytest.mark.parametrize("error", [OSError(28, "No space left"), Hung("60 s"), BrokenExecutor("")])
def test_a_knob_that_was_turned_is_not_lost_with_the_slice(error: Exception) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    run.pause()
    run.adjust(BOTH)
    executor.waiting.popleft()[0].set_exception(error)
    assert (run.step_count, run.course) == (5, Course(SMALL, (Turn(5, BOTH),)))


@pytest.mark.parametrize("error", [None, ZeroDivisionError("a bug")])
def test_a_knob_that_was_turned_in_the_last_slice_came_too_late(error: Exception | None) -> None:
    executor = OnDemand(steps=23)
    run = a_run(executor)
    run.train()
    run.adjust(BOTH)
    if error is None:
        executor.do()
    else:
        executor.waiting.popleft()[0].set_exception(error)
    run.adjust(BOTH)
    assert run.over
    assert (run.course, run.experiment) == (Course(SMALL), SMALL)


def test_what_is_not_live_leaves_the_run_alone() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    run.adjust(replace(SMALL, optimizer=SGD(), cell=GRU(9), seed=4, steps=7, batch_size=3))
    executor.do_all()
    assert (run.experiment, run.course) == (SMALL, Course(SMALL))
    assert_same(run.history, train(SMALL))


def test_momentum_acts_live_as_long_as_the_optimizer_is_the_same() -> None:
    executor = OnDemand()
    slow = replace(SMALL, optimizer=Momentum(0.9))
    run = a_run(executor, slow)
    run.train(1)
    executor.do_all()
    run.adjust(replace(slow, optimizer=Momentum(0.5)))
    run.train(1)
    assert run.turns == (Turn(1, replace(slow, optimizer=Momentum(0.5))),)
    run.adjust(replace(slow, optimizer=Adam(0.1)))
    assert run.experiment == replace(slow, optimizer=Momentum(0.5))
    executor.do_all()


def test_a_knob_that_is_turned_before_the_start_or_turned_back_is_no_change() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.adjust(replace(SMALL, learning_rate=0.5))
    run.train()
    executor.do()
    run.adjust(SMALL)
    run.adjust(replace(SMALL, learning_rate=0.5))
    executor.do_all()
    assert run.turns == ()
    assert_same(run.history, train(replace(SMALL, learning_rate=0.5)))


def test_a_run_that_nobody_watches_for_15_seconds_pauses_itself() -> None:
    assert UNWATCHED_SECONDS == 15
    executor, clock = OnDemand(steps=1), Clock()
    run = a_run(executor, clock=clock)
    clock.now = 500.0
    run.train()
    clock.now = 515.0
    executor.do()
    assert (run.status, run.unwatched) == (Status.RUNNING, False)
    clock.now = 515.001
    executor.do()
    assert (run.status, run.unwatched, run.step_count) == (Status.PAUSED, True, 2)
    assert not executor.waiting
    run.train()
    assert (run.status, run.unwatched) == (Status.RUNNING, False)
    executor.do_all()
    assert_same(run.history, train(SMALL))


class OneByOne(OnDemand):
    """Each of its slices has time for one step."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **_kwargs: Any) -> Future[Any]:
        return super().submit(fn, *args[:2], None, 1, *args[4:])


def deserted(executor: OnDemand, clock: Clock) -> Run:
    """A run that has paused itself after two steps of eight."""
    run = a_run(executor, clock=clock)
    run.train(8)
    executor.do()
    clock.now += 15.001
    executor.do()
    assert (run.status, run.unwatched, run.step_count) == (Status.PAUSED, True, 2)
    return run


def test_a_run_that_paused_itself_goes_on_to_its_goal_when_it_is_watched_again() -> None:
    executor, clock = OneByOne(), Clock()
    run = deserted(executor, clock)
    run.watch()
    run.watch()
    assert (run.status, run.unwatched, len(executor.waiting)) == (Status.RUNNING, False, 1)
    executor.do_all()
    assert (run.status, run.step_count) == (Status.PAUSED, 8)
    run.watch()
    assert (run.status, list(executor.waiting)) == (Status.PAUSED, [])


def test_a_run_that_somebody_paused_stays_so_whoever_watches() -> None:
    executor, clock = OneByOne(), Clock()
    run = deserted(executor, clock)
    run.pause()
    run.watch()
    assert (run.status, run.unwatched, list(executor.waiting)) == (Status.PAUSED, False, [])


def test_after_a_refresh_a_run_is_its_new_tabs() -> None:
    old, new = OnDemand(), OnDemand()
    run = a_run(old)
    run.train()
    run.sit(new, lambda: 0.1)
    old.do()
    assert (len(old.waiting), len(new.waiting)) == (0, 1)
    assert new.asked == [(0.1, None)]
    new.do_all()
    assert_same(run.history, train(SMALL))


def test_the_size_of_a_run_is_that_of_its_arrays() -> None:
    executor = OnDemand()
    run = a_run(executor)
    assert run.size == 0
    run.train()
    executor.do_all()
    assert run.checkpoint is not None and run.snapshot is not None
    arrays = [*run.checkpoint.arrays.values(), *run.snapshot.signals.values()]
    arrays += [weights for _step, weights in run.path.points]
    assert run.size == run.history.size + sum(array.nbytes for array in arrays)
    assert 10_000 < run.size < 100_000


def test_a_watched_run_goes_on() -> None:
    executor, clock = OnDemand(steps=1), Clock()
    run = a_run(executor, clock=clock)
    run.train()
    while executor.waiting:
        clock.now += 14.0
        run.watch()
        executor.do()
    assert run.status is Status.FINISHED


def test_a_killed_worker_costs_one_slice_and_not_one_bit() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.die()
    executor.do(2)
    for _each in range(MOST_TRIES - 1):
        executor.die()
    assert (run.status, run.step_count) == (Status.RUNNING, 10)
    executor.do()
    executor.die()
    executor.do_all()
    assert (run.status, run.error) == (Status.FINISHED, None)
    assert_same(run.history, train(SMALL))


def test_a_step_whose_worker_was_killed_is_made_once() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(2)
    executor.die()
    executor.do_all()
    assert (run.status, run.step_count) == (Status.PAUSED, 2)


def test_a_paused_run_whose_last_slice_was_killed_stays_paused() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    run.pause()
    executor.die()
    assert (run.status, run.step_count, run.settling) == (Status.PAUSED, 5, False)
    assert not executor.waiting


def test_a_change_whose_slice_was_killed_is_marked_once() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    turned = replace(SMALL, learning_rate=0.5)
    run.adjust(turned)
    executor.do()
    executor.die()
    executor.do_all()
    assert run.turns == (Turn(10, turned),)


def test_workers_that_die_again_and_again_pause_the_run_and_lose_nothing() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    for _each in range(MOST_TRIES):
        executor.die()
    assert (run.status, run.over, str(run.error)) == (Status.PAUSED, False, "killed")
    assert (run.step_count, len(executor.waiting)) == (5, 0)
    run.train()
    executor.die()  # deaths are counted anew
    executor.do()
    assert (run.status, run.error, run.step_count) == (Status.RUNNING, None, 10)


def test_a_machine_without_room_pauses_the_run_and_loses_nothing() -> None:
    class Full(OnDemand):
        full = False

        def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            if self.full:
                raise OSError("no more processes")
            return super().submit(fn, *args, **kwargs)

    executor = Full()
    run = a_run(executor)
    run.train()
    executor.full = True
    executor.do()
    assert (run.status, run.settling, str(run.error)) == (Status.PAUSED, False, "no more processes")
    executor.full = False
    run.train()
    executor.do_all()
    assert (run.status, run.error) == (Status.FINISHED, None)
    assert_same(run.history, train(SMALL))


def test_a_slice_that_cannot_be_submitted_says_so_and_strands_nobody() -> None:
    class Wrong(OnDemand):
        def submit(self, *_arguments: Any, **_named: Any) -> Any:
            raise TypeError("a bug")

    run = a_run(Wrong())
    run.train()
    assert (run.status, run.settling, str(run.error)) == (Status.FAILED, False, "a bug")


@pytest.mark.parametrize("reason", [Hung("60 s"), Grown("3 GB"), NoWorker("none")])
def test_a_worker_that_was_killed_for_what_it_did_is_not_tried_again(reason: Exception) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    executor.waiting.popleft()[0].set_exception(reason)
    assert (run.status, run.error, run.step_count) == (Status.PAUSED, reason, 5)
    assert not executor.waiting


def test_a_slice_that_killed_two_workers_is_not_given_a_third() -> None:
    assert MOST_TRIES == 2


def test_two_tabs_turn_different_knobs_of_one_run() -> None:
    run = a_run(OnDemand())
    one = replace(run.experiment, learning_rate=0.5)
    run.adjust(one, before=run.experiment)
    stale = replace(SMALL, clip_norm=7.0)
    run.adjust(stale, before=SMALL)
    assert run.experiment == replace(SMALL, learning_rate=0.5, clip_norm=7.0)


def test_data_that_is_gone_pauses_the_run_with_its_reason() -> None:
    executor = OnDemand()
    run = a_run(executor, Experiment(task=TableTask(source="0" * 64)))
    run.train()
    executor.do_all()
    assert (run.status, run.over) == (Status.PAUSED, False)
    assert isinstance(run.error, GruvizError)
    assert str(run.error) == (
        "The data of this experiment isn't here; upload the file again, or choose a sample."
    )


@pytest.mark.parametrize("error", [PassingError("no room now"), OSError(28, "No space left")])
def test_what_will_pass_pauses_a_run_which_may_go_on_bit_for_bit(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    executor.die()
    executor.waiting.popleft()[0].set_exception(error)
    assert (run.status, run.error, run.step_count) == (Status.PAUSED, error, 5)
    assert (list(executor.waiting), caplog.records) == ([], [])
    run.train()
    executor.die()  # deaths are counted anew
    executor.do_all()
    assert (run.status, run.error) == (Status.FINISHED, None)
    assert_same(run.history, train(SMALL))


def test_a_pool_that_is_shut_down_pauses_the_run(caplog: pytest.LogCaptureFixture) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    executor.waiting.popleft()[0].set_exception(Closed("shut down"))
    assert (run.status, run.step_count, run.error) == (Status.PAUSED, 5, None)
    assert (run.settling, list(executor.waiting), caplog.records) == (False, [], [])


def test_a_bug_in_a_slice_is_logged_and_shown_as_failed(caplog: pytest.LogCaptureFixture) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.waiting.popleft()[0].set_exception(ZeroDivisionError("a bug"))
    assert (run.status, str(run.error)) == (Status.FAILED, "a bug")
    assert [record.getMessage() for record in caplog.records] == ["a slice failed"]


def test_speed_is_steps_over_the_time_between_slices() -> None:
    executor, clock = OnDemand(), Clock()
    run = a_run(executor, clock=clock)
    run.train()
    executor.do()
    assert run.speed is None
    for seconds in (0.5, 1.5):
        clock.now += seconds
        executor.do()
    assert run.speed == 10 / 2.0
    run.pause()
    executor.do_all()
    run.train()
    assert run.speed is None


def test_an_epoch_is_all_batches_of_the_training_data() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(6)
    executor.do_all()
    assert run.epoch == 2.0  # 40 sequences, 16 in a batch: three steps an epoch


def test_every_run_has_a_token_of_its_own() -> None:
    tokens = {a_run(OnDemand()).token for _each in range(20)}
    assert len(tokens) == 20
    assert all(len(token) == 32 for token in tokens)

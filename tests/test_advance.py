"""`advance`: however a run is cut, its curve is the same to the bit."""

import importlib
import inspect
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import gruviz
from gruviz.experiment import (
    GRU,
    OPTIMIZERS,
    SGD,
    Adding,
    Cosine,
    Experiment,
    Exponential,
    Knob,
    Momentum,
    Optimizer,
    Plateau,
    Schedule,
    SineMixture,
    StepDecay,
    TableTask,
    Task,
    Waveforms,
    about,
)
from gruviz.record import MOST_POINTS, STEP_COLUMNS, VALIDATION_COLUMNS, Checkpoint, History, Slice
from gruviz.runs.path import Path
from gruviz.training import advance, train

SMALL = Experiment(
    task=Adding(size=40, length=8),
    cell=GRU(6),
    batch_size=16,
    steps=120,
    learning_rate=0.02,
    clip_norm=0.5,
    schedule=Cosine(),
)


class Ticks:
    """A clock that goes on by an irregular, but always the same, time at each look."""

    def __init__(self) -> None:
        self.now = 0.0
        self.generator = np.random.default_rng(0)

    def __call__(self) -> float:
        self.now += self.generator.uniform(0.0, 0.03)
        return self.now


def fold(experiment: Experiment, **cut: Any) -> tuple[History, list[Slice]]:
    """The whole run in slices."""
    history, parts = History(), list[Slice]()
    checkpoint: Checkpoint | None = None
    while not parts or parts[-1].stopped is None:
        part = advance(experiment, checkpoint, **cut)
        history.absorb(part)
        parts.append(part)
        checkpoint = part.checkpoint
    return history, parts


def assert_same(one: History, other: History) -> None:
    """To the bit: whole columns, NaN equal to NaN."""
    for name in STEP_COLUMNS:
        np.testing.assert_array_equal(one.steps[name], other.steps[name], err_msg=name)
    for name in VALIDATION_COLUMNS:
        np.testing.assert_array_equal(one.validations[name], other.validations[name])


TASKS: list[Task] = [
    Adding(size=40, length=8),
    SineMixture(size=40, length=8),
    Waveforms(size=40, length=8),
    TableTask(window=8),
]


@pytest.mark.parametrize(
    ("optimizer", "task"),
    [(row, TASKS[place % len(TASKS)]) for place, row in enumerate(OPTIMIZERS.values())],
)
def test_equal_experiments_give_equal_curves_however_they_are_cut(
    optimizer: type[Optimizer], task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("gruviz.training.advance")
    experiment = replace(SMALL, optimizer=optimizer(), task=task, steps=60)
    whole, (only,) = fold(experiment)
    assert whole.steps["step"].tolist() == list(range(1, 61))
    assert len(set(whole.loss.tolist())) > 50
    cuts = ({"steps": 1}, 60, 60), ({"steps": 7}, 9, 9), ({"seconds": 0.05}, 8, 59)
    for cut, fewest, most in cuts:
        monkeypatch.setattr(module, "perf_counter", Ticks())
        history, parts = fold(experiment, **cut)
        assert fewest <= len(parts) <= most
        assert_same(history, whole)
        last = parts[-1].checkpoint
        assert list(last.arrays) == list(only.checkpoint.arrays)
        for name, array in last.arrays.items():
            np.testing.assert_array_equal(array, only.checkpoint.arrays[name], err_msg=name)


def test_slices_of_real_time_give_the_same_curve_too() -> None:
    experiment = replace(SMALL, steps=60)
    assert_same(fold(experiment, seconds=0.02)[0], fold(experiment)[0])


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_gives_another_curve(seed: int) -> None:
    one = advance(replace(SMALL, seed=0), steps=3).steps["loss"]
    assert not np.array_equal(one, advance(replace(SMALL, seed=seed), steps=3).steps["loss"])


def test_training_neither_uses_nor_touches_the_global_generators() -> None:
    curves = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        before, legacy = torch.get_rng_state(), np.random.get_state(legacy=False)
        curves.append(advance(SMALL, steps=10).steps["loss"].tolist())
        assert torch.equal(torch.get_rng_state(), before)
        after = np.random.get_state(legacy=False)
        assert str(after) == str(legacy)
        np.testing.assert_array_equal(after["state"]["key"], legacy["state"]["key"])
    assert curves[0] == curves[1]


def test_the_number_of_threads_is_one_inside_and_the_callers_own_after() -> None:
    experiment, before = replace(SMALL, steps=20), torch.get_num_threads()
    try:
        curves = []
        for threads in (1, 3):
            torch.set_num_threads(threads)
            curves.append(advance(experiment))
            assert torch.get_num_threads() == threads
        np.testing.assert_array_equal(curves[0].steps["loss"], curves[1].steps["loss"])
    finally:
        torch.set_num_threads(before)


def test_a_slice_makes_the_steps_that_were_asked_for_and_stops_at_the_end() -> None:
    first = advance(SMALL, steps=7)
    assert first.steps["step"].tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert (first.checkpoint.step, first.diverged_at, first.sequences) == (7, None, 40)
    rest = advance(SMALL, first.checkpoint, steps=1000)
    assert rest.steps["step"].tolist() == list(range(8, 121))
    over = advance(SMALL, rest.checkpoint, steps=5)
    assert (over.steps["step"].tolist(), over.validations["step"].tolist()) == ([], [])
    assert over.checkpoint.step == 120


def test_a_slice_of_no_time_makes_one_step() -> None:
    assert advance(SMALL, seconds=0.0).steps["step"].tolist() == [1]


class Slow:
    """A clock on which some functions take their time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **seconds: float) -> None:
        module = importlib.import_module("gruviz.training.advance")
        self.now = 0.0
        monkeypatch.setattr(module, "perf_counter", lambda: self.now)
        self.slow(monkeypatch, module, "load", seconds.get("load", 0.0))
        self.slow(monkeypatch, module.Trainer, "step", seconds.get("step", 0.0))

    def slow(self, monkeypatch: pytest.MonkeyPatch, of: object, name: str, seconds: float) -> None:
        fast = getattr(of, name)

        def slow(*arguments: object, **named: object) -> object:
            self.now += seconds
            return fast(*arguments, **named)

        monkeypatch.setattr(of, name, slow)


def test_a_slice_ends_with_the_step_that_overran(monkeypatch: pytest.MonkeyPatch) -> None:
    Slow(monkeypatch, step=1.4)
    part = advance(SMALL, seconds=0.2)
    assert part.steps["step"].tolist() == [1]
    assert part.anatomy["step"] == 1  # though nobody could know that it would be the last


def test_loading_is_not_training(monkeypatch: pytest.MonkeyPatch) -> None:
    Slow(monkeypatch, load=3.0, step=0.03)
    part = advance(SMALL, seconds=0.2)
    assert part.steps["step"].tolist() == list(range(1, 8))
    assert part.seconds == pytest.approx(0.21)


def test_the_path_of_a_long_slice_takes_no_more_room_than_that_of_short_ones() -> None:
    long, path = advance(SMALL, steps=120), Path()
    checkpoint = None
    for _each in range(12):
        part = advance(SMALL, checkpoint, steps=10)
        path.extend(part.path)
        checkpoint = part.checkpoint
    assert [step for step, _weights in long.path] == [step for step, _weights in path.points]
    assert len(long.path) <= MOST_POINTS


def test_a_long_slice_holds_numbers_and_no_dictionaries(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("gruviz.training.advance")
    rows: list[weakref.ref[Any]] = []
    alive: list[int] = []

    class Row(dict[str, float]):
        """A dictionary that can be watched."""

    step = module.Trainer.step

    def watched(*arguments: Any, **named: Any) -> Any:
        row, diverged = step(*arguments, **named)
        alive.append(sum(each() is not None for each in rows))
        rows.append(weakref.ref(found := Row(row)))
        return found, diverged

    monkeypatch.setattr(module.Trainer, "step", watched)
    advance(SMALL)
    assert (len(alive), max(alive)) == (120, 1)


def test_a_checkpoint_can_be_advanced_more_than_once() -> None:
    start = advance(SMALL, steps=5).checkpoint
    one, other = advance(SMALL, start, steps=5), advance(SMALL, start, steps=5)
    np.testing.assert_array_equal(one.steps["loss"], other.steps["loss"])


def test_validation_is_at_the_start_every_fifty_steps_and_at_the_end() -> None:
    assert fold(SMALL, steps=1)[0].validations["step"].tolist() == [0, 50, 100, 120]
    accuracy = advance(replace(SMALL, task=Waveforms(size=40, length=8)), steps=1).validations
    assert 0 <= accuracy["accuracy"][0] <= 1
    assert np.isnan(advance(SMALL, steps=1).validations["accuracy"]).all()


@pytest.mark.parametrize("schedule", [Cosine(final=0.1), StepDecay(every=7), Exponential()])
def test_the_rate_that_is_recorded_is_the_one_that_the_preview_draws(schedule: Schedule) -> None:
    experiment = replace(SMALL, schedule=schedule, steps=30)
    history = fold(experiment, steps=4)[0]
    assert history.steps["learning_rate"].tolist() == [experiment.rate(step) for step in range(30)]


@pytest.mark.parametrize("cut", [7, 1000])
def test_the_rate_falls_when_the_validations_get_no_better(cut: int) -> None:
    schedule = Plateau(drop=0.5, patience=0, threshold=0.5)
    experiment = replace(SMALL, schedule=schedule, steps=300, warmup=20)
    history = fold(experiment, steps=cut)[0]
    losses = history.validations["loss"].tolist()
    reduced = [schedule.reduced(losses[: 1 + step // 50]) for step in range(300)]
    assert len(set(reduced)) > 2
    rates = [experiment.rate(step, share) for step, share in enumerate(reduced)]
    assert history.steps["learning_rate"].tolist() == rates
    assert_same(history, fold(experiment)[0])


@pytest.mark.parametrize("cut", [1, 1000])
def test_divergence_is_recorded_with_its_step_and_ends_the_run(cut: int) -> None:
    experiment = Experiment(
        task=Adding(size=64, length=10),
        cell=GRU(8),
        batch_size=16,
        optimizer=SGD(),
        learning_rate=10.0,
        clip_norm=None,
    )
    history, parts = fold(experiment, steps=cut)
    end = parts[-1].diverged_at
    assert end is not None and 1 < end < 20
    assert history.steps["step"].tolist() == list(range(1, end + 1))
    assert parts[-1].checkpoint.step == end
    loss = history.loss
    assert not loss[-1] <= 1e6 * loss[0] and (loss[:-1] <= 1e6 * loss[0]).all()
    assert history.validations["step"].tolist() == [0]
    last_sound = advance(experiment, steps=end - 1).checkpoint
    for name, array in last_sound.arrays.items():
        np.testing.assert_array_equal(array, parts[-1].checkpoint.arrays[name], err_msg=name)


def test_a_snapshot_shows_the_network_at_the_end_of_its_slice() -> None:
    first = advance(SMALL, steps=3)
    assert first.snapshot is not None and first.snapshot.step == 3
    other = advance(SMALL, first.checkpoint, steps=1).snapshot
    assert other is not None and other.step == 4
    assert not np.array_equal(first.snapshot.signals["hidden"], other.signals["hidden"])


@pytest.mark.parametrize(
    "turned",
    [
        replace(SMALL, learning_rate=1.0),
        replace(SMALL, clip_norm=None),
    ],
)
def test_a_turned_knob_acts_on_the_next_slice(turned: Experiment) -> None:
    start = advance(SMALL, steps=5).checkpoint
    same, other = advance(SMALL, start, steps=3).steps, advance(turned, start, steps=3).steps
    assert other["loss"][0] == same["loss"][0]
    assert other["loss"][1] != same["loss"][1]
    assert other["learning_rate"][0] == turned.rate(5)


def test_momentum_that_is_turned_acts_on_the_next_slice_and_keeps_its_past() -> None:
    experiment = replace(SMALL, optimizer=Momentum(0.9))
    start = advance(experiment, steps=5).checkpoint
    buffers = [name for name in start.arrays if name.endswith("momentum_buffer")]
    assert len(buffers) == 6
    same = advance(experiment, start, steps=3)
    less = advance(replace(experiment, optimizer=Momentum(0.1)), start, steps=3)
    assert less.steps["loss"][0] == same.steps["loss"][0]
    assert less.steps["loss"][1] != same.steps["loss"][1]
    off = advance(replace(experiment, optimizer=Momentum(0.0)), start, steps=3)
    plain = advance(replace(experiment, optimizer=SGD()), start, steps=3)
    np.testing.assert_array_equal(off.steps["loss"], plain.steps["loss"])


def test_the_adding_problem_teaches_clipping_and_the_learning_rate() -> None:
    experiment = Experiment(
        task=Adding(size=500),
        cell=GRU(16),
        optimizer=SGD(),
        learning_rate=1.0,
        clip_norm=None,
        steps=200,
    )
    wild, clipped, slow = (
        advance(each)
        for each in (
            experiment,
            replace(experiment, clip_norm=1.0),
            replace(experiment, clip_norm=1.0, learning_rate=1e-5),
        )
    )
    assert wild.stopped == "diverged" and wild.diverged_at is not None and wild.diverged_at < 20
    assert wild.steps["norm"].max() > 1e3
    assert (clipped.stopped, slow.stopped) == ("steps", "steps")
    first, last = clipped.validations["loss"][[0, -1]]
    assert last < 0.5 * first
    first, last = slow.validations["loss"][[0, -1]]
    assert 0.98 * first < last < first


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_live_knob_can_be_turned_from_end_to_end_on_the_way(name: str) -> None:
    row = OPTIMIZERS[name]
    live = {n: what for n, what in about(row) if isinstance(what, Knob) and what.live}
    low = row(**{n: None if what.optional else what.low for n, what in live.items()})
    high = row(**{n: what.high for n, what in live.items()})
    checkpoint = None
    for turned in (low, high, low):
        part = advance(replace(SMALL, optimizer=turned, learning_rate=1e-3), checkpoint, steps=3)
        checkpoint = part.checkpoint
        assert part.stopped is None and np.isfinite(part.steps["loss"]).all()


def test_training_learns() -> None:
    experiment = Experiment(
        task=SineMixture(size=200, length=20), cell=GRU(16), learning_rate=0.02, steps=150
    )
    losses = fold(experiment)[0].validations["loss"]
    assert losses[-1] < 0.5 * losses[0]


def test_train_gives_the_history_of_the_whole_run() -> None:
    history = gruviz.train(replace(SMALL, steps=30))
    assert type(history) is History
    assert_same(history, fold(replace(SMALL, steps=30), steps=7)[0])
    assert gruviz.train is train
    assert inspect.signature(train).parameters["experiment"].default is None

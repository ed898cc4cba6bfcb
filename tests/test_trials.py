"""Trials: experiments trained one after the other and judged by their forecasts."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from gruviz.data import Table as Data
from gruviz.data import fetch_sample, load, read_csv
from gruviz.data.backtest import Fold, rolling_origins
from gruviz.experiment import GRU, SGD, Experiment, TableTask
from gruviz.record import Checkpoint
from gruviz.studies import Forecasts, Job, Trials
from gruviz.training import advance, proceed
from gruviz.training.studies.trials import MOST_FORECASTS
from gruviz.training.studies.trials import proceed as further
from gruviz.training.trainer import Trainer

WINDOW, HORIZON = 8, 3
TASK = TableTask(window=WINDOW, horizon=HORIZON)
SMALL = Experiment(task=TASK, cell=GRU(4), batch_size=16, steps=45)
ROWS = 309  # of yearly sunspots
FOLDS = rolling_origins(ROWS, WINDOW, HORIZON, 2)
JOBS = (Job(SMALL, FOLDS[0]), Job(SMALL, FOLDS[1]))


def whole(*jobs: Job, fetch: Callable[[str], Data] = fetch_sample) -> Trials:
    return proceed(SMALL, Trials.begin(jobs), fetch=fetch)


def same(one: Forecasts, other: Forecasts) -> None:
    for name in ("ends", "values", "latest", "steps", "losses"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.diverged == other.diverged


def test_trials_that_have_not_begun_have_found_nothing() -> None:
    state = Trials.begin(JOBS)
    assert (state.jobs, state.found, state.progress) == (JOBS, (), 0.0)


def test_trials_are_the_same_bit_for_bit_however_they_are_sliced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gruviz.training.studies.trials.SECONDS_AT_ONCE", math.inf)
    at_once = whole(*JOBS)
    state, shares = Trials.begin(JOBS), []
    while state.progress < 1:
        shares.append(state.progress)
        state = further(SMALL, state, fetch_sample, lambda: True)
    assert shares == pytest.approx([0, 20 / 90, 40 / 90, 0.5, 65 / 90, 85 / 90])
    assert (len(at_once.found), at_once.progress, at_once.here) == (2, 1.0, None)
    for one, other in zip(at_once.found, state.found, strict=True):
        same(one, other)


def test_a_trial_with_slow_steps_leaves_the_worker_after_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gruviz.training.studies.trials.SECONDS_AT_ONCE", 0.0)
    state, steps = Trials.begin(JOBS[:1]), []
    while state.progress < 1:
        state = further(SMALL, state, fetch_sample, lambda: True)
        steps.append(0 if state.here is None else state.here.step)
    assert steps == [*range(1, 45), 0]
    same(state.found[0], whole(JOBS[0]).found[0])


def test_forecasts_leave_the_worker_after_some_windows_and_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once = whole(JOBS[0]).found[0]
    monkeypatch.setattr("gruviz.training.studies.trials.WORK", 5 * WINDOW * 4)  # five windows
    state, parts = Trials.begin(JOBS[:1]), []
    while state.progress < 1:
        state = further(SMALL, state, fetch_sample, lambda: True)
        parts.append(len(state.said))
        assert not state.trained or state.here is not None
    windows = len(at_once.ends)
    assert parts[-(-windows // 5) * -1 :] == [*range(1, -(-windows // 5)), 0]
    np.testing.assert_allclose(state.found[0].values, at_once.values, rtol=1e-6)
    assert (state.here, state.said, state.curve, state.trained) == (None, (), (), False)
    np.testing.assert_array_equal(state.found[0].losses, at_once.losses)


def test_a_trial_that_diverged_says_so_though_its_forecasts_come_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gruviz.training.studies.trials.WORK", 5 * WINDOW * 4)
    wild = replace(SMALL, optimizer=SGD(), learning_rate=10.0, clip_norm=None, steps=400)
    state = Trials.begin([Job(wild, FOLDS[0])])
    while state.progress < 1:
        state = further(wild, state, fetch_sample, lambda: True)
    assert state.found[0].diverged


def checkpoint(experiment: Experiment, fold: Fold | None = None) -> Checkpoint:
    dataset = load(experiment.task, experiment.seed, fold=fold)
    return advance(experiment, steps=experiment.steps, dataset=dataset).checkpoint


def test_a_trial_trains_as_a_run_does_and_keeps_its_validation_curve() -> None:
    found = whole(Job(SMALL)).found[0]
    part = advance(SMALL, steps=45)
    np.testing.assert_array_equal(found.steps, part.validations["step"])
    np.testing.assert_array_equal(found.losses, part.validations["loss"])


def test_forecasts_are_the_models_own_answers_with_the_scaling_undone() -> None:
    experiment = replace(SMALL, task=replace(TASK, scaling="robust"))
    for fold in (None, FOLDS[0]):
        found = whole(Job(experiment, fold)).found[0]
        dataset = load(experiment.task, experiment.seed, fold=fold)
        model = Trainer(experiment, dataset, checkpoint(experiment, fold)).model
        with torch.no_grad():
            said = model(torch.from_numpy(np.array(dataset.validation.inputs))).numpy()
            next_ones = model(torch.from_numpy(np.array(dataset.latest))).numpy()[0]
        np.testing.assert_array_equal(found.ends, dataset.ends)
        assert found.values.shape == (len(dataset.validation), HORIZON)
        undone = said.astype(float) * dataset.scale + dataset.mean
        np.testing.assert_allclose(found.values, undone, rtol=1e-5, atol=1e-4)
        assert found.latest is not None
        np.testing.assert_allclose(
            found.latest,
            next_ones.astype(float) * dataset.scale + dataset.mean,
            rtol=1e-5,
            atol=1e-4,
        )


def test_the_truth_beside_a_forecast_is_the_row_at_which_it_begins() -> None:
    found = whole(Job(SMALL)).found[0]
    dataset = load(SMALL.task, SMALL.seed)
    series = fetch_sample("sunspots_yearly").columns["SUNACTIVITY"]
    for place, end in enumerate(found.ends.tolist()):
        np.testing.assert_allclose(
            dataset.validation.targets[place] * dataset.scale + dataset.mean,
            series[end : end + HORIZON],
            atol=1e-3,
        )


def numbers(values: np.ndarray) -> Callable[[str], Data]:
    text = "value\n" + "\n".join(f"{value:.3f}" for value in values)
    table = read_csv(text.encode(), name="numbers.csv")
    return lambda _source: table


def test_a_fold_never_sees_rows_after_its_end() -> None:
    """Whatever stands there, its weights stay the same bit for bit; rows before it do change them."""
    series = np.random.default_rng(0).normal(10, 3, 120)
    fold = Fold(80, 100)
    later, test, earlier = series.copy(), series.copy(), series.copy()
    later[100:] = 1000 * np.arange(20)
    test[80:100] = -500 + np.arange(20)
    earlier[79] += 1

    def trained(values: np.ndarray) -> tuple[dict[str, np.ndarray], Forecasts]:
        fetch = numbers(values)
        task = replace(TASK, source="numbers")
        dataset = load(task, SMALL.seed, fetch, fold)
        experiment = replace(SMALL, task=task)
        part = advance(experiment, steps=45, dataset=dataset)
        kept = {n: a for n, a in part.checkpoint.arrays.items() if not n.startswith("validation.")}
        return kept, whole(Job(experiment, fold), fetch=fetch).found[0]

    arrays, found = trained(series)
    for changed in (later, test):
        others, other = trained(changed)
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name)
        # The first forecast of the fold begins at its first row, and has read only what is before.
        np.testing.assert_array_equal(found.values[0], other.values[0])
    same(found, trained(later)[1])
    moved, _found = trained(earlier)
    assert any((array != moved[name]).any() for name, array in arrays.items())


def test_a_look_at_a_run_trains_no_further() -> None:
    part = advance(SMALL, steps=12)
    before = {name: array.copy() for name, array in part.checkpoint.arrays.items()}
    state = proceed(SMALL, Trials.look_at(SMALL, part.checkpoint))
    assert state.progress == 1
    dataset = load(SMALL.task, SMALL.seed)
    model = Trainer(SMALL, dataset, part.checkpoint).model
    with torch.no_grad():
        said = model(torch.from_numpy(np.array(dataset.validation.inputs))).numpy()
    np.testing.assert_allclose(
        state.found[0].values,
        said.astype(float) * dataset.scale + dataset.mean,
        rtol=1e-5,
        atol=1e-4,
    )
    for name, array in before.items():
        np.testing.assert_array_equal(array, part.checkpoint.arrays[name], err_msg=name)


def test_a_look_at_a_run_that_is_over_finds_what_its_trial_found() -> None:
    part = advance(SMALL, steps=45)
    state = proceed(SMALL, Trials.look_at(SMALL, part.checkpoint))
    same_values = whole(Job(SMALL)).found[0].values
    np.testing.assert_array_equal(state.found[0].values, same_values)


def test_a_job_that_diverges_says_so_and_the_next_one_goes_on() -> None:
    wild = replace(
        Experiment.from_dict(
            SMALL.to_dict() | {"optimizer": {"name": "sgd"}, "learning_rate": 10, "clip_norm": None}
        ),
        steps=200,
    )
    state = whole(Job(wild), Job(SMALL))
    assert [found.diverged for found in state.found] == [True, False]
    same(state.found[1], whole(Job(SMALL)).found[0])


def test_of_a_long_validation_part_evenly_spread_windows_are_forecast() -> None:
    rows = np.sin(np.arange(60_000) / 7)
    fetch = numbers(rows)
    experiment = replace(SMALL, steps=2, task=replace(TASK, source="numbers"))
    found = whole(Job(experiment), fetch=fetch).found[0]
    assert len(found.ends) == MOST_FORECASTS
    assert (found.ends[0], found.ends[-1]) == (48_000, 60_000 - HORIZON)
    assert set(np.diff(found.ends)) == {6, 7}


def test_a_missing_value_at_the_end_leaves_no_latest_forecast() -> None:
    series = np.sin(np.arange(120) / 5)
    text = "value\n" + "\n".join(f"{value:.3f}" for value in series[:-1]) + "\nNA"
    table = read_csv(text.encode(), name="numbers.csv")
    task = replace(TASK, source="numbers")
    found = whole(Job(replace(SMALL, task=task)), fetch=lambda _source: table).found[0]
    assert found.latest is None
    carried = replace(SMALL, task=replace(task, missing="carry"))
    assert whole(Job(carried), fetch=lambda _source: table).found[0].latest is not None

"""Trials, a slice further: train the job under way, and let the finished one forecast."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from gruviz.data import Dataset, Fetch, load
from gruviz.experiment import Experiment, TableTask
from gruviz.studies import Forecasts, Job, Trials
from gruviz.training.advance import advance
from gruviz.training.trainer import Trainer

STEPS_AT_ONCE = 20
SECONDS_AT_ONCE = 0.1  # a step may take seconds, and others wait for the worker
MOST_FORECASTS = 2_000  # windows of a validation part, evenly spread, that are forecast from
AT_ONCE = 256
WORK = 1 << 20  # windows x time steps x hidden units of a unit: some tens of milliseconds


def proceed(
    _experiment: Experiment, state: Trials, fetch: Fetch, is_over: Callable[[], bool]
) -> Trials:
    """Go on until the time is over: some steps of the job under way, or its forecasts."""
    while len(state.found) < len(state.jobs):
        job = state.jobs[len(state.found)]
        task = job.experiment.task
        assert isinstance(task, TableTask)
        dataset = load(task, job.experiment.seed, fetch, job.fold)
        state = _further(state, job, dataset, is_over)
        if is_over():
            break
    return state


def _further(state: Trials, job: Job, dataset: Dataset, is_over: Callable[[], bool]) -> Trials:
    while not state.trained:
        part = advance(
            job.experiment,
            state.here,
            seconds=SECONDS_AT_ONCE,
            steps=STEPS_AT_ONCE,
            dataset=dataset,
            telemetry=False,
        )
        rows = zip(part.validations["step"], part.validations["loss"], strict=True)
        curve = (*state.curve, *((float(step), float(loss)) for step, loss in rows))
        state = replace(
            state,
            here=part.checkpoint,
            curve=curve,
            trained=part.stopped is not None,
            diverged=part.diverged_at is not None,
        )
        if is_over() and not state.trained:
            return state
    return _forecast(state, job.experiment, dataset, is_over)


@torch.no_grad()
def _forecast(
    state: Trials, experiment: Experiment, dataset: Dataset, is_over: Callable[[], bool]
) -> Trials:
    """What the trained network says of the validation part, in the data's own units; some windows
    at a time, so that nobody waits long for the worker."""
    model = Trainer(experiment, dataset, state.here).model
    assert dataset.ends is not None
    count = len(dataset.ends)
    rows = np.unique(np.linspace(0, count - 1, min(count, MOST_FORECASTS)).round().astype(int))
    window = dataset.validation.inputs.shape[1]
    at_once = min(AT_ONCE, max(1, WORK // (window * experiment.cell.units)))
    parts = [rows[start : start + at_once] for start in range(0, len(rows), at_once)]

    def say(inputs: np.ndarray) -> np.ndarray:
        scaled = model(torch.from_numpy(np.ascontiguousarray(inputs)))
        found: np.ndarray = scaled.numpy().astype(np.float64) * dataset.scale + dataset.mean
        return found

    while len(state.said) < len(parts):
        said = say(dataset.validation.inputs[parts[len(state.said)]])
        state = replace(state, said=(*state.said, said))
        if is_over() and len(state.said) < len(parts):
            return state
    latest = None if dataset.latest is None else say(dataset.latest)[0]
    steps, losses = np.array(state.curve, dtype=np.float64).reshape(-1, 2).T
    found = Forecasts(
        dataset.ends[rows], np.concatenate(state.said), latest, steps, losses, state.diverged
    )
    return Trials(state.jobs, (*state.found, found))

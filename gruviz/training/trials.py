"""Trials, a slice further: train the job under way, and let the finished one forecast."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from gruviz.data import Dataset, Fetch, load
from gruviz.experiment import Experiment, Table
from gruviz.record import Checkpoint
from gruviz.training.advance import advance
from gruviz.training.trainer import Trainer
from gruviz.trials import Forecasts, Job, Trials

STEPS_AT_ONCE = 20
SECONDS_AT_ONCE = 0.1  # a step may take seconds, and others wait for the worker
MOST_FORECASTS = 2_000  # windows of a validation part, evenly spread, that are forecast from
AT_ONCE = 256


def trials(
    _experiment: Experiment, state: Trials, fetch: Fetch, is_over: Callable[[], bool]
) -> Trials:
    """Go on until the time is over: some steps of the job under way, or its forecasts."""
    while len(state.found) < len(state.jobs):
        job = state.jobs[len(state.found)]
        task = job.experiment.task
        assert isinstance(task, Table)
        dataset = load(task, job.experiment.seed, fetch, job.fold)
        state = _further(state, job, dataset, is_over)
        if is_over():
            break
    return state


def _further(state: Trials, job: Job, dataset: Dataset, is_over: Callable[[], bool]) -> Trials:
    while True:
        part = advance(
            job.experiment, state.here, seconds=SECONDS_AT_ONCE, steps=STEPS_AT_ONCE,
            dataset=dataset, telemetry=False,
        )  # fmt: skip
        rows = zip(part.validations["step"], part.validations["loss"], strict=True)
        curve = (*state.curve, *((float(step), float(loss)) for step, loss in rows))
        state = replace(state, here=part.checkpoint, curve=curve)
        if part.stopped is not None:
            found = forecasts(
                job.experiment, dataset, part.checkpoint, curve,
                diverged=part.diverged_at is not None,
            )  # fmt: skip
            return replace(state, found=(*state.found, found), here=None, curve=())
        if is_over():
            return state


@torch.no_grad()
def forecasts(
    experiment: Experiment,
    dataset: Dataset,
    checkpoint: Checkpoint,
    curve: tuple[tuple[float, float], ...],
    *,
    diverged: bool,
) -> Forecasts:
    """What the network of a checkpoint says of the validation part, in the data's own units."""
    model = Trainer(experiment, dataset, checkpoint).model
    assert dataset.ends is not None
    count = len(dataset.ends)
    rows = np.unique(np.linspace(0, count - 1, min(count, MOST_FORECASTS)).round().astype(int))

    def say(inputs: np.ndarray) -> np.ndarray:
        scaled = torch.cat([model(part) for part in torch.split(torch.from_numpy(inputs), AT_ONCE)])
        return scaled.numpy().astype(np.float64) * dataset.scale + dataset.mean

    latest = None if dataset.latest is None else say(np.ascontiguousarray(dataset.latest))[0]
    steps, losses = np.array(curve, dtype=np.float64).reshape(-1, 2).T
    return Forecasts(
        dataset.ends[rows], say(dataset.validation.inputs[rows]), latest, steps, losses, diverged
    )

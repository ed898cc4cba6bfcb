"""The learning-rate range test of Smith 2017 (arXiv 1506.01186), on a copy of the run."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gruviz.data import Fetch, load
from gruviz.experiment import Constant, Experiment
from gruviz.studies import RangeTest
from gruviz.studies.range_test import GIVE_UP_ABOVE, smoothed
from gruviz.training.trainer import Trainer

SEEDS = 10_000  # of an experiment


def proceed(
    experiment: Experiment, state: RangeTest, fetch: Fetch, is_over: Callable[[], bool]
) -> RangeTest:
    """Train on with a growing learning rate, seed after seed, until the time is over.

    The first seed is the experiment's own; the others see the same data in another order, and have
    other initial weights unless the test starts from a checkpoint. A seed ends early where its
    smoothed loss exceeds GIVE_UP_ABOVE times its smallest, or training diverges.
    """
    dataset = load(experiment.task, experiment.seed, fetch)
    losses, reached = state.losses.copy(), state.reached.copy()
    seeds, steps = losses.shape
    seed, here = state.seed, state.here
    trainer: Trainer | None = None
    while seed < seeds:
        if trainer is None:
            own = replace(experiment, seed=(experiment.seed + seed) % SEEDS, schedule=Constant())
            trainer = Trainer(own, dataset, here or state.start)
        step = int(reached[seed])
        trainer.experiment = replace(trainer.experiment, learning_rate=float(state.rates[step]))
        row, diverged = trainer.step()
        losses[seed, step] = row["loss"] if math.isfinite(row["loss"]) else math.nan
        reached[seed] += 1
        if diverged or step == steps - 1 or _blown_up(losses[seed, : step + 1]):
            seed, here, trainer = seed + 1, None, None
        if is_over():
            break
    return replace(
        state,
        losses=losses,
        reached=reached,
        seed=seed,
        here=None if trainer is None else trainer.checkpoint(),
    )


def _blown_up(losses: np.ndarray) -> bool:
    smooth = smoothed(losses)
    return bool(smooth[-1] > GIVE_UP_ABOVE * np.nanmin(smooth))

"""When a run is over: pure functions of the step and of the validations so far."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gruviz.words import N_

if TYPE_CHECKING:
    from gruviz.experiment import Experiment

# Why a run stopped, by the name that a Slice and a Run give as `stopped`.
STOPS = {
    "steps": N_("all steps are made"),
    "epochs": N_("all epochs are made"),
    "target": N_("the validation loss has reached the target"),
    "patience": N_("the validation loss has stopped falling"),
    "diverged": N_("training diverged"),
}


def last_step(experiment: "Experiment", sequences: int) -> int:
    """The step after which a run ends at the latest, with so many sequences to train on."""
    if experiment.epochs is None:
        return experiment.steps
    per_epoch = -(-sequences // experiment.batch(sequences))
    return min(experiment.steps, experiment.epochs * per_epoch)


def stopped(
    experiment: "Experiment", step: int, sequences: int, losses: Sequence[float]
) -> str | None:
    """The rule in STOPS that ends a run after `step` updates, or None if it goes on.

    losses: those of all validations so far.
    """
    if losses and experiment.target_loss is not None and losses[-1] <= experiment.target_loss:
        return "target"
    if experiment.patience is not None and _waited(losses) >= experiment.patience:
        return "patience"
    if step >= last_step(experiment, sequences):
        return "steps" if step >= experiment.steps else "epochs"
    return None


def _waited(losses: Sequence[float]) -> int:
    """How many validations came after the best one."""
    best, place = math.inf, 0
    for index, loss in enumerate(losses):
        if loss < best:
            best, place = loss, index
    return max(0, len(losses) - 1 - place)

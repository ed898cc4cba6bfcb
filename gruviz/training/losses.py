"""What a trainer minimises: which answers are wanted, and how far off the given ones are."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gruviz.data import IGNORED, Dataset
from gruviz.experiment import (
    CrossEntropy,
    CrossEntropyInBits,
    Experiment,
    Huber,
    Kind,
    MeanAbsoluteError,
)
from gruviz.experiment.losses import Loss

# By the name of the row in gruviz.experiment.LOSSES: (output, target, row) -> scalar.
FUNCTIONS: dict[str, Callable[[Tensor, Tensor, Any], Tensor]] = {
    "mse": lambda output, target, _row: functional.mse_loss(output, target),
    MeanAbsoluteError.name: lambda output, target, _row: functional.l1_loss(output, target),
    Huber.name: lambda output, target, row: functional.huber_loss(output, target, delta=row.delta),
    CrossEntropy.name: lambda output, target, _row: functional.cross_entropy(
        output, target, ignore_index=IGNORED
    ),
    CrossEntropyInBits.name: lambda output, target, _row: (
        functional.cross_entropy(output, target, ignore_index=IGNORED) / math.log(2)
    ),
}


@dataclass(frozen=True)
class Objective:
    """How answers are judged. `every`: whether the head answers after every time step.

    rolling: the input feature whose next values are the target of every time step, if it is that.
    """

    kind: Kind
    loss: Loss
    every: bool
    rolling: int | None = None

    def wanted(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """The targets of a batch in the shape of the answers: (batch, outputs), or (batch, time,
        outputs); without the last axis for classes. inputs: (batch, time, features)."""
        time = inputs.shape[1]
        given = self.kind.every_step
        if given == self.every:
            return targets
        if given:
            return targets[:, -1]
        if self.rolling is not None:
            series = torch.cat([inputs[:, :, self.rolling], targets], dim=1)
            return series.unfold(1, targets.shape[1], 1)[:, 1:]
        return targets[:, None].expand(len(targets), time, *targets.shape[1:])

    def __call__(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean loss of answers (…, outputs) over all that were asked for."""
        if self.kind.classes:
            output, target = output.reshape(-1, output.shape[-1]), target.reshape(-1)
        elif self.kind is Kind.TRACKING:  # NaN: no answer is asked for there
            asked = ~torch.isnan(target)
            output, target = output[asked], target[asked]
        return FUNCTIONS[self.loss.name](output, target, self.loss)

    def accuracy(self, output: Tensor, target: Tensor) -> float:
        """Share of right classes among those asked for; NaN where there are none."""
        if not self.kind.classes:
            return float("nan")
        right = (output.argmax(dim=-1) == target)[target != IGNORED]
        return float(right.double().mean())


def asked(wanted: Tensor) -> int:
    """For how many numbers or classes an answer is asked."""
    there = ~torch.isnan(wanted) if wanted.is_floating_point() else wanted != IGNORED
    return int(there.sum())


def objective(experiment: Experiment, dataset: Dataset) -> Objective:
    """The objective of an experiment on its data. Raises GruvizError if its loss doesn't fit."""
    kind = dataset.kind
    every = {"task": kind.every_step, "last": False, "every": True}[experiment.loss_on]
    rolling = dataset.series if kind is Kind.FORECAST else None
    loss = experiment.loss.fitting(kind, in_bits=experiment.task.in_bits)
    return Objective(kind, loss, every, rolling)


def answer(kind: Kind, output: Tensor) -> Tensor:
    """The head's output as a person reads it: probabilities for classes, else unchanged."""
    return torch.softmax(output, dim=-1) if kind.classes else output

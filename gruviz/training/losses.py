"""The loss of each kind of task, and what the head's numbers mean."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from gruviz.experiment import Kind

LOSSES: dict[Kind, Callable[[Tensor, Tensor], Tensor]] = {
    Kind.FORECAST: functional.mse_loss,
    Kind.REGRESSION: functional.mse_loss,
    Kind.CLASSIFICATION: functional.cross_entropy,
}


def answer(kind: Kind, output: Tensor) -> Tensor:
    """The head's output as a person reads it: probabilities for classes, else unchanged."""
    return torch.softmax(output, dim=-1) if kind is Kind.CLASSIFICATION else output


def accuracy(kind: Kind, output: Tensor, target: Tensor) -> float:
    """Share of right classes; NaN where there are none."""
    if kind is not Kind.CLASSIFICATION:
        return float("nan")
    return float((output.argmax(dim=-1) == target).double().mean())

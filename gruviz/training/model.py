"""The network that is trained: a recurrent layer and a linear head that reads its hidden states."""

import math

import torch
from torch import Tensor

from gruviz import nn
from gruviz.data import Dataset
from gruviz.experiment import Experiment

Layer = nn.Recurrent | nn.GRUD


class Model(torch.nn.Module):
    """The layer and the head of an experiment, their weights drawn from `generator`."""

    def __init__(
        self, experiment: Experiment, dataset: Dataset, generator: torch.Generator
    ) -> None:
        super().__init__()
        cell, outputs = experiment.cell, dataset.outputs
        self.recurrent = _recurrent(experiment, dataset, generator)
        # On "meta" first: torch.nn.Linear draws initial weights from the global generator.
        empty = torch.nn.Linear(cell.units, outputs, device="meta")
        self.head = empty.to_empty(device="cpu")
        bound = 1 / math.sqrt(cell.units)
        for weight in self.head.parameters():
            torch.nn.init.uniform_(weight, -bound, bound, generator=generator)

    def hidden(
        self,
        x: Tensor,
        record: nn.Recording | None = None,
        masks: torch.Generator | None = None,
    ) -> Tensor:
        """The hidden states, (batch, time, units). masks: draws the dropout's; None: no dropout."""
        self.recurrent.training = masks is not None
        options = {} if masks is None else {"generator": masks}
        states: Tensor = self.recurrent(x, record=record, **options)[0]
        return states

    def forward(
        self,
        x: Tensor,
        record: nn.Recording | None = None,
        masks: torch.Generator | None = None,
        *,
        every: bool = False,
    ) -> Tensor:
        """x: (batch, time, features); returns the answer after the last step, (batch, outputs), or
        those after every step, (batch, time, outputs)."""
        hidden = self.hidden(x, record, masks)
        answer: Tensor = self.head(hidden if every else hidden[:, -1])
        return answer


def _recurrent(experiment: Experiment, dataset: Dataset, generator: torch.Generator) -> Layer:
    cell, regularization = experiment.cell, experiment.regularization
    if experiment.task.decays:
        return nn.GRUD(
            dataset.features,
            cell.units,
            batch_first=True,
            mean=torch.tensor(dataset.fill),
            generator=generator,
        )
    return nn.LAYERS[cell.layer](
        dataset.features,
        cell.units,
        batch_first=True,
        generator=generator,
        **cell.arguments(),
        **experiment.initial.arguments(),
        **regularization.dropout(),
        **{name: nn.Regularizer(*pair) for name, pair in regularization.strengths().items()},
    )

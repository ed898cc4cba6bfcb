"""All weights of a model as one vector, and the training loss as a function of it."""

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call

from gruviz.data import Fetch, load
from gruviz.experiment import Experiment
from gruviz.record import Weights
from gruviz.training.losses import asked
from gruviz.training.trainer import Trainer


def flat(model: torch.nn.Module) -> Weights:
    """A copy of all weights, (weights,), in the order of `gruviz.record.weights_of`."""
    parts = [weight.detach().numpy().ravel() for weight in model.state_dict().values()]
    return np.concatenate(parts).astype(np.float32)


class TrainingLoss:
    """The loss over a fixed set of training sequences, evenly spread, as a function of a vector.

    It is the loss of the data alone: no penalty on weights is in it, and no dropout. It comes in
    parts, some sequences each, whose sum it is: so that memory is bounded, and nobody waits long.

    work: the most sequences x time steps x hidden units of a part. twice: whether second
    derivatives will be taken; the compiled loops have only first ones.
    """

    def __init__(
        self, experiment: Experiment, fetch: Fetch, sequences: int, work: int, *, twice: bool
    ) -> None:
        dataset = load(experiment.task, experiment.seed, fetch)
        trainer = Trainer(experiment, dataset)
        self._objective = trainer.objective
        self._model = trainer.model.eval()
        if twice:
            self._model.recurrent.engine = "torch"
        self._shapes = {name: weight.shape for name, weight in self._model.state_dict().items()}
        count = len(dataset.train)
        rows = np.linspace(0, count - 1, min(sequences, count)).round().astype(np.int64)
        inputs = torch.from_numpy(dataset.train.inputs[rows])
        wanted = self._objective.wanted(inputs, torch.from_numpy(dataset.train.targets[rows]))
        size = max(1, work // (inputs.shape[1] * experiment.cell.units))
        self._parts = [
            (x, y)
            for x, y in zip(torch.split(inputs, size), torch.split(wanted, size), strict=True)
            if asked(y)
        ]
        self._asked = sum(asked(y) for _x, y in self._parts)

    def __len__(self) -> int:
        """How many parts there are."""
        return len(self._parts)

    def part(self, index: int, weights: Tensor) -> Tensor:
        """One part of the loss at `weights`, (weights,): a scalar."""
        inputs, wanted = self._parts[index]
        output = functional_call(
            self._model, self._named(weights), (inputs,), {"every": self._objective.every}
        )
        return self._objective(output, wanted) * (asked(wanted) / self._asked)

    def _named(self, weights: Tensor) -> dict[str, Tensor]:
        parts = torch.split(weights, [shape.numel() for shape in self._shapes.values()])
        return {
            name: part.view(shape)
            for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }

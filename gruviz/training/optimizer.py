"""A row of OPTIMIZERS at work on a model's parameters: torch's class or the row's own rule."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gruviz.experiment import Optimizer

# What torch's optimizers call the running mean, or sum, of squared gradients.
SECOND_MOMENTS = ("exp_avg_sq", "square_avg", "sum")


class _ByTheRow(torch.optim.Optimizer):
    """Moves each parameter as a row's `update` says."""

    def __init__(self, parameters: Sequence[Tensor], rate: float, row: Optimizer) -> None:
        super().__init__(parameters, {"lr": rate})
        self._row = row

    @torch.no_grad()
    def step(self, _closure: Any = None) -> Any:
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._row.update(weight, weight.grad, self.state[weight], group["lr"])


class Update:
    """The rule that turns gradients into a step; one optimizer, or one more for the matrices."""

    def __init__(self, row: Optimizer, parameters: Sequence[Tensor], rate: float) -> None:
        self.parameters = parameters
        self._optimizers = _made(row, parameters, rate)
        self._owners = {
            weight: optimizer
            for optimizer in self._optimizers
            for group in optimizer.param_groups
            for weight in group["params"]
        }

    def clear(self) -> None:
        """Forget the gradients."""
        for optimizer in self._optimizers:
            optimizer.zero_grad()

    def step(self, rate: float) -> None:
        """Move every weight by what its gradient asks for."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()

    def second_moment(self, weight: Tensor) -> Tensor | None:
        """The running mean (or sum) of a parameter's squared gradients, if there is one."""
        state = self._memory(weight)
        name = next((each for each in SECOND_MOMENTS if each in state), None)
        return None if name is None else state[name]

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """A copy of what it remembers, by the place of the parameter and torch's name."""
        return {
            f"{place}.{name}": value.numpy().copy()
            for place, weight in enumerate(self.parameters)
            for name, value in self._memory(weight).items()
            if value is not None
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up what `arrays` gave. The knobs stay the row's own: they may have been turned."""
        for place, weight in enumerate(self.parameters):
            state = {
                name.partition(".")[2]: torch.from_numpy(np.array(value))
                for name, value in arrays.items()
                if name.partition(".")[0] == str(place)
            }
            if state:
                self._owners[weight].state[weight] = state

    def _memory(self, weight: Tensor) -> dict[str, Any]:
        found: dict[str, Any] = self._owners[weight].state.get(weight, {})
        return found


def _made(row: Optimizer, parameters: Sequence[Tensor], rate: float) -> list[torch.optim.Optimizer]:
    if row.torch_class is None:
        return [_ByTheRow(parameters, rate, row)]
    first = getattr(torch.optim, row.torch_class)
    loop = {} if row.loop is None else {row.loop: True}
    if row.matrices is None:
        return [first(parameters, lr=rate, **loop, **row.arguments())]
    matrices = [weight for weight in parameters if weight.dim() == 2]
    rest = [weight for weight in parameters if weight.dim() != 2]
    second = getattr(torch.optim, row.matrices)
    return [
        first(rest, lr=rate, **loop, **row.arguments()),
        second(matrices, lr=rate, **row.matrix_arguments()),
    ]

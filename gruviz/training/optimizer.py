"""A row of OPTIMIZERS at work: torch's optimizers on a model's parameters, their memory as arrays."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gruviz.experiment import Optimizer

# What torch's optimizers call the running mean, or sum, of squared gradients.
SECOND_MOMENTS = ("exp_avg_sq", "square_avg", "sum")


class Update:
    """The rule that turns gradients into a step; one optimizer, or one more for the matrices."""

    def __init__(self, row: Optimizer, parameters: Sequence[Tensor], rate: float) -> None:
        self.parameters = parameters
        matrices = [w for w in parameters if row.matrices is not None and w.dim() == 2]
        rest = [w for w in parameters if row.matrices is None or w.dim() != 2]
        loop = {} if row.loop is None else {row.loop: True}
        made = getattr(torch.optim, row.torch_class)
        self._optimizers: list[torch.optim.Optimizer] = [
            made(rest, lr=rate, **loop, **row.arguments())
        ]
        if row.matrices is not None:
            made = getattr(torch.optim, row.matrices)
            self._optimizers.append(made(matrices, lr=rate, **row.matrix_arguments()))
        self._owners = [
            next(each for each in self._optimizers if any(w is weight for w in _held(each)))
            for weight in parameters
        ]

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

    def second_moments(self) -> list[npt.NDArray[np.generic] | None]:
        """For each parameter, its running mean (or sum) of squared gradients, if there is one."""
        found: list[npt.NDArray[np.generic] | None] = []
        for weight, owner in zip(self.parameters, self._owners, strict=True):
            state = owner.state.get(weight, {})
            name = next((each for each in SECOND_MOMENTS if each in state), None)
            found.append(None if name is None else state[name].numpy())
        return found

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """A copy of what it remembers, by the place of the parameter and torch's name."""
        return {
            f"{place}.{name}": value.numpy().copy()
            for place, (weight, owner) in enumerate(zip(self.parameters, self._owners, strict=True))
            for name, value in owner.state.get(weight, {}).items()
            if value is not None
        }

    def restore(self, arrays: Mapping[str, npt.NDArray[np.generic]]) -> None:
        """Take up what `arrays` gave. The knobs stay the row's own: they may have been turned."""
        for place, (weight, owner) in enumerate(zip(self.parameters, self._owners, strict=True)):
            state = {
                name.partition(".")[2]: torch.from_numpy(np.array(value))
                for name, value in arrays.items()
                if name.partition(".")[0] == str(place)
            }
            if state:
                owner.state[weight] = state


def _held(optimizer: torch.optim.Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]

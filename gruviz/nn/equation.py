"""What a recurrence is: its gates, what it does in a time step, and how its compiled loops are called.

The recurrences themselves are in gruviz.nn.cells, a file each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear

Range = tuple[float, float]

# Outside of which values a signal counts as saturated: a gate below 0.1 or above 0.9, as in Karpathy,
# Johnson, Fei-Fei, "Visualizing and understanding recurrent networks" (2015); a tanh within 0.1 of
# its ends.
GATE: Range = (0.1, 0.9)
TANH: Range = (-0.9, 0.9)


class Activation(NamedTuple):
    """number: in gruviz.nn.loops.steps; range: outside of which it is saturated, None if never."""

    number: int
    function: Callable[[Tensor], Tensor]
    range: Range | None = None


ACTIVATIONS = {
    "tanh": Activation(0, torch.tanh, TANH),
    "relu": Activation(1, torch.relu),
    "linear": Activation(2, lambda x: x),
}


class Weights(NamedTuple):
    """input (gates * hidden, features), state (gates * hidden, hidden), two biases or None."""

    input: Tensor
    state: Tensor
    input_bias: Tensor | None
    state_bias: Tensor | None

    def from_input(self, x: Tensor) -> Tensor:
        """W_i x + b_i, (batch, gates * hidden)."""
        return linear(x, self.input, self.input_bias)

    def from_state(self, h: Tensor) -> Tensor:
        """W_h h + b_h, (batch, gates * hidden)."""
        return linear(h, self.state, self.state_bias)

    def of_gates(self, first: int, last: int) -> "Weights":
        """Those of the gates from `first` to before `last`, counted from 0."""
        size = self.state.shape[1]
        rows = slice(first * size, last * size)
        biases = (None if b is None else b[rows] for b in (self.input_bias, self.state_bias))
        return Weights(self.input[rows], self.state[rows], *biases)


class Step(NamedTuple):
    """What one time step computes, each (batch, hidden); cell is None unless the equation has one."""

    hidden: Tensor
    cell: Tensor | None
    signals: dict[str, Tensor]


class Compiled(NamedTuple):
    """How the loops `<name>_forward` and `<name>_backward` in gruviz.nn.loops are called.

    recorded: how many blocks of hidden_size rows a step's record has.
    rows: the block of each signal in it.
    decays: whether they can multiply the state by something before each step.
    """

    recorded: int
    rows: Mapping[str, int]
    decays: bool = False


@dataclass(frozen=True)
class Equation:
    """Which recurrence a layer computes, as one frozen value; what may differ are its fields.

    name: of its loops, and of its mode in torch.nn's words.
    gates: their letters, in the order of the blocks of hidden_size rows in a weight matrix.
    has_cell: whether there is a second state beside the hidden one.
    compiled: None where there are no compiled loops: torch computes it step by step.
    """

    name: ClassVar[str]
    gates: ClassVar[str]
    has_cell: ClassVar[bool] = False
    compiled: ClassVar[Compiled | None] = None

    @cached_property
    def summarised(self) -> Mapping[str, Range | None]:
        """The signals that a summary holds, in the order of the loops, and outside of which values
        each counts as saturated; None for one that can't saturate."""
        raise NotImplementedError

    @cached_property
    def flags(self) -> tuple[int, ...]:
        """The fields as the leading flags of the compiled loops."""
        return ()

    @property
    def mode(self) -> str:
        """The equation in torch.nn's words; one that torch doesn't have is not to be taken for one
        that it has by whoever converts layers by their mode."""
        return self.name.upper() if self == type(self)() else f"{self.name.upper()}_VARIANT"

    @cached_property
    def saturating(self) -> list[tuple[str, int]]:
        """Names and rows, in a loop's summary, of the shares of saturated values."""
        rows = enumerate(self.summarised.items(), len(self.summarised))
        return [(name, row) for row, (name, limits) in rows if limits is not None]

    def step(
        self, x: Tensor, h: Tensor, masked: Tensor, cell: Tensor | None, weights: Weights
    ) -> Step:
        """One time step in plain torch: x (batch, features), the states (batch, hidden). masked is h
        as the recurrent products read it: with dropout some of it is zero."""
        raise NotImplementedError

"""The plain recurrence of Elman 1990."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gruviz.nn import validation
from gruviz.nn.equation import ACTIVATIONS, Compiled, Equation, Range, Step, Weights
from gruviz.nn.recurrent import Recurrent


@dataclass(frozen=True)
class RNNEquation(Equation):
    """activation: of the state."""

    name: ClassVar[str] = "rnn"
    gates: ClassVar[str] = "h"
    compiled: ClassVar[Compiled | None] = Compiled(0, {})

    activation: str = "tanh"

    @cached_property
    def summarised(self) -> Mapping[str, Range | None]:
        return {"hidden": ACTIVATIONS[self.activation].range}

    @cached_property
    def flags(self) -> tuple[int, ...]:
        return (ACTIVATIONS[self.activation].number,)

    @property
    def mode(self) -> str:
        return f"RNN_{self.activation.upper()}"

    def step(
        self, x: Tensor, _h: Tensor, masked: Tensor, _cell: Tensor | None, weights: Weights
    ) -> Step:
        # torch.nn.RNN: h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
        total = weights.from_input(x) + weights.from_state(masked)
        return Step(ACTIVATIONS[self.activation].function(total), None, {})


class RNN(Recurrent, nn.RNN):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu: torch.nn.RNN's equation."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        validation.check_no_projection(options)
        validation.check_nonlinearity(nonlinearity)
        super().__init__(
            RNNEquation(nonlinearity),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            0,
            device,
            dtype,
            **options,
        )
        self.nonlinearity = nonlinearity

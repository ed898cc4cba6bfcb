"""Long short-term memory: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor, nn

from gruviz.nn.equation import GATE, TANH, Compiled, Equation, Range, Step, Weights
from gruviz.nn.recurrent import Recurrent


@dataclass(frozen=True)
class LSTMEquation(Equation):
    name: ClassVar[str] = "lstm"
    gates: ClassVar[str] = "ifgo"
    has_cell: ClassVar[bool] = True
    compiled: ClassVar[Compiled | None] = Compiled(
        5, {"input": 0, "forget": 1, "candidate": 2, "output": 3}
    )

    @cached_property
    def summarised(self) -> Mapping[str, Range | None]:
        return {"input": GATE, "forget": GATE, "candidate": TANH, "output": GATE}

    def step(
        self, x: Tensor, _h: Tensor, masked: Tensor, cell: Tensor | None, weights: Weights
    ) -> Step:
        # torch.nn.LSTM: c' = f c + i g, h' = o tanh(c')
        assert cell is not None
        i, f, g, o = (weights.from_input(x) + weights.from_state(masked)).chunk(4, 1)
        signals = {
            "input": torch.sigmoid(i),
            "forget": torch.sigmoid(f),
            "candidate": torch.tanh(g),
            "output": torch.sigmoid(o),
        }
        cell = signals["forget"] * cell + signals["input"] * signals["candidate"]
        return Step(signals["output"] * torch.tanh(cell), cell, signals)


class LSTM(Recurrent, nn.LSTM):
    """c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'): torch.nn.LSTM's equation, without projection.

    i, f, o = σ(W_i· x + b_i· + W_h· h + b_h·), g = tanh(W_ig x + b_ig + W_hg h + b_hg).

    unit_forget_bias: the forget gate's bias begins at 1 (b_if 1, b_hf 0) whatever fills the others,
        so that the cell remembers at first (Jozefowicz, Zaremba, Sutskever, "An empirical
        exploration of recurrent network architectures", 2015). Keras's default is True, with zeros
        for the others: LSTM(..., bias_initializer="zeros", unit_forget_bias=True).
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        unit_forget_bias: bool = False,
        **options: Any,
    ) -> None:
        self.unit_forget_bias = unit_forget_bias
        super().__init__(
            LSTMEquation(),
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
            **options,
        )

    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        if self.unit_forget_bias:
            forget = slice(self.hidden_size, 2 * self.hidden_size)
            for name, weight in self.named_parameters():
                if name.startswith("bias"):
                    with torch.no_grad():
                        weight[forget] = 1.0 if name.startswith("bias_ih") else 0.0

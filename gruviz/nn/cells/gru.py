"""The gated recurrent unit, in torch's form and in that of Cho et al. 2014 (arXiv 1406.1078)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gruviz.nn import validation
from gruviz.nn.equation import ACTIVATIONS, GATE, Compiled, Equation, Range, Step, Weights
from gruviz.nn.recurrent import Recurrent


@dataclass(frozen=True)
class GRUEquation(Equation):
    """activation: of the candidate; reset_after: whether the reset gate acts after the recurrent
    product; update_weights: which state the update gate multiplies, "old" or "new"."""

    name: ClassVar[str] = "gru"
    gates: ClassVar[str] = "rzn"
    # The first block of the record is the candidate's recurrent product.
    compiled: ClassVar[Compiled | None] = Compiled(
        4, {"reset": 1, "update": 2, "candidate": 3}, decays=True
    )

    activation: str = "tanh"
    reset_after: bool = True
    update_weights: str = "old"

    @cached_property
    def summarised(self) -> Mapping[str, Range | None]:
        return {"reset": GATE, "update": GATE, "candidate": ACTIVATIONS[self.activation].range}

    @cached_property
    def flags(self) -> tuple[int, ...]:
        old = self.update_weights == "old"
        return int(self.reset_after), int(old), ACTIVATIONS[self.activation].number

    def step(
        self, x: Tensor, h: Tensor, masked: Tensor, _cell: Tensor | None, weights: Weights
    ) -> Step:
        # torch.nn.GRU, and Cho et al. 2014 for the reset before the product
        size = h.shape[1]
        from_x = weights.from_input(x)
        if self.reset_after:
            from_h = weights.from_state(masked)
            gates = torch.sigmoid(from_x[:, : 2 * size] + from_h[:, : 2 * size])
            reset, update = gates.chunk(2, 1)
            past = reset * from_h[:, 2 * size :]
        else:
            from_h = weights.of_gates(0, 2).from_state(masked)
            reset, update = torch.sigmoid(from_x[:, : 2 * size] + from_h).chunk(2, 1)
            past = weights.of_gates(2, 3).from_state(reset * masked)
        candidate = ACTIVATIONS[self.activation].function(from_x[:, 2 * size :] + past)
        if self.update_weights == "old":
            hidden = candidate + update * (h - candidate)
        else:
            hidden = h + update * (candidate - h)
        return Step(hidden, None, {"reset": reset, "update": update, "candidate": candidate})


class GRU(Recurrent, nn.GRU):
    """r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz), and

    reset_after=True (torch.nn.GRU, cuDNN): n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
    reset_after=False (Cho et al. 2014):    n = tanh(W_in x + b_in + W_hn (r ⊙ h) + b_hn)
    update_weights="old" (torch.nn.GRU):    h' = z ⊙ h + (1 - z) ⊙ n
    update_weights="new" (Cho et al. 2014 read with z for 1 - z): h' = (1 - z) ⊙ h + z ⊙ n

    activation: of n, "tanh", "relu" or "linear".
    tied_gates: one weight matrix and one bias serve r, z and n, so that r = z: weights have
        hidden_size rows instead of three times as many. (The listing that does so by mistake
        multiplies the candidate's product by 1 - r where this layer has r.)
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
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        reset_after: bool = True,
        update_weights: str = "old",
        activation: str = "tanh",
        tied_gates: bool = False,
        **options: Any,
    ) -> None:
        validation.check_no_projection(options)
        validation.check_choice("update_weights", update_weights, ("old", "new"))
        validation.check_choice("activation", activation, tuple(ACTIVATIONS))
        super().__init__(
            GRUEquation(activation, reset_after, update_weights),
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
            tied=tied_gates,
            **options,
        )
        self.tied_gates = tied_gates

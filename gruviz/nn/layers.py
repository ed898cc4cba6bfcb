"""RNN, GRU and LSTM with the constructor, state_dict and outputs of torch.nn's own."""

from typing import Any

import torch
from torch import Generator, nn

from gruviz.nn import validation
from gruviz.nn.equations import ACTIVATIONS, Equation
from gruviz.nn.recurrent import Recurrent


class RNN(Recurrent, nn.RNN):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu: torch.nn.RNN's equation."""

    cell = "rnn"

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
            Equation("rnn", nonlinearity), input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype, **options,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


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

    cell = "gru"

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
            Equation("gru", activation, reset_after, update_weights), input_size, hidden_size,
            num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype,
            tied=tied_gates, **options,
        )  # fmt: skip
        self.tied_gates = tied_gates


class LSTM(Recurrent, nn.LSTM):
    """c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'): torch.nn.LSTM's equation, without projection.

    i, f, o = σ(W_i· x + b_i· + W_h· h + b_h·), g = tanh(W_ig x + b_ig + W_hg h + b_hg).

    unit_forget_bias: the forget gate's bias begins at 1 (b_if 1, b_hf 0) whatever fills the others,
        so that the cell remembers at first (Jozefowicz, Zaremba, Sutskever, "An empirical
        exploration of recurrent network architectures", 2015). Keras's default is True, with zeros
        for the others: LSTM(..., bias_initializer="zeros", unit_forget_bias=True).
    """

    cell = "lstm"

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
            Equation("lstm"), input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, proj_size, device, dtype, **options,
        )  # fmt: skip

    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        if self.unit_forget_bias:
            forget = slice(self.hidden_size, 2 * self.hidden_size)
            for name, weight in self.named_parameters():
                if name.startswith("bias"):
                    with torch.no_grad():
                        weight[forget] = 1.0 if name.startswith("bias_ih") else 0.0

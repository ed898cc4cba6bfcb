"""A GRU layer whose gates can be read."""

import math

import torch
from torch import Tensor


class GRU(torch.nn.Module):
    """`torch.nn.GRU` with one layer, batch first, with initial weights from its own generator.

    `trace` recomputes what happens inside at every time step:
    r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz),
    n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn)), h' = (1 - z) ⊙ n + z ⊙ h   (torch.nn.GRU).
    """

    def __init__(self, input_size: int, hidden_size: int, generator: torch.Generator) -> None:
        super().__init__()
        # Built on "meta" first: torch.nn.GRU draws initial weights from the global generator.
        empty = torch.nn.GRU(input_size, hidden_size, batch_first=True, device="meta")
        self.layer: torch.nn.GRU = empty.to_empty(device="cpu")
        bound = 1 / math.sqrt(hidden_size)
        for weight in self.layer.parameters():
            torch.nn.init.uniform_(weight, -bound, bound, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """x: (batch, time, features); returns the hidden states (batch, time, units)."""
        hidden: Tensor = self.layer(x)[0]
        return hidden

    @torch.no_grad()
    def trace(self, x: Tensor) -> dict[str, Tensor]:
        """x: (time, features); returns reset, update, candidate and hidden, each (time, units)."""
        layer = self.layer
        weights = dict(layer.named_parameters())
        w_h, b_h = weights["weight_hh_l0"], weights["bias_hh_l0"]
        from_input = x @ weights["weight_ih_l0"].T + weights["bias_ih_l0"]  # (time, 3 units)
        h = torch.zeros(layer.hidden_size, dtype=x.dtype)
        rows: dict[str, list[Tensor]] = {n: [] for n in ("reset", "update", "candidate", "hidden")}
        for x_t in from_input:
            from_state = w_h @ h + b_h
            (xr, xz, xn), (hr, hz, hn) = x_t.chunk(3), from_state.chunk(3)
            reset, update = torch.sigmoid(xr + hr), torch.sigmoid(xz + hz)
            candidate = torch.tanh(xn + reset * hn)
            h = (1 - update) * candidate + update * h
            for name, value in zip(rows, (reset, update, candidate, h), strict=True):
                rows[name].append(value)
        return {name: torch.stack(values) for name, values in rows.items()}

"""The recurrences step by step in plain torch, for devices and dtypes without a kernel."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gruviz.nn.equations import Equation

ACTIVATE: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "linear": lambda x: x,
}


class Weights(NamedTuple):
    """input (gates * hidden, features), state (gates * hidden, hidden), two biases or None."""

    input: Tensor
    state: Tensor
    input_bias: Tensor | None
    state_bias: Tensor | None


class Step(NamedTuple):
    """What one time step computes, each (batch, hidden); cell is None but for LSTM."""

    hidden: Tensor
    cell: Tensor | None
    signals: dict[str, Tensor]


def _rnn(
    e: Equation, x: Tensor, h: Tensor, masked: Tensor, cell: Tensor | None, w: Weights
) -> Step:
    # torch.nn.RNN: h' = tanh(W_ih x + b_ih + W_hh h + b_hh)
    total = _linear(x, w.input, w.input_bias) + _linear(masked, w.state, w.state_bias)
    return Step(ACTIVATE[e.activation](total), None, {})


def _gru(
    e: Equation, x: Tensor, h: Tensor, masked: Tensor, cell: Tensor | None, w: Weights
) -> Step:
    # torch.nn.GRU, and Cho et al. 2014 (arXiv 1406.1078) for the reset before the product
    size = h.shape[1]
    from_x = _linear(x, w.input, w.input_bias)
    if e.reset_after:
        from_h = _linear(masked, w.state, w.state_bias)
        gates = torch.sigmoid(from_x[:, : 2 * size] + from_h[:, : 2 * size])
        reset, update = gates.chunk(2, 1)
        past = reset * from_h[:, 2 * size :]
    else:
        gate_bias = None if w.state_bias is None else w.state_bias[: 2 * size]
        bias = None if w.state_bias is None else w.state_bias[2 * size :]
        from_h = _linear(masked, w.state[: 2 * size], gate_bias)
        reset, update = torch.sigmoid(from_x[:, : 2 * size] + from_h).chunk(2, 1)
        past = _linear(reset * masked, w.state[2 * size :], bias)
    candidate = ACTIVATE[e.activation](from_x[:, 2 * size :] + past)
    if e.update_weights == "old":
        hidden = candidate + update * (h - candidate)
    else:
        hidden = h + update * (candidate - h)
    return Step(hidden, None, {"reset": reset, "update": update, "candidate": candidate})


def _lstm(
    e: Equation, x: Tensor, h: Tensor, masked: Tensor, cell: Tensor | None, w: Weights
) -> Step:
    # torch.nn.LSTM: c' = f c + i g, h' = o tanh(c')
    assert cell is not None
    total = _linear(x, w.input, w.input_bias) + _linear(masked, w.state, w.state_bias)
    i, f, g, o = total.chunk(4, 1)
    signals = {
        "input": torch.sigmoid(i),
        "forget": torch.sigmoid(f),
        "candidate": torch.tanh(g),
        "output": torch.sigmoid(o),
    }
    cell = signals["forget"] * cell + signals["input"] * signals["candidate"]
    return Step(signals["output"] * torch.tanh(cell), cell, signals)


STEP = {"rnn": _rnn, "gru": _gru, "lstm": _lstm}


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.nn.functional.linear(x, weight, bias)


def unroll(
    equation: Equation,
    x: Tensor,
    hidden: Tensor,
    cell: Tensor | None,
    weights: Weights,
    mask: Tensor | None,
    lengths: Tensor | None,
    decay: Tensor | None,
) -> list[Step]:
    """One Step per time step, x (time, batch, features). A sequence that has ended keeps its state.

    mask (batch, hidden) multiplies the state on its way into the recurrent product only, decay
    (time, batch, hidden) the state itself before each step.
    """
    # An infinity would saturate a gate and come out as an innocent number.
    x = x + (x * 0).sum(2, keepdim=True)
    steps: list[Step] = []
    for t in range(len(x)):
        before = hidden if decay is None else hidden * decay[t]
        masked = before if mask is None else before * mask
        step = STEP[equation.cell](equation, x[t], before, masked, cell, weights)
        if lengths is not None:
            on = (lengths > t)[:, None]
            new_cell = None
            if step.cell is not None and cell is not None:
                new_cell = torch.where(on, step.cell, cell)
            step = Step(torch.where(on, step.hidden, hidden), new_cell, step.signals)
        # A tensor of its own, so that ∂L/∂h_t can be read from it.
        hidden, cell = step.hidden, step.cell
        steps.append(step)
    return steps

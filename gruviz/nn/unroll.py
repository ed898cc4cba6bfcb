"""A recurrence step by step in plain torch, for devices, dtypes and cells without a loop."""

import torch
from torch import Tensor

from gruviz.nn.equation import Equation, Step, Weights


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
        step = equation.step(x[t], before, masked, cell, weights)
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

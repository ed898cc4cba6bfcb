"""What a layer writes down while it trains, when it is asked to."""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

Array = npt.NDArray[np.floating[Any]]


@dataclass
class LayerRecording:
    """One layer of a stack, in one direction, in one forward and backward pass.

    signals: name to (time, batch, hidden). GRU: reset, update, candidate, hidden; LSTM: input,
        forget, output, candidate, cell, hidden; RNN: hidden. Empty when only a summary was asked.
    gradient: ∂L/∂h_t, (time, batch, hidden), with all that later steps make of h_t in it: what
        `h_t.retain_grad()` shows on a loop of single steps. None until backward and in a summary.
    gradient_norm: (time,), Euclidean norm of ∂L/∂h_t over batch and units. None before backward.
    mean: signal to (time,): its mean over batch and units, for gates and candidate (RNN: hidden).
    saturation: signal to (time,): the share of values below 0.1 or above 0.9 (gates), or beyond
        ±0.9 (tanh); signals that can't saturate are left out.

    Steps after the end of a sequence are NaN in the three-axis arrays and don't enter the others.
    An input without a batch axis is recorded as a batch of one.
    """

    signals: dict[str, Array] = field(default_factory=dict)
    gradient: Array | None = None
    gradient_norm: Array | None = None
    mean: dict[str, Array] = field(default_factory=dict)
    saturation: dict[str, Array] = field(default_factory=dict)


@dataclass
class Recording:
    """Passed to a layer's forward; filled by it, and completed by the backward pass.

    detail "summary" holds only what has one number per time step and costs next to nothing.
    layers: one LayerRecording per layer of the stack and direction, in the order of the final
        state's rows: lowest first, and of a layer the direction that reads backwards second. The
        steps are those of the input in both. Replaced at each forward, but not where a checkpoint
        computes one again in the middle of the backward pass.
    """

    detail: Literal["full", "summary"] = "full"
    layers: list[LayerRecording] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.detail not in ("full", "summary"):
            raise ValueError(f'detail is "full" or "summary", not {self.detail!r}')

    def begin(self, layers: int) -> None:
        """Makes room for what a forward pass is about to write."""
        again = torch._C._current_graph_task_id() != -1 and len(self.layers) == layers
        if not again:
            self.layers = [LayerRecording() for _ in range(layers)]

    @property
    def full(self) -> bool:
        return self.detail == "full"


def running(values: Array, lengths: npt.NDArray[np.int64] | None) -> Array:
    """A contiguous copy of (time, batch, hidden) with NaN where a sequence has ended."""
    copy = np.array(values, order="C")
    if lengths is not None:
        copy[np.arange(len(copy))[:, None] >= lengths[None, :]] = np.nan
    return copy

"""Writes into a recording what one direction of a layer computes, by whatever computes it."""

from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gruviz.nn.equation import Equation
from gruviz.nn.recording import Array, LayerRecording, running
from gruviz.nn.sequences import backwards_steps


class Watch(NamedTuple):
    """Where to write; whether every value is wanted or only summaries; whether the sequences are
    read from their ends, so that what was read first belongs to the last time step."""

    recording: LayerRecording
    full: bool
    backwards: bool = False


def in_time(values: Tensor, watch: Watch, lengths: Tensor | None) -> Array:
    """A copy of (time, batch, hidden), the steps as they follow in the input, NaN after the ends."""
    found: Array = values.detach().to("cpu", recordable(values.dtype)).numpy()
    if lengths is None:
        return running(found[::-1] if watch.backwards else found, None)
    if watch.backwards:
        steps = backwards_steps(len(values), lengths.cpu()).numpy()
        found = np.take_along_axis(found, steps[:, :, None], 0)
    return running(found, lengths.cpu().numpy())


def recordable(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def write_signals(
    watch: Watch, columns: dict[str, Tensor], lengths: Tensor | None
) -> dict[str, Array]:
    """columns: signal to (time, batch, hidden) in the order of reading; returns them as they follow
    in the input, whether they were wanted or not."""
    arrays = {name: in_time(values, watch, lengths) for name, values in columns.items()}
    if watch.full:
        watch.recording.signals = arrays
    return arrays


def write_means(watch: Watch, equation: Equation, arrays: dict[str, Array]) -> None:
    """The summary of what write_signals returned."""
    for name, limits in equation.summarised.items():
        array = arrays[name]
        watch.recording.mean[name] = np.nanmean(array, (1, 2))
        if limits is not None:
            count = np.isfinite(array).sum((1, 2))
            outside = (array < limits[0]) | (array > limits[1])
            watch.recording.saturation[name] = (outside.sum((1, 2)) / count).astype(array.dtype)


def write_summary(watch: Watch, equation: Equation, summary: Tensor) -> None:
    """summary: as a loop fills it, means and then saturated shares, (2 * signals, time)."""
    array = summary.numpy()
    if watch.backwards:
        array = array[:, ::-1].copy()
    watch.recording.mean = dict(zip(equation.summarised, array, strict=False))
    watch.recording.saturation = {name: array[row] for name, row in equation.saturating}


def write_gradient(
    watch: Watch, norm: Tensor, gradient: Tensor | None, lengths: Tensor | None
) -> None:
    """norm (time,) and gradient (time, batch, hidden) of the states, in the order of reading;
    gradient may be None unless the watch wants it or sequences end early."""
    array = None if gradient is None else in_time(gradient, watch, lengths)
    if watch.full:
        watch.recording.gradient = array
    if array is not None and lengths is not None:
        # What a state that no longer changes hands on to the end of its sequence isn't counted.
        squares = np.square(array, dtype=np.float64)
        squares[_over(len(array), lengths)] = 0
        watch.recording.gradient_norm = np.sqrt(squares.sum((1, 2))).astype(array.dtype)
    else:
        found = norm.numpy()
        watch.recording.gradient_norm = found[::-1].copy() if watch.backwards else found


def _over(time: int, lengths: Tensor) -> npt.NDArray[np.bool_]:
    over: npt.NDArray[np.bool_] = np.arange(time)[:, None] >= lengths.cpu().numpy()[None, :]
    return over


def listen(watch: Watch, hidden: list[Tensor], lengths: Tensor | None) -> None:
    """Writes the gradients of the states when a backward pass has reached the first of them."""
    if not hidden[0].requires_grad:
        return
    dtype = recordable(hidden[0].dtype)
    gradient = torch.zeros(len(hidden), *hidden[0].shape, dtype=dtype)

    def arrived(t: int, value: Tensor) -> None:
        gradient[t] = value.detach().to("cpu", dtype)
        if t == 0:
            norm = torch.linalg.vector_norm(gradient, dim=(1, 2), dtype=torch.float64).to(dtype)
            write_gradient(watch, norm, gradient, lengths)

    for t, state in enumerate(hidden):
        state.register_hook(partial(arrived, t))  # type: ignore[no-untyped-call]

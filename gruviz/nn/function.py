"""One layer over a whole sequence: the compiled recurrence as an autograd function, and the same by
plain torch. Both return (output, final hidden, final cell or None), the final states as
(1, batch, hidden), and fill a LayerRecording."""

from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gruviz.nn.compiled import kernel
from gruviz.nn.equations import BLOCKS, RECORDED, Equation, summarised
from gruviz.nn.memory import empty
from gruviz.nn.recording import LayerRecording, running
from gruviz.nn.reference import Step, Weights, unroll


class Sequences(NamedTuple):
    """x: (time, batch, features), or (batch, time, features) with batch_first, as output is then.
    hidden, cell: (batch, hidden), None for zeros. mask (batch, hidden) multiplies the state before
    the recurrent product. lengths: int64 (batch,) of sequences that end early, zeros after that.
    decay, of a GRU: with the axes of the output, multiplies the state before each step."""

    x: Tensor
    hidden: Tensor | None
    cell: Tensor | None
    mask: Tensor | None
    lengths: Tensor | None
    batch_first: bool
    decay: Tensor | None = None


class Watch(NamedTuple):
    """Where to write, and whether every value is wanted or only summaries."""

    recording: LayerRecording
    full: bool


Result = tuple[Tensor, Tensor, Tensor | None]


def by_numba(
    equation: Equation, sequences: Sequences, weights: Weights, watch: Watch | None
) -> Result:
    """Gradients can be taken once: there is no gradient of the closed-form gradient."""
    if not sequences.x.numel():  # a batch of none, which BLAS takes for a mistake
        return by_torch(equation, sequences, weights, watch)
    result: tuple[Tensor, ...] = _Recurrence.apply(
        equation, watch, sequences.batch_first, sequences.lengths, sequences.x, sequences.hidden,
        sequences.cell, sequences.mask, sequences.decay, *weights,
    )  # type: ignore[no-untyped-call]  # fmt: skip
    return result[0], result[1], result[2] if len(result) > 2 else None


def by_torch(
    equation: Equation, sequences: Sequences, weights: Weights, watch: Watch | None
) -> Result:
    x = sequences.x.transpose(0, 1) if sequences.batch_first else sequences.x
    zeros = x.new_zeros(x.shape[1], weights.state.shape[1])
    hidden = zeros if sequences.hidden is None else sequences.hidden
    cell = sequences.cell
    if equation.cell == "lstm" and cell is None:
        cell = zeros
    decay = sequences.decay
    if decay is not None and sequences.batch_first:
        decay = decay.transpose(0, 1)
    steps = unroll(equation, x, hidden, cell, weights, sequences.mask, sequences.lengths, decay)
    if watch is not None:
        _record_steps(equation, steps, watch, sequences.lengths)
    output = torch.stack([step.hidden for step in steps], 1 if sequences.batch_first else 0)
    cell = steps[-1].cell
    return output, steps[-1].hidden[None], None if cell is None else cell[None]


def _record_steps(
    equation: Equation, steps: list[Step], watch: Watch, lengths: Tensor | None
) -> None:
    """Writes what the steps computed now, and the gradients when the backward pass reaches them."""
    names = [*steps[0].signals, *(["cell"] if steps[0].cell is not None else []), "hidden"]
    columns = {
        name: torch.stack([_signal(step, name) for step in steps]).detach() for name in names
    }
    _write(watch, equation, columns, lengths)
    _listen(watch, [step.hidden for step in steps], lengths)


def _signal(step: Step, name: str) -> Tensor:
    found: Tensor = step.signals[name] if name in step.signals else getattr(step, name)
    return found


def _write(
    watch: Watch, equation: Equation, columns: dict[str, Tensor], lengths: Tensor | None
) -> None:
    ends = None if lengths is None else lengths.cpu().numpy()
    for name, values in columns.items():
        array = running(values.to("cpu", _recordable(values.dtype)).numpy(), ends)
        if watch.full:
            watch.recording.signals[name] = array
        if name in summarised(equation.cell):
            watch.recording.mean[name] = np.nanmean(array, (1, 2))
            limits = equation.range_of(name)
            if limits is not None:
                count = np.isfinite(array).sum((1, 2))
                outside = (array < limits[0]) | (array > limits[1])
                watch.recording.saturation[name] = (outside.sum((1, 2)) / count).astype(array.dtype)


def _recordable(dtype: torch.dtype) -> torch.dtype:
    return torch.float32 if dtype in (torch.bfloat16, torch.float16) else dtype


def _listen(watch: Watch, hidden: list[Tensor], lengths: Tensor | None) -> None:
    if not hidden[0].requires_grad:
        return
    dtype = _recordable(hidden[0].dtype)
    gradient = torch.zeros(len(hidden), *hidden[0].shape, dtype=dtype)
    watch.recording.gradient_norm = np.zeros(len(hidden), gradient.numpy().dtype)

    def arrived(t: int, value: Tensor) -> None:
        gradient[t] = value.detach().to("cpu", dtype)
        assert watch.recording.gradient_norm is not None
        watch.recording.gradient_norm[t] = gradient[t].norm().item()
        if t == 0 and watch.full:
            ends = None if lengths is None else lengths.cpu().numpy()
            watch.recording.gradient = running(gradient.numpy(), ends)

    watch.recording.gradient_norm.fill(0)
    for t, state in enumerate(hidden):
        state.register_hook(partial(arrived, t))  # type: ignore[no-untyped-call]


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _feature_major(values: Tensor, batch_first: bool) -> Tensor:
    return (values.permute(1, 2, 0) if batch_first else values.transpose(1, 2)).contiguous()


def _from_feature_major(values: Tensor, batch_first: bool) -> Tensor:
    return values.permute(2, 0, 1) if batch_first else values.transpose(1, 2)


class _Recurrence(torch.autograd.Function):
    """Memory is feature-major: x (T, F, B), h (T + 1, H, B) with the initial state in front.

    At the sizes of a lesson a step's Python costs as much as its arithmetic, hence few tensors and
    no views but those that are handed out: the kernels take addresses and strides.
    """

    @staticmethod
    def forward(
        ctx: Any,
        equation: Equation,
        watch: Watch | None,
        batch_first: bool,
        lengths: Tensor | None,
        x: Tensor,
        hidden: Tensor | None,
        cell: Tensor | None,
        mask: Tensor | None,
        decay: Tensor | None,
        wx: Tensor,
        wh: Tensor,
        bx: Tensor | None,
        bh: Tensor | None,
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        if batch_first:
            (B, T, F), (sb, st, si) = x.shape, x.stride()
        else:
            (T, B, F), (st, sb, si) = x.shape, x.stride()
        in_place = (st, si, sb) == (F * B, B, 1)
        H = wh.shape[1]
        n = H * B
        # One piece of memory: hidden states, record, cells, masked hidden states, x
        lstm = equation.cell == "lstm"
        states = (T + 1) * n
        records = T * n * RECORDED[equation.cell]
        cells = states if lstm else 0
        masked = 0 if mask is None else T * n
        memory = empty(x, states + records + cells + masked + (0 if in_place else T * F * B))
        size, h_ = memory.element_size(), memory.data_ptr()
        g_ = h_ + states * size
        c_ = g_ + records * size
        hm_ = c_ + cells * size
        x_ = x.data_ptr() if in_place else hm_ + masked * size
        wx, wh = wx.contiguous(), wh.contiguous()
        begins = [hidden, cell] if lstm else [hidden]
        begins = [begin if begin is None else begin.contiguous() for begin in begins]
        ends = [x.new_empty(1, B, H) for _ in begins]
        if mask is not None:
            mask = mask.t().contiguous()
        if decay is not None:
            decay = _feature_major(decay, batch_first)
        own = (c_, g_) if lstm else (g_, _address(decay)) if records else ()
        common = (
            0.0, T, B, F, H, *equation.flags, x_, h_, *own, hm_, wx.data_ptr(), wh.data_ptr(),
        )  # fmt: skip
        limits, summary = 0, None
        if watch is not None:
            summary = x.new_empty(2 * len(summarised(equation.cell)), T)
            limits = _limits(equation, x.dtype).data_ptr()
        kernel(FORWARD[equation.cell], x.dtype)(
            *common, _address(bx), _address(bh), _address(mask), _address(lengths),
            *map(_address, begins), *map(_address, ends),
            0 if in_place else x.data_ptr(), st, sb, si, limits, _address(summary),
        )  # fmt: skip
        if watch is not None and summary is not None:
            _summarise(watch.recording, equation, summary)
            if watch.full:
                _record(watch, equation, memory, (T, B, H), lengths)
        ctx.save_for_backward(x, memory, wx, wh, mask, lengths, decay)
        ctx.constants = (equation, watch, batch_first, common)
        axes = ((B, T, H), (1, n, B)) if batch_first else ((T, B, H), (n, 1, B))
        return memory.as_strided(*axes, n), *ends

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, _, wx, wh, mask, lengths, _ = ctx.saved_tensors
        equation, watch, batch_first, common = ctx.constants
        _, T, B, F, H, *_ = common
        up, *up_ends = gradients
        if up is not None:
            up = _feature_major(up, batch_first)
        up_ends = [None if end is None else end.contiguous() for end in up_ends]
        needs = ctx.needs_input_grad
        dx = x.new_empty(T, F, B) if needs[4] else None
        ddecay = x.new_empty(T, H, B) if needs[8] else None
        begins = [
            x.new_empty(B, H) if needed else None
            for needed, _ in zip(needs[5:7], up_ends, strict=False)
        ]
        dwx, dwh = torch.empty_like(wx), torch.empty_like(wh)
        dbx, dbh = wx.new_empty(len(wx)), wx.new_empty(len(wx))
        norm = wx.new_empty(T)
        gradient = x.new_empty(T, H, B) if watch is not None and watch.full else None
        kernel(BACKWARD[equation.cell], x.dtype)(
            *common, _address(mask), _address(lengths), _address(up),
            *map(_address, up_ends), *map(_address, begins),
            *((_address(ddecay),) if equation.cell == "gru" else ()), _address(dx),
            dwx.data_ptr(), dwh.data_ptr(), dbx.data_ptr(), dbh.data_ptr(),
            _address(gradient), norm.data_ptr(),
        )  # fmt: skip
        if watch is not None:
            watch.recording.gradient_norm = norm.numpy()
            if gradient is not None:
                times = None if lengths is None else lengths.numpy()
                watch.recording.gradient = running(gradient.transpose(1, 2).numpy(), times)
        if dx is not None:
            dx = _from_feature_major(dx, batch_first)
        if ddecay is not None:
            ddecay = _from_feature_major(ddecay, batch_first)
        return (
            None, None, None, None, dx, begins[0], begins[1] if len(begins) > 1 else None, None,
            ddecay, dwx, dwh, dbx if needs[11] else None, dbh if needs[12] else None,
        )  # fmt: skip


FORWARD = {cell: f"{cell}_forward" for cell in RECORDED}
BACKWARD = {cell: f"{cell}_backward" for cell in RECORDED}


@cache
def _limits(equation: Equation, dtype: torch.dtype) -> Tensor:
    """(signals, 2): outside of what each summarised signal is saturated."""
    ranges = [equation.range_of(name) or (0.0, 0.0) for name in summarised(equation.cell)]
    return torch.tensor(ranges, dtype=dtype)


@cache
def _saturating(equation: Equation) -> list[tuple[str, int]]:
    """Names and rows, in a summary, of the shares of saturated values."""
    names = summarised(equation.cell)
    rows = enumerate(names, len(names))
    return [(name, row) for row, name in rows if equation.range_of(name) is not None]


def _summarise(recording: LayerRecording, equation: Equation, summary: Tensor) -> None:
    array = summary.numpy()
    recording.mean = dict(zip(summarised(equation.cell), array, strict=False))
    recording.saturation = {name: array[row] for name, row in _saturating(equation)}


def _record(
    watch: Watch,
    equation: Equation,
    memory: Tensor,
    sizes: tuple[int, int, int],
    lengths: Tensor | None,
) -> None:
    T, B, H = sizes
    n = H * B
    # The record follows the T + 1 hidden states, of which the first is not one of ours.
    begin, rows = (T + 1) * n, RECORDED[equation.cell] * n
    columns = {
        name: memory.as_strided((T, B, H), (rows, 1, B), begin + block * n)
        for name, block in BLOCKS[equation.cell].items()
    }
    if equation.cell == "lstm":
        columns["cell"] = memory.as_strided((T, B, H), (n, 1, B), begin + T * rows + n)
    columns["hidden"] = memory.as_strided((T, B, H), (n, 1, B), n)
    times = None if lengths is None else lengths.numpy()
    for name, values in columns.items():
        watch.recording.signals[name] = running(values.numpy(), times)

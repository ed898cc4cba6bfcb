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
from gruviz.nn.equations import BLOCKS, RECORDED, Equation
from gruviz.nn.memory import empty
from gruviz.nn.recording import LayerRecording, running
from gruviz.nn.reference import Step, Weights, unroll


class Sequences(NamedTuple):
    """x: (time, batch, features), or (batch, time, features) with batch_first, as output is then.
    hidden, cell: (batch, hidden), None for zeros. mask (batch, hidden) multiplies the state before
    the recurrent product; of a decayed equation it is (time, hidden, batch), what the state keeps
    before each step. lengths: int64 (batch,) of sequences that end early, zeros after that."""

    x: Tensor
    hidden: Tensor | None
    cell: Tensor | None
    mask: Tensor | None
    lengths: Tensor | None
    batch_first: bool


class Watch(NamedTuple):
    """Where to write, and whether every value is wanted or only summaries."""

    recording: LayerRecording
    full: bool


Result = tuple[Tensor, Tensor, Tensor | None]


def by_numba(
    equation: Equation, sequences: Sequences, weights: Weights, watch: Watch | None
) -> Result:
    """Gradients can be taken once: there is no gradient of the closed-form gradient."""
    result: tuple[Tensor, ...] = _Recurrence.apply(
        equation, watch, sequences.batch_first, sequences.lengths, sequences.x, sequences.hidden,
        sequences.cell, sequences.mask, *weights,
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
    steps = unroll(equation, x, hidden, cell, weights, sequences.mask, sequences.lengths)
    if watch is not None:
        names = [*steps[0].signals, *(["cell"] if steps[0].cell is not None else []), "hidden"]
        columns = {
            name: torch.stack([_signal(step, name) for step in steps]).detach() for name in names
        }
        _write(watch, equation, columns, sequences.lengths)
        _listen(watch, [step.hidden for step in steps], sequences.lengths)
    output = torch.stack([step.hidden for step in steps], 1 if sequences.batch_first else 0)
    cell = steps[-1].cell
    return output, steps[-1].hidden[None], None if cell is None else cell[None]


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
        if name in BLOCKS[equation.cell] or equation.cell == "rnn":
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


class _Recurrence(torch.autograd.Function):
    """Memory is feature-major: x (T, F, B), h (T + 1, H, B) with the initial state in front."""

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
        wx: Tensor,
        wh: Tensor,
        bx: Tensor | None,
        bh: Tensor | None,
    ) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        lstm = equation.cell == "lstm"
        turned = x.permute(1, 2, 0) if batch_first else x.transpose(1, 2)
        T, F, B = turned.shape
        H = wh.shape[1]
        n = H * B
        source = (0, 0, 0, 0)
        own = 0  # values of x to copy
        if not turned.is_contiguous():
            st, si, sb = turned.stride()
            source, own = (x.data_ptr(), st, sb, si), T * F * B
        # One piece of memory: hidden states, record, cells, masked hidden states, x
        records = RECORDED[equation.cell] * n * T
        cells, masked = (T + 1) * n * lstm, 0 if mask is None else T * n
        memory = empty(x, (T + 1) * n + records + cells + masked + own)
        h = memory.as_strided((T + 1, H, B), (n, B, 1), 0)
        if hidden is None:
            h[0].zero_()
        else:
            h[0] = hidden.t()
        size = x.element_size()
        places = [memory.data_ptr()]
        for length in ((T + 1) * n, records, cells, masked):
            places.append(places[-1] + length * size)
        h_, g_, c_, hm_, x_ = places
        if lstm:
            c = memory.as_strided((T + 1, H, B), (n, B, 1), (T + 1) * n + records)
            if cell is None:
                c[0].zero_()
            else:
                c[0] = cell.t()
        if not own:
            x_ = x.data_ptr()
        if mask is not None:
            mask = (mask if equation.decayed else mask.t()).contiguous()
        wx, wh = wx.contiguous(), wh.contiguous()
        masked_only = mask is not None and not equation.decayed
        flags = (*equation.flags(), int(masked_only), int(lengths is not None))
        states = (h_, c_, g_) if lstm else (h_, g_) if equation.cell == "gru" else (h_,)
        ends = tuple(x.new_empty(1, B, H) for _ in range(1 + lstm))
        kernel(f"{equation.cell}_forward", x.dtype)(
            0.0, T, B, F, H, *flags, x_, *states, hm_, wx.data_ptr(), wh.data_ptr(),
            _address(bx), _address(bh), _address(mask), _address(lengths),
            *[end.data_ptr() for end in ends], *source,
        )  # fmt: skip
        if watch is not None:
            _record(watch, equation, memory, (T, B, H), lengths)
        ctx.save_for_backward(x, memory, wx, wh, mask, lengths)
        ctx.constants = (equation, watch, batch_first, flags, (T, B, F, H), (x_, *states, hm_))
        axes = ((B, T, H), (1, n, B)) if batch_first else ((T, B, H), (n, 1, B))
        return memory.as_strided(*axes, n), *ends

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, _, wx, wh, mask, lengths = ctx.saved_tensors
        equation, watch, batch_first, flags, sizes, places = ctx.constants
        T, B, F, H = sizes
        up, *up_ends = gradients
        if up is not None:
            up = (up.permute(1, 2, 0) if batch_first else up.transpose(1, 2)).contiguous()
        up_ends = [None if end is None else end.contiguous() for end in up_ends]
        needs_x, needs_hidden, needs_cell = ctx.needs_input_grad[4:7]
        dx = x.new_empty(T, F, B) if needs_x else None
        begins = [
            x.new_empty(B, H) if needed else None
            for needed in (needs_hidden, needs_cell)[: len(up_ends)]
        ]
        dwx, dwh = torch.empty_like(wx), torch.empty_like(wh)
        dbx, dbh = wx.new_empty(len(wx)), wx.new_empty(len(wx))
        ddecay = torch.empty_like(mask) if ctx.needs_input_grad[7] else None
        norm = wx.new_empty(T)
        gradient = x.new_empty(T, H, B) if watch is not None and watch.full else None
        kernel(f"{equation.cell}_backward", x.dtype)(
            0.0, T, B, F, H, *flags, *places, wx.data_ptr(), wh.data_ptr(), _address(mask),
            _address(lengths), _address(up), *map(_address, up_ends), *map(_address, begins),
            _address(dx), dwx.data_ptr(), dwh.data_ptr(), dbx.data_ptr(), dbh.data_ptr(),
            _address(gradient), norm.data_ptr(),
            *([_address(ddecay)] if equation.cell == "gru" else []),
        )  # fmt: skip
        if watch is not None:
            watch.recording.gradient_norm = norm.numpy()
            if gradient is not None:
                times = None if lengths is None else lengths.numpy()
                watch.recording.gradient = running(gradient.transpose(1, 2).numpy(), times)
        if dx is not None:
            dx = dx.permute(2, 0, 1) if batch_first else dx.transpose(1, 2)
        _, _, _, _, _, _, _, _, _, _, needs_bx, needs_bh = ctx.needs_input_grad
        return (
            None, None, None, None, dx, begins[0], begins[1] if len(begins) > 1 else None, ddecay,
            dwx, dwh, dbx if needs_bx else None, dbh if needs_bh else None,
        )  # fmt: skip


@cache
def _limits(equation: Equation, dtype: torch.dtype) -> Tensor:
    """(signals, 2): outside of what each summarised signal is saturated."""
    names = list(BLOCKS[equation.cell]) or ["hidden"]
    return torch.tensor([equation.range_of(name) or (0.0, 0.0) for name in names], dtype=dtype)


def _record(
    watch: Watch,
    equation: Equation,
    memory: Tensor,
    sizes: tuple[int, int, int],
    lengths: Tensor | None,
) -> None:
    T, B, H = sizes
    n = H * B
    blocks = BLOCKS[equation.cell]
    names = list(blocks) or ["hidden"]
    rows = RECORDED[equation.cell] * H or H
    # The record follows the T + 1 hidden states, of which the first is not one of ours.
    begin = (T + 1) * n if blocks else n
    out = memory.new_empty(2 * len(names), T)
    kernel("summary", memory.dtype)(
        0.0, T, B, H, rows, min(blocks.values(), default=0) * H, len(names),
        int(lengths is not None), memory.data_ptr() + begin * memory.element_size(),
        _address(lengths), _limits(equation, memory.dtype).data_ptr(), out.data_ptr(),
    )  # fmt: skip
    array = out.numpy()
    for row, name in enumerate(names):
        watch.recording.mean[name] = array[row]
        if equation.range_of(name) is not None:
            watch.recording.saturation[name] = array[len(names) + row]
    if watch.full:
        times = None if lengths is None else lengths.numpy()
        columns = {
            name: memory.as_strided((T, B, H), (rows * B, 1, B), (T + 1) * n + block * n)
            for name, block in blocks.items()
        }
        if equation.cell == "lstm":
            cells = (T + 1) * n + T * rows * B + n
            columns["cell"] = memory.as_strided((T, B, H), (n, 1, B), cells)
        columns["hidden"] = memory.as_strided((T, B, H), (n, 1, B), n)
        for name, values in columns.items():
            watch.recording.signals[name] = running(values.numpy(), times)

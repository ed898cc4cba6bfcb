"""One layer over a whole sequence: the compiled recurrence as an autograd function, and the same by
plain torch. Both return (output, final hidden, final cell or None), the final states as
(1, batch, hidden), and fill a LayerRecording."""

from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruviz.nn.compiled import loop
from gruviz.nn.equation import Compiled, Equation, Step, Weights
from gruviz.nn.memory import empty
from gruviz.nn.unroll import unroll
from gruviz.nn.watch import (
    Watch,
    listen,
    write_gradient,
    write_means,
    write_signals,
    write_summary,
)


class Inputs(NamedTuple):
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


Result = tuple[Tensor, Tensor, Tensor | None]


def by_numba(equation: Equation, inputs: Inputs, weights: Weights, watch: Watch | None) -> Result:
    """Raises RuntimeError under torch.func and where a compiler traces."""
    if not inputs.x.numel():  # a batch of none, which BLAS takes for a mistake
        return by_torch(equation, inputs, weights, watch)
    if _is_traced():
        raise RuntimeError(NO_RULE)
    result: tuple[Tensor, ...] = _Recurrence.apply(
        equation, watch, inputs.batch_first, inputs.lengths, inputs.x, inputs.hidden,
        inputs.cell, inputs.mask, inputs.decay, *weights,
    )  # type: ignore[no-untyped-call]  # fmt: skip
    return result[0], result[1], result[2] if len(result) > 2 else None


NO_RULE = (
    "the compiled loops of gruviz.nn have no rule for torch.func (grad, vmap, jvp ...), for"
    ' forward-mode derivatives, or for tracing and compiling; choose engine="torch" for this layer'
)


def _is_traced() -> bool:
    """Whether a tensor here may be something else than its numbers."""
    # The first is what torch.autograd.Function asks, whose own message names a method of ours.
    return (
        torch._C._are_functorch_transforms_active()
        or torch._C._is_tracing()
        or torch.compiler.is_compiling()
    )


def by_torch(equation: Equation, inputs: Inputs, weights: Weights, watch: Watch | None) -> Result:
    x = inputs.x.transpose(0, 1) if inputs.batch_first else inputs.x
    zeros = x.new_zeros(x.shape[1], weights.state.shape[1])
    hidden = zeros if inputs.hidden is None else inputs.hidden
    cell = inputs.cell
    if equation.has_cell and cell is None:
        cell = zeros
    decay = inputs.decay
    if decay is not None and inputs.batch_first:
        decay = decay.transpose(0, 1)
    steps = unroll(equation, x, hidden, cell, weights, inputs.mask, inputs.lengths, decay)
    if watch is not None:
        write_means(watch, equation, write_signals(watch, _columns(steps), inputs.lengths))
        listen(watch, [step.hidden for step in steps], inputs.lengths)
    output = torch.stack([step.hidden for step in steps], 1 if inputs.batch_first else 0)
    # Stacked, and so copied: whoever changes a final state must not change a step's.
    final, cell = torch.stack([steps[-1].hidden]), steps[-1].cell
    return output, final, None if cell is None else torch.stack([cell])


def _columns(steps: list[Step]) -> dict[str, Tensor]:
    """Every signal, (time, batch, hidden)."""
    columns = {
        name: torch.stack([step.signals[name] for step in steps]) for name in steps[0].signals
    }
    cells = [step.cell for step in steps if step.cell is not None]
    if cells:
        columns["cell"] = torch.stack(cells)
    columns["hidden"] = torch.stack([step.hidden for step in steps])
    return columns


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _contiguous(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.contiguous()


def _feature_major(values: Tensor, batch_first: bool) -> Tensor:
    return (values.permute(1, 2, 0) if batch_first else values.transpose(1, 2)).contiguous()


def _from_feature_major(values: Tensor, batch_first: bool) -> Tensor:
    return values.permute(2, 0, 1) if batch_first else values.transpose(1, 2)


def _compiled(equation: Equation) -> Compiled:
    assert equation.compiled is not None
    return equation.compiled


class _Layout(NamedTuple):
    """Sizes (time, batch, features, hidden), and where each part begins in one piece of memory, in
    numbers: hidden states (T + 1, H, B), then these."""

    sizes: tuple[int, int, int, int]
    record: int
    cells: int
    masked: int
    x: int
    end: int


def _layout(
    equation: Equation, sizes: tuple[int, int, int, int], masked: bool, copied: bool
) -> _Layout:
    T, B, F, H = sizes
    n = H * B
    record = (T + 1) * n
    cells = record + T * n * _compiled(equation).recorded
    masked_states = cells + (record if equation.has_cell else 0)
    own_x = masked_states + (T * n if masked else 0)
    return _Layout(sizes, record, cells, masked_states, own_x, own_x + (T * F * B if copied else 0))


def _arguments(
    equation: Equation, at: _Layout, memory: Tensor, x: Tensor | None, wx: Tensor, wh: Tensor,
    decay: Tensor | None,
) -> tuple[float, ...]:  # fmt: skip
    """What the forward and the backward loop both begin with; x as it is, or None for the copy in
    memory. Addresses, which hold no longer than their tensors."""
    size, start = memory.element_size(), memory.data_ptr()
    sizes, record, cells, masked, own_x, _ = at
    compiled = _compiled(equation)
    own: list[int] = []
    if equation.has_cell:
        own.append(start + cells * size)
    if compiled.recorded:
        own.append(start + record * size)
    if compiled.decays:
        own.append(_address(decay))
    return (
        0.0, *sizes, *equation.flags, start + own_x * size if x is None else x.data_ptr(), start,
        *own, start + masked * size, wx.data_ptr(), wh.data_ptr(),
    )  # fmt: skip


class _Recurrence(torch.autograd.Function):
    """Memory is feature-major: x (T, F, B), h (T + 1, H, B) with the initial state in front.

    At the sizes of a lesson a step's Python costs as much as its arithmetic, hence few tensors and
    no views but those that are handed out: the loops take addresses and strides. An address never
    outlives the call that took it: what a backward pass is given may lie elsewhere.
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
        H = wh.shape[1]
        n = H * B
        copied = (st, si, sb) != (F * B, B, 1)  # not feature-major as it is
        at = _layout(equation, (T, B, F, H), mask is not None, copied)
        memory, output = empty(x, at.end), empty(x, T * n)
        begins = [hidden, cell] if equation.has_cell else [hidden]
        ends = [x.new_empty(1, B, H) for _ in begins]
        rows = None if mask is None else mask.t().contiguous()
        kept = None if decay is None else _feature_major(decay, batch_first)
        weights = wx.contiguous(), wh.contiguous()
        laid_out = [_contiguous(tensor) for tensor in (bx, bh, *begins)]
        limits, summary = 0, None
        if watch is not None:
            summary = x.new_empty(2 * len(equation.summarised), T)
            limits = _limits(equation, x.dtype).data_ptr()
        loop(f"{equation.name}_forward", x.dtype)(
            *_arguments(equation, at, memory, None if copied else x, *weights, kept),
            *map(_address, laid_out[:2]), _address(rows), _address(lengths),
            *map(_address, laid_out[2:]), *map(_address, ends), output.data_ptr(),
            x.data_ptr() if copied else 0, st, sb, si, limits, _address(summary),
        )  # fmt: skip
        if watch is not None and summary is not None:
            _write(watch, equation, summary, memory, at, lengths)
        ctx.save_for_backward(x, memory, wx, wh, rows, lengths, kept, hidden, cell, decay, bx, bh)
        ctx.constants = equation, watch, batch_first, at, copied, x.dtype
        axes = ((B, T, H), (1, n, B)) if batch_first else ((T, B, H), (n, 1, B))
        # Not a view in autograd's eyes: it may be changed in place, and backward won't notice.
        return output.as_strided(*axes).data, *ends

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        batched = not all(torch._C._has_storage(up) for up in gradients if up is not None)
        if batched or torch.is_grad_enabled():
            found = _differentiable(ctx, gradients)
            if ctx.constants[1] is not None and not batched:
                with torch.no_grad():
                    _closed_form(ctx, gradients)
            return found
        return _closed_form(ctx, gradients)

    @staticmethod
    def jvp(_ctx: Any, *_tangents: Any) -> Any:
        raise RuntimeError(NO_RULE)


def _closed_form(ctx: Any, gradients: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """The gradients by the compiled loop, which have no gradients of their own."""
    x, memory, wx, wh, mask, lengths, decay, *_ = ctx.saved_tensors
    equation, watch, batch_first, at, copied, dtype = ctx.constants
    T, B, F, H = at.sizes
    if not (
        memory.dtype == x.dtype == wx.dtype == wh.dtype == dtype
        and memory.numel() == at.end
        and x.numel() == T * B * F
    ):
        raise RuntimeError("a saved tensor came back from its hook with another size or dtype")
    # What a saved-tensor hook gives back has the numbers, but not always the strides.
    memory, wx, wh = memory.contiguous(), wx.contiguous(), wh.contiguous()
    mask, lengths, decay = _contiguous(mask), _contiguous(lengths), _contiguous(decay)
    source = None if copied else _feature_major(x, batch_first)  # which copies only what isn't
    up, *up_ends = gradients
    if up is not None:
        up = _feature_major(up, batch_first)
    up_ends = [_contiguous(end) for end in up_ends]
    needs = ctx.needs_input_grad
    dx = x.new_empty(T, F, B) if needs[4] else None
    ddecay = x.new_empty(T, H, B) if needs[8] else None
    begins = [
        x.new_empty(B, H) if needed else None
        for needed, _ in zip(needs[5:7], up_ends, strict=False)
    ]
    dwx, dwh = torch.empty_like(wx), torch.empty_like(wh)
    dbx, dbh = wx.new_empty(len(wx)), wx.new_empty(len(wx))
    norm, gradient = wx.new_empty(T), None
    if watch is not None and (watch.full or lengths is not None):
        gradient = x.new_empty(T, H, B)
    loop(f"{equation.name}_backward", x.dtype)(
        *_arguments(equation, at, memory, source, wx, wh, decay), _address(mask), _address(lengths),
        _address(up), *map(_address, up_ends), *map(_address, begins),
        *([_address(ddecay)] if _compiled(equation).decays else []), _address(dx),
        dwx.data_ptr(), dwh.data_ptr(), dbx.data_ptr(), dbh.data_ptr(),
        _address(gradient), norm.data_ptr(),
    )  # fmt: skip
    if watch is not None:
        states = None if gradient is None else gradient.transpose(1, 2)
        write_gradient(watch, norm, states, lengths)
    if dx is not None:
        dx = _from_feature_major(dx, batch_first)
    if ddecay is not None:
        ddecay = _from_feature_major(ddecay, batch_first)
    return (
        None, None, None, None, dx, begins[0], begins[1] if len(begins) > 1 else None, None,
        ddecay, dwx, dwh, dbx if needs[11] else None, dbh if needs[12] else None,
    )  # fmt: skip


def _differentiable(ctx: Any, gradients: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
    """The gradients by torch, computed anew, so that they have gradients themselves."""
    x, _, wx, wh, mask, lengths, _, hidden, cell, decay, bx, bh = ctx.saved_tensors
    equation, _, batch_first, *_ = ctx.constants
    with torch.enable_grad():
        # Each argument apart, even where one is another or was made from it.
        given: list[Any] = [
            None if tensor is None else tensor.view_as(tensor)
            for tensor in (x, hidden, cell, None, decay, wx, wh, bx, bh)
        ]
        x, hidden, cell, _, decay, *weights = given
        rows = None if mask is None else mask.t()
        inputs = Inputs(x, hidden, cell, rows, lengths, batch_first, decay)
        results = by_torch(equation, inputs, Weights(*weights), None)
        pairs = [(r, up) for r, up in zip(results, gradients, strict=False) if up is not None]
        needed = [
            tensor for tensor, needs in zip(given, ctx.needs_input_grad[4:], strict=True) if needs
        ]
        ups = [up for _, up in pairs]
        reached = [result for result, _ in pairs if result is not None]
        found = iter(
            torch.autograd.grad(reached, needed, ups, create_graph=True, allow_unused=True)
            if pairs
            else [None] * len(needed)
        )
    wanted = (next(found) if needs else None for needs in ctx.needs_input_grad[4:])
    return None, None, None, None, *wanted


@cache
def _limits(equation: Equation, dtype: torch.dtype) -> Tensor:
    """(signals, 2): outside of what each summarised signal is saturated."""
    ranges = [limits or (0.0, 0.0) for limits in equation.summarised.values()]
    return torch.tensor(ranges, dtype=dtype)


def _write(
    watch: Watch, equation: Equation, summary: Tensor, memory: Tensor, at: _Layout,
    lengths: Tensor | None,
) -> None:  # fmt: skip
    # What sequences of different length compute at once belongs, when they are read from their
    # ends, to different time steps: the loop's summary is not by time then.
    mixed = watch.backwards and lengths is not None
    if not mixed:
        write_summary(watch, equation, summary)
    if mixed or watch.full:
        arrays = write_signals(watch, _signals(equation, memory, at), lengths)
        if mixed:
            write_means(watch, equation, arrays)


def _signals(equation: Equation, memory: Tensor, at: _Layout) -> dict[str, Tensor]:
    """Views of what the forward loop wrote, each (time, batch, hidden)."""
    T, B, _, H = at.sizes
    n = H * B
    compiled = _compiled(equation)
    rows = compiled.recorded * n
    columns = {
        name: memory.as_strided((T, B, H), (rows, 1, B), at.record + block * n)
        for name, block in compiled.rows.items()
    }
    # Of hidden states and cells the first is not one of ours.
    if equation.has_cell:
        columns["cell"] = memory.as_strided((T, B, H), (n, 1, B), at.cells + n)
    columns["hidden"] = memory.as_strided((T, B, H), (n, 1, B), n)
    return columns

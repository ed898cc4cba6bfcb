"""Batches of sequences: padded, packed, of different length, or a single one."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence


class Batch(NamedTuple):
    """x: three axes, batch before time if `first`. lengths: int64 (batch,) on x's device, or None
    if all are full; x is zero after them. packed: what x came from. unbatched: x had two axes."""

    x: Tensor
    first: bool
    lengths: Tensor | None
    packed: PackedSequence | None
    unbatched: bool

    @property
    def size(self) -> int:
        return self.x.shape[0 if self.first else 1]


def batch_of(
    input: Tensor | PackedSequence, first: bool, lengths: Tensor | list[int] | None, layer: str
) -> Batch:
    if isinstance(input, PackedSequence):
        if lengths is not None:
            raise ValueError("a PackedSequence brings its own lengths; pass lengths=None")
        if input.data.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions, got {input.data.dim()}")
        in_order = PackedSequence(input.data, input.batch_sizes)
        x, ends = pad_packed_sequence(in_order, batch_first=first)
        return Batch(x, first, ends.to(x.device), input, False)
    if input.dim() not in (2, 3):
        raise ValueError(f"{layer}: Expected input to be 2D or 3D, got {input.dim()}D instead")
    unbatched = input.dim() == 2
    x = input.unsqueeze(0 if first else 1) if unbatched else input
    if x.shape[1 if first else 0] == 0:
        raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
    batch = Batch(x, first, None, None, unbatched)
    if lengths is None:
        return batch
    ends = torch.as_tensor(lengths, dtype=torch.int64, device=x.device)
    time = x.shape[1 if first else 0]
    if ends.shape != (batch.size,) or ends.min() < 1 or ends.max() > time:
        raise ValueError(
            f"lengths has to be {batch.size} numbers from 1 to {time}, one for each sequence;"
            f" got {ends.tolist()}"
        )
    batch = batch._replace(lengths=ends.contiguous())
    # What stands after the end must not matter, even if it is NaN.
    return batch._replace(x=keep_valid(x, batch))


def keep_valid(x: Tensor, batch: Batch) -> Tensor:
    """x with zeros after each sequence's end."""
    assert batch.lengths is not None
    steps = torch.arange(x.shape[1 if batch.first else 0], device=x.device)
    over = steps[:, None] >= batch.lengths[None, :]
    return x.masked_fill((over.t() if batch.first else over).unsqueeze(2), 0)


def backwards_steps(time: int, lengths: Tensor) -> Tensor:
    """(time, batch): which step takes the place of each when every sequence is turned round, and
    what stands after its end stays."""
    steps = torch.arange(time, device=lengths.device)[:, None]
    return torch.where(steps < lengths, lengths - 1 - steps, steps)


def backwards(x: Tensor, batch: Batch) -> Tensor:
    """x with each sequence turned round in time; twice is x again."""
    time = 1 if batch.first else 0
    if batch.lengths is None:
        return x.flip(time)
    steps = backwards_steps(x.shape[time], batch.lengths)
    return x.gather(time, (steps.t() if batch.first else steps)[:, :, None].expand_as(x))


def pack_as(x: Tensor, batch: Batch) -> Tensor | PackedSequence:
    """The output in the form that the input had."""
    if batch.packed is None:
        return x.squeeze(0 if batch.first else 1) if batch.unbatched else x
    assert batch.lengths is not None
    packed = pack_padded_sequence(x, batch.lengths.cpu(), batch_first=batch.first)
    _, _, order, back = batch.packed
    return PackedSequence(packed.data, packed.batch_sizes, order, back)


def draw_mask(like: Tensor, *shape: int, rate: float, generator: Generator | None) -> Tensor:
    """Zero with probability rate, else 1 / (1 - rate): inverted dropout."""
    keep = 1 - rate
    mask = torch.empty(shape, dtype=like.dtype, device=like.device)
    return mask.bernoulli_(keep, generator=generator).div_(keep if keep > 0 else 1.0)

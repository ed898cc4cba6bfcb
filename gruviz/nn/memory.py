"""Memory that is used again for the next step of training, instead of asking the system for it.

A fresh block of some hundred kilobytes comes from the system page by page, at the first touch of
each; at the sizes of a lesson that costs as much as the arithmetic.
"""

import weakref
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Block = npt.NDArray[Any]
Kind = tuple[int, torch.dtype]

SMALLEST = 1 << 12  # numbers; below, malloc is as good
KEPT_BYTES = 1 << 26
KEPT_OF_A_KIND = 4
DTYPES = {torch.float32: np.float32, torch.float64: np.float64}

_free: dict[Kind, list[Block]] = {}
_loans: dict[int, tuple["weakref.ref[Any]", Block, Kind]] = {}


def empty(like: Tensor, size: int) -> Tensor:
    """As like.new_empty(size), from memory that some earlier tensor has given back; like is one
    that the loops serve.

    A tensor's memory comes back when nothing refers to it any more: not the tensor, not a view of
    it, not an array that shares it. Under Python's global lock every step here is atomic, which
    matters because a garbage collection may give memory back in the middle of any of them.
    """
    if size < SMALLEST:
        return like.new_empty(size)
    kind = size, like.dtype
    try:
        block = _free[kind].pop()
    except (KeyError, IndexError):
        block = _aligned(*kind)
    # An array object of its own for each loan: torch holds it as long as the memory is in use.
    loan = block[:]
    key = id(loan)
    _loans[key] = weakref.ref(loan, lambda _: _give_back(key)), block, kind
    return torch.from_numpy(loan)


def _aligned(size: int, dtype: torch.dtype) -> Block:
    raw = np.empty(size * dtype.itemsize + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size * dtype.itemsize].view(DTYPES[dtype])


def _give_back(key: int) -> None:
    _, block, kind = _loans.pop(key)
    held = sum(
        size * dtype.itemsize * len(blocks) for (size, dtype), blocks in tuple(_free.items())
    )
    if held + block.nbytes > KEPT_BYTES:
        _free.clear()
    if block.nbytes <= KEPT_BYTES:
        blocks = _free.setdefault(kind, [])
        if len(blocks) < KEPT_OF_A_KIND:
            blocks.append(block)

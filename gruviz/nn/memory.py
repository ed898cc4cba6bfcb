"""Memory that is used again for the next step of training, instead of asking the system for it.

A fresh block of some hundred kilobytes comes from the system page by page, at the first touch of
each; at the sizes of a lesson that costs as much as the arithmetic.
"""

import weakref
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Block = npt.NDArray[np.uint8]

SMALLEST = 1 << 14  # below, malloc is as good
KEPT_BYTES = 1 << 26
KEPT_OF_A_SIZE = 4

_free: dict[int, list[Block]] = {}
_loans: dict[int, tuple["weakref.ref[Any]", Block]] = {}


def empty(like: Tensor, *shape: int) -> Tensor:
    """As like.new_empty(shape), from memory that some earlier tensor has given back.

    A tensor's memory comes back when nothing refers to it any more: not the tensor, not a view of
    it, not an array that shares it. Under Python's global lock every step here is atomic, which
    matters because a garbage collection may give memory back in the middle of any of them.
    """
    size = prod(shape) * like.element_size()
    if size < SMALLEST or like.device.type != "cpu":
        return like.new_empty(shape)
    try:
        block = _free[size].pop()
    except (KeyError, IndexError):
        block = _aligned(size)
    # An array object of its own for each loan: torch holds it as long as the memory is in use.
    loan = block[:]
    key = id(loan)
    _loans[key] = weakref.ref(loan, lambda _: _give_back(key)), block
    return torch.from_numpy(loan).view(like.dtype).view(shape)


def _aligned(size: int) -> Block:
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size]


def _give_back(key: int) -> None:
    block = _loans.pop(key)[1]
    size = len(block)
    held = sum(length * len(blocks) for length, blocks in tuple(_free.items()))
    if held + size > KEPT_BYTES:
        _free.clear()
    if size <= KEPT_BYTES:
        blocks = _free.setdefault(size, [])
        if len(blocks) < KEPT_OF_A_SIZE:
            blocks.append(block)

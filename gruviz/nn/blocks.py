"""Norms of named blocks of weights: of their gradients, of themselves, and of an update."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

from gruviz.nn.compiled import loop, serves

Rows = tuple[Tensor, slice]
Norms = npt.NDArray[np.float64]


class BlockNorms:
    """Measures blocks of weights, each the rows that it has in one or several parameters.

    blocks: name to parameters or (parameter, slice of its rows); a layer's `blocks()`, say. All
        parameters have one dtype, and are contiguous on the CPU.

    Every method returns Euclidean norms, summed in double precision, (blocks,) in the order of
    `names`; one pass over the numbers each. `counts`: how many numbers each block has.

    Raises ValueError for a block without numbers and for parameters that can't be measured.
    """

    def __init__(self, blocks: Mapping[str, Sequence[Tensor | Rows]]) -> None:
        self.names = tuple(blocks)
        without = [repr(name) for name, parts in blocks.items() if not parts]
        if without or not blocks:
            raise ValueError(f"no parameter in block {without[0]}" if without else "no blocks")
        found = [
            (owner, name, *(part if isinstance(part, tuple) else (part, slice(None))))
            for owner, (name, parts) in enumerate(blocks.items())
            for part in parts
        ]
        self._parameters = list({id(weight): weight for _, _, weight, _ in found}.values())
        index = {id(weight): number for number, weight in enumerate(self._parameters)}
        rows, offsets, sizes = [], [], []
        for _, name, weight, part in found:
            begin, end, stride = part.indices(len(weight))
            row = weight.numel() // max(len(weight), 1)
            if end <= begin or stride != 1 or not row:
                raise ValueError(f"block {name!r} has no rows in {part} of {list(weight.shape)}")
            rows.append(index[id(weight)])
            offsets.append(begin * row)
            sizes.append((end - begin) * row)
        self._owners = np.array([owner for owner, *_ in found], np.int64)
        self._rows, self._sizes = np.array(rows), np.array(sizes, np.int64)
        self._offsets = np.array(offsets, np.int64)
        self.counts = np.bincount(self._owners, self._sizes)
        self._copies: Tensor | None = None

    def gradients(self) -> Norms:
        """Norms of the gradients that the parameters have now; NaN where one has none."""
        return self.of(lambda weight: weight.grad)

    def of(self, function: Callable[[Tensor], Tensor | None]) -> Norms:
        """Norms of what a function makes of the parameters, a tensor like each of them; NaN in a
        block with a part of which it makes None."""
        made = [function(weight) for weight in self._parameters]
        there = [w if m is None else m for m, w in zip(made, self._parameters, strict=True)]
        norms = self._measure([tensor.contiguous() for tensor in there])
        missing = np.array([tensor is None for tensor in made])
        norms[self._owners[missing[self._rows]]] = np.nan
        return norms

    def weights(self) -> Norms:
        """Norms of the weights."""
        return self._measure(self._parameters)

    def remember(self) -> None:
        """Takes the copy of the weights that `changes` compares with."""
        first = self._parameters[0]
        self._copies = first.new_zeros(int(self._sizes.sum()))
        self._measure(self._parameters, self._copies)

    def changes(self) -> Norms:
        """Norms of the change of the weights since `remember`, or since the last `changes`, which
        renews the copy. Raises RuntimeError if there is none."""
        if self._copies is None or self._copies.dtype != self._parameters[0].dtype:
            raise RuntimeError(
                "there is no copy to compare with: call remember() before the update"
            )
        return self._measure(self._parameters, self._copies)

    def _measure(self, tensors: list[Tensor], copies: Tensor | None = None) -> Norms:
        dtype = tensors[0].dtype
        for tensor, weight in zip(tensors, self._parameters, strict=True):
            if not (serves(tensor) and tensor.dtype == dtype and tensor.is_contiguous()):
                raise ValueError(
                    "block norms need contiguous parameters of one dtype, float32 or float64, on"
                    f" the CPU; got {tensor.dtype} on {tensor.device}"
                )
            if tensor.shape != weight.shape:
                raise ValueError(f"{list(tensor.shape)} is not like {list(weight.shape)}")
        starts = np.array([tensor.data_ptr() for tensor in tensors])[self._rows]
        addresses = starts + self._offsets * dtype.itemsize
        norms = np.empty(len(self.names))
        loop("block_norms", dtype)(
            0.0,
            len(addresses),
            addresses.ctypes.data,
            self._sizes.ctypes.data,
            len(norms),
            self._owners.ctypes.data,
            0 if copies is None else copies.data_ptr(),
            norms.ctypes.data,
        )
        return norms

"""Kernels by name and dtype: compiled at first use, or loaded from a cache on disk."""

import warnings
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Any

import torch

KERNELS = (
    "gru_forward",
    "gru_backward",
    "lstm_forward",
    "lstm_backward",
    "rnn_forward",
    "rnn_backward",
    "summary",
    "scale_to_norm",
)
_lock = Lock()


class KernelWarning(UserWarning):
    """Something will be slower than it could be: no kernel for a tensor, no cache for kernels."""


def serves(tensor: torch.Tensor) -> bool:
    """Whether the numba kernels can compute with this tensor's device and dtype."""
    return tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64)


@cache
def _load(name: str, dtype: torch.dtype) -> Callable[..., Any]:
    import inspect

    import numba

    from gruviz.nn import kernels

    source = getattr(kernels, name)
    like = numba.float32 if dtype == torch.float32 else numba.float64
    count = len(inspect.signature(source).parameters)
    types = [like] + [numba.int64] * (count - 1)
    if name == "scale_to_norm":
        types[-1] = numba.float64
    options: dict[str, Any] = {"error_model": "numpy", "fastmath": kernels.FAST, "nogil": True}
    try:
        dispatcher = numba.njit(cache=True, **options)(source)
    except RuntimeError as no_locator:
        warnings.warn(
            f"compiled kernels can't be kept on disk and cost their compilation in every process;"
            f" set NUMBA_CACHE_DIR to a writable folder ({no_locator})",
            KernelWarning,
            stacklevel=4,
        )
        dispatcher = numba.njit(**options)(source)
    signature = tuple(types)
    dispatcher.compile(signature)
    # The entry point takes the arguments as they are: the dispatcher would look at the type of
    # each of them at each call, only to find again the one variant there is.
    entry: Callable[..., Any] = dispatcher.overloads[signature].entry_point
    return entry


def kernel(name: str, dtype: torch.dtype) -> Callable[..., Any]:
    """The compiled kernel of that name in gruviz.nn.kernels; float32 and float64."""
    with _lock:  # numba compiles under a lock of its own, but functools.cache would do it twice
        return _load(name, dtype)


def warm(*dtypes: torch.dtype) -> None:
    """Compiles every kernel, or loads it from the disk; float32 if no dtype is named."""
    for dtype in dtypes or (torch.float32,):
        for name in KERNELS:
            kernel(name, dtype)

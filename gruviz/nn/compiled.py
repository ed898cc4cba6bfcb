"""Loops by name and dtype: compiled at first use, or loaded from a cache on disk.

The loops' matrix products are scipy's. Loading the first loop limits the BLAS that scipy brings
to one thread, for the whole process: its products are small, and threads that wait for each other
at every time step made a step of training sixty times as long. Torch and numpy keep their threads.
"""

import hashlib
import inspect
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch

LOOPS = (
    "gru_forward",
    "gru_backward",
    "lstm_forward",
    "lstm_backward",
    "rnn_forward",
    "rnn_backward",
    "scale_to_norm",
    "block_norms",
)
SERVED = (torch.float32, torch.float64)
Loop = Callable[..., Any]
_lock = Lock()
_loaded: dict[tuple[str, torch.dtype], Loop] = {}


class SlowerWarning(UserWarning):
    """Something will be slower than it could be: no loop for a tensor, no cache for loops."""


def serves(tensor: torch.Tensor) -> bool:
    """Whether the numba loops can compute with this tensor's device and dtype."""
    return tensor.is_cpu and tensor.dtype in SERVED


@cache
def _prepare() -> None:
    """Makes scipy's BLAS, which numba calls, work on one thread."""
    import scipy.linalg.cython_blas
    from threadpoolctl import ThreadpoolController

    # A wheel keeps its BLAS within scipy's folder, or beside it in scipy.libs.
    home = str(Path(scipy.__file__).resolve().parent)
    found = ThreadpoolController().select(user_api="blas")
    files = [library.filepath for library in found.lib_controllers]
    own = [file for file in files if str(Path(file).resolve()).startswith(home)]
    # Where scipy and numpy share a BLAS, as from conda, there is only this one to limit.
    (found.select(filepath=own) if own else found).limit(limits=1)


@cache
def _cache_class() -> Any:
    """numba's cache takes note of the file that a loop is in; this one of the whole package."""
    from numba.core import caching

    from gruviz.nn import loops

    files = sorted(Path(inspect.getfile(loops)).parent.glob("*.py"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()

    class PackageCache(caching.FunctionCache):
        def __init__(self, source: Loop) -> None:
            super().__init__(source)  # type: ignore[no-untyped-call]
            base = self._impl.filename_base
            index = caching.IndexDataCacheFile(self.cache_path, base, digest)  # type: ignore[no-untyped-call]
            self._cache_file = index

    return PackageCache


def _load(name: str, dtype: torch.dtype) -> Loop:
    import numba

    from gruviz.nn import loops
    from gruviz.nn.loops.machine import FAST

    _prepare()
    source = getattr(loops, name)
    like = numba.float32 if dtype == torch.float32 else numba.float64
    count = len(inspect.signature(source).parameters)
    types = [like] + [numba.int64] * (count - 1)
    if name == "scale_to_norm":
        types[-1] = numba.float64
    dispatcher: Any = numba.njit(error_model="numpy", fastmath=FAST, nogil=True)(source)
    try:
        dispatcher._cache = _cache_class()(source)
    except RuntimeError as no_locator:
        warnings.warn(
            f"compiled loops can't be kept on disk and cost their compilation in every process;"
            f" set NUMBA_CACHE_DIR to a writable folder ({no_locator})",
            SlowerWarning,
            stacklevel=4,
        )
    signature = tuple(types)
    dispatcher.compile(signature)
    # The entry point takes the arguments as they are: the dispatcher would look at the type of
    # each of them at each call, only to find again the one variant there is.
    entry: Loop = dispatcher.overloads[signature].entry_point
    return entry


def loop(name: str, dtype: torch.dtype) -> Loop:
    """The compiled loop of that name in gruviz.nn.loops; float32 and float64."""
    found = _loaded.get((name, dtype))
    if found is None:
        with _lock:
            found = _loaded.get((name, dtype)) or _load(name, dtype)
            _loaded[name, dtype] = found
    return found


def warm(*dtypes: torch.dtype) -> None:
    """Compiles every loop, or loads it from the disk; float32 if no dtype is named."""
    for dtype in dtypes or (torch.float32,):
        for name in LOOPS:
            loop(name, dtype)

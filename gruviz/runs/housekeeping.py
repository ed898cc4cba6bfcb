"""What is looked after from time to time, and memory that is given back to the system."""

import ctypes
import gc
import logging
import threading
from collections.abc import Callable

EVERY_SECONDS = 1.0
# Of glibc's mallopt. A large block has pages of its own, which go back when it is freed; by default
# the first one that is freed raises the bound to its size, and the next ones tear holes into a heap.
M_ARENA_MAX, ARENAS = -8, 2
M_MMAP_THRESHOLD, LARGE_BYTES = -3, 2**20

log = logging.getLogger(__name__)


class Housekeeping:
    """Calls a function every second or so, in a thread of its own, until it is stopped."""

    def __init__(self, look: Callable[[], None]) -> None:
        self._look = look
        self._over = threading.Event()
        threading.Thread(target=self._go_round, daemon=True, name="housekeeping").start()

    def _go_round(self) -> None:
        while not self._over.wait(EVERY_SECONDS):
            try:
                self._look()
            except Exception:  # the next round may do better, and there must be one
                log.exception("housekeeping failed")

    def stop(self) -> None:
        self._over.set()


def keep_together() -> None:
    """Let all threads of this process share a few heaps, where the system lets us ask (glibc).

    With one for each thread, as is usual, what is left in one holds back what is free around it:
    after 300 runs the process stayed 47 MB above its start, with two heaps 3 to 18.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(M_ARENA_MAX, ARENAS)
        choose(M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Give the memory of what was freed back to the system, where it lets us ask (glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

"""The things of one process that were used last, as many as fit into some bytes."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """Values by key; whatever was used least lately makes room. The last one always stays.

    Any thread may ask. size: of a value, in bytes; clock: in seconds.
    """

    def __init__(
        self,
        most_bytes: int,
        size: Callable[[T], int],
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most_bytes, self.most = most_bytes, most
        self._size, self._clock = size, clock
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._used: dict[Hashable, float] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> T | None:
        """The value, which counts as used now, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            self._used[key] = self._clock()
            return self._values[key][0]

    def put(self, key: Hashable, value: T) -> None:
        """Keep a value, in the place of the one that was there."""
        with self._lock:
            self._drop(key)
            size = self._size(value)
            self._values[key] = value, size
            self._used[key] = self._clock()
            self._bytes += size
            while len(self._values) > 1 and (
                self._bytes > self.most_bytes or len(self._values) > self.most
            ):
                self._drop(next(iter(self._values)))

    def drop(self, key: Hashable) -> None:
        """Forget a value, if it is there."""
        with self._lock:
            self._drop(key)

    def drop_if(self, condition: Callable[[Any], bool]) -> None:
        """Forget the values whose keys fulfil a condition."""
        with self._lock:
            for key in [key for key in self._values if condition(key)]:
                self._drop(key)

    def drop_unused(self, seconds: float) -> None:
        """Forget the values that nobody has asked for since so many seconds."""
        with self._lock:
            oldest = self._clock() - seconds
            for key in [key for key, used in self._used.items() if used < oldest]:
                self._drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._used.clear()
            self._bytes = 0

    def _drop(self, key: Hashable) -> None:
        if key in self._values:
            self._bytes -= self._values.pop(key)[1]
            del self._used[key]

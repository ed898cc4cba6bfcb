"""Worker processes for everybody's slices: an executor that replaces its dead."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from pathlib import Path
from typing import Any, TypeVar

import loky

from gruviz.runs import worker

SLICE_SECONDS = 0.2
SHORTEST_SLICE_SECONDS = 0.03

# What a future ends in when the pool is shut down before its turn.
Closed = loky.process_executor.ShutdownExecutorError

T = TypeVar("T")


class Pool(Executor):
    """A first-come queue before a few worker processes. If one is killed, new ones are started.

    A killed worker breaks the futures that were submitted before it died (BrokenExecutor); whoever
    waits for them may simply submit again.
    """

    def __init__(self, workers: int, folder: Path) -> None:
        self.workers = workers
        self._folder = folder
        self._lock = threading.Lock()
        self._waiting = 0
        self._executor = self._start()

    def _start(self) -> loky.ProcessPoolExecutor:
        # loky, for it starts workers without importing the page's script again.
        return loky.ProcessPoolExecutor(
            max_workers=self.workers,
            timeout=None,
            initializer=worker.prepare,
            initargs=(os.getpid(), self._folder),
            env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
        )

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        with self._lock:
            try:
                future: Future[T] = self._executor.submit(fn, *args, **kwargs)
            except BrokenExecutor:
                self._executor = self._start()
                future = self._executor.submit(fn, *args, **kwargs)
            self._waiting += 1
        future.add_done_callback(self._done)
        return future

    def seat(self, visitor: str) -> Executor:
        """The executor through which one visitor's work comes in."""
        return self

    def _done(self, _future: Future[Any]) -> None:
        with self._lock:
            self._waiting -= 1

    def warm(self) -> None:
        """Start the workers and let them import torch, without waiting for it."""
        for _each in range(self.workers):
            self.submit(worker.ready)

    def slice_seconds(self) -> float:
        """How long a slice may take now: shorter the more are waiting, so that all get a turn."""
        crowd = max(1.0, self._waiting / self.workers)
        return max(SHORTEST_SLICE_SECONDS, SLICE_SECONDS / crowd)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop the workers at once: what they were doing can be done again from a checkpoint."""
        self._executor.shutdown(wait=wait, kill_workers=True)

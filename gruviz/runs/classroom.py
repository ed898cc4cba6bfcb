"""What all visitors of one server share: the workers, the uploaded tables, the runs by token."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, wait
from contextlib import suppress
from functools import cache
from pathlib import Path

from gruviz.data import Table
from gruviz.data.csv.table import MARK
from gruviz.data.store import MOST_BYTES, TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.runs import worker
from gruviz.runs.pool import Pool
from gruviz.runs.run import Run
from gruviz.runs.sliced import MOST_TRIES
from gruviz.runs.study import Study
from gruviz.settings import limit
from gruviz.studies import S
from gruviz.words import _

MOST_RUNS = 200
LOOK_SECONDS = 0.1
MEMORY = "/dev/shm"  # Linux


class Classroom:
    """Runs are found by their unguessable token alone; past MOST_RUNS the longest unwatched go."""

    def __init__(self, workers: int) -> None:
        # Readable by this user alone; uploads stay in memory where the system has a place for that.
        folder = Path(tempfile.mkdtemp(prefix="gruviz-", dir=_in_memory()))
        self.tables = TableStore(folder)
        self.pool = Pool(workers, folder)
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def read(
        self,
        content: bytes,
        name: str,
        progress: Callable[[float, str], None],
        language: str | None = None,
        visitor: str = "",
    ) -> Table:
        """Read an upload in a worker, so that nobody waits but whoever sent it.

        Raises GruvizError if it can't be used; nothing of it is kept then.
        """
        digest = self.tables.keep(content, name)
        try:
            return self.reread(digest, progress, language, visitor)
        except GruvizError:
            self.tables.drop(digest)
            raise

    def reread(
        self,
        source: str,
        progress: Callable[[float, str], None],
        language: str | None = None,
        visitor: str = "",
    ) -> Table:
        """A kept file, read as its source says. Raises GruvizError if it can't be read that way."""
        found = self.tables.at_hand(source)
        for _try in range(MOST_TRIES):
            if found is not None:
                break
            future = self.pool.seat(visitor).submit(worker.read, self.tables, source, language)
            while not wait([future], LOOK_SECONDS).done:
                share, what = self.tables.progress(source.partition(MARK)[0])
                if what:  # not yet begun, or over and on its way back
                    progress(share, what)
            with suppress(BrokenExecutor):
                found = future.result()
        if found is None:
            raise GruvizError(
                _("The process that read this file died again and again; try a smaller file.")
            )
        self.tables.remember(found)
        return found

    def start(self, experiment: Experiment, visitor: str = "") -> Run:
        """A new run of a visitor, not yet training."""
        run = Run(experiment, self.pool.seat(visitor), self.tables, self.pool.slice_seconds)
        with self._lock:
            self._runs[run.token] = run
            by_age = sorted(self._runs, key=lambda token: self._runs[token].watched_at)
            for token in by_age[: max(0, len(by_age) - MOST_RUNS)]:
                self._runs.pop(token).pause()
        return run

    def study(self, experiment: Experiment, state: S, visitor: str = "") -> Study[S]:
        """A new study, not yet under way, from a first state of `gruviz.studies`."""
        seat = self.pool.seat(visitor)
        return Study(experiment, state, seat, self.tables, self.pool.slice_seconds)

    def find(self, token: str) -> Run | None:
        """The run of a token, or None if there is none (any more)."""
        return self._runs.get(token)

    def close(self) -> None:
        """Stop the workers and delete the uploads."""
        self.pool.shutdown()
        shutil.rmtree(self.tables.folder, ignore_errors=True)


def _in_memory() -> str | None:
    """The folder whose files are kept in memory, if there is one with room for all uploads."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < MOST_BYTES:
        return None
    return MEMORY


@cache
def classroom() -> Classroom:
    """The classroom of this process, with GRUVIZ_WORKERS workers.

    Raises GruvizError if that isn't a whole number from 1 to 64.
    """
    return Classroom(limit("GRUVIZ_WORKERS"))

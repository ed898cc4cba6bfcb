"""What all visitors of one server share: the workers, the uploaded tables, the runs by token."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, wait
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from gruviz.data import Table
from gruviz.data.csv.table import MARK
from gruviz.data.store import MOST_BYTES, TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.runs import worker
from gruviz.runs.housekeeping import Housekeeping, give_back
from gruviz.runs.pool import Pool
from gruviz.runs.register import Register
from gruviz.runs.run import Run
from gruviz.runs.sliced import MOST_TRIES
from gruviz.runs.study import Study, StudyStatus
from gruviz.settings import limit
from gruviz.studies import S
from gruviz.words import _

GIVE_BACK_SECONDS = 10.0  # between two times, at least
LOOK_SECONDS = 0.1
MEMORY = "/dev/shm"  # Linux


class Classroom:
    """Runs are found by their unguessable token alone, as long as a tab or the register holds them."""

    def __init__(self, workers: int) -> None:
        # Readable by this user alone; uploads stay in memory where the system has a place for that.
        folder = Path(tempfile.mkdtemp(prefix="gruviz-", dir=_in_memory()))
        self.tables = TableStore(folder)
        self.pool = Pool(workers, folder)
        self.register = Register()
        self._studies: WeakKeyDictionary[Study[Any], str] = WeakKeyDictionary()
        self._lock = threading.Lock()
        self._run_count, self._given_back = 0, -GIVE_BACK_SECONDS
        self._housekeeping = Housekeeping(self.tidy)

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
        seat = self.pool.seat(visitor)
        run = Run(experiment, seat, self.tables, seat.slice_seconds)
        self.register.put(visitor, run)
        return run

    def study(self, experiment: Experiment, state: S, visitor: str = "") -> Study[S]:
        """A new study, not yet under way, from a first state of `gruviz.studies`.

        Past GRUVIZ_MAX_STUDIES the visitor's oldest one that is under way is cancelled.
        """
        seat = self.pool.seat(visitor)
        study = Study(experiment, state, seat, self.tables, seat.slice_seconds)
        with self._lock:
            own = [each for each, whose in self._studies.items() if whose == visitor]
            under_way = [each for each in own if each.status is StudyStatus.RUNNING]
            for each in under_way[: max(0, len(under_way) + 1 - limit("GRUVIZ_MAX_STUDIES"))]:
                each.cancel()
            self._studies[study] = visitor
        return study

    def find(self, token: str) -> Run | None:
        """The run of a token, or None if there is none (any more)."""
        return self.register.find(token)

    def adopt(self, run: Run, visitor: str) -> None:
        """A run is that visitor's from here on: a tab was refreshed, and has a new name."""
        seat = self.pool.seat(visitor)
        run.sit(seat, seat.slice_seconds)
        self.register.put(visitor, run)

    def tidy(self, now: float | None = None) -> None:
        """Look after workers and runs; done every second or so."""
        now = time.monotonic() if now is None else now
        self.pool.tidy(now)
        self.register.tidy(now)
        before, runs = self._run_count, len(self.register)
        if runs < before and now - self._given_back >= GIVE_BACK_SECONDS:
            self._given_back = now
            give_back()
        elif runs < before:
            return  # with what else goes meanwhile
        self._run_count = runs

    def close(self) -> None:
        """Stop the workers and delete the uploads."""
        self._housekeeping.stop()
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

"""What all visitors of one server share: the workers, the uploaded tables, the runs by token."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from gruviz.data import Preview, Table, known
from gruviz.data.csv.table import MARK
from gruviz.data.preview import remember
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, FromTable, Task
from gruviz.runs import worker
from gruviz.runs.errands import Errands
from gruviz.runs.pool import Pool
from gruviz.runs.run import Run
from gruviz.runs.study import Study
from gruviz.runs.uploads import Uploads, digests
from gruviz.settings import limit
from gruviz.studies import S
from gruviz.words import _

MOST_RUNS = 200
MEMORY = "/dev/shm"  # Linux

Progress = Callable[[float, str], None]


class Classroom:
    """Runs are found by their unguessable token alone; past MOST_RUNS the longest unwatched go."""

    def __init__(self, workers: int) -> None:
        # Readable by this user alone; uploads stay in memory where the system has a place for that.
        folder = Path(tempfile.mkdtemp(prefix="gruviz-", dir=_in_memory()))
        self.tables = TableStore(folder)
        self.pool = Pool(workers, folder)
        self.uploads = Uploads(self.tables, self._in_use)
        # One worker stays free of reading, so that everybody's runs go on.
        self._readings = Errands[None](self.pool, max(1, workers - 1))
        self._looks = Errands[Preview](self.pool, workers)
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def read(
        self,
        content: bytes,
        name: str,
        progress: Progress,
        language: str | None = None,
        visitor: str = "",
    ) -> Table:
        """Read an upload in a worker, so that nobody waits but whoever sent it.

        Raises GruvizError if it can't be used; nothing of it is kept then.
        """
        digest = self.uploads.keep(content, name, visitor)
        try:
            return self.reread(digest, progress, language, visitor)
        except GruvizError:
            self.uploads.leave(digest, visitor)
            raise

    def reread(
        self,
        source: str,
        progress: Progress,
        language: str | None = None,
        visitor: str = "",
    ) -> Table:
        """A kept file, read as its source says. Raises GruvizError if it can't be read that way."""

        def look(begun: bool) -> None:
            share, what = self.tables.progress(source.partition(MARK)[0])
            if not begun:
                progress(0.0, _("Waiting for other files to be read…"))
            elif what:  # not yet begun, or over
                progress(share, what)

        found = self.tables.at_hand(source)
        if found is None:
            self._readings.do(
                (source, language), visitor, look, worker.read, self.tables, source, language
            )
            found = self.tables.at_hand(source)
        return found or self.tables.refuse()

    def preview(
        self,
        task: Task,
        seed: int,
        progress: Progress,
        language: str | None = None,
        visitor: str = "",
    ) -> Preview:
        """What there is to know of a task's data; a worker looks at what isn't known at once.

        Raises GruvizError if there is no data.
        """
        found = known(task, seed, self.tables)
        if found is None:
            found = self._looks.do(
                (task, seed, language), visitor,
                lambda _begun: progress(0.0, _("Looking at the data…")),
                worker.look, self.tables, task, seed, language,
            )  # fmt: skip
            remember(found, task, seed, self.tables)
        return found

    def _in_use(self) -> set[str]:
        """The uploads that runs read which train, or are looked at."""
        with self._lock:
            runs = list(self._runs.values())
        tasks = [run.experiment.task for run in runs if run.live]
        return digests(task.source for task in tasks if isinstance(task, FromTable))

    def start(self, experiment: Experiment, visitor: str = "") -> Run:
        """A new run of a visitor, not yet training."""
        run = Run(experiment, self.pool.seat(visitor), self.tables, self.pool.slice_seconds)
        with suppress(GruvizError):  # the run will say so
            task, seed = experiment.task, experiment.seed
            run.known = self.preview(task, seed, lambda _share, _what: None, visitor=visitor)
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
    """The folder whose files are kept in memory, if there is one with room for all uploads
    and data sets."""
    needed = 10**6 * (limit("GRUVIZ_MAX_ALL_TABLES_MB") + limit("GRUVIZ_MAX_DATA_MB"))
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < needed:
        return None
    return MEMORY


@cache
def classroom() -> Classroom:
    """The classroom of this process, with GRUVIZ_WORKERS workers.

    Raises GruvizError if that isn't a whole number from 1 to 64.
    """
    return Classroom(limit("GRUVIZ_WORKERS"))

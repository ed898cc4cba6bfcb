"""What all visitors of one server share: the workers, the uploaded tables, the runs by token."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from gruviz.csv.table import MARK
from gruviz.data import Preview, Table, known
from gruviz.data.preview import remember
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, FromTable, Task
from gruviz.experiment.course import Course
from gruviz.runs import worker
from gruviz.runs.errands import Errands
from gruviz.runs.housekeeping import Housekeeping, give_back, keep_together
from gruviz.runs.pool import Pool
from gruviz.runs.register import Register
from gruviz.runs.run import Run
from gruviz.runs.study import Study, StudyStatus
from gruviz.runs.uploads import Uploads, digests
from gruviz.settings import limit
from gruviz.studies import S
from gruviz.words import N_, _

GIVE_BACK_SECONDS = 10.0  # between two times, at least
MEMORY = "/dev/shm"  # Linux
READING_DIED = N_("The process that read this file did not survive it; try a smaller file.")
PREVIEW_DIED = N_("The process that made this data did not survive it; choose less data.")

Progress = Callable[[float, str], None]


class Classroom:
    """Runs are found by their unguessable token alone, as long as a tab or the register holds them."""

    def __init__(self, workers: int) -> None:
        # Readable by this user alone; uploads stay in memory where the system has a place for that.
        folder = Path(tempfile.mkdtemp(prefix="gruviz-", dir=_in_memory()))
        self.tables = TableStore(folder)
        self.pool = Pool(workers, folder)
        self.register = Register()
        self._studies: WeakKeyDictionary[Study[Any], str] = WeakKeyDictionary()
        self.uploads = Uploads(self.tables, self._in_use)
        # One worker stays free of reading, so that everybody's runs go on.
        self._readings = Errands[None](self.pool, max(1, workers - 1), READING_DIED)
        self._previews = Errands[Preview](self.pool, workers, PREVIEW_DIED)
        self._lock = threading.Lock()
        self._run_count, self._given_back = 0, -GIVE_BACK_SECONDS
        self._freed = False  # whether there is memory to give back: of runs, or of what was sent
        self._housekeeping = Housekeeping(self.tidy)

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
        finally:
            self._freed = True  # the store has the bytes, and the page lets go of them

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
            found = self._previews.do(
                (task, seed, language),
                visitor,
                lambda _begun: progress(0.0, _("Looking at the data…")),
                worker.preview,
                self.tables,
                task,
                seed,
                language,
            )
            remember(found, task, seed, self.tables)
        return found

    def _in_use(self) -> set[str]:
        """The uploads that runs read which train, or are looked at, and studies under way."""
        with self._lock:
            studies = list(self._studies)
        tasks = [run.experiment.task for run in self.register.runs if run.live]
        tasks += [e.experiment.task for e in studies if e.status is StudyStatus.RUNNING]
        return digests(task.source for task in tasks if isinstance(task, FromTable))

    def start(
        self, course: Course | Experiment, visitor: str = "", language: str | None = None
    ) -> Run:
        """A new run of a visitor, not yet training; of an experiment alone, one without turns.

        Raises GruvizError if there is no data.
        """
        course = Course(course) if isinstance(course, Experiment) else course
        task, seed, seat = course.first.task, course.first.seed, self.pool.seat(visitor)
        preview = self.preview(task, seed, lambda _share, _what: None, language, visitor)
        run = Run(course, seat, self.tables, seat.slice_seconds, preview=preview)
        run.language = language
        self.register.put(visitor, run)
        return run

    def study(self, experiment: Experiment, state: S, visitor: str = "") -> Study[S]:
        """A new study, not yet under way, from a first state of `gruviz.studies`."""
        seat = self.pool.seat(visitor)
        study = Study(
            experiment, state, seat, self.tables, seat.slice_seconds, begins=self._make_room
        )
        with self._lock:
            self._studies[study] = visitor
        return study

    def _make_room(self, study: Study[Any]) -> None:
        """Cancel its visitor's oldest other studies, so that no more than GRUVIZ_MAX_STUDIES are
        under way with it."""
        with self._lock:
            visitor = self._studies[study]
            under_way = [
                each
                for each, whose in self._studies.items()
                if whose == visitor and each is not study and each.status is StudyStatus.RUNNING
            ]
        for each in under_way[: max(0, len(under_way) + 1 - limit("GRUVIZ_MAX_STUDIES"))]:
            each.cancel()

    def find(self, token: str) -> Run | None:
        """The run of a token, or None if there is none (any more)."""
        return self.register.find(token)

    def adopt(self, run: Run, visitor: str) -> None:
        """A run is that visitor's from here on: a tab was refreshed, and has a new name."""
        seat = self.pool.seat(visitor)
        self.uploads.move(self.register.whose(run), visitor)
        run.sit(seat, seat.slice_seconds)
        self.register.put(visitor, run)

    def charge(self, run: Run, seconds: float) -> None:
        """Count what this process does for who looks at a run as work of the run's visitor."""
        self.pool.charge(self.register.whose(run), seconds)

    def have_freed(self) -> None:
        """Note that much was let go of: its memory goes back to the system in a while."""
        self._freed = True

    def tidy(self, now: float | None = None) -> None:
        """Look after workers and runs; done every second or so."""
        now = time.monotonic() if now is None else now
        self.pool.tidy(now)
        self.register.tidy(now)
        self.uploads.tidy(now)
        self.tables.let_go(60 * limit("GRUVIZ_KEEP_MINUTES"))
        runs = len(self.register)
        self._freed |= runs < self._run_count
        self._run_count = runs
        if self._freed and now - self._given_back >= GIVE_BACK_SECONDS:
            self._freed, self._given_back = False, now
            give_back()

    def close(self) -> None:
        """Stop the workers and delete the uploads."""
        self._housekeeping.stop()
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
    keep_together()
    return Classroom(limit("GRUVIZ_WORKERS"))

"""What all visitors of one server share: the workers, the uploaded tables, the runs by token."""

import os
import shutil
import tempfile
import threading
from functools import cache
from pathlib import Path

from gruviz.data.store import TableStore
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.runs.pool import Pool
from gruviz.runs.run import Run
from gruviz.runs.study import Study
from gruviz.studies import S
from gruviz.words import _

MOST_RUNS = 200
DEFAULT_WORKERS = 2


class Classroom:
    """Runs are found by their unguessable token alone; past MOST_RUNS the longest unwatched go."""

    def __init__(self, workers: int) -> None:
        folder = Path(tempfile.mkdtemp(prefix="gruviz-"))  # readable by this user alone
        self.tables = TableStore(folder)
        self.pool = Pool(workers, folder)
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def start(self, experiment: Experiment) -> Run:
        """A new run, not yet training."""
        run = Run(experiment, self.pool, self.tables, self.pool.slice_seconds)
        with self._lock:
            self._runs[run.token] = run
            by_age = sorted(self._runs, key=lambda token: self._runs[token].watched_at)
            for token in by_age[: max(0, len(by_age) - MOST_RUNS)]:
                self._runs.pop(token).pause()
        return run

    def study(self, experiment: Experiment, state: S) -> Study[S]:
        """A new study, not yet under way, from a first state of `gruviz.studies`."""
        return Study(experiment, state, self.pool, self.tables, self.pool.slice_seconds)

    def find(self, token: str) -> Run | None:
        """The run of a token, or None if there is none (any more)."""
        return self._runs.get(token)

    def close(self) -> None:
        """Stop the workers and delete the uploads."""
        self.pool.shutdown()
        shutil.rmtree(self.tables.folder, ignore_errors=True)


@cache
def classroom() -> Classroom:
    """The classroom of this process, with GRUVIZ_WORKERS workers.

    Raises GruvizError if that isn't a whole number from 1 to 64.
    """
    asked = os.environ.get("GRUVIZ_WORKERS", str(DEFAULT_WORKERS))
    if not (asked.isascii() and asked.isdecimal()) or not 1 <= int(asked) <= 64:
        raise GruvizError(
            _("GRUVIZ_WORKERS is {value!r}; set it to a number from 1 to 64.").format(value=asked)
        )
    return Classroom(int(asked))

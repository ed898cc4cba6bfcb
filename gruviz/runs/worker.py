"""What runs in a worker process. Only here, by name and late, does a run reach the trainer."""

import gc
import os
import shutil
import threading
import time
from pathlib import Path

from filelock import FileLock

from gruviz.data import Preview, permitted, preview_of
from gruviz.data.store import TableStore
from gruviz.experiment import Experiment, Task
from gruviz.record import Checkpoint, Slice
from gruviz.studies import S
from gruviz.trials import Trials
from gruviz.words import speak

NICENESS = 5
PARENT_CHECK_SECONDS = 0.5


def prepare(parent: int, folder: Path) -> None:
    """Set up a worker: low priority, torch imported, gone when its parent process is."""
    threading.Thread(target=_leave_with, args=(parent, folder), daemon=True).start()
    os.nice(NICENESS)
    # One after the other: the first worker is ready, and takes slices, while the next one loads.
    with FileLock(folder / "loading"):
        from gruviz import training

        # So that the first slice pays neither for a compiler nor for what torch loads when it first
        # takes a step.
        training.advance(Experiment(), steps=2)
    # Torch's million objects needn't be looked at by every later collection.
    gc.collect()
    gc.freeze()


def _leave_with(parent: int, folder: Path) -> None:
    # A killed server can't say goodbye: an orphan notices by its new parent, tidies up, and goes.
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def ready() -> int:
    """The worker's process id, once it is prepared."""
    return os.getpid()


def read(tables: TableStore, source: str, language: str | None) -> None:
    """Keep an uploaded file as a table. Raises GruvizError, in that language, if it can't be used."""
    speak(language)
    tables(source)


def look(tables: TableStore, task: Task, seed: int, language: str | None) -> Preview:
    """What there is to know of a task's data. Raises GruvizError if there is none."""
    speak(language)
    return preview_of(task, seed, tables)


def advance(
    experiment: Experiment,
    checkpoint: Checkpoint | None,
    seconds: float | None,
    steps: int | None,
    tables: TableStore,
) -> Slice:
    """`gruviz.training.advance`, for a process that must not import it."""
    from gruviz import training

    permitted(experiment, tables)
    return training.advance(experiment, checkpoint, seconds=seconds, steps=steps, fetch=tables)


def proceed(
    experiment: Experiment,
    state: S,
    seconds: float,
    tables: TableStore,
) -> S:
    """`gruviz.training.proceed`, for a process that must not import it."""
    from gruviz import training

    under_way = state.job if isinstance(state, Trials) else None
    permitted(under_way.experiment if under_way else experiment, tables)
    return training.proceed(experiment, state, seconds=seconds, fetch=tables)

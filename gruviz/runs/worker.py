"""What runs in a worker process. Only here, by name and late, does a run reach the trainer."""

import faulthandler
import gc
import os
import pickle
import shutil
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from gruviz.data import Preview, permitted, preview_of
from gruviz.data.store import TableStore
from gruviz.experiment import Experiment, Task
from gruviz.record import Checkpoint, Slice
from gruviz.runs.process import Outcome
from gruviz.studies import S, Trials
from gruviz.words import speak

NICENESS = 5
PARENT_CHECK_SECONDS = 0.5


def serve(descriptor: int) -> None:
    """The life of a worker, with its end of the line: get ready, then do call after call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends its workers
    faulthandler.enable()
    line: Connection[Any, Any] = Connection(descriptor)
    parent, folder, load = line.recv()
    threading.Thread(target=_leave_with, args=(parent, folder), daemon=True).start()
    os.nice(NICENESS)
    load()
    line.send_bytes(b"ready")
    while True:
        try:
            asked = line.recv_bytes()
        except (EOFError, OSError):  # the server is gone: the other thread will notice, and tidy up
            time.sleep(10 * PARENT_CHECK_SECONDS)
            return
        answer = _answer(asked)
        if answer is None:
            return
        line.send_bytes(answer)


def _answer(asked: bytes) -> bytes | None:
    """The outcome of a call, both as they go over the line; None if it is the farewell."""
    try:
        call = pickle.loads(asked)
        if call is None:
            return None
        function, arguments, keywords = call
        return pickle.dumps(Outcome(function(*arguments, **keywords)), protocol=5)
    except BaseException as error:
        error.add_note(f"In a worker:\n{traceback.format_exc()}")
        try:
            return pickle.dumps(Outcome(error=error))
        except Exception:
            return pickle.dumps(Outcome(error=RuntimeError("".join(error.__notes__))))


def load_trainer() -> None:
    """Have torch, the compiled loops and the trainer at hand before the first call."""
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


def read(tables: TableStore, source: str, language: str | None) -> None:
    """Keep an uploaded file as a table. Raises GruvizError, in that language, if it can't be used."""
    speak(language)
    tables(source)


def preview(tables: TableStore, task: Task, seed: int, language: str | None) -> Preview:
    """What there is to know of a task's data. Raises GruvizError if there is none."""
    speak(language)
    return preview_of(task, seed, tables)


def advance(
    experiment: Experiment,
    checkpoint: Checkpoint | None,
    seconds: float | None,
    steps: int | None,
    tables: TableStore,
    language: str | None = None,
) -> Slice:
    """`gruviz.training.advance`, for a process that must not import it."""
    from gruviz import training

    speak(language)  # not that of whoever was here before
    permitted(experiment, tables)
    return training.advance(experiment, checkpoint, seconds=seconds, steps=steps, fetch=tables)


def proceed(
    experiment: Experiment,
    state: S,
    seconds: float,
    tables: TableStore,
    language: str | None = None,
) -> S:
    """`gruviz.training.proceed`, for a process that must not import it."""
    from gruviz import training

    speak(language)
    under_way = state.job if isinstance(state, Trials) else None
    permitted(under_way.experiment if under_way else experiment, tables)
    return training.proceed(experiment, state, seconds=seconds, fetch=tables)

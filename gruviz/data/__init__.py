"""Data for an experiment: made-up tasks, bundled samples, tables from files."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from gruviz.data import synthetic
from gruviz.data.dataset import IGNORED, Array, Dataset, Sequences, batches
from gruviz.data.tables import SAMPLE_NAMES, SAMPLES, Table, read_table, sample
from gruviz.data.windows import forecast_windows
from gruviz.errors import GruvizError
from gruviz.experiment import Digits, Experiment, Kind, MadeUp, Task
from gruviz.experiment import Table as TableTask
from gruviz.words import _

VALIDATION_SEQUENCES = 500
VALIDATION_LIMIT = 256  # sequences that one validation looks at

# Multiplications of one matrix product per time step, summed over a step; two billion are seconds
# in which nobody else's slice gets a turn.
MOST_WORK = 2_000_000_000
# Hidden states of a step, of which the backward pass needs several copies: a worker's memory.
MOST_STATES = 32_000_000

Fetch = Callable[[str], Table]


def fetch_sample(source: str) -> Table:
    """The bundled table of that name. Raises GruvizError for any other source."""
    if source not in SAMPLE_NAMES:
        raise GruvizError(
            _(
                "There is no data called {source!r} here; upload the file, or choose a sample."
            ).format(source=source[:80])
        )
    return sample(source)


# A class trains on a handful of data sets; each is at most some tens of megabytes.
@lru_cache(maxsize=4)
def load(task: Task, seed: int, fetch: Fetch = fetch_sample) -> Dataset:
    """The data of a task. `fetch` turns a table's source (a name or a digest) into the table.

    Raises GruvizError, with the reason and the remedy, if the data can't be used.
    """
    if isinstance(task, TableTask):
        return _from_table(task, fetch(task.source))
    if isinstance(task, Digits):
        return _digits(seed)
    assert isinstance(task, MadeUp)
    make = getattr(synthetic, task.name)
    train = make(task, task.size, np.random.default_rng([seed, 2]))
    validation = make(task, VALIDATION_SEQUENCES, np.random.default_rng([seed, 3]))
    if task.kind is Kind.CLASSIFICATION:
        return Dataset(task.kind, train, validation, 10, ("value",), synthetic.WAVEFORMS)
    names = ("value", "mark") if train.inputs.shape[2] == 2 else ("value",)
    return Dataset(task.kind, train, validation, train.targets.shape[1], names)


def _from_table(task: TableTask, table: Table) -> Dataset:
    column = task.column or table.first_choice
    if column not in table.columns:
        raise GruvizError(
            _("There is no numeric column {column!r} in {table!r}; choose one of: {names}.").format(
                column=column[:80],
                table=table.name[:80],
                names=", ".join(repr(name[:40]) for name in list(table.columns)[:8]),
            )
        )
    return forecast_windows(table.columns[column], task.window, task.horizon, column)


def _digits(seed: int) -> Dataset:
    """The bundled images as sequences of eight rows of eight pixels, a fifth for validation."""
    numbers = np.loadtxt(SAMPLES / "digits_8x8.csv", delimiter=",", dtype=np.float32)
    order = np.random.default_rng([seed, 2]).permutation(len(numbers))
    pixels = numbers[order, :64].reshape(-1, 8, 8) / np.float32(16)
    everything = Sequences(pixels, numbers[order, 64].astype(np.int64))
    border = len(numbers) * 4 // 5
    return Dataset(
        Kind.CLASSIFICATION,
        everything[slice(0, border)],
        everything[slice(border, None)],
        10,
        tuple(f"pixel {column}" for column in range(8)),
        tuple(map(str, range(10))),
    )


def check_batch(experiment: Experiment, count: int) -> None:
    """Raise GruvizError if a batch is larger than the number of training sequences."""
    if experiment.batch(count) > count:
        raise GruvizError(
            _(
                "Batch size is {size:,}, but there are only {count:,} training sequences; choose"
                " a batch of at most {count:,}."
            ).format(size=experiment.batch(count), count=count)
        )


def check_warmup(experiment: Experiment) -> None:
    """Raise GruvizError if a run would end before its warm-up does."""
    if experiment.warmup is not None and experiment.warmup >= experiment.steps:
        raise GruvizError(
            _(
                "Warm-up is {warmup:,} steps, but the run has only {steps:,}; choose more steps or a"
                " shorter warm-up."
            ).format(warmup=experiment.warmup, steps=experiment.steps)
        )


def check(experiment: Experiment, fetch: Fetch = fetch_sample) -> None:
    """Raise GruvizError unless there is data for the experiment, a batch of it, and time for it."""
    task = experiment.task
    experiment.loss.fitting(task.kind)
    if isinstance(task, MadeUp):
        count = task.size
    else:
        count = len(load(task, experiment.seed, fetch).train)
    check_batch(experiment, count)
    check_warmup(experiment)
    length = getattr(task, "length", getattr(task, "window", 8))
    units, batch = experiment.cell.units, max(experiment.batch(count), VALIDATION_LIMIT)
    states = batch * length * units
    if states * units > MOST_WORK or states > MOST_STATES:
        raise GruvizError(
            _(
                "One step with {batch:,} sequences of {length:,} time steps and {units} hidden units"
                " asks too much of a shared server; make one of the three smaller."
            ).format(batch=batch, length=length, units=units)
        )


__all__ = [
    "IGNORED",
    "SAMPLE_NAMES",
    "VALIDATION_LIMIT",
    "Array",
    "Dataset",
    "Fetch",
    "Sequences",
    "Table",
    "batches",
    "check",
    "check_batch",
    "check_warmup",
    "fetch_sample",
    "load",
    "read_table",
]

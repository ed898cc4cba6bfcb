"""The data of an experiment: made up, bundled, or from a table; and whether a run on it can be had."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gruviz.data import synthetic, text
from gruviz.data.backtest import Fold
from gruviz.data.csv import Table, split_source
from gruviz.data.dataset import VALIDATION_LIMIT, Dataset, Sequences
from gruviz.data.labelled import long_sequences, wide_sequences
from gruviz.data.missing import punch
from gruviz.data.tables import SAMPLE_NAMES, SAMPLES, sample
from gruviz.data.windows import forecast_windows
from gruviz.errors import GruvizError
from gruviz.experiment import Digits, Experiment, Long, MadeUp, NextCharacter, Rows, Task
from gruviz.experiment import Table as TableTask
from gruviz.words import _

VALIDATION_SEQUENCES = 500

# Multiplications of one matrix product per time step, summed over a step; two billion are seconds
# in which nobody else's slice gets a turn.
MOST_WORK = 2_000_000_000
# Hidden states of a step, of which the backward pass needs several copies: a worker's memory.
MOST_STATES = 32_000_000

# Inputs of all training sequences, in float32 80 MB: every worker keeps the data of a few runs.
MOST_NUMBERS = 20_000_000

HOLES = (1, 1, 1, 5, 20)  # rows: single values more often than runs

Fetch = Callable[[str], Table]


def fetch_sample(source: str) -> Table:
    """The bundled table of that name. Raises GruvizError for any other source."""
    name, overrides = split_source(source)
    if name not in SAMPLE_NAMES:
        raise GruvizError(
            _(
                "There is no data called {source!r} here; upload the file, or choose a sample."
            ).format(source=source[:80])
        )
    return sample(name, overrides)


# A class trains on a handful of data sets; each is at most some tens of megabytes.
@lru_cache(maxsize=4)
def load(task: Task, seed: int, fetch: Fetch = fetch_sample) -> Dataset:
    """The data of a task. `fetch` turns a table's source (a name or a digest) into the table.

    Raises GruvizError, with the reason and the remedy, if the data can't be used.
    """
    return LOADERS.get(task.name, _made_up)(task, seed, fetch)


def _made_up(task: Any, seed: int, _fetch: Fetch) -> Dataset:
    make = getattr(synthetic, task.name)
    return _dataset(
        task,
        make(task, task.size, np.random.default_rng([seed, 2])),
        make(task, VALIDATION_SEQUENCES, np.random.default_rng([seed, 3])),
    )


def _dataset(task: Task, train: Sequences, validation: Sequences) -> Dataset:
    outputs = len(task.classes) or train.targets.shape[-1]
    return Dataset(task.kind, train, validation, outputs, task.inputs, task.classes)


def _from_table(task: TableTask, seed: int, fetch: Fetch) -> Dataset:
    return forecast_data(task, seed, fetch)


def forecast_data(
    task: TableTask, seed: int, fetch: Fetch = fetch_sample, fold: Fold | None = None
) -> Dataset:
    """The windows of a table's column; those of one fold of a backtest, if there is one.

    Raises GruvizError if the column isn't there or too short.
    """
    table = fetch(task.source)
    if table.no_series:
        raise GruvizError(table.no_series)
    end = None if fold is None else fold.test_end
    return forecast_windows(
        series_of(task, seed, fetch)[:end], task.window, task.horizon,
        task.column or table.first_choice,
        further={each: _column(table, each)[:end] for each in task.further},
        scaling=task.scaling, missing=task.missing, leak=task.leak,
        border=None if fold is None else fold.train_end,
        groups=None if table.groups is None else table.groups[:end],
    )  # fmt: skip


def series_of(task: TableTask, seed: int, fetch: Fetch = fetch_sample) -> npt.NDArray[np.float64]:
    """The column that a task forecasts, (rows,), in its own units, with the holes punched into it."""
    table = fetch(task.source)
    series = _column(table, task.column or table.first_choice)
    if task.holes:
        series = punch(series, task.holes, HOLES, np.random.default_rng([seed, 5]))
    return series


def _rows(task: Rows, seed: int, fetch: Fetch) -> Dataset:
    frame = fetch(task.source).frame
    label = _text_column(frame, task.target)
    values = [
        name for name in frame.columns if name != label and is_numeric_dtype(frame[name].dtype)
    ]
    return wide_sequences(frame, values, label, seed)


def _long(task: Long, seed: int, fetch: Fetch) -> Dataset:
    frame = fetch(task.source).frame
    identity, time, value, label = (
        _text_column(frame, name) for name in (task.identity, task.time, task.value, task.target)
    )
    return long_sequences(frame, identity, time, [value], label, seed)


def _text_column(frame: pd.DataFrame, name: str) -> str:
    if name not in frame.columns:
        raise GruvizError(
            _("There is no column {column!r} in this table; choose one of: {names}.").format(
                column=name[:80], names=", ".join(repr(str(c)[:40]) for c in frame.columns[:8])
            )
        )
    return name


def _column(table: Table, name: str) -> npt.NDArray[np.float64]:
    if name not in table.columns:
        raise GruvizError(
            _("There is no numeric column {column!r} in {table!r}; choose one of: {names}.").format(
                column=name[:80],
                table=table.name[:80],
                names=", ".join(repr(each[:40]) for each in list(table.columns)[:8]),
            )
        )
    return table.columns[name]


def _digits(task: Digits, seed: int, _fetch: Fetch) -> Dataset:
    """The bundled images as sequences of eight rows of eight pixels, a fifth for validation."""
    numbers = np.loadtxt(SAMPLES / "digits_8x8.csv", delimiter=",", dtype=np.float32)
    order = np.random.default_rng([seed, 2]).permutation(len(numbers))
    pixels = numbers[order, :64].reshape(-1, 8, 8) / np.float32(16)
    everything = Sequences(pixels, numbers[order, 64].astype(np.int64))
    border = len(numbers) * 4 // 5
    return _dataset(task, everything[slice(0, border)], everything[slice(border, None)])


def _text(task: NextCharacter, seed: int, _fetch: Fetch) -> Dataset:
    train, validation = text.parts()
    return _dataset(
        task,
        text.windows(train, task.length, task.size, np.random.default_rng([seed, 2])),
        text.windows(
            validation, task.length, VALIDATION_SEQUENCES, np.random.default_rng([seed, 3])
        ),
    )


# By a task's name: (task, seed, fetch). Any other is made up by the function of its name.
LOADERS: dict[str, Callable[[Any, int, Fetch], Dataset]] = {
    Digits.name: _digits,
    NextCharacter.name: _text,
    TableTask.name: _from_table,
    Rows.name: _rows,
    Long.name: _long,
}


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


def check_decay(experiment: Experiment) -> None:
    """Raise GruvizError if missing values shall decay in a layer that has no such thing."""
    plain, cell = Experiment(), experiment.cell
    parts = ("cell", "initial", "regularization")
    if experiment.task.decays and (
        any(type(getattr(experiment, part)) is not type(getattr(plain, part)) for part in parts)
        or cell.arguments() != type(cell)().arguments()
    ):
        raise GruvizError(
            _(
                "Learned decay is a GRU of its own (GRU-D); choose the cell GRU as it stands in the"
                " equations, with its usual initial weights and no regularisation, or another way to"
                " deal with missing values."
            )
        )


def training_sequences(experiment: Experiment, fetch: Fetch = fetch_sample) -> int:
    """How many sequences the experiment trains on. Raises GruvizError if there is no data for it."""
    task = experiment.task
    return task.size if isinstance(task, MadeUp) else len(load(task, experiment.seed, fetch).train)


def batches_per_epoch(experiment: Experiment, fetch: Fetch = fetch_sample) -> int:
    """How many updates it takes to see each training sequence once."""
    count = training_sequences(experiment, fetch)
    return -(-count // experiment.batch(count))


def check(experiment: Experiment, fetch: Fetch = fetch_sample) -> None:
    """Raise GruvizError unless there is data for the experiment, a batch of it, and time for it."""
    task = experiment.task
    experiment.loss.fitting(task.kind, in_bits=task.in_bits)
    count, length = training_sequences(experiment, fetch), task.time_steps
    if not isinstance(task, MadeUp):
        length = load(task, experiment.seed, fetch).train.inputs.shape[1]
    if isinstance(task, MadeUp) and count * length * len(task.inputs) > MOST_NUMBERS:
        raise GruvizError(
            _(
                "{count:,} sequences of {length:,} time steps with {inputs} inputs are too much"
                " for a shared server; make fewer or shorter ones."
            ).format(count=count, length=length, inputs=len(task.inputs))
        )
    check_batch(experiment, count)
    check_warmup(experiment)
    check_decay(experiment)
    units, batch = experiment.cell.units, max(experiment.batch(count), VALIDATION_LIMIT)
    states = batch * length * units
    if states * units > MOST_WORK or states > MOST_STATES:
        raise GruvizError(
            _(
                "One step with {batch:,} sequences of {length:,} time steps and {units} hidden units"
                " asks too much of a shared server; make one of the three smaller."
            ).format(batch=batch, length=length, units=units)
        )

"""The data of an experiment: made up, bundled, or from a table."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_numeric_dtype

from gruviz.csv import Table, split_source
from gruviz.data import text
from gruviz.data.backtest import Fold
from gruviz.data.bundled import SAMPLE_NAMES, SAMPLES, sample
from gruviz.data.chunks import made
from gruviz.data.dataset import Dataset, Sequences
from gruviz.data.labelled import long_sequences, wide_sequences
from gruviz.data.missing import punch
from gruviz.data.shelf import Allocate, Memory
from gruviz.data.store import TableStore
from gruviz.data.synthetic import MAKERS
from gruviz.data.windows import forecast_windows
from gruviz.errors import GruvizError
from gruviz.experiment import Digits, FromTable, Long, MadeUp, NextCharacter, Rows, TableTask, Task
from gruviz.experiment.knobs import to_dict
from gruviz.words import _

VALIDATION_SEQUENCES = 500

HOLES = (1, 1, 1, 5, 20)  # rows: single values more often than runs

IN_MEMORY = Memory()

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


def load(task: Task, seed: int, fetch: Fetch = fetch_sample, fold: Fold | None = None) -> Dataset:
    """The data of a task; of a forecast, that of one fold of a backtest, if there is one.

    `fetch` turns a table's source (a name or a digest) into the table. If it is a store of uploads,
    the data is on its shelf, for all processes; else it is kept in this one's memory.

    Raises GruvizError, with the reason and the remedy, if the data can't be used.
    """
    shelf = fetch.shelf if isinstance(fetch, TableStore) else IN_MEMORY
    make = LOADERS.get(task.name, _made_up)
    return shelf.get(
        key_of(task, seed, fetch, fold), lambda allocate: make(task, seed, fetch, fold, allocate)
    )


def made_now(task: MadeUp, seed: int) -> Dataset:
    """The data of a made-up task, made anew and kept nowhere."""
    return LOADERS.get(task.name, _made_up)(task, seed, fetch_sample, None, np.empty)


def key_of(task: Task, seed: int, fetch: Fetch, fold: Fold | None = None) -> str:
    """A digest of all that decides the data. A name may stand for another table by now: what
    counts is the digest of its bytes and how they were read."""
    about: list[Any] = [to_dict(task), seed, fold and astuple(fold)]
    if isinstance(task, FromTable) and not _by_content(task.source, fetch):
        about.append(fetch(task.source).source)
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def _by_content(source: str, fetch: Fetch) -> bool:
    """Whether a source names its table's content, which need not be looked at then."""
    return isinstance(fetch, TableStore) and split_source(source)[0] not in SAMPLE_NAMES


def _made_up(
    task: Any, seed: int, _fetch: Fetch, _fold: Fold | None, allocate: Allocate
) -> Dataset:
    make = MAKERS[task.name]
    return _dataset(
        task,
        made(make, task, task.size, (seed, 2), allocate),
        made(make, task, VALIDATION_SEQUENCES, (seed, 3), allocate),
    )


def _dataset(task: Task, train: Sequences, validation: Sequences) -> Dataset:
    outputs = len(task.classes) or train.targets.shape[-1]
    return Dataset(task.kind, train, validation, outputs, task.inputs, task.classes)


def _windows(
    task: TableTask, seed: int, fetch: Fetch, fold: Fold | None, _allocate: Allocate
) -> Dataset:
    table = fetch(task.source)
    if table.no_series:
        raise GruvizError(table.no_series)
    end = None if fold is None else fold.test_end
    return forecast_windows(
        series_of(task, seed, fetch)[:end],
        task.window,
        task.horizon,
        task.column or table.first_choice,
        further={each: _column(table, each)[:end] for each in task.further},
        scaling=task.scaling,
        missing=task.missing,
        leak=task.leak,
        border=None if fold is None else fold.train_end,
        groups=None if table.groups is None else table.groups[:end],
    )


def series_of(task: TableTask, seed: int, fetch: Fetch = fetch_sample) -> npt.NDArray[np.float64]:
    """The column that a task forecasts, (rows,), in its own units, with the holes punched into it."""
    table = fetch(task.source)
    series = _column(table, task.column or table.first_choice)
    if task.holes:
        series = punch(series, task.holes, HOLES, np.random.default_rng([seed, 5]))
    return series


def _rows(task: Rows, seed: int, fetch: Fetch, _fold: Fold | None, _allocate: Allocate) -> Dataset:
    frame = fetch(task.source).frame
    label = _text_column(frame, task.target)
    values = [
        name for name in frame.columns if name != label and is_numeric_dtype(frame[name].dtype)
    ]
    return wide_sequences(frame, values, label, seed)


def _long(task: Long, seed: int, fetch: Fetch, _fold: Fold | None, _allocate: Allocate) -> Dataset:
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


def _digits(
    task: Digits, seed: int, _fetch: Fetch, _fold: Fold | None, _allocate: Allocate
) -> Dataset:
    """The bundled images as sequences of eight rows of eight pixels, a fifth for validation."""
    numbers = np.loadtxt(SAMPLES / "digits_8x8.csv", delimiter=",", dtype=np.float32)
    order = np.random.default_rng([seed, 2]).permutation(len(numbers))
    pixels = numbers[order, :64].reshape(-1, 8, 8) / np.float32(16)
    everything = Sequences(pixels, numbers[order, 64].astype(np.int64))
    border = len(numbers) * 4 // 5
    return _dataset(task, everything[slice(0, border)], everything[slice(border, None)])


def _text(
    task: NextCharacter, seed: int, _fetch: Fetch, _fold: Fold | None, allocate: Allocate
) -> Dataset:
    train, validation = (
        lambda task, count, generator, part=part: text.windows(part, task.length, count, generator)
        for part in text.parts()
    )
    return _dataset(
        task,
        made(train, task, task.size, (seed, 2), allocate),
        made(validation, task, VALIDATION_SEQUENCES, (seed, 3), allocate),
    )


# By a task's name. Any other is made up by the function in MAKERS.
LOADERS: dict[str, Callable[[Any, int, Fetch, Fold | None, Allocate], Dataset]] = {
    Digits.name: _digits,
    NextCharacter.name: _text,
    TableTask.name: _windows,
    Rows.name: _rows,
    Long.name: _long,
}

"""What a page shows of a data set, and needs to know of it: everything but the sequences."""

import sys
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gruviz.csv import Finding, split_source
from gruviz.data.bundled import SAMPLE_NAMES
from gruviz.data.dataset import Dataset, Sequences, judged
from gruviz.data.latest import Latest
from gruviz.data.loading import (
    VALIDATION_SEQUENCES,
    Fetch,
    fetch_sample,
    key_of,
    load,
    made_now,
)
from gruviz.data.making import making_seconds
from gruviz.experiment import FromTable, Kind, MadeUp, Task
from gruviz.words import _

SHOWN = 4  # sequences on the data page
MOST_ENDS = 2_000  # forecasts by which those that need no training are judged
QUICK = 0.1  # seconds that a page may take for it
FEWEST = 10  # sequences of a made-up task
KEPT_BYTES = 20_000_000


@dataclass(frozen=True, eq=False)
class Preview:
    """As in Dataset, `names` and `words` being those of its inputs, and: `shown`, the first SHOWN
    validation sequences; how many `sequences` there are to train on, and `held_out` for validation;
    `naive`, the mean squared error of repeating the last value where the task is a forecast, on what
    the trainer validates on; `ends`, MOST_ENDS of the dataset's, evenly spread."""

    kind: Kind
    shown: Sequences
    sequences: int
    held_out: int
    outputs: int
    names: tuple[str, ...]
    words: tuple[str, ...]
    class_names: tuple[str, ...]
    one_hot: bool
    naive: float
    unit: str
    mean: float
    scale: float
    missing: int
    left_out: int
    series: int
    border: int
    ends: npt.NDArray[np.int64] | None
    findings: tuple[Finding, ...]

    @property
    def input_names(self) -> tuple[str, ...]:
        """What each input is called, in the current language."""
        if not self.words:
            return self.names
        said = zip(self.words, self.names, strict=True)
        return tuple(_(words).format(name=name) for words, name in said)

    @property
    def features(self) -> int:
        return int(self.shown.inputs.shape[2])

    @property
    def length(self) -> int:
        """How many time steps are read of each sequence."""
        return int(self.shown.inputs.shape[1])


def previewed(dataset: Dataset) -> Preview:
    """What there is to know of a data set; nothing in it refers to its arrays."""
    shown = dataset.validation[np.arange(min(SHOWN, len(dataset.validation)))]
    return Preview(
        dataset.kind,
        shown,
        len(dataset.train),
        len(dataset.validation),
        dataset.outputs,
        dataset.input_names,
        dataset.input_words,
        dataset.class_names,
        dataset.one_hot,
        _naive(dataset),
        dataset.unit,
        dataset.mean,
        dataset.scale,
        dataset.missing,
        dataset.left_out,
        dataset.series,
        dataset.border,
        _spread(dataset.ends),
        dataset.findings,
    )


def _naive(dataset: Dataset) -> float:
    if dataset.kind is not Kind.FORECAST:
        return float("nan")
    held_out = judged(dataset.validation)
    last = held_out.inputs[:, -1:, dataset.series].astype(np.float64)
    return float(((held_out.targets - last) ** 2).mean())


def _spread(ends: npt.NDArray[np.int64] | None) -> npt.NDArray[np.int64] | None:
    if ends is None:
        return None
    rows = np.unique(np.linspace(0, len(ends) - 1, min(len(ends), MOST_ENDS)).round().astype(int))
    found: npt.NDArray[np.int64] = ends[rows]
    return found


def _size(value: Preview) -> int:
    arrays = (value.shown.inputs, value.shown.targets, value.ends)
    return sys.getsizeof(value) + sum(each.nbytes for each in arrays if each is not None)


_kept = Latest[Preview](KEPT_BYTES, _size)


def known(task: Task, seed: int, fetch: Fetch = fetch_sample) -> Preview | None:
    """The preview of a task's data if this process has it, or has it at once: that of a bundled
    sample, or of a task of which some sequences are quickly made. None for anything else.

    Raises GruvizError if there is no data.
    """
    found = _kept.get(_key(task, seed, fetch))
    if found is not None:
        return _counted(found, task)
    return preview_of(task, seed, fetch) if _at_once(task) else None


def _at_once(task: Task) -> bool:
    if isinstance(task, MadeUp):
        return making_seconds(task, FEWEST) + making_seconds(task, VALIDATION_SEQUENCES) < QUICK
    return not isinstance(task, FromTable) or split_source(task.source)[0] in SAMPLE_NAMES


def preview_of(task: Task, seed: int, fetch: Fetch = fetch_sample) -> Preview:
    """The preview of a task's data; of what is made up, only the validation part is made.

    Raises GruvizError if there is no data.
    """
    found = _kept.get(_key(task, seed, fetch))
    if found is None:
        few = _few(task)
        data = made_now(few, seed) if isinstance(few, MadeUp) else load(task, seed, fetch)
        found = previewed(data)
        remember(found, task, seed, fetch)
    return _counted(found, task)


def remember(found: Preview, task: Task, seed: int, fetch: Fetch = fetch_sample) -> None:
    """Have a preview at hand that was made elsewhere."""
    _kept.put(_key(task, seed, fetch), found)


def _key(task: Task, seed: int, fetch: Fetch) -> str:
    return key_of(_few(task), seed, fetch)


def _few(task: Task) -> Task:
    return replace(task, size=FEWEST) if isinstance(task, MadeUp) else task


def _counted(found: Preview, task: Task) -> Preview:
    return replace(found, sequences=task.size) if isinstance(task, MadeUp) else found

"""What a trainer trains on: inputs and targets as arrays, split once into training and validation."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gruviz.csv import Finding
from gruviz.experiment import Kind

Array = npt.NDArray[np.float32]
VALIDATION_LIMIT = 256  # sequences that one validation looks at, see `judged`
IGNORED = -100  # a class that no answer is asked for; torch's own default for it


@dataclass(frozen=True, eq=False)
class Sequences:
    """Inputs (n, time, features) float32; targets (n, outputs) float32, or (n,) int64 classes.

    Where an answer is wanted after every time step, targets are (n, time, outputs), NaN where none
    is, or (n, time) classes, IGNORED where none is.
    """

    inputs: Array
    targets: npt.NDArray[np.float32] | npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, rows: "npt.NDArray[np.int64] | slice") -> "Sequences":
        return Sequences(self.inputs[rows], self.targets[rows])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and validation sequences, and how to read them.

    `mean` and `scale` undo the scaling: value = scaled * scale + mean. `missing` values were found,
    and `left_out` windows that touch them. `series`: the input feature that a forecast continues.

    Of a series: `border` is the first row after the training part, `ends` (n,) the row at which
    each validation forecast begins, `latest` (1, window, features) the inputs from which to
    forecast what follows the last row (None: they touch a missing value), `fill` the mean of each
    input column in the training part, scaled, to which the inputs of GRU-D decay.
    `findings`: what was done to make sequences of a table. `input_words`: what to say of each input,
    with a place for its name and not yet translated; none where the names say it all.
    """

    kind: Kind
    train: Sequences
    validation: Sequences
    outputs: int
    input_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    unit: str = ""
    mean: float = 0.0
    scale: float = 1.0
    missing: int = 0
    left_out: int = 0
    series: int = 0
    border: int = 0
    ends: npt.NDArray[np.int64] | None = None
    latest: Array | None = None
    fill: tuple[float, ...] = ()
    findings: tuple[Finding, ...] = ()
    input_words: tuple[str, ...] = ()

    @property
    def features(self) -> int:
        return int(self.train.inputs.shape[2])

    @property
    def one_hot(self) -> bool:
        """Whether what is read at each time step is one of several symbols."""
        inputs = self.validation.inputs
        return bool(
            self.features > 1
            and ((inputs == 0) | (inputs == 1)).all()
            and (inputs.sum(axis=2) == 1).all()
        )


def judged(validation: Sequences) -> Sequences:
    """A copy of the sequences that a validation looks at: VALIDATION_LIMIT of them, evenly spread from
    the first to the last; all, where there are no more."""
    count = len(validation)
    most = min(count, VALIDATION_LIMIT)
    return validation[np.arange(most) * (count - 1) // max(most - 1, 1)]


def batches(count: int, size: int, seed: int, step: int) -> Iterator[npt.NDArray[np.int64]]:
    """The rows of the batch of each step from `step` on; every epoch sees every row once.

    A pure function of its arguments: a run that is resumed needs no random state to go on. A batch
    of all rows has them in their own order: its gradient must not depend on how a sum is ordered.
    """
    if size == count:
        while True:
            yield np.arange(count)
    per_epoch = -(-count // size)
    while True:
        epoch, position = divmod(step, per_epoch)
        order = np.random.default_rng([seed, 1, epoch]).permutation(count)
        for start in range(position * size, count, size):
            yield order[start : start + size]
            step += 1

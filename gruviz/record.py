"""What training leaves behind, as plain arrays: made in a worker, held by a page without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]
Point = tuple[int, Weights]  # of the path: a step, and all weights of the model then, (weights,)

STEP_COLUMNS = ("step", "loss", "learning_rate", "norm", "clipped_norm", "clip_norm", "penalty")
VALIDATION_COLUMNS = ("step", "loss", "accuracy")
SMOOTHING = 0.1
MOST_POINTS, FEWEST_POINTS = 64, 4  # of a path
PATH_BYTES = 4_000_000


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that a run needs to go on: weights and optimizer state by name, and where it stands.

    There is no random state: batches are a pure function of the seed and the step.
    """

    step: int
    arrays: Mapping[str, npt.NDArray[np.generic]]
    first_loss: float


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What the network does with the probe, one fixed validation sequence, after `step` updates.

    signals: by name, (units, time), every gate and state of the cell
    inputs: (time, features), target: (outputs,) or a class; prediction: (time, outputs), what the
    head would answer after each time step (class probabilities for a classification).
    rollout: (steps,) how a series goes on if the network reads its own forecasts; None for others.
    gradient: (time,) ‖∂L/∂h_t‖ over the last batch that was trained on; None before the first.
    text: what a model of letters writes after the probe; empty for any other task.
    """

    step: int
    signals: Mapping[str, npt.NDArray[np.float32]]
    inputs: npt.NDArray[np.float32]
    target: npt.NDArray[np.generic]
    prediction: npt.NDArray[np.float32]
    gradient: npt.NDArray[np.floating[Any]] | None
    text: str = ""
    rollout: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Slice:
    """The result of training for a short while: one value a step in each of STEP_COLUMNS.

    norm is the gradient's before any clipping, clipped_norm what the update saw; loss is the data's
    alone, and penalty what regularisation adds to it, NaN without any.

    seconds: time in training; sequences: how many there are to train on
    path: the weights at the steps that `kept_every` names
    stopped: the rule of gruviz.experiment.STOPS that ended the run, None if it goes on
    blocks: a value for each step that was measured, in columns "step" and, for each block of weights,
    "gradient.<block>" (norm before clipping), "update.<block>" (log10 of the norm of the update over
    that of the weights; NaN if either is 0) and "moment.<block>" (root mean square of the optimizer's
    running mean or sum of squared gradients; NaN if it has none)
    anatomy: the last step stage by stage, in plain numbers; empty if it wasn't known to be the last
    """

    checkpoint: Checkpoint
    steps: Mapping[str, Floats]
    validations: Mapping[str, Floats]
    snapshot: Snapshot | None
    seconds: float
    sequences: int
    diverged_at: int | None = None
    path: Sequence[Point] = ()
    stopped: str | None = None
    blocks: Mapping[str, Floats] = field(default_factory=dict)
    anatomy: Mapping[str, Any] = field(default_factory=dict)


def weights_of(checkpoint: Checkpoint) -> Weights:
    """All weights of a checkpoint's model in one vector, (weights,)."""
    parts = [v.ravel() for name, v in checkpoint.arrays.items() if name.startswith("model.")]
    return np.concatenate(parts).astype(np.float32)


def kept_every(step: int, weights: int) -> int:
    """Of which steps up to `step` a path keeps the weights: of the multiples of this number.

    It is the smallest power of two with which they are at most MOST_POINTS, and few enough for
    PATH_BYTES. It only ever doubles, so who has kept the points so far has all those of later.
    """
    most = min(MOST_POINTS, max(FEWEST_POINTS, PATH_BYTES // (4 * max(weights, 1))))
    every = 1
    while step // every >= most:
        every *= 2
    return every


class Columns:
    """Columns of numbers of one length that only ever grow at the end.

    As long as a column holds a single value, over and over, it takes no more room than that.
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        # An array longer than the column, or, of a column that holds but one value, that one.
        self._arrays: dict[str, Floats] = {name: np.empty(0) for name in names}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Floats:
        """The column as a view; rows that are appended later are not in it."""
        return self._cut(name, 0, self._length)

    def since(self, row: int) -> dict[str, Floats]:
        """All columns from a row on, of one length even while another thread appends."""
        end = self._length
        return {name: self._cut(name, row, end) for name in self._arrays}

    def _cut(self, name: str, start: int, end: int) -> Floats:
        array = self._arrays[name]
        if array.ndim == 0:
            return np.broadcast_to(array, len(range(end)[start:]))
        return array[:end][start:]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._arrays)

    @property
    def size(self) -> int:
        """Bytes that they take."""
        return sum(array.nbytes for array in self._arrays.values())

    def append(self, rows: Mapping[str, Floats]) -> None:
        """Add rows at the end: one array of equal length for each column."""
        count = len(next(iter(rows.values())))
        if not count:
            return
        needed = self._length + count
        for name, array in self._arrays.items():
            new = np.ascontiguousarray(rows[name], np.float64)
            if self._length == 0 or array.ndim == 0:
                single = new[0] if self._length == 0 else array
                if _all_are(single, new):
                    self._arrays[name] = np.array(single)
                    continue
            if array.ndim == 0 or needed > len(array):
                longer = np.empty(max(needed, 256, self._length + self._length // 2))
                longer[: self._length] = array if array.ndim == 0 else array[: self._length]
                array = self._arrays[name] = longer
            array[self._length : needed] = new
        self._length = needed


def _all_are(value: npt.ArrayLike, values: Floats) -> bool:
    """Whether all of them are that value to the bit, so that NaN is equal to NaN."""
    return bool((values.view(np.int64) == np.array(value).view(np.int64)).all())


LASTING = 3  # validations that a task must stay solved for


def solved(validations: Mapping[str, Floats] | Columns, threshold: float) -> int | None:
    """The step of the first validation from which on the loss stays below a threshold, if it has
    stayed there for LASTING validations."""
    above = np.flatnonzero(~(validations["loss"] < threshold))  # NaN is not below
    first = int(above[-1]) + 1 if len(above) else 0
    steps = validations["step"]
    return int(steps[first]) if len(steps) - first >= LASTING else None


class MovingAverage:
    """Exponential moving average, free of start-up bias (Kingma and Ba 2015, section 3).

    It keeps its running sums, so that the same numbers give the same averages, bit for bit, however
    they are cut.
    """

    def __init__(self) -> None:
        self._total = self._weight = 0.0

    def further(self, values: Floats) -> Floats:
        """The average after each of the next values, (n,)."""
        totals = _running(self._total, values.tolist())
        weights = _running(self._weight, [1.0] * len(values))
        self._total, self._weight = totals[-1], weights[-1]
        found: Floats = np.array(totals[1:]) / np.array(weights[1:])
        return found


def _running(start: float, values: list[float]) -> list[float]:
    """The start, and the decaying sum after each of the values."""
    keep = 1 - SMOOTHING
    return list(
        accumulate(values, lambda total, value: keep * total + SMOOTHING * value, initial=start)
    )


@dataclass(eq=False)
class History:
    """The curves of a run. `steps` has STEP_COLUMNS and "smooth", `validations` its own columns.

    blocks: the columns of Slice.blocks; None until a slice has brought some. times: the steps and the
    seconds in training after each slice.
    """

    steps: Columns = field(default_factory=lambda: Columns((*STEP_COLUMNS, "smooth")))
    validations: Columns = field(default_factory=lambda: Columns(VALIDATION_COLUMNS))
    blocks: Columns | None = None
    times: Columns = field(default_factory=lambda: Columns(("step", "seconds")))
    seconds: float = 0.0
    _average: MovingAverage = field(default_factory=MovingAverage)

    @property
    def loss(self) -> Floats:
        """The training loss of every step so far."""
        return self.steps["loss"]

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        every = (self.steps, self.validations, self.times, self.blocks)
        return sum(columns.size for columns in every if columns is not None)

    def absorb(self, part: Slice) -> None:
        """Append what a slice measured."""
        smooth = self._average.further(part.steps["loss"])
        self.steps.append({**part.steps, "smooth": smooth})
        self.validations.append(part.validations)
        if part.blocks:
            if self.blocks is None:
                self.blocks = Columns(tuple(part.blocks))
            self.blocks.append(part.blocks)
        self.seconds += part.seconds
        here = {"step": part.checkpoint.step, "seconds": self.seconds}
        self.times.append({name: np.array([value], float) for name, value in here.items()})

    def seconds_at(self, step: float) -> float:
        """Seconds in training until a step: measured after each slice, in between a straight line."""
        times = self.times.since(0)
        return float(np.interp(step, [0, *times["step"]], [0, *times["seconds"]]))

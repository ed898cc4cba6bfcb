"""What studies of a run find, as plain numbers and arrays: made in a worker, read by a page.

Each is the state of a fold, like a checkpoint: `gruviz.training.proceed` takes it a slice further,
and at `progress` 1 it is the result. Until then it holds what is known so far.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, Knob, about
from gruviz.record import Checkpoint, Point, Weights
from gruviz.words import _

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LOWEST, HIGHEST = 1e-6, 10.0  # learning rates
HALF_WINDOW = 4  # steps to either side of the one whose loss is smoothed
GIVE_UP_ABOVE = 4.0  # times the smallest smoothed loss
SMALLEST_FALL = 0.02  # share of the loss
SMALLEST_PART = 0.05  # of the loss that a run began with
SURE = 6  # standard errors: a flat curve has many places at which chance may find its lowest
MARGIN = 0.25  # of the longer side of the path's projection


class State(Protocol):
    """What every study has."""

    @property
    def progress(self) -> float:
        """From 0 to 1; at 1 it is finished."""
        ...


S = TypeVar("S", bound=State)


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The loss while the learning rate grows exponentially, over several seeds.

    start: where each seed starts; None: from initial weights of its own
    rates: (steps,); losses: (seeds, steps), of each batch before its update; NaN: not reached, or
    no finite number. reached: (seeds,) how many steps each seed has made.
    """

    start: Checkpoint | None
    rates: Floats
    losses: Floats
    reached: Ints
    seed: int = 0
    here: Checkpoint | None = None

    @classmethod
    def begin(
        cls, start: Checkpoint | None = None, *, seeds: int = 5, steps: int = 100
    ) -> "RangeTest":
        """From LOWEST to HIGHEST, or as far as the learning rate's own control goes."""
        knob = dict(about(Experiment))["learning_rate"]
        assert isinstance(knob, Knob) and knob.low is not None and knob.high is not None
        # geomspace may end a bit outside of its ends.
        rates = np.geomspace(LOWEST, HIGHEST, steps).clip(knob.low, knob.high)
        return cls(start, rates, np.full((seeds, steps), np.nan), np.zeros(seeds, np.int64))

    @property
    def progress(self) -> float:
        seeds, steps = self.losses.shape
        if self.seed >= seeds:
            return 1.0
        return float((self.seed + self.reached[self.seed] / steps) / seeds)

    @property
    def smooth(self) -> Floats:
        """(seeds, steps): the geometric mean over a centred window, cut short at both ends."""
        return np.stack([smoothed(row) for row in self.losses])

    @property
    def band(self) -> tuple[Floats, Floats, Floats]:
        """The smallest, the geometric mean and the largest of the seeds' smoothed losses, (steps,)
        each; NaN from where the first seed ended: those left over are no fair sample."""
        smooth = self.smooth[: self.seed + 1]
        mean = np.exp(np.log(smooth).mean(axis=0))
        there = np.isfinite(mean)
        low, high = (np.where(there, edge, np.nan) for edge in (smooth.min(0), smooth.max(0)))
        return low, mean, high

    @property
    def suggestion(self) -> "Suggestion":
        """What the finished test says, see `suggest`."""
        began = None if self.start is None else self.start.first_loss
        return suggest(self.rates, self.losses, began)


def smoothed(losses: Floats) -> Floats:
    """The geometric mean of up to HALF_WINDOW losses to either side; NaN where there is no loss.

    Losses span decades; the window is centred, for one that looks back would show a fall late and
    so at too large a rate.
    """
    there = np.isfinite(losses)
    logs = np.log(np.where(there, np.maximum(losses, np.finfo(float).tiny), 1.0))
    window = np.ones(2 * HALF_WINDOW + 1)
    count = np.convolve(there.astype(float), window)[HALF_WINDOW : HALF_WINDOW + len(losses)]
    total = np.convolve(logs, window)[HALF_WINDOW : HALF_WINDOW + len(losses)]
    return np.where(there, np.exp(total / np.maximum(count, 1)), np.nan)


@dataclass(frozen=True)
class Suggestion:
    """A learning rate and why, in a sentence with its numbers; None: the curve supports none."""

    rate: float | None
    reason: str


def suggest(rates: Floats, losses: Floats, began: float | None = None) -> Suggestion:
    """The rate of steepest descent, but at most a tenth of that where the worst seed begins to rise.

    rates: (steps,); losses: (seeds, steps), NaN where a seed has ended; began: the first loss of the
    run, where it has been trained before. Smith 2017 (arXiv 1506.01186) reads such a curve by eye;
    both rates here are measured on losses smoothed as in `smoothed`. A fall counts if it is over 2 %
    and over six standard errors of the mean's noise; and of a trained run, if it is over 5 % of the
    first loss. For at any rate far below its own, the noise of such a run's last steps is averaged
    out and its loss falls a little, which says nothing about a rate to learn with.
    """
    smooth = np.log(np.stack([smoothed(row) for row in losses]))
    seeds = len(smooth)
    shared = int(np.isfinite(smooth).all(axis=0).sum())
    if shared < 2 * HALF_WINDOW:
        return Suggestion(
            None,
            _(
                "No suggestion: after {count} steps, at a rate of {rate:.2g}, the loss had already"
                " blown up."
            ).format(count=shared, rate=rates[max(shared - 1, 0)]),
        )
    mean = smooth[:, :shared].mean(axis=0)
    window = 2 * HALF_WINDOW + 1
    lowest = int(mean.argmin())
    calm = slice(0, max(lowest, window))  # before the explosion
    rough = np.log(np.maximum(losses[:, calm], np.finfo(float).tiny))
    noise = float(np.nanstd(rough - smooth[:, calm]))
    fall = float(mean[:window].mean() - mean[lowest])
    certain = max(-np.log1p(-SMALLEST_FALL), SURE * noise / np.sqrt(window * seeds))
    if fall < certain:
        return Suggestion(
            None,
            _(
                "No suggestion: the curve is flat. The mean loss of {seeds} seeds never fell by more"
                " than {fall:.1%}, and only a fall of {certain:.1%} would stand out from the noise of"
                " its batches."
            ).format(seeds=seeds, fall=-np.expm1(-max(fall, 0.0)), certain=-np.expm1(-certain)),
        )
    start, low = (float(np.exp(value)) for value in (mean[:window].mean(), mean[lowest]))
    if began is not None and start - low < SMALLEST_PART * began:
        return Suggestion(
            None,
            _(
                "No suggestion: the curve is flat. The run has come from a loss of {began:.2g} to"
                " {start:.2g}, and from there no rate takes it far: {low:.2g} was the lowest within"
                " these steps. Start from initial weights to find a rate."
            ).format(began=began, start=start, low=low),
        )
    slope = np.gradient(mean, np.log10(rates[:shared]))
    steepest = int(slope[: lowest + 1].argmin())
    rising = [_rise(row, noise / np.sqrt(window)) for row in smooth]
    worst = min((at for at in rising if at is not None), default=None)
    fastest = _(
        "The mean loss of {seeds} seeds fell fastest at {rate:.2g}, by {drop:.0%} for each factor of"
        " ten"
    ).format(seeds=seeds, rate=rates[steepest], drop=-np.expm1(slope[steepest]))
    if worst is None:
        return Suggestion(
            _rounded(rates[steepest]),
            _("{fastest}, and no seed's loss rose up to {last:.2g}.").format(
                fastest=fastest, last=rates[-1]
            ),
        )
    tenth = rates[worst] / 10
    if tenth < rates[0]:
        return Suggestion(
            None,
            _(
                "No suggestion: {fastest}, but the worst seed's loss rose from {rise:.2g} on, and a"
                " tenth of that is below the smallest rate, {first:.2g}."
            ).format(fastest=fastest[:1].lower() + fastest[1:], rise=rates[worst], first=rates[0]),
        )
    if rates[steepest] <= tenth:
        why = _(
            "{fastest}; that is below a tenth of {rise:.2g}, from where the worst seed's loss rose."
        )
    else:
        why = _(
            "{fastest}, but the worst seed's loss rose from {rise:.2g} on: a tenth of that is the"
            " safer choice."
        )
    return Suggestion(
        _rounded(min(rates[steepest], tenth)), why.format(fastest=fastest, rise=rates[worst])
    )


def _rise(smooth: Floats, noise: float) -> int | None:
    """Where a seed is for the last time within its noise of its smallest loss; None: to the end."""
    within = np.flatnonzero(smooth <= np.nanmin(smooth) + 2 * noise)
    return int(within[-1]) if within[-1] < len(smooth) - 1 else None


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")


@dataclass(frozen=True, eq=False)
class Sharpness:
    """The largest eigenvalue of the Hessian of the training loss at some points of a path.

    It is the loss of the data, without penalties and dropout, over up to `sequences` training
    sequences. Power iteration finds the eigenvalue largest in magnitude; should that be negative,
    a second one on H + |that| gives the algebraically largest, which is what is reported.

    steps, rates, values: (points,); the learning rate at each point, and the eigenvalue; NaN: not
    yet. iterations: (points,) Hessian-vector products taken. converged: (points,) whether the last
    one moved the value by less than `tolerance` of it; else that was given up for `most` of them.
    """

    steps: Ints
    rates: Floats
    waiting: tuple[Weights, ...]
    values: Floats
    iterations: Ints
    converged: npt.NDArray[np.bool_]
    sequences: int
    tolerance: float
    most: int
    vector: Floats | None = None  # (weights,) of length 1
    product: Floats | None = None  # H times vector, summed over the parts of the loss so far
    part: int = 0
    parts: int = 1
    estimate: float = math.nan  # of the eigenvalue, and by how much the last product moved it
    move: float = math.nan
    shift: float = 0.0

    @classmethod
    def begin(
        cls,
        points: Sequence[Point],
        rate_at: Callable[[int], float],
        *,
        most_points: int = 12,
        sequences: int = 256,
        tolerance: float = 0.01,
        most: int = 60,
    ) -> "Sharpness":
        """At up to `most_points` of the points, evenly spread; rate_at: step to learning rate."""
        if not points:
            raise GruvizError(_("There are no weights to look at yet; press Train first."))
        chosen = np.linspace(0, len(points) - 1, min(most_points, len(points))).round()
        kept = [points[int(index)] for index in chosen]
        count = len(kept)
        return cls(
            np.array([step for step, _weights in kept]),
            np.array([rate_at(step) for step, _weights in kept]),
            tuple(weights for _step, weights in kept),
            np.full(count, np.nan),
            np.zeros(count, np.int64),
            np.zeros(count, np.bool_),
            sequences,
            tolerance,
            most,
        )

    @property
    def here(self) -> int:
        """The index of the point under way."""
        return len(self.steps) - len(self.waiting)

    @property
    def progress(self) -> float:
        if not self.waiting:
            return 1.0
        within = (int(self.iterations[self.here]) + self.part / self.parts) / (2 * self.most)
        return (self.here + within) / len(self.steps)

    @property
    def limits(self) -> Floats:
        """2 / learning rate, (points,): plain gradient descent is stable below (Cohen et al. 2021,
        arXiv 2103.00065)."""
        return 2 / self.rates


@dataclass(frozen=True, eq=False)
class Surface:
    """The loss on the plane through the path's end along its first two principal directions.

    Li et al. 2018 (arXiv 1712.09913), section 7; Lorch 2016. The loss is that of the data over up
    to `sequences` training sequences.

    steps: (points,); path: (points, 2) coordinates of the path; explained: (2,) the share of the
    path's variance along each direction; across, along: the grid's coordinates; losses: (along,
    across), NaN: not yet.
    """

    steps: Ints
    path: Floats
    explained: Floats
    origin: Weights
    directions: npt.NDArray[np.float32]  # (2, weights), of length 1
    across: Floats
    along: Floats
    losses: Floats
    sequences: int
    cell: int = 0
    part: int = 0
    parts: int = 1
    total: float = 0.0  # of the parts of this cell's loss so far

    @classmethod
    def begin(cls, points: Sequence[Point], *, size: int = 21, sequences: int = 512) -> "Surface":
        """Raises GruvizError if the path has fewer than three points or doesn't move."""
        if len(points) < 3:
            raise GruvizError(
                _(
                    "The path has only {count} of the 3 points that span a plane; train for some more"
                    " steps first."
                ).format(count=len(points))
            )
        weights = np.stack([vector for _step, vector in points]).astype(np.float64)
        steps = np.array([step for step, _vector in points])
        _left, sizes, directions = np.linalg.svd(weights - weights.mean(0), full_matrices=False)
        variance = sizes**2
        if not variance[0] > 0:
            raise GruvizError(
                _(
                    "The weights have not moved between steps {first:,} and {last:,}; train first."
                ).format(first=steps[0], last=steps[-1])
            )
        plane = directions[:2]
        path = (weights - weights[-1]) @ plane.T
        # Which way a direction points is anybody's choice: the path shall come from the left and top.
        signs = np.where(path[0] * [-1, 1] < 0, -1.0, 1.0)
        path, plane = path * signs, plane * signs[:, None]
        low, high = path.min(0), path.max(0)
        margin = MARGIN * float((high - low).max())
        across, along = (
            np.linspace(low[axis] - margin, high[axis] + margin, size) for axis in (0, 1)
        )
        return cls(
            steps,
            path,
            variance[:2] / variance.sum(),
            points[-1][1],
            plane.astype(np.float32),
            across,
            along,
            np.full((size, size), np.nan),
            sequences,
        )

    @property
    def progress(self) -> float:
        return (self.cell + self.part / self.parts) / float(self.losses.size)

"""Sharpness: how curved the loss is along the path of a run."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gruviz.errors import GruvizError
from gruviz.record import Point, Weights
from gruviz.studies.state import Floats, Ints
from gruviz.words import _


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

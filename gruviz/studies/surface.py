"""The loss surface: the loss around the path of a run."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gruviz.errors import GruvizError
from gruviz.record import Point, Weights
from gruviz.studies.state import Floats, Ints
from gruviz.words import _

MARGIN = 0.25  # of the longer side of the path's projection


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

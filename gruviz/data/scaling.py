"""Scaling by column: fitted once, on the rows that training may know, and undone in the data's units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """scaled = (value - offset) / scale; one offset and one scale for each column."""

    offset: tuple[float, ...]
    scale: tuple[float, ...]

    def apply(self, values: Floats) -> Floats:
        """Scaled values; the last axis of `values` is the columns."""
        scaled: Floats = (values - np.array(self.offset)) / np.array(self.scale)
        return scaled

    def undo(self, scaled: Floats) -> Floats:
        """The values that `apply` has scaled."""
        values: Floats = scaled * np.array(self.scale) + np.array(self.offset)
        return values

    def of(self, column: int) -> "Scaling":
        """That of one column alone."""
        return Scaling((self.offset[column],), (self.scale[column],))


def _standard(known: Floats) -> tuple[float, float]:
    return float(known.mean()), float(known.std())


def _min_max(known: Floats) -> tuple[float, float]:
    low = float(known.min())
    return low, float(known.max()) - low


def _robust(known: Floats) -> tuple[float, float]:
    low, middle, high = np.quantile(known, (0.25, 0.5, 0.75)).tolist()
    return middle, high - low


def _none(_known: Floats) -> tuple[float, float]:
    return 0.0, 1.0


# Each from the present values of a column to its offset and scale.
SCALERS: Mapping[str, Callable[[Floats], tuple[float, float]]] = {
    "standard": _standard,  # mean 0, standard deviation 1
    "minmax": _min_max,  # from 0 to 1
    "robust": _robust,  # median 0, interquartile range 1: outliers don't move it
    "none": _none,
}


def fit(scaler: str, known: Floats) -> Scaling:
    """The scaling by a name of SCALERS, fitted on `known`, (time,) or (time, columns).

    `known` is the training part. Who passes the whole series has a leak: what is still to come
    moves offset and scale, so that training knows of it.
    NaN is ignored. A column without spread keeps its scale (1), one without values also its offset
    (0), as in scikit-learn.
    """
    offsets, scales = [], []
    for column in np.atleast_2d(known.T):
        present = column[~np.isnan(column)]
        # Numbers near the end of the range overflow; whoever uses the scaling checks that.
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            offset, scale = SCALERS[scaler](present) if present.size else (0.0, 1.0)
        offsets.append(offset)
        # The deviation of equal numbers is a rounding error, not always 0.
        flat = present.size == 0 or present.min() == present.max() or scale == 0
        scales.append(1.0 if flat else scale)
    return Scaling(tuple(offsets), tuple(scales))

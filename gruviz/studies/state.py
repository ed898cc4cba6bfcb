"""What every study has."""

from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class State(Protocol):
    """The state of a study: what it has found so far, and what it needs to go on."""

    @property
    def progress(self) -> float:
        """From 0 to 1; at 1 it is finished."""
        ...


S = TypeVar("S", bound=State)

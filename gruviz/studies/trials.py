"""Trials: experiments trained one after the other and judged by their forecasts. A
backtest, a comparison of ways to deal with missing values, a look at one run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from gruviz.data.backtest import Fold
from gruviz.experiment import Experiment
from gruviz.record import Checkpoint
from gruviz.studies.state import Floats


@dataclass(frozen=True)
class Job:
    """What is trained, and on which fold of its series; None: on the usual training part."""

    experiment: Experiment
    fold: Fold | None = None


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What a trained network says of its validation part, in the data's own units.

    ends: (n,) the row at which each forecast begins; values: (n, horizon). latest: (horizon,) the
    forecast of what follows the last row; None where a missing value is in the way.
    steps, losses: (validations,) its validation curve. diverged: whether training did.
    """

    ends: npt.NDArray[np.int64]
    values: Floats
    latest: Floats | None
    steps: Floats
    losses: Floats
    diverged: bool = False


@dataclass(frozen=True, eq=False)
class Trials:
    """The jobs in their order, and the forecasts of those that are done.

    Of the job under way, curve: (step, validation loss); trained: whether only its forecasts are
    missing, diverged: how that ended, said: the forecasts so far, some windows each.
    """

    jobs: tuple[Job, ...]
    found: tuple[Forecasts, ...] = ()
    here: Checkpoint | None = None
    curve: tuple[tuple[float, float], ...] = ()
    trained: bool = False
    diverged: bool = False
    said: tuple[Floats, ...] = ()

    @classmethod
    def begin(cls, jobs: Sequence[Job]) -> "Trials":
        """Every job from its initial weights."""
        return cls(tuple(jobs))

    @classmethod
    def look_at(cls, experiment: Experiment, checkpoint: Checkpoint) -> "Trials":
        """The forecasts of a run as it stands."""
        as_it_stands = replace(experiment, steps=max(checkpoint.step, 1), warmup=None)
        return cls((Job(as_it_stands),), here=checkpoint)

    @property
    def job(self) -> Job | None:
        """The job under way."""
        return self.jobs[len(self.found)] if len(self.found) < len(self.jobs) else None

    @property
    def progress(self) -> float:
        if len(self.found) == len(self.jobs):
            return 1.0
        step = 0 if self.here is None else self.here.step
        share = min(step / self.jobs[len(self.found)].experiment.steps, 0.99)
        return (len(self.found) + share) / len(self.jobs)

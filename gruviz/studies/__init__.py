"""What studies of a run find, as plain numbers and arrays: made in a worker, read by a page.

Each is the state of a fold, like a checkpoint: `gruviz.training.proceed` takes it a slice further,
and at `progress` 1 it is the result. Until then it holds what is known so far. The work of each is
in the file of the same name of `gruviz.training.studies`.
"""

from gruviz.studies.range_test import RangeTest, Suggestion
from gruviz.studies.sharpness import Sharpness
from gruviz.studies.state import S, State
from gruviz.studies.surface import Surface
from gruviz.studies.trials import Forecasts, Job, Trials

__all__ = [
    "Forecasts",
    "Job",
    "RangeTest",
    "S",
    "Sharpness",
    "State",
    "Suggestion",
    "Surface",
    "Trials",
]

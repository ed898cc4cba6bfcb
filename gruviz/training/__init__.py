"""Training as a fold: `advance` takes an experiment and a checkpoint to the next checkpoint, and
`proceed` takes a study of it to the next state."""

from gruviz.training.advance import advance, train
from gruviz.training.studies import proceed
from gruviz.training.trainer import Trainer

__all__ = ["Trainer", "advance", "proceed", "train"]

"""Training as a fold: `advance` takes an experiment and a checkpoint to the next checkpoint."""

from gruviz.training.advance import advance, train
from gruviz.training.trainer import Trainer

__all__ = ["Trainer", "advance", "train"]

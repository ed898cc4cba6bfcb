"""`advance`, the one pure function of training, and `train`, which calls it to the end."""

from time import perf_counter

import numpy as np

from gruviz.data import Fetch, fetch_sample, load
from gruviz.experiment import Experiment
from gruviz.record import (
    STEP_COLUMNS,
    VALIDATION_COLUMNS,
    Checkpoint,
    History,
    Point,
    Slice,
    kept_every,
)
from gruviz.training.threads import one_thread
from gruviz.training.trainer import Trainer
from gruviz.training.weights import flat


def advance(
    experiment: Experiment,
    checkpoint: Checkpoint | None = None,
    *,
    seconds: float | None = None,
    steps: int | None = None,
    fetch: Fetch = fetch_sample,
) -> Slice:
    """Train on from a checkpoint (None: from the start) for some seconds or a number of steps.

    Ends early when the experiment's steps are done or training diverges. At least one step is made
    unless there is none left. However a run is cut into slices, its curve is the same to the bit.
    """
    started = perf_counter()
    with one_thread():
        trainer = Trainer(experiment, load(experiment.task, experiment.seed, fetch), checkpoint)
        rows: list[dict[str, float]] = []
        validations: list[dict[str, float]] = []
        path: list[Point] = []
        size = sum(weight.numel() for weight in trainer.model.parameters())
        diverged = False
        if checkpoint is None:
            validations.append(trainer.validate())
            path.append((0, flat(trainer.model)))
        while not (trainer.finished or diverged):
            row, diverged = trainer.step()
            rows.append(row)
            if not diverged and trainer.validation_is_due:
                validations.append(trainer.validate())
            if not diverged and trainer.step_count % kept_every(trainer.step_count, size) == 0:
                path.append((trainer.step_count, flat(trainer.model)))
            if steps is not None and len(rows) >= steps:
                break
            if seconds is not None and perf_counter() - started >= seconds:
                break
        return Slice(
            checkpoint=trainer.checkpoint(),
            steps=_columns(rows, STEP_COLUMNS),
            validations=_columns(validations, VALIDATION_COLUMNS),
            snapshot=trainer.snapshot(),
            seconds=perf_counter() - started,
            sequences=len(trainer.dataset.train),
            diverged_at=trainer.step_count if diverged else None,
            path=path,
        )


def _columns(rows: list[dict[str, float]], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows], dtype=np.float64) for name in names}


def train(experiment: Experiment | None = None, *, fetch: Fetch = fetch_sample) -> History:
    """Train an experiment to its end, without a page, and return its curves."""
    history = History()
    history.absorb(advance(experiment or Experiment(), fetch=fetch))
    return history

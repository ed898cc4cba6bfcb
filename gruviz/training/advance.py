"""`advance`, the one pure function of training, and `train`, which calls it to the end."""

from array import array
from time import perf_counter

import numpy as np

from gruviz.data import Dataset, Fetch, fetch_sample, load
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
    telemetry: bool = True,
    dataset: Dataset | None = None,
) -> Slice:
    """Train on from a checkpoint (None: from the start) for some seconds or a number of steps.

    Ends early when a stop rule says so or training diverges. At least one step is made unless there
    is none left, and none after the time is over, which begins when the data is there. However a run
    is cut into slices, its curve is the same to the bit. Without telemetry there are only the curves,
    and the checkpoint. dataset: in the place of the task's own.
    """
    with one_thread():
        if dataset is None:
            dataset = load(experiment.task, experiment.seed, fetch)
        started = perf_counter()
        trainer = Trainer(experiment, dataset, checkpoint, telemetry=telemetry)
        # Numbers side by side: a million rows as dictionaries would be half a gigabyte.
        rows, validations = array("d"), array("d")
        path: list[Point] = []
        size = sum(weight.numel() for weight in trainer.model.parameters())
        if checkpoint is None:
            validations.extend(trainer.validate().values())
            path.append((0, flat(trainer.model)))
        stop, made, over = trainer.stopped, 0, False
        now, elapsed = perf_counter(), 0.0
        while stop is None and not over:
            # Foreseen, for only a step that may be the last one is worth taking apart. The first one
            # may always be: nobody knows how long it takes.
            last = made + 1 == steps or (seconds is not None and now - started + elapsed >= seconds)
            validated = trainer.is_validated(trainer.step_count + 1)
            row, diverged = trainer.step(dissect=last or validated or made == 0)
            rows.extend(row.values())
            made += 1
            if diverged:
                stop = "diverged"
            elif validated:
                validations.extend(trainer.validate().values())
                stop = trainer.stopped
            every = kept_every(trainer.step_count, size)
            if not diverged and trainer.step_count % every == 0:
                path = [point for point in path if point[0] % every == 0]
                path.append((trainer.step_count, flat(trainer.model)))
            before, now = now, perf_counter()
            elapsed = now - before
            over = last or (seconds is not None and now - started >= seconds)
        measured = trainer.telemetry
        return Slice(
            checkpoint=trainer.checkpoint(),
            steps=_columns(rows, STEP_COLUMNS),
            validations=_columns(validations, VALIDATION_COLUMNS),
            snapshot=trainer.snapshot() if telemetry else None,
            seconds=perf_counter() - started,
            path=path,
            sequences=len(dataset.train),
            diverged_at=trainer.step_count if stop == "diverged" else None,
            stopped=stop,
            blocks=measured.columns() if measured else {},
            anatomy=measured.anatomy(trainer.step_count) if measured else {},
        )


def _columns(rows: "array[float]", names: tuple[str, ...]) -> dict[str, np.ndarray]:
    table = np.asarray(rows, np.float64).reshape(-1, len(names))
    return {name: table[:, place].copy() for place, name in enumerate(names)}


def train(experiment: Experiment | None = None, *, fetch: Fetch = fetch_sample) -> History:
    """Train an experiment to its end, without a page, and return its curves."""
    history = History()
    history.absorb(advance(experiment or Experiment(), fetch=fetch))
    return history

"""Whether an experiment can be had on a shared server: its data, its batch, the time of a step."""

from gruviz.data.cost import Step
from gruviz.data.loading import VALIDATION_SEQUENCES, Fetch
from gruviz.data.making import making_seconds
from gruviz.data.preview import Preview, preview_of
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, MadeUp, Task
from gruviz.settings import amount
from gruviz.words import _

# Inputs of all training sequences, in float32 80 MB.
MOST_NUMBERS = 20_000_000


def check_batch(experiment: Experiment, count: int) -> None:
    """Raise GruvizError if a batch is larger than the number of training sequences."""
    if experiment.batch(count) > count:
        raise GruvizError(
            _(
                "Batch size is {size:,}, but there are only {count:,} training sequences; choose"
                " a batch of at most {count:,}."
            ).format(size=experiment.batch(count), count=count)
        )


def check_warmup(experiment: Experiment) -> None:
    """Raise GruvizError if a run would end before its warm-up does."""
    if experiment.warmup is not None and experiment.warmup >= experiment.steps:
        raise GruvizError(
            _(
                "Warm-up is {warmup:,} steps, but the run has only {steps:,}; choose more steps or a"
                " shorter warm-up."
            ).format(warmup=experiment.warmup, steps=experiment.steps)
        )


def check_decay(experiment: Experiment) -> None:
    """Raise GruvizError if missing values shall decay in a layer that has no such thing."""
    plain, cell = Experiment(), experiment.cell
    parts = ("cell", "initial", "regularization")
    if experiment.task.decays and (
        any(type(getattr(experiment, part)) is not type(getattr(plain, part)) for part in parts)
        or cell.arguments() != type(cell)().arguments()
    ):
        raise GruvizError(
            _(
                "Learned decay is a GRU of its own (GRU-D); choose the cell GRU as it stands in the"
                " equations, with its usual initial weights and no regularisation, or another way to"
                " deal with missing values."
            )
        )


def check_making(task: Task) -> None:
    """Raise GruvizError if it takes too long, or too much memory, to make the data of a task."""
    if not isinstance(task, MadeUp):
        return
    numbers = task.size * task.time_steps * len(task.inputs)
    seconds = making_seconds(task, task.size) + making_seconds(task, VALIDATION_SEQUENCES)
    if numbers > MOST_NUMBERS or seconds > amount("GRUVIZ_MAX_DATA_SECONDS"):
        raise GruvizError(
            _(
                "{count:,} sequences of {length:,} time steps with {inputs} inputs are too much"
                " for a shared server; make fewer or shorter ones."
            ).format(count=task.size, length=task.time_steps, inputs=len(task.inputs))
        )


def check_step(experiment: Experiment, about: Preview) -> None:
    """Raise GruvizError if a step takes so long, or so much memory, that others can't go on."""
    step = Step.of(experiment, about)
    if step.seconds > amount("GRUVIZ_MAX_STEP_SECONDS") or step.megabytes > amount(
        "GRUVIZ_MAX_STEP_MB"
    ):
        raise GruvizError(
            _(
                "One step with {batch:,} sequences of {length:,} time steps and {units} hidden units"
                " asks too much of a shared server; make one of the three smaller."
            ).format(batch=step.sequences, length=about.length, units=experiment.cell.units)
        )


def check(experiment: Experiment, about: Preview | None = None) -> None:
    """Raise GruvizError unless there is data for the experiment, a batch of it, and time for it.

    about: the preview of its data; None: a bundled sample's, or one that is made now.
    """
    task = experiment.task
    check_making(task)
    about = about or preview_of(task, experiment.seed)
    experiment.loss.fitting(task.kind, in_bits=task.in_bits)
    check_batch(experiment, about.sequences)
    check_warmup(experiment)
    check_decay(experiment)
    check_step(experiment, about)


def permitted(experiment: Experiment, fetch: Fetch) -> None:
    """Raise GruvizError if a worker may not take up the experiment, whoever asked for it."""
    check_making(experiment.task)
    check_step(experiment, preview_of(experiment.task, experiment.seed, fetch))


def batches_per_epoch(experiment: Experiment, about: Preview) -> int:
    """How many updates it takes to see each training sequence once."""
    return -(-about.sequences // experiment.batch(about.sequences))

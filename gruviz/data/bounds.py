"""Whether an experiment can be had on a shared server: its data, its batch, the time of a step."""

from gruviz.data.dataset import VALIDATION_LIMIT
from gruviz.data.loading import Fetch, fetch_sample, load
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, MadeUp
from gruviz.words import _

# Multiplications of one matrix product per time step, summed over a step; two billion are seconds
# in which nobody else's slice gets a turn.
MOST_WORK = 2_000_000_000
# Hidden states of a step, of which the backward pass needs several copies: a worker's memory.
MOST_STATES = 32_000_000

# Inputs of all training sequences, in float32 80 MB: every worker keeps the data of a few runs.
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


def training_sequences(experiment: Experiment, fetch: Fetch = fetch_sample) -> int:
    """How many sequences the experiment trains on. Raises GruvizError if there is no data for it."""
    task = experiment.task
    return task.size if isinstance(task, MadeUp) else len(load(task, experiment.seed, fetch).train)


def batches_per_epoch(experiment: Experiment, fetch: Fetch = fetch_sample) -> int:
    """How many updates it takes to see each training sequence once."""
    count = training_sequences(experiment, fetch)
    return -(-count // experiment.batch(count))


def check(experiment: Experiment, fetch: Fetch = fetch_sample) -> None:
    """Raise GruvizError unless there is data for the experiment, a batch of it, and time for it."""
    task = experiment.task
    experiment.loss.fitting(task.kind, in_bits=task.in_bits)
    count, length = training_sequences(experiment, fetch), task.time_steps
    if not isinstance(task, MadeUp):
        length = load(task, experiment.seed, fetch).train.inputs.shape[1]
    if isinstance(task, MadeUp) and count * length * len(task.inputs) > MOST_NUMBERS:
        raise GruvizError(
            _(
                "{count:,} sequences of {length:,} time steps with {inputs} inputs are too much"
                " for a shared server; make fewer or shorter ones."
            ).format(count=count, length=length, inputs=len(task.inputs))
        )
    check_batch(experiment, count)
    check_warmup(experiment)
    check_decay(experiment)
    units, batch = experiment.cell.units, max(experiment.batch(count), VALIDATION_LIMIT)
    states = batch * length * units
    if states * units > MOST_WORK or states > MOST_STATES:
        raise GruvizError(
            _(
                "One step with {batch:,} sequences of {length:,} time steps and {units} hidden units"
                " asks too much of a shared server; make one of the three smaller."
            ).format(batch=batch, length=length, units=units)
        )

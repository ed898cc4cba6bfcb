"""Everything that decides a result, as one frozen value. Equal experiments give equal curves.

Only the standard library is imported here: the page's process, the workers and a script share it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gruviz.experiment.cells import CELLS, GRU, LSTM, RNN, Cell, ChoGRU, Signal
from gruviz.experiment.initializers import (
    INITIALS,
    Initial,
    KerasInitial,
    OwnInitial,
    TorchInitial,
)
from gruviz.experiment.kinds import Forecast, Kind, MadeUp, Task
from gruviz.experiment.knobs import (
    MORE,
    Choice,
    Knob,
    Pick,
    about,
    default_of,
    from_dict,
    knob,
    pick,
    settle,
    to_dict,
)
from gruviz.experiment.losses import (
    LOSSES,
    CrossEntropy,
    CrossEntropyInBits,
    Fitting,
    Huber,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
)
from gruviz.experiment.memory import (
    COPIED,
    Adding,
    Brackets,
    CopyMemory,
    DelayedEcho,
    Parity,
    TemporalOrder,
)
from gruviz.experiment.optimizers import (
    OPTIMIZERS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    GradientDescent,
    Momentum,
    Muon,
    NAdam,
    Nesterov,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from gruviz.experiment.regularization import (
    REGULARIZATIONS,
    Regularization,
    Regularized,
    Unregularized,
)
from gruviz.experiment.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    CosineRestarts,
    Exponential,
    InverseTime,
    OneCycle,
    Plateau,
    Polynomial,
    Schedule,
    StepDecay,
)
from gruviz.experiment.series import (
    DampedOscillation,
    Lorenz,
    MackeyGlass,
    RandomWalk,
    SineMixture,
    Waveforms,
)
from gruviz.experiment.stopping import STOPS, last_step, stopped
from gruviz.experiment.table_tasks import FromTable, Long, Rows, TableTask
from gruviz.experiment.tasks import TASKS, Digits, NextCharacter
from gruviz.words import N_

STOP_RULES = N_("Stop rules")


@dataclass(frozen=True)
class Experiment:
    """What is trained, on what, and how. The defaults here are the defaults of the controls.

    A choice may be given by its name, and is then that row of its table with its defaults:
    `Experiment(cell="gru", optimizer="sgd")`. Declared is what is held, the row: typed code passes
    `GRU()`.

    Raises GruvizError, naming the value and the remedy, if a value is out of its range.
    """

    task: Task = pick(SineMixture(), TASKS, label=N_("Task"))
    learning_rate: float = knob(
        3e-3,
        1e-6,
        10.0,
        label=N_("Learning rate"),
        log=True,
        live=True,
        help=N_("Size of a step. Too small crawls, too large diverges."),
    )
    clip_norm: float | None = knob(
        1.0,
        1e-3,
        1e3,
        label=N_("Clip norm"),
        log=True,
        live=True,
        optional=True,
        help=N_("A gradient longer than this is shortened to it. Off: no clipping."),
    )
    clip_value: float | None = knob(
        None,
        1e-6,
        1e3,
        label=N_("Clip value"),
        log=True,
        group=MORE,
        live=True,
        optional=True,
        help=N_(
            "Each number of the gradient is cut to this size, before the clip norm is looked at."
        ),
    )
    schedule: Schedule = pick(
        Constant(),
        SCHEDULES,
        label=N_("Decay schedule"),
        help=N_("How the learning rate changes as training goes on."),
    )
    warmup: int | None = knob(
        None,
        1,
        100_000,
        label=N_("Warm-up"),
        log=True,
        unit=N_("steps"),
        optional=True,
        help=N_("Steps in which the rate first rises in a straight line; the schedule follows."),
    )
    optimizer: Optimizer = pick(
        Adam(),
        OPTIMIZERS,
        label=N_("Optimizer"),
        help=N_("The rule that turns a gradient into a step."),
    )
    cell: Cell = pick(GRU(), CELLS, label=N_("Cell"))
    initial: Initial = pick(
        TorchInitial(),
        INITIALS,
        label=N_("Initial weights"),
        help=N_("How the recurrent layer's weights are drawn before the first step."),
    )
    regularization: Regularization = pick(
        Unregularized(),
        REGULARIZATIONS,
        label=N_("Regularisation"),
        help=N_("What keeps the weights from fitting the noise of the training data."),
    )
    loss: Loss = pick(
        Fitting(),
        LOSSES,
        label=N_("Loss function"),
        help=N_("What training makes small: how wrong the answers are, as one number."),
    )
    loss_on: str = knob(
        "task",
        label=N_("Answers judged"),
        options={
            "task": N_("as the task asks"),
            "last": N_("after the last time step"),
            "every": N_("after every time step"),
        },
        help=N_(
            "Asking for an answer at every time step gives each of them a gradient of its own."
        ),
    )
    batch_size: int | None = knob(
        32,
        1,
        10_000,
        label=N_("Batch size"),
        log=True,
        unit=N_("sequences"),
        optional=True,
        unlimited=N_("all"),
        help=N_("Sequences averaged in one gradient."),
    )
    steps: int = knob(10_000, 1, 100_000, label=N_("Steps"), log=True)
    epochs: int | None = knob(
        None,
        1,
        10_000,
        label=N_("Stop after"),
        log=True,
        unit=N_("epochs"),
        live=True,
        optional=True,
        unlimited=N_("no limit"),
        group=STOP_RULES,
        help=N_("An epoch shows every sequence once."),
    )
    target_loss: float | None = knob(
        None,
        1e-6,
        1e3,
        label=N_("Stop at loss"),
        log=True,
        live=True,
        optional=True,
        group=STOP_RULES,
        help=N_("The run is over when a validation loss is at most this."),
    )
    patience: int | None = knob(
        None,
        1,
        1000,
        label=N_("Stop after no better"),
        log=True,
        unit=N_("validations"),
        live=True,
        optional=True,
        group=STOP_RULES,
        help=N_("The run is over when so many validations in a row were no better than the best."),
    )
    seed: int = knob(
        0,
        0,
        9999,
        label=N_("Seed"),
        help=N_("Decides weights, data and order: same seed, same curve."),
    )

    def __post_init__(self) -> None:
        settle(self)

    def to_dict(self) -> dict[str, Any]:
        """A plain dict of strings, numbers and dicts; `from_dict` gives back an equal experiment."""
        return to_dict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> "Experiment":
        """The experiment that a plain dict describes; what is absent takes its default."""
        found: Experiment = from_dict(cls, plain)
        return found

    def batch(self, sequences: int) -> int:
        """How many of the training sequences one gradient averages."""
        if self.batch_size is None or self.optimizer.full_batch:
            return sequences
        return self.batch_size

    def rate(self, step: int, reduced: float = 1.0) -> float:
        """The learning rate of the update that follows `step` updates.

        reduced: what `schedule.reduced` says after the validations until then; a preview knows none.
        """
        warmup = self.warmup or 0
        if step < warmup:
            share = (step + 1) / (warmup + 1)
        else:
            share = self.schedule.factor(step - warmup, self.steps - warmup)
        return self.learning_rate * share * reduced


def with_live(
    running: Experiment, wanted: Experiment, before: Experiment | None = None
) -> Experiment:
    """The running experiment with the live knobs of the wanted one: what acts at once.

    With `before`, only with those in which the wanted one differs from it.
    """
    mixed: Experiment = _with_live(running, wanted, before)
    return mixed


def _with_live(running: Any, wanted: Any, before: Any) -> Any:
    changes: dict[str, Any] = {}
    for name, what in about(running):
        old, new = getattr(running, name), getattr(wanted, name)
        past = getattr(before, name, None) if type(before) is type(wanted) else None
        if isinstance(what, Pick):
            if type(old) is type(new):
                changes[name] = _with_live(old, new, past)
        elif what.live and (type(before) is not type(wanted) or new != past):
            changes[name] = new
    return replace(running, **changes)


def differences(old: Any, new: Any) -> list[tuple[Knob | Pick, Any, Any]]:
    """What differs between two experiments, as (knob, old value, new value)."""
    found: list[tuple[Knob | Pick, Any, Any]] = []
    for name, what in about(old):
        before, after = getattr(old, name), getattr(new, name)
        if before == after:
            continue
        if isinstance(what, Pick) and type(before) is type(after):
            found += differences(before, after)
        else:
            found.append((what, before, after))
    return found


__all__ = [
    "CELLS",
    "COPIED",
    "GRU",
    "INITIALS",
    "LOSSES",
    "LSTM",
    "OPTIMIZERS",
    "REGULARIZATIONS",
    "RNN",
    "SCHEDULES",
    "SGD",
    "STOPS",
    "TASKS",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Adding",
    "Brackets",
    "Cell",
    "ChoGRU",
    "Choice",
    "Constant",
    "CopyMemory",
    "Cosine",
    "CosineRestarts",
    "CrossEntropy",
    "CrossEntropyInBits",
    "DampedOscillation",
    "DelayedEcho",
    "Digits",
    "Experiment",
    "Exponential",
    "Fitting",
    "Forecast",
    "FromTable",
    "GradientDescent",
    "Huber",
    "Initial",
    "InverseTime",
    "KerasInitial",
    "Kind",
    "Knob",
    "Long",
    "Lorenz",
    "Loss",
    "MackeyGlass",
    "MadeUp",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Momentum",
    "Muon",
    "NAdam",
    "Nesterov",
    "NextCharacter",
    "OneCycle",
    "Optimizer",
    "OwnInitial",
    "Parity",
    "Pick",
    "Plateau",
    "Polynomial",
    "RAdam",
    "RMSprop",
    "RandomWalk",
    "Regularization",
    "Regularized",
    "Rows",
    "Rprop",
    "Schedule",
    "Signal",
    "SineMixture",
    "StepDecay",
    "TableTask",
    "Task",
    "TemporalOrder",
    "TorchInitial",
    "Unregularized",
    "Waveforms",
    "about",
    "default_of",
    "differences",
    "last_step",
    "stopped",
    "with_live",
]

"""What a task is: what it asks the network for, and what its sequences look like."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from gruviz.experiment.knobs import Choice, knob
from gruviz.words import N_


class Kind(Enum):
    """What the network is asked for; it decides the loss and the picture of the prediction."""

    FORECAST = "forecast"  # the next values, after the last time step
    REGRESSION = "regression"  # one number, after the last time step
    CLASSIFICATION = "classification"  # one class, after the last time step
    TRACKING = "tracking"  # numbers, after every time step
    LABELLING = "labelling"  # a class, after every time step

    @property
    def classes(self) -> bool:
        """Whether classes are asked for, not numbers."""
        return self in (Kind.CLASSIFICATION, Kind.LABELLING)

    @property
    def every_step(self) -> bool:
        """Whether the task asks for an answer after every time step."""
        return self in (Kind.TRACKING, Kind.LABELLING)


@dataclass(frozen=True)
class Task(Choice):
    """A row of TASKS. `inputs` names what is read at each time step, `classes` the answers.

    in_bits: whether its cross-entropy is usually told in bits, not in nats.
    """

    kind: ClassVar[Kind]
    inputs: ClassVar[tuple[str, ...]] = (N_("value"),)
    classes: ClassVar[tuple[str, ...]] = ()
    in_bits: ClassVar[bool] = False

    @property
    def decays(self) -> bool:
        """Whether missing values are left to a layer that learns how they grow old."""
        return False

    @property
    def time_steps(self) -> int:
        """How many time steps the network reads of each sequence."""
        return int(getattr(self, "length", getattr(self, "window", 8)))


@dataclass(frozen=True)
class MadeUp(Task):
    """A task whose sequences are generated, as many as asked for."""

    # Its help would be a button named "Help for Training…", in the way of "Train".
    size: int = knob(2000, 10, 100_000, label=N_("Training sequences"), log=True)


@dataclass(frozen=True)
class Forecast(MadeUp):
    """A made-up series that is to be continued."""

    kind: ClassVar[Kind] = Kind.FORECAST

    length: int = knob(50, 2, 1000, label=N_("Sequence length"), log=True, unit=N_("time steps"))
    horizon: int = knob(
        10,
        1,
        100,
        label=N_("Horizon"),
        unit=N_("time steps"),
        help=N_("How far ahead to forecast."),
    )

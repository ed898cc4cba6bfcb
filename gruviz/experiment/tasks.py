"""The tasks: one class here, one function of the same name in `gruviz.data` that makes the data."""

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
    """A row of TASKS."""

    kind: ClassVar[Kind]


@dataclass(frozen=True)
class MadeUp(Task):
    """A task whose sequences are generated, as many as asked for."""

    # Its help would be a button named "Help for Training…", in the way of "Train".
    size: int = knob(2000, 10, 10_000, label=N_("Training sequences"), log=True)


@dataclass(frozen=True)
class SineMixture(MadeUp):
    name: ClassVar[str] = "sine"
    label: ClassVar[str] = N_("Sine mixture")
    help: ClassVar[str] = N_("Three sines with unknown phases and some noise: say how they go on.")
    kind: ClassVar[Kind] = Kind.FORECAST

    length: int = knob(50, 2, 500, label=N_("Sequence length"), log=True, unit=N_("time steps"))
    horizon: int = knob(
        10,
        1,
        100,
        label=N_("Horizon"),
        unit=N_("time steps"),
        help=N_("How far ahead to forecast."),
    )
    noise: float = knob(0.05, 0.0, 1.0, label=N_("Noise"), step=0.01)


@dataclass(frozen=True)
class Adding(MadeUp):
    """The adding problem of Hochreiter and Schmidhuber 1997, with values in 0..1."""

    name: ClassVar[str] = "adding"
    label: ClassVar[str] = N_("Adding problem")
    help: ClassVar[str] = N_(
        "Two of the numbers are marked, one in each half: give their sum at the end."
        " Always answering 1 has a mean squared error of 1/6."
    )
    kind: ClassVar[Kind] = Kind.REGRESSION

    length: int = knob(50, 2, 500, label=N_("Sequence length"), log=True, unit=N_("time steps"))


@dataclass(frozen=True)
class Waveforms(MadeUp):
    name: ClassVar[str] = "waveforms"
    label: ClassVar[str] = N_("Ten waveforms")
    help: ClassVar[str] = N_(
        "Which of ten waveforms is it? A softmax over ten classes; guessing gives ln 10 = 2.303."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION

    length: int = knob(50, 8, 500, label=N_("Sequence length"), log=True, unit=N_("time steps"))
    noise: float = knob(0.1, 0.0, 1.0, label=N_("Noise"), step=0.01)


@dataclass(frozen=True)
class Digits(Task):
    name: ClassVar[str] = "digits"
    label: ClassVar[str] = N_("Handwritten digits")
    help: ClassVar[str] = N_("1,797 images of 8×8 pixels, read row by row: which digit is it?")
    kind: ClassVar[Kind] = Kind.CLASSIFICATION


MADE = (SineMixture, Adding, Waveforms, Digits)

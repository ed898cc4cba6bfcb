"""The tasks: one class here, one function of the same name in `gruviz.data` that makes the data."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.kinds import Kind, MadeUp, Task
from gruviz.experiment.knobs import knob, table_of
from gruviz.experiment.memory import (
    Adding,
    Brackets,
    CopyMemory,
    DelayedEcho,
    Parity,
    TemporalOrder,
)
from gruviz.experiment.series import (
    DampedOscillation,
    Lorenz,
    MackeyGlass,
    RandomWalk,
    SineMixture,
    Waveforms,
)
from gruviz.words import N_


@dataclass(frozen=True)
class NextCharacter(MadeUp):
    name: ClassVar[str] = "text"
    label: ClassVar[str] = N_("Next character")
    help: ClassVar[str] = N_(
        "Five chapters of Alice in Wonderland, letter by letter: which one comes next? The word that"
        " has begun, and what it belongs to, must be remembered. Solved below 2.75 bits per character."
    )
    kind: ClassVar[Kind] = Kind.LABELLING
    inputs: ClassVar[tuple[str, ...]] = tuple(" abcdefghijklmnopqrstuvwxyz.,!?'")
    classes: ClassVar[tuple[str, ...]] = inputs
    in_bits: ClassVar[bool] = True

    length: int = knob(50, 2, 500, label=N_("Sequence length"), log=True, unit=N_("characters"))


@dataclass(frozen=True)
class Digits(Task):
    name: ClassVar[str] = "digits"
    label: ClassVar[str] = N_("Handwritten digits")
    help: ClassVar[str] = N_(
        "1,797 images of 8×8 pixels, read row by row: which digit is it?"
        " Solved below a cross-entropy of 0.1."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION
    inputs: ClassVar[tuple[str, ...]] = tuple(f"pixel {column}" for column in range(8))
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")


@dataclass(frozen=True)
class Table(Task):
    """A column of a table, forecast from its own past."""

    name: ClassVar[str] = "table"
    label: ClassVar[str] = N_("Your CSV, or a sample")
    help: ClassVar[str] = N_(
        "A column of a sample or of your own CSV file, forecast from its past."
    )
    kind: ClassVar[Kind] = Kind.FORECAST

    source: str = knob(
        "sunspots_yearly", label=N_("Data"), help=N_("A bundled sample, or a file of yours.")
    )
    column: str = knob("", label=N_("Column"), help=N_("The column to forecast."))
    window: int = knob(
        24, 2, 500, label=N_("Window"), log=True, unit=N_("rows"), help=N_("How much past it sees.")
    )
    horizon: int = knob(
        4, 1, 100, label=N_("Horizon"), unit=N_("rows"), help=N_("How far ahead to forecast.")
    )


TASKS = table_of(
    SineMixture, DampedOscillation, MackeyGlass, Lorenz, RandomWalk,
    Adding, CopyMemory, DelayedEcho, Parity, TemporalOrder, Brackets,
    Waveforms, Digits, NextCharacter, Table,
)  # fmt: skip

"""The tasks: one class here, and what makes its data: a function in `gruviz.data.synthetic.MAKERS`,
or a loader in `gruviz.data.loading.LOADERS`."""

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
from gruviz.experiment.table_tasks import FROM_TABLES
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


TASKS = table_of(
    SineMixture,
    DampedOscillation,
    MackeyGlass,
    Lorenz,
    RandomWalk,
    Adding,
    CopyMemory,
    DelayedEcho,
    Parity,
    TemporalOrder,
    Brackets,
    Waveforms,
    Digits,
    NextCharacter,
    *FROM_TABLES,
)

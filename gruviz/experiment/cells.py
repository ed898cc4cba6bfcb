"""The recurrent cells: one class, one row of the table; the layer of the same class name is in nn."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.knobs import Choice, knob, table_of
from gruviz.words import N_


@dataclass(frozen=True, slots=True)
class Signal:
    """Something a cell computes at every time step for every unit, and how to read its picture."""

    name: str
    label: str
    aid: str
    low: float
    high: float = 1.0


@dataclass(frozen=True)
class Cell(Choice):
    """A row of CELLS: its knobs, and the signals that its recording holds."""

    torch_class: ClassVar[str]
    signals: ClassVar[tuple[Signal, ...]]

    units: int = knob(
        32,
        1,
        256,
        label=N_("Hidden units"),
        log=True,
        help=N_("How many numbers the memory holds."),
    )


@dataclass(frozen=True)
class GRU(Cell):
    name: ClassVar[str] = "gru"
    label: ClassVar[str] = N_("GRU")
    help: ClassVar[str] = N_(
        "Gated recurrent unit: a reset gate and an update gate guard one memory. Reset acts after"
        " the product and z weights the old state, as in PyTorch and cuDNN."
    )
    torch_class: ClassVar[str] = "GRU"
    signals: ClassVar[tuple[Signal, ...]] = (
        Signal("reset", N_("Reset gate r"), N_("dark: the candidate ignores the past"), 0.0),
        Signal("update", N_("Update gate z"), N_("bright: the old state is kept"), 0.0),
        Signal("candidate", N_("Candidate n"), N_("what would be written"), -1.0),
        Signal("hidden", N_("Hidden state h"), N_("the memory itself"), -1.0),
    )


CELLS = table_of(GRU)

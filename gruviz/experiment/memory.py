"""Tasks about remembering: what counts is seen early, rarely, or among things that don't count."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.kinds import Kind, MadeUp
from gruviz.experiment.knobs import knob
from gruviz.words import N_

COPIED = 10  # symbols that the copy memory task shows and wants back
SYMBOLS = tuple("ABCDEFGH")


@dataclass(frozen=True)
class Adding(MadeUp):
    """The adding problem of Hochreiter and Schmidhuber 1997, with values in 0..1."""

    name: ClassVar[str] = "adding"
    label: ClassVar[str] = N_("Adding problem")
    help: ClassVar[str] = N_(
        "Two of the numbers are marked, one in each half: give their sum at the end."
        " Always answering 1 has a mean squared error of 1/6; below 0.01 it is solved."
    )
    kind: ClassVar[Kind] = Kind.REGRESSION
    inputs: ClassVar[tuple[str, ...]] = (N_("value"), N_("mark"))

    length: int = knob(50, 2, 1000, label=N_("Sequence length"), log=True, unit=N_("time steps"))


@dataclass(frozen=True)
class CopyMemory(MadeUp):
    """Hochreiter and Schmidhuber 1997 in the form of Arjovsky, Shah, Bengio 2016 (arXiv 1511.06464)
    and of Bai, Kolter, Koltun 2018 (arXiv 1803.01271)."""

    name: ClassVar[str] = "copy"
    label: ClassVar[str] = N_("Copy memory")
    help: ClassVar[str] = N_(
        "Ten symbols, then a long pause: when recall is asked for, give the ten back in order."
        " Solved at a tenth of the cost of answering without a memory."
    )
    kind: ClassVar[Kind] = Kind.LABELLING
    inputs: ClassVar[tuple[str, ...]] = (N_("blank"), *SYMBOLS, N_("recall"))
    classes: ClassVar[tuple[str, ...]] = inputs

    length: int = knob(50, 1, 1000, label=N_("Pause"), log=True, unit=N_("time steps"))

    @property
    def time_steps(self) -> int:
        return self.length + 2 * COPIED


@dataclass(frozen=True)
class DelayedEcho(MadeUp):
    """The network as a delay line: its short-term memory, as in Jaeger 2001."""

    name: ClassVar[str] = "echo"
    label: ClassVar[str] = N_("Delayed echo")
    help: ClassVar[str] = N_(
        "At every time step, say the number that came so many steps before: all those in between"
        " must be kept, in order. Solved below a mean squared error of 0.01."
    )
    kind: ClassVar[Kind] = Kind.TRACKING

    length: int = knob(50, 2, 1000, label=N_("Numbers to echo"), log=True, unit=N_("time steps"))
    delay: int = knob(5, 1, 100, label=N_("Delay"), log=True, unit=N_("time steps"))

    @property
    def time_steps(self) -> int:
        return self.length + self.delay


@dataclass(frozen=True)
class Parity(MadeUp):
    """The oldest hard task of recurrent networks; Schmidhuber and Hochreiter 1996, "Guessing can
    outperform many long time lag algorithms", solve it by drawing weights at random."""

    name: ClassVar[str] = "parity"
    label: ClassVar[str] = N_("Parity")
    help: ClassVar[str] = N_(
        "After every bit, say whether the ones so far are odd or even: a single bit to remember, but"
        " each one turns it over. Solved below a cross-entropy of 0.05."
    )
    kind: ClassVar[Kind] = Kind.LABELLING
    inputs: ClassVar[tuple[str, ...]] = (N_("bit"),)
    classes: ClassVar[tuple[str, ...]] = (N_("even"), N_("odd"))

    length: int = knob(20, 2, 1000, label=N_("Sequence length"), log=True, unit=N_("time steps"))


@dataclass(frozen=True)
class TemporalOrder(MadeUp):
    """Task 6a of Hochreiter and Schmidhuber 1997, with sequences of one length."""

    name: ClassVar[str] = "order"
    label: ClassVar[str] = N_("Temporal order")
    help: ClassVar[str] = N_(
        "Two symbols, X or Y, far apart among others that mean nothing: which two, and in which"
        " order? Solved below a cross-entropy of 0.05."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION
    inputs: ClassVar[tuple[str, ...]] = ("X", "Y", "a", "b", "c", "d", N_("begin"), N_("end"))
    classes: ClassVar[tuple[str, ...]] = ("X X", "X Y", "Y X", "Y Y")

    length: int = knob(50, 10, 1000, label=N_("Sequence length"), log=True, unit=N_("time steps"))


@dataclass(frozen=True)
class Brackets(MadeUp):
    """The language of Dyck: context-free, so that a counter, or with more kinds a stack, is needed."""

    name: ClassVar[str] = "brackets"
    label: ClassVar[str] = N_("Balanced brackets")
    help: ClassVar[str] = N_(
        "Does every bracket close the one that was opened last? All open ones must be remembered, in"
        " order. In half of the sequences a single bracket is wrong. Solved below a cross-entropy of"
        " 0.1."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION
    inputs: ClassVar[tuple[str, ...]] = tuple("()[]{}")
    classes: ClassVar[tuple[str, ...]] = (N_("balanced"), N_("one is wrong"))

    pairs: int = knob(10, 1, 500, label=N_("Pairs of brackets"), log=True)
    kinds: int = knob(1, 1, 3, label=N_("Kinds of brackets"))

    @property
    def time_steps(self) -> int:
        return 2 * self.pairs

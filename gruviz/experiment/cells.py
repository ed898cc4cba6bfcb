"""The recurrent cells: one class, one row of the table; the layer that it names is in `gruviz.nn`."""

from dataclasses import dataclass
from typing import Any, ClassVar

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


RESET = Signal("reset", N_("Reset gate r"), N_("dark: the candidate ignores the past"), 0.0)
UPDATE = Signal("update", N_("Update gate z"), N_("bright: the old state is kept"), 0.0)
CANDIDATE = Signal("candidate", N_("Candidate n"), N_("what would be written"), -1.0)
HIDDEN = Signal("hidden", N_("Hidden state h"), N_("the memory itself"), -1.0)


@dataclass(frozen=True)
class Cell(Choice):
    """A row of CELLS: its knobs, its layer in `gruviz.nn`, and the signals that this one records.

    gates: the letters of its gates as they stand in the equation, in the order of torch's weights.
    """

    layer: ClassVar[str]
    gates: ClassVar[str]
    equation: ClassVar[str]
    signals: ClassVar[tuple[Signal, ...]]

    units: int = knob(
        32,
        1,
        256,
        label=N_("Hidden units"),
        log=True,
        help=N_("How many numbers the memory holds."),
    )

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of the layer, beyond its sizes."""
        return {}

    def blocks(self) -> tuple[str, ...]:
        """The names of the blocks of weights that telemetry tells apart."""
        matrices = [f"W_{side}{gate}" for side in "ih" for gate in self.gates]
        return (*matrices, "biases", "head")


@dataclass(frozen=True)
class _Gated(Cell):
    """What both forms of the GRU may have in place of what their equations say."""

    activation: str = knob(
        "tanh",
        label=N_("Candidate's activation"),
        options={"tanh": N_("tanh"), "relu": N_("ReLU"), "linear": N_("none (linear)")},
        help=N_("Without tanh nothing bounds the memory."),
    )
    tied_gates: bool = knob(
        False,
        label=N_("Tied gates"),
        help=N_("One weight matrix for r, z and n: a third of the weights, and r is always z."),
    )

    def arguments(self) -> dict[str, Any]:
        return {"activation": self.activation, "tied_gates": self.tied_gates}

    def blocks(self) -> tuple[str, ...]:
        return ("W_i", "W_h", "biases", "head") if self.tied_gates else super().blocks()


@dataclass(frozen=True)
class GRU(_Gated):
    name: ClassVar[str] = "gru"
    label: ClassVar[str] = N_("GRU")
    help: ClassVar[str] = N_(
        "Gated recurrent unit, as in PyTorch and cuDNN: the reset gate acts after the product, and z"
        " weights the old state."
    )
    layer: ClassVar[str] = "GRU"
    gates: ClassVar[str] = "rzn"
    equation: ClassVar[str] = r"""\begin{aligned}
        r_t &= \sigma(W_{ir} x_t + b_{ir} + W_{hr} h_{t-1} + b_{hr}) \\
        z_t &= \sigma(W_{iz} x_t + b_{iz} + W_{hz} h_{t-1} + b_{hz}) \\
        n_t &= \tanh(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{t-1} + b_{hn})) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}
        \end{aligned}"""
    signals: ClassVar[tuple[Signal, ...]] = (RESET, UPDATE, CANDIDATE, HIDDEN)


@dataclass(frozen=True)
class ChoGRU(_Gated):
    """Cho et al. 2014 (arXiv 1406.1078), with z for their 1 - z, as textbooks and articles have it."""

    name: ClassVar[str] = "cho"
    label: ClassVar[str] = N_("GRU, reset before the product")
    help: ClassVar[str] = N_(
        "The form of Cho et al. (2014): the reset gate acts before the product, and z weights the new"
        " state."
    )
    layer: ClassVar[str] = "GRU"
    gates: ClassVar[str] = "rzn"
    equation: ClassVar[str] = r"""\begin{aligned}
        r_t &= \sigma(W_{ir} x_t + b_{ir} + W_{hr} h_{t-1} + b_{hr}) \\
        z_t &= \sigma(W_{iz} x_t + b_{iz} + W_{hz} h_{t-1} + b_{hz}) \\
        n_t &= \tanh(W_{in} x_t + b_{in} + W_{hn} (r_t \odot h_{t-1}) + b_{hn}) \\
        h_t &= (1 - z_t) \odot h_{t-1} + z_t \odot n_t
        \end{aligned}"""
    signals: ClassVar[tuple[Signal, ...]] = (
        RESET,
        Signal("update", N_("Update gate z"), N_("bright: the candidate is written"), 0.0),
        CANDIDATE,
        HIDDEN,
    )

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "reset_after": False, "update_weights": "new"}


@dataclass(frozen=True)
class LSTM(Cell):
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""

    name: ClassVar[str] = "lstm"
    label: ClassVar[str] = N_("LSTM")
    help: ClassVar[str] = N_(
        "Long short-term memory: input, forget and output gates around a cell state of its own."
    )
    layer: ClassVar[str] = "LSTM"
    gates: ClassVar[str] = "ifgo"
    equation: ClassVar[str] = r"""\begin{aligned}
        i_t, f_t, o_t &= \sigma(W_{i\cdot} x_t + b_{i\cdot} + W_{h\cdot} h_{t-1} + b_{h\cdot}) \\
        g_t &= \tanh(W_{ig} x_t + b_{ig} + W_{hg} h_{t-1} + b_{hg}) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)
        \end{aligned}"""
    signals: ClassVar[tuple[Signal, ...]] = (
        Signal("input", N_("Input gate i"), N_("bright: the candidate is written"), 0.0),
        Signal("forget", N_("Forget gate f"), N_("bright: the old cell state is kept"), 0.0),
        Signal("output", N_("Output gate o"), N_("bright: the cell state is shown"), 0.0),
        Signal("candidate", N_("Candidate g"), N_("what would be written"), -1.0),
        Signal(
            "cell", N_("Cell state c"), N_("the memory itself; it may leave the scale"), -2.0, 2.0
        ),
        HIDDEN,
    )


@dataclass(frozen=True)
class RNN(Cell):
    """Elman 1990."""

    name: ClassVar[str] = "rnn"
    label: ClassVar[str] = N_("Plain RNN")
    help: ClassVar[str] = N_("No gates: the whole memory is written anew at every time step.")
    layer: ClassVar[str] = "RNN"
    gates: ClassVar[str] = "h"
    equation: ClassVar[str] = r"h_t = \tanh(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})"
    signals: ClassVar[tuple[Signal, ...]] = (HIDDEN,)


CELLS = table_of(GRU, ChoGRU, LSTM, RNN)

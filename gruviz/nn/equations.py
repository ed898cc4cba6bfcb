"""Which recurrence a layer computes, as one frozen value."""

from dataclasses import dataclass
from functools import cached_property

# How many blocks of hidden_size rows a weight matrix has, and how many a step's record has.
GATES = {"rnn": 1, "gru": 3, "lstm": 4}
GATE_LETTERS = {"rnn": ["h"], "gru": list("rzn"), "lstm": list("ifgo")}
RECORDED = {"rnn": 0, "gru": 4, "lstm": 5}

# The numbers are those of gruviz.nn.kernels.steps.
ACTIVATIONS = {"tanh": 0, "relu": 1, "linear": 2}

# Row block of each signal in a step's record.
BLOCKS: dict[str, dict[str, int]] = {
    "rnn": {},
    "gru": {"reset": 1, "update": 2, "candidate": 3},
    "lstm": {"input": 0, "forget": 1, "candidate": 2, "output": 3},
}


# The signals that a summary holds, in the order of their blocks.
SUMMARISED = {cell: tuple(blocks) or ("hidden",) for cell, blocks in BLOCKS.items()}


@dataclass(frozen=True)
class Equation:
    """cell: a key of GATES; activation: of the candidate (GRU) or of the state (RNN); reset_after:
    whether the reset gate acts after the recurrent product; update_weights: which state the update
    gate multiplies, "old" or "new"."""

    cell: str
    activation: str = "tanh"
    reset_after: bool = True
    update_weights: str = "old"

    @cached_property
    def flags(self) -> tuple[int, ...]:
        """The equation as the leading flags of the compiled kernels."""
        if self.cell == "gru":
            old = self.update_weights == "old"
            return int(self.reset_after), int(old), ACTIVATIONS[self.activation]
        return (ACTIVATIONS[self.activation],) if self.cell == "rnn" else ()

    @cached_property
    def saturating(self) -> list[tuple[str, int]]:
        """Names and rows, in a kernel's summary, of the shares of saturated values."""
        names = SUMMARISED[self.cell]
        rows = enumerate(names, len(names))
        return [(name, row) for row, name in rows if self.range_of(name) is not None]

    def range_of(self, signal: str) -> tuple[float, float] | None:
        """Outside of which values a signal counts as saturated; None if it can't saturate.

        A gate below 0.1 or above 0.9, as in Karpathy, Johnson, Fei-Fei, "Visualizing and
        understanding recurrent networks" (2015); a tanh within 0.1 of its ends.
        """
        if signal in ("reset", "update", "input", "forget", "output"):
            return 0.1, 0.9
        return (-0.9, 0.9) if self.activation == "tanh" and signal != "cell" else None

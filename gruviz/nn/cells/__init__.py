"""The cells: a file each, with its equation and its layer, which has a row in LAYERS."""

from collections.abc import Callable

from gruviz.nn.cells.gru import GRU
from gruviz.nn.cells.grud import GRUD
from gruviz.nn.cells.lstm import LSTM
from gruviz.nn.cells.rnn import RNN
from gruviz.nn.recurrent import Recurrent

# By the name that `gruviz.experiment.Cell.layer` gives.
LAYERS: dict[str, Callable[..., Recurrent]] = {"RNN": RNN, "GRU": GRU, "LSTM": LSTM}

__all__ = ["GRU", "GRUD", "LAYERS", "LSTM", "RNN"]

"""Recurrent layers that show everything: RNN, GRU and LSTM, drop-in for torch.nn's own, and GRU-D."""

from gruviz.nn.blocks import BlockNorms
from gruviz.nn.cells import GRU, GRUD, LAYERS, LSTM, RNN
from gruviz.nn.clipping import clip_norm_
from gruviz.nn.compiled import SlowerWarning, warm
from gruviz.nn.initializers import INITIALIZERS
from gruviz.nn.recording import LayerRecording, Recording
from gruviz.nn.recurrent import Recurrent
from gruviz.nn.regularizers import L1, L1L2, L2, Regularizer

__all__ = [
    "GRU",
    "GRUD",
    "INITIALIZERS",
    "L1",
    "L1L2",
    "L2",
    "LAYERS",
    "LSTM",
    "RNN",
    "BlockNorms",
    "LayerRecording",
    "Recording",
    "Recurrent",
    "Regularizer",
    "SlowerWarning",
    "clip_norm_",
    "warm",
]

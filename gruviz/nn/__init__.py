"""Recurrent layers. For now torch's own, with their gates recomputed when somebody asks."""

from gruviz.nn.gru import GRU

__all__ = ["GRU"]

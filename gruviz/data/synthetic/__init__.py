"""Made-up sequences with known answers: for each task a function (task, count, generator)."""

from gruviz.data.synthetic.memory import adding, brackets, copy, echo, order, parity
from gruviz.data.synthetic.series import damped, lorenz, mackey_glass, sine, walk, waveforms

__all__ = [
    "adding",
    "brackets",
    "copy",
    "damped",
    "echo",
    "lorenz",
    "mackey_glass",
    "order",
    "parity",
    "sine",
    "walk",
    "waveforms",
]

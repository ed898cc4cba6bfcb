"""Made-up sequences with known answers: for each task a function (task, count, generator)."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gruviz.data.dataset import Sequences
from gruviz.data.synthetic.memory import adding, brackets, copy, echo, order, parity
from gruviz.data.synthetic.series import damped, lorenz, mackey_glass, sine, walk, waveforms

Make = Callable[[Any, int, np.random.Generator], Sequences]

# By the name of the task in gruviz.experiment.TASKS.
MAKERS: dict[str, Make] = {
    "sine": sine,
    "damped": damped,
    "mackey_glass": mackey_glass,
    "lorenz": lorenz,
    "walk": walk,
    "adding": adding,
    "copy": copy,
    "echo": echo,
    "parity": parity,
    "order": order,
    "brackets": brackets,
    "waveforms": waveforms,
}

__all__ = [
    "MAKERS",
    "Make",
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

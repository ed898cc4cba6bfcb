"""What things cost on a quiet core: making data. Measured, and good to a factor of two."""

from gruviz.data.synthetic.series import LORENZ_START, MACKEY_GLASS_START
from gruviz.experiment import MadeUp

# Time steps that are made before those that are kept.
BEFORE = {"mackey_glass": MACKEY_GLASS_START, "lorenz": LORENZ_START}

# To make a time step of a sequence.
NANOSECONDS = {
    "sine": 180, "damped": 75, "mackey_glass": 250, "lorenz": 700, "walk": 120, "adding": 8,
    "copy": 100, "echo": 10, "parity": 30, "order": 40, "brackets": 190, "waveforms": 300,
    "text": 100,
}  # fmt: skip


def made_steps(task: MadeUp) -> int:
    """How many time steps are made for each sequence of a task."""
    return task.time_steps + int(getattr(task, "horizon", 0)) + BEFORE.get(task.name, 0)


def making_seconds(task: MadeUp, sequences: int) -> float:
    """How long one core takes to make so many sequences of a task."""
    return 1e-9 * NANOSECONDS[task.name] * made_steps(task) * sequences

"""What making data costs on a quiet core: measured, and good to a factor of two."""

from gruviz.data.synthetic.series import LORENZ_START, MACKEY_GLASS_START
from gruviz.experiment import MadeUp

# Time steps that are made before those that are kept.
BEFORE = {"mackey_glass": MACKEY_GLASS_START, "lorenz": LORENZ_START}

# Time steps of a chunk, in which sequences are made: some tens of megabytes of numbers.
CHUNK_STEPS = 1 << 19

# To make a time step of a sequence: nanoseconds for each, and microseconds for all of a chunk. A task
# that nobody has measured counts as the dearest one.
MAKING = {
    "sine": (95, 0),
    "damped": (45, 0),
    "mackey_glass": (90, 70),
    "lorenz": (200, 170),
    "walk": (75, 0),
    "adding": (13, 0),
    "copy": (45, 0),
    "echo": (10, 0),
    "parity": (15, 0),
    "order": (38, 0),
    "brackets": (130, 0),
    "waveforms": (120, 0),
    "text": (70, 0),
}


def made_steps(task: MadeUp) -> int:
    """How many time steps are made for each sequence of a task."""
    return task.time_steps + int(getattr(task, "horizon", 0)) + BEFORE.get(task.name, 0)


def chunk_rows(task: MadeUp) -> int:
    """How many sequences of a task are made at once."""
    return max(1, CHUNK_STEPS // made_steps(task))


def making_seconds(task: MadeUp, sequences: int) -> float:
    """How long one core takes to make so many sequences of a task."""
    each, together = MAKING.get(task.name, max(MAKING.values()))
    chunks = -(-sequences // chunk_rows(task))
    return made_steps(task) * (1e-9 * each * sequences + 1e-6 * together * chunks)

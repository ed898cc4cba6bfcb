"""What a training step costs on a quiet core: measured, and good to a factor of two.

A busy machine takes twice as long or more; so does an older one.
"""

from dataclasses import dataclass

from gruviz.data.dataset import VALIDATION_LIMIT
from gruviz.data.preview import Preview
from gruviz.experiment import Experiment

# Seconds of any step, of each of its time steps, and for each sequence and time step: of each gate,
# each multiplication of a gate's weights (forward, and backward twice), each number read or asked for.
STEP, TIME_STEP, GATE, MULTIPLICATION, NUMBER = 5e-4, 3e-6, 2.6e-9, 4.5e-11, 5e-9
FORWARD_GATE, FORWARD_MULTIPLICATION = 1.8e-9, 1.2e-11

# Bytes of a worker for any step, and for each sequence and time step: of each number that a hidden
# unit keeps for the way back (two a gate, and one and a third), of each number read or asked for.
MEMORY, KEPT, READ = 12e6, 4, 17


@dataclass(frozen=True)
class Step:
    """One update, with the validation that may follow it. sequences: in the larger of the two."""

    sequences: int
    seconds: float
    megabytes: float

    @classmethod
    def of(cls, experiment: Experiment, about: Preview) -> "Step":
        """The step of an experiment on data of which `about` is the preview."""
        batch = experiment.batch(about.sequences)
        units, gates = experiment.cell.units, len(experiment.cell.gates)
        all_gates = gates * units
        weights = all_gates * (units + about.features)
        every = experiment.loss_on == "every" or (
            experiment.loss_on == "task" and about.kind.every_step
        )
        asked = about.outputs if every else about.outputs / about.length
        numbers = about.features + asked
        held_out = min(about.held_out, VALIDATION_LIMIT)
        seen, validated = batch * about.length, held_out * about.length
        seconds = (
            STEP
            + TIME_STEP * about.length
            + seen * (GATE * all_gates + MULTIPLICATION * weights + NUMBER * numbers)
            + validated * (FORWARD_GATE * all_gates + FORWARD_MULTIPLICATION * weights)
        )
        bytes = MEMORY + seen * (KEPT * (2 * gates + 1.3) * units + READ * numbers)
        return cls(max(batch, held_out), seconds, bytes / 1e6)

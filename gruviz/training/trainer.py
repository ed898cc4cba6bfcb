"""The trainer: a model, its optimizer and its data, moved one step at a time."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from gruviz import nn
from gruviz.data import Dataset, Sequences, batches, check_batch, check_decay, check_warmup, judged
from gruviz.experiment import Experiment, Kind, NextCharacter, last_step, stopped
from gruviz.record import STEP_COLUMNS, Checkpoint, Snapshot
from gruviz.training.losses import answer, asked, objective
from gruviz.training.model import Model
from gruviz.training.optimizer import Update
from gruviz.training.rollout import roll_out
from gruviz.training.sampling import continuation
from gruviz.training.telemetry import Telemetry

VALIDATE_EVERY = 50
# Numbers of a hidden state (or an answer) x time steps x sequences that are validated at once: some
# tens of megabytes.
VALIDATED_AT_ONCE = 1 << 21
ROLLED_OUT = 4  # horizons of a free-running forecast
WRITTEN = 120  # letters in a snapshot of a model of letters
DIVERGED_ABOVE = 1e6  # times the first loss
SMALLEST_FIRST_LOSS = 1e-6  # a run that happens to begin at 0 may leave it


class Trainer:
    """One run between two checkpoints. With telemetry, what happens inside is measured as well.

    Raises GruvizError if the experiment doesn't fit its data: a batch larger than there are
    sequences, a loss for another kind of task; or a warm-up as long as the run.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        checkpoint: Checkpoint | None = None,
        *,
        telemetry: bool = False,
    ) -> None:
        check_batch(experiment, len(dataset.train))
        check_warmup(experiment)
        check_decay(experiment)
        self.objective = objective(experiment, dataset)
        self.experiment = experiment
        self.dataset = dataset
        generator = torch.Generator().manual_seed(experiment.seed)
        self.model = Model(experiment, dataset, generator)
        self.parameters = list(self.model.parameters())
        self.update = Update(experiment.optimizer, self.parameters, experiment.learning_rate)
        self.validations: list[tuple[int, float]] = []  # (step, loss), the whole run's
        self.step_count = 0
        self.first_loss = math.nan
        if checkpoint is not None:
            self._restore(checkpoint)
        self._look_at_validations()
        self.telemetry = Telemetry(self.model, self.update) if telemetry else None
        # One number per time step: ‖∂L/∂h_t‖ is a by-product of the backward pass.
        self._recording = nn.Recording("summary") if telemetry else None
        self._inputs = torch.from_numpy(dataset.train.inputs)
        self._targets = torch.from_numpy(dataset.train.targets)
        self._validation = self._parts(judged(dataset.validation))
        count = len(dataset.train)
        self._last_step = last_step(experiment, count)
        self._batches = batches(count, experiment.batch(count), experiment.seed, self.step_count)

    @property
    def stopped(self) -> str | None:
        """The rule in STOPS by which the run is over, or None."""
        losses = [loss for _step, loss in self.validations]
        return stopped(self.experiment, self.step_count, len(self.dataset.train), losses)

    def step(self, *, dissect: bool = False) -> tuple[dict[str, float], bool]:
        """One update. Returns the row for STEP_COLUMNS, and whether training diverged here.

        On divergence (NaN, infinite, or a loss over 1e6 times the first) nothing is updated.
        dissect: let telemetry show the anatomy of this step.
        """
        experiment = self.experiment
        batch = next(self._batches)
        rows = torch.from_numpy(batch)
        self.update.clear()
        inputs = self._inputs[rows]
        output = self.model(inputs, self._recording, self._masks(), every=self.objective.every)
        target = self.objective.wanted(inputs, self._targets[rows])
        loss = self.objective(output, target)
        value, penalty = loss.item(), math.nan
        if experiment.regularization.strengths():
            added = self.model.recurrent.penalty()
            loss, penalty = loss + added, added.item()
        loss.backward()  # type: ignore[no-untyped-call]
        if self.telemetry is not None:
            self.telemetry.before(self.step_count + 1, dissect=dissect)
            self.telemetry.forward(self.objective, batch, output, target)
        norm, clipped = self._clip()
        rate = experiment.rate(self.step_count, self._reduced)
        if math.isnan(self.first_loss):
            self.first_loss = value
        diverged = not (
            math.isfinite(norm)
            and value <= DIVERGED_ABOVE * max(self.first_loss, SMALLEST_FIRST_LOSS)
        )
        self.step_count += 1
        if not diverged:
            self.update.step(rate)
        limit = math.nan if experiment.clip_norm is None else experiment.clip_norm
        numbers = (self.step_count, value, rate, norm, clipped, limit, penalty)
        row = dict(zip(STEP_COLUMNS, map(float, numbers), strict=True))
        if self.telemetry is not None:
            self.telemetry.after(row)
        return row, diverged

    def _masks(self) -> torch.Generator | None:
        """What draws this step's dropout: a pure function of the seed and the step."""
        if not self.experiment.regularization.dropout():
            return None
        source = np.random.default_rng([self.experiment.seed, 4, self.step_count])
        return torch.Generator().manual_seed(int(source.integers(2**63)))

    def _clip(self) -> tuple[float, float]:
        """Clip the gradient, by value and then by norm; its norm before and after."""
        experiment = self.experiment
        if experiment.clip_value is None:
            norm = left = nn.clip_norm_(self.parameters, experiment.clip_norm)
        else:
            norm = nn.clip_norm_(self.parameters, None)
            torch.nn.utils.clip_grad_value_(self.parameters, experiment.clip_value)
            left = nn.clip_norm_(self.parameters, experiment.clip_norm)
        limit = experiment.clip_norm
        return norm, left if limit is None or not left > limit else limit

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss (and accuracy, where there are classes) on the validation sequences.

        The schedule and the stop rules take note of it.
        """
        losses, accuracies, counts = [], [], []
        for inputs, wanted in self._validation:
            output = self.model(inputs, every=self.objective.every)
            losses.append(self.objective(output, wanted).item())
            accuracies.append(self.objective.accuracy(output, wanted))
            counts.append(asked(wanted))
        loss = float(np.average(losses, weights=counts))
        self.validations.append((self.step_count, loss))
        self._look_at_validations()
        return {
            "step": float(self.step_count),
            "loss": loss,
            "accuracy": float(np.average(accuracies, weights=counts)),
        }

    def _parts(self, held_out: Sequences) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Inputs and wanted answers in parts of bounded size, a pure function of the sizes alone."""
        inputs = torch.from_numpy(held_out.inputs)
        wanted = self.objective.wanted(inputs, torch.from_numpy(held_out.targets))
        wide = max(self.experiment.cell.units, self.dataset.outputs, self.dataset.features)
        size = max(1, VALIDATED_AT_ONCE // (inputs.shape[1] * wide))
        parts = zip(torch.split(inputs, size), torch.split(wanted, size), strict=True)
        return [(x, y) for x, y in parts if asked(y)]  # where none is, there is no mean

    def _look_at_validations(self) -> None:
        self._reduced = self.experiment.schedule.reduced([loss for _step, loss in self.validations])

    def is_validated(self, step: int) -> bool:
        """Whether a validation follows the update of this number: then the run may be over."""
        return step % VALIDATE_EVERY == 0 or step >= self._last_step

    @torch.no_grad()
    def snapshot(self) -> Snapshot:
        """What the network does now with the first validation sequence."""
        probe = self.dataset.validation[slice(0, 1)]
        recording = nn.Recording("full")
        hidden = self.model.hidden(torch.from_numpy(probe.inputs), recording)[0]
        signals = recording.layers[-1].signals  # each (time, 1, units)
        layers = self._recording.layers if self._recording else []
        return Snapshot(
            self.step_count,
            {name: np.ascontiguousarray(values[:, 0].T) for name, values in signals.items()},
            probe.inputs[0],
            probe.targets[0],
            answer(self.dataset.kind, self.model.head(hidden)).numpy(),
            layers[-1].gradient_norm if layers else None,
            self._writing(torch.from_numpy(probe.inputs[0])),
            self._rolled_out(torch.from_numpy(probe.inputs[0])),
        )

    def _rolled_out(self, inputs: torch.Tensor) -> npt.NDArray[np.float32] | None:
        """How the probe goes on if the network reads its own forecasts; None where it can't, for
        want of the other inputs."""
        if self.dataset.kind is not Kind.FORECAST or self.dataset.features != 1:
            return None
        found: npt.NDArray[np.float32] = roll_out(self.model, inputs[:, 0], ROLLED_OUT).numpy()
        return found

    def _writing(self, prompt: torch.Tensor) -> str:
        """What a model of letters writes after the probe; empty for any other task."""
        if not isinstance(self.experiment.task, NextCharacter):
            return ""
        generator = np.random.default_rng([self.experiment.seed, 6, self.step_count])
        drawn = continuation(self.model, prompt, WRITTEN, generator)
        return "".join(self.dataset.class_names[letter] for letter in drawn)

    def checkpoint(self) -> Checkpoint:
        """A copy of everything that decides how training goes on."""
        arrays = {f"model.{k}": v.numpy().copy() for k, v in self.model.state_dict().items()}
        arrays |= {f"optimizer.{name}": value for name, value in self.update.arrays().items()}
        for place, name in enumerate(("step", "loss")):
            arrays[f"validation.{name}"] = np.array([row[place] for row in self.validations])
        return Checkpoint(self.step_count, arrays, self.first_loss)

    def _restore(self, checkpoint: Checkpoint) -> None:
        weights = _part(checkpoint.arrays, "model.")
        self.model.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights.items()})
        self.update.restore(_part(checkpoint.arrays, "optimizer."))
        past = _part(checkpoint.arrays, "validation.")
        self.validations = list(zip(past["step"].tolist(), past["loss"].tolist(), strict=True))
        self.step_count = checkpoint.step
        self.first_loss = checkpoint.first_loss


def _part(
    arrays: Mapping[str, npt.NDArray[np.generic]], prefix: str
) -> dict[str, npt.NDArray[np.generic]]:
    return {k.removeprefix(prefix): v for k, v in arrays.items() if k.startswith(prefix)}

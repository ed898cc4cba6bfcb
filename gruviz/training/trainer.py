"""The trainer: a model, its optimizer and its data, moved one step at a time."""

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gruviz import nn
from gruviz.data import VALIDATION_LIMIT, Dataset, batches, check_batch, check_warmup
from gruviz.experiment import Cell, Experiment, NextCharacter
from gruviz.record import STEP_COLUMNS, Checkpoint, Snapshot
from gruviz.training.losses import answer, objective
from gruviz.training.optimizer import Update
from gruviz.training.sampling import continuation

VALIDATE_EVERY = 50
WRITTEN = 120  # letters in a snapshot of a model of letters
DIVERGED_ABOVE = 1e6  # times the first loss
SMALLEST_FIRST_LOSS = 1e-6  # a run that happens to begin at 0 may leave it


class Model(torch.nn.Module):
    """A recurrent layer and a linear head that reads its hidden states."""

    def __init__(self, cell: Cell, features: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        layer = getattr(nn, cell.layer)
        self.recurrent: nn.RNN | nn.GRU | nn.LSTM = layer(
            features, cell.units, batch_first=True, generator=generator, **cell.arguments()
        )
        # On "meta" first: torch.nn.Linear draws initial weights from the global generator.
        empty = torch.nn.Linear(cell.units, outputs, device="meta")
        self.head = empty.to_empty(device="cpu")
        bound = 1 / math.sqrt(cell.units)
        for weight in self.head.parameters():
            torch.nn.init.uniform_(weight, -bound, bound, generator=generator)

    def forward(
        self, x: Tensor, record: nn.Recording | None = None, *, every: bool = False
    ) -> Tensor:
        """x: (batch, time, features); returns the answer after the last step, (batch, outputs), or
        those after every step, (batch, time, outputs)."""
        hidden = self.recurrent(x, record=record)[0]
        answer: Tensor = self.head(hidden if every else hidden[:, -1])
        return answer


class Trainer:
    """One run between two checkpoints. Raises GruvizError if the batch is larger than the data
    or the loss doesn't fit the task."""

    def __init__(
        self, experiment: Experiment, dataset: Dataset, checkpoint: Checkpoint | None = None
    ) -> None:
        check_batch(experiment, len(dataset.train))
        check_warmup(experiment)
        self.objective = objective(experiment, dataset)
        self.experiment = experiment
        self.dataset = dataset
        generator = torch.Generator().manual_seed(experiment.seed)
        self.model = Model(experiment.cell, dataset.features, dataset.outputs, generator)
        self.parameters = list(self.model.parameters())
        self.update = Update(experiment.optimizer, self.parameters, experiment.learning_rate)
        self.validations: list[tuple[int, float]] = []  # (step, loss), the whole run's
        self.step_count = 0
        self.first_loss = math.nan
        if checkpoint is not None:
            self._restore(checkpoint)
        self._reduced = experiment.schedule.reduced([loss for _step, loss in self.validations])
        # One number per time step: ‖∂L/∂h_t‖ is a by-product of the backward pass.
        self._recording = nn.Recording("summary")
        self._inputs = torch.from_numpy(dataset.train.inputs)
        self._targets = torch.from_numpy(dataset.train.targets)
        self._validation = (
            torch.from_numpy(dataset.validation.inputs[:VALIDATION_LIMIT]),
            torch.from_numpy(dataset.validation.targets[:VALIDATION_LIMIT]),
        )
        count = len(dataset.train)
        self._batches = batches(count, experiment.batch(count), experiment.seed, self.step_count)

    @property
    def finished(self) -> bool:
        return self.step_count >= self.experiment.steps

    def step(self) -> tuple[dict[str, float], bool]:
        """One update. Returns the row for STEP_COLUMNS, and whether training diverged here.

        On divergence (NaN, infinite, or a loss over 1e6 times the first) nothing is updated.
        """
        experiment = self.experiment
        rows = torch.from_numpy(next(self._batches))
        self.update.clear()
        inputs = self._inputs[rows]
        output = self.model(inputs, self._recording, every=self.objective.every)
        loss = self.objective(output, self.objective.wanted(inputs, self._targets[rows]))
        loss.backward()  # type: ignore[no-untyped-call]
        value = loss.item()
        norm = nn.clip_norm_(self.parameters, experiment.clip_norm)
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
        row = (self.step_count, value, rate, norm, norm if not norm > limit else limit, limit)
        return dict(zip(STEP_COLUMNS, map(float, row), strict=True)), diverged

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Loss (and accuracy, where there are classes) on the validation sequences.

        The schedule and the stop rules take note of it.
        """
        inputs, targets = self._validation
        output = self.model(inputs, every=self.objective.every)
        wanted = self.objective.wanted(inputs, targets)
        loss = self.objective(output, wanted).item()
        self.validations.append((self.step_count, loss))
        self._reduced = self.experiment.schedule.reduced([loss for _step, loss in self.validations])
        return {
            "step": float(self.step_count),
            "loss": loss,
            "accuracy": self.objective.accuracy(output, wanted),
        }

    @property
    def validation_is_due(self) -> bool:
        return self.step_count % VALIDATE_EVERY == 0 or self.finished

    @torch.no_grad()
    def snapshot(self) -> Snapshot:
        """What the network does now with the first validation sequence."""
        probe = self.dataset.validation[slice(0, 1)]
        recording = nn.Recording("full")
        hidden = self.model.recurrent(torch.from_numpy(probe.inputs), record=recording)[0][0]
        signals = recording.layers[-1].signals  # each (time, 1, units)
        layers = self._recording.layers
        return Snapshot(
            self.step_count,
            {name: np.ascontiguousarray(values[:, 0].T) for name, values in signals.items()},
            probe.inputs[0],
            probe.targets[0],
            answer(self.dataset.kind, self.model.head(hidden)).numpy(),
            layers[-1].gradient_norm if layers else None,
            self._writing(torch.from_numpy(probe.inputs[0])),
        )

    def _writing(self, prompt: Tensor) -> str:
        """What a model of letters writes after the probe; empty for any other task."""
        if not isinstance(self.experiment.task, NextCharacter):
            return ""
        generator = np.random.default_rng([self.experiment.seed, 4, self.step_count])
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

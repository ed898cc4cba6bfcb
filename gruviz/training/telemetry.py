"""What is measured of a step beyond its loss: norms by block of weights, and the step's anatomy."""

import math
from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from gruviz import nn
from gruviz.data import IGNORED
from gruviz.record import Floats
from gruviz.training.losses import Objective, answer
from gruviz.training.model import Model
from gruviz.training.optimizer import Update

BLOCKS_EVERY = 10
ROWS_SHOWN = 8


def is_due(step: int) -> bool:
    """Whether the blocks of weights are measured in this step, counted from 1."""
    return step == 1 or step % BLOCKS_EVERY == 0


class Telemetry:
    """Measures the steps of one slice: `before` the gradient is clipped, `after` the update."""

    def __init__(self, model: Model, update: Update) -> None:
        head = [(weight, slice(None)) for weight in model.head.parameters()]
        self._blocks = model.recurrent.blocks() | {"head": head}
        self._norms = nn.BlockNorms(self._blocks)
        self._update = update
        self._weights: list[Tensor] = []
        self._due = False
        self._gradients = self._sizes = np.empty(0)
        self._rows = array("d")
        self._anatomy: dict[str, Any] | None = None
        self._last: dict[str, Any] = {}

    def before(self, step: int, *, dissect: bool) -> None:
        """Gradients are there, unclipped, and weights not yet updated. dissect: show the anatomy."""
        self._due = is_due(step)
        self._anatomy = {"step": step} if dissect else None
        if self._due:
            self._gradients, self._sizes = self._norms.gradients(), self._norms.weights()
        if self._due or dissect:
            self._norms.remember()
        if self._anatomy is not None:
            self._weights = [weight.detach().clone() for weight in self._update.parameters]
            largest = [
                max(float(g[rows].abs().max()) for w, rows in parts if (g := w.grad) is not None)
                for parts in self._blocks.values()
            ]
            place = int(np.argmax(largest))
            block = self._norms.names[place]
            self._anatomy["backward"] = {"largest": largest[place], "block": block}

    def after(self, row: Mapping[str, float]) -> None:
        """The update is made (or, in a step that diverged, not)."""
        if not self._due and self._anatomy is None:
            return
        changes = self._norms.changes()
        if self._due:
            moved = (changes > 0) & (self._sizes > 0)
            ratios = np.full(len(changes), np.nan)
            ratios[moved] = np.log10(changes[moved] / self._sizes[moved])
            moments = self._norms.of(self._update.second_moment) / np.sqrt(self._norms.counts)
            self._rows.extend([row["step"], *self._gradients, *ratios, *moments])
        if self._anatomy is not None:
            self._complete(self._anatomy, row, changes)

    def anatomy(self, step: int) -> dict[str, Any]:
        """What Slice.anatomy is after this step: empty unless it was taken apart."""
        return self._last if self._last.get("step") == step else {}

    def columns(self) -> dict[str, Floats]:
        """The columns of Slice.blocks."""
        kinds = ("gradient", "update", "moment")
        names = ["step", *(f"{kind}.{name}" for kind in kinds for name in self._norms.names)]
        table = np.asarray(self._rows, np.float64).reshape(-1, len(names))
        return {name: table[:, place].copy() for place, name in enumerate(names)}

    def forward(
        self, objective: Objective, rows: npt.NDArray[np.int64], output: Tensor, target: Tensor
    ) -> None:
        """What went into the step and what came out, for the anatomy that `before` began."""
        if self._anatomy is None:
            return
        first, wanted = output[0].detach(), target[0]
        if objective.every:
            first, wanted = first[-1], wanted[-1]
        if objective.kind.classes:
            wanted = torch.where(wanted == IGNORED, math.nan, wanted.double())
        self._anatomy["batch"] = {"rows": rows[:ROWS_SHOWN].tolist(), "count": len(rows)}
        self._anatomy["forward"] = {
            "answer": answer(objective.kind, first).tolist(),
            "target": wanted.reshape(-1).tolist(),
        }

    def _complete(self, anatomy: dict[str, Any], row: Mapping[str, float], changes: Floats) -> None:
        pairs = zip(self._update.parameters, self._weights, strict=True)
        norm, clipped = row["norm"], row["clipped_norm"]
        self._last = {
            "step": anatomy["step"],
            "batch": anatomy["batch"],
            "forward": anatomy["forward"],
            "loss": row["loss"],
            "penalty": row["penalty"],
            "backward": {"norm": norm, **anatomy["backward"]},
            "clip": {"factor": clipped / norm if norm > 0 else 1.0, "norm": clipped},
            "update": {
                "learning_rate": row["learning_rate"],
                "norm": math.hypot(*changes),
                "largest": max(float((weight.detach() - old).abs().max()) for weight, old in pairs),
                "weights": math.hypot(*self._norms.weights()),
            },
        }

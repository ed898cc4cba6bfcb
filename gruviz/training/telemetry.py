"""What is measured of a step beyond its loss: norms by block of weights, and the step's anatomy."""

import math
from array import array
from collections.abc import Mapping, Sequence
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
GATES = {"rnn": "h", "gru": "rzn", "lstm": "ifgo"}  # in the order of torch's rows

Rows = tuple[Tensor, slice]
Arrays = Sequence[npt.NDArray[np.generic] | None]


def is_due(step: int) -> bool:
    """Whether the blocks of weights are measured in this step, counted from 1."""
    return step == 1 or step % BLOCKS_EVERY == 0


def blocks_of_model(model: Model) -> dict[str, list[Rows]]:
    """The rows of each gate's matrices under the name that the equation gives them, all biases, the
    head. With tied gates one matrix, W_i or W_h, serves them all."""
    layer, found = model.recurrent, dict[str, list[Rows]]()
    tied = len(layer.get_parameter("weight_hh_l0")) == layer.hidden_size
    gates = [""] if tied and layer.cell != "rnn" else list(GATES[layer.cell])
    for side in "ih":
        weight = layer.get_parameter(f"weight_{side}h_l0")
        for place, gate in enumerate(gates):
            rows = slice(place * layer.hidden_size, (place + 1) * layer.hidden_size)
            found[f"W_{side}{gate}"] = [(weight, rows)]
    whole = slice(None)
    found["biases"] = [(layer.get_parameter(f"bias_{side}h_l0"), whole) for side in "ih"]
    if isinstance(layer, nn.GRUD):
        found["decay"] = [
            (layer.get_parameter(f"{side}_decay{part}"), whole)
            for side in ("input", "hidden")
            for part in ("", "_bias")
        ]
    found["head"] = [(weight, whole) for weight in model.head.parameters()]
    return found


class Blocks:
    """Measures each block: Euclidean norms in double precision, (blocks,) in the order of `names`."""

    def __init__(self, blocks: Mapping[str, Sequence[Rows]], parameters: Sequence[Tensor]) -> None:
        self.names = tuple(blocks)
        places = {id(weight): place for place, weight in enumerate(parameters)}
        self._parts = [
            [(places[id(weight)], rows) for weight, rows in parts] for parts in blocks.values()
        ]
        self._parameters = [weight.detach().numpy() for weight in parameters]
        self._leaves = parameters
        self._before: list[npt.NDArray[np.generic]] = []

    def gradients(self) -> Floats:
        return self._norms(self._gradients())

    def weights(self) -> Floats:
        return self._norms(self._parameters)

    def remember(self) -> None:
        """Take the copy of the weights that `changes` and `moved` compare with."""
        self._before = [weight.copy() for weight in self._parameters]

    def moved(self) -> list[npt.NDArray[np.generic]]:
        """By how much each parameter has changed since `remember`."""
        return [w - before for w, before in zip(self._parameters, self._before, strict=True)]

    def changes(self) -> Floats:
        return self._norms(self.moved())

    def root_mean_squares(self, arrays: Arrays) -> Floats:
        """Of one array for each parameter; NaN for a block with a part that has none."""
        counts = [
            sum(self._parameters[place][rows].size for place, rows in parts)
            for parts in self._parts
        ]
        return self._norms(arrays) / np.sqrt(counts)

    def largest_gradients(self) -> Floats:
        """The largest |gradient| of each block."""
        arrays = self._gradients()
        return np.array(
            [max(float(np.abs(arrays[i][rows]).max()) for i, rows in part) for part in self._parts]
        )

    def _gradients(self) -> list[npt.NDArray[np.generic]]:
        return [weight.grad.numpy() for weight in self._leaves if weight.grad is not None]

    def _norms(self, arrays: Arrays) -> Floats:
        with np.errstate(invalid="ignore"):  # a gradient may be infinite where training diverges
            return np.sqrt([sum(_squares(arrays[i], rows) for i, rows in p) for p in self._parts])


def _squares(array: npt.NDArray[np.generic] | None, rows: slice) -> float:
    if array is None:
        return math.nan
    flat = array[rows].ravel().astype(np.float64)
    return float(flat @ flat)


class Telemetry:
    """Measures the steps of one slice: `before` the gradient is clipped, `after` the update."""

    def __init__(self, model: Model, update: Update) -> None:
        self._blocks = Blocks(blocks_of_model(model), update.parameters)
        self._update = update
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
            self._gradients, self._sizes = self._blocks.gradients(), self._blocks.weights()
        if self._due or dissect:
            self._blocks.remember()
        if self._anatomy is not None:
            largest = self._blocks.largest_gradients()
            place = int(np.argmax(largest))
            self._anatomy["backward"] = {
                "largest": float(largest[place]), "block": self._blocks.names[place]
            }  # fmt: skip

    def after(self, row: Mapping[str, float]) -> None:
        """The update is made (or, in a step that diverged, not)."""
        if self._due:
            changes = self._blocks.changes()
            moved = (changes > 0) & (self._sizes > 0)
            ratios = np.full(len(changes), np.nan)
            ratios[moved] = np.log10(changes[moved] / self._sizes[moved])
            moments = self._blocks.root_mean_squares(self._update.second_moments())
            self._rows.extend([row["step"], *self._gradients, *ratios, *moments])
        if self._anatomy is not None:
            self._complete(self._anatomy, row)

    def anatomy(self, step: int) -> dict[str, Any]:
        """What Slice.anatomy is after this step: empty unless it was taken apart."""
        return self._last if self._last.get("step") == step else {}

    def columns(self) -> dict[str, Floats]:
        """The columns of Slice.blocks."""
        kinds = ("gradient", "update", "moment")
        names = ["step", *(f"{kind}.{name}" for kind in kinds for name in self._blocks.names)]
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
            "answer": answer(objective.kind, first).tolist(), "target": wanted.reshape(-1).tolist()
        }  # fmt: skip

    def _complete(self, anatomy: dict[str, Any], row: Mapping[str, float]) -> None:
        moved = self._blocks.moved()
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
                "norm": math.hypot(*self._blocks.changes()),
                "largest": max(float(np.abs(part).max()) for part in moved),
                "weights": math.hypot(*self._blocks.weights()),
            },
        }

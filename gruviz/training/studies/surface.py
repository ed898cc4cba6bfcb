"""The loss surface around the path of a run."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from gruviz.data import Fetch
from gruviz.experiment import Experiment
from gruviz.studies import Surface
from gruviz.training.weights import TrainingLoss

WORK = 1 << 20  # of a part: some tens of milliseconds


@torch.no_grad()
def proceed(
    experiment: Experiment, state: Surface, fetch: Fetch, is_over: Callable[[], bool]
) -> Surface:
    """Go on with the grid, cell after cell, until the time is over. A loss that isn't finite is inf."""
    loss = TrainingLoss(experiment, fetch, state.sequences, WORK, twice=False)
    losses = state.losses.copy()
    cell, part, total = state.cell, state.part, state.total
    while cell < losses.size:
        row, column = divmod(cell, losses.shape[1])
        place = np.array([state.across[column], state.along[row]], np.float32)
        weights = torch.from_numpy(state.origin + place @ state.directions)
        total += loss.part(part, weights).item()
        part += 1
        if part == len(loss):
            losses[row, column] = total if np.isfinite(total) else np.inf
            cell, part, total = cell + 1, 0, 0.0
        if is_over():
            break
    return replace(state, losses=losses, cell=cell, part=part, parts=len(loss), total=total)

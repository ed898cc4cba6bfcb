"""Free running: a forecaster that reads its own forecasts as if they were the series."""

import torch
from torch import Tensor

from gruviz.training.model import Model


@torch.no_grad()
def roll_out(model: Model, series: Tensor, blocks: int) -> Tensor:
    """The series, (time,), goes on by so many horizons, each forecast from the values before it,
    forecast ones among them; (blocks * horizon,). The first block is the ordinary forecast."""
    window, said = series, []
    for _block in range(blocks):
        said.append(model(window[None, :, None])[0])
        window = torch.cat([window, said[-1]])[-len(series) :]
    return torch.cat(said)

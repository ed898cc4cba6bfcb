"""Learning with these layers is learning with torch.nn's."""

import pytest
import torch
from torch import Tensor, nn

import gruviz.nn


def adding_problem(batch: int, time: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Hochreiter, Schmidhuber 1997: the sum of the two marked numbers; x (batch, time, 2)."""
    values = torch.rand(batch, time, generator=generator)
    marks = torch.zeros(batch, time)
    half = time // 2
    for low, high in ((0, half), (half, time)):
        marks.scatter_(1, torch.randint(low, high, (batch, 1), generator=generator), 1.0)
    return torch.stack([values, marks], 2), (values * marks).sum(1, keepdim=True)


def losses(layer: nn.Module, readout: nn.Linear, time: int, steps: int) -> Tensor:
    parameters = [*layer.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    generator, curve = torch.Generator().manual_seed(0), []
    for _ in range(steps):
        x, target = adding_problem(16, time, generator)
        optimizer.zero_grad()
        output, _ = layer(x.to(parameters[0].dtype))
        loss = nn.functional.mse_loss(readout(output[:, -1]), target.to(parameters[0].dtype))
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        curve.append(loss.detach())
    return torch.stack(curve)


@pytest.mark.parametrize(
    ("time", "dtype", "tolerance"), [(100, torch.float32, 2e-4), (50, torch.float64, 1e-9)]
)
def test_the_loss_curve_on_the_adding_problem_is_that_of_nn_gru(
    time: int, dtype: torch.dtype, tolerance: float
) -> None:
    curves = []
    for module in (gruviz.nn, nn):
        torch.manual_seed(1)
        layer = module.GRU(2, 16, batch_first=True, dtype=dtype)
        curves.append(losses(layer, nn.Linear(16, 1, dtype=dtype), time, 60))
    ours, theirs = curves
    assert theirs[-10:].mean() < theirs[:10].mean()
    torch.testing.assert_close(ours, theirs, rtol=tolerance, atol=tolerance * 0.1)

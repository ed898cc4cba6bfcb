"""How two layers are compared: everything they return, and every gradient."""

from typing import Any

import torch
from torch import Tensor, nn

TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


def flat(result: Any) -> list[Tensor]:
    """The tensors of (output, state), whatever the layer."""
    if isinstance(result, Tensor):
        return [result]
    if isinstance(result, nn.utils.rnn.PackedSequence):
        return [result.data]
    return [tensor for part in result for tensor in flat(part)]


def gradient(leaf: Tensor) -> Tensor:
    assert leaf.grad is not None
    return leaf.grad


def results_and_gradients(layer: nn.Module, x: Any, state: Any, **options: Any) -> list[Tensor]:
    """Outputs, final states, and the gradients of a loss that weighs each number differently."""
    layer.zero_grad()
    leaves = [
        tensor.detach().clone().requires_grad_() for tensor in flat(() if state is None else state)
    ]
    copy = x.detach().clone().requires_grad_() if isinstance(x, Tensor) else x
    hx: Any = None
    if leaves:
        hx = leaves[0] if isinstance(state, Tensor) else tuple(leaves)
    results = flat(layer(copy, hx, **options))
    loss = torch.zeros((), dtype=results[0].dtype)
    for number, result in enumerate(results, 1):
        weights = torch.linspace(-1, 2, result.numel(), dtype=result.dtype) / number
        loss = loss + (result * weights.view(result.shape)).sum()
    loss.backward()
    inputs = [copy] if isinstance(x, Tensor) else []
    return [*results, *[gradient(leaf) for leaf in (*inputs, *leaves, *layer.parameters())]]


def assert_equal(ours: list[Tensor], theirs: list[Tensor]) -> None:
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        tolerance = TOLERANCE[b.dtype]
        scale = max(1.0, b.abs().max().item() if b.numel() else 0.0)
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance * scale)

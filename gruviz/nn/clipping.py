"""Clipping gradients by their common norm, in one pass of compiled code."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from gruviz.nn.compiled import kernel, serves


def clip_norm_(parameters: Iterable[Tensor], max_norm: float | None) -> float:
    """Scales all gradients in place so that their common Euclidean norm is at most max_norm, as
    torch.nn.utils.clip_grad_norm_ does, and returns the norm they had; None only measures.

    Summed in double precision. A norm that is NaN or infinite is returned, and leaves NaN or 0.
    """
    trained = [weight for weight in parameters if weight.grad is not None]
    gradients = [weight.grad for weight in trained if weight.grad is not None]
    if not gradients:
        return 0.0
    limit = math.inf if max_norm is None else float(max_norm)
    dtype = gradients[0].dtype
    if all(g.dtype == dtype and serves(g) and g.is_contiguous() for g in gradients):
        layout = torch.tensor([[g.data_ptr() for g in gradients], [g.numel() for g in gradients]])
        first = layout.data_ptr()
        norm: float = kernel("scale_to_norm", dtype)(
            0.0, len(gradients), first, first + 8 * len(gradients), limit
        )
        return norm
    total = torch.nn.utils.get_total_norm(gradients)
    if max_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(trained, limit, total)
    return total.item()

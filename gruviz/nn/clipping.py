"""Clipping gradients by their common norm, in one pass of compiled code."""

import math
from array import array
from collections.abc import Iterable

import torch
from torch import Tensor

from gruviz.nn.compiled import loop, serves


def clip_norm_(parameters: Iterable[Tensor], max_norm: float | None) -> float:
    """Scales all gradients in place so that their common Euclidean norm is at most max_norm, as
    torch.nn.utils.clip_grad_norm_ does, and returns the norm they had; None only measures.

    Summed in double precision. A norm that is NaN or infinite is returned, and leaves NaN or 0.
    """
    parameters = list(parameters)
    gradients = [g for weight in parameters if (g := weight.grad) is not None]
    if not gradients:
        return 0.0
    limit = math.inf if max_norm is None else float(max_norm)
    dtype = gradients[0].dtype
    if all(g.dtype == dtype and serves(g) and g.is_contiguous() for g in gradients):
        count = len(gradients)
        layout = array("q", [g.data_ptr() for g in gradients])
        layout.extend([g.numel() for g in gradients])
        first, _ = layout.buffer_info()
        norm: float = loop("scale_to_norm", dtype)(0.0, count, first, first + 8 * count, limit)
        return norm
    total = torch.nn.utils.get_total_norm(gradients)
    if max_norm is not None:
        torch.nn.utils.clip_grads_with_norm_(parameters, limit, total)
    return total.item()

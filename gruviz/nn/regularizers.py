"""Penalties on weights, to be added to a loss."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Regularizer:
    """l1 * sum(|w|) + l2 * sum(w**2), as Keras counts it; a strength of None leaves a term out."""

    l1: float | None = None
    l2: float | None = None

    def __call__(self, weight: Tensor) -> Tensor:
        penalty = weight.new_zeros(())
        if self.l1 is not None:
            penalty = penalty + self.l1 * weight.abs().sum()
        if self.l2 is not None:
            penalty = penalty + self.l2 * weight.square().sum()
        return penalty


def L1(strength: float) -> Regularizer:
    return Regularizer(l1=strength)


def L2(strength: float) -> Regularizer:
    return Regularizer(l2=strength)


def L1L2(l1: float, l2: float) -> Regularizer:
    return Regularizer(l1, l2)

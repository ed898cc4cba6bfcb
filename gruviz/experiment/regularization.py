"""Regularisation: penalties on weights and dropout; the arguments of a layer in `gruviz.nn`."""

from dataclasses import dataclass
from typing import Any, ClassVar

from gruviz.experiment.knobs import Choice, knob, table_of
from gruviz.words import N_


def _strength(label: str, help: str = "") -> Any:
    return knob(None, 1e-8, 1.0, label=label, log=True, optional=True, help=help)


def _share(label: str, help: str) -> Any:
    return knob(0.0, 0.0, 0.9, label=label, step=0.01, help=help)


@dataclass(frozen=True)
class Regularization(Choice):
    """A row of REGULARIZATIONS."""

    def strengths(self) -> dict[str, tuple[float | None, float | None]]:
        """By the layer's argument, the factors of the sum of |w| and of the sum of w²; none: {}."""
        return {}

    def dropout(self) -> dict[str, float]:
        """By the layer's argument, the share that is dropped; none: {}."""
        return {}


@dataclass(frozen=True)
class Unregularized(Regularization):
    name: ClassVar[str] = "unregularized"
    label: ClassVar[str] = N_("None")
    help: ClassVar[str] = N_("Only the optimizer's weight decay, if it is on.")


@dataclass(frozen=True)
class Regularized(Regularization):
    """Dropout as in Gal, Ghahramani 2016 (arXiv 1512.05287): one mask for all time steps."""

    name: ClassVar[str] = "regularized"
    label: ClassVar[str] = N_("Penalties and dropout")
    help: ClassVar[str] = N_(
        "Large weights cost something, or some of the numbers are left out at random: against"
        " learning the training data by heart."
    )

    kernel_l1: float | None = _strength(
        N_("L1 on input weights"), N_("This times the sum of |w|: drives weights to exactly 0.")
    )
    kernel_l2: float | None = _strength(
        N_("L2 on input weights"), N_("This times the sum of w²: keeps all weights small.")
    )
    recurrent_l1: float | None = _strength(N_("L1 on recurrent weights"))
    recurrent_l2: float | None = _strength(N_("L2 on recurrent weights"))
    bias_l2: float | None = _strength(N_("L2 on biases"))
    input_dropout: float = _share(
        N_("Input dropout"), N_("Share of the inputs that a training batch doesn't see.")
    )
    recurrent_dropout: float = _share(
        N_("Recurrent dropout"), N_("Share of the hidden state that the gates don't see.")
    )

    def strengths(self) -> dict[str, tuple[float | None, float | None]]:
        found = {
            "kernel_regularizer": (self.kernel_l1, self.kernel_l2),
            "recurrent_regularizer": (self.recurrent_l1, self.recurrent_l2),
            "bias_regularizer": (None, self.bias_l2),
        }
        return {name: pair for name, pair in found.items() if pair != (None, None)}

    def dropout(self) -> dict[str, float]:
        found = {"input_dropout": self.input_dropout, "recurrent_dropout": self.recurrent_dropout}
        return {name: share for name, share in found.items() if share > 0}


REGULARIZATIONS = table_of(Unregularized, Regularized)

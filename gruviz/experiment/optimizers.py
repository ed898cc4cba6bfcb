"""The optimizers: one class, one row of the table. All are `torch.optim`'s, named, never imported.

Momentum-like knobs are live: they act on a running run from its next slice.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from gruviz.experiment.knobs import Choice, knob, table_of
from gruviz.words import N_


@dataclass(frozen=True)
class Optimizer(Choice):
    """A row of OPTIMIZERS: the class in `torch.optim`, its update rule, its knobs."""

    torch_class: ClassVar[str]
    rule: ClassVar[str]
    fused: ClassVar[bool] = True  # whether torch has a one-pass step for it on the CPU

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of the torch class, without the learning rate."""
        return {}


@dataclass(frozen=True)
class SGD(Optimizer):
    name: ClassVar[str] = "sgd"
    label: ClassVar[str] = N_("SGD")
    help: ClassVar[str] = N_("The plain rule: a step against the gradient of one batch.")
    torch_class: ClassVar[str] = "SGD"
    rule: ClassVar[str] = r"w \leftarrow w - \eta\, g"


@dataclass(frozen=True)
class Momentum(Optimizer):
    name: ClassVar[str] = "momentum"
    label: ClassVar[str] = N_("SGD with momentum")
    help: ClassVar[str] = N_(
        "A rolling ball: past gradients carry on, so valleys are crossed faster."
    )
    torch_class: ClassVar[str] = "SGD"
    rule: ClassVar[str] = r"v \leftarrow \mu v + g,\quad w \leftarrow w - \eta\, v"

    momentum: float = knob(
        0.9, 0.0, 0.999, label=N_("Momentum"), live=True, help=N_("Share of the last step kept.")
    )

    def arguments(self) -> dict[str, Any]:
        return {"momentum": self.momentum}


@dataclass(frozen=True)
class RMSprop(Optimizer):
    name: ClassVar[str] = "rmsprop"
    label: ClassVar[str] = N_("RMSprop")
    help: ClassVar[str] = N_("Each weight's step is divided by the recent size of its gradient.")
    torch_class: ClassVar[str] = "RMSprop"
    fused: ClassVar[bool] = False
    rule: ClassVar[str] = (
        r"s \leftarrow \alpha s + (1-\alpha) g^2,\quad w \leftarrow w - \eta\, g / (\sqrt{s}+\epsilon)"
    )

    alpha: float = knob(
        0.99,
        0.0,
        0.9999,
        step=0.0001,
        label=N_("Smoothing alpha"),
        live=True,
        help=N_("Memory of squared gradients."),
    )

    def arguments(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


@dataclass(frozen=True)
class Adam(Optimizer):
    name: ClassVar[str] = "adam"
    label: ClassVar[str] = N_("Adam")
    help: ClassVar[str] = N_("Momentum and RMSprop together, with their start-up bias removed.")
    torch_class: ClassVar[str] = "Adam"
    rule: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1-\beta_1) g,\quad s \leftarrow \beta_2 s + (1-\beta_2) g^2,\quad"
        r" w \leftarrow w - \eta\, \hat m / (\sqrt{\hat s}+\epsilon)"
    )

    beta1: float = knob(
        0.9, 0.0, 0.999, label=N_("Momentum beta 1"), live=True, help=N_("Memory of gradients.")
    )
    beta2: float = knob(
        0.999,
        0.0,
        0.9999,
        step=0.0001,
        label=N_("Smoothing beta 2"),
        live=True,
        help=N_("Memory of squared gradients."),
    )

    def arguments(self) -> dict[str, Any]:
        return {"betas": (self.beta1, self.beta2)}


OPTIMIZERS = table_of(Adam, RMSprop, Momentum, SGD)

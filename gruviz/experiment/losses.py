"""The losses: one class, one row of the table; the function of the same name is in the trainer."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.errors import GruvizError
from gruviz.experiment.kinds import Kind
from gruviz.experiment.knobs import Choice, knob, table_of
from gruviz.words import N_, _


@dataclass(frozen=True)
class Loss(Choice):
    """A row of LOSSES. `measure` names the loss with its unit, for an axis."""

    measure: ClassVar[str] = ""
    formula: ClassVar[str] = ""
    for_classes: ClassVar[bool] = False

    # in_bits is for a loss that chooses among others.
    def fitting(self, kind: Kind, *, in_bits: bool = False) -> "Loss":  # noqa: ARG002
        """The loss that judges a task of this kind, told in bits or not: this one, if it can.

        Raises GruvizError if it can't: numbers and classes are judged by different losses.
        """
        if self.for_classes != kind.classes:
            raise GruvizError(
                _("{label} judges {ours}, and this task asks for {asked}; choose {fit}.").format(
                    label=_(self.label),
                    ours=_("classes") if self.for_classes else _("numbers"),
                    asked=_("a class") if kind.classes else _("numbers"),
                    fit=_("Cross-entropy") if kind.classes else _("a loss for numbers"),
                )
            )
        return self


@dataclass(frozen=True)
class Fitting(Loss):
    name: ClassVar[str] = "fitting"
    label: ClassVar[str] = N_("Whatever fits the task")
    help: ClassVar[str] = N_("Mean squared error for numbers, cross-entropy for classes.")

    def fitting(self, kind: Kind, *, in_bits: bool = False) -> Loss:
        if not kind.classes:
            return MeanSquaredError()
        return CrossEntropyInBits() if in_bits else CrossEntropy()


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    name: ClassVar[str] = "mse"
    label: ClassVar[str] = N_("Mean squared error")
    help: ClassVar[str] = N_("Large errors count most: twice as far off is four times as bad.")
    measure: ClassVar[str] = N_("mean squared error")
    formula: ClassVar[str] = r"L = \tfrac1n \sum (\hat y - y)^2"


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    name: ClassVar[str] = "mae"
    label: ClassVar[str] = N_("Mean absolute error")
    help: ClassVar[str] = N_("Every error counts by its size; outliers pull less.")
    measure: ClassVar[str] = N_("mean absolute error")
    formula: ClassVar[str] = r"L = \tfrac1n \sum |\hat y - y|"


@dataclass(frozen=True)
class Huber(Loss):
    """Huber 1964, "Robust estimation of a location parameter", as in torch.nn.HuberLoss."""

    name: ClassVar[str] = "huber"
    label: ClassVar[str] = N_("Huber")
    help: ClassVar[str] = N_("Squared for small errors, absolute for those beyond delta.")
    measure: ClassVar[str] = N_("Huber loss")
    formula: ClassVar[str] = (
        r"L = \tfrac1n \sum \begin{cases} \tfrac12 e^2 & |e| \le \delta \\"
        r" \delta\,(|e| - \tfrac12 \delta) & \text{else} \end{cases},\quad e = \hat y - y"
    )

    delta: float = knob(1.0, 0.01, 100.0, label=N_("Delta"), log=True)


@dataclass(frozen=True)
class CrossEntropy(Loss):
    name: ClassVar[str] = "cross_entropy"
    label: ClassVar[str] = N_("Cross-entropy")
    help: ClassVar[str] = N_("Surprise at the true class, in nats; guessing among k costs ln k.")
    measure: ClassVar[str] = N_("cross-entropy (nats)")
    formula: ClassVar[str] = r"L = -\tfrac1n \sum \log p(y)"
    for_classes: ClassVar[bool] = True


@dataclass(frozen=True)
class CrossEntropyInBits(Loss):
    """Shannon 1951, "Prediction and entropy of printed English", tells it so for letters."""

    name: ClassVar[str] = "bits"
    label: ClassVar[str] = N_("Cross-entropy in bits")
    help: ClassVar[str] = N_(
        "Surprise at the true class, in bits: the yes-or-no questions that would find it."
    )
    measure: ClassVar[str] = N_("cross-entropy (bits)")
    formula: ClassVar[str] = r"L = -\tfrac1n \sum \log_2 p(y)"
    for_classes: ClassVar[bool] = True


LOSSES = table_of(
    Fitting, MeanSquaredError, MeanAbsoluteError, Huber, CrossEntropy, CrossEntropyInBits
)

"""The optimizers: one class, one row of the table. Those that `torch.optim` has are named, never
imported; any other is its own rule, in the arithmetic that tensors have.

Knobs are live where torch reads them at every update: they act on a running run from its next slice.
Those that decide what an optimizer remembers wait for the next run.
"""

from dataclasses import dataclass
from typing import Any, ClassVar

from gruviz.experiment.knobs import MORE, Choice, knob, table_of
from gruviz.words import N_


@dataclass(frozen=True)
class Optimizer(Choice):
    """A row of OPTIMIZERS: the class in `torch.optim`, its update rule with its source, its knobs.

    torch_class: its name; None: the row has an `update` of its own.
    loop: torch's keyword for the fastest way to update many small tensors on the CPU (measured);
        None where the plain one is.
    matrices: the class that updates the matrices, if `torch_class` has only the rest.
    full_batch: whether it sees the whole training set in each step, whatever the batch size says.
    usual_rate: the learning rate that one begins with: its authors' or torch's default.
    by_length: whether a longer gradient makes a longer step; the others divide by its size.
    """

    torch_class: ClassVar[str | None] = None
    rule: ClassVar[str]
    source: ClassVar[str]
    loop: ClassVar[str | None] = "foreach"
    matrices: ClassVar[str | None] = None
    full_batch: ClassVar[bool] = False
    usual_rate: ClassVar[float]
    by_length: ClassVar[bool] = False

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of `torch_class`, without the learning rate."""
        return {}

    def matrix_arguments(self) -> dict[str, Any]:
        """The keyword arguments of `matrices`, without the learning rate."""
        return {}

    def update(self, weight: Any, gradient: Any, memory: dict[str, Any], rate: float) -> None:
        """Move a tensor of weights in place: of a row without a `torch_class`.

        memory: tensors by name, what it remembers of this one; empty before the first update. As
        "exp_avg_sq" a running mean of squared gradients is shown as torch's are.
        """
        raise NotImplementedError


def _momentum(low: float = 0.0) -> Any:
    return knob(
        0.9,
        low,
        0.999,
        label=N_("Momentum"),
        live=True,
        one_minus=True,
        help=N_("Share of the last step kept."),
    )


def _beta1(default: float = 0.9) -> Any:
    return knob(
        default,
        0.0,
        0.999,
        label=N_("Momentum beta 1"),
        live=True,
        one_minus=True,
        help=N_("Memory of gradients."),
    )


def _smoothing(default: float, label: str) -> Any:
    return knob(
        default,
        0.0,
        0.9999,
        label=label,
        live=True,
        one_minus=True,
        help=N_("Memory of squared gradients."),
    )


def _epsilon(default: float) -> Any:
    return knob(
        default,
        1e-12,
        1.0,
        label=N_("Epsilon"),
        log=True,
        live=True,
        group=MORE,
        help=N_("Added to the divisor: keeps steps small where gradients all but vanish."),
    )


def _decay(default: float | None = None, *, decoupled: bool = False) -> Any:
    return knob(
        default,
        1e-6,
        1.0,
        label=N_("Weight decay"),
        log=True,
        live=True,
        optional=True,
        group=MORE,
        help=N_("Each step also shrinks every weight by this share of the learning rate.")
        if decoupled
        else N_("This share of each weight is added to its gradient, which pulls it towards 0."),
    )


@dataclass(frozen=True)
class SGD(Optimizer):
    name: ClassVar[str] = "sgd"
    label: ClassVar[str] = N_("SGD")
    help: ClassVar[str] = N_(
        "The plain rule, a step against the gradient of one batch: the yardstick for all others."
    )
    torch_class: ClassVar[str] = "SGD"
    loop: ClassVar[str | None] = "fused"
    rule: ClassVar[str] = r"w \leftarrow w - \eta\, g"
    source: ClassVar[str] = (
        "Robbins, Monro 1951, A stochastic approximation method, doi:10.1214/aoms/1177729586"
    )
    usual_rate: ClassVar[float] = 0.1  # momentum's; its steps add up to 1 / (1 - 0.9) times as much
    by_length: ClassVar[bool] = True

    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {"weight_decay": self.weight_decay or 0.0}


@dataclass(frozen=True)
class GradientDescent(SGD):
    name: ClassVar[str] = "gd"
    label: ClassVar[str] = N_("Gradient descent (full batch)")
    help: ClassVar[str] = N_(
        "The exact gradient of the whole training set in each step, whatever the batch size says: no"
        " noise, so every wiggle of the loss is the curvature's doing."
    )
    full_batch: ClassVar[bool] = True
    rule: ClassVar[str] = r"w \leftarrow w - \eta\, \nabla L(w)"
    source: ClassVar[str] = (
        "Cauchy 1847, Méthode générale pour la résolution des systèmes d'équations simultanées"
    )


@dataclass(frozen=True)
class Momentum(Optimizer):
    name: ClassVar[str] = "momentum"
    label: ClassVar[str] = N_("SGD with momentum")
    help: ClassVar[str] = N_(
        "A rolling ball: past gradients carry on, so long narrow valleys are crossed faster."
    )
    torch_class: ClassVar[str] = "SGD"
    loop: ClassVar[str | None] = "fused"
    rule: ClassVar[str] = (
        r"v \leftarrow \mu v + (1-\tau)\, g,\quad w \leftarrow w - \eta\, v,\quad"
        r" v_1 = g_1,\ \tau = \text{dampening}"
    )
    source: ClassVar[str] = (
        "Polyak 1964, Some methods of speeding up the convergence of iteration methods,"
        " doi:10.1016/0041-5553(64)90137-5"
    )
    usual_rate: ClassVar[float] = 0.01  # Krizhevsky, Sutskever, Hinton 2012, section 5
    by_length: ClassVar[bool] = True

    momentum: float = _momentum()
    dampening: float = knob(
        0.0,
        0.0,
        1.0,
        label=N_("Dampening"),
        live=True,
        step=0.01,
        help=N_("Share of each new gradient that is left out of the momentum."),
    )
    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {
            "momentum": self.momentum,
            "dampening": self.dampening,
            "weight_decay": self.weight_decay or 0.0,
        }


@dataclass(frozen=True)
class Nesterov(Optimizer):
    name: ClassVar[str] = "nesterov"
    label: ClassVar[str] = N_("Nesterov momentum")
    help: ClassVar[str] = N_(
        "Momentum that looks ahead: it brakes before the bend, so it overshoots less."
    )
    torch_class: ClassVar[str] = "SGD"
    loop: ClassVar[str | None] = "fused"
    rule: ClassVar[str] = r"v \leftarrow \mu v + g,\quad w \leftarrow w - \eta\,(g + \mu v)"
    source: ClassVar[str] = (
        "Sutskever et al. 2013, On the importance of initialization and momentum in deep learning"
    )
    usual_rate: ClassVar[float] = 0.01  # as with momentum
    by_length: ClassVar[bool] = True

    momentum: float = _momentum(0.1)
    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {
            "momentum": self.momentum,
            "nesterov": True,
            "weight_decay": self.weight_decay or 0.0,
        }


@dataclass(frozen=True)
class Adagrad(Optimizer):
    name: ClassVar[str] = "adagrad"
    label: ClassVar[str] = N_("Adagrad")
    help: ClassVar[str] = N_(
        "Each weight's step shrinks with all the gradients it has had: good for rare features, and"
        " slow in the end."
    )
    torch_class: ClassVar[str] = "Adagrad"
    loop: ClassVar[str | None] = "fused"
    rule: ClassVar[str] = (
        r"s \leftarrow s + g^2,\quad w \leftarrow w - \eta\, g / (\sqrt{s}+\epsilon)"
    )
    source: ClassVar[str] = (
        "Duchi, Hazan, Singer 2011, Adaptive subgradient methods for online learning and stochastic"
        " optimization"
    )
    usual_rate: ClassVar[float] = 0.01  # torch's default

    accumulator: float = knob(
        0.0,
        0.0,
        10.0,
        label=N_("Initial accumulator"),
        step=0.01,
        help=N_("What the sum of squares begins with: more makes the first steps smaller."),
    )
    eps: float = _epsilon(1e-10)
    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {
            "initial_accumulator_value": self.accumulator,
            "eps": self.eps,
            "weight_decay": self.weight_decay or 0.0,
        }


@dataclass(frozen=True)
class Adadelta(Optimizer):
    name: ClassVar[str] = "adadelta"
    label: ClassVar[str] = N_("Adadelta")
    help: ClassVar[str] = N_(
        "Steps have the size of recent steps, so it needs hardly any tuning; leave the learning rate"
        " near 1."
    )
    torch_class: ClassVar[str] = "Adadelta"
    rule: ClassVar[str] = (
        r"s \leftarrow \rho s + (1-\rho) g^2,\quad"
        r" \Delta = \tfrac{\sqrt{u+\epsilon}}{\sqrt{s+\epsilon}}\, g,\quad"
        r" u \leftarrow \rho u + (1-\rho) \Delta^2,\quad w \leftarrow w - \eta\, \Delta"
    )
    source: ClassVar[str] = (
        "Zeiler 2012, ADADELTA: an adaptive learning rate method, arXiv:1212.5701"
    )
    usual_rate: ClassVar[float] = 1.0  # Zeiler 2012 has no rate at all

    rho: float = _smoothing(0.9, N_("Smoothing rho"))
    eps: float = _epsilon(1e-6)
    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {"rho": self.rho, "eps": self.eps, "weight_decay": self.weight_decay or 0.0}


@dataclass(frozen=True)
class RMSprop(Optimizer):
    name: ClassVar[str] = "rmsprop"
    label: ClassVar[str] = N_("RMSprop")
    help: ClassVar[str] = N_(
        "Each weight's step is divided by the recent size of its gradient: long a favourite for"
        " recurrent nets."
    )
    torch_class: ClassVar[str] = "RMSprop"
    rule: ClassVar[str] = (
        r"s \leftarrow \alpha s + (1-\alpha) g^2,\quad"
        r" v \leftarrow \mu v + g / (\sqrt{s}+\epsilon),\quad w \leftarrow w - \eta\, v"
    )
    source: ClassVar[str] = (
        "Tieleman, Hinton 2012, Neural networks for machine learning, lecture 6.5"
    )
    usual_rate: ClassVar[float] = 0.001  # Ruder 2016 (arXiv 1609.04747), section 4.5

    alpha: float = _smoothing(0.99, N_("Smoothing alpha"))
    eps: float = _epsilon(1e-8)
    # Not live: torch makes room for the momentum at the first update.
    momentum: float = knob(
        0.0,
        0.0,
        0.999,
        label=N_("Momentum"),
        one_minus=True,
        help=N_("Share of the last step kept."),
    )
    centered: bool = knob(
        False,
        label=N_("Centred"),
        help=N_("Divide by the gradient's recent spread about its mean, not about 0."),
    )
    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {
            "alpha": self.alpha,
            "eps": self.eps,
            "momentum": self.momentum,
            "centered": self.centered,
            "weight_decay": self.weight_decay or 0.0,
        }


@dataclass(frozen=True)
class _Betas(Optimizer):
    """What the Adam family shares."""

    usual_rate: ClassVar[float] = 0.001  # Kingma, Ba 2015, section 2

    beta1: float = _beta1()
    beta2: float = _smoothing(0.999, N_("Smoothing beta 2"))
    eps: float = _epsilon(1e-8)
    weight_decay: float | None = _decay()

    def arguments(self) -> dict[str, Any]:
        return {
            "betas": (self.beta1, self.beta2),
            "eps": self.eps,
            "weight_decay": self.weight_decay or 0.0,
        }


_MOMENTS = r"m \leftarrow \beta_1 m + (1-\beta_1) g,\quad s \leftarrow \beta_2 s + (1-\beta_2) g^2"


@dataclass(frozen=True)
class Adam(_Betas):
    name: ClassVar[str] = "adam"
    label: ClassVar[str] = N_("Adam")
    help: ClassVar[str] = N_(
        "Momentum and RMSprop together, with their start-up bias removed: a sound first choice."
    )
    torch_class: ClassVar[str] = "Adam"
    loop: ClassVar[str | None] = "fused"
    rule: ClassVar[str] = (
        _MOMENTS + r",\quad w \leftarrow w - \eta\, \hat m / (\sqrt{\hat s}+\epsilon)"
    )
    source: ClassVar[str] = (
        "Kingma, Ba 2015, Adam: a method for stochastic optimization, arXiv:1412.6980"
    )

    amsgrad: bool = knob(
        False,
        label=N_("AMSGrad"),
        help=N_("Divide by the largest second moment so far: steps never grow again."),
    )

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "amsgrad": self.amsgrad}


@dataclass(frozen=True)
class AdamW(_Betas):
    name: ClassVar[str] = "adamw"
    label: ClassVar[str] = N_("AdamW")
    help: ClassVar[str] = N_(
        "Adam whose weight decay isn't divided by the gradient's size: better where decay is wanted."
    )
    torch_class: ClassVar[str] = "AdamW"
    loop: ClassVar[str | None] = "fused"
    rule: ClassVar[str] = (
        _MOMENTS
        + r",\quad w \leftarrow (1-\eta\lambda)\, w - \eta\, \hat m / (\sqrt{\hat s}+\epsilon)"
    )
    source: ClassVar[str] = (
        "Loshchilov, Hutter 2019, Decoupled weight decay regularization, arXiv:1711.05101"
    )

    weight_decay: float | None = _decay(0.01, decoupled=True)


@dataclass(frozen=True)
class Adamax(_Betas):
    name: ClassVar[str] = "adamax"
    label: ClassVar[str] = N_("Adamax")
    help: ClassVar[str] = N_(
        "Adam that divides by the largest recent gradient: calm where gradients come in bursts."
    )
    torch_class: ClassVar[str] = "Adamax"
    rule: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1-\beta_1) g,\quad u \leftarrow \max(\beta_2 u, |g|+\epsilon),\quad"
        r" w \leftarrow w - \eta\, \hat m / u"
    )
    source: ClassVar[str] = (
        "Kingma, Ba 2015, Adam: a method for stochastic optimization, section 7.1, arXiv:1412.6980"
    )
    usual_rate: ClassVar[float] = 0.002  # Kingma, Ba 2015, algorithm 2


@dataclass(frozen=True)
class NAdam(_Betas):
    name: ClassVar[str] = "nadam"
    label: ClassVar[str] = N_("NAdam")
    help: ClassVar[str] = N_("Adam with Nesterov's look ahead: often a little faster at first.")
    torch_class: ClassVar[str] = "NAdam"
    rule: ClassVar[str] = (
        _MOMENTS + r",\quad \mu_t = \beta_1 (1 - \tfrac12\, 0.96^{t\psi}),\quad"
        r" w \leftarrow w - \tfrac{\eta}{\sqrt{\hat s}+\epsilon} \left("
        r" \tfrac{\mu_{t+1}\, m}{1-\prod_{i \le t+1} \mu_i} + \tfrac{(1-\mu_t)\, g}{1-\prod_{i \le t}"
        r" \mu_i} \right)"
    )
    source: ClassVar[str] = "Dozat 2016, Incorporating Nesterov momentum into Adam"
    usual_rate: ClassVar[float] = 0.002  # torch's default

    momentum_decay: float = knob(
        0.004,
        0.0,
        0.1,
        label=N_("Momentum decay psi"),
        live=True,
        step=0.001,
        help=N_("How fast the momentum rises to beta 1 at the start."),
    )

    def arguments(self) -> dict[str, Any]:
        return {**super().arguments(), "momentum_decay": self.momentum_decay}


@dataclass(frozen=True)
class RAdam(_Betas):
    name: ClassVar[str] = "radam"
    label: ClassVar[str] = N_("RAdam")
    help: ClassVar[str] = N_(
        "Adam that waits with dividing until it has seen enough gradients: a warm-up of its own."
    )
    torch_class: ClassVar[str] = "RAdam"
    rule: ClassVar[str] = (
        _MOMENTS + r",\quad \rho_\infty = \tfrac{2}{1-\beta_2} - 1,\quad"
        r" \rho_t = \rho_\infty - \tfrac{2 t \beta_2^t}{1-\beta_2^t},\quad w \leftarrow w - \eta\, \hat"
        r" m \cdot \begin{cases} r_t\, \tfrac{\sqrt{1-\beta_2^t}}{\sqrt{s}+\epsilon} & \rho_t > 5 \\ 1 &"
        r" \text{else} \end{cases},\quad r_t = \sqrt{\tfrac{(\rho_t-4)(\rho_t-2)\rho_\infty}"
        r"{(\rho_\infty-4)(\rho_\infty-2)\rho_t}}"
    )
    source: ClassVar[str] = (
        "Liu et al. 2020, On the variance of the adaptive learning rate and beyond, arXiv:1908.03265"
    )


@dataclass(frozen=True)
class Rprop(Optimizer):
    name: ClassVar[str] = "rprop"
    label: ClassVar[str] = N_("Rprop")
    help: ClassVar[str] = N_(
        "Only the gradient's sign counts, and each weight has a step of its own: good with the full"
        " batch, lost in noise. The learning rate is the first step alone."
    )
    torch_class: ClassVar[str] = "Rprop"
    loop: ClassVar[str | None] = None
    rule: ClassVar[str] = (
        r"\delta \leftarrow \begin{cases} \min(\eta^+ \delta, \delta_{\max}) & g\, g' > 0 \\"
        r" \max(\eta^- \delta, \delta_{\min}),\ g \leftarrow 0 & g\, g' < 0 \end{cases},\quad"
        r" w \leftarrow w - \delta\, \mathrm{sign}(g),\quad g' = \text{the last } g"
    )
    source: ClassVar[str] = (
        "Riedmiller, Braun 1993, A direct adaptive method for faster backpropagation learning: the"
        " RPROP algorithm, doi:10.1109/ICNN.1993.298623"
    )
    usual_rate: ClassVar[float] = 0.01  # torch's default

    shrink: float = knob(
        0.5,
        0.01,
        0.99,
        label=N_("Shrink"),
        live=True,
        step=0.01,
        help=N_("What a step is multiplied by after its gradient has changed sign."),
    )
    grow: float = knob(
        1.2,
        1.01,
        3.0,
        label=N_("Grow"),
        live=True,
        step=0.01,
        help=N_("What a step is multiplied by while its gradient keeps its sign."),
    )
    smallest: float = knob(1e-6, 1e-12, 1e-3, label=N_("Smallest step"), log=True, live=True)
    largest: float = knob(50.0, 1e-2, 50.0, label=N_("Largest step"), log=True, live=True)

    def arguments(self) -> dict[str, Any]:
        return {"etas": (self.shrink, self.grow), "step_sizes": (self.smallest, self.largest)}


@dataclass(frozen=True)
class Muon(_Betas):
    name: ClassVar[str] = "muon"
    label: ClassVar[str] = N_("Muon and AdamW")
    help: ClassVar[str] = N_(
        "The momentum of each matrix is made orthogonal, so all directions in it move alike; biases"
        " are left to AdamW. It costs a few matrix products a step."
    )
    torch_class: ClassVar[str] = "AdamW"
    loop: ClassVar[str | None] = "fused"
    matrices: ClassVar[str | None] = "Muon"
    rule: ClassVar[str] = (
        r"V \leftarrow \mu V + (1-\mu) G,\quad W \leftarrow (1-\eta\lambda)\, W - 0.2\, \eta"
        r" \sqrt{\max(a, b)}\; \mathrm{orth}\big((1-\mu) G + \mu V\big),\quad"
        r" W \in \mathbb{R}^{a \times b}"
    )
    source: ClassVar[str] = (
        "Jordan et al. 2024, Muon: an optimizer for hidden layers in neural networks; the factor 0.2"
        " from Liu et al. 2025, Muon is scalable for LLM training, arXiv:2502.16982"
    )

    momentum: float = knob(
        0.95,
        0.0,
        0.999,
        label=N_("Momentum of matrices"),
        live=True,
        one_minus=True,
        help=N_("Share of the last step kept."),
    )
    weight_decay: float | None = _decay(0.1, decoupled=True)

    def matrix_arguments(self) -> dict[str, Any]:
        # The size of AdamW's steps, so that one learning rate serves both.
        return {
            "momentum": self.momentum,
            "weight_decay": self.weight_decay or 0.0,
            "adjust_lr_fn": "match_rms_adamw",
        }


OPTIMIZERS = table_of(
    Adam,
    AdamW,
    Adamax,
    NAdam,
    RAdam,
    RMSprop,
    Adagrad,
    Adadelta,
    GradientDescent,
    SGD,
    Momentum,
    Nesterov,
    Rprop,
    Muon,
)

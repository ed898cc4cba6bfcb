"""Initial weights of the recurrent layer: the names of `gruviz.nn.INITIALIZERS`, and sets of them."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.knobs import Choice, knob, table_of
from gruviz.words import N_

FOR_BIASES = {
    "default": N_("PyTorch's: uniform within 1/√units"),
    "zeros": N_("zeros"),
    "ones": N_("ones"),
    "uniform": N_("uniform within 0.05"),
    "normal": N_("normal, deviation 0.05"),
    "truncated_normal": N_("normal, cut at two deviations"),
}
FOR_MATRICES = {
    **FOR_BIASES,
    "glorot_uniform": N_("Glorot, uniform"),
    "glorot_normal": N_("Glorot, normal"),
    "he_uniform": N_("He, uniform"),
    "he_normal": N_("He, normal"),
    "lecun_uniform": N_("LeCun, uniform"),
    "lecun_normal": N_("LeCun, normal"),
    "orthogonal": N_("orthogonal"),
    "orthogonal_blocks": N_("orthogonal, gate by gate"),
    "identity": N_("identity, gate by gate"),
}


@dataclass(frozen=True)
class Initial(Choice):
    """A row of INITIALS."""

    def arguments(self) -> dict[str, str]:
        """The layer's initialisers by argument, without those that are its own default."""
        return {}


@dataclass(frozen=True)
class TorchInitial(Initial):
    name: ClassVar[str] = "torch_weights"
    label: ClassVar[str] = N_("As PyTorch does")
    help: ClassVar[str] = N_("Every weight and bias is uniform within 1/√units.")


@dataclass(frozen=True)
class KerasInitial(Initial):
    name: ClassVar[str] = "keras_weights"
    label: ClassVar[str] = N_("As Keras does")
    help: ClassVar[str] = N_(
        "Input weights Glorot uniform, recurrent weights orthogonal, biases zero."
    )

    def arguments(self) -> dict[str, str]:
        return {
            "kernel_initializer": "glorot_uniform",
            "recurrent_initializer": "orthogonal",
            "bias_initializer": "zeros",
        }


@dataclass(frozen=True)
class OwnInitial(Initial):
    name: ClassVar[str] = "own_weights"
    label: ClassVar[str] = N_("One by one")
    help: ClassVar[str] = N_("A rule of its own for each kind of weight.")

    kernel: str = knob("default", label=N_("Input weights"), options=FOR_MATRICES)
    recurrent: str = knob("default", label=N_("Recurrent weights"), options=FOR_MATRICES)
    bias: str = knob("default", label=N_("Biases"), options=FOR_BIASES)

    def arguments(self) -> dict[str, str]:
        found = {
            "kernel_initializer": self.kernel,
            "recurrent_initializer": self.recurrent,
            "bias_initializer": self.bias,
        }
        return {name: chosen for name, chosen in found.items() if chosen != "default"}


INITIALS = table_of(TorchInitial, KerasInitial, OwnInitial)

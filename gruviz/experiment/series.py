"""Tasks about series: to be continued, or to be told apart."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.kinds import Forecast, Kind, MadeUp
from gruviz.experiment.knobs import knob
from gruviz.words import N_


@dataclass(frozen=True)
class SineMixture(Forecast):
    name: ClassVar[str] = "sine"
    label: ClassVar[str] = N_("Sine mixture")
    help: ClassVar[str] = N_("Three sines with unknown phases and some noise: say how they go on.")

    noise: float = knob(0.05, 0.0, 1.0, label=N_("Noise"), step=0.01)


@dataclass(frozen=True)
class DampedOscillation(Forecast):
    name: ClassVar[str] = "damped"
    label: ClassVar[str] = N_("Damped oscillation")
    help: ClassVar[str] = N_(
        "A pendulum that comes to rest: its period, its friction and where it is must be remembered"
        " through the noise to say how it goes on."
    )

    noise: float = knob(0.05, 0.0, 1.0, label=N_("Noise"), step=0.01)


@dataclass(frozen=True)
class MackeyGlass(Forecast):
    """Mackey and Glass 1977, "Oscillation and chaos in physiological control systems"."""

    name: ClassVar[str] = "mackey_glass"
    label: ClassVar[str] = N_("Mackey–Glass")
    help: ClassVar[str] = N_(
        "How fast blood cells are made depends on how many there were some time ago: that far back"
        " the past must be remembered. Chaotic from a delay of 17 on."
    )

    delay: int = knob(17, 2, 40, label=N_("Delay"), unit=N_("time steps"))
    noise: float = knob(0.0, 0.0, 1.0, label=N_("Noise"), step=0.01)


@dataclass(frozen=True)
class Lorenz(Forecast):
    """Lorenz 1963, "Deterministic nonperiodic flow"."""

    name: ClassVar[str] = "lorenz"
    label: ClassVar[str] = N_("Lorenz")
    help: ClassVar[str] = N_(
        "Weather in three numbers, x, y and z; forecast x. The present says it all, and a small"
        " error in it doubles again and again."
    )
    inputs: ClassVar[tuple[str, ...]] = ("x", "y", "z")

    noise: float = knob(0.0, 0.0, 1.0, label=N_("Noise"), step=0.01)


@dataclass(frozen=True)
class RandomWalk(Forecast):
    name: ClassVar[str] = "walk"
    label: ClassVar[str] = N_("Random walk")
    help: ClassVar[str] = N_(
        "A price that drifts up or down, calmly or wildly, and changes its ways without notice."
        " Repeating the last value is hard to beat: that is the lesson."
    )

    drift: float = knob(0.02, 0.0, 0.1, label=N_("Drift"), step=0.005)
    volatility: float = knob(0.1, 0.01, 1.0, label=N_("Volatility"), step=0.01)


@dataclass(frozen=True)
class Waveforms(MadeUp):
    name: ClassVar[str] = "waveforms"
    label: ClassVar[str] = N_("Ten waveforms")
    help: ClassVar[str] = N_(
        "Which of ten waveforms is it? A softmax over ten classes; guessing gives ln 10 = 2.303."
        " Solved below a cross-entropy of 0.1."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION
    classes: ClassVar[tuple[str, ...]] = (
        N_("sine"),
        N_("square"),
        N_("triangle"),
        N_("rising saw"),
        N_("falling saw"),
        N_("pulse"),
        N_("rectified sine"),
        N_("two tones"),
        N_("chirp"),
        N_("damped sine"),
    )

    length: int = knob(50, 8, 1000, label=N_("Sequence length"), log=True, unit=N_("time steps"))
    noise: float = knob(0.1, 0.0, 1.0, label=N_("Noise"), step=0.01)

"""Decay schedules: pure functions of the step. The preview and the training call the same one."""

import math
from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.knobs import Choice, knob, table_of
from gruviz.words import N_


@dataclass(frozen=True)
class Schedule(Choice):
    """A row of SCHEDULES."""

    def factor(self, step: int, steps: int) -> float:
        """What the learning rate is multiplied by at `step` (from 0) of `steps` in all."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Schedule):
    name: ClassVar[str] = "constant"
    label: ClassVar[str] = N_("Constant")
    help: ClassVar[str] = N_("The learning rate stays as it is.")

    def factor(self, step: int, steps: int) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    name: ClassVar[str] = "step"
    label: ClassVar[str] = N_("Step")
    help: ClassVar[str] = N_("The rate is multiplied by a factor at regular intervals.")

    every: int = knob(2000, 1, 100_000, label=N_("Decay every"), log=True, unit=N_("steps"))
    drop: float = knob(0.5, 0.01, 1.0, label=N_("Multiply by"), step=0.01)

    def factor(self, step: int, steps: int) -> float:
        return float(self.drop ** (step // self.every))


@dataclass(frozen=True)
class Exponential(Schedule):
    name: ClassVar[str] = "exponential"
    label: ClassVar[str] = N_("Exponential")
    help: ClassVar[str] = N_("The rate falls by the same share at every step.")

    final: float = knob(
        0.01,
        1e-6,
        1.0,
        label=N_("Final share"),
        log=True,
        help=N_("Share of the rate left at the end."),
    )

    def factor(self, step: int, steps: int) -> float:
        return float(self.final ** (step / steps))


@dataclass(frozen=True)
class Cosine(Schedule):
    """Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983), equation 5, without restarts."""

    name: ClassVar[str] = "cosine"
    label: ClassVar[str] = N_("Cosine")
    help: ClassVar[str] = N_("Slow at first, fast in the middle, slow at the end: half a cosine.")

    final: float = knob(
        0.0,
        0.0,
        1.0,
        label=N_("Final share"),
        step=0.01,
        help=N_("Share of the rate left at the end."),
    )

    def factor(self, step: int, steps: int) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * min(step / steps, 1))) / 2


SCHEDULES = table_of(Constant, StepDecay, Exponential, Cosine)

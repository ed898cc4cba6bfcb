"""Schedules: pure functions of the step, and of the validations so far where they listen to them.

The preview and the training call the same ones.
"""

import math
from collections.abc import Sequence
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

    def reduced(self, _losses: Sequence[float]) -> float:
        """What it is multiplied by besides, after validations with these losses."""
        return 1.0


def _final(default: float = 0.0) -> float:
    found: float = knob(
        default,
        0.0,
        1.0,
        label=N_("Final share"),
        step=0.01,
        help=N_("Share of the rate left at the end."),
    )
    return found


@dataclass(frozen=True)
class Constant(Schedule):
    name: ClassVar[str] = "constant"
    label: ClassVar[str] = N_("Constant")
    help: ClassVar[str] = N_("The learning rate stays as it is.")

    def factor(self, _step: int, _steps: int) -> float:
        return 1.0


@dataclass(frozen=True)
class StepDecay(Schedule):
    name: ClassVar[str] = "step"
    label: ClassVar[str] = N_("Step")
    help: ClassVar[str] = N_("The rate is multiplied by a factor at regular intervals.")

    every: int = knob(2000, 1, 100_000, label=N_("Decay every"), log=True, unit=N_("steps"))
    drop: float = knob(0.5, 0.01, 1.0, label=N_("Multiply by"), step=0.01)

    def factor(self, step: int, _steps: int) -> float:
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
class InverseTime(Schedule):
    """Robbins and Monro 1951: the classical decay, whose sum is infinite and whose squares' isn't."""

    name: ClassVar[str] = "inverse"
    label: ClassVar[str] = N_("Inverse time")
    help: ClassVar[str] = N_("The rate falls as 1 / (1 + t): fast at first, then ever more slowly.")

    half: int = knob(
        1000,
        1,
        100_000,
        label=N_("Half after"),
        log=True,
        unit=N_("steps"),
        help=N_("When half of the rate is left; a third after twice as many steps."),
    )

    def factor(self, step: int, _steps: int) -> float:
        return 1 / (1 + step / self.half)


@dataclass(frozen=True)
class Polynomial(Schedule):
    name: ClassVar[str] = "polynomial"
    label: ClassVar[str] = N_("Polynomial")
    help: ClassVar[str] = N_("A straight line down for a power of 1; a larger one falls earlier.")

    power: float = knob(1.0, 0.1, 10.0, label=N_("Power"), log=True)
    final: float = _final()

    def factor(self, step: int, steps: int) -> float:
        return float(self.final + (1 - self.final) * (1 - min(step / steps, 1)) ** self.power)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983), equation 5, without restarts."""

    name: ClassVar[str] = "cosine"
    label: ClassVar[str] = N_("Cosine")
    help: ClassVar[str] = N_("Slow at first, fast in the middle, slow at the end: half a cosine.")

    final: float = _final()

    def factor(self, step: int, steps: int) -> float:
        return _cosine(1.0, self.final, min(step / steps, 1))


def _cosine(start: float, end: float, share: float) -> float:
    """Half a cosine from start to end, at a share of the way."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class CosineRestarts(Schedule):
    """Loshchilov and Hutter 2017 (SGDR, arXiv 1608.03983), equation 5."""

    name: ClassVar[str] = "restarts"
    label: ClassVar[str] = N_("Cosine with restarts")
    help: ClassVar[str] = N_("Half cosines one after the other: each start shakes the weights up.")

    first: int = knob(1000, 1, 100_000, label=N_("First cycle"), log=True, unit=N_("steps"))
    stretch: int = knob(2, 1, 4, label=N_("Each cycle is longer by"), unit=N_("times"))
    final: float = _final()

    def factor(self, step: int, _steps: int) -> float:
        length = self.first
        while step >= length:
            if self.stretch == 1:
                step %= length
                break
            step -= length
            length *= self.stretch
        return _cosine(1.0, self.final, step / length)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Smith and Topin 2018 (Super-convergence, arXiv 1708.07120), in torch's form: two half cosines.

    The learning rate is the one at the top.
    """

    name: ClassVar[str] = "one_cycle"
    label: ClassVar[str] = N_("One cycle")
    help: ClassVar[str] = N_(
        "Up to the learning rate and down again, far below the start: allows larger rates."
    )

    rise: float = knob(
        0.3, 0.01, 0.99, label=N_("Rise"), step=0.01, help=N_("Share of the run until the top.")
    )
    first: float = knob(
        0.04,
        1e-4,
        1.0,
        label=N_("First share"),
        log=True,
        help=N_("Share of the rate at the start."),
    )
    final: float = knob(
        4e-6,
        1e-8,
        1.0,
        label=N_("Final share"),
        log=True,
        help=N_("Share of the rate left at the end."),
    )

    def factor(self, step: int, steps: int) -> float:
        top, last = self.rise * steps - 1, steps - 1
        if step <= top:
            return _cosine(self.first, 1.0, step / top if top > 0 else 1.0)
        return _cosine(1.0, self.final, min((step - top) / (last - top), 1))


@dataclass(frozen=True)
class Plateau(Schedule):
    """torch.optim.lr_scheduler.ReduceLROnPlateau, over validation losses."""

    name: ClassVar[str] = "plateau"
    label: ClassVar[str] = N_("When it gets no better")
    help: ClassVar[str] = N_(
        "The rate is multiplied by a factor whenever the validation loss has stopped falling."
    )

    drop: float = knob(0.1, 0.01, 0.99, label=N_("Multiply by"), step=0.01)
    patience: int = knob(
        10,
        0,
        100,
        label=N_("Patience"),
        unit=N_("validations"),
        help=N_("Validations in a row that may be no better before the rate is cut."),
    )
    threshold: float = knob(
        1e-4,
        1e-6,
        0.5,
        label=N_("Better by"),
        log=True,
        help=N_("Share by which a loss must be below the best one to count as better."),
    )
    final: float = knob(
        1e-3,
        1e-8,
        1.0,
        label=N_("Smallest share"),
        log=True,
        help=N_("Share of the rate that is always left."),
    )

    def factor(self, _step: int, _steps: int) -> float:
        return 1.0

    def reduced(self, losses: Sequence[float]) -> float:
        best, waited, share = math.inf, 0, 1.0
        for loss in losses:
            if loss < best * (1 - self.threshold):
                best, waited = loss, 0
            else:
                waited += 1
            if waited > self.patience:
                share, waited = max(share * self.drop, self.final), 0
        return share


SCHEDULES = table_of(
    Constant,
    StepDecay,
    Exponential,
    InverseTime,
    Polynomial,
    Cosine,
    CosineRestarts,
    OneCycle,
    Plateau,
)

"""The learning-rate range test: which rate to begin with."""

from dataclasses import dataclass

import numpy as np

from gruviz.experiment import Experiment, Knob, about
from gruviz.record import Checkpoint
from gruviz.studies.state import Floats, Ints
from gruviz.words import _

LOWEST, HIGHEST = 1e-6, 10.0  # learning rates
HALF_WINDOW = 4  # steps to either side of the one whose loss is smoothed
GIVE_UP_ABOVE = 4.0  # times the smallest smoothed loss
SMALLEST_FALL = 0.02  # share of the loss
SMALLEST_PART = 0.05  # of the loss that a run began with
SURE = 6  # standard errors: a flat curve has many places at which chance may find its lowest


@dataclass(frozen=True, eq=False)
class RangeTest:
    """The loss while the learning rate grows exponentially, over several seeds.

    start: where each seed starts; None: from initial weights of its own
    rates: (steps,); losses: (seeds, steps), of each batch before its update; NaN: not reached, or
    no finite number. reached: (seeds,) how many steps each seed has made.
    """

    start: Checkpoint | None
    rates: Floats
    losses: Floats
    reached: Ints
    seed: int = 0
    here: Checkpoint | None = None

    @classmethod
    def begin(
        cls, start: Checkpoint | None = None, *, seeds: int = 5, steps: int = 100
    ) -> "RangeTest":
        """From LOWEST to HIGHEST, or as far as the learning rate's own control goes."""
        knob = dict(about(Experiment))["learning_rate"]
        assert isinstance(knob, Knob) and knob.low is not None and knob.high is not None
        # geomspace may end a bit outside of its ends.
        rates = np.geomspace(LOWEST, HIGHEST, steps).clip(knob.low, knob.high)
        return cls(start, rates, np.full((seeds, steps), np.nan), np.zeros(seeds, np.int64))

    @property
    def progress(self) -> float:
        seeds, steps = self.losses.shape
        if self.seed >= seeds:
            return 1.0
        return float((self.seed + self.reached[self.seed] / steps) / seeds)

    @property
    def smooth(self) -> Floats:
        """(seeds, steps): the geometric mean over a centred window, cut short at both ends."""
        return np.stack([smoothed(row) for row in self.losses])

    @property
    def band(self) -> tuple[Floats, Floats, Floats]:
        """The smallest, the geometric mean and the largest of the seeds' smoothed losses, (steps,)
        each; NaN from where the first seed ended: those left over are no fair sample."""
        smooth = self.smooth[: self.seed + 1]
        mean = np.exp(np.log(smooth).mean(axis=0))
        there = np.isfinite(mean)
        low, high = (np.where(there, edge, np.nan) for edge in (smooth.min(0), smooth.max(0)))
        return low, mean, high

    @property
    def suggestion(self) -> "Suggestion":
        """What the finished test says, see `suggest`."""
        began = None if self.start is None else self.start.first_loss
        return suggest(self.rates, self.losses, began)


def smoothed(losses: Floats) -> Floats:
    """The geometric mean of up to HALF_WINDOW losses to either side; NaN where there is no loss.

    Losses span decades; the window is centred, for one that looks back would show a fall late and
    so at too large a rate.
    """
    there = np.isfinite(losses)
    logs = np.log(np.where(there, np.maximum(losses, np.finfo(float).tiny), 1.0))
    window = np.ones(2 * HALF_WINDOW + 1)
    count = np.convolve(there.astype(float), window)[HALF_WINDOW : HALF_WINDOW + len(losses)]
    total = np.convolve(logs, window)[HALF_WINDOW : HALF_WINDOW + len(losses)]
    return np.where(there, np.exp(total / np.maximum(count, 1)), np.nan)


@dataclass(frozen=True)
class Suggestion:
    """A learning rate and why, in a sentence with its numbers; None: the curve supports none."""

    rate: float | None
    reason: str


def suggest(rates: Floats, losses: Floats, began: float | None = None) -> Suggestion:
    """The rate of steepest descent, but at most a tenth of that where the worst seed begins to rise.

    rates: (steps,); losses: (seeds, steps), NaN where a seed has ended; began: the first loss of the
    run, where it has been trained before. Smith 2017 (arXiv 1506.01186) reads such a curve by eye;
    both rates here are measured on losses smoothed as in `smoothed`. A fall counts if it is over 2 %
    and over six standard errors of the mean's noise; and of a trained run, if it is over 5 % of the
    first loss. For at any rate far below its own, the noise of such a run's last steps is averaged
    out and its loss falls a little, which says nothing about a rate to learn with.
    """
    smooth = np.log(np.stack([smoothed(row) for row in losses]))
    seeds = len(smooth)
    shared = int(np.isfinite(smooth).all(axis=0).sum())
    if shared < 2 * HALF_WINDOW:
        return Suggestion(
            None,
            _(
                "No suggestion: after {count} steps, at a rate of {rate:.2g}, the loss had already"
                " blown up."
            ).format(count=shared, rate=rates[max(shared - 1, 0)]),
        )
    mean = smooth[:, :shared].mean(axis=0)
    window = 2 * HALF_WINDOW + 1
    lowest = int(mean.argmin())
    calm = slice(0, max(lowest, window))  # before the explosion
    rough = np.log(np.maximum(losses[:, calm], np.finfo(float).tiny))
    noise = float(np.nanstd(rough - smooth[:, calm]))
    fall = float(mean[:window].mean() - mean[lowest])
    certain = max(-np.log1p(-SMALLEST_FALL), SURE * noise / np.sqrt(window * seeds))
    if fall < certain:
        return Suggestion(
            None,
            _(
                "No suggestion: the curve is flat. The mean loss of {seeds} seeds never fell by more"
                " than {fall:.1%}, and only a fall of {certain:.1%} would stand out from the noise of"
                " its batches."
            ).format(seeds=seeds, fall=-np.expm1(-max(fall, 0.0)), certain=-np.expm1(-certain)),
        )
    start, low = (float(np.exp(value)) for value in (mean[:window].mean(), mean[lowest]))
    if began is not None and start - low < SMALLEST_PART * began:
        return Suggestion(
            None,
            _(
                "No suggestion: the curve is flat. The run has come from a loss of {began:.2g} to"
                " {start:.2g}, and from there no rate takes it far: {low:.2g} was the lowest within"
                " these steps. Start from initial weights to find a rate."
            ).format(began=began, start=start, low=low),
        )
    slope = np.gradient(mean, np.log10(rates[:shared]))
    steepest = int(slope[: lowest + 1].argmin())
    rising = [_rise(row, noise / np.sqrt(window)) for row in smooth]
    worst = min((at for at in rising if at is not None), default=None)
    fastest = _(
        "The mean loss of {seeds} seeds fell fastest at {rate:.2g}, by {drop:.0%} for each factor of"
        " ten"
    ).format(seeds=seeds, rate=rates[steepest], drop=-np.expm1(slope[steepest]))
    if worst is None:
        return Suggestion(
            _rounded(rates[steepest]),
            _("{fastest}, and no seed's loss rose up to {last:.2g}.").format(
                fastest=fastest, last=rates[-1]
            ),
        )
    tenth = rates[worst] / 10
    if tenth < rates[0]:
        return Suggestion(
            None,
            _(
                "No suggestion: {fastest}, but the worst seed's loss rose from {rise:.2g} on, and a"
                " tenth of that is below the smallest rate, {first:.2g}."
            ).format(fastest=fastest[:1].lower() + fastest[1:], rise=rates[worst], first=rates[0]),
        )
    if rates[steepest] <= tenth:
        why = _(
            "{fastest}; that is below a tenth of {rise:.2g}, from where the worst seed's loss rose."
        )
    else:
        why = _(
            "{fastest}, but the worst seed's loss rose from {rise:.2g} on: a tenth of that is the"
            " safer choice."
        )
    return Suggestion(
        _rounded(min(rates[steepest], tenth)), why.format(fastest=fastest, rise=rates[worst])
    )


def _rise(smooth: Floats, noise: float) -> int | None:
    """Where a seed is for the last time within its noise of its smallest loss; None: to the end."""
    within = np.flatnonzero(smooth <= np.nanmin(smooth) + 2 * noise)
    return int(within[-1]) if within[-1] < len(smooth) - 1 else None


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")

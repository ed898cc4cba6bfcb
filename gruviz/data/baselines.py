"""Forecasts without a network, which a network has to beat.

A baseline is fitted on the training part of a series, in the data's own units, and then forecasts
from windows (n, length) of at least `reach` values, of which the last ones count: (n, horizon).
A NaN among the values that it uses makes NaN of its forecast; carry forward first
(`gruviz.data.missing.carry`) to forecast from windows with holes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import threadpool_limits

from gruviz.data.missing import carry, whole_runs
from gruviz.data.seasons import season_of
from gruviz.words import N_

Floats = npt.NDArray[np.float64]

MOST_FITTED = 4_000_000  # values in the windows that the autoregression is fitted on: a second


class Baseline(Protocol):
    """reach: how many values of the past a forecast needs."""

    @property
    def reach(self) -> int: ...

    def forecast(self, windows: Floats) -> Floats:
        """(n, length) to (n, horizon)."""
        ...


@dataclass(frozen=True)
class Last:
    """Every value to come is the last one (Hyndman, Athanasopoulos, FPP3, section 5.2: naive)."""

    horizon: int
    reach: int = 1

    def forecast(self, windows: Floats) -> Floats:
        return np.repeat(windows[:, -1:], self.horizon, axis=1)


@dataclass(frozen=True)
class SeasonalNaive:
    """Every value to come is the one a season before it, or two or more (FPP3, section 5.2)."""

    horizon: int
    season: int

    @property
    def reach(self) -> int:
        return self.season

    def forecast(self, windows: Floats) -> Floats:
        return windows[:, -self.season :][:, np.arange(self.horizon) % self.season]


@dataclass(frozen=True)
class Drift:
    """The last value, and on with the training part's mean change per row (FPP3, section 5.2)."""

    horizon: int
    slope: float
    reach: int = 1

    def forecast(self, windows: Floats) -> Floats:
        return windows[:, -1:] + self.slope * np.arange(1, self.horizon + 1)


@dataclass(frozen=True, eq=False)
class LinearAutoregression:
    """Each value to come is a weighted sum of the window and a constant.

    weights: (window, horizon); constant: (horizon,). One regression for each step of the horizon
    ("direct" forecasts: Ben Taieb, Bontempi, Atiya, Sorjamaa 2012, section 2).
    """

    weights: Floats
    constant: Floats

    @property
    def reach(self) -> int:
        return len(self.weights)

    def forecast(self, windows: Floats) -> Floats:
        forecast: Floats = windows[:, -self.reach :] @ self.weights + self.constant
        return forecast


def last(_training: Floats, _window: int, horizon: int) -> Last:
    return Last(horizon)


def seasonal(training: Floats, _window: int, horizon: int) -> SeasonalNaive | None:
    """With the season of `season_of`; None if there is none."""
    season = season_of(training)
    return None if season is None else SeasonalNaive(horizon, season)


def drift(training: Floats, _window: int, horizon: int) -> Drift | None:
    """From the first to the last value present; None with less than two."""
    present = np.flatnonzero(np.isfinite(training))
    if len(present) < 2:
        return None
    first, end = present[0], present[-1]
    return Drift(horizon, float((training[end] - training[first]) / (end - first)))


def linear(training: Floats, window: int, horizon: int) -> LinearAutoregression | None:
    """Least squares, without a penalty, over the training windows whose targets are all present.

    Holes in the inputs are carried forward, as they are for a forecast. Of many windows, so many
    evenly spaced ones are fitted as hold MOST_FITTED values. None if there are no more windows than
    weights: such a fit would be exact and worth nothing.
    """
    if len(training) < window + horizon:
        return None
    inputs = sliding_window_view(carry(training[:, None])[:, 0], window)
    targets = sliding_window_view(training, horizon)[window:]
    # Before the first value there is nothing to carry.
    whole = (
        np.isfinite(inputs[: len(targets), 0]) & whole_runs(np.isfinite(training), horizon)[window:]
    )
    rows = np.flatnonzero(whole)
    rows = rows[:: -(-len(rows) // max(MOST_FITTED // window, 2 * window)) or 1]
    if len(rows) <= window + 1:
        return None
    x, y = inputs[rows], targets[rows]
    # Centred on one number and scaled by one: the same fit, better conditioned.
    centre, scale = float(x.mean()), float(x.std()) or 1.0
    design = np.hstack([(x - centre) / scale, np.ones((len(x), 1))])
    # On a busy machine the threads of a BLAS wait for each other: twenty seconds instead of one.
    with threadpool_limits(1, user_api="blas"):
        found = np.linalg.lstsq(design, (y - centre) / scale)[0].astype(np.float64)
    weights = found[:window]
    return LinearAutoregression(weights, centre * (1 - weights.sum(axis=0)) + scale * found[window])


@dataclass(frozen=True)
class Entry:
    """label: for menus and legends; fit: from (training, window, horizon) to the baseline, None
    where the data has no such thing; naive: one that "skill" is measured against."""

    label: str
    fit: Callable[[Floats, int, int], Baseline | None]
    naive: bool = True


BASELINES: Mapping[str, Entry] = {
    "last": Entry(N_("Repeat the last value"), last),
    "seasonal": Entry(N_("Seasonal naive"), seasonal),
    "drift": Entry(N_("Drift"), drift),
    "linear": Entry(N_("Linear autoregression"), linear, naive=False),
}

"""Rolling-origin backtest: train on the past, forecast what follows, move on; and what its errors
say about how far off the next forecast may be (Tashman 2000; FPP3, section 5.10)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from gruviz.data import measures
from gruviz.data.baselines import BASELINES, Baseline
from gruviz.data.missing import carry
from gruviz.data.seasons import season_of
from gruviz.errors import GruvizError
from gruviz.words import _

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

MOST_VALUES = 2_000_000  # in the windows that are forecast from at once


@dataclass(frozen=True)
class Fold:
    """Train on rows before `train_end`; test targets are rows from there to before `test_end`."""

    train_end: int
    test_end: int

    def ends(self, horizon: int) -> Rows:
        """The rows at which the test's forecasts begin: all their targets lie in the fold."""
        return np.arange(self.train_end, self.test_end - horizon + 1)


def rolling_origins(length: int, window: int, horizon: int, folds: int) -> tuple[Fold, ...]:
    """Folds in the order of time: each test part is the end of the training part of the next.

    The test parts are of one length, side by side, and end with the series; together they are about
    its second half, and more where a test part would else be shorter than the horizon.

    Raises GruvizError if less than two training windows are left to the first fold.
    """
    if folds < 1:
        raise GruvizError(_("A backtest has at least 1 fold, not {folds}.").format(folds=folds))
    size = max((length - length // 2) // folds, horizon)
    first = length - folds * size
    if first < window + horizon + 1:
        raise GruvizError(
            _(
                "With {rows:,} rows, a window of {window} and a horizon of {horizon} are too long for"
                " a backtest of {folds} folds; make one of them smaller."
            ).format(rows=length, window=window, horizon=horizon, folds=folds)
        )
    return tuple(Fold(end, end + size) for end in range(first, length, size))


def targets(series: Floats, ends: Rows, horizon: int) -> Floats:
    """The `horizon` values of (time,) from each of the rows `ends` on; (n, horizon)."""
    return sliding_window_view(series, horizon)[ends]


def forecasts(baseline: Baseline, series: Floats, ends: Rows, horizon: int) -> Floats:
    """A baseline's forecasts of the rows from `ends` on, from the rows before them; (n, horizon).

    Holes in the past are filled by carrying forward; NaN where there is too little past.
    """
    past = carry(series[:, None])[:, 0]
    found = np.full((len(ends), horizon), np.nan)
    enough = np.flatnonzero(ends >= baseline.reach)
    if enough.size:
        windows = sliding_window_view(past, baseline.reach)
        at_once = max(1, MOST_VALUES // baseline.reach)
        for start in range(0, len(enough), at_once):
            rows = enough[start : start + at_once]
            found[rows] = baseline.forecast(windows[ends[rows] - baseline.reach])
    return found


def interval(residuals: Floats, coverage: float = 0.8) -> tuple[Floats, Floats]:
    """What to add to a forecast to get the ends of its prediction interval; two of (horizon,).

    Empirical quantiles of the residuals (n, horizon) of each step, without assuming a distribution
    (FPP3, section 5.5). NaN for a step with less than 2 / (1 - coverage) - 1 residuals: their
    extremes don't reach that far out.
    """
    tail = (1 - coverage) / 2
    low, high = np.full((2, residuals.shape[1]), np.nan)
    for step, column in enumerate(residuals.T):
        present = column[~np.isnan(column)]
        if round((len(present) + 1) * tail, 9) >= 1:
            low[step], high[step] = np.quantile(present, [tail, 1 - tail])
    return low, high


@dataclass(frozen=True, eq=False)
class ScoredForecasts:
    """Forecasts of the same rows side by side.

    season: that of the training part, by which MASE scales too; None: there is none, and MASE
        scales by the one-row naive error. naive_error: what MASE divides by, in the data's units.
    forecasts: by name, (n, horizon). scores: by name, its mae, rmse, mase, smape and skill.
    best_naive: the name of the naive forecast with the smallest MAE.
    """

    season: int | None
    naive_error: float
    actual: Floats
    forecasts: Mapping[str, Floats]
    scores: Mapping[str, Mapping[str, float]]
    best_naive: str


def score_forecasts(
    series: Floats,
    border: int,
    window: int,
    horizon: int,
    ends: Rows,
    others: Mapping[str, Floats] | None = None,
) -> ScoredForecasts:
    """The baselines, fitted before the border, and `others` (n, horizon) on forecasts from `ends`.

    Everything is in the data's own units. A baseline that the data doesn't have is left out. Only
    targets for which every one has a forecast count, so that all are scored on the same.
    """
    training = series[:border]
    found = dict(_baselines(series, border, window, horizon, ends)) | dict(others or {})
    actual = targets(series, ends, horizon)
    complete = ~np.isnan(sum(found.values(), actual))
    actual = np.where(complete, actual, np.nan)
    season = season_of(training)
    unit = measures.naive_error(training, season)
    scores = {name: measures.scores(actual, values, unit) for name, values in found.items()}
    naive = [name for name in found if name in BASELINES and BASELINES[name].naive]
    best = min(naive, key=lambda name: scores[name]["mae"])
    for row in scores.values():
        row["skill"] = measures.skill(row["mae"], scores[best]["mae"])
    return ScoredForecasts(season, unit, actual, found, scores, best)


def _baselines(
    series: Floats, border: int, window: int, horizon: int, ends: Rows
) -> Iterator[tuple[str, Floats]]:
    for name, entry in BASELINES.items():
        baseline = entry.fit(series[:border], window, horizon)
        if baseline is not None:
            yield name, forecasts(baseline, series, ends, horizon)

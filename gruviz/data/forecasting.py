"""Forecasting a column, apart from any page: where rows stand in time, every forecaster's forecast of
what follows, and the tables in which they are told apart."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.csv import Table
from gruviz.data.backtest import ScoredForecasts, score_forecasts
from gruviz.data.baselines import BASELINES
from gruviz.data.loading import Fetch, series_of
from gruviz.data.missing import carry
from gruviz.data.preview import Preview
from gruviz.data.scaling import fit
from gruviz.experiment import TableTask
from gruviz.words import _, readable

Floats = npt.NDArray[np.float64]

LATE_ROWS = 30  # whose times say how it goes on
MEASURES = ("mae", "rmse", "mase", "smape", "skill")


def axis(table: Table, rows: int) -> tuple[npt.NDArray[Any], str]:
    """Where each row stands: its time, or its number."""
    if table.time is None or len(table.time) != rows:
        return np.arange(rows), _("row")
    return table.time.to_numpy(), _("time")


def leak(task: TableTask, series: Floats, data: Preview) -> str:
    """What the scaling has learnt from the validation part, in numbers."""
    honest = fit(task.scaling, series[: data.border])
    return _(
        "The scaling leaks: fitted on all rows it has offset {leaky} and scale {leaky_scale}, on the"
        " training part alone {honest} and {honest_scale}. Validation looks better than it will be."
    ).format(
        leaky=readable(data.mean),
        leaky_scale=readable(data.scale),
        honest=readable(honest.offset[0]),
        honest_scale=readable(honest.scale[0]),
    )


@lru_cache(maxsize=8)
def baseline_scores(
    task: TableTask, seed: int, fetch: Fetch, border: int, ends: bytes
) -> ScoredForecasts:
    """The baselines' forecasts from the rows `ends` (int64), scored; kept for the next look."""
    series = series_of(task, seed, fetch)
    return score_forecasts(series, border, task.window, task.horizon, np.frombuffer(ends, np.int64))


def scale_in_words(known: ScoredForecasts) -> str:
    """By what MASE divides, and with what skill compares."""
    if known.season is None:
        text = _("MASE divides by the naive one-row error of the training part, {error}.")
    else:
        text = _(
            "A season of {season} rows was found. MASE divides by the seasonal-naive error of the"
            " training part, {error}."
        )
    return (
        text.format(season=known.season, error=readable(known.naive_error))
        + " "
        + _("Skill compares with {name}.").format(name=_(BASELINES[known.best_naive].label).lower())
    )


def score_table(known: ScoredForecasts) -> pd.DataFrame:
    """Measures in the data's own units, one forecaster a row, the network first."""
    labels = {
        "mae": "MAE",
        "rmse": "RMSE",
        "mase": "MASE",
        "smape": "sMAPE (%)",
        "skill": _("skill"),
    }
    rows = sorted(known.scores, key=lambda name: name in BASELINES)
    return pd.DataFrame(
        [
            {_("forecaster"): label_of(name)}
            | {labels[each]: _score(known, name, each) for each in MEASURES}
            for name in rows
        ]
    )


def label_of(name: str) -> str:
    """A forecaster's name as people say it."""
    return _(BASELINES[name].label) if name in BASELINES else name


def latest_forecasts(task: TableTask, data: Preview, series: Floats) -> Mapping[str, Floats]:
    """Each baseline's forecast of what follows the last row, by name, (horizon,)."""
    found = {}
    for name, entry in BASELINES.items():
        baseline = entry.fit(series[: data.border], task.window, task.horizon)
        past = carry(series[:, None])[:, 0]
        if baseline is not None and len(past) >= baseline.reach:
            found[name] = baseline.forecast(past[None, len(past) - baseline.reach :])[0]
    return found


def ahead_of(table: Table, rows: int, horizon: int) -> tuple[npt.NDArray[Any], str]:
    """Where the rows after the last one stand: a month, a year, or a usual step of time apart."""
    x, title = axis(table, rows)
    if np.issubdtype(x.dtype, np.datetime64):
        if (months := _months_apart(late := pd.DatetimeIndex(x[-LATE_ROWS:]))) is not None:
            ends = pd.offsets.MonthEnd(0) if late.is_month_end.all() else pd.DateOffset(days=0)
            ahead = [late[-1] + pd.DateOffset(months=months * n) for n in range(1, horizon + 1)]
            return np.array([time + ends for time in ahead], "datetime64[ns]"), title
        steps = np.diff(x)
        step = np.median(steps) if len(steps) else np.timedelta64(1, "D")
        return x[-1] + step * np.arange(1, horizon + 1), title
    return np.arange(rows, rows + horizon), title


def _months_apart(times: pd.DatetimeIndex) -> int | None:
    """How many months lie between all neighbours, which stand on one day of the month or its last."""
    months = np.diff(12 * times.year + times.month)
    same = len(set(times.day)) == 1 or times.is_month_end.all()
    return int(months[0]) if same and len(set(months)) == 1 and months[0] > 0 else None


def backtest_table(rows: list[ScoredForecasts]) -> pd.DataFrame:
    """MAE of each forecaster in each fold, and the mean of its MASE over the folds."""
    names = sorted({name for row in rows for name in row.scores}, key=lambda n: n in BASELINES)
    return pd.DataFrame(
        [
            {_("forecaster"): label_of(name)}
            | {
                _("MAE, fold {number}").format(number=number): _score(row, name, "mae")
                for number, row in enumerate(rows, 1)
            }
            | {
                _("mean MASE"): number(
                    float(np.mean([row.scores[name]["mase"] for row in rows if name in row.scores]))
                )
            }
            for name in names
        ]
    )


def _score(row: ScoredForecasts, name: str, measure: str) -> str:
    return number(row.scores[name][measure]) if name in row.scores else "–"


def number(value: float) -> str:
    """A measure, or a dash where it is a share of nothing."""
    return "–" if np.isnan(value) else readable(value)

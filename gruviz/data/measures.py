"""How far forecasts are off, in the data's own units. Pairs with a NaN on either side don't count;
without any pair a measure is NaN, as is one that divides by 0."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def _mean(values: Floats) -> float:
    present = values[~np.isnan(values)]
    return float(present.mean()) if present.size else float("nan")


def mae(actual: Floats, forecast: Floats) -> float:
    """Mean absolute error; both of one shape."""
    return _mean(np.abs(forecast - actual))


def rmse(actual: Floats, forecast: Floats) -> float:
    """Root of the mean squared error; both of one shape."""
    return float(np.sqrt(_mean((forecast - actual) ** 2)))


def smape(actual: Floats, forecast: Floats) -> float:
    """Symmetric mean absolute percentage error, 0 to 200 (%).

    200 |f - a| / (|a| + |f|), as in the M4 competition (Makridakis, Spiliotis, Assimakopoulos
    2020); 0 where both are 0.
    """
    size = np.abs(actual) + np.abs(forecast)
    part = np.abs(forecast - actual) / np.where(size == 0, 1.0, size)
    return 200 * _mean(part)


def naive_error(training: Floats, season: int | None = None) -> float:
    """What MASE divides by: the mean absolute difference of training values a season apart.

    Hyndman and Koehler 2006, "Another look at measures of forecast accuracy", equation 3 (season
    None: one row apart), and its seasonal form (FPP3, section 5.8). training: (time,).
    """
    lag = season or 1
    return _mean(np.abs(training[lag:] - training[:-lag]))


def mase(actual: Floats, forecast: Floats, naive: float) -> float:
    """Mean absolute scaled error: the MAE over `naive_error`; above 1, naive one-row (or one-season)
    forecasts inside the training part were better. NaN if that error is 0, as for a constant."""
    return mae(actual, forecast) / naive if naive > 0 else float("nan")


def skill(error: float, best_naive: float) -> float:
    """1 - error / error of the best naive forecast: 1 is perfect, 0 no better, below 0 worse.

    Where the naive forecast is perfect, 0 for another perfect one, else NaN.
    """
    if best_naive > 0:
        return 1 - error / best_naive
    return 0.0 if error == best_naive == 0 else float("nan")


def scores(actual: Floats, forecast: Floats, naive: float) -> dict[str, float]:
    """All measures but skill: mae, rmse, mase, smape."""
    return {
        "mae": mae(actual, forecast),
        "rmse": rmse(actual, forecast),
        "mase": mase(actual, forecast, naive),
        "smape": smape(actual, forecast),
    }

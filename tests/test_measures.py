"""Measures: numbers worked out by hand, and what zeros, constants and NaN make of them."""

import math

import numpy as np
import pytest

from gruviz.data.measures import mae, mase, naive_error, rmse, scores, skill, smape

ACTUAL = np.array([[1.0, 2.0], [3.0, 4.0]])
FORECAST = np.array([[2.0, 2.0], [0.0, 4.0]])  # off by 1, 0, -3, 0


def test_the_four_measures_of_four_forecasts_are_these() -> None:
    assert mae(ACTUAL, FORECAST) == 1.0
    assert rmse(ACTUAL, FORECAST) == math.sqrt(10 / 4)
    assert mase(ACTUAL, FORECAST, 0.5) == 2.0
    # |1|/(1+2), 0, |3|/(3+0), 0: a mean of 1/3, times 200
    assert smape(ACTUAL, FORECAST) == pytest.approx(200 / 3)
    assert scores(ACTUAL, FORECAST, 0.5) == {
        "mae": 1.0,
        "rmse": math.sqrt(2.5),
        "mase": 2.0,
        "smape": pytest.approx(200 / 3),
    }


def test_the_naive_forecast_inside_the_training_part_has_a_mase_of_one() -> None:
    training = np.random.default_rng(0).standard_normal(100).cumsum()
    assert mase(training[1:], training[:-1], naive_error(training)) == pytest.approx(1)
    assert mase(training[12:], training[:-12], naive_error(training, 12)) == pytest.approx(1)
    assert naive_error(training, 12) > naive_error(training) == naive_error(training, None)


def test_the_measures_are_those_of_the_definition_written_out() -> None:
    generator = np.random.default_rng(1)
    y, f, training = (generator.standard_normal(50) for _ in range(3))
    scale = sum(abs(training[t] - training[t - 1]) for t in range(1, 50)) / 49
    assert mase(y, f, naive_error(training)) == pytest.approx(
        sum(abs(a - b) for a, b in zip(y, f, strict=True)) / 50 / scale
    )
    assert smape(y, f) == pytest.approx(
        sum(200 * abs(a - b) / (abs(a) + abs(b)) for a, b in zip(y, f, strict=True)) / 50
    )


def test_missing_pairs_do_not_count() -> None:
    actual, forecast = ACTUAL.copy(), FORECAST.copy()
    actual[0, 0] = np.nan
    forecast[1, 1] = np.nan
    assert mae(actual, forecast) == 1.5
    assert rmse(actual, forecast) == math.sqrt(4.5)
    assert smape(actual, forecast) == 100
    assert naive_error(np.array([1.0, np.nan, 3.0, 5.0])) == 2.0


def test_without_any_pair_every_measure_is_nan() -> None:
    nothing = np.full((2, 2), np.nan)
    assert all(math.isnan(value) for value in scores(nothing, FORECAST, 1.0).values())
    assert math.isnan(mae(np.empty((0, 3)), np.empty((0, 3))))
    assert math.isnan(naive_error(np.array([1.0])))


def test_zeros_and_constants_are_defined() -> None:
    zeros = np.zeros(4)
    assert smape(zeros, zeros) == 0
    assert smape(zeros, np.ones(4)) == 200
    assert naive_error(np.full(9, 3.0)) == 0
    assert math.isnan(mase(zeros, np.ones(4), naive_error(np.full(9, 3.0))))
    assert math.isnan(mase(zeros, zeros, math.nan))


def test_skill_is_what_is_saved_of_the_best_naive_error() -> None:
    assert skill(0.25, 1.0) == 0.75
    assert skill(2.0, 1.0) == -1.0
    assert skill(0.0, 0.0) == 0.0
    assert math.isnan(skill(1.0, 0.0))
    assert math.isnan(skill(1.0, math.nan)) and math.isnan(skill(math.nan, 1.0))

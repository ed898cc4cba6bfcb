"""Baselines: each is exact where the world is as it assumes."""

from typing import Any

import numpy as np
import pytest

from gruviz.data.baselines import BASELINES, Drift, Last, SeasonalNaive, linear
from gruviz.data.missing import carry, punch


def fitted(name: str, training: np.ndarray, window: int, horizon: int) -> np.ndarray:
    """Forecast of what follows the training part, from all of it; (horizon,)."""
    baseline = BASELINES[name].fit(training, window, horizon)
    assert baseline is not None
    (found,) = baseline.forecast(training[None, :])
    return np.asarray(found)


def test_repeat_last_repeats_the_last_value_of_each_window() -> None:
    windows = np.array([[1.0, 2.0, 3.0], [9.0, 8.0, 7.0]])
    np.testing.assert_array_equal(Last(2).forecast(windows), [[3, 3], [7, 7]])


def test_seasonal_naive_is_exact_on_a_period_of_twelve() -> None:
    series = np.tile(np.random.default_rng(0).standard_normal(12), 20)
    baseline = BASELINES["seasonal"].fit(series[:120], 4, 30)
    assert baseline == SeasonalNaive(horizon=30, season=12)
    assert baseline.reach == 12
    np.testing.assert_array_equal(baseline.forecast(series[None, :120]), series[None, 120:150])
    np.testing.assert_array_equal(baseline.forecast(series[None, 80:125]), series[None, 125:155])


def test_there_is_no_seasonal_naive_without_a_season() -> None:
    noise = np.random.default_rng(0).standard_normal(200)
    assert BASELINES["seasonal"].fit(noise, 10, 5) is None


def test_drift_is_exact_on_a_line_and_takes_the_slope_of_the_training_part() -> None:
    line = 5 - 0.25 * np.arange(40.0)
    training = line[:30].copy()
    training[[0, 29, 10]] = np.nan
    baseline = BASELINES["drift"].fit(training, 4, 3)
    assert baseline == Drift(3, -0.25)
    np.testing.assert_array_equal(baseline.forecast(line[None, :32]), line[None, 32:35])
    assert BASELINES["drift"].fit(np.array([np.nan, 1.0, np.nan]), 1, 1) is None


def test_autoregression_recovers_a_linear_recurrence_exactly() -> None:
    series = np.ones(60)
    series[1] = 3.0
    for t in range(2, 60):
        series[t] = 1.6 * series[t - 1] - 0.9 * series[t - 2] + 2.0
    baseline = linear(series[:40], 2, 3)
    assert baseline is not None
    np.testing.assert_allclose(baseline.weights[:, 0], [-0.9, 1.6], atol=1e-9)
    np.testing.assert_allclose(baseline.constant[0], 2.0, atol=1e-8)
    # Two and three steps ahead: the recurrence put into itself.
    np.testing.assert_allclose(baseline.weights[:, 1], [-0.9 * 1.6, 1.6**2 - 0.9], atol=1e-9)
    np.testing.assert_allclose(fitted("linear", series[:40], 2, 20), series[40:], atol=1e-7)
    np.testing.assert_allclose(baseline.forecast(series[None, 40:50]), [series[50:53]], atol=1e-8)


def test_autoregression_with_more_past_than_needed_is_still_exact() -> None:
    series = 1e6 + np.sin(0.3 * np.arange(200.0)) + 0.5 * np.cos(0.7 * np.arange(200.0))
    np.testing.assert_allclose(fitted("linear", series[:150], 20, 50), series[150:], atol=1e-5)


def test_autoregression_never_learns_a_hole_and_carries_forward_over_those_in_its_past() -> None:
    generator = np.random.default_rng(0)
    series = punch(generator.standard_normal(120).cumsum(), 0.3, (1, 2), generator)
    series[:3] = np.nan
    past = carry(series[:, None])[:, 0]
    rows, answers = [], []
    for end in range(4, 119):
        if np.isfinite(past[end - 4 : end]).all() and np.isfinite(series[end : end + 2]).all():
            rows.append([*past[end - 4 : end], 1.0])
            answers.append(series[end : end + 2])
    expected = np.linalg.lstsq(np.array(rows), np.array(answers))[0]
    found = linear(series, 4, 2)
    assert found is not None
    np.testing.assert_allclose(found.weights, expected[:4], atol=1e-9)
    np.testing.assert_allclose(found.constant, expected[4], atol=1e-9)


def test_autoregression_is_refused_when_it_would_fit_anything() -> None:
    noise = np.random.default_rng(0).standard_normal(30)
    assert linear(noise, 10, 5) is not None  # 16 windows, 11 weights
    assert linear(noise, 13, 5) is None  # 13 windows, 14 weights
    assert linear(noise, 40, 5) is None
    assert linear(np.full(30, np.nan), 2, 1) is None


def test_autoregression_of_a_long_series_is_fitted_on_windows_of_all_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gruviz.data.baselines.MOST_FITTED", 400)
    seen: list[tuple[int, ...]] = []
    solve = np.linalg.lstsq

    def watched(a: np.ndarray, b: np.ndarray) -> Any:
        seen.append(a.shape)
        return solve(a, b)

    monkeypatch.setattr(np.linalg, "lstsq", watched)
    series = np.sin(0.3 * np.arange(5000.0))
    series[2500:] += 7  # which only windows of the second half know of
    found = linear(series, 4, 1)
    assert found is not None
    assert seen == [(100, 5)]
    np.testing.assert_allclose(found.forecast(series[None, 4000:4900]), [[series[4900]]], atol=0.1)


@pytest.mark.parametrize("name", list(BASELINES))
def test_only_the_values_within_reach_decide_a_forecast(name: str) -> None:
    series = np.sin(2 * np.pi * np.arange(96) / 12) + 0.01 * np.arange(96)
    baseline = BASELINES[name].fit(series, 6, 4)
    assert baseline is not None
    assert baseline.reach == {"last": 1, "seasonal": 12, "drift": 1, "linear": 6}[name]
    forecast = baseline.forecast(series[None, :])
    assert forecast.shape == (1, 4)
    np.testing.assert_allclose(baseline.forecast(series[None, -baseline.reach :]), forecast)
    spoiled = series.copy()
    spoiled[-baseline.reach] = np.nan
    assert np.isnan(baseline.forecast(spoiled[None, :])).any()


def test_the_linear_model_is_no_naive_forecast() -> None:
    assert [name for name, entry in BASELINES.items() if entry.naive] == [
        "last",
        "seasonal",
        "drift",
    ]

"""The backtest moves forward in time and never trains on what it tests."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gruviz.data.backtest import (
    Fold,
    forecasts,
    interval,
    rolling_origins,
    score_forecasts,
    targets,
)
from gruviz.data.baselines import BASELINES, Last, SeasonalNaive
from gruviz.errors import GruvizError
from tests.test_experiment import SURE


def test_the_folds_of_a_hundred_rows_are_these() -> None:
    assert rolling_origins(100, 10, 3, 5) == (
        Fold(50, 60),
        Fold(60, 70),
        Fold(70, 80),
        Fold(80, 90),
        Fold(90, 100),
    )
    assert Fold(50, 60).ends(3).tolist() == [50, 51, 52, 53, 54, 55, 56, 57]
    # Test parts are never shorter than the horizon.
    assert rolling_origins(100, 10, 15, 4) == (
        Fold(40, 55),
        Fold(55, 70),
        Fold(70, 85),
        Fold(85, 100),
    )
    assert Fold(40, 55).ends(15).tolist() == [40]


@SURE
@given(st.integers(1, 400), st.integers(1, 40), st.integers(1, 30), st.integers(1, 12))
def test_no_test_target_is_a_training_target_of_its_fold_and_none_is_tested_twice(
    length: int, window: int, horizon: int, folds: int
) -> None:
    try:
        found = rolling_origins(length, window, horizon, folds)
    except GruvizError:
        assume(False)
    assert len(found) == folds
    assert found[-1].test_end == length
    tested: set[int] = set()
    for fold in found:
        assert fold.train_end >= window + horizon + 1
        rows = {row for end in fold.ends(horizon).tolist() for row in range(end, end + horizon)}
        assert rows == set(range(fold.train_end, fold.test_end))
        assert tested.isdisjoint(rows)
        tested |= rows
    ends = [fold.train_end for fold in found]
    assert ends == sorted(set(ends))


def test_too_little_for_a_backtest_is_refused() -> None:
    with pytest.raises(GruvizError) as caught:
        rolling_origins(50, 20, 10, 3)
    assert str(caught.value) == (
        "With 50 rows, a window of 20 and a horizon of 10 are too long for a backtest of 3 folds;"
        " make one of them smaller."
    )
    with pytest.raises(GruvizError) as caught:
        rolling_origins(50, 2, 1, 0)
    assert str(caught.value) == "A backtest has at least 1 fold, not 0."


def test_forecasts_from_rows_see_only_what_is_before_them() -> None:
    series = np.arange(10.0)
    ends = np.array([1, 3, 7])
    np.testing.assert_array_equal(targets(series, ends, 2), [[1, 2], [3, 4], [7, 8]])
    np.testing.assert_array_equal(forecasts(Last(2), series, ends, 2), [[0, 0], [2, 2], [6, 6]])
    np.testing.assert_array_equal(
        forecasts(SeasonalNaive(2, 3), series, ends, 2), [[np.nan, np.nan], [0, 1], [4, 5]]
    )


def test_holes_in_the_past_are_carried_forward_for_baselines() -> None:
    series = np.array([1.0, 2.0, np.nan, np.nan, 5.0])
    np.testing.assert_array_equal(forecasts(Last(1), series, np.array([3, 4]), 1), [[2], [2]])


def test_many_windows_are_forecast_in_parts_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    series = np.random.default_rng(0).random(100)
    ends = np.arange(12, 90)
    whole = forecasts(SeasonalNaive(4, 12), series, ends, 4)
    monkeypatch.setattr("gruviz.data.backtest.MOST_VALUES", 60)
    np.testing.assert_array_equal(forecasts(SeasonalNaive(4, 12), series, ends, 4), whole)


@pytest.mark.parametrize("name", list(BASELINES))
def test_baselines_are_exact_or_off_by_what_they_must_be(name: str) -> None:
    series = np.arange(120.0) + 50 * np.tile([0.0, 1, 2, 1, 0, -1], 20)
    parts = []
    for fold in rolling_origins(len(series), 8, 3, 3):
        baseline, ends = BASELINES[name].fit(series[: fold.train_end], 8, 3), fold.ends(3)
        assert baseline is not None
        parts.append(targets(series, ends, 3) - forecasts(baseline, series, ends, 3))
    residuals = np.concatenate(parts)
    error = np.abs(residuals).max()
    if name == "linear":  # a line and a period are a linear recurrence
        assert error < 1e-6
    elif name == "seasonal":
        np.testing.assert_allclose(residuals, 6)
    else:
        assert error > 50


def test_an_interval_holds_the_quantiles_of_each_step() -> None:
    residuals = np.stack([np.arange(101.0) - 50, 2 * np.arange(101.0)], axis=1)
    low, high = interval(residuals, 0.8)
    np.testing.assert_allclose(low, [-40, 20])
    np.testing.assert_allclose(high, [40, 180])
    # Of new errors of the same kind, about so many lie within.
    generator = np.random.default_rng(0)
    low, high = interval(generator.standard_normal((5000, 1)), 0.8)
    new = generator.standard_normal(5000)
    assert 0.78 < ((new > low) & (new < high)).mean() < 0.82


def test_an_interval_from_too_few_residuals_is_nan_and_missing_ones_do_not_count() -> None:
    residuals = np.full((30, 3), np.nan)
    residuals[:9, 0] = np.arange(9)
    residuals[:8, 1] = np.arange(8)
    low, high = interval(residuals, 0.8)
    np.testing.assert_allclose(low, [0.8, np.nan, np.nan])
    np.testing.assert_allclose(high, [7.2, np.nan, np.nan])


def test_a_comparison_scores_everyone_on_the_same_targets() -> None:
    generator = np.random.default_rng(0)
    series = np.tile(generator.standard_normal(12), 20) + 0.01 * generator.standard_normal(240)
    series[205] = np.nan
    ends = np.arange(192, 238)
    mine = np.zeros((46, 3))
    mine[-1] = np.nan
    found = score_forecasts(series, 192, 12, 3, ends, {"mine": mine})
    assert list(found.scores) == ["last", "seasonal", "drift", "linear", "mine"]
    assert (found.season, found.best_naive) == (12, "seasonal")
    assert found.naive_error == pytest.approx(np.abs(series[12:192] - series[:180]).mean())
    counted = np.isfinite(found.actual)
    assert (~counted).sum() == 3 + 3  # the hole as each of three steps ahead, and the last row
    for name, row in found.scores.items():
        error = np.abs(found.forecasts[name] - found.actual)[counted].mean()
        assert row["mae"] == pytest.approx(error)
        assert row["mase"] == pytest.approx(error / found.naive_error)
        assert row["skill"] == pytest.approx(1 - error / found.scores["seasonal"]["mae"])
    assert found.scores["seasonal"]["skill"] == 0


def test_without_a_season_the_scale_is_the_naive_error_and_no_row_is_seasonal() -> None:
    walk = np.random.default_rng(3).standard_normal(200).cumsum()
    found = score_forecasts(walk, 160, 10, 1, np.arange(160, 200))
    assert found.season is None
    assert list(found.scores) == ["last", "drift", "linear"]
    assert found.naive_error == pytest.approx(np.abs(np.diff(walk[:160])).mean())
    assert found.scores["last"]["mae"] == pytest.approx(np.abs(np.diff(walk[159:])).mean())
    assert math.isfinite(found.scores["linear"]["skill"])

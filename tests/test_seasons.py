"""Seasons: found where they are, and not where they aren't."""

import numpy as np
import pytest

from gruviz.data import fetch_sample
from gruviz.data.seasons import autocorrelation, season_of


def noisy(period: int, rows: int = 1000, noise: float = 0.7) -> np.ndarray:
    wave = np.sin(2 * np.pi * np.arange(rows) / period)
    return wave + noise * np.random.default_rng(0).standard_normal(rows)


def test_the_autocorrelation_is_the_sum_of_products_written_out() -> None:
    series = np.random.default_rng(0).random(30)
    deviation = series - series.mean()
    expected = [
        (deviation[: 30 - lag] * deviation[lag:]).mean() / (deviation**2).mean()
        for lag in range(30)
    ]
    np.testing.assert_allclose(autocorrelation(series), expected, atol=1e-12)


def test_a_sine_is_correlated_with_itself_by_the_cosine_of_the_lag() -> None:
    r = autocorrelation(np.sin(2 * np.pi * np.arange(1200) / 12))
    np.testing.assert_allclose(r[:60], np.cos(2 * np.pi * np.arange(60) / 12), atol=0.01)
    assert not autocorrelation(np.full(9, 0.1)).any()


@pytest.mark.parametrize("period", [2, 3, 7, 12, 24, 52, 300])
def test_an_exact_period_is_found_whatever_its_shape(period: int) -> None:
    shape = np.random.default_rng(period).standard_normal(period)
    assert season_of(np.tile(shape, 5 if period == 300 else 20)) == period


@pytest.mark.parametrize("period", [7, 12, 24, 48])
def test_a_period_under_noise_trend_and_holes_is_found(period: int) -> None:
    series = noisy(period) + 0.05 * np.arange(1000) + 1e6
    series[100:110] = np.nan
    assert season_of(series) == period


@pytest.mark.parametrize(
    ("name", "season"), [("sunspots_yearly", 11), ("co2_weekly", 52), ("airline_passengers", 12)]
)
def test_the_seasons_of_the_samples_are_found(name: str, season: int) -> None:
    table = fetch_sample(name)
    series = table.columns[table.first_choice]
    assert season_of(series[: int(0.8 * len(series))]) == season


def test_white_noise_and_straight_lines_have_no_season() -> None:
    assert season_of(np.random.default_rng(0).standard_normal(500)) is None
    assert season_of(np.arange(500.0)) is None
    assert season_of(np.arange(500.0) ** 2) is None


def test_hardly_any_random_walk_has_a_season() -> None:
    walks = np.cumsum(np.random.default_rng(0).standard_normal((200, 300)), axis=1)
    assert sum(season_of(walk) is not None for walk in walks) <= 8


@pytest.mark.parametrize("series", [[], [1.0], [np.nan] * 50, [5.0] * 50, [0.1] * 50])
def test_what_is_too_short_empty_or_constant_has_no_season(series: list[float]) -> None:
    assert season_of(np.array(series)) is None


def test_a_season_seen_less_than_three_times_is_none() -> None:
    shape = np.random.default_rng(0).standard_normal(40)
    assert season_of(np.tile(shape, 3)) == 40
    assert season_of(np.tile(shape, 3)[:110]) is None

"""Made-up series against the formulas that they are made from."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gruviz.data import Sequences, synthetic
from gruviz.data.synthetic.series import (
    LORENZ_MEAN,
    LORENZ_SCALE,
    LORENZ_STEPS,
    LORENZ_TIME,
    MACKEY_GLASS_MEAN,
    MACKEY_GLASS_SCALE,
    MACKEY_GLASS_STEPS,
    WALK_SWITCH,
    WALK_WILD,
    lorenz_series,
    mackey_glass_series,
)
from gruviz.experiment import (
    DampedOscillation,
    Lorenz,
    MackeyGlass,
    RandomWalk,
    SineMixture,
    Waveforms,
)
from tests.test_experiment import SURE


def test_a_noiseless_sine_mixture_is_three_sines_of_known_period_and_amplitude() -> None:
    task = SineMixture(length=60, horizon=15, noise=0.0)
    made = synthetic.sine(task, 20, np.random.default_rng(0))
    assert (made.inputs.shape, made.targets.shape) == ((20, 60, 1), (20, 15))
    series = np.concatenate([made.inputs[:, :, 0], made.targets], axis=1).astype(np.float64)
    turns = 2 * np.pi * np.arange(75)[:, None] / np.array([31.0, 17.0, 9.0])
    waves = np.concatenate([np.sin(turns), np.cos(turns)], axis=1)
    weights, *_rest = np.linalg.lstsq(waves, series.T, rcond=None)
    np.testing.assert_allclose(waves @ weights, series.T, atol=1e-5)
    amplitudes = np.hypot(weights[:3], weights[3:]).T
    np.testing.assert_allclose(amplitudes, np.tile([0.5, 0.3, 0.2], (20, 1)), atol=1e-5)


def test_the_noise_of_a_sine_mixture_has_the_size_that_was_asked_for() -> None:
    made = synthetic.sine(SineMixture(noise=0.3), 400, np.random.default_rng(0))
    clean = synthetic.sine(SineMixture(noise=0.0), 400, np.random.default_rng(0))
    noise = made.inputs - clean.inputs
    assert float(noise.std()) == pytest.approx(0.3, rel=0.02)
    assert abs(float(noise.mean())) < 0.01


def waves(name: str) -> np.ndarray:
    task = Waveforms(length=400, noise=0.0)
    made = synthetic.waveforms(task, 400, np.random.default_rng(0))
    return made.inputs[made.targets == Waveforms.classes.index(name), :, 0]


def test_all_ten_waveforms_occur_about_equally_often() -> None:
    made = synthetic.waveforms(Waveforms(), 5000, np.random.default_rng(0))
    counts = np.bincount(made.targets, minlength=10)
    assert made.inputs.shape == (5000, 50, 1) and made.targets.dtype == np.int64
    assert len(counts) == 10
    assert counts.min() > 400 and counts.max() < 600


def test_squares_and_pulses_have_two_levels() -> None:
    assert set(np.unique(waves("square"))) <= {-1.0, 0.0, 1.0}
    assert set(np.unique(waves("pulse"))) == {np.float32(-0.2), 1.0}
    assert float((waves("pulse") == 1).mean()) == pytest.approx(0.15, abs=0.02)
    assert abs(float(waves("square").mean())) < 0.1


def test_saws_climb_or_fall_nearly_all_the_time() -> None:
    assert float((np.diff(waves("rising saw"), axis=1) > 0).mean()) > 0.98
    assert float((np.diff(waves("falling saw"), axis=1) < 0).mean()) > 0.98


def test_a_triangle_has_one_slope_up_and_the_same_down() -> None:
    slopes = np.abs(np.diff(waves("triangle"), axis=1))
    steepest = slopes.max(axis=1, keepdims=True)
    assert float((slopes > 0.99 * steepest).mean()) > 0.95


def test_a_sine_crosses_zero_evenly_and_a_chirp_ever_faster() -> None:
    def late_share(wave: np.ndarray) -> float:
        crossings = np.diff(np.signbit(wave), axis=1)
        return float(crossings[:, 200:].sum() / crossings.sum())

    assert late_share(waves("sine")) == pytest.approx(0.5, abs=0.05)
    assert late_share(waves("chirp")) > 0.6


def test_a_damped_sine_dies_away_and_a_sine_does_not() -> None:
    damped, sine = waves("damped sine"), waves("sine")
    assert float(np.abs(damped[:, 300:]).max()) < np.exp(-3) + 1e-6
    assert float(np.abs(sine[:, 200:]).max(axis=1).min()) > 0.99


def test_a_rectified_sine_has_kinks_below_and_none_above() -> None:
    bends = np.diff(waves("rectified sine"), n=2, axis=1)
    assert float(bends.max()) > 5 * float(-bends.min())


def test_two_tones_are_the_mean_of_two_sines() -> None:
    made = waves("two tones")
    assert float((made.astype(np.float64) ** 2).mean()) == pytest.approx(0.25, abs=0.03)


def whole(made: Sequences) -> np.ndarray:
    """A forecast's series with its future, (n, length + horizon)."""
    return np.concatenate([made.inputs[..., 0], made.targets], axis=1).astype(np.float64)


@SURE
@given(length=st.integers(2, 80), horizon=st.integers(1, 30), seed=st.integers(0, 99))
def test_a_damped_oscillation_obeys_its_recurrence(length: int, horizon: int, seed: int) -> None:
    task = DampedOscillation(length=length, horizon=horizon, noise=0.0)
    series = whole(synthetic.damped(task, 6, np.random.default_rng(seed)))
    # exp(-t/s) cos(2πt/p + φ) is a solution of x(t+2) = 2 r cos(w) x(t+1) - r² x(t).
    again = np.random.default_rng(seed)
    period = again.uniform(10, 30, (6, 1))
    r = np.exp(-1 / (again.uniform(0.3, 1, (6, 1)) * (length + horizon)))
    now, after, then = series[:, :-2], series[:, 1:-1], series[:, 2:]
    expected = 2 * r * np.cos(2 * np.pi / period) * after - r**2 * now
    np.testing.assert_allclose(then, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "row"),
    [
        (synthetic.damped, DampedOscillation),
        (synthetic.mackey_glass, MackeyGlass),
        (synthetic.lorenz, Lorenz),
    ],
)
def test_noise_is_added_to_the_series_and_has_the_size_that_was_asked_for(
    make: Any, row: Any
) -> None:
    noisy, clean = (make(row(noise=noise), 300, np.random.default_rng(0)) for noise in (0.2, 0.0))
    for one, other in ((noisy.inputs, clean.inputs), (noisy.targets, clean.targets)):
        assert float((one - other).std()) == pytest.approx(0.2, rel=0.03)


def test_mackey_glass_is_the_solution_that_a_much_finer_euler_finds() -> None:
    delay, total, fine = 17, 60, 2000
    past = np.full(delay * fine, 0.7)
    found = [0.7]
    x = np.concatenate([past, [0.7], np.empty((total - 1) * fine)])
    for here in range(delay * fine, len(x) - 1):
        lagged = x[here - delay * fine]
        x[here + 1] = x[here] + (0.2 * lagged / (1 + lagged**10) - 0.1 * x[here]) / fine
        if (here + 1 - delay * fine) % fine == 0:
            found.append(x[here + 1])
    series = mackey_glass_series(np.array([0.7]), delay, total, MACKEY_GLASS_STEPS)
    np.testing.assert_allclose(series[:, 0], found, atol=2e-4)


def test_mackey_glass_hardly_depends_on_the_size_of_its_steps() -> None:
    start = np.array([0.5, 0.9, 1.3])
    coarse, fine = (mackey_glass_series(start, 17, 120, steps) for steps in (2, 20))
    np.testing.assert_allclose(coarse, fine, atol=1e-3)


def test_mackey_glass_swings_about_its_mean_with_its_known_spread() -> None:
    series = whole(synthetic.mackey_glass(MackeyGlass(length=300), 200, np.random.default_rng(0)))
    assert abs(series.mean()) < 0.1
    assert series.std() == pytest.approx(1, rel=0.1)
    x = series * MACKEY_GLASS_SCALE + MACKEY_GLASS_MEAN
    assert x.min() > 0.2 and x.max() < 1.5


def test_a_short_delay_lets_mackey_glass_come_to_rest_at_its_fixed_point() -> None:
    # 0.2 x / (1 + x^10) = 0.1 x at x = 1.
    series = whole(synthetic.mackey_glass(MackeyGlass(delay=2), 5, np.random.default_rng(0)))
    x = series * MACKEY_GLASS_SCALE + MACKEY_GLASS_MEAN
    np.testing.assert_allclose(x, 1, atol=1e-5)


def test_lorenz_is_the_solution_that_scipy_finds() -> None:
    start = np.array([1.0, 2.0, 20.0])

    def change(_time: float, state: np.ndarray) -> list[float]:
        x, y, z = state
        return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]

    times = np.arange(30) * LORENZ_TIME
    found = solve_ivp(change, (0, times[-1]), start, t_eval=times, rtol=1e-10, atol=1e-10)
    fine = lorenz_series(start[:, None], 30, 20 * LORENZ_STEPS)
    np.testing.assert_allclose(fine[..., 0], found.y.T, atol=1e-5)
    used = lorenz_series(start[:, None], 10, LORENZ_STEPS)
    np.testing.assert_allclose(used[..., 0], found.y.T[:10], atol=5e-3)


def test_lorenz_reads_three_numbers_and_forecasts_the_first() -> None:
    task = Lorenz(length=20, horizon=7)
    made = synthetic.lorenz(task, 50, np.random.default_rng(0))
    assert (made.inputs.shape, made.targets.shape) == ((50, 20, 3), (50, 7))
    ends = (made.inputs[:, -1] * LORENZ_SCALE + LORENZ_MEAN).T
    future = lorenz_series(ends, 8, 30)[1:, 0].T / LORENZ_SCALE[0]
    np.testing.assert_allclose(made.targets, future, atol=2e-2)
    both = synthetic.lorenz(Lorenz(length=400), 100, np.random.default_rng(0)).inputs
    np.testing.assert_allclose(both.mean((0, 1)), 0, atol=0.1)
    np.testing.assert_allclose(both.std((0, 1)), 1, atol=0.1)


def test_a_random_walk_takes_steps_of_two_sizes_and_drifts_two_ways() -> None:
    task = RandomWalk(length=900, horizon=100, drift=0.1, volatility=0.01)
    series = whole(synthetic.walk(task, 100, np.random.default_rng(0)))
    assert (series[:, 0] == 0).all()
    steps = np.diff(series, axis=1)
    up = steps > 0
    assert up.mean() == pytest.approx(0.5, abs=0.05)
    # Without a regime half of all steps would turn; these turn only where the drift is redrawn.
    assert (up[:, 1:] != up[:, :-1]).mean() == pytest.approx(WALK_SWITCH / 2, rel=0.2)
    noise = steps - np.where(up, 0.1, -0.1)
    expected = np.sqrt((1 + WALK_WILD**2) / 2) * 0.01
    assert noise.std() == pytest.approx(expected, rel=0.05)


def test_a_walk_without_drift_is_best_forecast_by_its_last_value() -> None:
    task = RandomWalk(length=30, horizon=5, drift=0.0)
    made = synthetic.walk(task, 5000, np.random.default_rng(0))
    change = made.targets - made.inputs[:, -1]
    assert float(abs(change.mean())) < 0.01
    variance = 0.1**2 * (1 + WALK_WILD**2) / 2
    np.testing.assert_allclose(change.var(axis=0), variance * np.arange(1, 6), rtol=0.1)


SERIES = (SineMixture, DampedOscillation, MackeyGlass, Lorenz, RandomWalk, Waveforms)


@pytest.mark.parametrize("row", SERIES)
def test_the_generator_decides_everything(row: Any) -> None:
    make = getattr(synthetic, row.name)
    first, again, other = (make(row(), 5, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs, other.inputs)
    assert first.inputs.dtype == np.float32

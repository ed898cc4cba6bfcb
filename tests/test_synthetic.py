"""Made-up data against the formulas that it is made from."""

import numpy as np
import pytest

from gruviz.data import synthetic
from gruviz.experiment import Adding, SineMixture, Waveforms


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


@pytest.mark.parametrize("length", [2, 7, 50])
def test_the_adding_problem_marks_one_value_in_each_half_and_wants_their_sum(length: int) -> None:
    made = synthetic.adding(Adding(length=length), 300, np.random.default_rng(0))
    values, marks = made.inputs[..., 0], made.inputs[..., 1]
    assert made.inputs.shape == (300, length, 2)
    assert set(np.unique(marks)) <= {0.0, 1.0}
    half = length // 2
    assert (marks[:, :half].sum(1) == 1).all() and (marks[:, half:].sum(1) == 1).all()
    np.testing.assert_allclose(made.targets[:, 0], (values * marks).sum(1), rtol=1e-6)
    assert values.min() >= 0 and values.max() < 1


def test_always_answering_one_to_the_adding_problem_errs_by_a_sixth() -> None:
    made = synthetic.adding(Adding(), 5000, np.random.default_rng(0))
    assert float(((made.targets - 1) ** 2).mean()) == pytest.approx(1 / 6, rel=0.05)


def test_every_mark_position_occurs() -> None:
    made = synthetic.adding(Adding(length=8), 500, np.random.default_rng(0))
    assert (made.inputs[..., 1].sum(0) > 0).all()


def waves(name: str) -> np.ndarray:
    task = Waveforms(length=400, noise=0.0)
    made = synthetic.waveforms(task, 400, np.random.default_rng(0))
    return made.inputs[made.targets == synthetic.WAVEFORMS.index(name), :, 0]


def test_all_ten_waveforms_occur_about_equally_often() -> None:
    made = synthetic.waveforms(Waveforms(), 5000, np.random.default_rng(0))
    counts = np.bincount(made.targets, minlength=10)
    assert (made.inputs.shape, made.targets.dtype, len(counts)) == ((5000, 50, 1), np.int64, 10)
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


@pytest.mark.parametrize(
    ("make", "task"),
    [
        (synthetic.sine, SineMixture()),
        (synthetic.adding, Adding()),
        (synthetic.waveforms, Waveforms()),
    ],
)
def test_the_generator_decides_everything(make: object, task: object) -> None:
    first, again, other = (make(task, 5, np.random.default_rng(seed)) for seed in (1, 1, 2))  # type: ignore[operator]
    np.testing.assert_array_equal(first.inputs, again.inputs)
    np.testing.assert_array_equal(first.targets, again.targets)
    assert not np.array_equal(first.inputs, other.inputs)
    assert first.inputs.dtype == np.float32

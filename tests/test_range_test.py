"""The learning-rate range test: known answers, and the run it starts from is left alone."""

from dataclasses import replace

import numpy as np
import pytest

from gruviz.data import load
from gruviz.experiment import GRU, SGD, Adding, Experiment, Momentum, SineMixture
from gruviz.studies import RangeTest, Suggestion
from gruviz.studies.range_test import GIVE_UP_ABOVE, smoothed, suggest
from gruviz.training import Trainer, advance, proceed

SMALL = Experiment(
    task=Adding(size=64, length=6), cell=GRU(4), batch_size=16, optimizer=SGD(), clip_norm=None
)


def test_the_rates_grow_by_the_same_factor_over_the_range_of_the_control() -> None:
    rates = RangeTest.begin().rates
    assert (len(rates), rates[0], rates[-1]) == (100, 1e-6, 10.0)
    np.testing.assert_allclose(rates[1:] / rates[:-1], 10 ** (7 / 99))
    assert RangeTest.begin().losses.shape == (5, 100)
    for rate in rates:
        replace(SMALL, learning_rate=float(rate))


def test_each_step_is_the_trainers_own_with_that_steps_rate() -> None:
    found = proceed(SMALL, RangeTest.begin(seeds=1, steps=12))
    trainer = Trainer(SMALL, load(SMALL.task, SMALL.seed))
    expected = []
    for rate in found.rates:
        trainer.experiment = replace(SMALL, learning_rate=float(rate))
        row, diverged = trainer.step()
        assert row["learning_rate"] == rate
        expected.append(row["loss"])
        if diverged or smoothed(np.array(expected))[-1] > 4 * smoothed(np.array(expected)).min():
            break
    assert found.losses[0, : len(expected)].tolist() == expected
    assert found.reached.tolist() == [len(expected)]


def test_seeds_have_other_weights_and_batches_but_the_same_data() -> None:
    first, other = proceed(SMALL, RangeTest.begin(seeds=2, steps=3)).losses
    assert first[0] != other[0]
    same_data = Trainer(replace(SMALL, seed=1), load(SMALL.task, 0))
    assert other[0] == same_data.step()[0]["loss"]


def test_from_a_checkpoint_every_seed_starts_there_and_leaves_it_untouched() -> None:
    experiment = replace(SMALL, optimizer=Momentum(), learning_rate=0.05)
    checkpoint = advance(experiment, steps=7).checkpoint
    before = {name: array.copy() for name, array in checkpoint.arrays.items()}
    found = proceed(experiment, RangeTest.begin(checkpoint, seeds=3, steps=40))
    for name, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(array, before[name])
    for seed in range(3):
        own = Trainer(replace(experiment, seed=seed), load(experiment.task, 0), checkpoint)
        assert found.losses[seed, 0] == own.step()[0]["loss"]
    assert len(set(found.losses[:, 0].tolist())) == 3


def test_however_it_is_cut_it_finds_the_same() -> None:
    state = RangeTest.begin(seeds=2, steps=30)
    whole = proceed(SMALL, state)
    slices = 0
    while state.progress < 1:
        before = state.progress
        state, slices = proceed(SMALL, state, seconds=0.0), slices + 1
        assert state.progress > before
    assert slices == whole.reached.sum()
    np.testing.assert_array_equal(state.losses, whole.losses)
    np.testing.assert_array_equal(state.reached, whole.reached)


def test_a_seed_ends_where_its_smoothed_loss_is_four_times_its_smallest() -> None:
    found = proceed(SMALL, RangeTest.begin(seeds=3))
    assert GIVE_UP_ABOVE == 4.0
    assert (found.reached < 100).all()
    for row, reached in zip(found.losses, found.reached, strict=True):
        assert np.isfinite(row[: reached - 1]).all() and np.isnan(row[reached:]).all()
        ratios = [smoothed(row[:end])[-1] / smoothed(row[:end]).min() for end in range(1, reached)]
        assert max(ratios) <= 4
        assert not smoothed(row[:reached])[-1] <= 4 * np.nanmin(smoothed(row[:reached]))


def quadratic(rates: np.ndarray, curvature: float) -> np.ndarray:
    """Gradient descent on curvature * w^2 / 2 + 1 from w = 3: it explodes from 2 / curvature on."""
    w, losses = 3.0, []
    for rate in rates:
        losses.append(curvature * w * w / 2 + 1)
        w -= rate * curvature * w
        if losses[-1] > 4 * min(losses):
            break
    return np.array(losses + [np.nan] * (len(rates) - len(losses)))


@pytest.mark.parametrize("curvature", [2.0, 20.0, 200.0])
def test_the_suggestion_keeps_a_tenth_below_where_a_quadratic_explodes(curvature: float) -> None:
    rates = RangeTest.begin().rates
    found = suggest(rates, np.stack([quadratic(rates, curvature)] * 5))
    assert found.rate is not None
    critical = 2 / curvature
    # By then w is so close to 0 that it takes a few more rates until the rise can be seen.
    assert critical / 40 < found.rate < critical / 5


def curve(rates: np.ndarray, steepest: float, rise: float) -> np.ndarray:
    """A loss that falls around one rate, from 1 to 0.1, and rises from another one on."""
    x = np.log10(rates)
    fall = 10 ** -(1 / (1 + np.exp(-8 * (x - np.log10(steepest)))))
    return np.asarray(np.where(rates <= rise, fall, fall * (rates / rise) ** 3))


def test_the_rate_of_steepest_descent_is_suggested_when_nothing_rises() -> None:
    rates = RangeTest.begin().rates
    found = suggest(rates, np.stack([curve(rates, 1e-3, 100.0)] * 2))
    assert found.rate == pytest.approx(1e-3, rel=0.1)
    assert found.reason == (
        "The mean loss of 2 seeds fell fastest at 0.00093, by 95% for each factor of ten, and no"
        " seed's loss rose up to 10."
    )


def test_the_worst_seed_bounds_the_suggestion() -> None:
    rates = RangeTest.begin().rates
    good, bad = curve(rates, 1e-2, 1.0), curve(rates, 1e-2, 0.05)
    found = suggest(rates, np.stack([good, bad]))
    assert found.rate == pytest.approx(0.005, rel=0.35)
    assert found.reason.startswith("The mean loss of 2 seeds fell fastest at 0.01")
    assert found.reason.endswith("on: a tenth of that is the safer choice.")
    alone = suggest(rates, good[None])
    assert alone.rate == pytest.approx(1e-2, rel=0.1)
    assert "that is below a tenth of" in alone.reason


def test_a_flat_a_noisy_and_a_blown_up_curve_support_no_suggestion() -> None:
    rates = RangeTest.begin().rates
    flat = suggest(rates, np.ones((5, 100)))
    assert (flat.rate, flat.reason) == (
        None,
        "No suggestion: the curve is flat. The mean loss of 5 seeds never fell by more than 0.0%, and"
        " only a fall of 2.0% would stand out from the noise of its batches.",
    )
    noise = np.exp(np.random.default_rng(0).normal(size=(5, 100)))
    assert suggest(rates, noise).rate is None
    gone = np.full((2, 100), np.nan)
    gone[:, :3] = [1, 2, 9]
    assert suggest(rates, gone).reason == (
        "No suggestion: after 3 steps, at a rate of 1.4e-06, the loss had already blown up."
    )


def test_noise_alone_supports_no_suggestion_however_large_it_is() -> None:
    rates, source = RangeTest.begin().rates, np.random.default_rng(1)
    for spread in (0.03, 0.3, 1.0):
        curves = (np.exp(spread * source.normal(size=(5, 100))) for _ in range(100))
        assert sum(suggest(rates, each).rate is not None for each in curves) <= 1


def test_the_little_that_a_trained_run_still_gains_is_no_reason_for_a_rate() -> None:
    rates = RangeTest.begin().rates
    losses = np.stack([0.003 * curve(rates, 2e-5, 1e-3) ** 0.1] * 5)
    assert suggest(rates, losses).rate == pytest.approx(2e-5, rel=0.2)
    assert suggest(rates, losses, 0.004).rate == pytest.approx(2e-5, rel=0.2)
    assert suggest(rates, losses, 0.2) == Suggestion(
        None,
        "No suggestion: the curve is flat. The run has come from a loss of 0.2 to 0.003, and from"
        " there no rate takes it far: 0.0024 was the lowest within these steps. Start from initial"
        " weights to find a rate.",
    )


def test_a_finished_run_suggests_nothing_and_its_initial_weights_a_sane_rate() -> None:
    experiment = Experiment(task=SineMixture(size=200, length=12, horizon=2), cell=GRU(8))
    finished = advance(experiment, steps=2000, telemetry=False).checkpoint
    trained = proceed(experiment, RangeTest.begin(finished)).suggestion
    assert trained.rate is None
    assert trained.reason.startswith("No suggestion: the curve is flat.")
    initial = proceed(experiment, RangeTest.begin()).suggestion
    assert initial.rate is not None and 1e-3 < initial.rate < 3e-2


def test_smoothing_is_the_geometric_mean_of_nine_and_has_no_lag() -> None:
    losses = np.array([2.0**step for step in range(20)])
    np.testing.assert_allclose(smoothed(losses)[4:16], losses[4:16])
    np.testing.assert_allclose(smoothed(losses)[0], 2.0**2)
    losses[10] = np.nan
    np.testing.assert_allclose(
        smoothed(losses)[[10, 9, 19]],
        [np.nan, 2.0 ** ((5 + 6 + 7 + 8 + 9 + 11 + 12 + 13) / 8), 2**17],
    )


def test_the_band_ends_with_the_first_seed() -> None:
    losses = np.array([[4.0] * 30, [1.0] * 30, [9.0] * 30])
    losses[1, 25:] = np.nan
    state = replace(RangeTest.begin(seeds=3, steps=30), losses=losses, seed=3)
    low, mean, high = state.band
    np.testing.assert_allclose([low[0], mean[0], high[0]], [1, 36 ** (1 / 3), 9])
    assert [int(np.isfinite(edge).sum()) for edge in (low, mean, high)] == [25, 25, 25]

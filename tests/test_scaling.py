"""Scaling: what it is fitted on decides it, and nothing else."""

import numpy as np
import pytest

from gruviz.data.scaling import SCALERS, Scaling, fit

# Mean 3, deviation sqrt(8), quartiles 1, 3, 5, as each number comes once.
KNOWN = np.array([-1.0, 1.0, 3.0, 5.0, 7.0])


@pytest.mark.parametrize(
    ("name", "offset", "scale"),
    [("standard", 3, 8**0.5), ("minmax", -1, 8), ("robust", 3, 4), ("none", 0, 1)],
)
def test_each_scaler_has_these_numbers(name: str, offset: float, scale: float) -> None:
    assert fit(name, KNOWN) == Scaling((offset,), (pytest.approx(scale),))  # type: ignore[arg-type]


def test_there_is_no_scaler_without_a_known_answer() -> None:
    assert list(SCALERS) == ["standard", "minmax", "robust", "none"]


@pytest.mark.parametrize("name", list(SCALERS))
def test_undo_gives_back_what_apply_took(name: str) -> None:
    series = np.random.default_rng(0).normal(50, [1, 10, 100], (40, 3))
    scaling = fit(name, series[:30])
    np.testing.assert_allclose(scaling.undo(scaling.apply(series)), series)
    np.testing.assert_array_equal(scaling.of(1).apply(series[:, 1]), scaling.apply(series)[:, 1])


def test_each_column_is_scaled_by_itself_and_missing_values_are_ignored() -> None:
    series = np.stack([KNOWN, 10 * KNOWN], axis=1)
    series = np.insert(series, 2, np.nan, axis=0)
    assert fit("minmax", series) == Scaling((-1.0, -10.0), (8.0, 80.0))
    assert np.isnan(fit("minmax", series).apply(series)[2]).all()


@pytest.mark.parametrize("name", ["standard", "minmax", "robust"])
def test_the_scaler_never_sees_validation_rows_but_with_a_leak_it_does(name: str) -> None:
    series = np.r_[KNOWN, 1000.0, 2000.0, 3000.0]
    changed = np.r_[KNOWN, -1.0, -2.0, -3.0]
    assert fit(name, series[:5]) == fit(name, changed[:5])
    assert fit(name, series) != fit(name, changed)
    # With the leak, what training sees is squeezed to make room for what is still to come.
    assert np.ptp(fit(name, series).apply(KNOWN)) < np.ptp(fit(name, KNOWN).apply(KNOWN)) / 2


def test_an_outlier_moves_the_robust_scaler_least() -> None:
    many = np.linspace(0, 1, 101)
    spoiled = np.r_[many[:-1], 1e6]
    assert fit("robust", spoiled) == fit("robust", many)
    assert fit("standard", spoiled) != fit("standard", many)


@pytest.mark.parametrize("name", list(SCALERS))
@pytest.mark.parametrize("value", [0.0, 0.1, -7.0])
def test_a_constant_column_keeps_its_scale(name: str, value: float) -> None:
    scaling = fit(name, np.full(7, value))
    assert scaling.scale == (1.0,)
    scaled = scaling.apply(np.full(7, value))
    np.testing.assert_allclose(scaled, value if name == "none" else 0, atol=1e-15)


@pytest.mark.parametrize("name", list(SCALERS))
def test_a_column_without_values_is_left_alone(name: str) -> None:
    assert fit(name, np.full((4, 1), np.nan)) == Scaling((0.0,), (1.0,))

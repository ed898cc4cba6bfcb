"""Windows of a series: nothing of the validation part reaches training."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gruviz.data import Dataset
from gruviz.data.windows import forecast_windows
from gruviz.errors import GruvizError
from gruviz.experiment import Kind
from tests.test_experiment import SURE


def rows_of(dataset: Dataset, values: np.ndarray) -> np.ndarray:
    """The row numbers behind scaled values of the series 0, 1, 2, ..."""
    exact = values.astype(np.float64) * dataset.scale + dataset.mean
    np.testing.assert_allclose(exact, exact.round(), atol=1e-3)
    return exact.round().astype(int)


def test_the_windows_of_twenty_rows_are_these() -> None:
    data = forecast_windows(np.arange(20.0), 3, 2, "count")
    inputs = rows_of(data, data.train.inputs[..., 0]).tolist()
    targets = rows_of(data, data.train.targets).tolist()
    assert inputs == [[row, row + 1, row + 2] for row in range(12)]
    assert targets == [[row + 3, row + 4] for row in range(12)]
    assert rows_of(data, data.validation.inputs[..., 0]).tolist() == [
        [13, 14, 15], [14, 15, 16], [15, 16, 17],
    ]  # fmt: skip
    assert rows_of(data, data.validation.targets).tolist() == [[16, 17], [17, 18], [18, 19]]
    assert (data.kind, data.outputs, data.features) == (Kind.FORECAST, 2, 1)
    assert (data.input_names, data.unit) == (("count",), "count")
    assert (data.mean, data.scale) == (np.arange(16.0).mean(), np.arange(16.0).std())
    assert (len(data.train), len(data.validation), data.missing, data.left_out) == (12, 3, 0, 0)


@SURE
@given(st.integers(20, 200), st.integers(2, 30), st.integers(1, 20))
def test_no_validation_target_lies_in_any_training_window(
    rows: int, window: int, horizon: int
) -> None:
    try:
        data = forecast_windows(np.arange(float(rows)), window, horizon, "x")
    except GruvizError:
        assume(False)
    border = int(rows * 0.8)
    train = rows_of(data, np.c_[data.train.inputs[..., 0], data.train.targets])
    held_out = rows_of(data, data.validation.targets)
    assert train.max() < border <= held_out.min()
    assert set(train.ravel()).isdisjoint(held_out.ravel())
    assert held_out.max() == rows - 1


def test_validation_values_change_nothing_in_training() -> None:
    series = np.sin(np.arange(100.0))
    changed = series.copy()
    changed[80:] = 1e6 * np.arange(20.0)
    one, other = (forecast_windows(each, 8, 3, "x") for each in (series, changed))
    np.testing.assert_array_equal(one.train.inputs, other.train.inputs)
    np.testing.assert_array_equal(one.train.targets, other.train.targets)
    assert (one.mean, one.scale) == (other.mean, other.scale)
    assert not np.array_equal(one.validation.targets, other.validation.targets)


def test_the_training_part_has_mean_0_and_deviation_1() -> None:
    series = 500 + 40 * np.random.default_rng(0).standard_normal(400)
    data = forecast_windows(series, 2, 1, "x")
    scaled = np.r_[data.train.inputs[:, 0, 0], data.train.inputs[-1, 1:, 0], data.train.targets[-1]]
    assert len(scaled) == 320
    assert float(scaled.mean()) == pytest.approx(0, abs=1e-5)
    assert float(scaled.std()) == pytest.approx(1, abs=1e-5)


def test_windows_that_touch_a_missing_value_are_left_out_and_counted() -> None:
    series = np.arange(40.0)
    series[10] = np.nan
    data = forecast_windows(series, 3, 1, "x")
    train = rows_of(data, np.c_[data.train.inputs[..., 0], data.train.targets])
    assert 10 not in train
    assert len(train) == 29 - 4
    assert (data.missing, data.left_out) == (1, 4)
    series[39] = np.nan
    found = forecast_windows(series, 3, 1, "x")
    assert (found.missing, found.left_out) == (2, 5)
    assert data.mean == np.nanmean(series[:32])


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1, -1 / 3, np.nan])
def test_a_constant_or_empty_column_is_refused(value: float) -> None:
    series = np.r_[np.full(80, value), np.arange(20.0)]
    with pytest.raises(GruvizError) as caught:
        forecast_windows(series, 3, 1, "rain")
    assert str(caught.value) == (
        "Column 'rain' is constant or empty in its first 80%; choose another."
    )


def test_numbers_too_large_to_square_are_refused() -> None:
    with pytest.raises(GruvizError) as caught:
        forecast_windows(np.tile([1e300, -1e300], 50), 3, 1, "rain")
    assert str(caught.value) == (
        "The numbers in column 'rain' are too large or too small to scale; choose another."
    )


@pytest.mark.parametrize(("window", "horizon"), [(15, 6), (40, 1), (2, 14)])
def test_a_series_too_short_for_its_windows_is_refused(window: int, horizon: int) -> None:
    with pytest.raises(GruvizError) as caught:
        forecast_windows(np.sin(np.arange(20.0)), window, horizon, "x")
    assert str(caught.value) == (
        f"With 20 rows, a window of {window} and a horizon of {horizon} leave too little to"
        " train and validate on; make the window or the horizon shorter."
    )


def test_a_huge_value_in_the_validation_part_is_no_warning_and_no_training_matter() -> None:
    series = np.sin(np.arange(100.0))
    plain = forecast_windows(series, 5, 1, "x")
    series[95] = 1e300
    data = forecast_windows(series, 5, 1, "x")
    np.testing.assert_array_equal(data.train.inputs, plain.train.inputs)
    assert np.isfinite(data.validation.targets).all()


def test_windows_of_a_long_series_are_views_and_copy_nothing() -> None:
    series = np.sin(np.arange(400_000.0))
    data = forecast_windows(series, 500, 100, "x")
    assert len(data.train) > 300_000
    assert data.train.inputs.base is not None
    assert data.train.inputs.strides[:2] == (4, 4)

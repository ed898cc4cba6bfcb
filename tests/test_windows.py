"""Windows of a series: nothing of the validation part reaches training."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gruviz.data import Dataset, previewed
from gruviz.data.missing import METHODS, punch
from gruviz.data.scaling import SCALERS
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
        [13, 14, 15],
        [14, 15, 16],
        [15, 16, 17],
    ]
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


N = np.nan


def test_further_columns_are_inputs_and_no_targets() -> None:
    series, rain = np.arange(20.0), 100 + 10 * np.arange(20.0)
    data = forecast_windows(series, 3, 2, "sun", further={"rain": rain}, scaling="none")
    alone = forecast_windows(series, 3, 2, "sun", scaling="none")
    assert data.input_names == ("sun", "rain")
    np.testing.assert_array_equal(data.train.inputs[0], [[0, 100], [1, 110], [2, 120]])
    np.testing.assert_array_equal(data.train.inputs[..., :1], alone.train.inputs)
    np.testing.assert_array_equal(data.train.targets, alone.train.targets)
    assert (data.outputs, data.features, data.mean, data.scale) == (2, 2, 0, 1)


def test_each_column_is_scaled_by_its_own_training_part() -> None:
    series, rain = np.arange(20.0), 100 + 10 * np.arange(20.0)
    data = forecast_windows(series, 3, 2, "sun", further={"rain": rain}, scaling="minmax")
    assert (data.mean, data.scale) == (0, 15)
    np.testing.assert_allclose(data.train.inputs[..., 0], data.train.inputs[..., 1], rtol=1e-6)
    assert data.train.inputs.min() == 0
    assert data.train.targets.max() == 1
    assert data.validation.targets.max() == np.float32(19 / 15)


def test_with_the_leak_the_validation_part_moves_the_scale_and_without_it_not() -> None:
    series = np.sin(np.arange(100.0))
    series[80:] += 10
    honest = forecast_windows(series, 8, 3, "x")
    leaky = forecast_windows(series, 8, 3, "x", leak=True)
    assert (honest.mean, honest.scale) == (series[:80].mean(), series[:80].std())
    assert (leaky.mean, leaky.scale) == (series.mean(), series.std())
    assert leaky.train.inputs.std() < honest.train.inputs.std() / 4


def test_the_rows_of_each_validation_forecast_are_told() -> None:
    data = forecast_windows(np.arange(20.0), 3, 2, "count", scaling="none")
    assert data.border == 16
    assert data.ends is not None and data.ends.tolist() == [16, 17, 18]
    np.testing.assert_array_equal(data.validation.targets[:, 0], data.ends)
    assert data.latest is not None
    np.testing.assert_array_equal(data.latest[..., 0], [[17, 18, 19]])


def test_another_border_is_kept_to_as_a_backtest_needs_it() -> None:
    data = forecast_windows(np.arange(20.0), 3, 2, "count", border=10)
    assert rows_of(data, data.train.targets).max() == 9
    assert rows_of(data, data.validation.targets).min() == 10
    assert data.mean == np.arange(10.0).mean()


@pytest.mark.parametrize("missing", list(METHODS))
def test_a_hole_is_never_a_target(missing: str) -> None:
    generator = np.random.default_rng(0)
    series = punch(np.arange(200.0), 0.3, (1, 4), generator)
    data = forecast_windows(series, 2, 2, "x", missing=missing, scaling="none")
    holes = set(np.flatnonzero(np.isnan(series)).tolist())
    for part in (data.train, data.validation):
        assert holes.isdisjoint(part.targets.ravel().astype(int).tolist())
        assert np.isfinite(part.inputs).all() and np.isfinite(part.targets).all()
    if missing not in ("drop", "carry", "interpolate"):  # which have no first value to carry
        pairs = np.lib.stride_tricks.sliding_window_view(series, 2)
        whole = np.array([not np.isnan(pair).any() for pair in pairs])
        assert len(data.train) + len(data.validation) == whole[2:159].sum() + whole[160:].sum()


def test_filled_inputs_are_those_of_the_method_and_carry_their_names() -> None:
    series = np.r_[np.arange(5.0), N, N, np.arange(7.0, 40.0)]
    data = forecast_windows(series, 4, 1, "x", missing="decay", scaling="none")
    assert data.input_names == ("x", "x", "x")
    assert data.input_words == ("{name}", "{name} present", "rows since {name}")
    assert previewed(data).input_names == ("x", "x present", "rows since x")
    row = int(np.flatnonzero(data.train.targets[:, 0] == 7)[0])
    np.testing.assert_array_equal(
        data.train.inputs[row], [[3, 1, 1], [4, 1, 1], [4, 0, 1], [4, 0, 2]]
    )
    assert data.fill == (np.nanmean(series[:32]),)
    assert (data.missing, data.left_out) == (2, 2)


def test_interpolated_windows_know_nothing_of_what_follows_them() -> None:
    generator = np.random.default_rng(0)
    series = punch(generator.standard_normal((300, 2)).cumsum(axis=0), 0.4, (1, 5), generator)

    def windows(values: np.ndarray) -> Dataset:
        further = {"y": values[:, 1]}
        return forecast_windows(
            values[:, 0], 6, 1, "x", further=further, missing="interpolate", scaling="none"
        )

    data = windows(series)
    assert data.ends is not None and len(data.ends) > 30
    for row, end in enumerate(data.ends.tolist()):
        changed = series.copy()
        changed[end:] = 1e3 + changed[end:]
        inputs = windows(changed).validation.inputs
        np.testing.assert_array_equal(inputs[: row + 1], data.validation.inputs[: row + 1])


def test_a_hole_is_a_line_where_it_is_closed_and_carried_where_the_window_ends_in_it() -> None:
    series = np.r_[0.0, 1.0, N, 3.0, N, N, np.arange(6.0, 40.0)]
    data = forecast_windows(series, 4, 1, "x", missing="interpolate", scaling="none")
    rows = data.train.targets[:, 0].tolist()
    assert data.train.inputs[rows.index(6), :, 0].tolist() == [2, 3, 3, 3]
    assert data.train.inputs[rows.index(7), :, 0].tolist() == [3, 4, 5, 6]


def test_a_further_column_may_be_constant_but_not_empty() -> None:
    series = np.sin(np.arange(50.0))
    data = forecast_windows(series, 3, 1, "x", further={"flat": np.full(50, 7.0)})
    assert not data.train.inputs[..., 1].any()
    with pytest.raises(GruvizError) as caught:
        forecast_windows(series, 3, 1, "x", further={"void": np.full(50, N)}, missing="carry")
    assert str(caught.value) == (
        "Column 'void' is constant or empty in its first 80%; choose another."
    )


@pytest.mark.parametrize(
    ("scaling", "size"),
    [*((name, 1e300) for name in SCALERS), ("standard", 1e-310), ("none", 1e-310)],
)
def test_no_scaling_lets_numbers_pass_that_float32_has_not(scaling: str, size: float) -> None:
    series = np.tile([size, -size, 2 * size], 50)
    with pytest.raises(GruvizError, match="too large or too small to scale"):
        forecast_windows(series, 3, 1, "x", scaling=scaling)


def test_missing_values_that_leave_no_windows_are_named_as_the_reason() -> None:
    series = np.sin(np.arange(100.0))
    series[::5] = N
    with pytest.raises(GruvizError) as caught:
        forecast_windows(series, 5, 1, "x")
    assert str(caught.value) == (
        "95 of 95 windows touch a missing value, which leaves too little to train and validate on;"
        " make the window or the horizon shorter, or fill the missing values in another way."
    )
    assert len(forecast_windows(series, 5, 1, "x", missing="mean").train) > 50


def test_too_many_copies_are_refused_with_the_remedy() -> None:
    series = np.sin(np.arange(200_000.0))
    series[50_000] = N
    with pytest.raises(GruvizError) as caught:
        forecast_windows(series, 200, 1, "x")
    assert str(caught.value) == (
        "159,599 windows around missing values are too many; make the window shorter."
    )


def test_windows_of_several_channels_are_views_too() -> None:
    series = np.sin(np.arange(100_000.0))
    data = forecast_windows(series, 500, 100, "x", further={"y": series**2}, missing="decay")
    assert data.train.inputs.shape[1:] == (500, 6)
    assert data.train.inputs.strides == (24, 24, 4)


def test_no_window_goes_from_one_series_into_the_next() -> None:
    series = np.concatenate([np.arange(20.0), 1000 + np.arange(20.0)])
    groups = np.repeat([0, 1], 20)
    data = forecast_windows(series, 4, 2, "x", groups=groups, border=30, scaling="none")
    whole = np.hstack([data.train.inputs[:, :, 0], data.train.targets])
    assert [row[0] for row in whole.tolist()] == [*range(15), *range(1000, 1005)]
    np.testing.assert_array_equal(np.diff(whole, axis=1), 1)
    assert data.left_out == 0


@pytest.mark.parametrize("missing", ["carry", "interpolate", "decay"])
def test_a_hole_is_not_filled_from_another_series(missing: str) -> None:
    series = np.concatenate([np.arange(40.0), 1000 + np.arange(40.0)])
    series[40] = np.nan
    groups = np.repeat([0, 1], 40)
    with pytest.raises(GruvizError, match="several series one below the other"):
        forecast_windows(series, 4, 1, "x", missing=missing, groups=groups)
    for honest in ("drop", "mean", "mask"):
        assert forecast_windows(series, 4, 1, "x", missing=honest, groups=groups).missing == 1

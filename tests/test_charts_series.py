"""What the charts of a table's column show, and their words."""

import math

import numpy as np

from gruviz.charts import series

NAN = math.nan
VALUES = np.array([1.0, 2.0, NAN, 4.0, 3.0])
ROWS = np.arange(5)


def test_a_column_is_drawn_whole_with_its_gap_and_the_border_of_validation() -> None:
    chart = series.column(ROWS, VALUES, "price", 3, "row")
    (line,) = chart.data
    np.testing.assert_array_equal(line.x, ROWS)
    np.testing.assert_array_equal(line.y, VALUES)
    assert (line.mode, line.connectgaps) == ("lines", False)
    (border,) = chart.layout.shapes
    assert (border.x0, border.x1, border.line.dash) == (3, 3, "dash")
    (word,) = chart.layout.annotations
    assert (word.text, word.x, word.xanchor) == ("validation", 3, "left")
    assert (chart.layout.xaxis.title.text, chart.layout.yaxis.title.text) == ("row", "price")
    assert "validation" in chart.layout.meta["aid"]


def test_a_border_outside_of_the_column_is_not_drawn() -> None:
    for border in (0, 5):
        assert not series.column(ROWS, VALUES, "price", border, "row").layout.shapes


def test_times_stand_on_the_axis_as_they_are() -> None:
    times = np.array(["2020-01-01", "2020-01-02", "2020-01-04"], "datetime64[ns]")
    chart = series.column(times, np.array([1.0, 2, 3]), "price", 2, "time")
    np.testing.assert_array_equal(chart.data[0].x, times)
    assert chart.layout.shapes[0].x0 == times[2]


def test_a_name_that_is_markup_is_shown_as_text() -> None:
    name = "<b>a</b>"
    chart = series.column(ROWS, VALUES, name, 3, "row")
    shown = (chart.data[0].name, chart.layout.yaxis.title.text, chart.layout.meta["title"])
    assert all("<b>" not in text and "a" in text for text in shown)
    said = series.forecasts(ROWS, VALUES, np.array([5]), {name: np.array([1.0])}, name, "row")
    assert all("<b>" not in trace.name for trace in said.data)


def test_a_long_column_keeps_its_extremes_and_its_gaps() -> None:
    values = np.sin(np.arange(100_000) / 500)
    values[12_345], values[77_777], values[50_000] = 9.0, -9.0, NAN
    chart = series.column(np.arange(100_000), values, "price", 80_000, "row")
    x, y = np.array(chart.data[0].x), np.array(chart.data[0].y)
    assert 1_000 < len(x) <= series.MOST_POINTS
    assert (np.diff(x) > 0).all()
    np.testing.assert_array_equal(y, values[x])
    assert {12_345, 77_777, 50_000} <= set(x.tolist())
    assert chart.layout.shapes[0].x0 == 80_000


def test_a_long_column_in_which_nothing_is_known_is_drawn_as_a_gap() -> None:
    chart = series.column(np.arange(9_000), np.full(9_000, NAN), "price", 7_000, "row")
    assert len(chart.data[0].x) and np.isnan(chart.data[0].y).all()


def test_each_forecaster_has_a_colour_a_dash_and_a_symbol_of_its_own() -> None:
    ahead = np.array([5, 6])
    said = {name: np.array([1.0, 2.0]) + place for place, name in enumerate("abcde")}
    chart = series.forecasts(ROWS, VALUES, ahead, said, "price", "row")
    truth, *lines = chart.data
    assert truth.name == "truth"
    np.testing.assert_array_equal(truth.y, VALUES)
    assert [line.name for line in lines] == list("abcde")
    for place, line in enumerate(lines):
        np.testing.assert_array_equal(line.x, ahead)
        np.testing.assert_array_equal(line.y, [1.0 + place, 2.0 + place])
    for what in ("color", "dash"):
        assert len({line.line[what] for line in lines}) == 5
    assert len({line.marker.symbol for line in lines}) == 5
    assert lines[0].line.width > lines[1].line.width
    assert "80 %" not in chart.layout.meta["aid"]


def test_the_band_goes_around_the_first_forecast_and_is_said() -> None:
    band = (np.array([0.0, 0.5]), np.array([2.0, 3.5]))
    said = {"net": np.array([1.0, 2.0])}
    chart = series.forecasts(ROWS, VALUES, np.array([5, 6]), said, "price", "row", band)
    area = chart.data[1]
    assert (list(area.x), list(area.y)) == ([5, 6, 6, 5], [2.0, 3.5, 0.5, 0.0])
    assert (area.name, area.fill) == ("80 % interval", "toself")
    assert "80 %" in chart.layout.meta["aid"]


def test_a_band_that_is_not_known_is_left_out() -> None:
    band = (np.array([0.0, NAN]), np.array([2.0, NAN]))
    said = {"net": np.array([1.0, 2.0])}
    chart = series.forecasts(ROWS, VALUES, np.array([5, 6]), said, "price", "row", band)
    assert [trace.name for trace in chart.data] == ["truth", "net"]


def test_the_contest_has_a_line_for_each_way_on_a_logarithmic_axis() -> None:
    curves = {
        "drop": (np.array([0.0, 10]), np.array([1.0, 0.5])),
        "carry": (np.array([0.0, 10]), np.array([1.0, 0.25])),
    }
    chart = series.contest(curves, "mean squared error")
    assert {line.name: list(line.y) for line in chart.data} == {
        "drop": [1.0, 0.5],
        "carry": [1.0, 0.25],
    }
    assert len({line.line.dash for line in chart.data}) == 2
    assert len({line.line.color for line in chart.data}) == 2
    assert chart.layout.yaxis.type == "log"
    assert chart.layout.yaxis.title.text == "mean squared error"
    assert chart.layout.xaxis.title.text == "step (updates)"
    assert not series.contest({}, "loss").data


def test_a_column_in_words_has_its_range_its_mean_and_what_is_missing() -> None:
    assert series.in_words("price", VALUES) == ("price: 5 rows, from 1 to 4, mean 2.5, 1 missing.")
    assert series.in_words("price", np.full(3, NAN)) == "price: no values."


def test_forecasts_and_contests_are_told_in_words() -> None:
    said = {"net": np.array([1.0, 2.0]), "drift": np.array([3.0, 4.5])}
    assert series.forecasts_in_words(said) == (
        "net: 1 next, 2 at the horizon's end. drift: 3 next, 4.5 at the horizon's end."
    )
    curves = {
        "drop": (np.array([0.0, 1000]), np.array([1.0, 0.5])),
        "none yet": (np.empty(0), np.empty(0)),
    }
    assert series.contest_in_words(curves) == "drop: validation loss 0.5 after 1,000 steps."

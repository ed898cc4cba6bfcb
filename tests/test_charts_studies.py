"""What the charts of the studies show, and their words."""

import math

import numpy as np

from gruviz import charts
from gruviz.charts import alternatives

RATES = np.array([1e-3, 1e-2, 1e-1, 1.0])
LOW, MEAN, HIGH = (np.array([1, *edge, math.nan]) for edge in ([0.4, 0.1], [0.5, 0.2], [0.6, 0.3]))


def test_the_range_test_shows_the_mean_in_its_band_and_the_suggestion_with_its_label() -> None:
    chart = charts.range_test(RATES, LOW, MEAN, HIGH, "mean squared error", 0.01)
    band, mean, suggestion = chart.data
    assert list(mean.x) == [1e-3, 1e-2, 1e-1]
    assert list(mean.y) == [1, 0.5, 0.2]
    assert list(band.x) == [1e-3, 1e-2, 1e-1, 1e-1, 1e-2, 1e-3]
    assert list(band.y) == [1, 0.6, 0.3, 0.1, 0.4, 1]
    assert (suggestion.x, suggestion.y, suggestion.marker.symbol) == ((0.01,), (0.5,), "diamond")
    (line,) = chart.layout.shapes
    assert (line.x0, line.x1, line.line.dash) == (0.01, 0.01, "dash")
    (label,) = chart.layout.annotations
    assert (label.text, label.x) == ("suggested 0.01", -2.0)
    assert (chart.layout.xaxis.type, chart.layout.yaxis.type) == ("log", "log")
    assert chart.layout.xaxis.title.text == "learning rate (per update)"
    assert chart.layout.yaxis.title.text == "mean squared error"


def test_a_range_test_without_suggestion_or_points_is_an_empty_chart_with_axes() -> None:
    nothing = np.full(4, math.nan)
    chart = charts.range_test(RATES, nothing, nothing, nothing, "loss")
    assert [len(trace.x) for trace in chart.data] == [0, 0]
    assert not chart.layout.shapes
    assert len(charts.range_test(RATES, nothing, nothing, nothing, "loss", 0.1).data) == 2


def test_sharpness_is_drawn_where_it_is_known_beside_its_limit() -> None:
    steps, limits = np.array([0.0, 10, 20]), np.array([4.0, 4, 8])
    chart = charts.sharpness(steps, np.array([1.0, 3, math.nan]), limits)
    value, limit = chart.data
    assert (list(value.x), list(value.y)) == ([0, 10], [1, 3])
    assert (list(limit.x), list(limit.y), limit.line.dash) == ([0, 10, 20], [4, 4, 8], "dash")
    assert chart.layout.yaxis.type == "log"
    assert charts.sharpness(steps, np.array([1.0, -3, 1]), limits).layout.yaxis.type is None


def test_the_surface_is_the_logarithm_of_the_loss_with_the_path_from_start_to_end() -> None:
    losses = np.array([[1.0, 10], [100, math.inf], [math.nan, 0.1]])
    path = np.array([[-1.0, 2], [0, 1], [0, 0]])
    chart = charts.surface(
        np.array([-1.0, 1]),
        np.array([0.0, 1, 2]),
        losses,
        path,
        np.array([0, 5, 90]),
        np.array([0.7, 0.2]),
        "cross-entropy (nats)",
    )
    ground, line, start, end = chart.data
    np.testing.assert_allclose(ground.z, [[0.0, 1], [2, math.nan], [math.nan, -1]])
    assert (list(ground.x), list(ground.y)) == ([-1, 1], [0, 1, 2])
    assert (list(line.x), list(line.y)) == ([-1, 0, 0], [2, 1, 0])
    assert (start.name, list(start.x), list(start.y)) == ("start (step 0)", [-1], [2])
    assert (end.name, list(end.x), list(end.y)) == ("end (step 90)", [0], [0])
    assert start.marker.symbol != end.marker.symbol
    assert list(ground.colorbar.ticktext) == ["0.1", "0.56", "3.2", "18", "1e+02"]
    assert chart.layout.yaxis.scaleanchor == "x"
    assert chart.layout.xaxis.title.text == "first principal direction (70% of the path's variance)"
    assert chart.layout.yaxis.title.text == "second principal direction (20%)"


def test_a_surface_that_has_just_begun_is_no_error() -> None:
    nothing = np.full((2, 2), math.nan)
    two = np.zeros(2)
    chart = charts.surface(two, two, nothing, np.zeros((3, 2)), np.arange(3), two, "loss")
    assert np.isnan(chart.data[0].z).all()


def test_every_chart_has_a_title_and_a_reading_aid() -> None:
    two = np.ones(2)
    made = [
        charts.range_test(two, two, two, two, "loss"),
        charts.sharpness(two, two, two),
        charts.surface(two, two, np.ones((2, 2)), np.ones((2, 2)), two, two, "loss"),
    ]
    assert [chart.layout.meta["title"] for chart in made] == [
        "Learning-rate range test",
        "Sharpness",
        "Loss surface",
    ]
    assert all(chart.layout.meta["aid"] for chart in made)


def test_the_studies_in_words() -> None:
    assert alternatives.range_test(RATES, MEAN, 0.01) == (
        "Learning-rate range test from 0.001 to 0.1: the mean loss begins at 1 and is lowest, 0.2,"
        " at 0.1. Suggested: 0.01."
    )
    assert alternatives.range_test(RATES, MEAN, None).endswith("at 0.1. There is no suggestion.")
    assert alternatives.range_test(RATES, np.full(4, math.nan), None) == (
        "Learning-rate range test: nothing measured yet."
    )
    steps, limits = np.array([0.0, 1500, 2000]), np.array([4.0, 4, 4])
    assert alternatives.sharpness(steps, np.array([1.0, 6, math.nan]), limits) == (
        "Sharpness 1 at step 0 and 6 at step 1,500, which is 1.5 times 2 / learning rate = 4."
    )
    assert alternatives.sharpness(steps, np.full(3, math.nan), limits) == (
        "Sharpness: nothing measured yet."
    )
    losses = np.array([[0.5, math.inf], [math.nan, 20.0]])
    assert alternatives.surface(losses, steps, np.array([0.7, 0.25])) == (
        "Loss surface around the path from step 0 to 2,000: losses from 0.5 to 20; the plane holds"
        " 95% of the path's variance."
    )
    assert alternatives.surface(np.full((2, 2), math.nan), steps, limits) == (
        "Loss surface: nothing measured yet."
    )

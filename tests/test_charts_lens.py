"""The clip lens: four rows on one axis, and the columns that it derives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruviz.charts import lens
from tests.test_charts_curves import (
    Tables,
    a_table,
    assert_drawn_from_its_columns,
    drawn_from,
    skeleton,
)

COLUMNS = (
    "step loss smooth learning_rate norm clipped_norm clipped clip_norm"
    " clipped_share effective_step"
)


def filled() -> Tables:
    return {"steps": a_table(COLUMNS, 9, np.random.default_rng(0))}


def test_every_row_is_drawn_from_its_columns_over_the_same_steps() -> None:
    chart = skeleton("lens")
    assert_drawn_from_its_columns(chart, filled())
    assert [(trace.yaxis, trace.meta["y"], trace.name) for trace in chart.data] == [
        ("y", "steps.loss", "loss"),
        ("y", "steps.smooth", "loss, moving average"),
        ("y2", "steps.clipped_norm", "norm after clipping"),
        ("y2", "steps.norm", "norm before clipping"),
        ("y2", "steps.clipped", "clipped step"),
        ("y2", "steps.clip_norm", "clip norm"),
        ("y3", "steps.clipped_share", "share clipped"),
        ("y4", "steps.learning_rate", "learning rate"),
        ("y4", "steps.effective_step", "effective step"),
    ]
    assert {(trace.xaxis, trace.meta["x"]) for trace in chart.data} == {("x", "steps.step")}


def test_all_rows_share_one_axis_and_one_cursor() -> None:
    layout = skeleton("lens").layout
    assert [name for name in layout.to_plotly_json() if name.startswith("xaxis")] == ["xaxis"]
    assert (layout.hovermode, layout.hoversubplots) == ("x unified", "axis")
    assert (layout.xaxis.showspikes, layout.xaxis.spikemode) == (True, "across")


def test_the_rows_have_titles_scales_and_room_of_their_own() -> None:
    chart = skeleton("lens")
    axes = [chart.layout[name] for name in ("yaxis", "yaxis2", "yaxis3", "yaxis4")]
    assert [(axis.title.text, axis.type) for axis in axes] == [
        ("mean squared error", "log"),
        ("‖gradient‖ (L2)", "log"),
        ("clipped (%)", "linear"),
        ("effective step", "log"),
    ]
    edges = [edge for axis in reversed(axes) for edge in axis.domain]
    assert edges == sorted(edges) and (edges[0], edges[-1]) == (0, 1)
    assert axes[2].range[0] < 0 and axes[2].range[1] > 100
    linear = skeleton("lens", log=False).layout
    assert (linear.yaxis.type, linear.yaxis2.type) == (None, "log")


def test_before_training_the_lens_has_its_title_and_reading_aid() -> None:
    chart = skeleton("lens")
    assert all(trace.x is None for trace in chart.data)
    assert (chart.layout.meta["title"], bool(chart.layout.meta["aid"])) == ("Clip lens", True)
    assert len(drawn_from(chart)) == 9


def test_crosses_are_only_where_clipping_left_less() -> None:
    norm = np.array([1.0, 2.0, 3.0, math.nan, math.inf])
    after = np.array([1.0, 2.0, 2.0, math.nan, 2.0])
    np.testing.assert_array_equal(
        lens.clipped(norm, after), [math.nan, math.nan, 3.0, math.nan, math.inf]
    )


def test_the_share_is_of_all_steps_until_there_are_a_hundred() -> None:
    after = np.full(4, 1.0)
    share = lens.clipped_share(np.array([2.0, 1.0, math.nan, math.inf]), after)
    assert share.tolist() == pytest.approx([100, 50, 100 / 3, 50])
    assert lens.clipped_share(np.empty(0), np.empty(0)).tolist() == []


def test_the_share_forgets_what_is_a_hundred_steps_old() -> None:
    norm = np.where(np.arange(250) < 120, 2.0, 1.0)  # the first 120 steps are clipped
    share = lens.clipped_share(norm, np.ones(250))
    assert share[[0, 119, 120, 169, 218, 219, 220]].tolist() == [100, 100, 99, 50, 1, 0, 0]


@given(st.lists(st.booleans(), max_size=300))
def test_the_share_is_the_mean_of_the_last_hundred(clipped: list[bool]) -> None:
    norm = np.where(clipped, 2.0, 1.0)
    expected = [100 * np.mean(clipped[max(0, end - 100) : end]) for end in range(1, len(norm) + 1)]
    np.testing.assert_allclose(lens.clipped_share(norm, np.ones(len(norm))), expected)


def test_the_effective_step_is_shortened_as_much_as_the_gradient() -> None:
    rate = np.full(6, 0.5)
    norm = np.array([4.0, 1.0, 0.0, 2.0, math.inf, math.nan])
    after = np.array([1.0, 1.0, 0.0, 2.0, 1.0, math.nan])
    np.testing.assert_array_equal(
        lens.effective_step(rate, norm, after), [0.125, 0.5, 0.5, 0.5, 0.0, math.nan]
    )

"""Charts of the blocks of weights: columns, styles that can be told apart, and the healthy band."""

from collections.abc import Iterable

import numpy as np
import pytest

from gruviz.charts.blocks import _style, label
from gruviz.charts.style import BLUE, GREY, RED
from gruviz.experiment import CELLS, GRU, LSTM, RNN, Adding, Cell, Experiment
from gruviz.training import advance
from tests.test_charts_curves import (
    Tables,
    a_table,
    assert_drawn_from_its_columns,
    drawn_from,
    skeleton,
)

DRAWN = {"gradient": "block-gradients", "update": "block-updates", "moment": "block-moments"}


def filled(blocks: tuple[str, ...] = GRU().blocks()) -> Tables:
    names = " ".join(["step", *(f"{kind}.{block}" for kind in DRAWN for block in blocks)])
    return {"blocks": a_table(names, 5, np.random.default_rng(0))}


def test_the_blocks_of_a_cell_are_its_matrices_gate_by_gate_then_biases_and_head() -> None:
    assert GRU().blocks() == ("W_ir", "W_iz", "W_in", "W_hr", "W_hz", "W_hn", "biases", "head")
    assert LSTM().blocks() == (
        "W_ii",
        "W_if",
        "W_ig",
        "W_io",
        "W_hi",
        "W_hf",
        "W_hg",
        "W_ho",
        "biases",
        "head",
    )
    assert RNN().blocks() == ("W_ih", "W_hh", "biases", "head")


def measured(columns: Iterable[str]) -> tuple[str, ...]:
    """The blocks of weights that the columns of Slice.blocks tell of."""
    kind = "gradient."
    return tuple(name.removeprefix(kind) for name in columns if name.startswith(kind))


@pytest.mark.parametrize("cell", [*(row() for row in CELLS.values()), GRU(tied_gates=True)])
def test_the_blocks_of_a_cell_are_those_that_training_measures(cell: Cell) -> None:
    experiment = Experiment(task=Adding(size=40, length=8), cell=cell, batch_size=8)
    assert measured(advance(experiment, steps=1).blocks) == cell.blocks()


def test_tied_gates_have_one_matrix_from_the_input_and_one_from_the_old_state() -> None:
    traces = skeleton("block-gradients", blocks=GRU(tied_gates=True).blocks()).data
    assert [(trace.name, trace.line.dash) for trace in traces[:2]] == [
        ("W<sub>i</sub>", "dot"),
        ("W<sub>h</sub>", "solid"),
    ]


@pytest.mark.parametrize("kind", DRAWN)
def test_each_block_is_drawn_from_its_column(kind: str) -> None:
    blocks = GRU().blocks()
    chart = skeleton(DRAWN[kind], blocks=blocks)
    assert drawn_from(chart) == [
        (label(block), {"x": "blocks.step", "y": f"blocks.{kind}.{block}"}) for block in blocks
    ]
    assert_drawn_from_its_columns(chart, filled())


@pytest.mark.parametrize("name", CELLS)
def test_no_two_blocks_look_alike_and_the_gate_decides_the_colour(name: str) -> None:
    blocks = CELLS[name]().blocks()
    traces = skeleton("block-gradients", blocks=blocks).data
    looks = {block: (t.line.color, t.line.dash) for block, t in zip(blocks, traces, strict=True)}
    assert len(set(looks.values())) == len(blocks)
    for gate in CELLS[name].gates:
        (colour, from_input), (same, from_state) = looks[f"W_i{gate}"], looks[f"W_h{gate}"]
        assert (same, from_input, from_state) == (colour, "dot", "solid")


def test_a_gate_without_a_colour_of_its_own_is_grey_and_still_told_apart_by_its_dash() -> None:
    traces = skeleton("block-gradients", blocks=("W_iu", "W_hu")).data
    assert [(t.line.color, t.line.dash) for t in traces] == [(GREY, "dot"), (GREY, "solid")]


def test_names_in_a_legend_are_those_of_the_equations() -> None:
    assert [label(block) for block in ("W_ir", "W_hh", "biases", "head")] == [
        "W<sub>ir</sub>",
        "W<sub>hh</sub>",
        "biases",
        "head",
    ]


def test_the_healthy_band_is_around_a_thousandth_and_says_who_says_so() -> None:
    chart = skeleton("block-updates", blocks=GRU().blocks())
    (band,) = chart.layout.shapes
    assert (band.y0, band.y1, band.yref, band.x0, band.x1, band.xref) == (
        -3.5,
        -2.5,
        "y",
        0,
        1,
        "paper",
    )
    assert chart.layout.meta["aid"].startswith("shaded: healthy, about 1/1000 (Karpathy, CS231n)")


@pytest.mark.parametrize(
    ("kind", "title", "y", "scale"),
    [
        ("gradient", "Gradient norm per block", "‖gradient‖ (L2)", "log"),
        ("update", "Update-to-weight ratio", "log₁₀ ‖Δw‖ / ‖w‖", None),
        ("moment", "Second moment per block", "second moment (RMS)", "log"),
    ],
)
def test_without_data_a_chart_has_its_axes_title_and_reading_aid(
    kind: str, title: str, y: str, scale: str | None
) -> None:
    layout = skeleton(DRAWN[kind], blocks=RNN().blocks()).layout
    assert (layout.meta["title"], layout.yaxis.title.text, layout.yaxis.type) == (title, y, scale)
    assert layout.xaxis.title.text == "step (updates)"
    assert layout.meta["aid"]


def test_an_optimizer_without_a_second_moment_is_told_so() -> None:
    assert skeleton("block-moments", blocks=RNN().blocks()).layout.meta["empty"] == (
        "This optimizer keeps no second moment.<br>Choose Adam or RMSprop."
    )


def test_the_reset_gate_is_blue_and_the_update_gate_vermilion() -> None:
    colours = {block: _style(block)["line"]["color"] for block in ("W_ir", "W_hr", "W_iz", "W_hz")}
    assert colours == {"W_ir": BLUE, "W_hr": BLUE, "W_iz": RED, "W_hz": RED}

"""Norms of blocks of weights, and the names that the layers give their blocks."""

from typing import Any

import numpy as np
import pytest
import torch

import gruviz.nn
from gruviz.nn import GRU, LSTM, RNN, BlockNorms

NAMES: list[tuple[Any, list[str]]] = [
    (GRU(2, 3), ["W_ir", "W_iz", "W_in", "W_hr", "W_hz", "W_hn", "biases"]),
    (GRU(2, 3, tied_gates=True), ["W_i", "W_h", "biases"]),
    (
        LSTM(2, 3),
        ["W_ii", "W_if", "W_ig", "W_io", "W_hi", "W_hf", "W_hg", "W_ho", "biases"],
    ),
    (RNN(2, 3, bias=False), ["W_ih", "W_hh"]),
    (RNN(2, 3, 2), ["W_ih", "W_hh", "biases", "W_ih_l1", "W_hh_l1", "biases_l1"]),
]


@pytest.mark.parametrize(("layer", "names"), NAMES)
def test_blocks_have_the_names_of_the_equation_and_part_every_number_among_them(
    layer: Any, names: list[str]
) -> None:
    blocks = layer.blocks()
    assert list(blocks) == names
    seen = {name: torch.zeros_like(weight) for name, weight in layer.named_parameters()}
    by_identity = {id(weight): seen[name] for name, weight in layer.named_parameters()}
    for parts in blocks.values():
        for weight, rows in parts:
            by_identity[id(weight)][rows] += 1
    assert all((count == 1).all() for count in seen.values())


@pytest.mark.parametrize(
    ("layer", "block", "signals"),
    [
        (GRU, "W_ir", ["reset", "candidate"]),
        (GRU, "W_iz", ["update"]),
        (GRU, "W_in", ["candidate"]),
        (GRU, "W_hr", ["reset", "candidate"]),
        (GRU, "W_hz", ["update"]),
        (GRU, "W_hn", ["candidate"]),
        *[
            (LSTM, f"W_{source}{letter}", [signal])
            for source in "ih"
            for letter, signal in zip(
                "ifgo", ("input", "forget", "candidate", "output"), strict=True
            )
        ],
    ],
)
def test_a_gates_block_moves_that_gate_and_what_reads_it_and_no_other(
    layer: Any, block: str, signals: list[str]
) -> None:
    module = layer(2, 3, generator=torch.Generator().manual_seed(0))
    x, names = torch.ones(1, 1, 2), module.equation.summarised
    state = torch.ones(1, 1, 3)
    hx: Any = (state, state) if layer is LSTM else state

    def gates() -> dict[str, Any]:
        recording = gruviz.nn.Recording()
        module(x, hx, record=recording)
        return {name: recording.layers[0].signals[name] for name in names}

    before = gates()
    with torch.no_grad():
        for weight, rows in module.blocks()[block]:
            weight[rows] += 0.5
    moved = {name for name, values in gates().items() if not np.array_equal(values, before[name])}
    assert moved == set(signals)


def known() -> tuple[torch.nn.Parameter, torch.nn.Parameter, BlockNorms]:
    wide = torch.nn.Parameter(torch.tensor([[3.0, 4.0], [5.0, 12.0], [0.0, 2.0]]))
    long = torch.nn.Parameter(torch.tensor([8.0, 15.0, 1.0]))
    norms = BlockNorms(
        {
            "second": [(wide, slice(1, 2))],
            "first and ends": [(wide, slice(0, 1)), (wide, slice(2, 3)), (long, slice(2, None))],
            "long": [long],
        }
    )
    return wide, long, norms


def test_weights_have_the_norms_of_their_rows_in_the_order_of_the_blocks() -> None:
    _, _, norms = known()
    assert norms.names == ("second", "first and ends", "long")
    expected = [13.0, np.sqrt(9 + 16 + 4 + 1), np.sqrt(64 + 225 + 1)]
    np.testing.assert_allclose(norms.weights(), expected, rtol=1e-15)
    assert norms.weights().dtype == np.float64


def test_gradients_are_those_of_the_moment_and_nan_where_there_are_none() -> None:
    wide, long, norms = known()
    assert np.isnan(norms.gradients()).all()
    wide.grad = torch.tensor([[1.0, 0.0], [0.0, 7.0], [2.0, 2.0]]).t().contiguous().t()
    np.testing.assert_array_equal(norms.gradients(), [7.0, np.nan, np.nan])
    long.grad = torch.tensor([2.0, 3.0, 6.0])
    np.testing.assert_allclose(norms.gradients(), [7.0, np.sqrt(1 + 8 + 36), 7.0], rtol=1e-15)


def test_changes_are_counted_from_the_copy_and_renew_it() -> None:
    wide, long, norms = known()
    with pytest.raises(RuntimeError, match=r"no copy to compare with: call remember\(\) before"):
        norms.changes()
    norms.remember()
    with torch.no_grad():
        wide[1] += torch.tensor([3.0, 4.0])
        long[2] += 2.0
    np.testing.assert_array_equal(norms.changes(), [5.0, 2.0, 2.0])
    np.testing.assert_array_equal(norms.changes(), [0.0, 0.0, 0.0])
    with torch.no_grad():
        wide[0, 0] -= 1.0
    np.testing.assert_array_equal(norms.changes(), [0.0, 1.0, 0.0])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_step_of_training_is_measured_as_torch_measures_it(dtype: torch.dtype) -> None:
    layer = GRU(2, 5, 2, dtype=dtype)
    blocks = layer.blocks()
    norms = BlockNorms(blocks)
    before = {name: weight.detach().clone() for name, weight in layer.named_parameters()}
    names = {id(weight): name for name, weight in layer.named_parameters()}
    norms.remember()
    layer(torch.randn(6, 3, 2, dtype=dtype))[0].square().sum().backward()
    torch.optim.Adam(layer.parameters(), lr=0.01, fused=True).step()

    def norm(parts: Any, values: Any) -> float:
        return float(torch.cat([values(w)[rows].flatten().double() for w, rows in parts]).norm())

    for found, values in (
        (norms.gradients(), lambda w: w.grad),
        (norms.weights(), lambda w: w.detach()),
        (norms.changes(), lambda w: w.detach().double() - before[names[id(w)]].double()),
    ):
        expected = [norm(parts, values) for parts in blocks.values()]
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_what_is_not_a_number_makes_nan_of_its_block_alone() -> None:
    _, long, norms = known()
    with torch.no_grad():
        long[0] = torch.nan
    assert np.isnan(norms.weights()).tolist() == [False, False, True]


def test_blocks_that_cannot_be_measured_are_refused() -> None:
    weight = torch.nn.Parameter(torch.zeros(3, 2))
    with pytest.raises(ValueError, match="no blocks"):
        BlockNorms({})
    with pytest.raises(ValueError, match="no parameter in block 'a'"):
        BlockNorms({"a": []})
    with pytest.raises(
        ValueError, match=r"block 'a' has no rows in slice\(3, 6, None\) of \[3, 2\]"
    ):
        BlockNorms({"a": [(weight, slice(3, 6))]})
    half = BlockNorms({"a": [torch.nn.Parameter(torch.zeros(3, dtype=torch.bfloat16))]})
    with pytest.raises(
        ValueError, match=r"float32 or float64, on the CPU; got torch.bfloat16 on cpu"
    ):
        half.weights()

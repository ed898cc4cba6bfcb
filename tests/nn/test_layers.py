"""The layers compute what torch.nn's compute."""

import copy
import pickle
from itertools import product
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gruviz.nn
from tests.nn.agreement import assert_equal, gradient, results_and_gradients

# batch, time, features, units, layers
SIZES = [
    (1, 1, 1, 1, 1),
    (1, 5, 2, 3, 1),
    (3, 1, 1, 3, 2),
    (5, 7, 3, 1, 2),
    (7, 4, 1, 17, 3),
    (33, 9, 5, 16, 1),
    (4, 30, 2, 65, 2),
]
KINDS = ["RNN", "GRU", "LSTM"]
DTYPES = [torch.float64, torch.float32]


def pair(kind: str, features: int, units: int, layers: int = 1, **options: Any) -> tuple[Any, Any]:
    torch.manual_seed(len(kind) + units)
    theirs = getattr(nn, kind)(features, units, layers, **options)
    ours = getattr(gruviz.nn, kind)(features, units, layers, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def states(kind: str, layers: int, batch: int, units: int, dtype: torch.dtype) -> Any:
    h = torch.randn(layers, batch, units, dtype=dtype)
    return (h, torch.randn_like(h)) if kind == "LSTM" else h


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_states_and_all_gradients_equal_those_of_torch(
    kind: str, dtype: torch.dtype
) -> None:
    for batch, time, features, units, layers in SIZES:
        for batch_first, bias, begun in [
            (True, True, False),
            (False, True, True),
            (True, False, True),
        ]:
            ours, theirs = pair(
                kind, features, units, layers, batch_first=batch_first, bias=bias, dtype=dtype
            )
            shape = (batch, time) if batch_first else (time, batch)
            x = torch.randn(*shape, features, dtype=dtype)
            state = states(kind, layers, batch, units, dtype) if begun else None
            assert_equal(
                results_and_gradients(ours, x, state), results_and_gradients(theirs, x, state)
            )


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_relu_rnn_equals_that_of_torch(dtype: torch.dtype) -> None:
    ours, theirs = pair("RNN", 3, 9, 2, nonlinearity="relu", dtype=dtype)
    x = torch.randn(11, 4, 3, dtype=dtype)
    assert_equal(results_and_gradients(ours, x, None), results_and_gradients(theirs, x, None))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sorted_", [True, False])
def test_packed_sequences_equal_those_of_torch(kind: str, sorted_: bool) -> None:
    ours, theirs = pair(kind, 2, 5, 2, dtype=torch.float64)
    lengths = [6, 4, 4, 1] if sorted_ else [4, 1, 6, 4]
    padded = torch.randn(6, 4, 2, dtype=torch.float64)
    packed = pack_padded_sequence(padded, torch.tensor(lengths), enforce_sorted=sorted_)
    state = states(kind, 2, 4, 5, torch.float64)
    assert_equal(
        results_and_gradients(ours, packed, state), results_and_gradients(theirs, packed, state)
    )
    a, b = ours(packed)[0], theirs(packed)[0]
    assert torch.equal(a.batch_sizes, b.batch_sizes)
    assert torch.allclose(pad_packed_sequence(a)[0], pad_packed_sequence(b)[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_lengths_give_what_each_sequence_gives_alone(kind: str, engine: str) -> None:
    layer = getattr(gruviz.nn, kind)(2, 3, 2, batch_first=True, dtype=torch.float64, engine=engine)
    lengths = [3, 6, 1, 5]
    x = torch.randn(4, 6, 2, dtype=torch.float64)
    for row, length in enumerate(lengths):
        x[row, length:] = torch.nan  # what stands after the end must not matter
    together = results_and_gradients(layer, x, None, lengths=lengths)
    output, state = layer(x, lengths=lengths)
    for row, length in enumerate(lengths):
        alone, last = layer(x[row, :length])
        assert_equal([output[row, :length]], [alone])
        assert not output[row, length:].any()
        last_states = last if kind == "LSTM" else (last,)
        for a, b in zip(state if kind == "LSTM" else (state,), last_states, strict=True):
            assert_equal([a[:, row]], [b])
    assert all(bool(tensor.isfinite().all()) for tensor in together)


@pytest.mark.parametrize("kind", KINDS)
def test_a_sequence_without_batch_axis_equals_a_batch_of_one(kind: str) -> None:
    ours, theirs = pair(kind, 2, 3, 2, dtype=torch.float64)
    x = torch.randn(5, 2, dtype=torch.float64)
    assert_equal(results_and_gradients(ours, x, None), results_and_gradients(theirs, x, None))


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_none_gives_what_torch_gives(kind: str) -> None:
    ours, theirs = pair(kind, 2, 3, 2)
    x = torch.zeros(5, 0, 2)
    assert_equal(results_and_gradients(ours, x, None), results_and_gradients(theirs, x, None))


@pytest.mark.parametrize("kind", KINDS)
def test_a_parametrized_weight_is_the_one_that_computes(kind: str) -> None:
    ours, theirs = pair(kind, 2, 3, dtype=torch.float64)
    x = torch.randn(5, 4, 2, dtype=torch.float64)
    for layer in (ours, theirs):
        nn.utils.parametrizations.weight_norm(layer, "weight_hh_l0")
        with torch.no_grad():
            layer.parametrizations.weight_hh_l0.original0.mul_(2)
    assert_equal(results_and_gradients(ours, x, None), results_and_gradients(theirs, x, None))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_load_both_ways(kind: str) -> None:
    for bias, layers in product((True, False), (1, 3)):
        ours, theirs = pair(kind, 2, 3, layers, bias=bias)
        expected = {name: value.shape for name, value in theirs.state_dict().items()}
        assert {name: value.shape for name, value in ours.state_dict().items()} == expected
        theirs.load_state_dict(getattr(gruviz.nn, kind)(2, 3, layers, bias=bias).state_dict())


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_weights_that_torch_draws(kind: str) -> None:
    torch.manual_seed(3)
    theirs = getattr(nn, kind)(2, 5, 2)
    torch.manual_seed(3)
    ours = getattr(gruviz.nn, kind)(2, 5, 2)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_torch_path_gives_the_numbers_of_the_loop(kind: str, dtype: torch.dtype) -> None:
    compiled = getattr(gruviz.nn, kind)(3, 7, 2, dtype=dtype, engine="numba")
    plain = getattr(gruviz.nn, kind)(3, 7, 2, dtype=dtype, engine="torch")
    plain.load_state_dict(compiled.state_dict())
    x, state = torch.randn(9, 4, 3, dtype=dtype), states(kind, 2, 4, 7, dtype)
    for lengths in (None, [9, 2, 5, 1]):
        assert_equal(
            results_and_gradients(compiled, x, state, lengths=lengths),
            results_and_gradients(plain, x, state, lengths=lengths),
        )


def test_a_layer_can_be_copied_and_pickled() -> None:
    layer = gruviz.nn.GRU(2, 3)
    x = torch.randn(4, 1, 2)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], layer(x)[0])


def test_the_gradient_can_be_taken_twice_from_a_retained_graph() -> None:
    layer, x = gruviz.nn.GRU(2, 3), torch.randn(4, 1, 2)
    loss = layer(x)[0].sum()
    loss.backward(retain_graph=True)
    weight = layer.get_parameter("weight_hh_l0")
    first = gradient(weight).clone()
    loss.backward()
    assert torch.equal(gradient(weight), 2 * first)


def test_two_passes_before_a_backward_do_not_share_memory() -> None:
    layer = gruviz.nn.GRU(8, 64)
    first, second = torch.randn(40, 8, 8), torch.randn(40, 8, 8)
    alone = layer(first)[0].detach().clone()
    one, two = layer(first)[0], layer(second)[0]
    assert torch.equal(one, alone)
    del two
    layer(second)
    assert torch.equal(one, alone)
    (one.sum()).backward()
    weight = layer.get_parameter("weight_hh_l0")
    first_gradient = gradient(weight).clone()
    layer.zero_grad()
    layer(first)[0].sum().backward()
    assert torch.equal(gradient(weight), first_gradient)

"""Layers that read both ways: numbers, states, weights and recordings."""

import copy
import pickle
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import gruviz.nn
from gruviz.nn import L2, BlockNorms, LayerRecording, Recording
from tests.nn.agreement import assert_equal, flat, results_and_gradients

KINDS = ["RNN", "GRU", "LSTM"]
close = partial(np.testing.assert_allclose, rtol=1e-10, atol=1e-12)
SIGNALS = {
    "RNN": ["hidden"],
    "GRU": ["reset", "update", "candidate", "hidden"],
    "LSTM": ["input", "forget", "candidate", "output", "cell", "hidden"],
}


def pair(kind: str, layers: int = 1, **options: Any) -> tuple[Any, Any]:
    torch.manual_seed(len(kind))
    theirs = getattr(nn, kind)(3, 5, layers, bidirectional=True, **options)
    ours = getattr(gruviz.nn, kind)(3, 5, layers, bidirectional=True, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def states(kind: str, *shape: int, dtype: torch.dtype = torch.float64) -> Any:
    h = torch.randn(*shape, dtype=dtype)
    return (h, torch.randn_like(h)) if kind == "LSTM" else h


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", KINDS)
def test_outputs_states_and_all_gradients_equal_those_of_torch(
    kind: str, dtype: torch.dtype
) -> None:
    for batch_first, bias, layers in ((True, True, 1), (False, False, 2), (True, True, 3)):
        ours, theirs = pair(kind, layers, batch_first=batch_first, bias=bias, dtype=dtype)
        x = torch.randn(4, 7, 3, dtype=dtype)
        begun = states(kind, 2 * layers, 4 if batch_first else 7, 5, dtype=dtype)
        for state in (None, begun):
            expected = results_and_gradients(theirs, x, state)
            assert_equal(results_and_gradients(ours, x, state), expected)


@pytest.mark.parametrize("sorted_", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_packed_sequences_equal_those_of_torch(kind: str, sorted_: bool) -> None:
    ours, theirs = pair(kind, 2, dtype=torch.float64)
    lengths = torch.tensor([6, 4, 4, 1] if sorted_ else [4, 1, 6, 4])
    padded = torch.randn(6, 4, 3, dtype=torch.float64)
    packed = pack_padded_sequence(padded, lengths, enforce_sorted=sorted_)
    state = states(kind, 4, 4, 5)
    assert_equal(
        results_and_gradients(ours, packed, state), results_and_gradients(theirs, packed, state)
    )


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_lengths_give_what_each_sequence_gives_alone(kind: str, engine: str) -> None:
    layer = getattr(gruviz.nn, kind)(
        3, 5, 2, batch_first=True, bidirectional=True, dtype=torch.float64, engine=engine
    )
    x, lengths = torch.randn(4, 6, 3, dtype=torch.float64), [3, 6, 1, 5]
    for row, length in enumerate(lengths):
        x[row, length:] = torch.nan
    output, state = layer(x, lengths=lengths)
    for row, length in enumerate(lengths):
        alone, last = layer(x[row, :length])
        assert_equal([output[row, :length]], [alone])
        assert not output[row, length:].any()
        assert_equal([part[:, row] for part in flat(state)], flat(last))


@pytest.mark.parametrize("kind", KINDS)
def test_weights_load_both_ways_and_the_same_seed_draws_the_same(kind: str) -> None:
    for bias in (True, False):
        ours, theirs = pair(kind, 2, bias=bias)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        theirs.load_state_dict(ours.state_dict())
        torch.manual_seed(3)
        expected = getattr(nn, kind)(3, 5, 2, bias=bias, bidirectional=True)
        torch.manual_seed(3)
        drawn = getattr(gruviz.nn, kind)(3, 5, 2, bias=bias, bidirectional=True)
        for a, b in zip(drawn.parameters(), expected.parameters(), strict=True):
            assert torch.equal(a, b)


def test_dropout_between_layers_acts_on_both_directions() -> None:
    layer, _ = pair("GRU", 2, dropout=0.5)
    x, generator = torch.randn(6, 4, 3), torch.Generator().manual_seed(2)
    output = layer(x, generator=generator)[0]
    lower, _ = pair("GRU", 1)
    upper = gruviz.nn.GRU(10, 5, bidirectional=True)
    weights = layer.state_dict()
    lower.load_state_dict({n: w for n, w in weights.items() if "l0" in n})
    upper.load_state_dict({n.replace("l1", "l0"): w for n, w in weights.items() if "l1" in n})
    hidden = lower(x)[0]
    mask = torch.empty_like(hidden, memory_format=torch.contiguous_format)
    mask.bernoulli_(0.5, generator=generator.manual_seed(2)).div_(0.5)
    torch.testing.assert_close(output, upper(hidden * mask)[0])


def test_a_layer_can_be_copied_and_pickled() -> None:
    layer, _ = pair("LSTM", 2)
    x = torch.randn(4, 1, 3)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], layer(x)[0])
        assert twin.all_weights[3][0] is twin.weight_ih_l1_reverse


def test_blocks_penalties_and_initializers_know_both_directions() -> None:
    layer = gruviz.nn.GRU(
        3,
        5,
        2,
        bidirectional=True,
        kernel_initializer=2.0,
        bias_initializer="ones",
        recurrent_initializer="zeros",
        kernel_regularizer=L2(1.0),
    )
    names = list(layer.blocks())
    assert len(names) == 4 * 7
    assert names[7:15] == [
        *(f"W_{gate}_reverse" for gate in ("ir", "iz", "in", "hr", "hz", "hn")),
        "biases_reverse",
        "W_ir_l1",
    ]
    assert names[-1] == "biases_l1_reverse"
    inputs = 2 * 15 * 3 + 2 * 15 * 10
    assert layer.penalty().item() == 4 * inputs
    norms = dict(zip(names, BlockNorms(layer.blocks()).weights(), strict=True))
    assert norms["W_iz_l1_reverse"] == pytest.approx(2 * 50**0.5)
    assert norms["W_hz_reverse"] == 0 and norms["biases_reverse"] == pytest.approx(15**0.5)


def recorded(layer: Any, x: torch.Tensor, detail: Any = "full", **options: Any) -> Any:
    recording = Recording(detail)
    output = layer(x, record=recording, **options)[0]
    weights = torch.linspace(-1, 2, output.numel(), dtype=output.dtype).view(output.shape)
    (output * weights).sum().backward()
    return recording.layers, output, weights


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_direction_that_reads_backwards_is_recorded_by_the_steps_of_the_input(
    kind: str, engine: str
) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = getattr(gruviz.nn, kind)(
        3, 5, bidirectional=True, dtype=torch.float64, engine=engine, generator=generator
    )
    alone = getattr(gruviz.nn, kind)(3, 5, dtype=torch.float64, engine="torch")
    weights = layer.state_dict()
    alone.load_state_dict({name: weights[f"{name}_reverse"] for name in alone.state_dict()})
    x = torch.randn(7, 4, 3, dtype=torch.float64)
    (_, backwards), output, weight = recorded(layer, x)
    assert list(backwards.signals) == SIGNALS[kind]
    np.testing.assert_array_equal(backwards.signals["hidden"], output[..., 5:].detach().numpy())

    recording = Recording()
    flipped = alone(x.flip(0), record=recording)[0]
    (flipped * weight[..., 5:].flip(0)).sum().backward()
    (expected,) = recording.layers
    assert expected.gradient is not None and expected.gradient_norm is not None
    for name, values in expected.signals.items():
        close(backwards.signals[name], values[::-1])
    close(backwards.gradient, expected.gradient[::-1])
    close(backwards.gradient_norm, expected.gradient_norm[::-1])
    for name, values in expected.mean.items():
        close(backwards.mean[name], values[::-1])
        np.testing.assert_allclose(
            backwards.saturation.get(name, 0), expected.saturation.get(name, np.zeros(1))[::-1]
        )


def assert_same_record(a: LayerRecording, b: LayerRecording) -> None:
    assert a.signals.keys() == b.signals.keys()
    for ours, theirs in ((a.signals, b.signals), (a.mean, b.mean), (a.saturation, b.saturation)):
        assert ours.keys() == theirs.keys()
        for name, values in ours.items():
            close(values, theirs[name])
    assert (a.gradient is None) == (b.gradient is None)
    if a.gradient is not None and b.gradient is not None:
        close(a.gradient, b.gradient)
    assert a.gradient_norm is not None and b.gradient_norm is not None
    close(a.gradient_norm, b.gradient_norm)


@pytest.mark.parametrize("detail", ["full", "summary"])
@pytest.mark.parametrize("lengths", [None, [2, 6, 1, 4]])
@pytest.mark.parametrize("kind", KINDS)
def test_both_paths_record_the_same_in_both_directions(
    kind: str, lengths: list[int] | None, detail: str
) -> None:
    x, found = torch.linspace(-4, 4, 72, dtype=torch.float64).view(6, 4, 3), []
    for engine in ("numba", "torch"):
        generator = torch.Generator().manual_seed(0)
        layer = getattr(gruviz.nn, kind)(
            3, 5, 2, bidirectional=True, dtype=torch.float64, engine=engine, generator=generator
        )
        found.append(recorded(layer, x, detail, lengths=lengths)[0])
    assert len(found[0]) == 4
    for a, b in zip(*found, strict=True):
        assert_same_record(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_a_summary_is_that_of_the_whole_and_steps_after_an_end_count_for_nothing(kind: str) -> None:
    generator = torch.Generator().manual_seed(0)
    layer = getattr(gruviz.nn, kind)(
        3, 5, bidirectional=True, dtype=torch.float64, generator=generator
    )
    x, lengths = 3 * torch.randn(6, 4, 3, dtype=torch.float64), [2, 6, 1, 4]
    full, brief = (recorded(layer, x, detail, lengths=lengths)[0] for detail in ("full", "summary"))
    for whole, summary in zip(full, brief, strict=True):
        assert summary.signals == {} and summary.gradient is None
        for values in (*whole.signals.values(), whole.gradient):
            for row, length in enumerate(lengths):
                assert np.isnan(values[length:, row]).all()
                assert np.isfinite(values[:length, row]).all()
        norm = np.sqrt(np.nansum(np.square(whole.gradient), (1, 2)))
        np.testing.assert_allclose(summary.gradient_norm, norm)
        for name, mean in summary.mean.items():
            np.testing.assert_allclose(mean, np.nanmean(whole.signals[name], (1, 2)))
            assert name not in whole.saturation or np.array_equal(
                summary.saturation[name], whole.saturation[name]
            )


def test_gradients_held_by_a_finished_sequence_do_not_enter_the_norm() -> None:
    for engine in ("numba", "torch"):
        layer, recording = gruviz.nn.GRU(2, 3, engine=engine), Recording()
        _, state = layer(torch.randn(4, 2, 2), lengths=[4, 1], record=recording)
        state.square().sum().backward()
        (record,) = recording.layers
        assert record.gradient is not None and record.gradient_norm is not None
        norm = np.sqrt(np.nansum(np.square(record.gradient), (1, 2)))
        np.testing.assert_allclose(record.gradient_norm, norm, rtol=1e-5)

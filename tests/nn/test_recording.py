"""What a recording holds."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import gruviz.nn
from gruviz.nn import Recording

SIGNALS = {
    "RNN": ["hidden"],
    "GRU": ["reset", "update", "candidate", "hidden"],
    "LSTM": ["input", "forget", "candidate", "output", "cell", "hidden"],
}


def sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))


def from_input_and_state(layer: Any, x: Any, before: Any) -> tuple[Any, Any]:
    w = {name: value.detach().numpy() for name, value in layer.named_parameters()}
    from_x = x @ w["weight_ih_l0"].T + w["bias_ih_l0"]
    return from_x, before @ w["weight_hh_l0"].T + w["bias_hh_l0"]


def test_gates_rebuild_the_hidden_state_of_nn_gru() -> None:
    theirs = nn.GRU(2, 5, dtype=torch.float64)
    ours = gruviz.nn.GRU(2, 5, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(6, 3, 2, dtype=torch.float64)
    recording = Recording()
    ours(x, record=recording)
    s = recording.layers[0].signals
    hidden = theirs(x)[0].detach().numpy()
    before = np.concatenate([np.zeros((1, 3, 5)), hidden[:-1]])
    from_x, from_h = from_input_and_state(theirs, x.numpy(), before)
    reset = sigmoid(from_x[..., :5] + from_h[..., :5])
    update = sigmoid(from_x[..., 5:10] + from_h[..., 5:10])
    candidate = np.tanh(from_x[..., 10:] + reset * from_h[..., 10:])
    for name, expected in zip(SIGNALS["GRU"], (reset, update, candidate, hidden), strict=True):
        np.testing.assert_allclose(s[name], expected, atol=1e-12)
    rebuilt = (1 - s["update"]) * s["candidate"] + s["update"] * before
    np.testing.assert_allclose(rebuilt, hidden, atol=1e-12)


def test_gates_rebuild_cell_and_hidden_state_of_nn_lstm() -> None:
    theirs = nn.LSTM(2, 5, dtype=torch.float64)
    ours = gruviz.nn.LSTM(2, 5, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(6, 3, 2, dtype=torch.float64)
    recording = Recording()
    ours(x, record=recording)
    s = recording.layers[0].signals
    hidden = theirs(x)[0].detach().numpy()
    before = np.concatenate([np.zeros((1, 3, 5)), hidden[:-1]])
    from_x, from_h = from_input_and_state(theirs, x.numpy(), before)
    total = from_x + from_h
    np.testing.assert_allclose(s["input"], sigmoid(total[..., :5]), atol=1e-12)
    np.testing.assert_allclose(s["forget"], sigmoid(total[..., 5:10]), atol=1e-12)
    np.testing.assert_allclose(s["candidate"], np.tanh(total[..., 10:15]), atol=1e-12)
    np.testing.assert_allclose(s["output"], sigmoid(total[..., 15:]), atol=1e-12)
    cells = np.concatenate([np.zeros((1, 3, 5)), s["cell"][:-1]])
    np.testing.assert_allclose(s["cell"], s["forget"] * cells + s["input"] * s["candidate"])
    np.testing.assert_allclose(s["hidden"], s["output"] * np.tanh(s["cell"]))
    np.testing.assert_allclose(s["hidden"], hidden, atol=1e-12)


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("kind", list(SIGNALS))
def test_each_layer_has_its_signals_as_time_batch_hidden(kind: str, engine: str) -> None:
    layer = getattr(gruviz.nn, kind)(2, 5, 2, batch_first=True, engine=engine)
    recording = Recording()
    layer(torch.randn(3, 4, 2), record=recording)[0].sum().backward()
    assert len(recording.layers) == 2
    for record in recording.layers:
        assert list(record.signals) == SIGNALS[kind]
        assert record.gradient is not None and record.gradient_norm is not None
        for array in (*record.signals.values(), record.gradient):
            assert array.shape == (4, 3, 5) and array.dtype == np.float32
        assert record.gradient_norm.shape == (4,)


@pytest.mark.parametrize("kind", list(SIGNALS))
@pytest.mark.parametrize("lengths", [None, [2, 4, 1]])
def test_both_paths_record_the_same(kind: str, lengths: list[int] | None) -> None:
    records = []
    for engine in ("numba", "torch"):
        generator = torch.Generator().manual_seed(0)
        layer = getattr(gruviz.nn, kind)(
            2, 5, dtype=torch.float64, engine=engine, generator=generator
        )
        x = torch.linspace(-4, 4, 24, dtype=torch.float64).view(4, 3, 2)
        recording = Recording()
        output, _ = layer(x, lengths=lengths, record=recording)
        output.square().sum().backward()
        records.append(recording.layers[0])
    ours, theirs = records
    assert ours.signals.keys() == theirs.signals.keys()
    for name, values in ours.signals.items():
        np.testing.assert_allclose(values, theirs.signals[name], atol=1e-12)
    assert ours.mean.keys() == theirs.mean.keys()
    assert ours.saturation.keys() == theirs.saturation.keys()
    for name, values in ours.mean.items():
        np.testing.assert_allclose(values, theirs.mean[name], atol=1e-12)
    for name, values in ours.saturation.items():
        np.testing.assert_allclose(values, theirs.saturation[name], atol=1e-12)
    assert ours.gradient is not None and theirs.gradient is not None
    np.testing.assert_allclose(ours.gradient, theirs.gradient, atol=1e-12)
    assert ours.gradient_norm is not None and theirs.gradient_norm is not None
    np.testing.assert_allclose(ours.gradient_norm, theirs.gradient_norm, atol=1e-12)


def test_steps_after_the_end_of_a_sequence_are_nan_and_count_for_nothing() -> None:
    layer, recording = gruviz.nn.GRU(2, 5, dtype=torch.float64), Recording()
    x = torch.randn(4, 2, 2, dtype=torch.float64)
    layer(x, lengths=[4, 2], record=recording)[0].sum().backward()
    record = recording.layers[0]
    for values in (*record.signals.values(), record.gradient):
        assert values is not None
        assert np.isnan(values[2:, 1]).all()
        assert np.isfinite(values[:, 0]).all() and np.isfinite(values[:2]).all()
    np.testing.assert_allclose(record.mean["reset"], np.nanmean(record.signals["reset"], (1, 2)))


def test_a_summary_is_that_of_the_whole_and_holds_no_more() -> None:
    generator = torch.Generator().manual_seed(0)
    layer = gruviz.nn.GRU(2, 7, dtype=torch.float64, generator=generator)
    x = 5 * torch.randn(6, 3, 2, dtype=torch.float64)
    whole, summary = Recording("full"), Recording("summary")
    for recording in (whole, summary):
        layer(x, record=recording)[0].sum().backward()
    full, brief = whole.layers[0], summary.layers[0]
    assert brief.signals == {} and brief.gradient is None
    assert list(brief.mean) == ["reset", "update", "candidate"]
    for name in ("reset", "update", "candidate"):
        values = full.signals[name]
        low, high = (-0.9, 0.9) if name == "candidate" else (0.1, 0.9)
        outside = (values < low) | (values > high)
        assert outside.any() and not outside.all()
        np.testing.assert_allclose(brief.mean[name], values.mean((1, 2)))
        np.testing.assert_allclose(brief.saturation[name], outside.mean((1, 2)))
    assert full.gradient is not None and brief.gradient_norm is not None
    expected = np.sqrt(np.square(full.gradient).sum((1, 2)))
    np.testing.assert_allclose(brief.gradient_norm, expected)


def test_recording_changes_no_number_and_a_recording_outlives_the_next_step() -> None:
    layer, x = gruviz.nn.GRU(2, 64), torch.randn(20, 8, 2)
    recording = Recording()
    plain, recorded = layer(x)[0], layer(x, record=recording)[0]
    assert torch.equal(plain, recorded)
    kept = {name: values.copy() for name, values in recording.layers[0].signals.items()}
    del plain, recorded
    layer(-x)
    for name, values in recording.layers[0].signals.items():
        assert np.array_equal(values, kept[name])


def test_an_unknown_detail_is_refused() -> None:
    with pytest.raises(ValueError, match=r'detail is "full" or "summary", not \'much\''):
        Recording("much")  # type: ignore[arg-type]

"""The written-out backward passes are the derivatives of the forward passes."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import gruviz.nn
from gruviz.nn import Recording
from tests.nn.agreement import assert_equal, results_and_gradients

GRU_OPTIONS = [
    {"reset_after": after, "update_weights": weights, "activation": activation, "tied_gates": tied}
    for after, weights, activation, tied in product(
        (True, False), ("old", "new"), ("tanh", "relu", "linear"), (False, True)
    )
]
LAYERS: list[tuple[str, dict[str, Any]]] = [
    *[("GRU", options) for options in GRU_OPTIONS],
    ("LSTM", {}),
    ("RNN", {}),
    ("RNN", {"nonlinearity": "relu"}),
]


def build(
    kind: str, options: dict[str, Any], features: int = 2, units: int = 3, **more: Any
) -> Any:
    generator = torch.Generator().manual_seed(1)
    return getattr(gruviz.nn, kind)(
        features, units, dtype=torch.float64, generator=generator, **options, **more
    )


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_gradcheck_passes_for_every_option(kind: str, options: dict[str, Any]) -> None:
    for lengths, rate in ((None, 0.0), ([4, 2], 0.0), (None, 0.5)):
        layer = build(kind, options, recurrent_dropout=rate)
        names = list(dict(layer.named_parameters()))
        states = [torch.rand(1, 2, 3, dtype=torch.float64, requires_grad=True)]
        if kind == "LSTM":
            states.append(torch.rand(1, 2, 3, dtype=torch.float64, requires_grad=True))

        def run(
            x: Tensor,
            *rest: Tensor,
            layer: Any = layer,
            names: Any = names,
            pair: bool = kind == "LSTM",
            lengths: Any = lengths,
        ) -> tuple[Tensor, ...]:
            count = 2 if pair else 1
            hx = rest[:2] if pair else rest[0]
            weights = dict(zip(names, rest[count:], strict=True))
            generator = torch.Generator().manual_seed(5)  # the same dropout mask every time
            output, state = torch.func.functional_call(
                layer, weights, (x, hx), {"lengths": lengths, "generator": generator}
            )
            return (output, *(state if pair else (state,)))

        x = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
        parameters = [p.detach().clone().requires_grad_() for p in layer.parameters()]
        assert torch.autograd.gradcheck(run, (x, *states, *parameters))


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_every_option_gives_the_same_by_numba_and_by_torch(
    kind: str, options: dict[str, Any]
) -> None:
    compiled, plain = (
        build(kind, options, 3, 5, recurrent_dropout=0.3, input_dropout=0.2, engine=engine)
        for engine in ("numba", "torch")
    )
    x = torch.randn(6, 4, 3, dtype=torch.float64)
    ours, theirs = (
        results_and_gradients(layer, x, None, generator=torch.Generator().manual_seed(2))
        for layer in (compiled, plain)
    )
    assert_equal(ours, theirs)


def test_resetting_before_the_product_follows_the_equation_of_cho() -> None:
    layer = build("GRU", {"reset_after": False, "update_weights": "new"})
    x = torch.randn(5, 1, 2, dtype=torch.float64)
    (wr, wz, wn), (ur, uz, un) = layer.weight_ih_l0.chunk(3), layer.weight_hh_l0.chunk(3)
    br, bz, bn = (layer.bias_ih_l0 + layer.bias_hh_l0).chunk(3)
    h = torch.zeros(3, dtype=torch.float64)
    for x_t in x[:, 0]:
        z = torch.sigmoid(wz @ x_t + uz @ h + bz)
        r = torch.sigmoid(wr @ x_t + ur @ h + br)
        candidate = torch.tanh(wn @ x_t + un @ (r * h) + bn)
        h = (1 - z) * h + z * candidate
    assert_equal([layer(x)[1].view(3)], [h])


def test_tied_gates_use_one_matrix_for_reset_update_and_candidate() -> None:
    tied, free = build("GRU", {"tied_gates": True}), build("GRU", {})
    assert tied.weight_hh_l0.shape == (3, 3)
    free.load_state_dict({n: torch.cat([w] * 3) for n, w in tied.state_dict().items()})
    x = torch.randn(5, 1, 2, dtype=torch.float64)
    recording = Recording()
    assert torch.equal(tied(x, record=recording)[0], free(x)[0])
    signals = recording.layers[0].signals
    assert np.array_equal(signals["reset"], signals["update"])


@pytest.mark.parametrize(("kind", "options"), LAYERS)
@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_the_recorded_gradient_is_that_of_a_loop_over_single_steps(
    kind: str, options: dict[str, Any], engine: str
) -> None:
    layer = build(kind, options, 2, 4, engine=engine)
    step = build(kind, options, 2, 4, engine="torch")
    x, weights = torch.randn(7, 3, 2, dtype=torch.float64), torch.randn(7, 3, 4).double()

    recording = Recording()
    output, state = layer(x, record=recording)
    final = state[0] if kind == "LSTM" else state
    ((output * weights).sum() + final.square().sum()).backward()

    hidden, carried, loss = [], None, torch.zeros((), dtype=torch.float64)
    for x_t, weight in zip(x, weights, strict=True):
        _, carried = step(x_t[None], carried)
        h = carried[0] if kind == "LSTM" else carried
        h.retain_grad()
        hidden.append(h)
        loss = loss + (h[0] * weight).sum()
    (loss + hidden[-1].square().sum()).backward()
    expected = torch.stack([h.grad[0] for h in hidden if h.grad is not None])

    record = recording.layers[0]
    assert record.gradient is not None and record.gradient_norm is not None
    assert_equal([torch.from_numpy(record.gradient)], [expected])
    norms = expected.flatten(1).norm(dim=1)
    np.testing.assert_allclose(record.gradient_norm, norms.numpy(), rtol=1e-10)


def test_a_vanished_gradient_keeps_its_norm_down_to_the_smallest_normal_number() -> None:
    layer = gruviz.nn.RNN(1, 1, bias=False)
    with torch.no_grad():
        layer.get_parameter("weight_hh_l0").fill_(0.1)
    recording = Recording("summary")
    layer(torch.zeros(50, 1, 1), record=recording)[1].sum().backward()
    norm = recording.layers[0].gradient_norm
    assert norm is not None
    powers = 0.1 ** np.arange(37, -1, -1)
    np.testing.assert_allclose(norm[-38:], powers, rtol=1e-5)
    assert not norm[:10].any()

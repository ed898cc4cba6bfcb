"""The GRU layer against torch's own, and against gates that are known by construction."""

import math

import pytest
import torch

from gruviz.nn import GRU


def layer_and_input(features: int = 3, units: int = 5) -> tuple[GRU, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    layer = GRU(features, units, generator=generator)
    return layer, torch.randn(11, features, generator=generator)


def test_it_is_torch_nn_gru_to_the_bit() -> None:
    layer, x = layer_and_input()
    peer = torch.nn.GRU(3, 5, batch_first=True)
    peer.load_state_dict(layer.layer.state_dict())
    batch = torch.stack([x, -x])
    assert torch.equal(layer(batch), peer(batch)[0])


def test_gates_rebuild_the_hidden_state_of_torch_nn_gru() -> None:
    layer, x = layer_and_input()
    peer = torch.nn.GRU(3, 5)
    peer.load_state_dict(layer.layer.state_dict())
    hidden = peer(x)[0]
    trace = layer.trace(x)
    torch.testing.assert_close(trace["hidden"], hidden, rtol=0, atol=1e-6)
    before = torch.cat([torch.zeros(1, 5), hidden[:-1]])
    update, candidate = trace["update"], trace["candidate"]
    torch.testing.assert_close(
        (1 - update) * candidate + update * before, hidden, rtol=0, atol=1e-6
    )


def test_each_gate_is_the_formula_of_its_name() -> None:
    layer, x = layer_and_input()
    weights = layer.layer.state_dict()
    w_x, w_h = weights["weight_ih_l0"], weights["weight_hh_l0"]
    b_x, b_h = weights["bias_ih_l0"], weights["bias_hh_l0"]
    trace = layer.trace(x)
    before = torch.cat([torch.zeros(1, 5), trace["hidden"][:-1]])
    r, z, n = slice(0, 5), slice(5, 10), slice(10, 15)
    reset = torch.sigmoid(x @ w_x[r].T + b_x[r] + before @ w_h[r].T + b_h[r])
    update = torch.sigmoid(x @ w_x[z].T + b_x[z] + before @ w_h[z].T + b_h[z])
    candidate = torch.tanh(x @ w_x[n].T + b_x[n] + reset * (before @ w_h[n].T + b_h[n]))
    torch.testing.assert_close(trace["reset"], reset, rtol=0, atol=1e-6)
    torch.testing.assert_close(trace["update"], update, rtol=0, atol=1e-6)
    torch.testing.assert_close(trace["candidate"], candidate, rtol=0, atol=1e-6)


def test_with_zero_weights_the_gates_are_known_by_their_biases() -> None:
    layer = GRU(1, 1, generator=torch.Generator())
    with torch.no_grad():
        for name, value in layer.layer.named_parameters():
            value.zero_()
            if name.startswith("bias"):
                value += torch.tensor([0.5, -1.0, 0.25])  # reset, update, candidate
    trace = layer.trace(torch.ones(4, 1))
    reset, update = 1 / (1 + math.exp(-1)), 1 / (1 + math.exp(2))
    candidate = math.tanh(0.25 + reset * 0.25)
    assert trace["reset"].flatten().tolist() == pytest.approx([reset] * 4)
    assert trace["update"].flatten().tolist() == pytest.approx([update] * 4)
    assert trace["candidate"].flatten().tolist() == pytest.approx([candidate] * 4)
    assert trace["hidden"].flatten().tolist() == pytest.approx(
        [(1 - update**t) * candidate for t in (1, 2, 3, 4)]
    )


def test_an_update_gate_that_is_open_keeps_the_old_state() -> None:
    layer, x = layer_and_input(units=2)
    with torch.no_grad():
        layer.layer.bias_ih_l0[2:4] = torch.tensor([100.0, -100.0])
    trace = layer.trace(x)
    assert trace["update"].tolist() == [[1.0, 0.0]] * 11
    assert trace["hidden"][:, 0].tolist() == [0.0] * 11
    assert torch.equal(trace["hidden"][:, 1], trace["candidate"][:, 1])


def test_initial_weights_are_uniform_and_come_from_the_generator_alone() -> None:
    def weights(seed: int) -> torch.Tensor:
        layer = GRU(4, 25, generator=torch.Generator().manual_seed(seed))
        return torch.cat([weight.detach().flatten() for weight in layer.parameters()])

    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = weights(0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(weights(0), first)
    assert not torch.equal(weights(1), first)
    assert float(first.abs().max()) <= 0.2
    assert float(first.std()) == pytest.approx(0.2 / math.sqrt(3), rel=0.05)


def test_reading_the_gates_leaves_no_gradient_behind() -> None:
    layer, x = layer_and_input()
    assert not any(values.requires_grad for values in layer.trace(x).values())
    assert {values.shape for values in layer.trace(x).values()} == {(11, 5)}

"""GRU-D computes what Che et al. 2018 write, and learns from it."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import gruviz.nn
from gruviz.nn import GRU, GRUD, Recording, SlowerWarning
from gruviz.nn.cells.gru import GRUEquation
from gruviz.nn.equation import Weights
from gruviz.nn.function import Inputs
from gruviz.nn.recurrent import ENGINES
from tests.nn.agreement import assert_equal, results_and_gradients

T, B, K, H = 7, 3, 2, 5


def made(seed: int = 0, **options: Any) -> GRUD:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.tensor([0.3, -1.2], dtype=torch.float64)
    layer = GRUD(3 * K, H, dtype=torch.float64, mean=mean, generator=generator, **options)
    with torch.no_grad():  # on both sides of where max(0, ·) bends
        layer.hidden_decay_bias.copy_(torch.linspace(-0.5, 0.5, H))
        layer.input_decay.copy_(torch.tensor([0.4, -0.2]))
        layer.input_decay_bias.copy_(torch.tensor([-0.1, 0.35]))
    return layer


def channels(seed: int = 1) -> Tensor:
    """(time, batch, 3k): values, mask with holes, time since."""
    generator = torch.Generator().manual_seed(seed)
    value = torch.randn(T, B, K, dtype=torch.float64, generator=generator)
    mask = (torch.rand(T, B, K, generator=generator) < 0.6).double()
    since = torch.randint(1, 5, (T, B, K), generator=generator).double()
    return torch.cat([value, mask, since], dim=2)


def by_hand(layer: GRUD, x: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """The equations, one number at a time."""
    p = {name: value.detach().numpy() for name, value in layer.state_dict().items()}
    a = x.numpy()

    def sigmoid(v: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-v)))

    output = np.zeros((T, B, H))
    signals = {name: np.zeros((T, B, H)) for name in ("reset", "update", "candidate", "hidden")}
    for b in range(B):
        h = np.zeros(H)
        for t in range(T):
            value, mask, since = a[t, b, :K], a[t, b, K : 2 * K], a[t, b, 2 * K :]
            seen = np.zeros(K)
            for k in range(K):
                gamma = np.exp(-max(0, p["input_decay"][k] * since[k] + p["input_decay_bias"][k]))
                old = gamma * value[k] + (1 - gamma) * p["mean"][k]
                seen[k] = mask[k] * value[k] + (1 - mask[k]) * old
            for j in range(H):
                rate = p["hidden_decay"][j] @ since + p["hidden_decay_bias"][j]
                h[j] *= np.exp(-max(0, rate))
            from_x = p["weight_ih_l0"] @ np.r_[seen, mask] + p["bias_ih_l0"]
            from_h = p["weight_hh_l0"] @ h + p["bias_hh_l0"]
            r = sigmoid(from_x[:H] + from_h[:H])
            z = sigmoid(from_x[H : 2 * H] + from_h[H : 2 * H])
            n = np.tanh(from_x[2 * H :] + r * from_h[2 * H :])
            h = (1 - z) * n + z * h
            output[t, b] = h
            for name, signal in zip(signals, (r, z, n, h), strict=True):
                signals[name][t, b] = signal
    return torch.from_numpy(output), {k: torch.from_numpy(v) for k, v in signals.items()}


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_output_and_signals_equal_the_equations_written_out_by_hand(engine: str) -> None:
    layer, x, recording = made(engine=engine), channels(), Recording()
    output, last = layer(x, record=recording)
    expected, signals = by_hand(layer, x)
    torch.testing.assert_close(output, expected)
    torch.testing.assert_close(last, expected[-1:])
    found = recording.layers[0].signals
    assert list(found) == ["reset", "update", "candidate", "hidden"]
    for name, values in signals.items():
        np.testing.assert_allclose(found[name], values, atol=1e-12)


def test_batch_first_only_turns_the_axes_and_a_state_can_be_given() -> None:
    x = channels()
    plain, turned = made(), made(batch_first=True)
    whole, last = plain(x)
    output, end = turned(x.transpose(0, 1))
    torch.testing.assert_close(output.transpose(0, 1), whole)
    torch.testing.assert_close(end, last)
    _, middle = plain(x[:3])
    torch.testing.assert_close(plain(x[3:], middle)[0], whole[3:])


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_gradcheck_passes_for_inputs_state_and_every_weight(engine: str) -> None:
    layer = made(engine=engine)
    names = [name for name, _ in layer.named_parameters()]

    def run(x: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        given = dict(zip(names, weights, strict=True))
        output: Tensor = torch.func.functional_call(layer, given, (x, h))[0]
        return output

    weights = [p.detach().clone().requires_grad_() for p in layer.parameters()]
    state = torch.rand(1, B, H, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (channels().requires_grad_(), state, *weights))


def test_with_nothing_missing_and_no_time_passing_it_is_a_gru_on_values_and_mask() -> None:
    layer, x = made(), channels()
    with torch.no_grad():
        layer.hidden_decay_bias.zero_()
    x[..., K : 2 * K], x[..., 2 * K :] = 1, 0
    gru = GRU(2 * K, H, dtype=torch.float64)
    gru.load_state_dict({name: layer.state_dict()[name] for name in gru.state_dict()})
    torch.testing.assert_close(layer(x)[0], gru(x[..., : 2 * K])[0])


def test_a_value_long_gone_is_its_mean_and_the_state_is_forgotten() -> None:
    layer = made()
    with torch.no_grad():
        layer.input_decay.fill_(1)
        layer.hidden_decay.fill_(1)
    x = channels()
    x[-1, :, K : 2 * K], x[-1, :, 2 * K :] = 0, 1000
    afresh = x[-1:].clone()
    afresh[..., :K] = layer.mean
    torch.testing.assert_close(layer(x)[0][-1], layer(afresh)[0][0])


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_the_gradient_of_each_state_is_the_one_that_a_change_of_it_would_have(engine: str) -> None:
    layer, x, recording = made(engine=engine), channels(), Recording()
    output, _ = layer(x, record=recording)
    weigh = torch.linspace(-1, 1, B * H, dtype=torch.float64).view(B, H)
    (output[-1] * weigh).sum().backward()
    record = recording.layers[0]
    assert record.gradient is not None and record.gradient_norm is not None
    for t in range(T - 1):
        state = output[t].detach().clone().requires_grad_()
        rest, _ = layer(x[t + 1 :], state[None])
        (expected,) = torch.autograd.grad((rest[-1] * weigh).sum(), state)
        np.testing.assert_allclose(record.gradient[t], expected, atol=1e-12)
    norms = np.sqrt((record.gradient**2).sum((1, 2)))
    np.testing.assert_allclose(record.gradient_norm, norms)


@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_a_summary_has_the_norms_and_no_more(engine: str) -> None:
    layer, recording = made(engine=engine), Recording("summary")
    layer(channels(), record=recording)[0].sum().backward()
    record = recording.layers[0]
    assert record.signals == {} and record.gradient is None
    assert list(record.mean) == ["reset", "update", "candidate"]
    assert record.gradient_norm is not None and record.gradient_norm.shape == (T,)


def test_weights_come_from_the_generator_that_is_passed_and_from_nothing_else() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, same, other = (
        GRUD(6, 4, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before)
    for a, b, c in zip(one.parameters(), same.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)
        assert a.abs().max() <= 0.5
    assert one.input_decay.min() > 0


def test_the_mean_travels_with_the_weights_and_is_not_trained() -> None:
    layer, copy = made(), GRUD(3 * K, H, dtype=torch.float64)
    assert not copy.mean.any()
    copy.load_state_dict(layer.state_dict())
    assert torch.equal(copy.mean, layer.mean)
    assert "mean" not in dict(layer.named_parameters())


@pytest.mark.parametrize("features", [0, 1, 4, -3])
def test_features_that_are_not_three_groups_are_refused(features: int) -> None:
    with pytest.raises(ValueError) as caught:
        GRUD(features, 4)
    assert str(caught.value) == (
        f"GRU-D needs three features for each variable (value, mask, time), not {features}"
    )


def test_both_paths_give_the_same_gradients_whatever_is_asked_for() -> None:
    begun = torch.linspace(-1, 1, B * H, dtype=torch.float64).view(1, B, H)
    for batch_first, state in product((False, True), (None, begun)):
        layers = [made(engine=engine, batch_first=batch_first) for engine in ("numba", "torch")]
        x = channels()
        x = x.transpose(0, 1) if batch_first else x
        ours, theirs = (results_and_gradients(layer, x, state) for layer in layers)
        assert_equal(ours, theirs)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_state_can_fade_in_sequences_that_end_early_and_under_a_mask(
    reset_after: bool, batch_first: bool
) -> None:
    equation = GRUEquation(reset_after=reset_after)
    generator = torch.Generator().manual_seed(3)
    axes = (B, T) if batch_first else (T, B)

    def drawn(*shape: int) -> Tensor:
        return torch.rand(*shape, dtype=torch.float64, generator=generator).sub_(0.3)

    x, hidden, decay = drawn(*axes, K), drawn(B, H), drawn(*axes, H)
    weights = drawn(3 * H, K), drawn(3 * H, H), drawn(3 * H), drawn(3 * H)
    leaves = [leaf.requires_grad_() for leaf in (x, hidden, decay, *weights)]
    for mask, lengths in product(
        (None, 2 * (drawn(B, H) > 0).double()), (None, torch.tensor([T, 3, 1]))
    ):
        inputs = Inputs(x, hidden, None, mask, lengths, batch_first, decay)
        found = []
        for compute in ENGINES.values():
            output, final, _cell = compute(equation, inputs, Weights(*weights), None)
            loss = (output * torch.linspace(-1, 2, T * B * H).view(output.shape)).sum()
            gradients = torch.autograd.grad(loss + final.square().sum(), leaves)
            found.append([output, final, *gradients])
        assert_equal(*found)
        # The state fades before it is used, and that of a sequence that has ended no more.
        if lengths is not None:
            whole = output.transpose(0, 1) if batch_first else output
            assert torch.equal(whole[2:, 1], whole[2].expand(T - 2, B, H)[:, 1])
            assert torch.equal(final[0, 2], whole[0, 2])


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("place", [0, K, 2 * K])
def test_a_nan_comes_out_in_its_sequence_alone(engine: str, place: int) -> None:
    layer, x = made(engine=engine), channels()
    x[2, 1, place] = torch.nan
    output, _ = layer(x)
    assert output[2:, 1].isnan().all()
    assert output[:2].isfinite().all() and output[:, [0, 2]].isfinite().all()


def test_the_loop_serves_where_it_can() -> None:
    assert GRUD(3, 2).engine == "numba"
    brief = GRUD(3, 2, dtype=torch.bfloat16)
    assert brief.engine == "torch"
    with pytest.warns(SlowerWarning, match="GRUD has no compiled loop for torch.bfloat16"):
        brief(torch.zeros(4, 1, 3, dtype=torch.bfloat16))
    with pytest.raises(ValueError, match="engine is one of None, 'numba', 'torch', not 'cuda'"):
        GRUD(3, 2, engine="cuda")
    with pytest.raises(ValueError, match='engine="numba" computes float32 and float64'):
        GRUD(3, 2, engine="numba", dtype=torch.bfloat16)(torch.zeros(4, 1, 3, dtype=torch.bfloat16))


def test_autocast_costs_no_more_than_its_own_precision() -> None:
    layer = GRUD(6, 4, generator=torch.Generator().manual_seed(0))
    x = channels().float()
    expected, _ = layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        output, _ = layer(x)
    torch.testing.assert_close(output, expected, rtol=0, atol=0.01)


def test_a_layer_set_to_torch_has_second_derivatives() -> None:
    layer, x = made(engine="numba"), channels()
    layer.engine = "torch"
    (first,) = torch.autograd.grad(
        layer(x)[0].square().sum(), layer.hidden_decay, create_graph=True
    )
    (second,) = torch.autograd.grad(first.sum(), layer.hidden_decay)
    step, changed = 1e-5, []
    for sign in (1, -1):
        moved = made()
        with torch.no_grad():
            moved.hidden_decay.add_(sign * step)
        changed.append(torch.autograd.grad(moved(x)[0].square().sum(), moved.hidden_decay)[0])
    torch.testing.assert_close(second, (changed[0] - changed[1]) / (2 * step), rtol=1e-5, atol=1e-7)


def test_what_the_loop_would_misread_is_refused() -> None:
    layer, x = GRUD(6, 4), torch.zeros(5, 3, 6)
    with pytest.raises(ValueError, match="dtype"):
        layer(x.double())
    with pytest.raises(RuntimeError, match="dtype"):
        layer(x, torch.zeros(1, 3, 4, dtype=torch.float64))
    for shape in ((1, 3, 3), (1, 2, 4), (3, 4)):
        with pytest.raises(RuntimeError, match=r"hx should|Expected hidden"):
            layer(x, torch.zeros(shape))


def test_other_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden_size must be 1 or more, not 0"):
        GRUD(3, 0)
    with pytest.raises(ValueError, match=r"mean must have shape \(2,\), not \(3,\)"):
        GRUD(6, 1, mean=torch.zeros(3))
    for shape in ((4, 3), (4, 2, 5), (0, 2, 6)):
        with pytest.raises(ValueError, match="GRUD expects three axes"):
            gruviz.nn.GRUD(6, 4)(torch.zeros(shape))

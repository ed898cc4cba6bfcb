"""Arguments, errors, initial weights, penalties and dropout."""

import math
from typing import Any

import pytest
import torch
from torch import nn

import gruviz.nn
from gruviz.nn import GRU, INITIALIZERS, L1, L1L2, L2, LSTM, RNN, SlowerWarning, clip_norm_
from gruviz.nn.initializers import fill

KINDS = ["RNN", "GRU", "LSTM"]

WRONG: list[tuple[tuple[int, ...], Any]] = [
    ((5, 4, 3), None),  # features
    ((5,), None),  # axes
    ((5, 4, 2, 1), None),
    ((0, 4, 2), None),  # time
    ((5, 4, 2), (1, 3, 6)),  # batch of the state
    ((5, 4, 2), (2, 4, 6)),  # layers of the state
    ((5, 4, 2), (1, 4, 7)),  # units of the state
    ((5, 4, 2), (4, 6)),  # axes of the state
    ((5, 2), (1, 4, 6)),
]


@pytest.mark.parametrize(("shape", "state"), WRONG)
@pytest.mark.parametrize("kind", KINDS)
def test_sizes_that_do_not_match_raise_what_torch_raises(
    kind: str, shape: tuple[int, ...], state: tuple[int, ...] | None
) -> None:
    hx: Any = None if state is None else torch.zeros(state)
    if kind == "LSTM" and hx is not None:
        hx = (hx, hx)
    raised = []
    for module in (gruviz.nn, nn):
        with pytest.raises((RuntimeError, ValueError)) as caught:
            getattr(module, kind)(2, 6)(torch.zeros(shape), hx)
        raised.append(caught.type)
    assert raised[0] is raised[1]


@pytest.mark.parametrize("kind", KINDS)
def test_another_dtype_than_that_of_the_weights_raises_what_torch_raises(kind: str) -> None:
    messages = []
    for module in (gruviz.nn, nn):
        with pytest.raises(ValueError) as caught:
            getattr(module, kind)(2, 6)(torch.zeros(5, 4, 2, dtype=torch.float64))
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


@pytest.mark.parametrize(
    "arguments",
    [
        {"hidden_size": 0},
        {"input_size": -1},
        {"num_layers": 0},
        {"hidden_size": 2.5},
        {"bias": 1},
        {"dropout": 1.5},
    ],
)
def test_arguments_that_make_no_layer_raise_what_torch_raises(arguments: dict[str, Any]) -> None:
    raised = []
    for module in (gruviz.nn, nn):
        with pytest.raises((TypeError, ValueError)) as caught:
            module.GRU(**{"input_size": 2, "hidden_size": 3, **arguments})
        raised.append(caught.type)
    assert raised[0] is raised[1]


def test_what_is_not_offered_is_refused_with_a_remedy() -> None:
    with pytest.raises(ValueError, match=r"has no projection \(proj_size=2\); .* use torch\.nn"):
        LSTM(2, 3, proj_size=2)
    with pytest.raises(ValueError, match="update_weights is one of 'old', 'new', not 'both'"):
        GRU(2, 3, update_weights="both")
    with pytest.raises(ValueError, match="no initializer 'glorot'; there are zeros, ones, "):
        GRU(2, 3, kernel_initializer="glorot")
    with pytest.raises(ValueError, match="lengths has to be 2 numbers from 1 to 4"):
        GRU(2, 3)(torch.zeros(4, 2, 2), lengths=[5, 1])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("RNN", {"nonlinearity": "cosine"}),
        ("RNN", {"proj_size": 1}),
        ("GRU", {"proj_size": 0}),
        ("LSTM", {"proj_size": -1}),
        ("LSTM", {"proj_size": 3}),
        ("LSTM", {"num_layers": 0}),
        ("GRU", {"input_size": 2.0}),
    ],
)
def test_wrong_arguments_are_refused_in_torchs_own_words(kind: str, options: Any) -> None:
    words = []
    for module in (nn, gruviz.nn):
        with pytest.raises((ValueError, TypeError)) as caught:
            getattr(module, kind)(**{"input_size": 2, "hidden_size": 3, **options})
        words.append((caught.type, str(caught.value)))
    assert words[0] == words[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_is_torchs_to_whoever_asks(kind: str) -> None:
    options = {"num_layers": 2, "bidirectional": True, "dropout": 0.5, "batch_first": True}
    theirs, ours = (getattr(module, kind)(2, 3, **options) for module in (nn, gruviz.nn))
    assert isinstance(ours, getattr(nn, kind)) and isinstance(ours, nn.RNNBase)
    assert ours.mode == theirs.mode and repr(ours) == repr(theirs)
    ours.flatten_parameters()  # which cuDNN needs and ours takes
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.all_weights, theirs.all_weights, strict=True):
        assert [weight.shape for weight in a] == [weight.shape for weight in b]
    model = nn.Sequential(ours)
    for module in model.modules():  # an init loop as it is written everywhere
        if isinstance(module, getattr(nn, kind)):
            for _name, weight in module.named_parameters():
                (nn.init.orthogonal_ if weight.dim() == 2 else nn.init.zeros_)(weight)
    assert not ours.get_parameter("bias_hh_l1_reverse").any()


def test_an_equation_that_torch_does_not_have_goes_by_another_mode() -> None:
    assert RNN(2, 3, nonlinearity="relu").mode == "RNN_RELU"
    for options in ({"reset_after": False}, {"update_weights": "new"}, {"tied_gates": True}):
        assert GRU(2, 3, **options).mode == "GRU_VARIANT"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_torchs_quantiser_leaves_the_layer_alone(kind: str) -> None:
    layer, x = getattr(gruviz.nn, kind)(2, 3), torch.randn(4, 1, 2)
    chosen = {getattr(nn, kind), type(layer), nn.Linear}
    (quantised,) = torch.ao.quantization.quantize_dynamic(nn.Sequential(layer), chosen)
    assert type(quantised) is type(layer) and torch.equal(quantised(x)[0], layer(x)[0])


def test_a_passed_in_generator_decides_the_weights_and_leaves_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    first, again = (GRU(2, 5, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    other = GRU(2, 5, generator=torch.Generator().manual_seed(8))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.get_parameter("weight_hh_l0"), again.get_parameter("weight_hh_l0"))
    assert not torch.equal(first.get_parameter("weight_hh_l0"), other.get_parameter("weight_hh_l0"))
    for weight in first.parameters():
        assert weight.abs().max() <= 5**-0.5


@pytest.mark.parametrize("name", list(INITIALIZERS))
def test_every_initializer_fills_from_its_generator_alone(name: str) -> None:
    before = torch.get_rng_state()
    weights = [torch.full((12, 4), torch.nan) for _ in range(2)]
    for weight in weights:
        fill(weight, name, torch.Generator().manual_seed(1))
    assert torch.equal(*weights) and weights[0].isfinite().all()
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / (300 + 100)),
        ("glorot_normal", 2 / (300 + 100)),
        ("he_uniform", 2 / 100),
        ("he_normal", 2 / 100),
        ("lecun_uniform", 1 / 100),
        ("lecun_normal", 1 / 100),
        ("uniform", 0.05**2 / 3),
        ("normal", 0.05**2),
    ],
)
def test_initializers_have_the_variance_of_their_definition(name: str, variance: float) -> None:
    weight = torch.empty(300, 100)  # three gates of 100 units, 100 features
    fill(weight, name, torch.Generator().manual_seed(0))
    assert abs(weight.mean().item()) < 4 * math.sqrt(variance / 30_000)
    assert weight.var().item() == pytest.approx(variance, rel=0.03)


def test_orthogonal_weights_keep_lengths() -> None:
    weight = torch.empty(9, 3)
    fill(weight, "orthogonal", torch.Generator().manual_seed(0))
    torch.testing.assert_close(weight.T @ weight, torch.eye(3))
    fill(weight, "orthogonal_blocks", torch.Generator().manual_seed(0))
    for block in weight.split(3):
        torch.testing.assert_close(block.T @ block, torch.eye(3))


def test_kernel_recurrent_and_bias_initializers_act_on_their_own_weights() -> None:
    layer = GRU(
        2, 3, 2, kernel_initializer="ones", recurrent_initializer="identity", bias_initializer=0.5
    )
    for number in (0, 1):
        weights = layer.state_dict()
        assert (weights[f"weight_ih_l{number}"] == 1).all()
        assert torch.equal(weights[f"weight_hh_l{number}"], torch.eye(3).repeat(3, 1))
        assert (weights[f"bias_ih_l{number}"] == 0.5).all()
        assert not weights[f"bias_hh_l{number}"].any()


def test_the_forget_gates_bias_can_begin_at_one_and_leaves_the_others_alone() -> None:
    def biases(**options: Any) -> list[list[float]]:
        generator = torch.Generator().manual_seed(0)
        layer = LSTM(2, 2, 2, generator=generator, **options)
        return [p.tolist() for name, p in layer.named_parameters() if name.startswith("bias")]

    of_keras = biases(bias_initializer="zeros", unit_forget_bias=True)
    assert of_keras == [[0, 0, 1, 1, 0, 0, 0, 0], [0] * 8] * 2
    usual, remembering = biases(), biases(unit_forget_bias=True)
    for number, (a, b) in enumerate(zip(usual, remembering, strict=True)):
        assert b == [*a[:2], *([0.0, 0.0] if number % 2 else [1.0, 1.0]), *a[4:]]
    assert LSTM(2, 2, bias=False, unit_forget_bias=True)(torch.zeros(1, 1, 2))[0].shape == (1, 1, 2)


def test_the_penalty_adds_up_kernel_recurrent_and_bias_apart() -> None:
    layer = LSTM(
        2,
        3,
        kernel_regularizer=L1(0.1),
        recurrent_regularizer=L2(0.2),
        bias_regularizer=L1L2(0.3, 0.4),
    )
    w = layer.state_dict()
    biases = torch.cat([w["bias_ih_l0"], w["bias_hh_l0"]])
    expected = (
        0.1 * w["weight_ih_l0"].abs().sum()
        + 0.2 * w["weight_hh_l0"].square().sum()
        + 0.3 * biases.abs().sum()
        + 0.4 * biases.square().sum()
    )
    torch.testing.assert_close(layer.penalty(), expected)
    layer.penalty().backward()
    weight = layer.get_parameter("weight_hh_l0")
    torch.testing.assert_close(weight.grad, 0.4 * weight.detach())
    assert GRU(2, 3).penalty().item() == 0


def test_dropout_masks_come_from_the_generator_and_only_in_training() -> None:
    layer = GRU(2, 5, 2, dropout=0.5, input_dropout=0.5, recurrent_dropout=0.5)
    x, before = torch.randn(6, 3, 2), torch.get_rng_state()
    one, same, other = (
        layer(x, generator=torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2)
    )
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)
    plain = GRU(2, 5, 2)
    plain.load_state_dict(layer.state_dict())
    assert torch.equal(layer.eval()(x)[0], plain(x)[0])


def test_dropout_between_layers_zeroes_half_and_doubles_the_rest() -> None:
    layer = RNN(1, 400, 2, dropout=0.5, recurrent_initializer="zeros", nonlinearity="relu")
    with torch.no_grad():
        for number, value in ((0, 1.0), (1, 0.0)):
            getattr(layer, f"weight_ih_l{number}").fill_(value)
            getattr(layer, f"bias_ih_l{number}").fill_(0)
            getattr(layer, f"bias_hh_l{number}").fill_(0)
        layer.get_parameter("weight_ih_l1").copy_(torch.eye(400))
    output = layer(torch.ones(20, 1, 1), generator=torch.Generator().manual_seed(0))[0]
    assert set(output.unique().tolist()) == {0.0, 2.0}
    assert output.mean().item() == pytest.approx(1.0, abs=0.05)


def test_recurrent_dropout_of_one_cuts_the_past_out_of_the_product_but_not_out_of_the_memory() -> (
    None
):
    layer = GRU(2, 5, recurrent_dropout=1.0)
    cut = GRU(2, 5, recurrent_initializer="zeros")
    weights = layer.state_dict()
    weights["weight_hh_l0"] = torch.zeros(15, 5)
    cut.load_state_dict(weights)
    x = torch.randn(6, 3, 2)
    torch.testing.assert_close(layer(x)[0], cut(x)[0])


def test_whole_sequence_last_step_and_final_state_are_reachable() -> None:
    layer = GRU(2, 5, 2, batch_first=True)
    sequence, state = layer(torch.randn(3, 4, 2))
    assert sequence.shape == (3, 4, 5) and state.shape == (2, 3, 5)
    assert torch.equal(sequence[:, -1], state[-1])


def test_what_computes_can_be_asked_and_chosen_and_never_changes_in_silence() -> None:
    layer = GRU(2, 3)
    assert layer.engine == "numba" and GRU(2, 3, engine="torch").engine == "torch"
    half = GRU(2, 3, dtype=torch.bfloat16)
    assert half.engine == "torch"
    with pytest.warns(SlowerWarning, match="GRU has no compiled loop for torch.bfloat16 on cpu"):
        half(torch.zeros(4, 1, 2, dtype=torch.bfloat16))
    with pytest.raises(ValueError, match='engine="numba" computes float32 and float64 on the CPU'):
        GRU(2, 3, dtype=torch.bfloat16, engine="numba")(torch.zeros(4, 1, 2, dtype=torch.bfloat16))
    assert (
        layer.to(torch.float64)(torch.zeros(4, 1, 2, dtype=torch.float64))[0].dtype == torch.float64
    )


def test_bfloat16_by_torch_stays_near_the_loop() -> None:
    layer, x = GRU(2, 3), torch.randn(4, 1, 2)
    half = GRU(2, 3, engine="torch", dtype=torch.bfloat16)
    half.load_state_dict(layer.state_dict())
    torch.testing.assert_close(half(x.bfloat16())[0].float(), layer(x)[0], rtol=0, atol=0.05)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("limit", [0.5, 1e6, None])
def test_clipping_is_that_of_torch(dtype: torch.dtype, limit: float | None) -> None:
    ours = [torch.nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in ((3, 4), (5,), (2,))]
    theirs = [torch.nn.Parameter(weight.detach().clone()) for weight in ours]
    for a, b in zip(ours[:2], theirs[:2], strict=True):  # the third has no gradient
        a.grad = torch.randn(a.shape).to(dtype)
        b.grad = a.grad.clone()
    expected = nn.utils.clip_grad_norm_(theirs, math.inf if limit is None else limit)
    assert clip_norm_(ours, limit) == pytest.approx(expected.item(), rel=1e-6)
    for a, b in zip(ours[:2], theirs[:2], strict=True):
        torch.testing.assert_close(a.grad, b.grad)

"""Gradients whatever autograd does between a forward and a backward pass: hooks that store the saved
tensors elsewhere, checkpoints, second derivatives, changes of the output."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import functional
from torch.autograd.graph import save_on_cpu, saved_tensors_hooks
from torch.utils.checkpoint import checkpoint

import gruviz.nn
from gruviz.nn import Recording
from tests.nn.agreement import assert_equal, flat

KINDS = ["RNN", "GRU", "LSTM"]
LAYERS: list[tuple[str, dict[str, Any]]] = [
    *[(kind, {}) for kind in KINDS],
    *[(kind, {"num_layers": 2, "bidirectional": True, "recurrent_dropout": 0.3}) for kind in KINDS],
    ("GRU", {"reset_after": False, "update_weights": "new"}),
    ("GRU", {"tied_gates": True, "batch_first": True}),
    ("GRUD", {}),
]


def build(kind: str, features: int = 3, units: int = 32, **options: Any) -> Any:
    generator = torch.Generator().manual_seed(1)
    return getattr(gruviz.nn, kind)(features, units, generator=generator, **options)


def by_bytes(tensor: Tensor) -> tuple[bytes, Any, torch.Size]:
    return tensor.detach().contiguous().numpy().tobytes(), tensor.dtype, tensor.shape


def from_bytes(packed: tuple[bytes, Any, torch.Size]) -> Tensor:
    content, dtype, shape = packed
    return torch.frombuffer(bytearray(content), dtype=dtype).view(shape)


KEEPERS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "clones": lambda: saved_tensors_hooks(lambda t: t.detach().clone(), lambda t: t),
    "bytes": lambda: saved_tensors_hooks(by_bytes, from_bytes),
    "the CPU": save_on_cpu,
}


def gradients(layer: Any, run: Callable[..., Any], x: Tensor, lengths: Any = None) -> list[Tensor]:
    """Of a loss that reads everything; between forward and backward the memory that the layer has
    given back is used for something else."""
    layer.zero_grad()
    leaf = x.clone().requires_grad_()
    options = {}
    if not isinstance(layer, gruviz.nn.GRUD):
        options = {"generator": torch.Generator().manual_seed(5), "lengths": lengths}
    loss = torch.zeros(())
    for number, result in enumerate(flat(run(layer, leaf, **options)), 1):
        # Linear, so that nothing but the layer itself keeps its memory in use.
        loss = loss + (result * torch.linspace(-1, 2, result.shape[-1]) / number).sum()
    del result
    in_the_way = layer(1e3 * torch.ones_like(x))
    loss.backward()
    del in_the_way
    return [g for g in (leaf.grad, *(p.grad for p in layer.parameters())) if g is not None]


def plain(layer: Any, x: Tensor, **options: Any) -> Any:
    return layer(x, **options)


@pytest.mark.parametrize("keeper", KEEPERS)
@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_saved_tensors_may_be_kept_anywhere(
    kind: str, options: dict[str, Any], keeper: str
) -> None:
    layer, x = build(kind, **options), torch.randn(20, 12, 3)
    feature_major = torch.randn(20, 3, 12).transpose(1, 2)  # read by the loops where it lies

    def kept(layer: Any, x: Tensor, **options: Any) -> Any:
        with KEEPERS[keeper]():
            return layer(x, **options)

    for given, lengths in ((x, None), (feature_major, None), (x, [20, 3, 12] * 4)):
        if layer.batch_first and lengths is not None:
            lengths = [12, 3] * 10
        for a, b in zip(
            gradients(layer, kept, given, lengths),
            gradients(layer, plain, given, lengths),
            strict=True,
        ):
            assert torch.equal(a, b)


@pytest.mark.parametrize(("kind", "options"), LAYERS)
def test_checkpoints_give_the_same_gradients(kind: str, options: dict[str, Any]) -> None:
    layer, x = build(kind, **options), torch.randn(20, 12, 3)

    def checkpointed(layer: Any, x: Tensor, **options: Any) -> Any:
        generator = options.pop("generator", None)

        def run(x: Tensor) -> Any:
            if generator is not None:
                options["generator"] = generator.manual_seed(5)
            return layer(x, **options)

        return checkpoint(run, x, use_reentrant=False)

    for a, b in zip(gradients(layer, checkpointed, x), gradients(layer, plain, x), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("detail", ["full", "summary"])
@pytest.mark.parametrize("reentrant", [True, False])
def test_a_recording_is_complete_when_a_checkpoint_computes_the_layer_again(
    reentrant: bool, detail: Any
) -> None:
    layer, x = build("GRU", num_layers=2), torch.randn(20, 12, 3, requires_grad=True)
    once, again = Recording(detail), Recording(detail)
    layer(x, record=once)[0].sum().backward()
    checkpoint(lambda x: layer(x, record=again)[0], x, use_reentrant=reentrant).sum().backward()
    for a, b in zip(once.layers, again.layers, strict=True):
        assert a.gradient_norm is not None and (a.gradient_norm == b.gradient_norm).all()
        for name, values in {**a.signals, **a.mean}.items():
            assert (values == {**b.signals, **b.mean}[name]).all()


def test_a_saved_tensor_that_comes_back_as_another_is_refused() -> None:
    for change in (lambda t: t[: len(t) // 2] if t.dim() == 1 else t, lambda t: t.double()):
        with saved_tensors_hooks(lambda t: t, change):
            output = build("GRU")(torch.randn(20, 12, 3))[0]
        with pytest.raises(
            RuntimeError, match="came back from its hook with another size or dtype"
        ):
            output.sum().backward()


def both(kind: str, **options: Any) -> tuple[Any, Any]:
    theirs = getattr(nn, kind)(2, 4, dtype=torch.float64, **options)
    ours = getattr(gruviz.nn, kind)(2, 4, dtype=torch.float64, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def loss_of(layer: nn.Module, x: Tensor) -> Callable[[Tensor], Tensor]:
    """The sum of what comes out, which is linear in it, as a function of the recurrent weights."""

    def loss(weight: Tensor) -> Tensor:
        results = torch.func.functional_call(layer, {"weight_hh_l0": weight}, (x,))
        return torch.stack([result.sum() for result in flat(results)]).sum()

    return loss


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_are_those_of_torch(kind: str) -> None:
    ours, theirs = both(kind, num_layers=2, batch_first=True)
    x = torch.randn(3, 5, 2, dtype=torch.float64)
    weight = theirs.weight_hh_l0.detach()
    a, b = loss_of(ours, x), loss_of(theirs, x)
    expected = functional.hessian(b, weight)
    assert expected.abs().max() > 1e-3
    assert_equal([functional.hessian(a, weight)], [expected])
    assert_equal([functional.hessian(a, weight, vectorize=True)], [expected])
    direction = torch.randn_like(weight)
    assert_equal(
        [functional.hvp(a, weight, direction)[1]], [functional.hvp(b, weight, direction)[1]]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_penalty_trains_as_it_does_in_torch(kind: str) -> None:
    layers = both(kind)
    x = torch.randn(6, 3, 2, dtype=torch.float64)
    found = []
    for layer in layers:
        leaf = x.clone().requires_grad_()
        output = flat(layer(leaf))[0]
        (slope,) = torch.autograd.grad(output.sum(), leaf, create_graph=True)
        ((slope.flatten(1).norm(dim=1) - 1).square().sum() + output.square().sum()).backward()
        found.append([leaf.grad, *(p.grad for p in layer.parameters())])
    assert_equal(*found)


def test_third_derivatives_and_an_argument_that_is_given_twice() -> None:
    ours, theirs = both("RNN", bias=False)
    h = torch.randn(1, 3, 4, dtype=torch.float64)
    found = []
    for layer in (ours, theirs):
        leaf = h.clone().requires_grad_()
        x = torch.cat([leaf[:, :, :2], leaf[:, :, 2:]])  # made from the state that it begins with
        value = layer(x, leaf)[0].sum()
        for _ in range(3):
            (gradient,) = torch.autograd.grad(value, leaf, create_graph=True)
            value = gradient.square().sum()
        found.append([value, gradient])
    assert_equal(*found)


def test_many_gradients_at_once_are_those_one_by_one() -> None:
    layer, x = build("GRU", 2, 3), torch.randn(4, 2, 2)

    def output(x: Tensor) -> Tensor:
        found: Tensor = layer(x)[0]
        return found

    at_once = functional.jacobian(output, x, vectorize=True)
    torch.testing.assert_close(at_once, functional.jacobian(output, x))


def test_a_recording_is_completed_by_a_backward_pass_that_can_be_differentiated() -> None:
    layer, x = build("GRU", 2, 3, bidirectional=True), torch.randn(4, 2, 2)
    records = []
    for create_graph in (False, True):
        recording = Recording()
        weights = list(layer.parameters())
        output = layer(x, record=recording)[0]
        torch.autograd.grad(output.square().sum(), weights, create_graph=create_graph)
        records.append(recording.layers)
    for once, differentiable in zip(*records, strict=True):
        assert once.gradient is not None and differentiable.gradient is not None
        assert (once.gradient == differentiable.gradient).all()
        assert (once.gradient_norm == differentiable.gradient_norm).all()


CHANGES: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "+=": lambda out, extra: out.add_(extra),
    "relu": lambda out, _: nn.ReLU(inplace=True)(out),
    "a slice": lambda out, extra: out[2:].mul_(extra[2:]),
    "zeros": lambda out, _: out[2:].zero_(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_output_changed_in_place_has_the_gradients_of_one_changed_in_a_copy(
    kind: str, engine: str, change: str
) -> None:
    for options, shape in (
        ({}, (6, 3, 2)),
        ({"batch_first": True, "num_layers": 2}, (6, 3, 2)),
        ({"bidirectional": True}, (6, 3, 2)),
        ({}, (6, 2)),  # without a batch axis
    ):
        layer = build(kind, 2, 4, engine=engine, **options)
        x = torch.randn(shape)
        extra = torch.randn(*shape[:-1], 4 * layer.directions, requires_grad=True)
        found = []
        for copied in (False, True):
            layer.zero_grad()
            extra.grad = None
            output, state = layer(x)
            output = output.clone() if copied else output
            states = [part.clone() if copied else part for part in flat(state)]
            CHANGES[change](output, extra)
            for part in states:
                part.mul_(2)
            (output.square().sum() + sum(part.sum() for part in states)).backward()
            found.append([p.grad.clone() for p in layer.parameters()])
            found[-1] += [] if extra.grad is None else [extra.grad.clone()]
        assert_equal(*found)


@pytest.mark.parametrize("kind", KINDS)
def test_changing_the_numbers_of_an_output_behind_autograds_back_changes_no_gradient(
    kind: str,
) -> None:
    layer, x = build(kind, 2, 4), torch.randn(6, 3, 2)
    found = []
    for change in (False, True):
        layer.zero_grad()
        output = layer(x)[0]
        loss = output.sum()
        if change:
            output.data.fill_(7)
            output.detach().numpy()[:] = 8
            with torch.no_grad():
                output.mul_(2)
        loss.backward()
        found.append([p.grad.clone() for p in layer.parameters()])
    for a, b in zip(*found, strict=True):
        assert torch.equal(a, b)


def test_without_gradients_an_output_can_be_changed_too() -> None:
    layer, x = build("GRU", 2, 4), torch.randn(6, 3, 2)
    expected = layer(x)[0].detach() + 1
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            output = layer(x)[0]
            output += 1
        assert torch.equal(output, expected)


def under_func(layer: Any, x: Tensor) -> Any:
    return torch.func.grad(lambda x: layer(x)[0].sum())(x)


def under_vmap(layer: Any, x: Tensor) -> Any:
    return torch.vmap(lambda x: layer(x)[0])(x[None])


def under_jvp(layer: Any, x: Tensor) -> Any:
    return torch.func.jvp(lambda x: layer(x)[0], (x,), (x,))[1]


def forward_mode(layer: Any, x: Tensor) -> Any:
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, x)
        return torch.autograd.forward_ad.unpack_dual(layer(dual)[0]).tangent


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's forward mode scripts its rules
@pytest.mark.parametrize("use", [under_func, under_vmap, under_jvp, forward_mode])
@pytest.mark.parametrize("kind", KINDS)
def test_where_loops_have_no_rule_they_say_so_and_the_torch_path_has_one(
    kind: str, use: Callable[[Any, Tensor], Any]
) -> None:
    layer, x = build(kind, 2, 4), torch.randn(6, 3, 2)
    with pytest.raises(RuntimeError, match=re.escape('choose engine="torch" for this layer')):
        use(layer, x)
    layer.engine = "torch"
    assert use(layer, x).isfinite().all()


def test_the_torch_path_under_func_gives_the_gradient_of_the_loops() -> None:
    layer, x = build("GRU", 2, 4), torch.randn(6, 3, 2, requires_grad=True)
    (expected,) = torch.autograd.grad(layer(x)[0].sum(), x)
    layer.engine = "torch"
    torch.testing.assert_close(under_func(layer, x.detach()), expected)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::torch.jit.TracerWarning")
def test_a_trace_is_refused_instead_of_holding_one_output_for_good() -> None:
    layer, x = build("GRU", 2, 4), torch.randn(6, 3, 2)
    with (
        torch.no_grad(),
        pytest.raises(RuntimeError, match=r"no rule for .* tracing and compiling"),
    ):
        torch.jit.trace(layer, (x,))


@pytest.mark.filterwarnings("ignore")  # of torch's compiler about itself
def test_a_compiler_is_told_that_there_is_no_rule_and_compiles_the_torch_path() -> None:
    layer, x = build("GRU", 2, 4), torch.randn(6, 3, 2)
    expected = layer(x)[0]
    with pytest.raises(RuntimeError, match=r"no rule for .* tracing and compiling"):
        torch.compile(layer, backend="eager")(x)
    layer.engine = "torch"
    torch.compiler.reset()
    torch.testing.assert_close(torch.compile(layer, backend="eager")(x)[0], expected)

"""torch's own samples for its recurrent modules, as they ship in the wheel, run on ours."""

import sys
import types
import unittest
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck
from torch.nn.utils.rnn import PackedSequence

import gruviz.nn
from tests.nn.agreement import assert_equal, flat

KINDS = ["RNN", "GRU", "LSTM"]
# How many samples there are of each, and how many of these ours refuse.
SAMPLES = {"RNN": (64, 0), "GRU": (32, 0), "LSTM": (32, 16)}
REFUSALS = {"proj_size": r"gruviz.nn.LSTM has no projection \(proj_size=2\); .* use torch\.nn"}


@pytest.fixture(scope="module")
def suite() -> dict[str, Any]:
    """Kind to torch's description of the module, which makes samples."""
    with pytest.MonkeyPatch.context() as patch:
        # The samples' module imports this package for a base class that nothing here uses.
        stand_in: Any = types.ModuleType("expecttest")
        stand_in.TestCase = unittest.TestCase
        patch.setitem(sys.modules, "expecttest", sys.modules.get("expecttest", stand_in))
        from torch.testing._internal.common_modules import module_db
    found = {info.module_cls: info for info in module_db}
    return {kind: found[getattr(nn, kind)] for kind in KINDS}


def samples_of(info: Any, dtype: torch.dtype = torch.float64) -> list[Any]:
    torch.manual_seed(0)
    packed = {} if info.module_cls is nn.LSTM else {"with_packed_sequence": True}
    samples: list[Any] = info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=True, training=True, **packed
    )
    return samples


def refusal(sample: Any) -> str | None:
    """What ours say to this sample, or None if it has to pass."""
    options = sample.constructor_input.kwargs
    return next((words for name, words in REFUSALS.items() if options.get(name)), None)


def layers_of(kind: str, sample: Any, dtype: torch.dtype = torch.float64) -> tuple[Any, Any]:
    """Ours and torch's, with the same weights."""
    arguments, options = sample.constructor_input.args, sample.constructor_input.kwargs
    theirs = getattr(nn, kind)(*arguments, dtype=dtype, **options)
    ours = getattr(gruviz.nn, kind)(*arguments, dtype=dtype, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def passing(info: Any, kind: str) -> Iterator[tuple[Any, Any, list[Any]]]:
    for sample in samples_of(info):
        if refusal(sample) is None:
            ours, theirs = layers_of(kind, sample)
            yield ours, theirs, list(sample.forward_input.args)


def leaves_of(inputs: list[Any]) -> list[Tensor]:
    return [leaf for value in inputs for leaf in flat(value) if leaf.requires_grad]


def squares(result: Any) -> Tensor:
    return torch.stack([each.square().sum() for each in flat(result)]).sum()


def first_and_second(layer: nn.Module, inputs: list[Any]) -> list[Tensor]:
    """Results, the gradients of a loss that isn't linear in them, and those of their squares."""
    results = flat(layer(*inputs))
    loss = torch.stack([((result + n) ** 2).sum() / n for n, result in enumerate(results, 1)]).sum()
    wanted = [*leaves_of(inputs), *layer.parameters()]
    first = torch.autograd.grad(loss, wanted, create_graph=True)
    second = torch.autograd.grad(squares(first), wanted)
    return [*results, *first, *second]


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_and_first_and_second_derivatives_are_those_of_torch(
    suite: dict[str, Any], kind: str
) -> None:
    count = 0
    for ours, theirs, inputs in passing(suite[kind], kind):
        assert repr(ours) == repr(theirs)
        plain = torch.autograd.grad(squares(ours(*inputs)), list(ours.parameters()))
        expected = torch.autograd.grad(squares(theirs(*inputs)), list(theirs.parameters()))
        assert_equal(list(plain), list(expected))
        assert_equal(first_and_second(ours, inputs), first_and_second(theirs, inputs))
        count += 1
    total, refused = SAMPLES[kind]
    assert count == total - refused


@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck_and_gradgradcheck_pass_where_torch_runs_them(
    suite: dict[str, Any], kind: str
) -> None:
    # Of all samples the derivatives are compared with torch's above; here every third will do.
    for ours, _, inputs in islice(passing(suite[kind], kind), 0, None, 3):
        leaves = leaves_of(inputs)
        names = list(dict(ours.named_parameters()))

        def run(
            *values: Tensor,
            layer: Any = ours,
            given: Any = inputs,
            names: Any = names,
            count: int = len(leaves),
        ) -> tuple[Tensor, ...]:
            arguments = replaced(given, iter(values[:count]))
            weights = dict(zip(names, values[count:], strict=True))
            return tuple(flat(torch.func.functional_call(layer, weights, tuple(arguments))))

        values = (*leaves, *(p.detach().clone().requires_grad_() for p in ours.parameters()))
        assert gradcheck(run, values, fast_mode=True)
        assert gradgradcheck(run, values, fast_mode=True)


def replaced(value: Any, leaves: Iterator[Tensor]) -> Any:
    """The same structure with other tensors in it."""
    if isinstance(value, Tensor):
        return next(leaves)
    if isinstance(value, PackedSequence):
        return PackedSequence(next(leaves), *value[1:])
    return type(value)(replaced(part, leaves) for part in value)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_batch_axis_it_is_a_batch_of_one_by_torchs_own_reference(
    suite: dict[str, Any], kind: str
) -> None:
    for sample in samples_of(suite[kind]):
        inputs = sample.forward_input.args
        if refusal(sample) is None and not isinstance(inputs[0], PackedSequence):
            ours, _ = layers_of(kind, sample)
            expected = sample.reference_fn(ours, *inputs)
            assert_equal(flat(ours(*inputs)), flat(expected))


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_is_refused_in_a_sentence_and_nothing_else_is(
    suite: dict[str, Any], kind: str
) -> None:
    refused = [s for s in samples_of(suite[kind]) if refusal(s) is not None]
    assert (len(samples_of(suite[kind])), len(refused)) == SAMPLES[kind]
    for sample in refused:
        with pytest.raises(ValueError, match=refusal(sample)):
            layers_of(kind, sample)


@pytest.mark.parametrize("kind", KINDS)
def test_what_torch_refuses_is_refused_with_its_type_and_words(
    suite: dict[str, Any], kind: str
) -> None:
    info, options = suite[kind], {"device": "cpu", "requires_grad": False, "training": True}
    wrong = info.module_error_inputs_func(info, dtype=torch.float32, **options)
    assert len(wrong) == 14
    for case in wrong:
        with pytest.raises(case.error_type, match=case.error_regex):
            built_and_run(kind, case.module_error_input)


def built_and_run(kind: str, sample: Any) -> Any:
    layer = getattr(gruviz.nn, kind)(
        *sample.constructor_input.args, **sample.constructor_input.kwargs
    )
    return layer(*sample.forward_input.args)


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_agrees_too(suite: dict[str, Any], kind: str) -> None:
    for sample in samples_of(suite[kind], torch.float32):
        if refusal(sample) is None:
            ours, theirs = layers_of(kind, sample, torch.float32)
            inputs = list(sample.forward_input.args)
            assert_equal(flat(ours(*inputs)), flat(theirs(*inputs)))

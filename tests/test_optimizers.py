"""The optimizers: names of torch classes and their arguments. (What they do: test_trainer.)"""

import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
import torch

from gruviz.experiment import (
    OPTIMIZERS,
    SGD,
    Adam,
    Knob,
    Momentum,
    Muon,
    Nesterov,
    Optimizer,
    Rprop,
    about,
)

OF_TORCH = [name for name, row in OPTIMIZERS.items() if row.torch_class is not None]


@pytest.mark.parametrize(
    ("optimizer", "torch_class", "arguments"),
    [
        (SGD(), "SGD", {"weight_decay": 0.0}),
        (Momentum(0.8), "SGD", {"momentum": 0.8, "dampening": 0.0, "weight_decay": 0.0}),
        (Nesterov(0.8, 0.5), "SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.5}),
        (
            Adam(0.8, 0.95),
            "Adam",
            {"betas": (0.8, 0.95), "eps": 1e-8, "weight_decay": 0.0, "amsgrad": False},
        ),
        (Rprop(0.4), "Rprop", {"etas": (0.4, 1.2), "step_sizes": (1e-6, 50.0)}),
    ],
)
def test_an_optimizer_is_a_torch_class_and_its_arguments(
    optimizer: Optimizer, torch_class: str, arguments: dict[str, Any]
) -> None:
    assert (optimizer.torch_class, optimizer.arguments()) == (torch_class, arguments)


def everything(
    optimizer: Optimizer,
) -> list[tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]]:
    """The torch classes of a row with their arguments."""
    assert optimizer.torch_class is not None
    found = [(getattr(torch.optim, optimizer.torch_class), optimizer.arguments())]
    if optimizer.matrices is not None:
        found.append((getattr(torch.optim, optimizer.matrices), optimizer.matrix_arguments()))
    return found


@pytest.mark.parametrize("name", OF_TORCH)
def test_torch_has_every_optimizer_and_every_argument(name: str) -> None:
    row = OPTIMIZERS[name]
    for made, arguments in everything(row()):
        assert set(arguments) <= set(inspect.signature(made).parameters)
    first = everything(row())[0][0]
    assert row.loop is None or row.loop in inspect.signature(first).parameters
    assert row.rule and row.source and row.help


@pytest.mark.parametrize("name", OF_TORCH)
def test_every_knob_of_an_optimizer_reaches_torch(name: str) -> None:
    row = OPTIMIZERS[name]
    for field in fields(row):
        what = dict(about(row))[field.name]
        assert isinstance(what, Knob)
        other: Any = not field.default if isinstance(field.default, bool) else what.high
        if other == field.default:
            other = what.low
        assert everything(row(**{field.name: other})) != everything(row())


@pytest.mark.parametrize("name", OF_TORCH)
@pytest.mark.parametrize("end", ["low", "high"])
def test_torch_takes_the_ends_of_every_range(name: str, end: str) -> None:
    row = OPTIMIZERS[name]
    ends = {n: getattr(what, end) for n, what in about(row) if isinstance(what, Knob) and what.high}
    for made, arguments in everything(row(**ends)):
        made([torch.nn.Parameter(torch.ones(2, 2))], lr=0.1, **arguments)


TEXTBOOK = {
    ("momentum", "momentum"): 0.9,  # torch's default is none
    ("nesterov", "momentum"): 0.9,
    ("nesterov", "nesterov"): True,
    ("muon", "weight_decay"): 0.1,  # Muon's, for AdamW too
    ("muon", "adjust_lr_fn"): "match_rms_adamw",  # one learning rate for both
}


@pytest.mark.parametrize("name", OF_TORCH)
def test_the_defaults_are_those_of_torch_or_of_the_textbook(name: str) -> None:
    for made, arguments in everything(OPTIMIZERS[name]()):
        known = inspect.signature(made).parameters
        for argument, value in arguments.items():
            assert value == TEXTBOOK.get((name, argument), known[argument].default), argument


def test_only_muon_leaves_some_weights_to_another_class() -> None:
    assert [row for row in OPTIMIZERS.values() if row.matrices is not None] == [Muon]


def test_only_gradient_descent_takes_the_whole_set_whatever_the_batch_size() -> None:
    assert [name for name, row in OPTIMIZERS.items() if row.full_batch] == ["gd"]

"""The optimizers: names of torch classes and their arguments. (What they do: test_trainer.)"""

import inspect
from dataclasses import fields
from typing import Any

import pytest
import torch

from gruviz.experiment import OPTIMIZERS, SGD, Adam, Momentum, Optimizer, RMSprop


@pytest.mark.parametrize(
    ("optimizer", "torch_class", "arguments"),
    [
        (SGD(), "SGD", {}),
        (Momentum(0.8), "SGD", {"momentum": 0.8}),
        (RMSprop(0.95), "RMSprop", {"alpha": 0.95}),
        (Adam(0.8, 0.95), "Adam", {"betas": (0.8, 0.95)}),
    ],
)
def test_an_optimizer_is_a_torch_class_and_its_arguments(
    optimizer: Optimizer, torch_class: str, arguments: dict[str, Any]
) -> None:
    assert (optimizer.torch_class, optimizer.arguments()) == (torch_class, arguments)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_torch_has_every_optimizer_and_every_argument(name: str) -> None:
    optimizer = OPTIMIZERS[name]()
    known = inspect.signature(getattr(torch.optim, optimizer.torch_class)).parameters
    assert set(optimizer.arguments()) <= set(known)
    assert optimizer.rule


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_knob_of_an_optimizer_reaches_torch(name: str) -> None:
    row = OPTIMIZERS[name]
    for field in fields(row):
        assert row(**{field.name: 0.123}).arguments() != row().arguments()


@pytest.mark.parametrize("row", [Momentum, RMSprop, Adam])
def test_the_defaults_are_those_of_torch_or_of_the_textbook(row: type[Optimizer]) -> None:
    known = inspect.signature(getattr(torch.optim, row.torch_class)).parameters
    textbook = {"momentum": 0.9}
    for name, value in row().arguments().items():
        assert value == textbook.get(name, known[name].default)

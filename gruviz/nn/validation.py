"""What the layers refuse, with torch.nn's exception types and, where it has them, its words."""

import logging
import warnings
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gruviz.nn.compiled import SlowerWarning, serves
from gruviz.nn.sequences import Batch


def check_sizes(
    input_size: object, hidden_size: object, num_layers: object, bias: object, batch_first: object
) -> None:
    for name, flag in (("bias", bias), ("batch_first", batch_first)):
        if not isinstance(flag, bool):
            raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
    for name, size in (
        ("input_size", input_size),
        ("hidden_size", hidden_size),
        ("num_layers", num_layers),
    ):
        if not isinstance(size, int):
            raise TypeError(f"{name} should be of type int, got: {type(size).__name__}")
        if size <= 0:
            raise ValueError(f"{name} must be greater than zero")


def check_projection(layer: str, proj_size: int, hidden_size: int) -> None:
    if proj_size < 0:
        raise ValueError("proj_size should be a positive integer or zero to disable projections")
    if proj_size >= hidden_size:
        raise ValueError("proj_size has to be smaller than hidden_size")
    if proj_size:
        raise ValueError(
            f"gruviz.nn.{layer} has no projection (proj_size={proj_size}); put a torch.nn.Linear"
            " after it or use torch.nn"
        )


def check_no_projection(options: dict[str, Any]) -> None:
    if "proj_size" in options:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


def check_nonlinearity(nonlinearity: object) -> None:
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")


def check_dropout(dropout: object, num_layers: int) -> None:
    check_rates(dropout=dropout)
    if isinstance(dropout, (int, float)) and dropout > 0 and num_layers == 1:
        warnings.warn(
            "dropout option adds dropout after all but last recurrent layer, so non-zero dropout"
            f" expects num_layers greater than 1, but got dropout={dropout} and"
            f" num_layers={num_layers}",
            stacklevel=5,
        )


def check_rates(**rates: object) -> None:
    for name, rate in rates.items():
        if not isinstance(rate, (int, float)) or isinstance(rate, bool) or not 0 <= rate <= 1:
            raise ValueError(
                f"{name} should be a number in range [0, 1] representing the probability of an"
                f" element being zeroed; got {rate!r}"
            )


def check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")


def check_input(x: Tensor, input_size: int, dtype: torch.dtype) -> None:
    if x.dtype != dtype:
        raise ValueError(
            f"RNN input dtype ({x.dtype}) does not match weight dtype ({dtype})."
            f" Convert input: input.to({dtype}), or convert model: model.to({x.dtype})"
        )
    if x.shape[2] != input_size:
        raise RuntimeError(
            f"input.size(-1) must be equal to input_size. Expected {input_size}, got {x.shape[2]}"
        )


def states_of(hx: Any, pair: bool, batch: Batch, shape: tuple[int, int, int]) -> tuple[Tensor, ...]:
    """The initial states in the order of the batch, each (layers, batch, hidden)."""
    states: tuple[Tensor, ...] = tuple(hx) if pair else (hx,)
    if pair and len(states) != 2:
        raise RuntimeError(f"hx should be the pair (h_0, c_0), got {len(states)} tensors")
    axes = 2 if batch.unbatched else 3
    for state in states:
        if state.dim() != axes:
            kind = "unbatched 2-D" if batch.unbatched else "batched 3-D"
            raise RuntimeError(
                f"For {kind} input, hx should also be {axes}-D but got {state.dim()}-D tensor"
            )
    if batch.unbatched:
        states = tuple(state.unsqueeze(1) for state in states)
    labels = ("hidden[0]", "hidden[1]") if pair else ("hidden",)
    for state, label in zip(states, labels, strict=True):
        if state.shape != shape:
            raise RuntimeError(f"Expected {label} size {shape}, got {list(state.shape)}")
        if state.dtype != batch.x.dtype:
            raise RuntimeError(
                f"hx dtype ({state.dtype}) does not match input dtype ({batch.x.dtype})"
            )
    if batch.packed is not None and batch.packed.sorted_indices is not None:
        states = tuple(state.index_select(1, batch.packed.sorted_indices) for state in states)
    return states


def check_without_loops(name: str | None, layer: str) -> None:
    """Of a cell without compiled loops: refuses them, and says once that it is slow."""
    if name == "numba":
        raise ValueError(f'{layer} has no compiled loop; choose engine="torch" or None')
    if name is None:
        _say_that_it_is_slow(layer)


@cache
def _say_that_it_is_slow(layer: str) -> None:
    logging.getLogger(__name__).warning(
        "%s has no compiled loop: torch computes it step by step, several times slower", layer
    )


def check_engine(name: str, explicit: str | None, weight: Tensor, layer: str) -> None:
    """Refuses an engine that can't serve the weight; says so where nobody chose the slow one."""
    if name == "numba" and not serves(weight):
        raise ValueError(
            f'engine="numba" computes float32 and float64 on the CPU, not {weight.dtype} on'
            f' {weight.device}; choose engine="torch" or None'
        )
    if name == "torch" and explicit is None:
        warnings.warn(
            f"{layer} has no compiled loop for {weight.dtype} on {weight.device} and computes"
            ' step by step in torch; engine="torch" says that this is wanted',
            SlowerWarning,
            stacklevel=5,
        )

"""Initial weights by name, each drawn from the generator that is passed in."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Generator, Tensor, nn

Initializer = Callable[[Tensor, Generator | None], object]


def _fan_in(weight: Tensor) -> int:
    return weight.shape[1] if weight.dim() > 1 else weight.shape[0]


def _square(weight: Tensor, fill: Callable[[Tensor], object]) -> None:
    # A recurrent matrix is a stack of square blocks, one per gate.
    for block in torch.split(weight, weight.shape[1]):
        fill(block)


def _truncated(weight: Tensor, deviation: float, generator: Generator | None) -> None:
    # Keras cuts its normal distributions at two deviations, and widens them so that the deviation
    # of what is left is the one asked for.
    wide = deviation / 0.87962566103423978
    nn.init.trunc_normal_(weight, 0.0, wide, -2 * wide, 2 * wide, generator=generator)


# Keras's initialisers with Keras's parameters. A weight is (rows of all gates, inputs) as in torch;
# Keras counts the rows of all gates as fan out, and so does torch.nn.init.
_init = nn.init
INITIALIZERS: Mapping[str, Initializer] = MappingProxyType(
    {
        "zeros": lambda w, _g: _init.zeros_(w),
        "ones": lambda w, _g: _init.ones_(w),
        "uniform": lambda w, g: _init.uniform_(w, -0.05, 0.05, generator=g),
        "normal": lambda w, g: _init.normal_(w, 0.0, 0.05, generator=g),
        "truncated_normal": lambda w, g: _init.trunc_normal_(w, 0.0, 0.05, -0.1, 0.1, generator=g),
        "glorot_uniform": lambda w, g: _init.xavier_uniform_(w, generator=g),
        "glorot_normal": lambda w, g: _truncated(w, math.sqrt(2 / sum(w.shape)), g),
        "he_uniform": lambda w, g: _init.uniform_(
            w, -math.sqrt(6 / _fan_in(w)), math.sqrt(6 / _fan_in(w)), generator=g
        ),
        "he_normal": lambda w, g: _truncated(w, math.sqrt(2 / _fan_in(w)), g),
        "lecun_uniform": lambda w, g: _init.uniform_(
            w, -math.sqrt(3 / _fan_in(w)), math.sqrt(3 / _fan_in(w)), generator=g
        ),
        "lecun_normal": lambda w, g: _truncated(w, math.sqrt(1 / _fan_in(w)), g),
        "orthogonal": lambda w, g: _init.orthogonal_(w, generator=g),
        "orthogonal_blocks": lambda w, g: _square(w, lambda b: _init.orthogonal_(b, generator=g)),
        "identity": lambda w, _g: _square(w, _init.eye_),
    }
)


def fill(
    weight: Tensor, initializer: str | float | Initializer, generator: Generator | None
) -> None:
    """Fills a weight in place: by a name of INITIALIZERS, with a constant, or by a function."""
    with torch.no_grad():
        if isinstance(initializer, str):
            named(initializer)(weight, generator)
        elif callable(initializer):
            initializer(weight, generator)
        else:
            nn.init.constant_(weight, initializer)


def named(name: str) -> Initializer:
    if name not in INITIALIZERS:
        raise ValueError(f"no initializer {name!r}; there are {', '.join(INITIALIZERS)}")
    return INITIALIZERS[name]

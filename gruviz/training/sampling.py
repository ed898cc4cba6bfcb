"""A text that a model of letters writes on its own."""

from typing import Any

import numpy as np
import torch


@torch.no_grad()
def continuation(
    model: Any, prompt: torch.Tensor, count: int, generator: np.random.Generator
) -> list[int]:
    """The `count` classes that follow a prompt (time, classes), one-hot: each is drawn from the
    model's own probabilities and read in turn (Graves 2013, "Generating sequences with recurrent
    neural networks").
    """
    hidden, state = model.recurrent(prompt[None])
    drawn: list[int] = []
    thresholds = generator.random(count)
    for threshold in thresholds:
        chances = torch.softmax(model.head(hidden[0, -1]).double(), dim=0).cumsum(0)
        # Rounding may leave the last sum a little under 1.
        drawn.append(min(int(torch.searchsorted(chances, threshold, right=True)), len(chances) - 1))
        read = torch.zeros(1, 1, len(chances))
        read[0, 0, drawn[-1]] = 1
        hidden, state = model.recurrent(read, state)
    return drawn

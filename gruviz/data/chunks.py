"""Made-up sequences in chunks: memory stays bounded, however many there are."""

from typing import Any

import numpy as np

from gruviz.data.dataset import Sequences
from gruviz.data.making import chunk_rows
from gruviz.data.shelf import Allocate
from gruviz.data.synthetic import Make


def made(make: Make, task: Any, count: int, key: tuple[int, int], allocate: Allocate) -> Sequences:
    """`count` sequences of a task. Chunk n is a pure function of the task, its size and (*key, n).

    Those of a single chunk are the same as those of a generator with the seed `key`: numpy fills a
    seed up with zeros.
    """
    rows = chunk_rows(task)
    inputs = targets = None
    for number, begin in enumerate(range(0, count, rows)):
        generator = np.random.default_rng([*key, number])
        part = make(task, min(rows, count - begin), generator)
        if inputs is None or targets is None:
            inputs, targets = (
                allocate((count, *each.shape[1:]), each.dtype)
                for each in (part.inputs, part.targets)
            )
        inputs[begin : begin + rows], targets[begin : begin + rows] = part.inputs, part.targets
    assert inputs is not None and targets is not None
    return Sequences(inputs, targets)

"""One thread, for equal bits and a peaceful machine."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController

from gruviz import nn


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums in another order are other bits: one thread, whatever the caller had.

    The loops' BLAS has threads of its own, which moreover wait for each other on a busy machine.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        torch.set_num_threads(threads)


@cache
def _libraries() -> ThreadpoolController:
    nn.warm()  # which loads the BLAS
    return ThreadpoolController()

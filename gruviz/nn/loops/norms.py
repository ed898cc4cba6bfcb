"""Euclidean norms over runs of numbers that lie anywhere in memory, summed in double precision."""

import math

import numpy as np

from gruviz.nn.loops.machine import run


def scale_to_norm(like, count, addresses_, sizes_, limit):
    """Scales all the given runs of numbers so that their common norm is at most limit; returns the
    norm that they had."""
    addresses, sizes = run(addresses_, count, count), run(sizes_, count, count)
    square = 0.0
    for i in range(count):
        values = run(addresses[i], like, sizes[i])
        for k in range(values.size):
            square += np.float64(values[k]) * np.float64(values[k])
    norm = math.sqrt(square)
    factor = limit / (norm + 1e-6)
    if not factor >= 1:  # a norm that is NaN makes NaN of all, as in torch
        for i in range(count):
            values = run(addresses[i], like, sizes[i])
            for k in range(values.size):
                values[k] *= factor
    return norm


def block_norms(like, count, addresses_, sizes_, blocks, owners_, copies_, out_):
    """out (blocks) receives the norm of all runs that a block owns. With copies_, the runs' copies
    one after the other, it is that of what has changed since, and the copies are renewed."""
    addresses, sizes = run(addresses_, count, count), run(sizes_, count, count)
    owners, out = run(owners_, count, count), run(out_, 1.0, blocks)
    out[:] = 0
    place = copies_
    for i in range(count):
        values = run(addresses[i], like, sizes[i])
        square = 0.0
        if copies_ == 0:
            for k in range(values.size):
                square += np.float64(values[k]) * np.float64(values[k])
        else:
            copies = run(place, like, sizes[i])
            for k in range(values.size):
                change = np.float64(values[k]) - np.float64(copies[k])
                square += change * change
                copies[k] = values[k]
            place += values.nbytes
        out[owners[i]] += square
    for i in range(blocks):
        out[i] = math.sqrt(out[i])

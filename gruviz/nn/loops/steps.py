"""What the recurrences share: activations, products of a step, the ends of ragged sequences."""

import math

import numpy as np
from numba import carray, types
from numba.extending import overload

from gruviz.nn.loops.machine import FAST, add_product, block, inline, pointer, run, swap_axes

TANH, RELU = 0, 1


def _tanh(x):
    raise NotImplementedError


@overload(_tanh, jit_options={"error_model": "numpy", "fastmath": FAST})
def _tanh_of(x):
    if x != types.float32:
        return lambda x: math.tanh(x)
    f = np.float32
    limit = f(7.90531110763549805)
    a1, a3, a5, a7 = (
        f(4.89352455891786e-03), f(6.37261928875436e-04), f(1.48572235717979e-05),
        f(5.12229709037114e-08),
    )  # fmt: skip
    a9, a11, a13 = f(-8.60467152213735e-11), f(2.00018790482477e-13), f(-2.76076847742355e-16)
    b0, b2, b4, b6 = (
        f(4.89352518554385e-03), f(2.26843463243900e-03), f(1.18534705686654e-04),
        f(1.19825839466702e-06),
    )  # fmt: skip

    def rational(x):
        # Eigen's and XLA's rational approximation. The comparisons are false for NaN, which
        # therefore passes through; min() and max() would swallow it.
        x = limit if x > limit else x
        x = -limit if x < -limit else x
        s = x * x
        p = x * (a1 + s * (a3 + s * (a5 + s * (a7 + s * (a9 + s * (a11 + s * a13))))))
        return p / (b0 + s * (b2 + s * (b4 + s * b6)))

    return rational


@inline
def sigmoid_in_place(a):
    half = a.dtype.type(0.5)
    for k in range(a.size):
        a[k] = half + half * _tanh(half * a[k])


@inline
def activate_in_place(a, activation):
    if activation == TANH:
        for k in range(a.size):
            a[k] = _tanh(a[k])
    elif activation == RELU:
        zero = a.dtype.type(0)
        for k in range(a.size):
            a[k] = zero if a[k] < zero else a[k]


@inline
def through_activation(d, value, activation):
    """d times the derivative of the activation, which is a function of its value."""
    one, zero = d.dtype.type(1), d.dtype.type(0)
    if activation == TANH:
        for k in range(d.size):
            d[k] *= one - value[k] * value[k]
    elif activation == RELU:
        for k in range(d.size):
            d[k] = zero if value[k] <= zero else d[k]


# One result and few operands for each loop: LLVM vectorises a loop only if it takes no more than
# eight comparisons of addresses to see that nothing overlaps.
@inline
def sigmoid_slope(target, d, factor, value):
    """target = d * factor, through a sigmoid that has this value"""
    one = value.dtype.type(1)
    for k in range(target.size):
        target[k] = d[k] * factor[k] * value[k] * (one - value[k])


@inline
def tanh_slope(target, d, factor, value):
    one = value.dtype.type(1)
    for k in range(target.size):
        target[k] = d[k] * factor[k] * (one - value[k] * value[k])


@inline
def update_slope(target, d, before, candidate, z, sign):
    one = z.dtype.type(1)
    for k in range(target.size):
        target[k] = sign * d[k] * (before[k] - candidate[k]) * z[k] * (one - z[k])


@inline
def copy(target, source):
    for k in range(source.size):
        target[k] = source[k]


@inline
def add_to(target, a):
    for k in range(target.size):
        target[k] += a[k]


@inline
def times(target, a, b):
    for k in range(target.size):
        target[k] = a[k] * b[k]


@inline
def copy_input(
    x, source_, like, st, sb, si, T, B, F,
):  # fmt: skip
    """Copies the caller's x, whatever its strides, to (T, F * B)."""
    source = carray(pointer(source_, like), (1,))
    for t in range(T):
        for i in range(F):
            for b in range(B):
                x[t, i * B + b] = source[t * st + b * sb + i * si]


@inline
def bias_of(address, like, rows):
    """A copy of the bias, zeros where there is none."""
    if address == 0:
        return np.zeros_like(run(address, like, rows))
    return run(address, like, rows).copy()


@inline
def spread(start, rows, B):
    """start (rows) over the batch: what a step's block is before the products are added."""
    base = np.empty(rows * B, start.dtype)
    for r in range(rows):
        base[r * B : (r + 1) * B] = start[r]
    return base


@inline
def take(values, address, like, H, B):
    """values (H, B) from the caller's (B, H); zeros where there is none."""
    if address == 0:
        values[:] = 0
    else:
        swap_axes(values, run(address, like, H * B), B, H)


@inline
def hand_out(address, like, values, H, B):
    """Hands values (H, B) out as (B, H), where they are wanted."""
    if address != 0:
        swap_axes(run(address, like, H * B), values, H, B)


@inline
def project(c, x, w, rows, F, B, one):
    """c (rows, B) += w x, and NaN for every sequence with a non-finite x: a sigmoid would turn an
    infinity into an innocent 0 or 1."""
    zero = c.dtype.type(0)
    add_product(c, w, x, rows, F, B, one)
    trace = zero
    for k in range(F * B):
        trace += x[k] * zero
    if trace != zero:
        for b in range(B):
            poison = zero
            for i in range(F):
                poison += x[i * B + b] * zero
            for r in range(rows):
                c[r * B + b] += poison


@inline
def turned(w, rows, columns):
    """w (rows, columns) as (columns, rows)."""
    result = np.empty_like(w)
    swap_axes(result, w, rows, columns)
    return result


@inline
def add_outer(
    dw, d, value, scratch, rows, B, columns, one,
):  # fmt: skip
    """dw (rows, columns) += d (rows, B) value' with value (columns, B)."""
    swap_axes(scratch, value, columns, B)
    add_product(dw, d, scratch, rows, B, columns, one)


@inline
def return_past(
    dh, wt, d, H, rows, B, mask, masked, scratch, one,
):  # fmt: skip
    """dh += wt d, through the dropout mask of the state; wt (H, rows)."""
    if masked:
        scratch[:] = 0
        add_product(scratch, wt, d, H, rows, B, one)
        for k in range(dh.size):
            dh[k] += scratch[k] * mask[k]
    else:
        add_product(dh, wt, d, H, rows, B, one)


@inline
def return_input(
    dx, wt, d, t, F, rows, B, one,
):  # fmt: skip
    """dx[t] = wt d, where it is wanted; wt (F, rows)."""
    if dx.size > 0:
        dx[t, :] = 0
        add_product(dx[t], wt, d, F, rows, B, one)


@inline
def sum_rows(target, wide, rows, B):
    for r in range(rows):
        total = target.dtype.type(0)
        for b in range(B):
            total += wide[r * B + b]
        target[r] = total


@inline
def copy_finished(target, source, lengths, t, rows, B):
    """Sequences that have ended keep their state, and pass their gradient on."""
    for b in range(B):
        if lengths[b] <= t:
            for r in range(rows):
                target[r * B + b] = source[r * B + b]


@inline
def clear_finished(target, lengths, t, rows, B):
    for b in range(B):
        if lengths[b] <= t:
            for r in range(rows):
                target[r * B + b] = 0


@inline
def arrive(dh, upstream, gradient, t):
    """Adds what reaches h_t from outside; keeps the total and returns its norm over the batch."""
    if upstream.size > 0:
        add_to(dh, upstream[t])
    if gradient.size > 0:
        copy(gradient[t], dh)
    square = 0.0  # in double precision: the square of 1e-20 is nothing in single
    for k in range(dh.size):
        square += np.float64(dh[k]) * np.float64(dh[k])
    return math.sqrt(square)


@inline
def summarise(
    out, limits, g, t, H, B, lengths,
):  # fmt: skip
    """Over the running sequences, for the adjacent signals (H, B) in g: out (2 * signals, T)
    receives their means, then the shares that lie outside of limits (signals, 2)."""
    n, signals = H * B, len(limits)
    one, zero = g.dtype.type(1), g.dtype.type(0)
    for signal in range(signals):
        values = g[signal * n : (signal + 1) * n]
        low, high = limits[signal, 0], limits[signal, 1]
        total, outside, count = zero, zero, n
        if lengths.size > 0:
            count = 0
            for b in range(B):
                if lengths[b] > t:
                    count += H
                    for r in range(H):
                        value = values[r * B + b]
                        total += value
                        outside += one if (value < low) | (value > high) else zero
        else:
            for k in range(n):
                value = values[k]
                total += value
                outside += one if (value < low) | (value > high) else zero
        out[signal, t], out[signals + signal, t] = total / count, outside / count


@inline
def summary_of(limits_, summary_, like, signals, T):
    """limits and out for `summarise`; of no size where no summary is wanted."""
    wanted = signals * (summary_ != 0)
    return block(limits_, like, wanted, 2), block(summary_, like, 2 * wanted, T)

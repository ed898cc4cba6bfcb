"""The recurrences and their backward passes in closed form, compiled by numba.

Everything is feature-major: a block for one time step is (features, batch), contiguous, so that
each gate of a step is one flat run of memory whatever the sizes, and each product is one BLAS call
without a transposition. Arrays arrive as addresses (`tensor.data_ptr()`), which is what one call
costs least and what keeps one compiled variant per dtype; `like` carries the dtype.

All compiled code stays in this one file: numba's disk cache notices a change of the file that a
kernel is in, and of no other.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
# numba's intrinsics are called with one argument fewer than they are defined with.
# mypy: disable-error-code="call-arg, var-annotated, attr-defined, import-untyped"

import math
import platform

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.linalg import _BLAS

# Without "nnan" and "ninf": a NaN in the data has to come out as a NaN. With numpy's error model
# a division does not raise, and can therefore be vectorised.
FAST = {"contract", "reassoc", "arcp", "nsz"}
_inline = njit(error_model="numpy", fastmath=FAST, nogil=True)

TANH, RELU, LINEAR = 0, 1, 2


@intrinsic
def _pointer(context, address, like):
    """The address as a pointer to values of like's type."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(address, like), generate


@intrinsic
def _flush_tiny(context):
    """Makes the processor take numbers below the normal range for zero, as XLA and TensorFlow do;
    returns the state to restore. A gradient that has vanished on its way through time would
    otherwise cost a hundred times what a living one does."""

    def generate(context, builder, signature, arguments):
        if platform.machine().lower() not in ("x86_64", "amd64"):  # elsewhere it costs nothing
            return ir.Constant(ir.IntType(32), 0)
        before = _exchange_state(builder)
        flush = builder.or_(before, ir.Constant(ir.IntType(32), 0x8040))
        _exchange_state(builder, flush)
        return before

    return types.uint32(), generate


@intrinsic
def _restore(context, state):
    def generate(context, builder, signature, arguments):
        if platform.machine().lower() in ("x86_64", "amd64"):
            _exchange_state(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.uint32), generate


def _exchange_state(builder, new=None):
    """The SSE control register: read, or written."""
    slot = cgutils.alloca_once(builder, ir.IntType(32))
    if new is not None:
        builder.store(new, slot)
    name = "llvm.x86.sse.stmxcsr" if new is None else "llvm.x86.sse.ldmxcsr"
    address = builder.bitcast(slot, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [address.type])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [address])
    return builder.load(slot)


@_inline
def _block(address, like, rows, columns):
    return carray(_pointer(address, like), (rows, columns))


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


@_inline
def _sigmoid_in_place(a):
    half = a.dtype.type(0.5)
    for k in range(a.size):
        a[k] = half + half * _tanh(half * a[k])


@_inline
def _activate_in_place(a, activation):
    if activation == TANH:
        for k in range(a.size):
            a[k] = _tanh(a[k])
    elif activation == RELU:
        zero = a.dtype.type(0)
        for k in range(a.size):
            a[k] = zero if a[k] < zero else a[k]


@_inline
def _through_activation(d, value, activation):
    """d times the derivative of the activation, which is a function of its value."""
    one, zero = d.dtype.type(1), d.dtype.type(0)
    if activation == TANH:
        for k in range(d.size):
            d[k] *= one - value[k] * value[k]
    elif activation == RELU:
        for k in range(d.size):
            d[k] = zero if value[k] <= zero else d[k]


def _gemm(
    ta, tb, m, n, k, a, lda, b, ldb, one, c, ldc,
):  # fmt: skip
    raise NotImplementedError


@overload(_gemm)
def _gemm_of(
    ta, tb, m, n, k, a, lda, b, ldb, one, c, ldc,
):  # fmt: skip
    call = _BLAS().numba_xxgemm(a.dtype)
    kind = ord("s" if a.dtype == types.float32 else "d")

    def columns_first(
    ta, tb, m, n, k, a, lda, b, ldb, one, c, ldc,
):  # fmt: skip
        call(
            kind, ta, tb, m, n, k, one.ctypes, a.ctypes, lda, b.ctypes, ldb, one.ctypes, c.ctypes,
            ldc,
        )  # fmt: skip

    return columns_first


_N, _T = ord("n"), ord("t")


# BLAS counts columns first: a row-major C = A B is its C' = B' A', hence the exchanged operands.
@_inline
def _add_product(c, a, b, m, k, n, one):
    """c (m, n) += a (m, k) b (k, n)"""
    _gemm(_N, _N, n, m, k, b, n, a, k, one, c, n)


@_inline
def _add_product_at(c, a, b, m, k, n, one):
    """c (m, n) += a' b with a (k, m), b (k, n)"""
    _gemm(_N, _T, n, m, k, b, n, a, m, one, c, n)


@_inline
def _add_product_bt(c, a, b, m, k, n, one):
    """c (m, n) += a b' with a (m, k), b (n, k)"""
    _gemm(_T, _N, n, m, k, b, k, a, k, one, c, n)


@_inline
def _turn(
    x, source_, like, st, sb, si, T, B, F,
):  # fmt: skip
    """Copies the caller's x, whatever its strides, to (T, F * B)."""
    source = carray(_pointer(source_, like), (1,))
    for t in range(T):
        for i in range(F):
            for b in range(B):
                x[t, i * B + b] = source[t * st + b * sb + i * si]


@_inline
def _bias(address, like, rows):
    """A copy of the bias, zeros where there is none."""
    if address == 0:
        return np.zeros_like(_block(address, like, 1, rows)[0])
    return _block(address, like, 1, rows)[0].copy()


@_inline
def _swap_axes(target, source, rows, columns):
    """target (columns, rows) is source (rows, columns) turned."""
    for r in range(rows):
        for c in range(columns):
            target[c * rows + r] = source[r * columns + c]


@_inline
def _start(address, like, H, B):
    """The gradient (B, H) of a final state, as (H, B); zeros where there is none."""
    dh = np.zeros_like(_block(address, like, 1, H * B)[0])
    if address != 0:
        _swap_axes(dh, _block(address, like, 1, H * B)[0], B, H)
    return dh


@_inline
def _finish(address, like, values, H, B):
    """Hands values (H, B) out as (B, H), where they are wanted."""
    if address != 0:
        _swap_axes(_block(address, like, 1, H * B)[0], values, H, B)


@_inline
def _base(start, rows, B):
    """start (rows) spread over the batch: what a step's block is before the products are added."""
    base = np.empty(rows * B, start.dtype)
    for r in range(rows):
        base[r * B : (r + 1) * B] = start[r]
    return base


@_inline
def _project(c, x, w, rows, F, B, one):
    """c (rows, B) += w x, and NaN for every sequence with a non-finite x: a sigmoid would turn an
    infinity into an innocent 0 or 1."""
    zero = c.dtype.type(0)
    _add_product(c, w, x, rows, F, B, one)
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


# One result and few operands for each loop: LLVM vectorises a loop only if it takes no more than
# eight comparisons of addresses to see that nothing overlaps.
@_inline
def _sigmoid_slope(target, d, factor, value):
    """target = d * factor, through a sigmoid that has this value"""
    one = value.dtype.type(1)
    for k in range(target.size):
        target[k] = d[k] * factor[k] * value[k] * (one - value[k])


@_inline
def _tanh_slope(target, d, factor, value):
    one = value.dtype.type(1)
    for k in range(target.size):
        target[k] = d[k] * factor[k] * (one - value[k] * value[k])


@_inline
def _update_slope(target, d, before, candidate, z, sign):
    one = z.dtype.type(1)
    for k in range(target.size):
        target[k] = sign * d[k] * (before[k] - candidate[k]) * z[k] * (one - z[k])


@_inline
def _copy(target, source):
    for k in range(source.size):
        target[k] = source[k]


@_inline
def _add_to(target, a):
    for k in range(target.size):
        target[k] += a[k]


@_inline
def _return_past(
    dh, w, d, H, rows, B, mask, masked, back, one,
):  # fmt: skip
    """dh += w' d, through the dropout mask of the state."""
    if masked:
        back[:] = 0
        _add_product_at(back, w, d, H, rows, B, one)
        for k in range(dh.size):
            dh[k] += back[k] * mask[k]
    else:
        _add_product_at(dh, w, d, H, rows, B, one)


@_inline
def _sum_rows(target, wide, rows, B):
    for r in range(rows):
        total = target.dtype.type(0)
        for b in range(B):
            total += wide[r * B + b]
        target[r] = total


@_inline
def _copy_finished(target, source, lengths, t, rows, B):
    """Sequences that have ended keep their state, and pass their gradient on."""
    for b in range(B):
        if lengths[b] <= t:
            for r in range(rows):
                target[r * B + b] = source[r * B + b]


@_inline
def _clear_finished(target, lengths, t, rows, B):
    for b in range(B):
        if lengths[b] <= t:
            for r in range(rows):
                target[r * B + b] = 0


@_inline
def _arrive(dh, upstream, has_upstream, gradient, has_gradient, t):
    """Adds what reaches h_t from outside; keeps the total and returns its norm over the batch."""
    if has_upstream:
        for k in range(dh.size):
            dh[k] += upstream[t, k]
    if has_gradient:
        for k in range(dh.size):
            gradient[t, k] = dh[k]
    square = 0.0  # in double precision: the square of 1e-20 is nothing in single
    for k in range(dh.size):
        square += np.float64(dh[k]) * np.float64(dh[k])
    return math.sqrt(square)


@_inline
def _times(target, a, b):
    for k in range(target.size):
        target[k] = a[k] * b[k]


def gru_forward(
    like, T, B, F, H, after, old, activation, decayed, masked, ragged, x_, h_, g_, hm_, wx_, wh_,
    bx_, bh_, mask_, lengths_, end_, source_, st, sb, si,
):  # fmt: skip
    """Rows of a step's block g (4 H, B): what enters the candidate (W_hn h + b_hn with the reset
    after the product, r * h before it), reset, update, candidate. When decayed, mask_ is (T, H, B)
    and multiplies the state before each step (GRU-D), not only on its way into the product."""
    state_before = _flush_tiny()
    n = H * B
    x, h, g = _block(x_, like, T, F * B), _block(h_, like, T + 1, n), _block(g_, like, T, 4 * n)
    hm = _block(hm_, like, T, n * (masked + decayed))
    mask = _block(mask_, like, 1, n * masked)[0]
    decay = _block(mask_, like, T, n * decayed)
    wx, wh = _block(wx_, like, 1, 3 * H * F)[0], _block(wh_, like, 1, 3 * H * H)[0]
    bx, bh = _bias(bx_, like, 3 * H), _bias(bh_, like, 3 * H)
    lengths = carray(_pointer(lengths_, T), (B * ragged,))
    one = np.ones(1, wx.dtype)
    start = bx + bh
    turned = wh
    if after:  # candidate's rows first: one product serves the three adjacent blocks
        turned = np.concatenate((wh[2 * H * H :], wh[: 2 * H * H]))
        start[2 * H :] = bx[2 * H :]
    first_start = bh[2 * H :] if after else start[:H] * 0
    base = _base(np.concatenate((first_start, start)), 4 * H, B)
    sign, offset = (one[0], one[0] * 0) if old else (-one[0], one[0])
    if source_ != 0:
        _turn(x, source_, like, st, sb, si, T, B, F)
    for t in range(T):
        first, gates, z, candidate = (
            g[t, :n],
            g[t, n : 3 * n],
            g[t, 2 * n : 3 * n],
            g[t, 3 * n :],
        )
        r, before, now = g[t, n : 2 * n], h[t], h[t + 1]
        state = before
        if masked:
            state = hm[t]
            _times(state, before, mask)
        if decayed:
            before = state = hm[t]
            _times(state, h[t], decay[t])
        _copy(g[t], base)
        _project(g[t, n:], x[t], wx, 3 * H, F, B, one)
        if after:
            _add_product(g[t], turned, state, 3 * H, H, B, one)
            _sigmoid_in_place(gates)
            for k in range(n):
                candidate[k] += r[k] * first[k]
        else:
            _add_product(gates, wh, state, 2 * H, H, B, one)
            _sigmoid_in_place(gates)
            _times(first, r, state)
            _add_product(candidate, wh[2 * H * H :], first, H, H, B, one)
        _activate_in_place(candidate, activation)
        for k in range(n):
            now[k] = candidate[k] + (sign * z[k] + offset) * (before[k] - candidate[k])
        if ragged:
            _copy_finished(now, before, lengths, t, H, B)
    _finish(end_, like, h[T], H, B)
    _restore(state_before)


def gru_backward(
    like, T, B, F, H, after, old, activation, decayed, masked, ragged, x_, h_, g_, hm_, wx_, wh_, mask_,
    lengths_, up_, up_end_, dh_, dx_, dwx_, dwh_, dbx_, dbh_, gradient_, norm_, ddecay_,
):  # fmt: skip
    """up_ (T, H, B) and up_end_ (B, H) are the gradients of the output and of the final state, dh_
    receives that of the initial state, ddecay_ that of the decay. up_, up_end_, dh_, dx_, gradient_
    and ddecay_ may be 0: not there, or not wanted."""
    state_before = _flush_tiny()
    n = H * B
    x, h, g = _block(x_, like, T, F * B), _block(h_, like, T + 1, n), _block(g_, like, T, 4 * n)
    hm = _block(hm_, like, T, n * (masked + decayed))
    mask = _block(mask_, like, 1, n * masked)[0]
    decay = _block(mask_, like, T, n * decayed)
    wx, wh = _block(wx_, like, 1, 3 * H * F)[0], _block(wh_, like, 1, 3 * H * H)[0]
    up, dx = _block(up_, like, T, n * (up_ != 0)), _block(dx_, like, T, F * B * (dx_ != 0))
    gradient, norm = _block(gradient_, like, T, n * (gradient_ != 0)), _block(norm_, like, 1, T)[0]
    ddecay = _block(ddecay_, like, T, n * (ddecay_ != 0))
    dh, dwx = _start(up_end_, like, H, B), _block(dwx_, like, 1, 3 * H * F)[0]
    dwh = _block(dwh_, like, 1, 3 * H * H)[0]
    dbx, dbh = _block(dbx_, like, 1, 3 * H)[0], _block(dbh_, like, 1, 3 * H)[0]
    lengths = carray(_pointer(lengths_, T), (B * ragged,))
    one = np.ones(1, wx.dtype)
    turned = np.concatenate((wh[2 * H * H :], wh[: 2 * H * H]))
    dturned = np.zeros(3 * H * H, wx.dtype)
    d, dbias = np.empty(4 * n, wx.dtype), np.zeros(4 * n, wx.dtype)
    dfirst, dr, dz, dn = d[:n], d[n : 2 * n], d[2 * n : 3 * n], d[3 * n :]
    back, kept = np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    unit = one[0]
    sign, offset = (unit, unit * 0) if old else (-unit, unit)
    dwx[:] = 0
    dwh[:] = 0
    for t in range(T - 1, -1, -1):
        first, r, z, candidate = (
            g[t, :n],
            g[t, n : 2 * n],
            g[t, 2 * n : 3 * n],
            g[t, 3 * n :],
        )
        before = h[t]
        state = hm[t] if masked or decayed else before
        if decayed:
            before = state
        norm[t] = _arrive(dh, up, up_ != 0, gradient, gradient_ != 0, t)
        if ragged:
            kept[:] = dh
        _update_slope(dz, dh, before, candidate, z, sign)
        for k in range(n):
            dn[k] = dh[k] * (unit - (sign * z[k] + offset))
        for k in range(n):
            dh[k] *= sign * z[k] + offset
        _through_activation(dn, candidate, activation)
        if after:
            _sigmoid_slope(dr, dn, first, r)
            _times(dfirst, dn, r)
            if ragged:
                _clear_finished(d, lengths, t, 4 * H, B)
                _copy_finished(dh, kept, lengths, t, H, B)
            _add_to(dbias[:n], dfirst)
            _return_past(dh, turned, d, H, 3 * H, B, mask, masked, back, one)
            _add_product_bt(dturned, d, state, 3 * H, B, H, one)
        else:
            if ragged:
                _clear_finished(dz, lengths, t, H, B)
                _clear_finished(dn, lengths, t, H, B)
                _copy_finished(dh, kept, lengths, t, H, B)
            dfirst[:] = 0  # of r * h: zero for sequences that have ended, as dn is
            _add_product_at(dfirst, wh[2 * H * H :], dn, H, H, B, one)
            _sigmoid_slope(dr, dfirst, state, r)
            _times(dfirst, dfirst, r)
            if ragged:
                _clear_finished(dfirst, lengths, t, H, B)
                _clear_finished(dr, lengths, t, H, B)
            if masked:
                _times(dfirst, dfirst, mask)
            _add_to(dh, dfirst)
            gates = d[n : 3 * n]
            _return_past(dh, wh, gates, H, 2 * H, B, mask, masked, back, one)
            _add_product_bt(dwh, gates, state, 2 * H, B, H, one)
            _add_product_bt(dwh[2 * H * H :], dn, first, H, B, H, one)
        if decayed:
            if ddecay_ != 0:
                _times(ddecay[t], dh, h[t])
            _times(dh, dh, decay[t])
        _add_to(dbias[n:], d[n:])
        _add_product_bt(dwx, d[n:], x[t], 3 * H, B, F, one)
        if dx_ != 0:
            dx[t, :] = 0
            _add_product_at(dx[t], wx, d[n:], F, 3 * H, B, one)
    _sum_rows(dbx, dbias[n:], 3 * H, B)
    dbh[:] = dbx
    if after:
        _sum_rows(dbh[2 * H :], dbias, H, B)
        dwh[: 2 * H * H] = dturned[H * H :]
        dwh[2 * H * H :] = dturned[: H * H]
    _finish(dh_, like, dh, H, B)
    _restore(state_before)


def lstm_forward(
    like, T, B, F, H, masked, ragged, x_, h_, c_, g_, hm_, wx_, wh_, bx_, bh_, mask_, lengths_,
    end_, end_c_, source_, st, sb, si,
):  # fmt: skip
    """Rows of a step's block g (5 H, B): input, forget, candidate, output, tanh of the cell."""
    state_before = _flush_tiny()
    n = H * B
    x, h, g = _block(x_, like, T, F * B), _block(h_, like, T + 1, n), _block(g_, like, T, 5 * n)
    c, hm, mask = (
        _block(c_, like, T + 1, n),
        _block(hm_, like, T, n * masked),
        _block(mask_, like, 1, n * masked)[0],
    )
    wx, wh = _block(wx_, like, 1, 4 * H * F)[0], _block(wh_, like, 1, 4 * H * H)[0]
    base = _base(_bias(bx_, like, 4 * H) + _bias(bh_, like, 4 * H), 4 * H, B)
    lengths = carray(_pointer(lengths_, T), (B * ragged,))
    one = np.ones(1, wx.dtype)
    if source_ != 0:
        _turn(x, source_, like, st, sb, si, T, B, F)
    for t in range(T):
        i, f, candidate = g[t, :n], g[t, n : 2 * n], g[t, 2 * n : 3 * n]
        o, tanh_cell = g[t, 3 * n : 4 * n], g[t, 4 * n :]
        state = h[t]
        if masked:
            state = hm[t]
            _times(state, h[t], mask)
        _copy(g[t], base)
        _project(g[t], x[t], wx, 4 * H, F, B, one)
        _add_product(g[t], wh, state, 4 * H, H, B, one)
        _sigmoid_in_place(g[t, : 2 * n])
        _activate_in_place(candidate, TANH)
        _sigmoid_in_place(o)
        before, cell, now = c[t], c[t + 1], h[t + 1]
        for k in range(n):
            cell[k] = f[k] * before[k] + i[k] * candidate[k]
        _copy(tanh_cell, cell)
        _activate_in_place(tanh_cell, TANH)
        _times(now, o, tanh_cell)
        if ragged:
            _copy_finished(now, h[t], lengths, t, H, B)
            _copy_finished(cell, before, lengths, t, H, B)
    _finish(end_, like, h[T], H, B)
    _finish(end_c_, like, c[T], H, B)
    _restore(state_before)


def lstm_backward(
    like, T, B, F, H, masked, ragged, x_, h_, c_, g_, hm_, wx_, wh_, mask_, lengths_, up_,
    up_end_, up_end_c_, dh_, dc_, dx_, dwx_, dwh_, dbx_, dbh_, gradient_, norm_,
):  # fmt: skip
    """As gru_backward; up_end_c_ and dc_ belong to the cell."""
    state_before = _flush_tiny()
    n = H * B
    x, h, g = _block(x_, like, T, F * B), _block(h_, like, T + 1, n), _block(g_, like, T, 5 * n)
    c, hm, mask = (
        _block(c_, like, T + 1, n),
        _block(hm_, like, T, n * masked),
        _block(mask_, like, 1, n * masked)[0],
    )
    wx, wh = _block(wx_, like, 1, 4 * H * F)[0], _block(wh_, like, 1, 4 * H * H)[0]
    up, dx = _block(up_, like, T, n * (up_ != 0)), _block(dx_, like, T, F * B * (dx_ != 0))
    gradient, norm = _block(gradient_, like, T, n * (gradient_ != 0)), _block(norm_, like, 1, T)[0]
    dh, dc = _start(up_end_, like, H, B), _start(up_end_c_, like, H, B)
    dwx = _block(dwx_, like, 1, 4 * H * F)[0]
    dwh = _block(dwh_, like, 1, 4 * H * H)[0]
    dbx, dbh = _block(dbx_, like, 1, 4 * H)[0], _block(dbh_, like, 1, 4 * H)[0]
    lengths = carray(_pointer(lengths_, T), (B * ragged,))
    one, back = np.ones(1, wx.dtype), np.empty(n, wx.dtype)
    d, dbias = np.empty(4 * n, wx.dtype), np.zeros(4 * n, wx.dtype)
    kept_h, kept_c = np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    unit = one[0]
    dwx[:] = 0
    dwh[:] = 0
    for t in range(T - 1, -1, -1):
        norm[t] = _arrive(dh, up, up_ != 0, gradient, gradient_ != 0, t)
        if ragged:
            kept_h[:] = dh
            kept_c[:] = dc
        i, f, candidate = g[t, :n], g[t, n : 2 * n], g[t, 2 * n : 3 * n]
        o, tanh_cell = g[t, 3 * n : 4 * n], g[t, 4 * n :]
        _sigmoid_slope(d[3 * n :], dh, tanh_cell, o)
        for k in range(n):
            dc[k] += dh[k] * o[k] * (unit - tanh_cell[k] * tanh_cell[k])
        _sigmoid_slope(d[:n], dc, candidate, i)
        _sigmoid_slope(d[n : 2 * n], dc, c[t], f)
        _tanh_slope(d[2 * n : 3 * n], dc, i, candidate)
        _times(dc, dc, f)
        dh[:] = 0
        if ragged:
            _clear_finished(d, lengths, t, 4 * H, B)
            _copy_finished(dh, kept_h, lengths, t, H, B)
            _copy_finished(dc, kept_c, lengths, t, H, B)
        _return_past(dh, wh, d, H, 4 * H, B, mask, masked, back, one)
        _add_product_bt(dwh, d, hm[t] if masked else h[t], 4 * H, B, H, one)
        _add_to(dbias, d)
        _add_product_bt(dwx, d, x[t], 4 * H, B, F, one)
        if dx_ != 0:
            dx[t, :] = 0
            _add_product_at(dx[t], wx, d, F, 4 * H, B, one)
    _sum_rows(dbx, dbias, 4 * H, B)
    dbh[:] = dbx
    _finish(dh_, like, dh, H, B)
    _finish(dc_, like, dc, H, B)
    _restore(state_before)


def rnn_forward(
    like, T, B, F, H, activation, masked, ragged, x_, h_, hm_, wx_, wh_, bx_, bh_, mask_,
    lengths_, end_, source_, st, sb, si,
):  # fmt: skip
    state_before = _flush_tiny()
    n = H * B
    x, h, hm = (
        _block(x_, like, T, F * B),
        _block(h_, like, T + 1, n),
        _block(hm_, like, T, n * masked),
    )
    wx, wh, mask = (
        _block(wx_, like, 1, H * F)[0],
        _block(wh_, like, 1, H * H)[0],
        _block(mask_, like, 1, n * masked)[0],
    )
    base = _base(_bias(bx_, like, H) + _bias(bh_, like, H), H, B)
    lengths = carray(_pointer(lengths_, T), (B * ragged,))
    one = np.ones(1, wx.dtype)
    if source_ != 0:
        _turn(x, source_, like, st, sb, si, T, B, F)
    for t in range(T):
        state, now = h[t], h[t + 1]
        if masked:
            state = hm[t]
            _times(state, h[t], mask)
        _copy(now, base)
        _project(now, x[t], wx, H, F, B, one)
        _add_product(now, wh, state, H, H, B, one)
        _activate_in_place(now, activation)
        if ragged:
            _copy_finished(now, h[t], lengths, t, H, B)
    _finish(end_, like, h[T], H, B)
    _restore(state_before)


def rnn_backward(
    like, T, B, F, H, activation, masked, ragged, x_, h_, hm_, wx_, wh_, mask_, lengths_, up_,
    up_end_, dh_, dx_, dwx_, dwh_, dbx_, dbh_, gradient_, norm_,
):  # fmt: skip
    """As gru_backward."""
    state_before = _flush_tiny()
    n = H * B
    x, h, hm = (
        _block(x_, like, T, F * B),
        _block(h_, like, T + 1, n),
        _block(hm_, like, T, n * masked),
    )
    wx, wh, mask = (
        _block(wx_, like, 1, H * F)[0],
        _block(wh_, like, 1, H * H)[0],
        _block(mask_, like, 1, n * masked)[0],
    )
    up, dx = _block(up_, like, T, n * (up_ != 0)), _block(dx_, like, T, F * B * (dx_ != 0))
    gradient, norm = _block(gradient_, like, T, n * (gradient_ != 0)), _block(norm_, like, 1, T)[0]
    dh, dwx, dwh = (
        _start(up_end_, like, H, B),
        _block(dwx_, like, 1, H * F)[0],
        _block(dwh_, like, 1, H * H)[0],
    )
    dbx, dbh = _block(dbx_, like, 1, H)[0], _block(dbh_, like, 1, H)[0]
    lengths = carray(_pointer(lengths_, T), (B * ragged,))
    one, d, back = np.ones(1, wx.dtype), np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    dbias = np.zeros(n, wx.dtype)
    dwx[:] = 0
    dwh[:] = 0
    for t in range(T - 1, -1, -1):
        norm[t] = _arrive(dh, up, up_ != 0, gradient, gradient_ != 0, t)
        d[:] = dh
        _through_activation(d, h[t + 1], activation)
        back[:] = dh
        dh[:] = 0
        if ragged:
            _clear_finished(d, lengths, t, H, B)
            _copy_finished(dh, back, lengths, t, H, B)
        _return_past(dh, wh, d, H, H, B, mask, masked, back, one)
        _add_product_bt(dwh, d, hm[t] if masked else h[t], H, B, H, one)
        _add_to(dbias, d)
        _add_product_bt(dwx, d, x[t], H, B, F, one)
        if dx_ != 0:
            dx[t, :] = 0
            _add_product_at(dx[t], wx, d, F, H, B, one)
    _sum_rows(dbx, dbias, H, B)
    dbh[:] = dbx
    _finish(dh_, like, dh, H, B)
    _restore(state_before)


def summary(
    like, T, B, H, rows, first, blocks, ragged, g_, lengths_, limits_, out_,
):  # fmt: skip
    """Per time step and over the running sequences, for adjacent blocks of a step's record:
    out (2 * blocks, T) receives their means, then the shares that lie outside of limits."""
    n = H * B
    g, lengths = _block(g_, like, T, rows * B), carray(_pointer(lengths_, T), (B * ragged,))
    limits, out = _block(limits_, like, blocks, 2), _block(out_, like, 2 * blocks, T)
    one, zero = np.ones_like(limits[0])[0], np.zeros_like(limits[0])[0]
    for t in range(T):
        for block in range(blocks):
            begin = (first + block * H) * B
            values = g[t, begin : begin + n]
            low, high = limits[block, 0], limits[block, 1]
            total, outside, count = zero, zero, n
            if ragged:
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
            out[block, t], out[blocks + block, t] = total / count, outside / count


def scale_to_norm(like, count, addresses_, sizes_, limit):
    """Scales all the given runs of numbers so that their common norm is at most limit; returns the
    norm that they had."""
    addresses = carray(_pointer(addresses_, count), (count,))
    sizes = carray(_pointer(sizes_, count), (count,))
    square = 0.0
    for i in range(count):
        values = _block(addresses[i], like, 1, sizes[i])[0]
        for k in range(values.size):
            square += np.float64(values[k]) * np.float64(values[k])
    norm = math.sqrt(square)
    factor = limit / (norm + 1e-6)
    if not factor >= 1:  # a norm that is NaN makes NaN of all, as in torch
        for i in range(count):
            values = _block(addresses[i], like, 1, sizes[i])[0]
            for k in range(values.size):
                values[k] *= factor
    return norm

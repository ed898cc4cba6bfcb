"""The GRU in closed form."""

import numpy as np

from gruviz.nn.loops.machine import add_product, block, flush_tiny, restore, run
from gruviz.nn.loops.steps import (
    activate_in_place,
    add_outer,
    add_to,
    arrive,
    bias_of,
    clear_finished,
    copy,
    copy_finished,
    copy_input,
    hand_out,
    project,
    return_input,
    return_past,
    sigmoid_in_place,
    sigmoid_slope,
    spread,
    sum_rows,
    summarise,
    summary_of,
    take,
    through_activation,
    times,
    turned,
    update_slope,
)


def gru_forward(
    like, T, B, F, H, after, old, activation, x_, h_, g_, decay_, hm_, wx_, wh_, bx_, bh_, mask_,
    lengths_, begin_, end_, out_, source_, st, sb, si, limits_, summary_,
):  # fmt: skip
    """Rows of a step's block g (4 H, B): what enters the candidate (W_hn h + b_hn with the reset
    after the product, r * h before it), reset, update, candidate.

    begin_ and end_ are the initial and the final state, (B, H). out_ (T, H, B) receives the hidden
    states once more, for whoever may change them. With source_, x is first copied from there, where
    its strides are st, sb, si. decay_ (T, H, B) is what the state keeps of itself
    before each step.
    """
    state_before = flush_tiny()
    n, masked = H * B, mask_ != 0
    x, h, g = block(x_, like, T, F * B), block(h_, like, T + 1, n), block(g_, like, T, 4 * n)
    hm, mask = block(hm_, like, T, n * masked), run(mask_, like, n * masked)
    out, decay = block(out_, like, T, n), block(decay_, like, T, n * (decay_ != 0))
    wx, wh = run(wx_, like, 3 * H * F), run(wh_, like, 3 * H * H)
    bx, bh = bias_of(bx_, like, 3 * H), bias_of(bh_, like, 3 * H)
    lengths = run(lengths_, T, B * (lengths_ != 0))
    limits, summary = summary_of(limits_, summary_, like, 3, T)
    one = np.ones(1, wx.dtype)
    start = bx + bh
    from_state = wh
    if after:  # candidate's rows first: one product serves the three adjacent blocks
        from_state = np.concatenate((wh[2 * H * H :], wh[: 2 * H * H]))
        start[2 * H :] = bx[2 * H :]
    first_start = bh[2 * H :] if after else start[:H] * 0
    base = spread(np.concatenate((first_start, start)), 4 * H, B)
    faded = np.empty(decay.shape[1], wx.dtype)
    sign, offset = (one[0], one[0] * 0) if old else (-one[0], one[0])
    if source_ != 0:
        copy_input(x, source_, like, st, sb, si, T, B, F)
    take(h[0], begin_, like, H, B)
    for t in range(T):
        first, r, z, candidate = (
            g[t, :n],
            g[t, n : 2 * n],
            g[t, 2 * n : 3 * n],
            g[t, 3 * n :],
        )
        gates, before, now = g[t, n : 3 * n], h[t], h[t + 1]
        if decay.size > 0:
            before = faded
            times(before, h[t], decay[t])
        state = before
        if masked:
            state = hm[t]
            times(state, before, mask)
        copy(g[t], base)
        project(g[t, n:], x[t], wx, 3 * H, F, B, one)
        if after:
            add_product(g[t], from_state, state, 3 * H, H, B, one)
            sigmoid_in_place(gates)
            for k in range(n):
                candidate[k] += r[k] * first[k]
        else:
            add_product(gates, wh, state, 2 * H, H, B, one)
            sigmoid_in_place(gates)
            times(first, r, state)
            add_product(candidate, wh[2 * H * H :], first, H, H, B, one)
        activate_in_place(candidate, activation)
        for k in range(n):
            now[k] = candidate[k] + (sign * z[k] + offset) * (before[k] - candidate[k])
        if lengths.size > 0:
            copy_finished(now, h[t], lengths, t, H, B)
        copy(out[t], now)
        summarise(summary, limits, g[t, n:], t, H, B, lengths)
    hand_out(end_, like, h[T], H, B)
    restore(state_before)


def gru_backward(
    like, T, B, F, H, after, old, activation, x_, h_, g_, decay_, hm_, wx_, wh_, mask_, lengths_,
    up_, up_end_, dh_, ddecay_, dx_, dwx_, dwh_, dbx_, dbh_, gradient_, norm_,
):  # fmt: skip
    """up_ (T, H, B) and up_end_ (B, H) are the gradients of the output and of the final state; dh_
    receives that of the initial state, ddecay_ (T, H, B) that of decay_, gradient_ (T, H, B) and
    norm_ (T) those of every state."""
    state_before = flush_tiny()
    n, masked = H * B, mask_ != 0
    x, h, g = block(x_, like, T, F * B), block(h_, like, T + 1, n), block(g_, like, T, 4 * n)
    hm, mask = block(hm_, like, T, n * masked), run(mask_, like, n * masked)
    decay = block(decay_, like, T, n * (decay_ != 0))
    ddecay = block(ddecay_, like, T, n * (ddecay_ != 0))
    wx, wh = run(wx_, like, 3 * H * F), run(wh_, like, 3 * H * H)
    up, dx = block(up_, like, T, n * (up_ != 0)), block(dx_, like, T, F * B * (dx_ != 0))
    gradient, norm = block(gradient_, like, T, n * (gradient_ != 0)), run(norm_, like, T)
    dwx, dwh = run(dwx_, like, 3 * H * F), run(dwh_, like, 3 * H * H)
    dbx, dbh = run(dbx_, like, 3 * H), run(dbh_, like, 3 * H)
    lengths = run(lengths_, T, B * (lengths_ != 0))
    one = np.ones(1, wx.dtype)
    # With the reset after the product the candidate's rows come first, as in gru_forward.
    from_state = np.concatenate((wh[2 * H * H :], wh[: 2 * H * H]))
    past, gates_past = turned(from_state, 3 * H, H), turned(wh[: 2 * H * H], 2 * H, H)
    candidate_past = turned(wh[2 * H * H :], H, H)
    input_past = turned(wx, 3 * H, F)
    dfrom_state = np.zeros(3 * H * H, wx.dtype)
    d, dbias = np.empty(4 * n, wx.dtype), np.zeros(4 * n, wx.dtype)
    dfirst, dr, dz, dn = d[:n], d[n : 2 * n], d[2 * n : 3 * n], d[3 * n :]
    gates = d[n : 3 * n]
    dh, kept = np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    scratch, x_scratch = np.empty(n, wx.dtype), np.empty(F * B, wx.dtype)
    faded = np.empty(decay.shape[1], wx.dtype)
    unit = one[0]
    sign, offset = (unit, unit * 0) if old else (-unit, unit)
    dwx[:] = 0
    dwh[:] = 0
    take(dh, up_end_, like, H, B)
    for t in range(T - 1, -1, -1):
        first, r, z, candidate = (
            g[t, :n],
            g[t, n : 2 * n],
            g[t, 2 * n : 3 * n],
            g[t, 3 * n :],
        )
        before = h[t]
        if decay.size > 0:
            before = faded
            times(before, h[t], decay[t])
        state = hm[t] if masked else before
        norm[t] = arrive(dh, up, gradient, t)
        if lengths.size > 0:
            copy(kept, dh)
        update_slope(dz, dh, before, candidate, z, sign)
        for k in range(n):
            dn[k] = dh[k] * (unit - (sign * z[k] + offset))
        for k in range(n):
            dh[k] *= sign * z[k] + offset
        through_activation(dn, candidate, activation)
        if after:
            sigmoid_slope(dr, dn, first, r)
            times(dfirst, dn, r)
            if lengths.size > 0:
                clear_finished(d, lengths, t, 4 * H, B)
            add_to(dbias[:n], dfirst)
            return_past(dh, past, d, H, 3 * H, B, mask, masked, scratch, one)
            add_outer(dfrom_state, d, state, scratch, 3 * H, B, H, one)
        else:
            if lengths.size > 0:
                clear_finished(dz, lengths, t, H, B)
                clear_finished(dn, lengths, t, H, B)
            dfirst[:] = 0  # of r * h: zero for sequences that have ended, as dn is
            add_product(dfirst, candidate_past, dn, H, H, B, one)
            sigmoid_slope(dr, dfirst, state, r)
            times(dfirst, dfirst, r)
            if lengths.size > 0:
                clear_finished(dfirst, lengths, t, H, B)
                clear_finished(dr, lengths, t, H, B)
            if masked:
                times(dfirst, dfirst, mask)
            add_to(dh, dfirst)
            return_past(dh, gates_past, gates, H, 2 * H, B, mask, masked, scratch, one)
            add_outer(dwh, gates, state, scratch, 2 * H, B, H, one)
            add_outer(dwh[2 * H * H :], dn, first, scratch, H, B, H, one)
        if ddecay.size > 0:
            times(ddecay[t], dh, h[t])
            if lengths.size > 0:
                clear_finished(ddecay[t], lengths, t, H, B)
        if decay.size > 0:
            times(dh, dh, decay[t])
        if lengths.size > 0:
            copy_finished(dh, kept, lengths, t, H, B)
        add_to(dbias[n:], d[n:])
        add_outer(dwx, d[n:], x[t], x_scratch, 3 * H, B, F, one)
        return_input(dx, input_past, d[n:], t, F, 3 * H, B, one)
    sum_rows(dbx, dbias[n:], 3 * H, B)
    dbh[:] = dbx
    if after:
        sum_rows(dbh[2 * H :], dbias, H, B)
        dwh[: 2 * H * H] = dfrom_state[H * H :]
        dwh[2 * H * H :] = dfrom_state[: H * H]
    hand_out(dh_, like, dh, H, B)
    restore(state_before)

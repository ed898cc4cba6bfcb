"""The LSTM in closed form."""

import numpy as np

from gruviz.nn.loops.machine import add_product, block, flush_tiny, restore, run
from gruviz.nn.loops.steps import (
    TANH,
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
    tanh_slope,
    times,
    turned,
)


def lstm_forward(
    like, T, B, F, H, x_, h_, c_, g_, hm_, wx_, wh_, bx_, bh_, mask_, lengths_, begin_, begin_c_,
    end_, end_c_, out_, source_, st, sb, si, limits_, summary_,
):  # fmt: skip
    """As gru_forward. Rows of a step's block g (5 H, B): input, forget, candidate, output, tanh of
    the cell."""
    state_before = flush_tiny()
    n, masked = H * B, mask_ != 0
    x, h, g = block(x_, like, T, F * B), block(h_, like, T + 1, n), block(g_, like, T, 5 * n)
    c, hm = block(c_, like, T + 1, n), block(hm_, like, T, n * masked)
    wx, wh, mask = (
        run(wx_, like, 4 * H * F),
        run(wh_, like, 4 * H * H),
        run(mask_, like, n * masked),
    )
    out = block(out_, like, T, n)
    base = spread(bias_of(bx_, like, 4 * H) + bias_of(bh_, like, 4 * H), 4 * H, B)
    lengths = run(lengths_, T, B * (lengths_ != 0))
    limits, summary = summary_of(limits_, summary_, like, 4, T)
    one = np.ones(1, wx.dtype)
    if source_ != 0:
        copy_input(x, source_, like, st, sb, si, T, B, F)
    take(h[0], begin_, like, H, B)
    take(c[0], begin_c_, like, H, B)
    for t in range(T):
        i, f, candidate = g[t, :n], g[t, n : 2 * n], g[t, 2 * n : 3 * n]
        o, tanh_cell = g[t, 3 * n : 4 * n], g[t, 4 * n :]
        before, cell, now = c[t], c[t + 1], h[t + 1]
        state = h[t]
        if masked:
            state = hm[t]
            times(state, h[t], mask)
        copy(g[t], base)
        project(g[t], x[t], wx, 4 * H, F, B, one)
        add_product(g[t], wh, state, 4 * H, H, B, one)
        sigmoid_in_place(g[t, : 2 * n])
        activate_in_place(candidate, TANH)
        sigmoid_in_place(o)
        for k in range(n):
            cell[k] = f[k] * before[k] + i[k] * candidate[k]
        copy(tanh_cell, cell)
        activate_in_place(tanh_cell, TANH)
        times(now, o, tanh_cell)
        if lengths.size > 0:
            copy_finished(now, h[t], lengths, t, H, B)
            copy_finished(cell, before, lengths, t, H, B)
        copy(out[t], now)
        summarise(summary, limits, g[t], t, H, B, lengths)
    hand_out(end_, like, h[T], H, B)
    hand_out(end_c_, like, c[T], H, B)
    restore(state_before)


def lstm_backward(
    like, T, B, F, H, x_, h_, c_, g_, hm_, wx_, wh_, mask_, lengths_, up_, up_end_, up_end_c_, dh_,
    dc_, dx_, dwx_, dwh_, dbx_, dbh_, gradient_, norm_,
):  # fmt: skip
    """As gru_backward; up_end_c_ and dc_ belong to the cell."""
    state_before = flush_tiny()
    n, masked = H * B, mask_ != 0
    x, h, g = block(x_, like, T, F * B), block(h_, like, T + 1, n), block(g_, like, T, 5 * n)
    c, hm = block(c_, like, T + 1, n), block(hm_, like, T, n * masked)
    wx, wh, mask = (
        run(wx_, like, 4 * H * F),
        run(wh_, like, 4 * H * H),
        run(mask_, like, n * masked),
    )
    up, dx = block(up_, like, T, n * (up_ != 0)), block(dx_, like, T, F * B * (dx_ != 0))
    gradient, norm = block(gradient_, like, T, n * (gradient_ != 0)), run(norm_, like, T)
    dwx, dwh = run(dwx_, like, 4 * H * F), run(dwh_, like, 4 * H * H)
    dbx, dbh = run(dbx_, like, 4 * H), run(dbh_, like, 4 * H)
    lengths = run(lengths_, T, B * (lengths_ != 0))
    one = np.ones(1, wx.dtype)
    past, input_past = turned(wh, 4 * H, H), turned(wx, 4 * H, F)
    d, dbias = np.empty(4 * n, wx.dtype), np.zeros(4 * n, wx.dtype)
    dh, dc = np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    kept_h, kept_c = np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    scratch, x_scratch = np.empty(n, wx.dtype), np.empty(F * B, wx.dtype)
    unit = one[0]
    dwx[:] = 0
    dwh[:] = 0
    take(dh, up_end_, like, H, B)
    take(dc, up_end_c_, like, H, B)
    for t in range(T - 1, -1, -1):
        norm[t] = arrive(dh, up, gradient, t)
        if lengths.size > 0:
            copy(kept_h, dh)
            copy(kept_c, dc)
        i, f, candidate = g[t, :n], g[t, n : 2 * n], g[t, 2 * n : 3 * n]
        o, tanh_cell = g[t, 3 * n : 4 * n], g[t, 4 * n :]
        sigmoid_slope(d[3 * n :], dh, tanh_cell, o)
        for k in range(n):
            dc[k] += dh[k] * o[k] * (unit - tanh_cell[k] * tanh_cell[k])
        sigmoid_slope(d[:n], dc, candidate, i)
        sigmoid_slope(d[n : 2 * n], dc, c[t], f)
        tanh_slope(d[2 * n : 3 * n], dc, i, candidate)
        times(dc, dc, f)
        dh[:] = 0
        if lengths.size > 0:
            clear_finished(d, lengths, t, 4 * H, B)
            copy_finished(dh, kept_h, lengths, t, H, B)
            copy_finished(dc, kept_c, lengths, t, H, B)
        return_past(dh, past, d, H, 4 * H, B, mask, masked, scratch, one)
        add_outer(dwh, d, hm[t] if masked else h[t], scratch, 4 * H, B, H, one)
        add_outer(dwx, d, x[t], x_scratch, 4 * H, B, F, one)
        add_to(dbias, d)
        return_input(dx, input_past, d, t, F, 4 * H, B, one)
    sum_rows(dbx, dbias, 4 * H, B)
    dbh[:] = dbx
    hand_out(dh_, like, dh, H, B)
    hand_out(dc_, like, dc, H, B)
    restore(state_before)

"""The plain recurrence in closed form."""

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
    spread,
    sum_rows,
    summarise,
    summary_of,
    take,
    through_activation,
    times,
    turned,
)


def rnn_forward(
    like, T, B, F, H, activation, x_, h_, hm_, wx_, wh_, bx_, bh_, mask_, lengths_, begin_, end_,
    out_, source_, st, sb, si, limits_, summary_,
):  # fmt: skip
    """As gru_forward; the hidden states are all there is."""
    state_before = flush_tiny()
    n, masked = H * B, mask_ != 0
    x, h, hm = block(x_, like, T, F * B), block(h_, like, T + 1, n), block(hm_, like, T, n * masked)
    wx, wh, mask = run(wx_, like, H * F), run(wh_, like, H * H), run(mask_, like, n * masked)
    out, base = block(out_, like, T, n), spread(bias_of(bx_, like, H) + bias_of(bh_, like, H), H, B)
    lengths = run(lengths_, T, B * (lengths_ != 0))
    limits, summary = summary_of(limits_, summary_, like, 1, T)
    one = np.ones(1, wx.dtype)
    if source_ != 0:
        copy_input(x, source_, like, st, sb, si, T, B, F)
    take(h[0], begin_, like, H, B)
    for t in range(T):
        state, now = h[t], h[t + 1]
        if masked:
            state = hm[t]
            times(state, h[t], mask)
        copy(now, base)
        project(now, x[t], wx, H, F, B, one)
        add_product(now, wh, state, H, H, B, one)
        activate_in_place(now, activation)
        if lengths.size > 0:
            copy_finished(now, h[t], lengths, t, H, B)
        copy(out[t], now)
        summarise(summary, limits, now, t, H, B, lengths)
    hand_out(end_, like, h[T], H, B)
    restore(state_before)


def rnn_backward(
    like, T, B, F, H, activation, x_, h_, hm_, wx_, wh_, mask_, lengths_, up_, up_end_, dh_, dx_,
    dwx_, dwh_, dbx_, dbh_, gradient_, norm_,
):  # fmt: skip
    """As gru_backward."""
    state_before = flush_tiny()
    n, masked = H * B, mask_ != 0
    x, h, hm = block(x_, like, T, F * B), block(h_, like, T + 1, n), block(hm_, like, T, n * masked)
    wx, wh, mask = run(wx_, like, H * F), run(wh_, like, H * H), run(mask_, like, n * masked)
    up, dx = block(up_, like, T, n * (up_ != 0)), block(dx_, like, T, F * B * (dx_ != 0))
    gradient, norm = block(gradient_, like, T, n * (gradient_ != 0)), run(norm_, like, T)
    dwx, dwh = run(dwx_, like, H * F), run(dwh_, like, H * H)
    dbx, dbh = run(dbx_, like, H), run(dbh_, like, H)
    lengths = run(lengths_, T, B * (lengths_ != 0))
    one = np.ones(1, wx.dtype)
    past, input_past = turned(wh, H, H), turned(wx, H, F)
    d, dbias = np.empty(n, wx.dtype), np.zeros(n, wx.dtype)
    dh, kept = np.empty(n, wx.dtype), np.empty(n, wx.dtype)
    scratch, x_scratch = np.empty(n, wx.dtype), np.empty(F * B, wx.dtype)
    dwx[:] = 0
    dwh[:] = 0
    take(dh, up_end_, like, H, B)
    for t in range(T - 1, -1, -1):
        norm[t] = arrive(dh, up, gradient, t)
        copy(d, dh)
        through_activation(d, h[t + 1], activation)
        if lengths.size > 0:
            copy(kept, dh)
        dh[:] = 0
        if lengths.size > 0:
            clear_finished(d, lengths, t, H, B)
            copy_finished(dh, kept, lengths, t, H, B)
        return_past(dh, past, d, H, H, B, mask, masked, scratch, one)
        add_outer(dwh, d, hm[t] if masked else h[t], scratch, H, B, H, one)
        add_outer(dwx, d, x[t], x_scratch, H, B, F, one)
        add_to(dbias, d)
        return_input(dx, input_past, d, t, F, H, B, one)
    sum_rows(dbx, dbias, H, B)
    dbh[:] = dbx
    hand_out(dh_, like, dh, H, B)
    restore(state_before)

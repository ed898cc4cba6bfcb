"""The season of a series, found by autocorrelation."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# What a season must show. Of random walks, whose trends look like seasons, 1 to 2 % pass.
LEAST_PEAK = 0.4
LEAST_RISE = 0.6  # over the lowest autocorrelation before it
LEAST_SECOND = 0.3  # at twice the season
SHARE_OF_BEST = 0.8
MULTIPLES = 8


def autocorrelation(series: Floats) -> Floats:
    """The autocorrelation at lags 0, 1, ..., n-1 of a series without NaN; (n,).

    Sums of products over lag n-k are divided by their number n-k, not by n, so that long lags
    aren't shrunk (Box, Jenkins, Reinsel 2008, section 2.1.5, give both). All 0 for a constant.
    """
    count = len(series)
    deviation = series - series.mean()
    power = np.abs(np.fft.rfft(deviation, 2 * count)) ** 2
    sums = np.fft.irfft(power)[:count] / np.arange(count, 0, -1)
    variance = float(deviation @ deviation) / count
    return sums / variance if variance > 0 else np.zeros(count)


def season_of(training: Floats) -> int | None:
    """After how many rows the series repeats itself; None if it doesn't. NaN is bridged by lines.

    A parabola is taken out first, as a trend correlates at every lag. A season is a peak of the
    autocorrelation that is high, rises out of a valley, comes again at twice the lag, and is seen
    at least three times. Of its multiples, which are seasons too, the shortest is taken.
    """
    rows = np.arange(len(training))
    present = np.flatnonzero(np.isfinite(training))
    if len(present) < 6 or np.ptp(training[present]) == 0:
        return None
    whole = np.interp(rows, present, training[present])
    time = np.linspace(-1, 1, len(rows))
    # Scaled, as sums of squares of what is far from 1 could overflow or vanish.
    centred = (whole - whole.mean()) / whole.std()
    rest = centred - np.polynomial.Polynomial.fit(time, centred, 2, domain=[-1, 1])(time)
    if rest.std() < 1e-9:
        return None
    r = autocorrelation(rest)
    lags = np.arange(2, len(rows) // 3 + 1)
    rise = r[lags] - np.minimum.accumulate(r)[lags]
    high = (r[lags] >= LEAST_PEAK) & (rise >= LEAST_RISE) & (r[2 * lags] >= LEAST_SECOND)
    if not (high & (r[lags] > r[lags - 1]) & (r[lags] >= r[lags + 1])).any():
        return None
    # A season comes again and again; its neighbours, high as they may be, fall out of step.
    times = np.arange(1, MULTIPLES + 1)[:, None] * lags
    counted = times <= np.maximum(len(rows) // 2, 2 * lags)
    score = np.where(counted, r[np.minimum(times, len(r) - 1)], 0).sum(axis=0) / counted.sum(axis=0)
    score[~high] = 0
    first = int(np.argmax(score >= SHARE_OF_BEST * score.max()))
    near = score[first : first + lags[first] // 4 + 1]
    return int(lags[first + near.argmax()])

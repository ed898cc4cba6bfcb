"""A series as windows to learn from: split in time, scaled by what the training part knows."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from gruviz.data.dataset import Dataset, Sequences
from gruviz.errors import GruvizError
from gruviz.experiment import Kind
from gruviz.words import _

TRAINING_SHARE = 0.8
MOST = 1e37  # what is drawn is float32, ten standard deviations wide
MOST_COPIED = 20_000_000


def forecast_windows(
    series: npt.NDArray[np.float64], window: int, horizon: int, name: str
) -> Dataset:
    """Windows of `window` values with the `horizon` values that follow as targets.

    The last fifth of the series is for validation: no target of a training window lies in it.
    Mean and scale come from the training part alone. Windows with a missing value are left out.

    Raises GruvizError if too little is left to train or to validate on.
    """
    border = int(len(series) * TRAINING_SHARE)
    known = series[:border][np.isfinite(series[:border])]
    if known.size == 0 or known.min() == known.max():
        raise GruvizError(
            _(
                "Column {name!r} is constant or empty in its first {share:.0%}; choose another."
            ).format(name=name[:80], share=TRAINING_SHARE)
        )
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        mean, scale = float(known.mean()), float(known.std())
    if not (0 < scale < MOST and abs(mean) < MOST):  # which NaN isn't
        raise GruvizError(
            _(
                "The numbers in column {name!r} are too large or too small to scale; choose another."
            ).format(name=name[:80])
        )
    with np.errstate(over="ignore"):  # an infinity is left out like a missing value
        scaled = ((series - mean) / scale).astype(np.float32)
    span = window + horizon
    if len(scaled) < span:
        raise GruvizError(_too_short(len(series), window, horizon))
    # Views, not copies: a long series has as many windows as rows.
    pieces = sliding_window_view(scaled, span, writeable=True)
    gaps = np.concatenate([[0], np.cumsum(~np.isfinite(scaled))])
    whole = gaps[span:] == gaps[:-span]
    ends = np.arange(len(pieces)) + span
    # A validation window may look back into the training part; its targets may not lie there.
    train = _sequences(pieces, whole & (ends <= border), window)
    validation = _sequences(pieces, whole & (ends - horizon >= border), window)
    if len(train) < 2 or len(validation) < 1:
        raise GruvizError(_too_short(len(series), window, horizon))
    return Dataset(
        Kind.FORECAST, train, validation, horizon, (name,),
        unit=name, mean=mean, scale=scale, missing=int(gaps[-1]), left_out=int((~whole).sum()),
    )  # fmt: skip


def _sequences(
    pieces: npt.NDArray[np.float32], chosen: npt.NDArray[np.bool_], window: int
) -> Sequences:
    rows = np.flatnonzero(chosen)
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        part = pieces[rows[0] : rows[-1] + 1]
    elif len(rows) * pieces.shape[1] <= MOST_COPIED:
        part = pieces[rows]
    else:
        raise GruvizError(
            _(
                "{rows:,} windows around missing values are too many; make the window shorter."
            ).format(rows=len(rows))
        )
    return Sequences(part[:, :window, None], part[:, window:])


def _too_short(rows: int, window: int, horizon: int) -> str:
    return _(
        "With {rows:,} rows, a window of {window} and a horizon of {horizon} leave too little to"
        " train and validate on; make the window or the horizon shorter."
    ).format(rows=rows, window=window, horizon=horizon)

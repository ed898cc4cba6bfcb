"""A series as windows to learn from: split in time, scaled by what the training part knows."""

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from gruviz.data.dataset import Dataset, Sequences
from gruviz.errors import GruvizError
from gruviz.experiment import Kind
from gruviz.words import _, n_

TRAINING_SHARE = 0.8


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
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = (
            float(known.mean() if known.size else 0),
            float(known.std() if known.size else 0),
        )
    if known.size == 0 or known.min() == known.max():
        raise GruvizError(
            _(
                "Column {name!r} is constant or empty in its first {share:.0%}; choose another."
            ).format(name=name, share=TRAINING_SHARE)
        )
    if not np.isfinite(scale):
        raise GruvizError(
            _("The numbers in column {name!r} are too large to scale; choose another.").format(
                name=name
            )
        )
    with np.errstate(over="ignore"):  # an infinity is left out like a missing value
        scaled = ((series - mean) / scale).astype(np.float32)
    if len(scaled) < window + horizon:
        raise GruvizError(_too_short(len(series), window, horizon))
    pieces = sliding_window_view(scaled, window + horizon)
    ends = np.arange(len(pieces)) + window + horizon
    whole = np.isfinite(pieces).all(axis=1)
    # A validation window may look back into the training part; its targets may not lie there.
    train = _sequences(pieces[whole & (ends <= border)], window)
    validation = _sequences(pieces[whole & (ends - horizon >= border)], window)
    if len(train) < 2 or len(validation) < 1:
        raise GruvizError(_too_short(len(series), window, horizon))
    left_out = int((~whole).sum())
    missing = int((~np.isfinite(scaled)).sum())
    findings = [
        _(
            "{train:,} training windows, {validation:,} for validation (the last {share:.0%})."
        ).format(train=len(train), validation=len(validation), share=1 - TRAINING_SHARE),
        _("Scaled by the training part: mean {mean:.4g}, standard deviation {scale:.4g}.").format(
            mean=mean, scale=scale
        ),
    ]
    if missing:
        findings.append(
            n_(
                "{count:,} value is missing; {left:,} windows that touch it were left out.",
                "{count:,} values are missing; {left:,} windows that touch them were left out.",
                missing,
            ).format(count=missing, left=left_out)
        )
    return Dataset(
        Kind.FORECAST, train, validation, horizon, (name,), (), name, mean, scale, tuple(findings)
    )


def _sequences(pieces: npt.NDArray[np.float32], window: int) -> Sequences:
    return Sequences(pieces[:, :window, None], pieces[:, window:])


def _too_short(rows: int, window: int, horizon: int) -> str:
    return _(
        "With {rows:,} rows, a window of {window} and a horizon of {horizon} leave too little to"
        " train and validate on; make the window or the horizon shorter."
    ).format(rows=rows, window=window, horizon=horizon)

"""A series as windows to learn from: split in time, scaled by what the training part knows."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from gruviz.data.dataset import Array, Dataset, Sequences
from gruviz.data.missing import METHODS, at_the_end, last_seen, means, whole_runs
from gruviz.data.scaling import Scaling, fit
from gruviz.errors import GruvizError
from gruviz.experiment import Kind
from gruviz.words import _

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

TRAINING_SHARE = 0.8
MOST = 1e37  # what is drawn is float32, ten standard deviations wide
LEAST = 1e-30  # spread after scaling that float32 can still tell
MOST_COPIED = 20_000_000


def forecast_windows(
    series: Floats,
    window: int,
    horizon: int,
    name: str,
    *,
    further: Mapping[str, Floats] | None = None,
    scaling: str = "standard",
    missing: str = "drop",
    leak: bool = False,
    border: int | None = None,
    groups: Rows | None = None,
) -> Dataset:
    """Windows of `window` rows with the `horizon` values of the series that follow as targets.

    further: more input columns by name, each as long as the series.
    scaling: a name of `gruviz.data.scaling.SCALERS`; of `missing.METHODS`, missing. Where a method
        leaves a hole in an input, and wherever a target is missing, the window is left out.
    leak: fit the scaling on all rows, which one must not do: to see what it does.
    border: where the training part ends; None: after TRAINING_SHARE of the rows. From there on all
        rows are for validation: no target of a training window lies there. Whatever is fitted
        comes from the rows before it.

    groups: which series each row belongs to, where several lie one below the other: no window goes
        from one into the next, and the last ones are for validation.

    Raises GruvizError if too little is left to train or to validate on.
    """
    columns = np.column_stack([series, *(further or {}).values()]).astype(np.float64, copy=False)
    names = (name, *(further or ()))
    border = int(len(columns) * TRAINING_SHARE) if border is None else border
    scaler = fit(scaling, columns if leak else columns[:border])
    _check(columns[:border], names, scaler, border / max(len(columns), 1))
    with np.errstate(over="ignore"):  # an infinity is left out like a missing value
        scaled = scaler.apply(columns)
        target = scaled[:, 0].astype(np.float32)
    span = window + horizon
    if len(columns) < span:
        raise GruvizError(_too_short(len(columns), window, horizon))
    method = METHODS[missing]
    if groups is not None and method.looks_around and not np.isfinite(scaled).all():
        raise GruvizError(
            _(
                "The table holds several series one below the other: a missing value can't be filled"
                " from the rows around it. Leave such windows out, or put the mean in."
            )
        )
    with np.errstate(over="ignore"):
        channels = np.ascontiguousarray(method.fill(scaled, border), np.float32)
    # Views, not copies: a long series has as many windows as rows.
    inputs = sliding_window_view(channels, window, axis=0, writeable=True).transpose(0, 2, 1)
    targets = sliding_window_view(target, horizon, writeable=True)
    seen = whole_runs(np.all(np.isfinite(channels), axis=1), window)
    ends = np.arange(window, len(columns) - horizon + 1)
    whole = seen[: len(ends)] & whole_runs(np.isfinite(target), horizon)[window:]
    left_out = int((~whole).sum())
    one_series = bool(seen[-1])
    if groups is not None:
        whole &= groups[ends - window] == groups[ends + horizon - 1]
        one_series = one_series and bool(groups[-window] == groups[-1])

    known = last_seen(scaled) if method.looks_ahead else None

    def windows_before(rows: Rows) -> Array:
        part = _taken(inputs, rows - window)
        if known is None:
            return part
        last, since = known
        return _without_a_look_ahead(part, last[rows - 1].astype(np.float32), since[rows - 1])

    # A validation window may look back into the training part; its targets may not lie there.
    trained_on = ends[whole & (ends + horizon <= border)]
    held_out = ends[whole & (ends >= border)]
    train, validation = (
        Sequences(windows_before(rows), _taken(targets, rows)) for rows in (trained_on, held_out)
    )
    if len(train) < 2 or len(validation) < 1:
        if left_out:
            raise GruvizError(
                _(
                    "{left_out:,} of {count:,} windows touch a missing value, which leaves too little to"
                    " train and validate on; make the window or the horizon shorter, or fill the"
                    " missing values in another way."
                ).format(left_out=left_out, count=len(whole))
            )
        raise GruvizError(_too_short(len(columns), window, horizon))
    return Dataset(
        Kind.FORECAST,
        train,
        validation,
        horizon,
        tuple(each for _group in method.groups for each in names),
        input_words=tuple(group for group in method.groups for _each in names),
        unit=name,
        mean=scaler.offset[0],
        scale=scaler.scale[0],
        missing=int((~np.isfinite(columns)).sum()),
        left_out=left_out,
        border=border,
        ends=held_out,
        latest=windows_before(np.array([len(columns)])) if one_series else None,
        fill=tuple(means(scaled, border).tolist()),
    )


def _check(known: Floats, names: tuple[str, ...], scaler: Scaling, share: float) -> None:
    """Raise GruvizError unless each column has values to scale, and the first one varies."""
    for index, name in enumerate(names):
        values = known[np.isfinite(known[:, index]), index]
        if values.size == 0 or (index == 0 and values.min() == values.max()):
            raise GruvizError(
                _(
                    "Column {name!r} is constant or empty in its first {share:.0%}; choose another."
                ).format(name=name[:80], share=share)
            )
        low, high = float(values.min()), float(values.max())
        offset, scale = scaler.offset[index], scaler.scale[index]
        most = max(abs(low), abs(high), abs(offset), scale)
        fits = most < MOST and (low == high or (high - low) / scale > LEAST)
        if not fits or np.isnan([offset, scale]).any():
            raise GruvizError(
                _(
                    "The numbers in column {name!r} are too large or too small to scale;"
                    " choose another."
                ).format(name=name[:80])
            )


def _taken(windows: Array, rows: Rows) -> Array:
    """Those windows: a view where they lie side by side, else a copy of bounded size."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return windows[rows[0] : rows[-1] + 1]
    _check_copy(len(rows), windows)
    return windows[rows]


def _check_copy(rows: int, windows: Array) -> None:
    if rows * int(np.prod(windows.shape[1:])) > MOST_COPIED:
        raise GruvizError(
            _(
                "{rows:,} windows around missing values are too many; make the window shorter."
            ).format(rows=rows)
        )


def _without_a_look_ahead(windows: Array, last: Array, since: Rows) -> Array:
    """A hole at the end of a window holds no more than the value before it (see `at_the_end`)."""
    if not since.any():
        return windows
    _check_copy(len(windows), windows)
    return at_the_end(windows, last, since)


def _too_short(rows: int, window: int, horizon: int) -> str:
    return _(
        "With {rows:,} rows, a window of {window} and a horizon of {horizon} leave too little to"
        " train and validate on; make the window or the horizon shorter."
    ).format(rows=rows, window=window, horizon=horizon)

"""What to do with missing values (NaN), and how to make some.

A series is (time, columns). A method turns it into channels, (time, groups * columns), one group
after the other. Where a method has nothing to say the channel stays NaN, and windows that touch a
NaN are left out. Only inputs are ever filled: a window whose target is missing is neither trained
nor scored on, whatever the method.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gruviz.errors import GruvizError
from gruviz.words import N_, _

Floats = npt.NDArray[np.float64]
Real = TypeVar("Real", np.float32, np.float64)


def rows_since(series: Floats) -> npt.NDArray[np.int64]:
    """How many rows ago each value was last seen, 0 where it is present; (time, columns).

    Before the first value of a column: the rows since one before the series began.
    """
    rows = np.arange(len(series))[:, None]
    return rows - np.maximum.accumulate(np.where(np.isnan(series), -1, rows), axis=0)


def last_seen(series: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The last value seen of each column, NaN before the first one, and how many rows ago that was
    (see `rows_since`); both (time, columns)."""
    since = rows_since(series)
    rows = np.arange(len(series))[:, None] - since
    return np.take_along_axis(series, np.maximum(rows, 0), axis=0), since


def whole_runs(present: npt.NDArray[np.bool_], length: int) -> npt.NDArray[np.bool_]:
    """For each run of `length` rows of (time,), whether nothing is missing in it."""
    holes = np.concatenate([[0], np.cumsum(~present)])
    found: npt.NDArray[np.bool_] = holes[length:] == holes[:-length]
    return found


def carry(series: Floats) -> Floats:
    """The last value seen; before the first one there is nothing to carry, and NaN stays."""
    return last_seen(series)[0]


def interpolate(series: Floats, border: int) -> Floats:
    """A straight line from the last value before a hole to the first one after it.

    That looks ahead: in the hole stands what came only after it. Rows before the border are filled
    from values before the border alone. And a window that ends in a hole must not have the line,
    whose far end is its target: `at_the_end` carries forward there, which is all one could know.
    NaN stays before the first value; after the last one it is carried forward.
    """
    filled = np.empty_like(series)
    filled[:border] = _lines(series[:border])
    filled[border:] = _lines(series)[border:]
    return filled


def _lines(series: Floats) -> Floats:
    rows = np.arange(len(series))
    filled = np.full_like(series, np.nan)
    for column, values in enumerate(series.T):
        present = np.flatnonzero(~np.isnan(values))
        if present.size:
            line = np.interp(rows, present, values[present])
            filled[present[0] :, column] = line[present[0] :]
    return filled


def mean(series: Floats, border: int) -> Floats:
    """The mean of the rows before the border; NaN in a column that has no value there."""
    return np.where(np.isnan(series), means(series, border), series)


def means(series: Floats, border: int) -> Floats:
    """The mean of each column's values before the border, NaN where there are none; (columns,)."""
    known = series[:border]
    present = ~np.isnan(known)
    with np.errstate(invalid="ignore"):
        found: Floats = np.where(present, known, 0.0).sum(axis=0) / present.sum(axis=0)
    return found


def mean_and_mask(series: Floats, border: int) -> Floats:
    """Two groups: the value or the mean, and 1 where the value is present, 0 where it isn't."""
    return np.hstack([mean(series, border), ~np.isnan(series)])


def decay(series: Floats, border: int) -> Floats:
    """Three groups, what `gruviz.nn.GRUD` reads: last value seen, mask, time since it was seen.

    Che et al. 2018 (Scientific Reports 8:6085): before the first value the mean stands for it, and
    the time (in rows) is that since the value before this row: 1 after a present value, one more
    for each row of a hole, 0 in the first row of the series. Nothing here looks ahead.
    """
    last, ago = last_seen(series)
    last = np.where(np.isnan(last), means(series, border), last)
    since = np.zeros_like(series)
    since[1:] = ago[:-1] + 1
    since = np.minimum(since, np.arange(len(series))[:, None])
    return np.hstack([last, ~np.isnan(series), since])


@dataclass(frozen=True)
class Method:
    """fill: from (series, border) to channels; groups: a word for each group of columns, to be
    filled in with the column's name; looks_ahead: a hole holds what came after it; looks_around:
    it holds what other rows have."""

    fill: Callable[[Floats, int], Floats]
    groups: tuple[str, ...] = ("{name}",)
    looks_ahead: bool = False
    looks_around: bool = False


PRESENT = N_("{name} present")

METHODS: Mapping[str, Method] = {
    "drop": Method(lambda series, _border: series),
    "carry": Method(lambda series, _border: carry(series), looks_around=True),
    "interpolate": Method(interpolate, looks_ahead=True, looks_around=True),
    "mean": Method(mean),
    "mask": Method(mean_and_mask, ("{name}", PRESENT)),
    "decay": Method(decay, ("{name}", PRESENT, N_("rows since {name}")), looks_around=True),
}


def at_the_end(
    windows: npt.NDArray[Real], last: npt.NDArray[Real], since: npt.NDArray[np.int64]
) -> npt.NDArray[Real]:
    """Windows (n, window, columns) with holes at their end filled by the last value seen before.

    last, since: (n, columns), that value and how many rows before the window's last row it stood.
    """
    rows = np.arange(windows.shape[1])[::-1, None]
    return np.where(rows < since[:, None, :], last[:, None, :], windows)


def punch(
    series: Floats, share: float, lengths: Sequence[int], generator: np.random.Generator
) -> Floats:
    """A copy of a series, (time,) or (time, columns), with random holes in each column.

    share: of the rows of each column, rounded to whole rows, that are made NaN.
    lengths: how long the holes are, each as likely: (1,) for single values; the last one is cut so
        that the share is exact. Holes don't touch, unless the share is too large for that.

    Raises GruvizError for a share outside of 0 to 0.95 or a length below 1.
    """
    if not 0 <= share <= 0.95:
        raise GruvizError(
            _("A share of {share} can't be made missing; choose one from 0 to 0.95.").format(
                share=share
            )
        )
    if not lengths or min(lengths) < 1:
        raise GruvizError(_("Holes are at least one row long; choose lengths of 1 or more."))
    punched = series.copy()
    wanted = round(share * len(series))
    if wanted:
        for column in np.atleast_2d(punched.T):
            column[_holes(len(series), wanted, np.array(lengths), generator)] = np.nan
    return punched


def _holes(
    rows: int,
    wanted: int,
    lengths: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """The rows of holes of random lengths at random places, `wanted` in all."""
    drawn = generator.choice(lengths, wanted)
    ends = np.cumsum(drawn)
    runs = int(np.searchsorted(ends, wanted)) + 1
    drawn = drawn[:runs]
    drawn[-1] -= ends[runs - 1] - wanted
    # Between and around the rows that stay there are so many places for a hole.
    places = rows - wanted + 1
    before = np.sort(generator.choice(places, runs, replace=runs > places))
    starts = before + np.cumsum(drawn) - drawn
    return np.repeat(starts - (np.cumsum(drawn) - drawn), drawn) + np.arange(wanted)

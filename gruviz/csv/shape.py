"""The frame of a table and what its rows and columns are: times, series, places of a grid."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gruviz.csv import checks, panels
from gruviz.csv.columns import Columns, frame_of, kinds_of
from gruviz.csv.findings import quoted
from gruviz.csv.reading import TRANSPOSE, Overrides
from gruviz.csv.table import COUNTER, IDENTIFIER, WORDS
from gruviz.csv.times import Clock
from gruviz.errors import GruvizError
from gruviz.words import _


@dataclass
class Shape:
    """The frame, and what its rows and columns are."""

    frame: pd.DataFrame
    kinds: dict[str, str]
    clock: Clock | None
    wide: panels.Wide | None = None
    long: panels.Long | None = None
    grid: panels.Grid | None = None
    calendar: panels.Calendar | None = None


def shape_of(columns: Columns, clock: Clock | None, asked: Overrides) -> Shape:
    """One series a column, series below each other, or time along the columns."""
    calendar = _calendar(columns) if asked.time is None else None
    wide = None
    if asked.time is None and calendar is None:
        wide = panels.wide(columns.names, columns.numeric())
    if wide is not None or calendar is not None:
        clock = None
    frame, kinds = frame_of(columns, clock), kinds_of(columns, clock)
    shape = Shape(frame, kinds, clock, wide, calendar=calendar)
    if wide is not None or calendar is not None:
        return shape
    shape.grid = panels.grid(frame, clock)
    shape.long = _long(shape, asked)
    if shape.long is not None:
        if kinds[shape.long.id] != WORDS:
            kinds[shape.long.id] = IDENTIFIER
        if shape.long.counter:
            kinds[shape.long.counter] = COUNTER
    return shape


def _calendar(columns: Columns) -> panels.Calendar | None:
    if columns.rows > len(panels.YEAR) + 1:
        return None
    cells = {name: texts.to_pylist() for name, texts in columns.texts.items()}
    return panels.calendar(cells, columns.numeric())


def _long(shape: Shape, asked: Overrides) -> panels.Long | None:
    if asked.id == "":
        return None
    if asked.id is not None:
        if asked.id not in shape.frame:
            raise GruvizError(
                _("There is no column {name!r} in this file; its columns are: {names}.").format(
                    name=asked.id[:40], names=quoted(shape.frame, 8)
                )
            )
        groups, found = pd.factorize(shape.frame[asked.id])
        return panels.Long(asked.id, groups.astype(np.int64), len(found))
    return panels.long(shape.frame, shape.kinds, shape.clock)


def reshaped(shape: Shape, asked: Overrides) -> Shape:
    """The shape turned as the caller asks. Raises GruvizError if it can't be."""
    if asked.reshape == TRANSPOSE:
        if shape.wide is not None:
            words = [name for name, kind in shape.kinds.items() if kind == WORDS]
            turned = panels.transpose(shape.frame, shape.wide, words)
        elif shape.grid is not None:
            turned = panels.unrolled(shape.frame, shape.grid)
        elif shape.calendar is not None:
            turned = panels.in_order(shape.frame, shape.calendar)
        else:
            raise GruvizError(
                _("The columns of this file aren't named by times; there is nothing to turn.")
            )
    else:
        long, clock = shape.long, shape.clock
        if long is None or clock is None:
            raise GruvizError(
                _("This file doesn't hold several series one below the other, each with its times.")
            )
        numeric = [
            str(name)
            for name in shape.frame
            if shape.frame[name].dtype == np.float64 and name not in (*clock.columns, long.id)
        ]
        value = asked.value or next(iter(numeric), "")
        if value not in numeric:
            raise GruvizError(
                _(
                    "There is no column of numbers {name!r} to spread; choose one of: {names}."
                ).format(name=value[:40], names=quoted(numeric, 8))
            )
        turned = panels.pivot(shape.frame, clock.times, long.id, value)
    kinds = {str(name): checks.kind_of(turned[name].to_numpy(np.float64)) for name in turned}
    stamps = turned.index.to_numpy().astype("datetime64[us]")
    return Shape(turned, kinds, Clock((), "", stamps))

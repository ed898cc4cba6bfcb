"""What a chart is: a row of `gruviz.charts.CHARTS`, as an optimizer is one of its table.

A chart without data, its skeleton, is a figure whose traces say in `meta` from which columns they are
drawn ("steps.loss"): so the live panel is sent it once, and then only what the columns gained.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from gruviz.words import _

Floats = npt.NDArray[np.float64]
Columns = Mapping[str, npt.NDArray[Any]]
Tables = Mapping[str, Columns]
Lines = Sequence[tuple[str, float]]

# How the columns of a table come to the live panel, and so when a chart of theirs is drawn anew.
GROWS, SNAPSHOT, FRAME = "grows", "snapshot", "frame"
ARRIVALS = {
    "steps": GROWS,  # rows are added as the run goes on
    "validations": GROWS,
    "blocks": GROWS,
    "signals": SNAPSHOT,  # whole, with each new snapshot of the network
    "answer": SNAPSHOT,
    "rollout": SNAPSHOT,
    "gradient": SNAPSHOT,
    "here": FRAME,  # whole, with every frame
}  # any other table comes with the page


class Signal(Protocol):
    """Something a cell computes for every unit at every time step; its words are messages."""

    @property
    def name(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def aid(self) -> str: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...


@dataclass(frozen=True)
class Subject:
    """All by which skeletons differ, beside the language: equal subjects have equal skeletons.

    answer: what the network is asked for, a key of `pictures.ANSWERS`. measure: of the loss, a
    message. lines: label and value of losses that are known without training. pinned: the names of
    the pinned runs. blocks, signals: of the cell. unit: of the values. inputs, classes: their names,
    messages or a file's own. one_hot: whether one of the inputs is read at each time step. letters:
    what is read, where that is a text.
    """

    answer: str = "forecast"
    measure: str = ""
    log: bool = True
    lines: tuple[tuple[str, float], ...] = ()
    pinned: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    unit: str = ""
    inputs: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    one_hot: bool = False
    letters: str = ""


@dataclass(frozen=True)
class Derived:
    """A column "table.name" that a chart makes of the others of its table.

    make: from those columns to as many rows, each of them from its own row and at most `looks_back`
    rows before it.
    """

    column: str
    make: Callable[[Columns], npt.NDArray[Any]]
    looks_back: int = 0


@dataclass(frozen=True)
class Chart:
    """A row of CHARTS.

    draw: its skeleton for a subject, with title and reading aid in `layout.meta`. words: what its
    columns show, for those who don't see it. derived: the columns of its own.
    """

    name: str
    draw: Callable[[Subject], go.Figure]
    words: Callable[[Tables, Subject], str]
    derived: tuple[Derived, ...] = ()

    def figures(self, subject: Subject) -> dict[str, go.Figure]:
        """The skeletons that stand in the chart's card, by name."""
        return {self.name: self.draw(subject)}

    def heading(self, _subject: Subject, figures: Mapping[str, go.Figure]) -> tuple[str, str]:
        """Title and reading aid of the card."""
        meta = figures[self.name].layout.meta
        return meta["title"], meta["aid"]

    def told(self, tables: Tables, subject: Subject) -> dict[str, str]:
        """What each of its figures shows, in words."""
        return {self.name: self.words(tables, subject)}


@dataclass(frozen=True)
class Multiples(Chart):
    """A card with a small chart for each signal of the cell. title: for a subject; draw and words
    are asked with a subject that has one signal alone."""

    title: Callable[[Subject], str] = lambda _subject: ""
    aid: str = ""

    def figures(self, subject: Subject) -> dict[str, go.Figure]:
        return {each.signals[0].name: self.draw(each) for each in self._each(subject)}

    def heading(self, subject: Subject, _figures: Mapping[str, go.Figure]) -> tuple[str, str]:
        return self.title(subject), _(self.aid)

    def told(self, tables: Tables, subject: Subject) -> dict[str, str]:
        return {each.signals[0].name: self.words(tables, each) for each in self._each(subject)}

    def _each(self, subject: Subject) -> list[Subject]:
        return [replace(subject, signals=(signal,)) for signal in subject.signals]


def column(tables: Tables, name: str) -> npt.NDArray[Any]:
    """The column "table.name"; empty if there is none (yet)."""
    table, key = place(name)
    return tables.get(table, {}).get(key, np.empty(0))


def place(name: str) -> tuple[str, str]:
    """The table of a column, and its name there: "blocks.gradient.W_ir" is of "blocks"."""
    table, _dot, key = name.partition(".")
    return table, key


def tables_of(figure: go.Figure) -> set[str]:
    """The tables that a skeleton is drawn from."""
    return {place(name)[0] for trace in figure.data for name in (trace.meta or {}).values()}

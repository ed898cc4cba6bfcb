"""The cards of a view: the charts of the table, drawn for a run's experiment and data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from gruviz import charts
from gruviz.data import Preview, preview_of
from gruviz.data.latest import Latest
from gruviz.data.theory import theory
from gruviz.experiment import Experiment, Kind
from gruviz.ui.columns import Tables, marked, probe
from gruviz.words import _, language, readable

KEPT_BYTES = 2_000_000  # as JSON; as objects about five times as much


@dataclass(frozen=True, eq=False)
class Card:
    """A chart as the panel is sent it, as plain JSON that nobody changes: skeletons are kept.

    parts: of each of its figures name, title, aid, traces and layout, and in "tables" from which
    tables it is drawn, with how their columns come (`charts.ARRIVALS`).
    """

    name: str
    title: str
    aid: str
    parts: Sequence[dict[str, Any]]

    @property
    def arrivals(self) -> set[str | None]:
        """How the columns come that it is drawn from."""
        return {how for part in self.parts for how in part["tables"].values()}


def subject(
    experiment: Experiment, data: Preview, *, log: bool = True, pinned: Sequence[str] = ()
) -> charts.Subject:
    """What the charts are about. pinned: the names of the pinned runs."""
    loss = experiment.loss.fitting(data.kind, in_bits=experiment.task.in_bits)
    return charts.Subject(
        answer="marked" if marked(data) else data.kind.value,
        measure=loss.measure,
        log=log,
        lines=tuple((line.label, line.value) for line in theory(experiment, data).lines),
        pinned=tuple(pinned),
        blocks=experiment.cell.blocks(),
        signals=experiment.cell.signals,
        unit=data.unit,
        inputs=data.input_names,
        classes=data.class_names,
        one_hot=data.one_hot,
        letters=_letters(data),
    )


def cards_of(view: str, about: charts.Subject) -> list[Card]:
    """The cards of a view, in order."""
    return [_card(charts.CHARTS[name], about) for name in charts.VIEWS[view].widths]


def tables_of(view: str, about: charts.Subject) -> set[str]:
    """The tables that a view is drawn from."""
    return {
        table for card in cards_of(view, about) for part in card.parts for table in part["tables"]
    }


_kept = Latest[Card](KEPT_BYTES, lambda card: len(json.dumps(card.parts)))


def _card(chart: charts.Chart, about: charts.Subject) -> Card:
    """A chart's card, drawn once for each subject and language."""
    key = chart, about, language()
    found = _kept.get(key)
    if found is None:
        figures = chart.figures(about)
        parts = [_plain(name, figure) for name, figure in figures.items()]
        found = Card(chart.name, *chart.heading(about, figures), parts)
        _kept.put(key, found)
    return found


def _plain(name: str, figure: go.Figure) -> dict[str, Any]:
    meta = figure.layout.meta
    return {
        "name": name,
        "title": meta["title"],
        "aid": meta["aid"],
        "tables": {each: charts.ARRIVALS.get(each) for each in sorted(charts.tables_of(figure))},
        **figure.to_plotly_json(),
    }


def alternatives(
    view: str,
    tables: Tables,
    about: charts.Subject,
    solved: int | None = None,
    pictures: bool | None = None,
) -> dict[str, str]:
    """What each figure of a view shows, in words. solved: the step from which on the task was.

    pictures: only of charts that are drawn from a snapshot (True), or of all others (False).
    """
    if solved is not None:
        tables = tables | {"solved": {"step": np.array([solved])}}
    said: dict[str, str] = {}
    for card in cards_of(view, about):
        if pictures is None or pictures == (charts.SNAPSHOT in card.arrivals):
            said |= charts.CHARTS[card.name].told(tables, about)
    return said


def _letters(data: Preview) -> str:
    """The text of the probe, where every input is a letter."""
    if data.kind is not Kind.LABELLING or any(len(name) > 1 for name in data.input_names):
        return ""
    return "".join(data.input_names[i] for i in data.shown.inputs[0].argmax(axis=1))


def sequences(data: Preview) -> go.Figure:
    """Four validation sequences of a task, with what is wanted of each."""
    rows = range(len(data.shown))
    inputs = [_(name) for name in data.input_names]
    return charts.sequences([probe(data, row) for row in rows], wanted(data), inputs)


def wanted(data: Preview) -> list[str]:
    """The one answer that each of the sequences shown wants; "" where the picture shows it."""
    targets = data.shown.targets
    if data.kind is Kind.CLASSIFICATION:
        return [_(data.class_names[target]) for target in targets]
    if data.kind is Kind.REGRESSION:
        return [readable(float(target[0])) for target in targets]
    return [""] * len(targets)


def rehearse() -> None:
    """Draw the default experiment once: Plotly builds its validators at the first figure."""
    experiment = Experiment()
    about = subject(experiment, preview_of(experiment.task, experiment.seed))
    for view in charts.VIEWS:
        cards_of(view, about)

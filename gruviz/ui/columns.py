"""The columns that the charts of a run are drawn from, as tables by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from gruviz import charts
from gruviz.data import IGNORED, Preview
from gruviz.experiment import Experiment, Kind
from gruviz.record import Columns, Snapshot
from gruviz.runs import Run

Tables = dict[str, dict[str, npt.NDArray[Any]]]
GROWING = tuple(name for name, how in charts.ARRIVALS.items() if how == charts.GROWS)
PLAN_POINTS = 201
MARK = "mark"  # the name of an input that is 1 where the value beside it counts


def plan(experiment: Experiment) -> dict[str, npt.NDArray[np.float64]]:
    """The learning rate that the schedule has in store, at the steps of its whole course."""
    steps = np.unique(np.linspace(0, experiment.steps - 1, PLAN_POINTS).round())
    rates = np.array([experiment.rate(int(step)) for step in steps])
    return {"step": steps + 1, "learning_rate": rates}


def still_tables(experiment: Experiment, wanted: Experiment, data: Preview) -> Tables:
    """What is known without training: the schedule, the next run's if it differs, the probe."""
    tables: Tables = {"plan": plan(experiment), "probe": probe(data)}
    planned, next_plan = tables["plan"], plan(wanted)
    if not all(np.array_equal(planned[name], next_plan[name]) for name in planned):
        tables["next"] = next_plan
    return tables


def probe(data: Preview, row: int = 0) -> dict[str, npt.NDArray[Any]]:
    """A validation sequence and what is wanted of it, as the pictures of the prediction need it."""
    inputs, target = data.shown.inputs[row], data.shown.targets[row]
    time = np.arange(len(inputs))
    found = {"time": time, "input": inputs[:, 0]}
    if data.one_hot or data.kind is Kind.LABELLING:
        found["symbols"] = inputs.T
    elif data.kind is Kind.CLASSIFICATION and data.features > 1:
        found["image"] = inputs
    if data.kind is Kind.FORECAST:
        found["input"] = inputs[:, data.series] * data.scale + data.mean
        found["future"] = np.arange(len(inputs), len(inputs) + data.outputs)
        found["target"] = target * data.scale + data.mean
    elif data.kind is Kind.REGRESSION:
        found |= {"mark": inputs[:, -1]} if marked(data) else _further(inputs)
        found["target"] = np.full(len(inputs), target[0])
    elif data.kind is Kind.CLASSIFICATION:
        found["true"] = (np.arange(data.outputs) == target).astype(np.float32)
    elif data.kind is Kind.TRACKING:
        asked = np.isfinite(target[:, 0])
        found |= {"asked": time[asked], "target": target[asked, 0]}
    else:
        asked = target != IGNORED
        found |= {"asked": time[asked], "target": target[asked]}
    return found


def marked(data: Preview) -> bool:
    """Whether the last input of a regression marks the values that count."""
    return data.kind is Kind.REGRESSION and data.names[-1] == MARK


def _further(inputs: npt.NDArray[Any]) -> dict[str, npt.NDArray[Any]]:
    """All inputs (time, inputs) but the first, as many as are drawn."""
    return {f"input.{n}": inputs[:, n] for n in range(1, min(inputs.shape[1], charts.MOST_INPUTS))}


def snapshot_tables(snapshot: Snapshot, data: Preview) -> Tables:
    """The cell's signals, and the answer in the data's own units; and what charts derive of them."""
    tables: Tables = {"signals": dict(snapshot.signals)}
    if data.kind is Kind.LABELLING:
        tables["answer"] = {"chances": np.ascontiguousarray(snapshot.prediction.T)}
    else:
        each = data.kind in (Kind.REGRESSION, Kind.TRACKING)
        value = snapshot.prediction[:, 0] if each else snapshot.prediction[-1]
        tables["answer"] = {"value": value * data.scale + data.mean}
    if snapshot.rollout is not None:
        begin = len(snapshot.inputs)
        tables["rollout"] = {
            "time": np.arange(begin, begin + len(snapshot.rollout)),
            "value": snapshot.rollout * data.scale + data.mean,
        }
    if snapshot.gradient is not None:
        norm = snapshot.gradient
        tables["gradient"] = {"time": np.arange(len(norm)), "norm": norm}
    return {name: columns | _derived(name, columns) for name, columns in tables.items()}


def grown_tables(
    run: Run, starts: Mapping[str, int] | None = None, most: int | None = None
) -> Tables:
    """The tables of a run's history that charts are drawn from, all of each or, of those in
    `starts`, what comes from a row on; at most so many rows of each. None before its first slice."""
    wanted = dict.fromkeys(GROWING, 0) if starts is None else starts
    return {
        name: _grown(name, columns, row, most)
        for name, row in wanted.items()
        if (columns := getattr(run.history, name)) is not None
    }


def _grown(
    table: str, columns: Columns, row: int, most: int | None
) -> dict[str, npt.NDArray[np.float64]]:
    """The columns of a table that grows, and those that charts derive of them, from a row on."""
    before = max(0, row - max((each.looks_back for each in _deriving(table)), default=0))
    end = most and row - before + most
    rows = {name: values[:end] for name, values in columns.since(before).items()}
    return {name: values[row - before :] for name, values in (rows | _derived(table, rows)).items()}


def _deriving(table: str) -> list[charts.Derived]:
    """The columns of a table that charts make of its others, each once."""
    found = dict.fromkeys(each for chart in charts.CHARTS.values() for each in chart.derived)
    return [each for each in found if charts.place(each.column)[0] == table]


def _derived(table: str, columns: dict[str, Any]) -> dict[str, npt.NDArray[Any]]:
    return {charts.place(each.column)[1]: each.make(columns) for each in _deriving(table)}


def here(run: Run) -> dict[str, npt.NDArray[np.float64]]:
    """Where the run is on its schedule."""
    step = run.step_count
    seen = run.history.validations.since(0)
    losses = seen["loss"][seen["step"] < step].tolist()
    rate = run.experiment.rate(max(step - 1, 0), run.experiment.schedule.reduced(losses))
    return {"step": np.array([float(step)]), "learning_rate": np.array([rate])}

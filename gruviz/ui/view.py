"""What the page shows of a run: the tables its charts are drawn from, its figures, its cards."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from gruviz import charts
from gruviz.coach import Coach, Severity
from gruviz.data import IGNORED, Preview, preview_of
from gruviz.data.theory import NOTHING_KNOWN, Theory, theory
from gruviz.experiment import Experiment, Kind, Knob, Pick, differences
from gruviz.record import Snapshot, solved
from gruviz.runs import Run, Status
from gruviz.words import N_, _, n_, readable

Tables = dict[str, dict[str, npt.NDArray[Any]]]
PLAN_POINTS = 201
MARK_SHARE = 0.05  # of the course: nearer changes of the same knobs are one mark


@dataclass(frozen=True)
class Card:
    """A card of the page: one title and reading aid over one or several charts.

    width: the share of a wide page's row that it takes, "half", "whole", "third", or "tall", which is
    whole and high.
    """

    name: str
    title: str
    aid: str
    charts: Mapping[str, go.Figure]
    width: str = "half"


def findings(data: Preview) -> str:
    """What was done to the data of a table, in plain sentences; empty for made-up data."""
    if not data.unit:
        return ""
    sentences = [
        _(
            "{train:,} training windows, {validation:,} for validation (the end of the series)."
        ).format(train=data.sequences, validation=data.held_out),
        _("Scaled as (value - {mean}) / {scale}.").format(
            mean=readable(data.mean), scale=readable(data.scale)
        ),
    ]
    if data.missing:
        sentences.append(
            n_(
                "{count:,} value is missing; {left:,} windows that touch it were left out.",
                "{count:,} values are missing; {left:,} windows that touch them were left out.",
                data.missing,
            ).format(count=data.missing, left=data.left_out)
        )
    return " ".join(sentences)


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
        found |= {"mark": inputs[:, -1], "target": np.full(len(inputs), target[0])}
    elif data.kind is Kind.CLASSIFICATION:
        found["true"] = (np.arange(data.outputs) == target).astype(np.float32)
    elif data.kind is Kind.TRACKING:
        asked = np.isfinite(target[:, 0])
        found |= {"asked": time[asked], "target": target[asked, 0]}
    else:
        asked = target != IGNORED
        found |= {"asked": time[asked], "target": target[asked]}
    return found


def snapshot_tables(snapshot: Snapshot, data: Preview) -> Tables:
    """The cell's signals, and the answer in the data's own units."""
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
    return tables


def writing(snapshot: Snapshot) -> dict[str, str]:
    """The text below a card, by the card's name: what a model of letters goes on to write."""
    if not snapshot.text:
        return {}
    return {"prediction": _("The network writes on: {text}").format(text=snapshot.text)}


def step_tables(run: Run, steps: int = 0, validations: int = 0, most: int | None = None) -> Tables:
    """The curves of a run, from a row on; of each at most so many rows."""
    before = max(0, steps - charts.SHARE_WINDOW + 1)  # a running share looks back
    rows = _beginning(run.history.steps.since(before), most and steps - before + most)
    norm, after = rows["norm"], rows["clipped_norm"]
    rows["clipped"] = charts.clipped(norm, after)
    rows["clipped_share"] = charts.clipped_share(norm, after)
    rows["effective_step"] = charts.effective_step(rows["learning_rate"], norm, after)
    return {
        "steps": {name: values[steps - before :] for name, values in rows.items()},
        "validations": _beginning(run.history.validations.since(validations), most),
    }


def block_tables(run: Run, row: int = 0, most: int | None = None) -> Tables:
    """What was measured of each block of weights, from a row on, at most so many rows; no table
    before the first slice."""
    blocks = run.history.blocks
    return {} if blocks is None else {"blocks": _beginning(blocks.since(row), most)}


def _beginning(
    columns: dict[str, npt.NDArray[np.float64]], most: int | None
) -> dict[str, npt.NDArray[np.float64]]:
    return {name: values[:most] for name, values in columns.items()}


def here(run: Run) -> dict[str, npt.NDArray[np.float64]]:
    """Where the run is on its schedule."""
    step = run.step_count
    seen = run.history.validations.since(0)
    losses = seen["loss"][seen["step"] < step].tolist()
    rate = run.experiment.rate(max(step - 1, 0), run.experiment.schedule.reduced(losses))
    return {"step": np.array([float(step)]), "learning_rate": np.array([rate])}


def advice(run: Run, coach: Coach) -> list[dict[str, str]]:
    """What the coach says of a run, and what its buttons say."""
    said = coach.advice(run.experiment, run.history, run.snapshot, run.diverged_at, over=run.over)
    return [
        {
            "rule": each.rule,
            "severity": "serious" if each.severity is Severity.PROBLEM else "hint",
            "text": each.sentence,
            "action": ", ".join(
                f"{_(what.label)} → {value(new, what)}"
                for what, _old, new in differences(run.experiment, each.taken(run.experiment))
            ),
        }
        for each in said
    ]


def standing(run: Run) -> str:
    """Where the run stands, in a word or two; when it changes, the page is drawn again."""
    word = "settling" if run.settling else run.status.value
    return f"{word}, turned {len(run.turns)}" if run.turns else word


def solved_at(run: Run | None, known: Theory) -> int | None:
    """The step from which on the run's task counts as solved; None if it doesn't (yet)."""
    if run is None or known.threshold is None:
        return None
    return solved(run.history.validations.since(0), known.threshold)


def change_marks(run: Run, known: Theory = NOTHING_KNOWN) -> list[dict[str, Any]]:
    """The shapes that mark where live knobs were turned, and where the task was solved."""
    merged: list[tuple[int, Experiment, Experiment]] = []
    for step, before, after in run.course.changes():
        if step > run.step_count:
            break
        first, old, new = merged[-1] if merged else (step, before, before)
        near = step - first < MARK_SHARE * run.step_count
        if near and _turned(old, new) == _turned(before, after):
            merged[-1] = first, old, after
        else:
            merged.append((step, before, after))
    marks = charts.marks(
        (step, ", ".join(f"{_(knob.label)} {value(new, knob)}" for knob, _old, new in turned))
        for step, before, after in merged
        if (turned := differences(before, after))
    )
    at = solved_at(run, known)
    return marks if at is None else [*marks, charts.solved(at)]


def _turned(before: Experiment, after: Experiment) -> list[str]:
    return [knob.label for knob, _old, _new in differences(before, after)]


def value(setting: Any, what: Knob | Pick | None = None) -> str:
    """A setting as people write it; `what` knows its words."""
    if isinstance(what, Knob) and what.options is not None:
        return _(what.options[setting])
    if setting is None:
        return _(what.none) if isinstance(what, Knob) else _("off")
    if isinstance(setting, bool):
        return _("on") if setting else _("off")
    if isinstance(setting, (int, float)):
        return f"{setting:,}" if isinstance(setting, int) else readable(setting, 6)
    return _(setting.label) if hasattr(setting, "label") else str(setting)[:40]


def figures(
    run: Run | None, experiment: Experiment, known: Theory = NOTHING_KNOWN
) -> list[tuple[str, str, str]]:
    """The row of figures: (name, label, value)."""
    rows: list[tuple[str, str, str]] = []
    steps = run.history.steps if run else None
    last: Mapping[str, float] = (
        {name: float(steps[name][-1]) for name in steps.names} if steps and len(steps) else {}
    )
    parts = run.history.validations if run else None
    validation = float(parts["loss"][-1]) if parts and len(parts) else None
    step = run.step_count if run else 0

    def number(name: str) -> str:
        return readable(last[name]) if name in last else "–"

    rows.append(("step", _("Step"), f"{step:,} / {experiment.steps:,}"))
    rows.append(("epoch", _("Epoch"), f"{run.epoch:.1f}" if run and run.epoch else "–"))
    rows.append(("training-loss", _("Training loss"), number("smooth")))
    rows.append(
        (
            "validation-loss",
            _("Validation loss"),
            "–" if validation is None else readable(validation),
        )
    )
    if experiment.task.kind.classes:
        share = float(parts["accuracy"][-1]) if parts and len(parts) else None
        rows.append(("accuracy", _("Accuracy"), "–" if share is None else f"{share:.1%}"))
    if known.threshold is not None:
        label = _("Solved < {threshold}").format(threshold=readable(known.threshold, 2))
        at = solved_at(run, known)
        rows.append(("solved", label, "–" if at is None else _("step {at:,}").format(at=at)))
    rows.append(("gradient-norm", _("Gradient norm"), number("norm")))
    rows.append(("learning-rate", _("Current rate"), number("learning_rate")))
    speed = run.speed if run and run.status is Status.RUNNING else None
    rows.append(("speed", _("Steps/s"), "–" if speed is None else f"{speed:,.0f}"))
    return rows


@dataclass(frozen=True)
class Scene:
    """What a view draws: columns, of which experiment on which data, and beside which pinned runs."""

    tables: Tables
    experiment: Experiment
    data: Preview
    log: bool
    pinned: Sequence[str] = ()

    @property
    def measure(self) -> str:
        task = self.experiment.task
        loss = self.experiment.loss.fitting(self.data.kind, in_bits=task.in_bits)
        return _(loss.measure)


@dataclass(frozen=True)
class View:
    """A choice of cards, and what says in words which curves they show, by the chart's name.

    pictures, blocks: whether they need those of the feed.
    """

    label: str
    cards: Callable[[Scene], list[Card]]
    words: Mapping[str, Callable[[Tables], str]]
    pictures: bool = False
    blocks: bool = False


def cards(
    tables: Tables, experiment: Experiment, data: Preview, *, log: bool,
    view: str = "overview", pinned: Sequence[str] = (),
) -> list[Card]:  # fmt: skip
    """The cards of a view of the training page, in order. pinned: the names of the pinned runs."""
    return VIEWS[view].cards(Scene(tables, experiment, data, log, pinned))


def _clip(scene: Scene) -> list[Card]:
    lens = charts.clip_lens(scene.tables, scene.measure, log=scene.log)
    rate = charts.learning_rate(scene.tables, pinned=scene.pinned)
    return [_card("lens", lens, "tall"), _card("rate", rate, "whole")]


def _blocks(scene: Scene) -> list[Card]:
    drawn = {
        "block-gradients": (charts.block_gradients, "half"),
        "block-updates": (charts.block_updates, "half"),
        "block-moments": (charts.block_moments, "whole"),
    }
    blocks = scene.experiment.cell.blocks()
    return [_card(name, draw(scene.tables, blocks), width) for name, (draw, width) in drawn.items()]


def _overview(scene: Scene) -> list[Card]:
    tables, experiment, data, pinned = (
        scene.tables, scene.experiment, scene.data, scene.pinned,
    )  # fmt: skip
    lines = _lines(theory(experiment, data))
    drawn = [
        ("loss", charts.loss(tables, scene.measure, lines, log=scene.log, pinned=pinned)),
        ("norm", charts.gradient_norm(tables, pinned=pinned)),
    ]
    found = [_card(name, figure) for name, figure in drawn]
    signals = experiment.cell.signals
    gates = {
        signal.name: charts.signal(
            tables, signal.name, _(signal.label), _(signal.aid), signal.low, signal.high
        )
        for signal in signals
    }
    found.append(
        Card(
            "gates",
            _("Gates") if any(signal.low == 0 for signal in signals) else _("Memory"),
            _("what each hidden unit does at each time step of one held-out sequence"),
            gates,
            "whole",
        )
    )
    found.append(_card("flow", charts.gradient_through_time(tables), "third"))
    found.append(_card("prediction", _prediction(tables, data), "third"))
    found.append(_card("rate", charts.learning_rate(tables, pinned=pinned), "third"))
    return found


VIEWS = {
    "overview": View(
        N_("Overview"), _overview, {
            "loss": charts.alternatives.loss, "norm": charts.alternatives.gradient_norm,
            "rate": charts.alternatives.learning_rate,
        }, pictures=True,
    ),
    "clip": View(
        N_("Clip lens"), _clip, {
            "lens": charts.alternatives.clip_lens, "rate": charts.alternatives.learning_rate,
        },
    ),
    "blocks": View(
        N_("Gate blocks"), _blocks, {
            "block-gradients": charts.alternatives.block_gradients,
            "block-updates": charts.alternatives.block_updates,
            "block-moments": charts.alternatives.block_moments,
        }, blocks=True,
    ),
}  # fmt: skip


def _card(name: str, figure: go.Figure, width: str = "half") -> Card:
    words = figure.layout.meta
    return Card(name, words["title"], words["aid"], {name: figure}, width)


def _prediction(tables: Tables, data: Preview) -> go.Figure:
    if data.kind is Kind.FORECAST:
        return charts.forecast(tables, data.unit, free_running=data.features == 1)
    if data.kind is Kind.REGRESSION:
        return charts.regression(tables)
    if data.kind is Kind.TRACKING:
        return charts.tracking(tables)
    inputs, classes = ([_(n) for n in names] for names in (data.input_names, data.class_names))
    if data.kind is Kind.LABELLING:
        return charts.labelling(tables, inputs, classes, _letters(data))
    return charts.classification(tables, classes, data.features, inputs if data.one_hot else ())


def _letters(data: Preview) -> str:
    """The text of the probe, where every input is a letter."""
    if any(len(name) > 1 for name in data.input_names):
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


def _lines(known: Theory) -> list[tuple[str, float]]:
    return [(line.label, line.value) for line in known.lines]


def alternatives(
    tables: Tables,
    view: str = "overview",
    known: Theory = NOTHING_KNOWN,
    solved: int | None = None,
) -> dict[str, str]:
    """What each chart of a view over steps shows, in words, by the chart's name."""
    words = {name: say(tables) for name, say in VIEWS[view].words.items()}
    if "loss" in words:  # the one chart on which theory is drawn
        words["loss"] = charts.alternatives.loss(tables, _lines(known), solved)
    return words


def picture_alternatives(tables: Tables, experiment: Experiment) -> dict[str, str]:
    """What each picture of the probe shows, in words, by the chart's name."""
    words = {
        "prediction": charts.alternatives.prediction(tables),
        "flow": charts.alternatives.gradient_through_time(tables),
    }
    signals = tables.get("signals", {})
    for signal in experiment.cell.signals:
        words[signal.name] = charts.alternatives.signal(signals, signal.name, _(signal.label))
    return words


def rehearse() -> None:
    """Draw the default experiment once: Plotly builds its validators at the first figure."""
    experiment = Experiment()
    data = preview_of(experiment.task, experiment.seed)
    for view in VIEWS:
        for card in cards({}, experiment, data, log=True, view=view):
            for figure in card.charts.values():
                figure.to_plotly_json()

"""What the page says of a run: where it stands, its figures, its marks, advice; and of its data."""

from collections.abc import Mapping
from typing import Any

from gruviz import charts
from gruviz.coach import Coach, Severity
from gruviz.data import Preview
from gruviz.data.theory import NOTHING_KNOWN, Theory
from gruviz.experiment import Experiment, Knob, Pick, differences
from gruviz.record import Snapshot, solved
from gruviz.runs import Run, Status
from gruviz.words import _, n_, readable

MARK_SHARE = 0.05  # of the course: nearer changes of the same knobs are one mark


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


def writing(snapshot: Snapshot) -> dict[str, str]:
    """The text below a card, by the card's name: what a model of letters goes on to write."""
    if not snapshot.text:
        return {}
    return {"prediction": _("The network writes on: {text}").format(text=snapshot.text)}


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

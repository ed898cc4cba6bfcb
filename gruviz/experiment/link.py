"""The experiment in a link: what differs from the defaults, one readable parameter a knob; and its
course, one parameter for each step at which live knobs were turned: "at.180=clip_norm:1"."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.experiment.course import Course, Turn
from gruviz.experiment.knobs import Choice, Knob, Pick, about, choose
from gruviz.words import _, n_

AT = re.compile(r"at\.(?P<step>[1-9][0-9]{0,5})")
MOST_TURNS = 500  # an address takes a thousand parameters


def settings(owner: Any, prefix: str = "") -> Iterator[tuple[str, Knob | Pick, Any]]:
    """Every knob and pick of an experiment with its key, such as "seed", "task", "adding.length"."""
    for name, what in about(owner):
        value = getattr(owner, name)
        yield prefix + name, what, value
        if isinstance(value, Choice):
            yield from settings(value, f"{value.name}.")


def to_link(experiment: Experiment) -> dict[str, str]:
    """The parameters of the experiment's link; `from_link` gives back an equal experiment."""
    defaults = {key: value for key, _what, value in settings(Experiment())}
    parameters: dict[str, str] = {}
    for key, what, value in settings(experiment):
        if key in defaults:
            default = defaults[key]
        else:
            default = _default(experiment, key)
        if isinstance(what, Pick):
            if value.name != default.name:
                parameters[key] = value.name
        elif value != default:
            parameters[key] = _text(what, value)
    return parameters


def course_to_link(course: Course) -> dict[str, str]:
    """The parameters of a course's link: those of its first experiment, and its turns."""
    parameters = to_link(course.first)
    for step, before, after in course.changes():
        old = {key: value for key, _what, value in settings(before)}
        turned = [
            f"{key}:{_text(what, value)}"
            for key, what, value in settings(after)
            if isinstance(what, Knob) and value != old[key]
        ]
        parameters[f"at.{step}"] = ",".join(turned)
    return parameters


def course_from_link(parameters: Mapping[str, str]) -> tuple[Course, list[str]]:
    """The course of a link, and a sentence for each parameter that could not be used."""
    found = {key: match for key in parameters if (match := AT.fullmatch(key))}
    first, complaints = from_link({k: v for k, v in parameters.items() if k not in found})
    texts = sorted((int(match["step"]), parameters[key]) for key, match in found.items())
    reached = [(step, text) for step, text in texts if step < first.steps]
    if late := len(texts) - len(reached):
        complaints.append(
            n_(
                "The link turns knobs at {count:,} step that this run never reaches: it makes"
                " {steps:,}. It is ignored.",
                "The link turns knobs at {count:,} steps that this run never reaches: it makes"
                " {steps:,}. They are ignored.",
                late,
            ).format(count=late, steps=first.steps)
        )
    if len(reached) > MOST_TURNS:
        complaints.append(
            _("The link turns knobs at {count:,} steps; the first {most:,} are used.").format(
                count=len(reached), most=MOST_TURNS
            )
        )
    now, turns = first, list[Turn]()
    for step, text in reached[:MOST_TURNS]:
        after, said = _turned(now, step, text)
        complaints += said
        if after != now:
            turns.append(Turn(step, after))
        now = after
    return Course(first, tuple(turns)), complaints


def _turned(experiment: Experiment, step: int, text: str) -> tuple[Experiment, list[str]]:
    """The experiment with live knobs set as "clip_norm:1,learning_rate:0.01" says."""
    complaints: list[str] = []
    live = {
        key for key, what, _value in settings(experiment) if isinstance(what, Knob) and what.live
    }
    for part in text.split(","):
        key, _colon, value = part.partition(":")
        if key not in live:
            complaints.append(
                _(
                    "The link turns {key!r} at step {step:,}, which can't be turned while a run"
                    " trains; it is ignored."
                ).format(key=key[:60], step=step)
            )
            continue
        try:
            experiment = _with(experiment, key, value)
        except GruvizError as error:
            complaints.append(_ignored(error))
    return experiment, complaints


def _text(what: Knob, value: Any) -> str:
    """The shortest text that `_value` reads as the same value."""
    if value is None:
        return what.none
    if isinstance(value, tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return str(value)


def _default(experiment: Experiment, key: str) -> Any:
    row, field = key.split(".")
    owner = next(v for _n, v in vars(experiment).items() if isinstance(v, Choice) and v.name == row)
    return getattr(type(owner)(), field)


def from_link(parameters: Mapping[str, str]) -> tuple[Experiment, list[str]]:
    """The experiment of a link, and a sentence for each parameter that could not be used."""
    experiment, complaints = Experiment(), []
    for name, what in about(experiment):
        if isinstance(what, Pick) and name in parameters:
            try:
                experiment = replace(
                    experiment, **dict[str, Any]({name: choose(what, parameters[name])})
                )
            except GruvizError as error:
                complaints.append(_ignored(error))
    known = {key: what for key, what, _value in settings(experiment)}
    for key, text in parameters.items():
        found = known.get(key)
        if found is None:
            complaints.append(
                _("The link has an unknown setting {key!r}; it is ignored.").format(key=key[:60])
            )
        elif isinstance(found, Knob):
            try:
                experiment = _with(experiment, key, text)
            except GruvizError as error:
                complaints.append(_ignored(error))
    return experiment, complaints


def _with(experiment: Experiment, key: str, text: str) -> Experiment:
    """The experiment with one knob set to what a text says."""
    row, dot, field = key.rpartition(".")
    if not dot:
        return replace(experiment, **{key: _value(getattr(experiment, key), key, experiment, text)})
    for name, owner in vars(experiment).items():
        if isinstance(owner, Choice) and owner.name == row:
            changed = replace(owner, **{field: _value(getattr(owner, field), field, owner, text)})
            return replace(experiment, **dict[str, Any]({name: changed}))
    raise KeyError(key)


def _value(default: Any, name: str, owner: Any, text: str) -> Any:
    """The text as a value of the knob's type; as it is, if it can't be, for the check to refuse."""
    what = dict(about(owner))[name]
    assert isinstance(what, Knob)
    if what.optional and text == what.none:
        return None
    if isinstance(default, str):
        return text
    if isinstance(default, bool):
        return {"on": True, "off": False}.get(text, text[:60])
    if isinstance(default, tuple):
        return _words(text)
    kind = int if what.whole else float
    try:
        return kind(text)
    except ValueError:
        return text[:60]


def _words(text: str) -> Any:
    """A JSON list of words; as it is, if it isn't one, for the check to refuse."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    whole = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return tuple(found) if whole else text[:60]


def _ignored(error: GruvizError) -> str:
    return _("Ignored in the link: {reason}").format(reason=error)

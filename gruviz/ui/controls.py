"""The controls of an experiment, read off its fields: a new knob needs no line here."""

from collections.abc import Iterator
from typing import Any

import streamlit as st

from gruviz.experiment import (
    Choice,
    Experiment,
    FromTable,
    Knob,
    Optimizer,
    Pick,
    about,
    default_of,
)
from gruviz.experiment.link import settings
from gruviz.ui.sources import table_controls
from gruviz.ui.widgets import OFF, knob
from gruviz.words import _


def fill(experiment: Experiment) -> None:
    """Set every control to an experiment. Call it before the controls are drawn, or in a callback."""
    for key, what, value in settings(experiment):
        st.session_state[key] = value.name if isinstance(what, Pick) else value


def keep(experiment: Experiment) -> None:
    """Set every control to what it shows, or to an experiment where it shows nothing yet."""
    for key, what, value in settings(experiment):
        default = value.name if isinstance(what, Pick) else value
        st.session_state[key] = st.session_state.get(key, default)


def move(before: Experiment, after: Experiment) -> None:
    """Move the controls from what they showed, before they are drawn, unless a visitor just has."""
    old = {key: value for key, _what, value in settings(before)}
    for key, what, value in settings(after):
        if isinstance(what, Knob) and value != old[key]:
            shown = st.session_state.get(key)
            if (None if shown == OFF else shown) == old[key]:
                st.session_state[key] = value


def controls() -> Experiment:
    """Draw the controls in the current container and return the experiment that they show.

    Raises GruvizError if they can't make one.
    """
    st.subheader(_("Acts at once"), help=_("Turn these while it trains; each change is marked."))
    values: dict[str, Any] = {}
    picks: dict[str, Any] = {}
    live: dict[str, dict[str, Any]] = {}
    folded: dict[str, list[tuple[dict[str, Any], str, type[Any], str]]] = {}
    for place, prefix, owner in _owners(values, live):
        for name, what in about(owner):
            if not isinstance(what, Knob) or not what.live:
                continue
            if what.group:
                folded.setdefault(what.group, []).append((place, prefix, owner, name))
            else:
                place[name] = _knob(prefix, owner, name)
    for group, knobs in folded.items():
        with st.expander(_(group)):
            for place, prefix, owner, name in knobs:
                place[name] = _knob(prefix, owner, name)
    st.subheader(
        _("With the next Train"), help=_("A run that is under way keeps what it started with.")
    )
    for name, what in about(Experiment):
        if isinstance(what, Pick):
            row = _menu(name, what)
            chosen = {**live[name], **_waiting(row)}
            picks[name] = row(**chosen)
        elif not what.live:
            values[name] = _knob("", Experiment, name)
    return Experiment(**values, **picks)


def _owners(
    values: dict[str, Any], live: dict[str, dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], str, type[Any]]]:
    """The experiment and the rows that its menus show: where their live knobs' values go, the
    beginning of their keys, and the class."""
    yield values, "", Experiment
    for name, what in about(Experiment):
        if isinstance(what, Pick):
            row = _row(name, what)
            yield live.setdefault(name, {}), f"{row.name}.", row


def _knob(prefix: str, owner: type[Any], name: str) -> Any:
    what = dict(about(owner))[name]
    assert isinstance(what, Knob)
    return knob(prefix + name, what, default_of(owner, name))


def _row(name: str, what: Pick) -> type[Choice]:
    """The row that a menu shows, whether it has been drawn yet or not."""
    return what.table[st.session_state.setdefault(name, default_of(Experiment, name).name)]


def _menu(name: str, what: Pick) -> type[Choice]:
    row = _row(name, what)
    if len(what.table) > 1:
        st.selectbox(
            _(what.label),
            list(what.table),
            format_func=lambda each: _(what.table[each].label),
            key=name,
            help=_(what.help) if what.help else None,
            persist_state="session",
        )
        if row.help:
            st.caption(_aid(row))
    return row


def _aid(row: type[Choice]) -> str:
    """What is said under the menu of a row."""
    text = _(row.help)
    if issubclass(row, Optimizer):
        # The rate stays where it is when the optimizer changes.
        text += " " + _("Its usual learning rate is {rate:g}.").format(rate=row.usual_rate)
    return text


def _waiting(row: type[Choice]) -> dict[str, Any]:
    """The knobs of a row that wait for the next Train."""
    if issubclass(row, FromTable):
        return table_controls(row)
    return {
        name: _knob(f"{row.name}.", row, name)
        for name, what in about(row)
        if isinstance(what, Knob) and not what.live
    }

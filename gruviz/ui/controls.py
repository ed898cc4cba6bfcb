"""The controls of an experiment, read off its fields: a new knob needs no line here."""

from typing import Any

import streamlit as st

from gruviz.experiment import Choice, Experiment, FromTable, Knob, Pick, about, default_of
from gruviz.experiment.link import settings
from gruviz.ui.tables import table_controls
from gruviz.ui.widgets import knob
from gruviz.words import _


def fill(experiment: Experiment) -> None:
    """Set every control to an experiment. Call it before the controls are drawn, or in a callback."""
    for key, what, value in settings(experiment):
        st.session_state[key] = value.name if isinstance(what, Pick) else value


def controls() -> Experiment:
    """Draw the controls in the current container and return the experiment that they show.

    Raises GruvizError if they can't make one.
    """
    st.subheader(_("Acts at once"), help=_("Turn these while it trains; each change is marked."))
    values: dict[str, Any] = {}
    picks: dict[str, Any] = {}
    for name, what in about(Experiment):
        if isinstance(what, Knob) and what.live:
            values[name] = knob(name, what, default_of(Experiment, name))
    live = {
        name: _knobs(_row(name, what), live=True)
        for name, what in about(Experiment)
        if isinstance(what, Pick)
    }
    st.subheader(
        _("With the next Train"), help=_("A run that is under way keeps what it started with.")
    )
    for name, what in about(Experiment):
        if isinstance(what, Pick):
            row = _menu(name, what)
            chosen = {**live[name], **_knobs(row, live=False)}
            picks[name] = row(**chosen)
        elif not what.live:
            values[name] = knob(name, what, default_of(Experiment, name))
    return Experiment(**values, **picks)


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
            st.caption(_(row.help))
    return row


def _knobs(row: type[Choice], *, live: bool) -> dict[str, Any]:
    if issubclass(row, FromTable) and not live:
        return table_controls(row)
    return {
        name: knob(f"{row.name}.{name}", what, default_of(row, name))
        for name, what in about(row)
        if isinstance(what, Knob) and what.live == live
    }

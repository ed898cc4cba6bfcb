"""Pinned runs: named, drawn behind the current one, compared in a table."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from gruviz.experiment import Experiment
from gruviz.runs import Run, Status
from gruviz.runs.comparison import Comparison, Row, compare
from gruviz.ui import report
from gruviz.ui.session import MOST_PINS, Pin, Session, link_of
from gruviz.words import N_, _, readable

MOST_STEPS = 3  # in a cell

OUTCOMES = {
    Status.PAUSED: N_("paused"),
    Status.RUNNING: N_("training"),
    Status.FINISHED: N_("finished"),
    Status.DIVERGED: N_("diverged"),
    Status.FAILED: N_("stopped"),
}


def behind(mine: Session) -> list[Pin]:
    """The pinned runs that are drawn behind the current one."""
    return [pin for pin in mine.pins if pin.run is not mine.run]


def section(mine: Session, wanted: Experiment) -> None:
    """The table of the pinned runs and the current one, and what can be done with each pin."""
    if not mine.pins:
        return
    st.subheader(_("Pinned runs"), anchor=False)
    st.caption(
        _(
            "Their curves are drawn behind the current one, each in its own colour and dash. *Same"
            " start* sets seed, task, cell and batch size as the pinned run has them, so that only what"
            " you change differs."
        )
    )
    runs: dict[str, Run] = {pin.name: pin.run for pin in mine.pins}
    if mine.run is not None and all(mine.run is not run for run in runs.values()):
        runs[_("current")] = mine.run
    found = compare(runs)
    st.dataframe(table(found), hide_index=True, width="stretch", key="comparison")
    for place, pin in enumerate(mine.pins):
        _tools(mine, wanted, place, pin)


def _tools(mine: Session, wanted: Experiment, place: int, pin: Pin) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"pin-{place}"):
        key = f"pin-name-{pin.run.token}"
        st.session_state[key] = pin.name  # which may be another than was typed
        st.text_input(
            _("Name"),
            max_chars=40,
            key=key,
            label_visibility="collapsed",
            width=260,
            on_change=_rename,
            args=(mine, place, key),
        )
        st.button(
            _("Same start"),
            icon=":material/flag:",
            key=f"pin-start-{place}",
            on_click=mine.same_start,
            args=(place, wanted),
            help=_("For the next Train."),
        )
        st.button(
            _("Bring back"),
            icon=":material/history:",
            key=f"pin-back-{place}",
            on_click=mine.bring_back,
            args=(place,),
            disabled=pin.run is mine.run,
            help=_("Make it the current run again, with its settings."),
        )
        st.link_button(
            _("Link"),
            f"?{urlencode(link_of(pin.run))}",
            icon=":material/link:",
            help=_("Opens this run's settings in a tab of their own; Train there draws its curve."),
        )
        st.button(
            _("Unpin"),
            icon=":material/keep_off:",
            key=f"pin-off-{place}",
            on_click=mine.unpin,
            args=(place,),
            type="tertiary",
        )


def _rename(mine: Session, place: int, key: str) -> None:
    if name := st.session_state[key].strip():
        mine.rename(place, name)


def button(mine: Session) -> None:
    """Pin the current run."""
    pinned = any(pin.run is mine.run for pin in mine.pins)
    full = len(mine.pins) >= MOST_PINS
    st.button(
        _("Pin"),
        icon=":material/keep:",
        on_click=mine.press,
        args=("pin",),
        disabled=mine.run is None or pinned or full,
        help=_("At most {most} runs can be pinned; unpin one first.").format(most=MOST_PINS)
        if full
        else _("Keep this run's curves behind those that follow."),
    )


def table(found: Comparison) -> pd.DataFrame:
    """A comparison as people read it: one row a run, "–" for what there is not."""
    target = "" if found.target is None else f" {readable(found.target, 3)}"
    return pd.DataFrame([_cells(row, found, target) for row in found.rows])


def _cells(row: Row, found: Comparison, target: str) -> dict[str, str]:
    cells = {_("run"): row.name}
    for key, what in found.differing.items():
        label = _(what.label)
        cells[label if label not in cells else f"{label} ({key})"] = (
            report.value(row.settings[key], what) if key in row.settings else "–"
        )
    outcome = _(OUTCOMES[row.status])
    if row.diverged_at is not None:
        outcome += " " + _("at step {step:,}").format(step=row.diverged_at)
    if any(each.turned for each in found.rows):
        cells[_("knobs turned at step")] = _steps(row.turned)
    return cells | {
        _("outcome"): outcome,
        _("steps"): f"{row.steps:,}",
        _("best loss"): _number(row.best_loss),
        _("final loss"): _number(row.final_loss),
        _("best validation"): _number(row.best_validation),
        _("final validation"): _number(row.final_validation),
        _("steps to{target}").format(target=target): "–"
        if row.steps_to_target is None
        else f"{row.steps_to_target:,}",
        _("seconds to{target}").format(target=target): _number(row.seconds_to_target),
    }


def _steps(turned: tuple[int, ...]) -> str:
    """The first of the steps at which knobs were turned."""
    text = ", ".join(f"{step:,}" for step in turned[:MOST_STEPS])
    return f"{text}, …" if len(turned) > MOST_STEPS else text or "–"


def _number(value: float | None) -> str:
    return "–" if value is None else readable(value)

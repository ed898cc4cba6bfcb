"""A study on a page: asked for with a button, watched with a bar, cancelled, and shown."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from gruviz import charts
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.runs import Lost, Study, StudyStatus, classroom
from gruviz.studies import State
from gruviz.ui import frame
from gruviz.ui.session import Session
from gruviz.ui.visitor import visitor
from gruviz.words import N_, _

LOOK_SECONDS = 0.5
CHART_HEIGHT = 420
AGAIN = "draw the whole page again"


@dataclass(frozen=True)
class Offer:
    """A study that can be asked for. begin: from the session and the experiment in the
    controls to the experiment that is studied and the first state; show: what it found; ask: draws
    what else can be chosen before it begins."""

    title: str
    text: str
    begin: Callable[[Session, Experiment], tuple[Experiment, State]]
    show: Callable[[Any, Experiment], None]
    button: str = N_("Start")
    ask: Callable[[Session], None] | None = None


def section(name: str, offer: Offer, mine: Session, wanted: Experiment) -> None:
    """Draw a study in a fragment of its own, which is looked at anew as long as it runs."""
    study = mine.studies.get(name)
    running = study is not None and study.status is StudyStatus.RUNNING
    st.fragment(_look, run_every=LOOK_SECONDS if running else None)(
        name, offer, mine, wanted, running
    )


def _look(name: str, offer: Offer, mine: Session, wanted: Experiment, running: bool) -> None:
    study = mine.studies.get(name)
    if st.session_state.pop(AGAIN, False):
        st.rerun()  # the controls have changed
    if study is not None:
        study.watch()
        if running != (study.status is StudyStatus.RUNNING):
            st.rerun()  # it has begun or ended: the rhythm changes with it
    _buttons(name, offer, mine, wanted, study)
    if study is None:
        return
    if study.status is StudyStatus.RUNNING:
        st.progress(study.progress, _("{share:.0%} done").format(share=study.progress))
        return
    if study.status is StudyStatus.FAILED:
        frame.refusal(_reason(study))
        return
    if study.error is not None:
        frame.refusal(_reason(study))
    offer.show(study.state, study.experiment)


def _buttons(
    name: str, offer: Offer, mine: Session, wanted: Experiment, study: Study[Any] | None
) -> None:
    status = None if study is None else study.status
    with st.container(horizontal=True, vertical_alignment="center"):
        if status is StudyStatus.RUNNING:
            assert study is not None
            if st.button(_("Cancel"), icon=":material/stop:", key=f"cancel-{name}"):
                study.cancel()
                st.rerun()
            return
        if offer.ask is not None:
            offer.ask(mine)
        if st.button(_(offer.button), icon=":material/play_arrow:", key=f"start-{name}"):
            _start(name, offer, mine, wanted)
        if (
            status is StudyStatus.CANCELLED
            and study is not None
            and st.button(_("Go on"), icon=":material/resume:", key=f"resume-{name}")
        ):
            study.start()
            st.rerun()


def _start(name: str, offer: Offer, mine: Session, wanted: Experiment) -> None:
    try:
        experiment, state = offer.begin(mine, wanted)
    except GruvizError as error:
        frame.refusal(error)
        return
    study = classroom().study(experiment, state, visitor())
    study.language = st.context.locale
    mine.studies[name] = study
    study.start()
    st.rerun()


def _reason(study: Study[Any]) -> str:
    if isinstance(study.error, GruvizError):
        return str(study.error)
    if isinstance(study.error, Lost):
        return _("{reason} Nothing is lost: press Go on.").format(reason=_(study.error.said))
    if isinstance(study.error, OSError):
        return _("The server can't do this now ({reason}). Nothing is lost: press Go on.").format(
            reason=study.error.strerror or type(study.error).__name__
        )
    return _("The process that made this study failed ({kind}). Start it again.").format(
        kind=type(study.error).__name__
    )


def drawn(figure: go.Figure, words: str, key: str, *, height: int = CHART_HEIGHT) -> None:
    """A still picture with its reading aid and its text alternative."""
    figure.update_layout(height=height)
    if st.context.theme.type == "dark":
        figure = charts.on_dark(figure)
    st.caption(figure.layout.meta["aid"])
    st.plotly_chart(figure, key=key, alt=words, config={"displayModeBar": False})

"""The lab: studies of a run that are made on demand, in a worker, with a bar and a way to cancel."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from gruviz import charts
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.runs import Study, StudyStatus, classroom
from gruviz.studies import RangeTest, Sharpness, State, Suggestion, Surface, suggest
from gruviz.ui import frame, sidebar
from gruviz.ui.session import Session, session
from gruviz.words import N_, _, readable

LOOK_SECONDS = 0.5
CHART_HEIGHT = 420
ADOPTED = "adopted rate"


@dataclass(frozen=True)
class Offer:
    """A study that can be asked for. begin: its first state, of a session; show: what it found."""

    title: str
    text: str
    begin: Callable[[Session], State]
    show: Callable[[Any, Experiment], None]


def page() -> None:
    """The page of pages/Lab.py."""
    frame.begin(N_("Lab"))
    mine = session()
    wanted = sidebar.read(mine)
    frame.heading(_("Lab"))
    run = mine.run
    st.caption(
        _("Studies of the experiment in the controls: there is no run yet.")
        if run is None
        else _(
            "Studies of your run, as it stands at step {step:,}. None of them touches it."
        ).format(step=run.step_count)
    )
    for name, offer in OFFERS.items():
        with st.container(border=True, key=f"study-{name}"):
            st.subheader(_(offer.title), anchor=False)
            st.markdown(_(offer.text))
            _study(name, mine, wanted)


def _study(name: str, mine: Session, wanted: Experiment) -> None:
    """A fragment of its own, looked at anew as long as the study runs."""
    study = mine.studies.get(name)
    running = study is not None and study.status is StudyStatus.RUNNING
    st.fragment(_look, run_every=LOOK_SECONDS if running else None)(name, mine, wanted, running)


def _look(name: str, mine: Session, wanted: Experiment, running: bool) -> None:
    offer, study = OFFERS[name], mine.studies.get(name)
    if st.session_state.pop(ADOPTED, False):
        st.rerun()  # the controls have changed
    if study is not None:
        study.watch()
        if running != (study.status is StudyStatus.RUNNING):
            st.rerun()  # it has begun or ended: the rhythm changes with it
    _buttons(name, mine, wanted, study)
    if study is None:
        return
    if study.status is StudyStatus.RUNNING:
        st.progress(study.progress, _("{share:.0%} done").format(share=study.progress))
        return
    if study.status is StudyStatus.FAILED:
        frame.refusal(_reason(study))
        return
    if study.unwatched:
        st.info(_("Stopped itself, for nobody was watching."), icon=":material/pause_circle:")
    offer.show(study.state, study.experiment)


def _buttons(name: str, mine: Session, wanted: Experiment, study: Study[Any] | None) -> None:
    status = None if study is None else study.status
    with st.container(horizontal=True, vertical_alignment="center"):
        if status is StudyStatus.RUNNING:
            assert study is not None
            if st.button(_("Cancel"), icon=":material/stop:", key=f"cancel-{name}"):
                study.cancel()
                st.rerun()
            return
        if st.button(_("Start"), icon=":material/play_arrow:", key=f"start-{name}"):
            _start(name, mine, wanted)
        if (
            status is StudyStatus.CANCELLED
            and study is not None
            and st.button(_("Go on"), icon=":material/resume:", key=f"resume-{name}")
        ):
            study.start()
            st.rerun()


def _start(name: str, mine: Session, wanted: Experiment) -> None:
    try:
        state = OFFERS[name].begin(mine)
    except GruvizError as error:
        frame.refusal(error)
        return
    experiment = wanted if mine.run is None else mine.run.experiment
    study = classroom().study(experiment, state)
    mine.studies[name] = study
    study.start()
    st.rerun()


def _reason(study: Study[Any]) -> str:
    if isinstance(study.error, GruvizError):
        return str(study.error)
    return _("The process that made this study failed ({kind}). Start it again.").format(
        kind=type(study.error).__name__
    )


def _measure(experiment: Experiment) -> str:
    task = experiment.task
    return _(experiment.loss.fitting(task.kind, in_bits=task.in_bits).measure)


def _drawn(figure: go.Figure, words: str, key: str) -> None:
    figure.update_layout(height=CHART_HEIGHT)
    st.caption(figure.layout.meta["aid"])
    st.plotly_chart(figure, key=key, alt=words, config={"displayModeBar": False})


def _range_test(mine: Session) -> RangeTest:
    return RangeTest.begin(None if mine.run is None else mine.run.checkpoint)


def _show_range_test(state: RangeTest, experiment: Experiment) -> None:
    complete = state.progress >= 1
    found = suggest(state.rates, state.losses) if complete else Suggestion(None, _("Not finished."))
    low, mean, high = state.band
    _drawn(
        charts.range_test(state.rates, low, mean, high, _measure(experiment), found.rate),
        charts.alternatives.range_test(state.rates, mean, found.rate),
        "chart-range-test",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(frame.literal(found.reason))
        if found.rate is not None:
            st.button(
                _("Adopt {rate}").format(rate=readable(found.rate)), icon=":material/check:",
                on_click=_adopt, args=(found.rate,), help=_("Sets the learning rate. Acts at once."),
            )  # fmt: skip


def _adopt(rate: float) -> None:
    st.session_state["learning_rate"] = rate
    st.session_state[ADOPTED] = True


def _sharpness(mine: Session) -> Sharpness:
    run = mine.run
    if run is None:
        return Sharpness.begin((), lambda _step: 0.0)  # which says what is missing
    return Sharpness.begin(run.points, run.rate_at)


def _show_sharpness(state: Sharpness, experiment: Experiment) -> None:
    steps = state.steps.astype(float)
    _drawn(
        charts.sharpness(steps, state.values, state.limits),
        charts.alternatives.sharpness(steps, state.values, state.limits),
        "chart-sharpness",
    )


def _surface(mine: Session) -> Surface:
    return Surface.begin(mine.run.points if mine.run is not None else ())


def _show_surface(state: Surface, experiment: Experiment) -> None:
    _drawn(
        charts.surface(
            state.across, state.along, state.losses, state.path, state.steps, state.explained,
            _measure(experiment),
        ),
        charts.alternatives.surface(state.losses, state.steps.astype(float), state.explained),
        "chart-surface",
    )  # fmt: skip


OFFERS = {
    "range-test": Offer(
        N_("Learning-rate range test"),
        N_(
            "On a copy, the learning rate grows from tiny to huge within a hundred steps, for five"
            " seeds. Where the loss falls fastest is a good rate to begin with."
        ),
        _range_test,
        _show_range_test,
    ),
    "sharpness": Offer(
        N_("Sharpness"),
        N_(
            "The largest eigenvalue of the Hessian, how sharply the loss bends, at points along the"
            " run. Plain gradient descent is stable only below 2 / learning rate; trained with the"
            " whole set at once it climbs up to that edge and stays there."
        ),
        _sharpness,
        _show_sharpness,
    ),
    "surface": Offer(
        N_("Loss surface"),
        N_(
            "The loss on the plane through weight space in which the run has moved most, and the run's"
            " path on it."
        ),
        _surface,
        _show_surface,
    ),
}

"""The lab: studies of a run that are made on demand, in a worker, with a bar and a way to cancel."""

import streamlit as st

from gruviz import charts
from gruviz.data import check
from gruviz.experiment import Experiment
from gruviz.studies import RangeTest, Sharpness, Suggestion, Surface
from gruviz.ui import frame, sidebar, sources
from gruviz.ui.session import Session, session
from gruviz.ui.study import AGAIN, Offer, drawn, section
from gruviz.ui.visitor import charged
from gruviz.words import N_, _, readable


@charged()
def page() -> None:
    """The page of pages/Lab.py."""
    frame.begin(N_("Lab"))
    mine = session()
    wanted = sidebar.read(mine, "Lab")
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
            section(name, offer, mine, wanted)


def _measure(experiment: Experiment) -> str:
    task = experiment.task
    return _(experiment.loss.fitting(task.kind, in_bits=task.in_bits).measure)


STARTS = {"initial": N_("From initial weights"), "run": N_("From the run as it stands")}


def _ask_where_to_start(mine: Session) -> None:
    if mine.run is None:
        return
    st.session_state.setdefault("range-test-from", next(iter(STARTS)))
    st.segmented_control(
        _("Where the range test starts"),
        list(STARTS),
        format_func=lambda each: _(STARTS[each]),
        key="range-test-from",
        required=True,
        label_visibility="collapsed",
        persist_state="session",
    )


def _range_test(mine: Session, wanted: Experiment) -> tuple[Experiment, RangeTest]:
    run = mine.run
    if run is None:
        check(wanted, sources.preview(wanted))
        return wanted, RangeTest.begin()
    trained = st.session_state["range-test-from"] == "run"
    return run.experiment, RangeTest.begin(run.checkpoint if trained else None)


def _show_range_test(state: RangeTest, experiment: Experiment) -> None:
    complete = state.progress >= 1
    found = state.suggestion if complete else Suggestion(None, _("Not finished."))
    low, mean, high = state.band
    drawn(
        charts.range_test(state.rates, low, mean, high, _measure(experiment), found.rate),
        charts.alternatives.range_test(state.rates, mean, found.rate),
        "chart-range-test",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(frame.literal(found.reason))
        if found.rate is not None:
            st.button(
                _("Adopt {rate}").format(rate=readable(found.rate)),
                icon=":material/check:",
                on_click=_adopt,
                args=(found.rate,),
                help=_("Sets the learning rate. Acts at once."),
            )


def _adopt(rate: float) -> None:
    st.session_state["learning_rate"] = rate
    st.session_state[AGAIN] = True


def _sharpness(mine: Session, wanted: Experiment) -> tuple[Experiment, Sharpness]:
    run = mine.run
    if run is None:
        return wanted, Sharpness.begin((), lambda _step: 0.0)  # which says what is missing
    return run.experiment, Sharpness.begin(run.points, run.rate_at)


def _show_sharpness(state: Sharpness, _experiment: Experiment) -> None:
    steps = state.steps.astype(float)
    drawn(
        charts.sharpness(steps, state.values, state.limits),
        charts.alternatives.sharpness(steps, state.values, state.limits),
        "chart-sharpness",
    )


def _surface(mine: Session, wanted: Experiment) -> tuple[Experiment, Surface]:
    run = mine.run
    if run is None:
        return wanted, Surface.begin(())  # which says what is missing
    return run.experiment, Surface.begin(run.points)


def _show_surface(state: Surface, experiment: Experiment) -> None:
    drawn(
        charts.surface(
            state.across,
            state.along,
            state.losses,
            state.path,
            state.steps,
            state.explained,
            _measure(experiment),
        ),
        charts.alternatives.surface(state.losses, state.steps.astype(float), state.explained),
        "chart-surface",
    )


OFFERS = {
    "range-test": Offer(
        N_("Learning-rate range test"),
        N_(
            "On a copy, the learning rate grows from tiny to huge within a hundred steps, for five"
            " seeds. From initial weights, where the loss falls fastest is a good rate to begin with;"
            " a run that has learnt already leaves little to see."
        ),
        _range_test,
        _show_range_test,
        ask=_ask_where_to_start,
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

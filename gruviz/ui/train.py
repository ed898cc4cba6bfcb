"""The training page: read the controls, do what was pressed, show the run."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from gruviz import charts
from gruviz.data import check
from gruviz.data.theory import theory
from gruviz.errors import GruvizError
from gruviz.experiment import STOPS, Experiment, Knob, Pick
from gruviz.experiment.link import MOST_TURNS
from gruviz.runs import SLOW_SECONDS, Lost, Status
from gruviz.ui import cards, columns, frame, pinboard, report, sidebar, sources
from gruviz.ui.panel import panel
from gruviz.ui.pins import pin_tables
from gruviz.ui.session import Session, session
from gruviz.ui.visitor import charged
from gruviz.words import N_, _, n_, readable

STEPS_AT_ONCE = "steps at once"
MOST_STEPS = 100_000


@charged()
def page() -> None:
    """The page of app.py."""
    frame.begin(N_("Train"))
    mine = session()
    wanted = sidebar.read(mine, "Train")
    with st.sidebar:
        axes = {"log": _("logarithmic"), "linear": _("linear")}
        log = sidebar.display_option("axis", _("Loss axis"), axes) == "log"
    _act(mine, wanted)
    sidebar.address(mine, wanted)  # another run's, or none's

    buttons = frame.heading(_("Watch a GRU learn"))
    with buttons:
        _buttons(mine, wanted)
    _say(mine, wanted)
    _show(mine, wanted, log=log)
    pinboard.section(mine, wanted)


def _act(mine: Session, wanted: Experiment) -> None:
    """Do what was pressed, now that the controls have been read."""
    pressed, mine.pressed = mine.pressed, None
    if pressed is None:
        return
    mine.complaints = []
    acts: dict[str, Callable[[Experiment], None]] = {
        "train": mine.train,
        "pause": mine.pause,
        "step": mine.step,
        "epoch": mine.epoch,
        "many": lambda wanted: mine.step(wanted, st.session_state[STEPS_AT_ONCE]),
        "reset": mine.reset,
        "pin": lambda _wanted: mine.pin(),
    }
    try:
        if pressed in ("train", "step", "epoch", "many") and mine.begins(wanted):
            check(wanted, sources.preview(wanted))
        acts[pressed](wanted)
    except GruvizError as error:
        mine.complaints = [str(error)]


def _buttons(mine: Session, wanted: Experiment) -> None:
    """The buttons note what was pressed; `_act` does it in the run of the script that follows."""
    running = mine.status is Status.RUNNING
    begins = mine.begins(wanted)
    st.button(
        _("Train"),
        icon=":material/play_arrow:",
        type="primary",
        disabled=running and not begins,
        on_click=mine.press,
        args=("train",),
    )
    st.button(
        _("Pause"),
        icon=":material/pause:",
        disabled=not running,
        on_click=mine.press,
        args=("pause",),
    )
    busy = running or (mine.run is not None and mine.run.settling)
    st.button(
        _("Step"),
        icon=":material/skip_next:",
        disabled=busy,
        on_click=mine.press,
        args=("step",),
        help=_("One update of all weights."),
    )
    with st.popover(_("Pace"), icon=":material/speed:"):
        _pace(mine, busy=busy)
    st.button(
        _("Reset"),
        icon=":material/restart_alt:",
        disabled=mine.run is None,
        on_click=mine.press,
        args=("reset",),
        help=_("Drop this run and begin at step 0. Undo brings it back."),
    )
    pinboard.button(mine)
    if mine.previous is not None:
        st.button(
            _("Undo"),
            icon=":material/undo:",
            on_click=mine.undo,
            type="tertiary",
            help=_("Bring back the run before this one, with its settings."),
        )


def _pace(mine: Session, *, busy: bool) -> None:
    """How far one press goes, and how fast."""
    st.session_state.setdefault(STEPS_AT_ONCE, 100)
    st.number_input(
        _("Steps at once"),
        min_value=1,
        max_value=MOST_STEPS,
        step=1,
        key=STEPS_AT_ONCE,
        persist_state="session",
    )
    st.button(
        _("Make these steps"),
        icon=":material/fast_forward:",
        disabled=busy,
        on_click=mine.press,
        args=("many",),
        width="stretch",
    )
    st.button(
        _("One epoch"),
        icon=":material/update:",
        disabled=busy,
        on_click=mine.press,
        args=("epoch",),
        width="stretch",
        help=_("Until every training sequence was seen once."),
    )
    st.toggle(
        _("Slow motion"),
        key="slow",
        persist_state="session",
        help=_(
            "One step every {seconds:.0f} seconds, with the numbers of each of its stages. Acts"
            " at once."
        ).format(seconds=SLOW_SECONDS),
    )
    mine.slow_down(st.session_state["slow"])


def _say(mine: Session, wanted: Experiment) -> None:
    """One line that says where the run stands, and what the controls would change."""
    for complaint in mine.complaints:
        st.warning(frame.literal(complaint), icon=":material/info:")
    run = mine.run
    pending = mine.pending(wanted)
    icon, text = _standing(mine, wanted, pending=pending)
    with st.container(key="standing"):
        if icon == "error":
            st.error(text, icon=":material/error:")
        else:
            st.markdown(f":material/{icon}: {text}")
    if run is not None and len(run.course.turns) > MOST_TURNS:
        st.caption(
            _(
                "Knobs of this run were turned at {count:,} steps; a link carries {most:,}, so the"
                " page's address has its last settings only."
            ).format(count=len(run.course.turns), most=MOST_TURNS)
        )
    if run is not None and pending:
        changes = ", ".join(
            f"{_(what.label)} {_shown(old, what)} → {_shown(new, what)}"
            for what, old, new in mine.waiting(wanted)
        )
        with st.container(horizontal=True, vertical_alignment="center", key="pending"):
            st.markdown(
                ":material/schedule: "
                + _("With the next Train: {changes}").format(changes=frame.literal(changes))
            )
            st.button(
                _("Take back"),
                on_click=mine.take_back,
                type="tertiary",
                icon=":material/undo:",
                help=_("Set the controls to what this run was started with."),
            )


def _shown(setting: Any, what: Knob | Pick) -> str:
    """A setting as people write it; a table by its name, never by its digest."""
    known = sources.labels().get(sources.base(setting)) if isinstance(setting, str) else None
    return known or report.value(setting, what)


def _standing(mine: Session, wanted: Experiment, *, pending: bool) -> tuple[str, str]:
    run = mine.run
    if run is None:
        text = _("Press **Train** to start, or **Step** for a single update.")
        if turns := len(mine.next(wanted).turns):
            text += " " + n_(
                "As in the link, live knobs turn by themselves at {count:,} step.",
                "As in the link, live knobs turn by themselves at {count:,} steps.",
                turns,
            ).format(count=turns)
        return "info", text
    step = f"{run.step_count:,}"
    if run.status is Status.RUNNING:
        return "progress_activity", _(
            "Training. What is under *Acts at once* does; the rest waits for the next Train."
        )
    if run.settling:
        return "progress_activity", _("Stopping after the slice under way…")
    if run.status is Status.FINISHED:
        if run.stopped in (None, "steps"):
            return "check_circle", _(
                "Finished after {step} steps. Raise *Steps* or change another setting, then press"
                " **Train**."
            ).format(step=step)
        return "check_circle", _(
            "Finished after {step} steps: {reason}. Change a setting, then press **Train**."
        ).format(step=step, reason=_(STOPS[run.stopped]))
    if run.status is Status.DIVERGED:
        return "error", _diverged(mine)
    if run.status is Status.FAILED:
        return "error", _("Stopped at step {step}: {reason} Press Train to start again.").format(
            step=step, reason=frame.literal(_reason(run.error))
        )
    if pending:
        return "pause_circle", _(
            "Paused at step {step}. **Train** starts a new run with the changes below; *Take back* them"
            " to go on with this one."
        ).format(step=step)
    if run.error is not None:
        return "error", _(
            "{reason} Paused at step {step}, nothing is lost. Press **Train** to go on."
        ).format(reason=frame.literal(_reason(run.error)), step=step)
    if run.unwatched:
        return "pause_circle", _(
            "Paused itself at step {step}, for nobody was watching; goes on by itself."
        ).format(step=step)
    return "pause_circle", _("Paused at step {step}. Press **Train** to go on.").format(step=step)


def _diverged(mine: Session) -> str:
    assert mine.run is not None
    steps = mine.run.history.steps
    text = _(
        "**Diverged at step {step:,}**: the loss went from {first} to {last}, the gradient norm"
        " was {norm}."
    ).format(
        step=mine.run.diverged_at,
        first=readable(steps["loss"][0], 3),
        last=readable(steps["loss"][-1], 3),
        norm=readable(steps["norm"][-1], 3),
    )
    if mine.run.experiment.clip_norm is None:
        remedy = _("Lower the learning rate or set a clip norm, then press **Train**.")
    else:
        remedy = _("Lower the learning rate or the clip norm, then press **Train**.")
    return f"{text} {remedy}"


def _reason(error: Exception | None) -> str:
    if isinstance(error, GruvizError):
        return str(error)
    if isinstance(error, Lost):
        return _(error.said)
    if isinstance(error, OSError):
        return _("The server can't do this now ({reason}).").format(
            reason=error.strerror or type(error).__name__
        )
    return _("the training process failed ({kind}).").format(kind=type(error).__name__)


def _show(mine: Session, wanted: Experiment, *, log: bool) -> None:
    run = mine.run
    experiment = run.experiment if run else wanted
    try:
        data = run.preview if run else sources.preview(wanted)
    except GruvizError as error:
        frame.refusal(error)
        return
    if found := report.findings(data):
        st.caption(frame.literal(found))
    views = {name: _(each.label) for name, each in charts.VIEWS.items()}
    view = sidebar.display_option("view", _("View"), views, bare=True)
    known = theory(experiment, data)
    still = columns.still_tables(experiment, wanted, data)
    still["here"] = columns.here(run) if run else {name: v[:1] for name, v in still["plan"].items()}
    shown = dict(still)
    if run is not None:
        shown |= columns.grown_tables(run)
        if run.snapshot is not None:
            shown |= columns.snapshot_tables(run.snapshot, data)
    behind = pinboard.behind(mine)
    about = cards.subject(experiment, data, log=log, pinned=[pin.name for pin in behind])
    panel(
        token=run.token if run else None,
        fresh=mine.fresh,
        status=report.standing(run) if run else "",
        language=st.context.locale,
        figures=report.figures(run, experiment, known),
        view=view,
        cards=cards.cards_of(view, about),
        tables=still | pin_tables([pin.run.history for pin in behind]),
        marks=report.change_marks(run, known) if run else [],
        alternatives=cards.alternatives(view, shown, about, report.solved_at(run, known)),
        words={
            "empty": _("Press Train") if run is None else _("Waiting for the first points…"),
            "gone": _("This run is no longer on the server. Press Train to start a new one."),
            "lost": _("Connection lost: what you see may be old. Trying again…"),
            "crowded": _(
                "This run is open in more tabs than the server serves. Close some, then reload this one."
            ),
            "full": _("More people are watching than this server serves. Trying again…"),
            "loading": _("Loading the charts…"),
        },
        on_attach=lambda: mine.attach(_said("attach")),
        on_advice=lambda: mine.take_advice(_said("advice")),
    )


def _said(event: str) -> str:
    """What the panel in the browser has to say."""
    return str(st.session_state["panel"].get(event, ""))

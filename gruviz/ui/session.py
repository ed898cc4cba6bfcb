"""What a browser tab holds on the server: its run, the one before it, and how it got here."""

from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import streamlit as st

from gruviz.coach import Coach
from gruviz.data import batches_per_epoch
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, FromTable, TableTask, differences, with_live
from gruviz.experiment.course import Course
from gruviz.experiment.link import MOST_TURNS, course_from_link, course_to_link, to_link
from gruviz.runs import Run, Status, Study, classroom
from gruviz.runs.comparison import same_start
from gruviz.ui import controls, sources
from gruviz.ui.visitor import visitor
from gruviz.words import N_, _, speak

DISPLAY = ("axis", "view")  # what of the address is about looking, not about the experiment
GONE = N_(
    "The run of this tab is gone: the server was restarted or made room for others. Press Train to"
    " begin anew."
)

MOST_PINS = 4  # lines behind the current one that can still be told apart


@dataclass(frozen=True)
class Pin:
    """A run under the name that the visitor gave it."""

    name: str
    run: Run


@dataclass
class Session:
    """The state of one tab. `previous` is what Undo brings back; `course`, what Train begins as long
    as the controls are as the link that opened the tab has them; `seen`, the run's experiment at the
    last look."""

    link: dict[str, str]
    run: Run | None = None
    previous: Run | None = None
    fresh: bool = True
    slow: bool = False
    controls_were: Experiment | None = None
    course: Course | None = None
    seen: Experiment | None = None
    page: str | None = None
    pressed: str | None = None
    complaints: list[str] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    studies: dict[str, Study[Any]] = field(default_factory=dict)

    def next(self, wanted: Experiment) -> Course:
        """What Train would begin: the course of the tab's link, if the controls still begin it."""
        if self.course is not None and self.course.first == wanted:
            return self.course
        return Course(wanted)

    def start(self, wanted: Experiment) -> Run:
        """A new run in place of the present one, which Undo can bring back."""
        run = classroom().start(self.next(wanted), visitor(), st.context.locale)
        run.slow_down(self.slow)
        self.replace(run)
        self.course = None
        return run

    def replace(self, run: Run | None) -> None:
        """Put another run, or none, in the place of the present one, which Undo brings back."""
        if self.run is not None:
            self.run.pause()
            self.previous = self.run
        elif self.previous is run:
            self.previous = None
        self.run, self.fresh = run, False
        self.seen = None if run is None else run.experiment

    def _show(self, run: Run) -> None:
        """Make a run the present one, with the controls as it stands."""
        self.replace(run)
        self.take_back()

    def take_back(self) -> None:
        """Set the controls to the experiment of the present run."""
        assert self.run is not None
        self.seen = self.controls_were = self.run.experiment
        controls.fill(self.seen)

    def undo(self) -> None:
        """Bring back the run before this one, with its settings."""
        if self.previous is not None:
            self._show(self.previous)

    def pin(self) -> None:
        """Keep the current run, under a name of its own, to compare others with it."""
        run = self.run
        if run is None or len(self.pins) >= MOST_PINS or any(run is pin.run for pin in self.pins):
            return
        name = f"{_(run.experiment.optimizer.label)} {run.experiment.learning_rate:g}"
        if run.turns:
            name = _("{name}, turned").format(name=name)
        self.pins.append(Pin(self._free(name), run))

    def _free(self, name: str) -> str:
        """The name, with a number behind it if another pin has it."""
        taken = {pin.name for pin in self.pins}
        names = (name if number == 1 else f"{name} ({number})" for number in count(1))
        return next(each for each in names if each not in taken)

    def rename(self, place: int, name: str) -> None:
        """Give a pinned run another name."""
        run = self.pins[place].run
        del self.pins[place]
        self.pins.insert(place, Pin(self._free(name), run))

    def unpin(self, place: int) -> None:
        """Forget a pinned run, unless it is the current one or Undo brings it back."""
        del self.pins[place]

    def same_start(self, place: int, wanted: Experiment) -> None:
        """Set the controls so that the next run begins as the pinned one did."""
        controls.fill(same_start(wanted, self.pins[place].run.experiment))

    def bring_back(self, place: int) -> None:
        """Make a pinned run the current one, with its settings."""
        run = self.pins[place].run
        if run is not self.run:
            self._show(run)

    def attach(self, token: str) -> None:
        """Take up the run of a token that the tab kept through a refresh."""
        speak(st.context.locale)  # a callback comes before the page has begun
        self.fresh = False
        run = classroom().find(token) if len(token) < 100 else None
        if run is None:
            self.complaints.append(_(GONE))
            return
        classroom().adopt(run, visitor())
        self.run = run
        task = run.experiment.task
        if isinstance(task, FromTable):
            with suppress(GruvizError):  # gone since then: the page says so
                sources.adopt(task.source)
        self.read_link()
        assert self.course is not None
        wanted, self.course = self.course.last, None
        self.seen = run.experiment
        # Its knobs may have been turned since the address was written.
        self.controls_were = wanted if run.over else with_live(wanted, self.seen)
        controls.fill(self.controls_were)

    def read_link(self) -> None:
        """Set the controls to how the course of the link begins that opened this tab."""
        self.course, complaints = course_from_link(self.link)
        task = self.course.first.task
        if isinstance(task, FromTable) and sources.base(task.source) not in sources.labels():
            complaints.append(
                _(
                    "The data of this link isn't here: an upload doesn't go with a link and doesn't"
                    " survive a refresh. Upload the file again to use it."
                )
            )
        elif isinstance(task, TableTask) and task.column and not self._has(task):
            complaints.append(
                _("The link names a column {name!r}, which isn't in this data.").format(
                    name=task.column[:60]
                )
            )
        controls.fill(self.course.first)
        self.complaints = complaints

    def _has(self, task: TableTask) -> bool:
        """Whether the column of a table is there; true of no table, which the sidebar complains of."""
        try:
            return task.column in sources.fetch(task.source).columns
        except GruvizError:
            return True

    def follow(self) -> None:
        """Set the controls that nobody has moved since to what the run trains with: a turn of its
        course was made, or another tab has turned a knob. Call it before the controls are drawn."""
        before, seen = self.controls_were, self.seen
        if self.run is None or before is None or seen is None:
            return
        self.seen = self.run.experiment
        self.controls_were = with_live(before, self.seen, seen)
        controls.move(before, self.controls_were)

    def adjust(self, wanted: Experiment) -> None:
        """Pass on the live knobs that this tab has turned since its last look at them."""
        before, self.controls_were = self.controls_were, wanted
        if self.run is not None and before is not None and before != wanted:
            self.run.adjust(wanted, before)

    def address(self, wanted: Experiment) -> dict[str, str]:
        """The link of what the controls show: of the run's course, if it is the run's."""
        if self.run is None:
            return course_to_link(self.next(wanted))
        return link_of(self.run) if self.run.experiment == wanted else to_link(wanted)

    def slow_down(self, slow: bool) -> None:
        """Slow motion, or full speed, for the present run and those that follow."""
        self.slow = slow
        if self.run is not None and self.run.slow != slow:
            self.run.slow_down(slow)

    def take_advice(self, rule: str) -> None:
        """Set the controls to the experiment that the coach names next."""
        run = self.run
        if run is None or self.controls_were is None:
            return
        said = Coach().advice(
            run.experiment, run.history, run.snapshot, run.diverged_at, over=run.over
        )
        for each in said:
            if each.rule == rule:
                controls.fill(each.taken(self.controls_were))

    def pending(self, wanted: Experiment) -> bool:
        """Whether the controls ask for something that only a new run can give."""
        return bool(self.waiting(wanted))

    def waiting(self, wanted: Experiment) -> list[tuple[Any, Any, Any]]:
        """What differs between the run and the controls: (knob, its value, the one wanted).

        Live knobs count once the run is over: until then another tab may have turned them.
        """
        if self.run is None:
            return []
        own = self.run.experiment
        return differences(own if self.run.over else with_live(own, wanted), wanted)

    def begins(self, wanted: Experiment) -> bool:
        """Whether Train would start a new run."""
        return self.run is None or self.run.over or self.pending(wanted)

    def press(self, button: str) -> None:
        """Note a button. It is pressed before the controls are read, and acts after."""
        self.pressed = button

    def train(self, wanted: Experiment) -> None:
        """Go on where the run stands if the controls still describe it, else start a new one."""
        run = self.run
        if run is None or self.begins(wanted):
            run = self.start(wanted)
        run.train()

    def step(self, wanted: Experiment, steps: int = 1) -> None:
        """Some updates of the present run, or the first ones of a new run."""
        run = self.run
        if run is None or run.over:
            run = self.start(wanted)
        run.train(steps)

    def epoch(self, wanted: Experiment) -> None:
        """As many updates as it takes to see every training sequence once, from here on."""
        run = None if self.run is None or self.run.over else self.run
        experiment = wanted if run is None else run.experiment
        about = sources.preview(wanted) if run is None else run.preview
        self.step(wanted, batches_per_epoch(experiment, about))

    def pause(self, _wanted: Experiment) -> None:
        """Stop after the slice under way."""
        if self.run is not None:
            self.run.pause()

    def reset(self, _wanted: Experiment) -> None:
        """Back to step 0; Undo brings the run back."""
        self.replace(None)

    @property
    def status(self) -> Status | None:
        return None if self.run is None else self.run.status


def link_of(run: Run) -> dict[str, str]:
    """The link of a run's course; of its last settings, if a link can't carry so many turns."""
    course = run.course
    return course_to_link(course) if len(course.turns) <= MOST_TURNS else to_link(course.last)


def session() -> Session:
    """The session of this tab; at its first call the controls are set from the link."""
    if "session" not in st.session_state:
        link = {
            key: value for key, value in st.query_params.to_dict().items() if key not in DISPLAY
        }
        st.session_state["session"] = Session(link)
        st.session_state["session"].read_link()
    found: Session = st.session_state["session"]
    return found

"""A course: the experiment that a run begins with, and the turns of its live knobs at their steps.

Equal courses give equal curves, however they are cut: it is what a run trains, what a link carries,
and what a fork extends.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace

from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, with_live
from gruviz.words import _


@dataclass(frozen=True, slots=True)
class Turn:
    """Live knobs turned in mid-run: from the update after `step` on, `experiment` holds."""

    step: int
    experiment: Experiment


@dataclass(frozen=True)
class Course:
    """Raises GruvizError unless the turns are in order, from step 1 on, and of live knobs alone."""

    first: Experiment
    turns: tuple[Turn, ...] = ()

    def __post_init__(self) -> None:
        before = 0
        for turn in self.turns:
            if turn.step <= before:
                raise GruvizError(
                    _(
                        "A knob is turned at step {step:,}, after one at step {before:,}; list the"
                        " turns in the order of their steps, from step 1 on."
                    ).format(step=turn.step, before=before)
                )
            if with_live(self.first, turn.experiment) != turn.experiment:
                raise GruvizError(
                    _(
                        "What is turned at step {step:,} can't change while a run trains; only the"
                        " knobs that act at once can."
                    ).format(step=turn.step)
                )
            before = turn.step

    @property
    def last(self) -> Experiment:
        """The experiment that holds at the end."""
        return self.turns[-1].experiment if self.turns else self.first

    def at(self, step: int) -> Experiment:
        """The experiment of the update that follows `step` updates."""
        place = bisect_right(self.turns, step, key=lambda turn: turn.step)
        return self.turns[place - 1].experiment if place else self.first

    def made(self, step: int) -> tuple[Turn, ...]:
        """The turns that are made when `step` updates are."""
        return self.turns[: bisect_right(self.turns, step, key=lambda turn: turn.step)]

    def next_turn(self, step: int) -> int | None:
        """The step of the first turn that is still to come after `step` updates."""
        place = bisect_right(self.turns, step, key=lambda turn: turn.step)
        return self.turns[place].step if place < len(self.turns) else None

    def turned(self, step: int, wanted: Experiment) -> "Course":
        """This course until `step` updates are made, and the live knobs of `wanted` from there on.

        Whatever was to come after that is gone: from here on somebody else steers.
        """
        if step == 0:
            return Course(with_live(self.first, wanted))
        past = tuple(turn for turn in self.turns if turn.step < step)
        before = past[-1].experiment if past else self.first
        after = with_live(before, wanted)
        return replace(self, turns=past if after == before else (*past, Turn(step, after)))

    def changes(self) -> Iterator[tuple[int, Experiment, Experiment]]:
        """Every turn as (step, the experiment before it, the one after it)."""
        before = self.first
        for turn in self.turns:
            yield turn.step, before, turn.experiment
            before = turn.experiment

"""A course: an experiment, and the turns of its live knobs."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruviz.errors import GruvizError
from gruviz.experiment import SGD, Adam, Experiment, with_live
from gruviz.experiment.course import Course, Turn
from gruviz.experiment.link import course_from_link, course_to_link
from tests.test_experiment import EXPERIMENTS, SURE

FIRST = Experiment(clip_norm=None)
CLIPPED = replace(FIRST, clip_norm=1.0)
SLOWER = replace(CLIPPED, learning_rate=1e-4)
COURSE = Course(FIRST, (Turn(180, CLIPPED), Turn(300, SLOWER)))


@st.composite
def courses(draw: st.DrawFn) -> Course:
    """Any experiment, turned to the live knobs of others at any steps."""
    course = Course(draw(EXPERIMENTS))
    steps = st.integers(1, max(1, course.first.steps - 1))
    for step in sorted(draw(st.sets(steps, max_size=4 if course.first.steps > 1 else 0))):
        course = course.turned(step, draw(EXPERIMENTS))
    return course


def test_a_turn_holds_from_the_update_after_its_step_on() -> None:
    assert [COURSE.at(step) for step in (0, 179, 180, 299, 300, 10_000)] == [
        FIRST,
        FIRST,
        CLIPPED,
        CLIPPED,
        SLOWER,
        SLOWER,
    ]
    assert COURSE.last == SLOWER
    assert [COURSE.next_turn(step) for step in (0, 179, 180, 300)] == [180, 180, 300, None]
    assert [len(COURSE.made(step)) for step in (0, 179, 180, 300)] == [0, 0, 1, 2]


def test_turning_a_knob_replaces_what_was_to_come() -> None:
    faster = replace(CLIPPED, learning_rate=0.1)
    assert COURSE.turned(200, faster).turns == (Turn(180, CLIPPED), Turn(200, faster))
    assert COURSE.turned(180, faster).turns == (Turn(180, replace(FIRST, **live(faster))),)


def live(experiment: Experiment) -> dict[str, Any]:
    return {"clip_norm": experiment.clip_norm, "learning_rate": experiment.learning_rate}


def test_a_turn_that_changes_nothing_is_none() -> None:
    assert Course(FIRST).turned(50, FIRST) == Course(FIRST)
    assert COURSE.turned(180, FIRST) == Course(FIRST)


def test_a_knob_turned_before_the_first_step_is_how_the_run_begins() -> None:
    assert Course(FIRST).turned(0, CLIPPED) == Course(CLIPPED)


def test_only_live_knobs_are_turned() -> None:
    wanted = replace(CLIPPED, optimizer=SGD(), seed=7)
    assert Course(FIRST).turned(180, wanted).turns == (Turn(180, CLIPPED),)
    with pytest.raises(GruvizError, match="What is turned at step 180 can't change while a run"):
        Course(FIRST, (Turn(180, wanted),))


@pytest.mark.parametrize("steps", [(0,), (200, 180), (180, 180)])
def test_turns_are_in_the_order_of_their_steps(steps: tuple[int, ...]) -> None:
    with pytest.raises(GruvizError, match="list the turns in the order of their steps"):
        Course(FIRST, tuple(Turn(step, CLIPPED) for step in steps))


def test_its_changes_say_what_was_before_and_after() -> None:
    assert list(COURSE.changes()) == [(180, FIRST, CLIPPED), (300, CLIPPED, SLOWER)]


def test_a_link_carries_each_turn_in_one_readable_parameter() -> None:
    assert course_to_link(COURSE) == {
        "clip_norm": "off",
        "at.180": "clip_norm:1",
        "at.300": "learning_rate:0.0001",
    }
    twice = Course(FIRST).turned(5, replace(SLOWER, optimizer=Adam(beta1=0.5)))
    assert course_to_link(twice)["at.5"] == "learning_rate:0.0001,clip_norm:1,adam.beta1:0.5"


@SURE
@given(courses())
def test_any_course_comes_back_equal_from_its_link(course: Course) -> None:
    assert course_from_link(course_to_link(course)) == (course, [])


def test_old_links_are_courses_without_turns() -> None:
    assert course_from_link({"clip_norm": "off"}) == (Course(FIRST), [])


def test_what_a_link_can_not_turn_is_said_and_left_out() -> None:
    course, complaints = course_from_link(
        {"at.180": "clip_norm:-3,seed:4", "at.0": "clip_norm:1", "at.x": "1", "at.9": "nonsense"}
    )
    assert course == Course(Experiment())
    assert complaints == [
        "The link has an unknown setting 'at.0'; it is ignored.",
        "The link has an unknown setting 'at.x'; it is ignored.",
        "The link turns 'nonsense' at step 9, which can't be turned while a run trains; it is"
        " ignored.",
        "Ignored in the link: Clip norm is -3.0; choose a number from 0.001 to 1000. None switches"
        " it off.",
        "The link turns 'seed' at step 180, which can't be turned while a run trains; it is"
        " ignored.",
    ]


def test_a_link_with_thousands_of_turns_is_cut_and_says_so() -> None:
    rates = {f"at.{step}": f"learning_rate:{step * 1e-6:g}" for step in range(1, 1002)}
    course, complaints = course_from_link(rates)
    assert len(course.turns) == 500
    assert complaints == ["The link turns knobs at 1,001 steps; the first 500 are used."]


@pytest.mark.parametrize(
    ("late", "said"),
    [
        (1, "knobs at 1 step that this run never reaches: it makes 200. It is ignored."),
        (2, "knobs at 2 steps that this run never reaches: it makes 200. They are ignored."),
    ],
)
def test_turns_that_the_run_does_not_reach_are_left_out_and_said_once(late: int, said: str) -> None:
    beyond = {f"at.{step}": "clip_norm:2" for step in range(200, 200 + late)}
    course, complaints = course_from_link({"steps": "200", "at.199": "clip_norm:0.5"} | beyond)
    assert [turn.step for turn in course.turns] == [199]
    assert complaints == ["The link turns " + said]


@SURE
@given(EXPERIMENTS, EXPERIMENTS)
def test_a_turn_is_to_what_the_page_calls_live(first: Any, wanted: Any) -> None:
    assert Course(first).turned(1, wanted).last == with_live(first, wanted)

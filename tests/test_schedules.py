"""Decay schedules at the points where their value is known."""

import math
from itertools import pairwise

import pytest

from gruviz.errors import GruvizError
from gruviz.experiment import SCHEDULES, Constant, Cosine, Exponential, StepDecay


def test_constant_never_changes() -> None:
    assert {Constant().factor(step, 100) for step in (0, 1, 50, 99)} == {1.0}


def test_step_decay_drops_at_each_multiple_and_not_before() -> None:
    schedule = StepDecay(every=10, drop=0.5)
    factors = [schedule.factor(step, 1000) for step in (0, 9, 10, 19, 20, 100)]
    assert factors == [1.0, 1.0, 0.5, 0.5, 0.25, 0.5**10]


def test_exponential_falls_by_the_same_share_to_its_final_value() -> None:
    schedule = Exponential(final=0.01)
    factors = [schedule.factor(step, 100) for step in (0, 25, 50, 75, 100)]
    assert factors == pytest.approx([1, 0.01**0.25, 0.1, 0.01**0.75, 0.01], rel=1e-12)


def test_cosine_is_half_a_cosine_from_one_to_its_final_value() -> None:
    schedule = Cosine(final=0.2)
    factors = [schedule.factor(step, 300) for step in (0, 100, 150, 200, 300, 400)]
    assert factors == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0.2], rel=1e-12)
    quarter = Cosine(final=0.0).factor(25, 100)
    assert quarter == pytest.approx((1 + math.sqrt(0.5)) / 2)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_starts_at_one_and_never_rises(name: str) -> None:
    schedule = SCHEDULES[name]()
    factors = [schedule.factor(step, 2000) for step in range(0, 2001, 20)]
    assert factors[0] == 1.0
    assert all(0 <= later <= earlier for earlier, later in pairwise(factors))


def test_a_schedule_refuses_what_is_no_decay() -> None:
    with pytest.raises(GruvizError) as caught:
        StepDecay(drop=2.0)
    assert str(caught.value) == "Multiply by is 2.0; choose a number from 0.01 to 1."

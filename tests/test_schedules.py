"""Decay schedules at the points where their value is known."""

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch.optim import Optimizer
from torch.optim import lr_scheduler as torch_schedules
from torch.optim.lr_scheduler import LRScheduler

from gruviz.errors import GruvizError
from gruviz.experiment import (
    SCHEDULES,
    Constant,
    Cosine,
    CosineRestarts,
    Experiment,
    Exponential,
    InverseTime,
    OneCycle,
    Plateau,
    Polynomial,
    Schedule,
    StepDecay,
)


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


@pytest.mark.parametrize(
    "name", [name for name in SCHEDULES if name not in ("restarts", "one_cycle")]
)
def test_every_decay_starts_at_one_and_never_rises(name: str) -> None:
    schedule = SCHEDULES[name]()
    factors = [schedule.factor(step, 2000) for step in range(0, 2001, 20)]
    assert factors[0] == 1.0
    assert all(0 <= later <= earlier for earlier, later in pairwise(factors))


def test_inverse_time_has_a_half_a_third_a_quarter_left_after_equal_times() -> None:
    factors = [InverseTime(half=30).factor(step, 1000) for step in (0, 30, 60, 90)]
    assert factors == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_a_polynomial_falls_to_its_final_share() -> None:
    factors = [Polynomial(2.0, 0.2).factor(step, 100) for step in (0, 50, 100, 200)]
    assert factors == pytest.approx([1, 0.2 + 0.8 / 4, 0.2, 0.2])


def test_restarts_come_when_a_cycle_is_over_and_cycles_grow() -> None:
    schedule = CosineRestarts(first=10, stretch=2, final=0.0)
    factors = [schedule.factor(step, 1000) for step in (0, 5, 10, 20, 30, 69, 70)]
    assert factors == pytest.approx(
        [1, 0.5, 1, 0.5, 1, (1 + math.cos(math.pi * 39 / 40)) / 2, 1], abs=1e-12
    )


def test_one_cycle_has_its_top_at_the_end_of_its_rise() -> None:
    schedule = OneCycle(rise=0.3, first=0.1, final=0.01)
    factors = [schedule.factor(step, 100) for step in (0, 29, 99, 500)]
    assert factors == pytest.approx([0.1, 1, 0.01, 0.01])


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_between_0_and_1_in_the_shortest_runs(name: str, steps: int) -> None:
    factors = [SCHEDULES[name]().factor(step, steps) for step in range(steps + 1)]
    assert all(0 <= factor <= 1 for factor in factors)


def test_a_plateau_is_no_better_for_longer_than_its_patience() -> None:
    schedule = Plateau(drop=0.5, patience=2, threshold=0.1, final=0.2)
    losses = [1.0, 0.8, 0.75, 0.74, 0.73, 0.6, 0.6, math.nan, 0.6, 0.6, 0.6, 0.6]
    shares = [schedule.reduced(losses[:count]) for count in range(len(losses) + 1)]
    assert shares == [1, 1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]
    assert {Cosine().reduced(losses), Cosine().reduced([])} == {1.0}


# Ours with what gives the same in torch, for a learning rate of 0.4 and 120 steps.
Torch = Callable[[Optimizer], LRScheduler]
PEERS: list[tuple[Schedule, Torch]] = [
    (StepDecay(every=7, drop=0.6), lambda o: torch_schedules.StepLR(o, 7, 0.6)),
    (
        Exponential(final=0.02),
        lambda o: torch_schedules.ExponentialLR(o, 0.02 ** (1 / 120)),
    ),
    (
        Polynomial(power=1.7, final=0.0),
        lambda o: torch_schedules.PolynomialLR(o, total_iters=120, power=1.7),
    ),
    (Cosine(final=0.05), lambda o: torch_schedules.CosineAnnealingLR(o, 120, eta_min=0.02)),
    (
        CosineRestarts(first=10, stretch=2, final=0.05),
        lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 10, 2, eta_min=0.02),
    ),
    (
        CosineRestarts(first=9, stretch=1, final=0.0),
        lambda o: torch_schedules.CosineAnnealingWarmRestarts(o, 9),
    ),
    (
        OneCycle(rise=0.25, first=0.1, final=0.001),
        lambda o: torch_schedules.OneCycleLR(
            o, 0.4, total_steps=120, pct_start=0.25, div_factor=10, final_div_factor=100
        ),
    ),
    (InverseTime(half=20), lambda o: torch_schedules.LambdaLR(o, lambda step: 1 / (1 + step / 20))),
]


def course(make: Torch, steps: int = 120) -> list[float]:
    """The learning rates that torch's scheduler gives a run of so many steps."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler, rates = make(optimizer), [optimizer.param_groups[0]["lr"]]
    for _step in range(steps - 1):
        optimizer.step()
        scheduler.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.parametrize(("schedule", "make"), PEERS)
def test_a_whole_course_equals_torchs_scheduler(schedule: Schedule, make: Torch) -> None:
    experiment = Experiment(learning_rate=0.4, schedule=schedule, steps=120)
    ours = [experiment.rate(step) for step in range(120)]
    np.testing.assert_allclose(ours, course(make), rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.parametrize("warmup", [1, 15])
def test_a_warm_up_in_front_of_a_schedule_equals_torchs_sequence_of_the_two(warmup: int) -> None:
    def both(optimizer: Optimizer) -> LRScheduler:
        rise = torch_schedules.LinearLR(optimizer, 1 / (warmup + 1), total_iters=warmup)
        fall = torch_schedules.CosineAnnealingLR(optimizer, 120 - warmup, eta_min=0.02)
        return torch_schedules.SequentialLR(optimizer, [rise, fall], milestones=[warmup])

    experiment = Experiment(
        learning_rate=0.4, schedule=Cosine(final=0.05), steps=120, warmup=warmup
    )
    ours = [experiment.rate(step) for step in range(120)]
    np.testing.assert_allclose(ours, course(both), rtol=1e-9, atol=1e-12)


def test_a_plateau_cuts_the_rate_when_torchs_does() -> None:
    generator = np.random.default_rng(0)
    losses = (np.exp(-np.arange(150) / 30) + 0.1 + 0.02 * generator.random(150)).tolist()
    schedule = Plateau(drop=0.5, patience=3, threshold=0.01, final=0.01)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    peer = torch_schedules.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=3, threshold=0.01, min_lr=0.004
    )
    rates = []
    for loss in losses:
        peer.step(loss)
        rates.append(optimizer.param_groups[0]["lr"])
    experiment = Experiment(learning_rate=0.4, schedule=schedule)
    ours = [experiment.rate(0, schedule.reduced(losses[: n + 1])) for n in range(150)]
    np.testing.assert_allclose(ours, rates, rtol=1e-12)
    assert len(set(rates)) > 5


def test_a_schedule_refuses_what_is_no_decay() -> None:
    with pytest.raises(GruvizError) as caught:
        StepDecay(drop=2.0)
    assert str(caught.value) == "Multiply by is 2.0; choose a number from 0.01 to 1."

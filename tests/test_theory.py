"""Theory lines: each agrees with the answer that it speaks of, tried out on the data."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gruviz.data import Dataset, judged, load, previewed, synthetic
from gruviz.data.text import parts
from gruviz.data.theory import NOTHING_KNOWN, SCALES, Line, Theory, theory
from gruviz.experiment import (
    LOSSES,
    TASKS,
    Adding,
    Brackets,
    CopyMemory,
    CrossEntropy,
    CrossEntropyInBits,
    DampedOscillation,
    DelayedEcho,
    Digits,
    Experiment,
    Huber,
    Lorenz,
    MeanAbsoluteError,
    NextCharacter,
    Parity,
    RandomWalk,
    SineMixture,
    TemporalOrder,
    Waveforms,
)


def known(task: Any, **settings: Any) -> Theory:
    experiment = Experiment(task=task, **settings)
    return theory(experiment, previewed(load(task, experiment.seed)))


def values(found: Theory) -> dict[str, float]:
    return {line.label: line.value for line in found.lines}


def test_the_exact_lines_are_these() -> None:
    assert values(known(Adding())) == {"always answer 1": 1 / 6}
    assert values(known(DelayedEcho())) == {"always answer 0": 1 / 3}
    for task, count in (
        (Parity(), 2),
        (Brackets(), 2),
        (TemporalOrder(), 4),
        (Waveforms(), 10),
        (Digits(), 10),
    ):
        assert values(known(task)) == {f"guess among {count}": math.log(count)}


@pytest.mark.parametrize(("length", "value"), [(100, 0.1733), (200, 0.0945), (1000, 0.0204)])
def test_copy_memory_without_a_memory_costs_what_the_papers_say(length: int, value: float) -> None:
    found = known(CopyMemory(length=length, size=10))
    lines = values(found)
    assert lines["guess among 10"] == math.log(10)
    assert lines["without a memory"] == pytest.approx(value, abs=5e-5)
    assert found.threshold == pytest.approx(lines["without a memory"] / 10)


def cost(dataset: Dataset, chances: np.ndarray) -> float:
    """Cross-entropy in nats of the same chances, (time, classes), for every sequence."""
    targets = dataset.train.targets
    picked = chances[np.arange(chances.shape[0]), targets]
    return float(-np.log(picked).mean())


def test_the_memoryless_answers_cost_what_their_lines_say() -> None:
    copy = load(CopyMemory(length=30, size=2000), 0)
    blank, symbol = np.eye(10)[0], np.r_[0, np.full(8, 1 / 8), 0]
    chances = np.stack([blank] * 40 + [symbol] * 10)
    line = values(known(CopyMemory(length=30)))["without a memory"]
    assert cost(copy, chances) == pytest.approx(line, rel=1e-9)
    adding = synthetic.adding(Adding(), 50_000, np.random.default_rng(0))
    assert float(((adding.targets - 1) ** 2).mean()) == pytest.approx(1 / 6, rel=0.02)
    echo = synthetic.echo(DelayedEcho(), 5000, np.random.default_rng(0))
    assert float(np.nanmean(echo.targets**2)) == pytest.approx(1 / 3, rel=0.02)


def test_letters_cost_their_entropy_in_bits() -> None:
    found = values(known(NextCharacter(size=10)))
    assert found["guess among 32"] == pytest.approx(5)
    letters = parts()[0]
    shares = np.bincount(letters) / len(letters)
    surprise = -np.log2(shares[letters]).mean()
    assert found["letter frequencies"] == pytest.approx(float(surprise))
    # English without spaces has 4.14 bits (Shannon 1951); spaces make it a little less.
    assert 4 < found["letter frequencies"] < 4.3


def test_bits_and_nats_are_told_as_the_loss_counts_them() -> None:
    nats = known(NextCharacter(size=10), loss=CrossEntropy())
    bits = known(NextCharacter(size=10), loss=CrossEntropyInBits())
    assert bits == known(NextCharacter(size=10))
    assert bits.threshold == pytest.approx(2.75)
    for one, other in zip(nats.lines, bits.lines, strict=True):
        assert one.label == other.label
        assert one.value == pytest.approx(other.value * math.log(2))
    assert values(known(Waveforms(), loss=CrossEntropyInBits())) == {
        "guess among 10": pytest.approx(math.log2(10))
    }


@pytest.mark.parametrize("task", [SineMixture(), DampedOscillation(), Lorenz(), TASKS["table"]()])
def test_the_naive_forecast_is_measured_on_what_is_validated(task: Any) -> None:
    dataset = load(task, 0)
    errors, held_out = [], judged(dataset.validation)
    for inputs, targets in zip(held_out.inputs, held_out.targets, strict=True):
        errors += [(float(target) - float(inputs[-1, 0])) ** 2 for target in targets]
    assert values(known(task))["repeat the last value"] == pytest.approx(np.mean(errors))


def test_a_forecast_is_solved_nine_tenths_of_the_way_from_naive_to_noise() -> None:
    found = known(SineMixture(noise=0.2))
    naive, noise = (line.value for line in found.lines)
    assert noise == pytest.approx(0.04)
    assert found.threshold == pytest.approx(naive - 0.9 * (naive - noise))
    assert [line.label for line in known(SineMixture(noise=0.0)).lines] == ["repeat the last value"]


def test_the_noise_is_what_a_forecast_that_knows_the_series_errs_by() -> None:
    noisy, clean = (
        synthetic.sine(SineMixture(noise=noise), 3000, np.random.default_rng(0))
        for noise in (0.3, 0.0)
    )
    error = float(((noisy.targets - clean.targets) ** 2).mean())
    assert error == pytest.approx(values(known(SineMixture(noise=0.3)))["noise"], rel=0.03)


def test_a_random_walk_is_solved_by_beating_the_naive_forecast() -> None:
    found = known(RandomWalk())
    assert found.lines == (Line("repeat the last value", found.threshold or 0),)


@pytest.mark.parametrize("loss", [MeanAbsoluteError(), Huber()])
def test_another_loss_has_no_lines(loss: Any) -> None:
    assert known(Adding(), loss=loss) == NOTHING_KNOWN
    assert {row.name for row in LOSSES.values()} - set(SCALES) == {"fitting", "mae", "huber"}


@pytest.mark.parametrize(
    ("task", "other"),
    [
        (SineMixture(), "every"),
        (CopyMemory(size=10), "last"),
        (DelayedEcho(size=10), "last"),
    ],
)
def test_where_other_answers_are_judged_nothing_is_known(task: Any, other: str) -> None:
    assert known(task, loss_on=other) == NOTHING_KNOWN
    own = "last" if other == "every" else "every"
    assert known(task, loss_on=own) == known(task)


def test_one_answer_asked_for_at_every_step_costs_the_same_but_is_not_solved() -> None:
    for task in (Adding(), Waveforms()):
        usual = known(task)
        assert known(task, loss_on="every") == replace(usual, threshold=None)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_line_and_every_made_up_one_a_goal(name: str) -> None:
    found = known(TASKS[name]())
    assert found.lines and all(line.value > 0 and line.label for line in found.lines)
    assert (found.threshold is None) == (name in ("table", "rows", "long"))

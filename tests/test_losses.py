"""Which answers are wanted, and how they are judged, computed by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from gruviz.data import IGNORED, Dataset, Sequences
from gruviz.errors import GruvizError
from gruviz.experiment import (
    LOSSES,
    CrossEntropy,
    CrossEntropyInBits,
    Experiment,
    Fitting,
    Huber,
    Kind,
    Loss,
    MeanAbsoluteError,
    MeanSquaredError,
    NextCharacter,
)
from gruviz.training.losses import FUNCTIONS, Objective, answer, objective

NUMBERS = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [0.0, 4.5]])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (MeanSquaredError(), (0 + 4 + 9 + 0.25) / 4),
        (MeanAbsoluteError(), (0 + 2 + 3 + 0.5) / 4),
        (Huber(1.0), (0 + (2 - 0.5) + (3 - 0.5) + 0.125) / 4),
        (Huber(0.25), (0 + 0.25 * 1.875 + 0.25 * 2.875 + 0.25 * 0.375) / 4),
    ],
)
def test_numbers_are_judged_by_the_chosen_loss(row: Loss, expected: float) -> None:
    judge = Objective(Kind.FORECAST, row, every=False)
    assert float(judge(*NUMBERS)) == pytest.approx(expected)
    assert math.isnan(judge.accuracy(*NUMBERS))
    assert answer(Kind.FORECAST, NUMBERS[0]) is NUMBERS[0]


def test_classes_are_judged_by_their_cross_entropy_in_nats() -> None:
    output = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    target = torch.tensor([1, 2])
    judge = Objective(Kind.CLASSIFICATION, CrossEntropy(), every=False)
    assert float(judge(output, target)) == pytest.approx(-(math.log(0.25) + math.log(0.8)) / 2)
    torch.testing.assert_close(answer(Kind.CLASSIFICATION, output), torch.exp(output))
    assert judge.accuracy(output, target) == 0.5


def test_guessing_among_ten_classes_costs_ln_10() -> None:
    judge = Objective(Kind.CLASSIFICATION, CrossEntropy(), every=False)
    assert float(judge(torch.zeros(4, 10), torch.tensor([0, 3, 7, 9]))) == pytest.approx(
        math.log(10)
    )


def test_bits_are_nats_divided_by_ln_2_and_are_told_where_the_task_asks_for_them() -> None:
    judge = Objective(Kind.CLASSIFICATION, CrossEntropyInBits(), every=False)
    assert float(judge(torch.zeros(4, 32), torch.tensor([0, 3, 7, 9]))) == pytest.approx(5)
    assert Fitting().fitting(Kind.LABELLING, in_bits=True) == CrossEntropyInBits()
    assert Fitting().fitting(Kind.LABELLING) == CrossEntropy()
    assert CrossEntropy().fitting(Kind.LABELLING, in_bits=True) == CrossEntropy()
    made = dataset(Kind.LABELLING, np.zeros((1, 6), np.int64))
    assert objective(Experiment(task=NextCharacter()), made).loss == CrossEntropyInBits()


def test_steps_without_a_wanted_answer_are_left_out() -> None:
    labels = Objective(Kind.LABELLING, CrossEntropy(), every=True)
    output = torch.log(torch.tensor([[[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]]]))
    target = torch.tensor([[IGNORED, 1, 1]])
    assert float(labels(output, target)) == pytest.approx(-(math.log(0.8) + math.log(0.1)) / 2)
    assert labels.accuracy(output, target) == 0.5
    numbers = Objective(Kind.TRACKING, MeanSquaredError(), every=True)
    output, target = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[math.nan], [5.0]]])
    assert float(numbers(output, target)) == 9.0


def dataset(kind: Kind, targets: Any, series: int = 0) -> Dataset:
    inputs = np.arange(12, dtype=np.float32).reshape(1, 6, 2)
    parts = Sequences(inputs, targets)
    return Dataset(kind, parts, parts, 2, ("a", "b"), series=series)


def wanted(kind: Kind, loss_on: str, targets: Any, series: int = 0) -> Any:
    made = dataset(kind, np.asarray(targets), series)
    judge = objective(Experiment(loss_on=loss_on), made)
    parts = made.train
    found = judge.wanted(torch.from_numpy(parts.inputs), torch.from_numpy(parts.targets))
    return judge.every, found.tolist()


def test_a_forecast_after_every_step_wants_the_values_that_follow_each() -> None:
    future = np.array([[13.0, 15.0]], np.float32)
    assert wanted(Kind.FORECAST, "task", future, 1) == (False, [[13, 15]])
    assert wanted(Kind.FORECAST, "every", future, 1) == (
        True,
        [[[3, 5], [5, 7], [7, 9], [9, 11], [11, 13], [13, 15]]],
    )


def test_one_answer_asked_for_after_every_step_is_the_same_each_time() -> None:
    assert wanted(Kind.CLASSIFICATION, "every", [1]) == (True, [[1] * 6])
    assert wanted(Kind.REGRESSION, "every", np.array([[7]], np.float32)) == (True, [[[7]] * 6])


def test_an_answer_for_every_step_can_be_asked_for_after_the_last_alone() -> None:
    labels = [[0, 1, 2, 3, 4, 5]]
    assert wanted(Kind.LABELLING, "task", labels) == (True, labels)
    assert wanted(Kind.LABELLING, "last", labels) == (False, [5])


@pytest.mark.parametrize("row", LOSSES.values())
@pytest.mark.parametrize("kind", Kind)
def test_a_loss_that_does_not_fit_says_so_and_every_other_has_its_function(
    row: type[Loss], kind: Kind
) -> None:
    made = dataset(kind, np.zeros((1, 2), np.float32))
    if row is not Fitting and row.for_classes != kind.classes:
        with pytest.raises(GruvizError, match="and this task asks for"):
            objective(Experiment(loss=row()), made)
    else:
        assert objective(Experiment(loss=row()), made).loss.name in FUNCTIONS


def test_the_refusal_names_both_sides_and_the_remedy() -> None:
    with pytest.raises(GruvizError) as caught:
        CrossEntropy().fitting(Kind.FORECAST)
    assert str(caught.value) == (
        "Cross-entropy judges classes, and this task asks for numbers; choose a loss for numbers."
    )

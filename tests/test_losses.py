"""Loss, answer and accuracy of each kind of task, computed by hand."""

import math

import pytest
import torch

from gruviz.experiment import Kind
from gruviz.training.losses import LOSSES, accuracy, answer


@pytest.mark.parametrize("kind", [Kind.FORECAST, Kind.REGRESSION])
def test_numbers_are_judged_by_their_mean_squared_error(kind: Kind) -> None:
    output, target = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [0.0, 4.0]])
    assert float(LOSSES[kind](output, target)) == (0 + 4 + 9 + 0) / 4
    assert answer(kind, output) is output
    assert math.isnan(accuracy(kind, output, target))


def test_classes_are_judged_by_their_cross_entropy_in_nats() -> None:
    output = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]]))
    target = torch.tensor([1, 2])
    loss = LOSSES[Kind.CLASSIFICATION](output, target)
    assert float(loss) == pytest.approx(-(math.log(0.25) + math.log(0.8)) / 2)
    torch.testing.assert_close(answer(Kind.CLASSIFICATION, output), torch.exp(output))
    assert accuracy(Kind.CLASSIFICATION, output, target) == 0.5


def test_guessing_among_ten_classes_costs_ln_10() -> None:
    loss = LOSSES[Kind.CLASSIFICATION](torch.zeros(4, 10), torch.tensor([0, 3, 7, 9]))
    assert float(loss) == pytest.approx(math.log(10))


def test_every_kind_has_a_loss() -> None:
    assert set(LOSSES) == set(Kind)

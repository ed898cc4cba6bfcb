"""What the coach names next, tried over three seeds: it makes the loss better than doing nothing."""

from statistics import median

import pytest

from benchmarks.coach import CASES, Case, outcomes
from gruviz.coach import RULES
from gruviz.coach.rules import clip_holds

QUICK = [case for case in CASES if case.quick]


@pytest.mark.parametrize("case", QUICK, ids=str)
def test_what_a_rule_names_makes_the_loss_better_than_doing_nothing(case: Case) -> None:
    found = outcomes(case)
    assert len(found) >= 2
    assert {advice.rule for advice, _before, _after in found} == {
        case.rule.__name__.replace("_", " ")
    }
    assert 2 * sum(after < before for _advice, before, after in found) > len(found)
    assert median(after for *_, after in found) < median(before for _, before, _ in found)


def test_every_rule_that_recommends_is_tried() -> None:
    assert {case.rule for case in QUICK} == set(RULES) - {clip_holds}

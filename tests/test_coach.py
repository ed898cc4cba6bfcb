"""The coach: each rule speaks of a real run that shows it, keeps silent of one that doesn't, and
cites numbers that the run really has."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from gruviz.coach import RULES, Advice, Coach, Evidence, Severity, advise, observe
from gruviz.coach.rules import (
    clip_always,
    clip_holds,
    explosion,
    overfitting,
    plateau,
    rate_below_usual,
    rate_too_small,
    saturated_gates,
    updates_too_large,
    updates_too_small,
    vanishing,
)
from gruviz.experiment import (
    GRU,
    OPTIMIZERS,
    RNN,
    SGD,
    Adam,
    Adding,
    Cosine,
    Experiment,
    SineMixture,
    Waveforms,
)
from gruviz.record import Columns, History, Slice, Snapshot
from gruviz.training import advance
from gruviz.words import readable

SMALL = Experiment(
    task=Adding(size=200, length=10), cell=GRU(8), batch_size=16, steps=300, learning_rate=5e-3
)
HEALTHY = replace(SMALL, steps=500)
LONG = Adding(size=200, length=60)
TIGHT = replace(SMALL, optimizer=SGD(), learning_rate=0.3, clip_norm=0.01)
INHERITED = replace(SMALL, optimizer=SGD(), learning_rate=3e-3)  # the rate that suited Adam
RESTLESS = replace(
    SMALL,
    task=SineMixture(size=200, length=12, horizon=2, noise=0.2),
    optimizer=SGD(),
    learning_rate=1.0,
    steps=700,
)
FLAT = replace(SMALL, optimizer=SGD(), learning_rate=0.03, steps=600)
WILD = replace(SMALL, optimizer=SGD(), learning_rate=1.0, clip_norm=None)
CRAWLING = replace(SMALL, optimizer=SGD(), learning_rate=1e-5)
BY_HEART = replace(
    SMALL, task=Waveforms(size=20, length=20, noise=1.0), cell=GRU(16), learning_rate=0.01
)


@cache
def part_of(experiment: Experiment) -> Slice:
    return advance(experiment)


def run(experiment: Experiment) -> tuple[History, Snapshot | None, int | None]:
    """A real run, from its first step to its last."""
    part, history = part_of(experiment), History()
    history.absorb(part)
    return history, part.snapshot, part.diverged_at


@cache
def seen(experiment: Experiment) -> Evidence:
    return observe(experiment, *run(experiment), over=True)


Rule = Callable[[Evidence], Advice | None]

CASES: list[tuple[Rule, Experiment, Experiment]] = [
    (explosion, WILD, replace(WILD, clip_norm=1.0)),
    (rate_too_small, CRAWLING, HEALTHY),
    (rate_too_small, replace(SMALL, learning_rate=1e-5), replace(CRAWLING, steps=250)),
    (rate_below_usual, INHERITED, HEALTHY),
    (rate_below_usual, INHERITED, replace(INHERITED, learning_rate=0.02)),
    (vanishing, replace(SMALL, task=LONG, cell=RNN(8)), HEALTHY),
    (vanishing, replace(SMALL, task=LONG), CRAWLING),
    (vanishing, replace(SMALL, task=LONG), replace(INHERITED, task=LONG)),
    (saturated_gates, replace(SMALL, learning_rate=1.0), HEALTHY),
    (updates_too_large, replace(WILD, learning_rate=3.0, clip_norm=1.0), HEALTHY),
    (updates_too_small, CRAWLING, replace(SMALL, learning_rate=1e-5)),
    (updates_too_small, CRAWLING, replace(CRAWLING, schedule=Cosine())),
    (overfitting, BY_HEART, HEALTHY),
    (clip_always, TIGHT, HEALTHY),
    (clip_always, TIGHT, replace(TIGHT, optimizer=Adam(), learning_rate=0.01)),
    (plateau, FLAT, HEALTHY),
    (plateau, RESTLESS, HEALTHY),
    (clip_holds, replace(WILD, clip_norm=0.5), HEALTHY),
]


@pytest.mark.parametrize(("rule", "loud", "quiet"), CASES)
def test_a_rule_speaks_of_a_run_that_shows_it_and_of_no_other(
    rule: Rule, loud: Experiment, quiet: Experiment
) -> None:
    said = rule(seen(loud))
    assert said is not None
    assert said.rule == rule.__name__.replace("_", " ")
    assert rule(seen(quiet)) is None


def test_every_rule_has_a_run_in_which_it_speaks() -> None:
    assert {rule for rule, _loud, _quiet in CASES} == set(RULES)


@pytest.mark.parametrize(("rule", "loud"), [(rule, loud) for rule, loud, _quiet in CASES])
def test_what_a_rule_proposes_is_another_experiment(rule: Rule, loud: Experiment) -> None:
    said = rule(seen(loud))
    assert said is not None
    taken = said.taken(loud)
    assert (taken == loud) == (rule is clip_holds)  # which only tells what is to be seen
    for key, text in said.settings.items():
        field = key.rpartition(".")[2]
        assert any(
            str(getattr(owner, field, None)) == text
            or getattr(getattr(owner, field, None), "name", None) == text
            or (text == "off" and getattr(owner, field, 0) is None)
            or _number(getattr(owner, field, None)) == _number(text)
            for owner in (taken, taken.task, taken.cell)
        ), key


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def test_a_healthy_run_is_left_in_peace() -> None:
    assert advise(seen(HEALTHY)) == ()


# The lesson of the adding problem: what the issue promises, word by word, with the run's numbers.

LESSON = Experiment(task=Adding(), optimizer=SGD(), learning_rate=1.0, clip_norm=None, steps=350)


def test_lr_1_without_clipping_diverges_and_is_told_so() -> None:
    history, _snapshot, diverged_at = run(LESSON)
    assert diverged_at == len(history.steps) < 20
    norm = history.steps["norm"]
    rise = readable(norm[-1] / norm[max(len(norm) - 6, 0)], 2)
    steps = min(5, len(norm) - 1)
    assert [advice.sentence for advice in advise(seen(LESSON))] == [
        f"The gradient norm rose ×{rise} in {steps} steps before the loss left the chart at step"
        f" {diverged_at}: train again with clip norm 1."
    ]
    assert advise(seen(LESSON))[0].settings == {"clip_norm": "1"}


def test_with_clip_norm_1_as_the_coach_proposed_it_does_not_and_is_not_told_to_undo_it() -> None:
    clipped = advise(seen(LESSON))[0].taken(LESSON)
    assert clipped == replace(LESSON, clip_norm=1.0)
    history, _snapshot, diverged_at = run(clipped)
    assert (diverged_at, len(history.steps)) == (None, 350)
    norm, loss = history.steps["norm"], history.steps["loss"]
    first = min(loss[0], float(np.median(loss[:10])))
    assert (
        f"Clip norm 1 is at work: {(norm > 1).mean():.0%} of 350 steps were shortened, the longest"
        f" gradient from {norm.max():.3g}, and the loss fell from {first:.3g} to"
        f" {history.steps['smooth'][-1]:.3g}."
    ) in [advice.sentence for advice in advise(seen(clipped))]
    assert all(advice.settings.get("clip_norm") is None for advice in advise(seen(clipped)))


def test_lr_1e_5_hardly_moves_and_is_told_so() -> None:
    crawling = replace(LESSON, learning_rate=1e-5)
    history, _snapshot, diverged_at = run(crawling)
    smooth = history.steps["smooth"]
    first, last = smooth[:50].mean(), smooth[-50:].mean()
    assert diverged_at is None and abs(last - first) < 0.05 * first
    said = advise(seen(crawling))
    assert said[0].sentence == (
        "The learning rate 1×10⁻⁵ is far too small: in 350 steps the loss only went from"
        f" {first:.3g} to {last:.3g}, and a step changes the weights by"
        f" 10^{seen(crawling).ratio():.1f} of their size. Train again with learning rate 0.1."
    )
    assert said[0].settings == {"learning_rate": "0.1"}
    assert said[0].severity is Severity.PROBLEM


def test_a_rate_that_suited_adam_is_the_first_suspect_of_a_slow_sgd() -> None:
    said = advise(seen(INHERITED))
    history = run(INHERITED)[0]
    loss = history.steps["loss"]
    first = min(loss[0], float(np.median(loss[:10])))
    assert said[0].sentence == (
        "SGD usually has a learning rate of about 0.1, and this run has 0.003: in 300 steps the loss"
        f" only went from {first:.3g} to {history.steps['smooth'][-1]:.3g}. Train again with learning"
        " rate 0.1."
    )
    assert said[0].settings == {"learning_rate": "0.1"}
    assert not {"clip_norm", "schedule"} & {key for advice in said for key in advice.settings}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_that_is_proposed_to_a_slow_run_is_its_optimizers_usual_one(name: str) -> None:
    row = OPTIMIZERS[name]
    slow = replace(INHERITED, optimizer=row(), learning_rate=row.usual_rate / 20)
    said = rate_below_usual(replace(seen(INHERITED), experiment=slow))
    assert said is not None and said.taken(slow).learning_rate == row.usual_rate
    near = replace(slow, learning_rate=row.usual_rate / 5)
    assert rate_below_usual(replace(seen(INHERITED), experiment=near)) is None


def test_a_rate_far_above_the_usual_one_is_what_a_divergence_is_blamed_on() -> None:
    wild = replace(WILD, learning_rate=10.0)
    said = explosion(replace(seen(WILD), experiment=wild))
    assert said is not None and said.settings == {"learning_rate": "0.1"}


def test_a_clipped_run_that_diverges_is_told_to_lower_the_rate() -> None:
    part = replace(part_of(WILD), steps={**part_of(WILD).steps})
    limit = np.full(len(part.steps["step"]), 2.0)
    history = History()
    history.absorb(replace(part, steps={**part.steps, "clip_norm": limit}))
    said = explosion(observe(WILD, history, None, part.diverged_at, over=True))
    assert said is not None
    assert said.settings == {"learning_rate": "0.1"}
    assert said.sentence.endswith(": train again with learning rate 0.1.")


def test_vanishing_is_cured_by_a_gru_of_the_same_size_or_by_shorter_sequences() -> None:
    plain, gated = replace(SMALL, task=LONG, cell=RNN(8)), replace(SMALL, task=LONG)
    one, other = vanishing(seen(plain)), vanishing(seen(gated))
    assert one is not None and other is not None
    assert one.taken(plain) == gated
    assert other.taken(gated) == replace(gated, task=replace(LONG, length=30))
    gradient = seen(plain).gradient
    assert gradient is not None
    share = readable(float(gradient[0] / gradient[-1]), 2)
    assert f"at the first of 60 time steps it is {share} of what it is at the last" in one.sentence


def test_the_share_of_saturated_gates_is_that_of_the_worst_gate() -> None:
    evidence = seen(replace(SMALL, learning_rate=1.0))
    said = saturated_gates(evidence)
    assert said is not None
    shares = {
        name: float(((values < 0.1) | (values > 0.9)).mean())
        for name, values in evidence.signals.items()
        if name in ("reset", "update")
    }
    name = {"reset": "Reset gate r", "update": "Update gate z"}[max(shares, key=shares.__getitem__)]
    assert said.sentence == (
        f"{max(shares.values()):.0%} of the values of {name} are below 0.1 or above 0.9, where a gate"
        " hardly learns: train again with learning rate 0.1."
    )


def test_the_clip_norm_of_a_run_that_is_always_clipped_is_set_to_twice_the_middle_norm() -> None:
    said = clip_always(seen(TIGHT))
    norm = seen(TIGHT).steps["norm"]
    share, middle = float((norm > 0.01).mean()), float(np.median(norm))
    assert said is not None
    assert float(said.settings["clip_norm"]) == pytest.approx(2 * middle, rel=0.5)
    assert said.sentence.startswith(
        f"{share:.0%} of 300 steps were clipped to 0.01; the gradient norm is {middle:.3g} in the"
        " middle."
    )


def test_clip_rules_look_only_at_the_steps_under_the_present_clip_norm() -> None:
    history = History()
    for experiment in (TIGHT, replace(SMALL, steps=300, clip_norm=100.0)):
        history.absorb(part_of(experiment))
    evidence = observe(SMALL, history, over=True)
    assert clip_always(replace(evidence, experiment=TIGHT)) is None


def test_a_rule_that_can_not_show_its_numbers_is_silent() -> None:
    for experiment in {loud for _rule, loud, _quiet in CASES}:
        blind = replace(
            seen(experiment),
            blocks={},
            signals={},
            gradient=None,
            diverged_at=None,
            validations={"step": np.empty(0), "loss": np.empty(0)},
        )
        silent = {"explosion", "rate_too_small", "vanishing", "saturated_gates", "overfitting"}
        silent |= {"updates_too_large", "updates_too_small"}
        assert [r.__name__ for r in RULES if r.__name__ in silent and r(blind) is not None] == []


def test_nothing_is_said_before_the_first_window_is_full() -> None:
    history, snapshot, _diverged = run(WILD)
    assert advise(observe(WILD, history, snapshot)) == ()
    assert advise(observe(WILD, History())) == ()


def test_evidence_ends_with_the_last_whole_window_while_the_run_goes_on() -> None:
    experiment = replace(SMALL, steps=130)
    history, snapshot, _diverged = run(experiment)
    part = observe(experiment, history, snapshot)
    assert (part.count, part.validations["step"].tolist()) == (100, [0, 50, 100])
    assert part.blocks["step"][-1] == 100
    whole = observe(experiment, history, snapshot, over=True)
    assert (whole.count, whole.validations["step"][-1]) == (130, 130)


def test_at_most_three_speak_the_most_serious_first_and_no_two_turn_the_same_knob() -> None:
    said = advise(seen(CRAWLING))
    assert [advice.rule for advice in said] == ["rate too small", "clip always"]
    assert rate_below_usual(seen(CRAWLING)) is not None  # the same knob, less serious
    assert updates_too_small(seen(CRAWLING)) is not None
    everyone = [advise(seen(loud)) for _rule, loud, _quiet in CASES]
    for advices in everyone:
        assert 0 < len(advices) <= 3
        severities = [advice.severity for advice in advices]
        assert severities == sorted(severities, reverse=True)
        knobs = [key for advice in advices for key in advice.settings]
        assert len(set(knobs)) == len(knobs)


def test_a_run_that_diverged_is_told_about_that_alone() -> None:
    assert [advice.rule for advice in advise(seen(WILD))] == ["explosion"]


def test_what_is_said_holds_until_another_window_is_full() -> None:
    experiment, coach = TIGHT, Coach()
    history, snapshot, _diverged = run(experiment)
    assert snapshot is not None
    said = coach.advice(experiment, history, snapshot)
    assert said
    saturated = {name: np.ones_like(values) for name, values in snapshot.signals.items()}
    other = replace(snapshot, signals=saturated)
    assert coach.advice(experiment, history, other) is said
    rows = {name: np.repeat(values[-1:], 50) for name, values in history.steps.since(0).items()}
    rows["step"] = np.arange(301.0, 351.0)
    history.steps.append({name: values[:49] for name, values in rows.items()})
    assert coach.advice(experiment, history, other) is said
    history.steps.append({name: values[49:] for name, values in rows.items()})
    assert "saturated gates" in [a.rule for a in coach.advice(experiment, history, other)]


def test_the_end_of_a_run_and_a_turned_knob_are_looked_at_at_once() -> None:
    coach = Coach()
    history, snapshot, diverged_at = run(WILD)
    assert coach.advice(WILD, history, snapshot) == ()
    assert [a.rule for a in coach.advice(WILD, history, snapshot, diverged_at, over=True)] == [
        "explosion"
    ]


@pytest.mark.parametrize("loss", [math.nan, 0.0, math.inf])
@pytest.mark.parametrize("odd_steps", [True, False])
def test_odd_numbers_are_no_reason_to_speak_or_to_fail(loss: float, odd_steps: bool) -> None:
    history = History()
    count = 600
    rows = {name: np.full(count, loss) for name in history.steps.names}
    rows |= {"loss": np.full(count, odd_steps and loss), "norm": np.full(count, odd_steps and loss)}
    history.steps.append({**rows, "step": np.arange(1.0, count + 1)})
    columns = Columns(("step", "update.head"))
    columns.append({"step": np.arange(10.0, 610.0, 10), "update.head": np.full(60, loss)})
    history.blocks = columns
    values = np.full(9, loss)
    history.validations.append(
        {"step": np.arange(0.0, 450.0, 50), "loss": values, "accuracy": values}
    )
    gates, nothing = {"reset": np.full((4, 3), loss)}, np.empty(0, np.float32)
    snapshot = Snapshot(600, gates, nothing, nothing, nothing, np.full(5, loss))
    for over in (False, True):
        advise(observe(SMALL, history, snapshot, over=over))
    assert explosion(observe(SMALL, history, snapshot, 600, over=True)) is None


def test_a_gradient_vanishes_below_a_thousandth_of_what_it_is_at_the_end() -> None:
    evidence = seen(replace(SMALL, task=LONG, cell=RNN(8)))
    for first, speaks in ((0.99e-3, True), (1.01e-3, False), (0.05, False)):
        gradient = np.geomspace(first, 1.0, 60)
        assert (vanishing(replace(evidence, gradient=gradient)) is not None) == speaks


@pytest.mark.parametrize(
    ("norms", "said"),
    [
        ((1, 1, 1, 1, 1, 1, 1.5), "rose ×1.5 in 5 steps"),
        ((1000, 1, 1, 1, 1, 1, 1, 50), "rose ×50 in 5 steps"),
        ((5, 4, 3, 2, 1, 0.5), None),
    ],
)
def test_an_explosion_is_a_norm_that_rose_over_the_last_five_steps(
    norms: tuple[float, ...], said: str | None
) -> None:
    steps = {"norm": np.array(norms), "clip_norm": np.full(len(norms), 2.0)}
    slow = replace(WILD, learning_rate=0.05)
    found = explosion(Evidence(slow, steps, {}, {}, {}, None, len(norms)))
    assert (found is None) == (said is None)
    if found is not None and said is not None:
        assert said in found.sentence and found.settings == {"learning_rate": "0.005"}


@pytest.mark.parametrize(
    ("rule", "experiment", "loud", "quiet"),
    [
        (rate_too_small, CRAWLING, -4.1, -3.9),
        (updates_too_small, CRAWLING, -5.1, -4.9),
        (updates_too_large, HEALTHY, -1.4, -1.6),
        (vanishing, replace(SMALL, task=LONG, cell=RNN(8)), -3.9, -4.1),
    ],
)
def test_a_rule_about_the_size_of_updates_speaks_on_one_side_of_its_threshold_alone(
    rule: Rule, experiment: Experiment, loud: float, quiet: float
) -> None:
    evidence = seen(experiment)
    for ratio, speaks in ((loud, True), (quiet, False)):
        blocks = {"step": evidence.steps["step"][-1:], "update.head": np.array([ratio])}
        assert (rule(replace(evidence, blocks=blocks)) is not None) == speaks

"""What a chart shows, in words: whole sentences with known numbers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gruviz.charts import Subject, alternatives
from gruviz.experiment.cells import RESET

NOTHING = Subject()


def steps(**columns: list[float]) -> dict[str, dict[str, np.ndarray]]:
    return {"steps": {name: np.array(values) for name, values in columns.items()}}


def test_the_loss_in_words() -> None:
    tables = steps(step=[1, 2, 1500], smooth=[2.5, 2, 0.123456])
    assert alternatives.loss(tables, NOTHING) == (
        "Training loss 0.1235 at step 1,500; it began at 2.5."
    )
    tables["validations"] = {"loss": np.array([3.0, 0.25])}
    assert alternatives.loss(tables, NOTHING) == (
        "Training loss 0.1235 at step 1,500; it began at 2.5. Validation loss 0.25."
    )


def test_the_loss_in_words_with_what_is_known_and_where_it_was_solved() -> None:
    tables = steps(step=[1500], smooth=[0.5])
    tables["solved"] = {"step": np.array([1200])}
    assert alternatives.loss(tables, Subject(lines=(("guess", 2.5), ("best", 0.125)))) == (
        "Training loss 0.5 at step 1,500; it began at 0.5. Solved at step 1,200."
        " Known without training: guess, 2.5. Known without training: best, 0.125."
    )
    assert alternatives.loss({}, Subject(lines=(("guess", 2.5),))) == (
        "Loss: nothing trained yet. Known without training: guess, 2.5."
    )


def test_a_prediction_at_every_step_in_words() -> None:
    probe = {"asked": np.array([1, 2]), "target": np.array([0, 1])}
    chances = np.array([[0.0, 0.75, 0.5], [1.0, 0.25, 0.5]])
    assert alternatives.prediction({"probe": probe, "answer": {"chances": chances}}, NOTHING) == (
        "The network gives 62% to the true class on average and favours it at 1 of 2 time steps."
    )
    answer = {"value": np.array([9.0, 0.5, 1.0])}
    assert alternatives.prediction({"probe": probe, "answer": answer}, NOTHING) == (
        "The prediction is off by 0.25 on average."
    )


def test_a_few_sequences_in_words() -> None:
    assert alternatives.sequences(["", ""]) == "2 sequences of the task."
    assert alternatives.sequences(["odd", "even"]) == "2 sequences of the task. Wanted: odd, even."


def test_the_gradient_norm_in_words() -> None:
    tables = steps(norm=[1, 4, 2, 0.5], clip_norm=[1.5] * 4)
    assert alternatives.gradient_norm(tables, NOTHING) == (
        "Gradient norm 0.5; largest so far 4. Clip norm 1.5; 50% of steps were clipped."
    )
    tables = steps(norm=[1, math.nan], clip_norm=[1.5, math.nan])
    assert alternatives.gradient_norm(tables, NOTHING) == (
        "Gradient norm nan; largest so far 1. Clipping is off."
    )
    tables = steps(norm=[math.nan], clip_norm=[math.nan])
    assert alternatives.gradient_norm(tables, NOTHING) == (
        "Gradient norm nan; largest so far inf. Clipping is off."
    )


def test_the_clip_lens_in_words() -> None:
    tables = steps(
        step=[1, 1200],
        loss=[2, 0.25],
        norm=[8, 4],
        clipped_norm=[1, 1],
        clipped_share=[100, 62],
        effective_step=[0.1, 0.025],
    )
    assert alternatives.clip_lens(tables, NOTHING) == (
        "At step 1,200 the loss is 0.25, the gradient norm 4 before clipping and 1 after; 62% of the"
        " last 100 steps were clipped; the effective step is 0.025."
    )


def test_the_blocks_in_words() -> None:
    nan = math.nan
    blocks = {
        "step": [10, 1020],
        "gradient.W_ih": [1, 0.5],
        "gradient.head": [1, 2.5],
        "update.W_ih": [-3, -4.5],
        "update.head": [-3, -2.75],
        "moment.W_ih": [nan, nan],
    }
    tables = {"blocks": {name: np.array(values) for name, values in blocks.items()}}
    assert alternatives.block_gradients(tables, NOTHING) == (
        "Gradient norm per block at step 1,020: largest in head (2.5), smallest in W_ih (0.5)."
    )
    assert alternatives.block_updates(tables, NOTHING) == (
        "Update-to-weight ratio at step 1,020: largest in head (-2.75), smallest in W_ih (-4.5). 1 of"
        " 2 blocks are in the healthy band from -3.5 to -2.5."
    )
    assert alternatives.block_moments(tables, NOTHING) == (
        "Second moment per block: this optimizer keeps none."
    )
    tables["blocks"]["moment.W_ih"] = np.array([0.5, 0.25])
    assert alternatives.block_moments(tables, NOTHING) == (
        "Second moment per block at step 1,020: largest in W_ih (0.25), smallest in W_ih (0.25)."
    )


def test_the_learning_rate_in_words() -> None:
    tables = {
        "plan": {"learning_rate": np.array([0.1, 0.05, 0.001])},
        "here": {"learning_rate": np.array([0.0625])},
    }
    assert alternatives.learning_rate(tables, NOTHING) == (
        "Learning rate 0.0625 now; the schedule goes from 0.1 to 0.001."
    )


def test_a_signal_in_words() -> None:
    tables = {"signals": {"reset": np.array([[0.0, 0.5, 1.0], [0.5, 0.5, 0.5]])}}
    about = Subject(signals=(RESET,))
    assert alternatives.signal(tables, about) == (
        "Reset gate r: 2 units by 3 time steps, mean 0.50, from 0.00 to 1.00."
    )
    assert alternatives.signal({}, about) == "Reset gate r: nothing to show yet."


def test_the_gradient_through_time_in_words_begins_at_the_first_time_step() -> None:
    tables = {"gradient": {"time": np.arange(3), "norm": np.array([1e-6, 0.01, 0.5])}}
    assert alternatives.gradient_through_time(tables, NOTHING) == (
        "Gradient through time: 1e-06 at the first time step, 0.5 at the last."
    )


def test_a_prediction_in_words() -> None:
    answer = {"value": np.array([0.25, 0.125, 0.625])}
    true = {"probe": {"true": np.array([0, 1, 0])}, "answer": answer}
    assert alternatives.prediction(true, NOTHING) == (
        "The network gives 12% to the true class and favours class 2."
    )
    target = {"probe": {"target": np.array([0.25, 0.0, 1.0])}, "answer": answer}
    assert alternatives.prediction(target, NOTHING) == "The prediction is off by 0.167 on average."
    assert alternatives.prediction({"probe": {}, "answer": answer}, NOTHING) == ""


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (alternatives.loss, "Loss: nothing trained yet."),
        (alternatives.gradient_norm, "Gradient norm: nothing trained yet."),
        (alternatives.prediction, "Prediction: nothing trained yet."),
        (alternatives.clip_lens, "Clip lens: nothing trained yet."),
        (alternatives.block_gradients, "Gradient norm per block: nothing trained yet."),
        (alternatives.block_updates, "Update-to-weight ratio: nothing trained yet."),
        (alternatives.block_moments, "Second moment per block: nothing trained yet."),
    ],
)
def test_before_training_there_is_nothing_to_tell(
    words: Callable[[dict[str, Any], Subject], str], expected: str
) -> None:
    assert words({}, NOTHING) == expected


def test_a_step_counts_as_clipped_by_the_clip_norm_of_its_own_time() -> None:
    said = alternatives.gradient_norm(steps(norm=[1, 3, 1], clip_norm=[2, 2, 0.5]), NOTHING)
    assert said.endswith("Clip norm 0.5; 67% of steps were clipped.")


def test_the_share_of_the_true_class_is_that_of_each_time_steps_own() -> None:
    probe = {"asked": np.array([0, 1]), "target": np.array([1, 0])}
    chances = np.array([[0.2, 0.9], [0.8, 0.1]])
    said = alternatives.prediction({"probe": probe, "answer": {"chances": chances}}, Subject())
    assert "gives 85% to the true class on average and favours it at 2 of 2" in said

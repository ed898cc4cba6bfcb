"""A model that writes: every letter drawn from what the model said after the ones before it."""

from typing import Any

import numpy as np
import pytest
import torch

from gruviz.data import load
from gruviz.experiment import CELLS, Cell, Experiment, NextCharacter, SineMixture
from gruviz.training import Trainer, advance
from gruviz.training.sampling import continuation
from gruviz.training.trainer import WRITTEN

SMALL = NextCharacter(size=10, length=12)


def trainer(cell: Cell, seed: int = 0) -> Trainer:
    experiment = Experiment(task=SMALL, cell=cell, batch_size=4, seed=seed, steps=9)
    return Trainer(experiment, load(SMALL, seed))


@pytest.mark.parametrize("row", CELLS.values())
def test_each_letter_is_drawn_from_the_model_given_all_before_it(row: Any) -> None:
    made = trainer(row(6))
    prompt = torch.from_numpy(made.dataset.validation.inputs[0])
    drawn = continuation(made.model, prompt, 15, np.random.default_rng(3))
    thresholds = np.random.default_rng(3).random(15)
    text = prompt
    for letter, threshold in zip(drawn, thresholds, strict=True):
        with torch.no_grad():
            chances = torch.softmax(made.model(text[None])[0].double(), dim=0).numpy()
        below = chances[:letter].sum()
        assert below - 1e-6 <= threshold < below + chances[letter] + 1e-6
        text = torch.cat([text, torch.eye(32)[letter][None]])


def test_letters_are_drawn_as_often_as_the_model_says() -> None:
    class Fixed:
        def recurrent(self, x: torch.Tensor, _state: Any = None) -> tuple[torch.Tensor, None]:
            return torch.zeros(1, x.shape[1], 2), None

        def head(self, _hidden: torch.Tensor) -> torch.Tensor:
            return torch.log(torch.tensor([0.5, 0.0, 0.3, 0.2]))

    drawn = continuation(Fixed(), torch.zeros(1, 4), 4000, np.random.default_rng(0))
    np.testing.assert_allclose(
        np.bincount(drawn, minlength=4) / 4000, [0.5, 0, 0.3, 0.2], atol=0.03
    )


def test_a_snapshot_writes_on_and_its_seed_and_step_decide_what() -> None:
    made = trainer(CELLS["gru"](6))
    first = made.snapshot().text
    assert len(first) == WRITTEN == 120
    assert set(first) <= set(NextCharacter.classes)
    assert first == made.snapshot().text
    made.step()
    assert first != made.snapshot().text
    assert first != trainer(CELLS["gru"](6), seed=1).snapshot().text


def test_writing_leaves_training_alone_and_other_tasks_do_not_write() -> None:
    experiment = Experiment(task=SMALL, cell=CELLS["gru"](6), batch_size=4, steps=6)
    whole = advance(experiment)
    half = advance(experiment, steps=3)
    rest = advance(experiment, half.checkpoint)
    np.testing.assert_array_equal(
        whole.steps["loss"], np.concatenate([half.steps["loss"], rest.steps["loss"]])
    )
    assert whole.snapshot is not None and rest.snapshot is not None
    assert whole.snapshot.text == rest.snapshot.text != ""
    other = advance(Experiment(task=SineMixture(size=10), batch_size=4, steps=1)).snapshot
    assert other is not None and other.text == ""

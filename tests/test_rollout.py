"""Free running, against the same done by hand with the model's own answers."""

import numpy as np
import torch

from gruviz.data import load
from gruviz.experiment import GRU, Adding, Experiment, Lorenz, SineMixture
from gruviz.training import Trainer
from gruviz.training.rollout import roll_out

SMALL = Experiment(task=SineMixture(size=20, length=12, horizon=5), cell=GRU(4), batch_size=10)


def trainer(experiment: Experiment) -> Trainer:
    made = Trainer(experiment, load(experiment.task, experiment.seed))
    made.step()
    return made


def test_each_block_is_forecast_from_the_window_that_ends_with_the_blocks_before() -> None:
    model = trainer(SMALL).model
    series = torch.linspace(-1, 1, 12)
    found = roll_out(model, series, 3)
    assert found.shape == (15,)
    whole = torch.cat([series, found])
    with torch.no_grad():
        for block in range(3):
            end = 12 + 5 * block
            expected = model(whole[end - 12 : end][None, :, None])[0]
            torch.testing.assert_close(found[5 * block : 5 * block + 5], expected)


def test_a_snapshot_rolls_out_a_series_and_nothing_else() -> None:
    made = trainer(SMALL)
    snapshot = made.snapshot()
    assert snapshot.rollout is not None and snapshot.rollout.shape == (20,)
    np.testing.assert_allclose(snapshot.rollout[:5], snapshot.prediction[-1], atol=1e-6)
    for task in (Adding(size=20, length=12), Lorenz(size=20, length=12, horizon=5)):
        other = Experiment(task=task, cell=GRU(4), batch_size=10)
        assert trainer(other).snapshot().rollout is None

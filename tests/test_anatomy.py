"""What one step did, in the words and numbers of that step."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.nn.functional import mse_loss

from gruviz.data import batches, fetch_sample, load
from gruviz.experiment import SGD, CopyMemory, DelayedEcho, Experiment, Regularized
from gruviz.runs import Run, Status
from gruviz.runs.run import SLOW_SECONDS
from gruviz.training.trainer import Trainer
from gruviz.ui.anatomy import REVEAL_SHARE, stages
from gruviz.ui.feed import Viewer
from gruviz.words import readable
from tests.page import labelled, opened, pressed, run_of, stepped, wait_until_settled
from tests.test_feed import START, unpack
from tests.test_run import SMALL, OnDemand, a_run

CLIPPED = replace(SMALL, optimizer=SGD(), clip_norm=0.05)
STAGES = ["Batch", "Forward", "Loss", "Backward", "Clip", "Update"]


def single(experiment: Experiment) -> Run:
    """A run that was asked for one step."""
    executor = OnDemand()
    run = a_run(executor, experiment)
    run.train(1)
    executor.do_all()
    return run


def told(run: Run) -> Mapping[str, str]:
    return dict(stages(run)["rows"])


def by_hand(experiment: Experiment) -> dict[str, Any]:
    """The first step, with torch's own loss and no clipping."""
    data = load(experiment.task, experiment.seed, fetch_sample)
    model = Trainer(experiment, data).model
    assert experiment.batch_size is not None
    rows = next(batches(len(data.train), experiment.batch_size, experiment.seed, 0))
    output = model(torch.from_numpy(np.array(data.train.inputs[rows])))
    target = torch.from_numpy(np.array(data.train.targets[rows]))
    loss = mse_loss(output, target)
    loss.backward()
    gradients = [w.grad for w in model.parameters() if w.grad is not None]
    norm = float(torch.cat([each.ravel() for each in gradients]).norm())
    before = torch.cat([weight.detach().ravel() for weight in model.parameters()])
    factor = min(1.0, (experiment.clip_norm or math.inf) / norm)
    moved = experiment.learning_rate * factor * torch.cat([each.ravel() for each in gradients])
    return {
        "rows": rows,
        "answer": output[0].tolist(),
        "target": target[0].tolist(),
        "loss": loss.item(),
        "norm": norm,
        "factor": factor,
        "largest": max(float(each.abs().max()) for each in gradients),
        "moved": float(moved.norm()),
        "most": float(moved.abs().max()),
        "weights": float((before - moved).norm()),
    }


def test_the_strip_of_a_single_step_has_the_numbers_of_that_step_worked_out_by_hand() -> None:
    hand = by_hand(CLIPPED)
    run = single(CLIPPED)
    strip = stages(run)
    assert (strip["step"], strip["seconds"]) == (1, 0)
    assert [label for label, _text in strip["rows"]] == STAGES
    said = told(run)
    rows = ", ".join(map(str, hand["rows"][:8].tolist()))
    assert said["Batch"] == f"16 sequences\nrows {rows}, …"
    assert said["Forward"] == (
        f"the first one: {readable(hand['answer'][0], 3)}\nwanted: {readable(hand['target'][0], 3)}"
    )
    assert said["Loss"] == f"{readable(hand['loss'])} over the batch"
    block = said["Backward"].rsplit(" in ", 1)[1]
    assert block in {"head", "biases"} or block.startswith("W_")
    assert said["Backward"] == (
        f"‖gradient‖ {readable(hand['norm'])}\nlargest {readable(hand['largest'])} in {block}"
    )
    assert hand["factor"] < 1
    assert said["Clip"] == f"× {readable(hand['factor'])}\n‖gradient‖ 0.05"
    rate = float(run.history.steps["learning_rate"][0])
    assert rate == CLIPPED.learning_rate
    assert said["Update"] == (
        f"rate {readable(rate)}: ‖Δw‖ {readable(hand['moved'])}, at most {readable(hand['most'])}\n"
        f"‖w‖ {readable(hand['weights'])}"
    )


def test_a_gradient_that_is_short_enough_is_not_shortened() -> None:
    for clip_norm in (None, 1000.0):
        assert told(single(replace(CLIPPED, clip_norm=clip_norm)))["Clip"] == "nothing to shorten"


def test_a_penalty_is_named_beside_the_loss() -> None:
    run = single(replace(CLIPPED, regularization=Regularized(kernel_l2=0.1)))
    loss, penalty = told(run)["Loss"].split("\n")
    assert loss == f"{readable(float(run.history.steps['loss'][0]))} over the batch"
    assert penalty == f"+ {readable(float(run.history.steps['penalty'][0]))} penalty"


def test_many_numbers_are_cut_short_and_a_small_batch_is_shown_whole() -> None:
    said = told(single(replace(SMALL, task=CopyMemory(size=40), batch_size=4)))
    answer = said["Forward"].split("\n")[0].removeprefix("the first one: ")
    assert len(answer.split(", ")) == 4 and answer.endswith(", …")
    assert said["Batch"].startswith("4 sequences\nrows ") and "…" not in said["Batch"]


def test_where_nothing_is_asked_a_dash_stands_for_the_target() -> None:
    run = single(replace(SMALL, task=DelayedEcho(size=40)))
    wanted = run.anatomy["forward"]["target"]
    text = told(run)["Forward"].split("\nwanted: ")[1]
    assert text == ", ".join("–" if math.isnan(v) else readable(v, 3) for v in wanted)
    without = {**run.anatomy, "forward": {"answer": [0.5], "target": [math.nan]}}
    run.anatomy = without
    assert told(run)["Forward"] == "the first one: 0.5\nwanted: –"


def test_only_slow_motion_and_single_steps_are_told_stage_by_stage() -> None:
    executor = OnDemand()
    run = a_run(executor)
    nothing = {"step": -1, "seconds": 0, "rows": []}
    assert stages(run) == nothing
    run.train(3)
    executor.do_all()
    assert stages(run) == nothing
    run.slow_down(True)
    assert stages(run)["seconds"] == REVEAL_SHARE * SLOW_SECONDS
    assert [label for label, _text in stages(run)["rows"]] == STAGES
    run.slow_down(False)
    assert stages(run) == nothing
    run.train(1)
    executor.do_all()
    assert stages(run)["step"] == 4


def test_the_feed_brings_the_strip_with_the_step() -> None:
    run = single(CLIPPED)
    header, _tables = unpack(Viewer(run).frame(START))
    assert header["stages"] == json.loads(json.dumps(stages(run)))


def test_slow_motion_makes_one_step_at_a_time_with_its_stages() -> None:
    page = opened(link={"task": "adding", "adding.size": "40", "batch_size": "16"})
    labelled(page.toggle, "Slow motion").set_value(True).run()
    pressed(page, "Train")
    run = run_of(page)
    try:
        assert run.slow
    finally:
        pressed(page, "Pause")
    wait_until_settled(run)
    assert (run.step_count, run.status) == (1, Status.PAUSED)
    assert [label for label, _text in stages(run)["rows"]] == STAGES


def test_step_tells_its_stages_on_the_page() -> None:
    page = opened(link={"task": "adding", "adding.size": "40", "batch_size": "16"})
    run = stepped(page, 1)
    assert stages(run)["step"] == 1
    assert not stages(stepped(page, 2))["rows"]

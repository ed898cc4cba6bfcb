"""The tasks with a known answer: do they start at their theory lines, and who solves them?

`python -m benchmarks.tasks` takes minutes; `python -m benchmarks.tasks adding600` takes most of an
hour: the adding problem at T = 600 by the protocol of Bai, Kolter and Koltun 2018 (arXiv 1803.01271),
whose GRU of 70,000 weights reaches 5.3e-5.
"""

import argparse
import math
import statistics
import time
from collections.abc import Iterable

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch.nn import functional

from gruviz import Experiment, nn, train
from gruviz.data import load, synthetic
from gruviz.experiment import COPIED, GRU, RNN, Adding, Cell, CopyMemory, Cosine
from gruviz.record import solved
from gruviz.training import Trainer

SEEDS = range(5)
LENGTH = 100
PLATEAU = 200  # steps after which a network has learned the best answer without a memory
SOLVED = 0.01

PUBLISHED = 5.3e-5
LONG_ADDING = Adding(length=600, size=50_000)
LONG = Experiment(
    task=LONG_ADDING,
    cell=GRU(150),
    learning_rate=2e-3,
    schedule=Cosine(),
    batch_size=32,
    clip_norm=1.0,
    steps=6 * math.ceil(50_000 / 32),
)


def short() -> None:
    """Adding and copy memory at T = 100, five seeds each."""
    memoryless = COPIED * math.log(8) / (LENGTH + 2 * COPIED)
    adding, copy = Adding(length=LENGTH, size=20_000), CopyMemory(length=LENGTH, size=5_000)
    cells: list[tuple[str, Cell]] = [("GRU", GRU(64)), ("plain RNN", RNN(64))]
    print(f"Adding, T = {LENGTH}: always answering 1 costs {1 / 6:.4f}")
    for name, cell in cells:
        _race(name, Experiment(task=adding, cell=cell, steps=3000, schedule=Cosine()), SOLVED)
    print(
        f"Copy memory, T = {LENGTH}: guessing costs {math.log(10):.4f},"
        f" answering without a memory {memoryless:.4f}"
    )
    for name, cell in cells:
        experiment = Experiment(task=copy, cell=cell, steps=3000, schedule=Cosine())
        _race(name, experiment, memoryless / 10)


def _race(name: str, experiment: Experiment, threshold: float) -> None:
    runs = []
    for seed in SEEDS:
        found = train(Experiment.from_dict({**experiment.to_dict(), "seed": seed})).validations
        runs.append((found["step"].copy(), found["loss"].copy()))
    steps = [solved({"step": step, "loss": loss}, threshold) for step, loss in runs]
    done = [step for step in steps if step is not None]
    print(f"  {name}, {experiment.cell.units} units, {experiment.steps:,} steps, seeds 0 to 4")
    for label, values in (
        ("untrained", [loss[0] for _step, loss in runs]),
        (f"step {PLATEAU}", [loss[step == PLATEAU][0] for step, loss in runs]),
        ("end", [loss[-1] for _step, loss in runs]),
    ):
        print(f"    {label + ':':<12} {_spread(values)}")
    when = f" at step {_spread(done, '.0f')}" if done else ""
    print(f"    solved:      {len(done)} of {len(runs)}{when}", flush=True)


def _spread(values: Iterable[float], digits: str = ".4g") -> str:
    found = list(values)
    low, high = format(min(found), digits), format(max(found), digits)
    return f"mean {statistics.mean(found):{digits}} ({low} to {high})"


def adding600() -> None:
    """The learning curve of LONG on 1,000 test sequences, at every tenth of an epoch."""
    torch.set_num_threads(1)
    nn.warm()
    threadpool_limits(1, user_api="blas")
    trainer = Trainer(LONG, load(LONG.task, LONG.seed))
    test = synthetic.adding(LONG_ADDING, 1000, np.random.default_rng([LONG.seed, 5]))
    inputs, targets = torch.from_numpy(test.inputs), torch.from_numpy(test.targets)

    @torch.no_grad()
    def tested() -> float:
        parts = [trainer.model(part) for part in inputs.split(250)]
        return functional.mse_loss(torch.cat(parts), targets).item()

    weights = sum(weight.numel() for weight in trainer.model.recurrent.parameters())
    print(f"Adding, T = 600: GRU of {LONG.cell.units} units, {weights:,} weights and a head")
    print(f"always answering 1: {1 / 6:.4f}; published: {PUBLISHED:.1e}")
    print(f"{'step':>6} {'seconds':>8} {'rate':>8} {'training':>9} {'test':>9}", flush=True)
    print(f"{0:>6} {0:>8} {'':>8} {'':>9} {tested():>9.3g}", flush=True)
    started, losses = time.perf_counter(), []
    while trainer.stopped is None:
        row, diverged = trainer.step()
        assert not diverged
        losses.append(row["loss"])
        if trainer.step_count % 150 == 0 or trainer.stopped is not None:
            seconds = time.perf_counter() - started
            print(
                f"{trainer.step_count:>6} {seconds:>8.0f} {row['learning_rate']:>8.2e}"
                f" {statistics.mean(losses):>9.3g} {tested():>9.3g}",
                flush=True,
            )
            losses.clear()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=("short", "adding600"), default="short")
    {"short": short, "adding600": adding600}[parser.parse_args().what]()

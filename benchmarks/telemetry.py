"""What it costs to look: steps a second with all telemetry over those with none, in turns."""

import statistics
from dataclasses import replace

from gruviz.experiment import GRU, SGD, Experiment
from gruviz.record import Checkpoint
from gruviz.training import advance

GOAL = 0.75
TURNS = 12
SLICE_SECONDS = 0.2  # as a lone student's run is cut: each slice pays for its own pictures

DEFAULT = Experiment(steps=100_000)
CASES = {
    "default experiment": DEFAULT,
    "8 units": replace(DEFAULT, cell=GRU(8)),
    "8 units, batch of 1, SGD": replace(DEFAULT, cell=GRU(8), batch_size=1, optimizer=SGD()),
    "64 units": replace(DEFAULT, cell=GRU(64)),
}


def speeds(experiment: Experiment) -> dict[bool, list[float]]:
    """Steps a second of each turn, with telemetry and without, from one and the same start."""
    start: Checkpoint = advance(experiment, steps=30).checkpoint
    found: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(TURNS):
        for watched in (turn % 2 == 0, turn % 2 == 1):
            part = advance(experiment, start, seconds=SLICE_SECONDS, telemetry=watched)
            found[watched].append(len(part.steps["step"]) / part.seconds)
    return found


def main() -> None:
    print(f"{'steps a second, on over off':<34}{'off':>8}{'on':>8}{'ratio':>8}   goal >= {GOAL}")
    for name, experiment in CASES.items():
        found = speeds(experiment)
        ratio = statistics.median(
            on / off for on, off in zip(found[True], found[False], strict=True)
        )
        on, off = (statistics.median(found[watched]) for watched in (True, False))
        verdict = "met" if ratio >= GOAL else "MISSED"
        print(f"{name:<34}{off:>8.0f}{on:>8.0f}{ratio:>8.2f}   {verdict}", flush=True)


if __name__ == "__main__":
    main()

"""The network's MASE beside that of forecasts without one: the bundled series, and any files named.

python -m benchmarks.forecasts [FILE:COLUMN:WINDOW:HORIZON …]
"""

import sys
from collections.abc import Iterator

from gruviz import read_csv
from gruviz.data import Table, preview_of, series_of
from gruviz.data.backtest import score_forecasts
from gruviz.data.baselines import BASELINES
from gruviz.data.bundled import sample
from gruviz.experiment import Cosine, Experiment, TableTask
from gruviz.studies import Job, Trials
from gruviz.training.studies import proceed

STEPS = 1500
SAMPLES = {"sunspots_yearly": (24, 4), "co2_weekly": (60, 8), "airline_passengers": (24, 6)}


def tables(files: list[str]) -> Iterator[tuple[str, Table, TableTask]]:
    for name, (window, horizon) in SAMPLES.items():
        yield name, sample(name), TableTask(source=name, window=window, horizon=horizon)
    for each in files:
        path, column, *sizes = each.rsplit(":", 3)
        window, horizon = map(int, sizes)
        task = TableTask(source=path, column=column, window=window, horizon=horizon)
        yield path.rsplit("/", 1)[-1], read_csv(path), task


def main() -> None:
    print(f"MASE on the last fifth; the network: default GRU, Adam, cosine, {STEPS} steps, seed 0")
    print(f"{'series':<30}{'season':>7}{'network':>9}" + "".join(f"{n:>10}" for n in BASELINES))
    for name, table, task in tables(sys.argv[1:]):
        experiment = Experiment(task=task, steps=STEPS, schedule=Cosine())

        def fetch(_source: str, table: Table = table) -> Table:
            return table

        data = preview_of(task, 0, fetch)
        found = proceed(experiment, Trials.begin([Job(experiment)]), fetch=fetch).found[0]
        series = series_of(task, 0, fetch)
        scores = score_forecasts(
            series, data.border, task.window, task.horizon, found.ends, {"network": found.values}
        )
        columns = [scores.scores.get(each, {}).get("mase") for each in ("network", *BASELINES)]
        shown = ["–" if value is None else f"{value:.2f}" for value in columns]
        print(
            f"{name:<30}{scores.season or '–'!s:>7}{shown[0]:>9}"
            + "".join(f"{each:>10}" for each in shown[1:]),
            flush=True,
        )


if __name__ == "__main__":
    main()

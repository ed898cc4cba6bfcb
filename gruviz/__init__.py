"""Turn the knobs of gradient descent and watch, live, what they do inside a GRU.

    import gruviz
    history = gruviz.train(gruviz.Experiment(learning_rate=0.01))
    print(history.loss[-1])

    table = gruviz.read_csv("weather.csv")
    print(table.frame, table.reading, *[finding.sentence for finding in table.findings], sep="\n")

`train` and `nn` are imported on first use, for they need torch and the page's process does without;
`read_csv` too, for it needs pandas.
"""

from typing import TYPE_CHECKING, Any

from gruviz.errors import GruvizError
from gruviz.experiment import Experiment

if TYPE_CHECKING:
    from gruviz import nn
    from gruviz.csv import read_csv
    from gruviz.training import train

__all__ = ["Experiment", "GruvizError", "nn", "read_csv", "train"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "nn":
        return import_module("gruviz.nn")
    if name == "read_csv":
        return import_module("gruviz.csv").read_csv
    if name == "train":
        return import_module("gruviz.training").train
    raise AttributeError(f"module 'gruviz' has no attribute {name!r}")

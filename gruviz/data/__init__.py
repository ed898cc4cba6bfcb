"""Data for an experiment: made-up tasks, bundled samples, tables from files."""

from gruviz.data.csv import Table, read_csv
from gruviz.data.dataset import IGNORED, Array, Dataset, Sequences, batches, judged
from gruviz.data.loading import (
    Fetch,
    batches_per_epoch,
    check,
    check_batch,
    check_decay,
    check_warmup,
    fetch_sample,
    forecast_data,
    load,
    series_of,
    training_sequences,
)
from gruviz.data.tables import SAMPLE_NAMES

__all__ = [
    "IGNORED",
    "SAMPLE_NAMES",
    "Array",
    "Dataset",
    "Fetch",
    "Sequences",
    "Table",
    "batches",
    "batches_per_epoch",
    "check",
    "check_batch",
    "check_decay",
    "check_warmup",
    "fetch_sample",
    "forecast_data",
    "judged",
    "load",
    "read_csv",
    "series_of",
    "training_sequences",
]

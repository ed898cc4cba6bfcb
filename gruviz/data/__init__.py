"""Data for an experiment: made-up tasks, bundled samples, tables from files."""

from gruviz.csv import Table, read_csv
from gruviz.data.bounds import (
    batches_per_epoch,
    check,
    check_batch,
    check_decay,
    check_warmup,
    permitted,
)
from gruviz.data.bundled import SAMPLE_NAMES
from gruviz.data.dataset import IGNORED, Array, Dataset, Sequences, batches, judged
from gruviz.data.loading import Fetch, fetch_sample, load, series_of
from gruviz.data.preview import Preview, known, preview_of, previewed

__all__ = [
    "IGNORED",
    "SAMPLE_NAMES",
    "Array",
    "Dataset",
    "Fetch",
    "Preview",
    "Sequences",
    "Table",
    "batches",
    "batches_per_epoch",
    "check",
    "check_batch",
    "check_decay",
    "check_warmup",
    "fetch_sample",
    "judged",
    "known",
    "load",
    "permitted",
    "preview_of",
    "previewed",
    "read_csv",
    "series_of",
]

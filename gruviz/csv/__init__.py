"""Anybody's CSV: bytes to a table, how they were read, and what is worth knowing about it.

    table = gruviz.read_csv("weather.csv")
    table.frame, table.reading.separator, [finding.sentence for finding in table.findings]
    gruviz.read_csv("weather.csv", decimal=",", missing=["-200"])

The way of a file: `foreign` (what is no table); `encoding`, `legacy` (bytes to text); `dialect`,
`records`, `header`, `names`, `sideways` (which lines are what); `body` (rows to columns of text);
`columns`, `distinct`, `glued`, `numbers`, `sentinels`; `clock`, `times`, `parts`, `formats`,
`totals`; `panels`, `places`, `shape` (what rows and columns are); `checks`, `steps`, `written` (what
to say); `reader` (one after the other).
"""

from gruviz.csv.columns import MAX_NAME
from gruviz.csv.encoding import MAX_BYTES
from gruviz.csv.findings import Finding, Remedy, Severity
from gruviz.csv.reader import MAX_COLUMNS, MAX_ROWS, MIN_ROWS, read_csv
from gruviz.csv.reading import Overrides, Reading
from gruviz.csv.table import Table, split_source

__all__ = [
    "MAX_BYTES",
    "MAX_COLUMNS",
    "MAX_NAME",
    "MAX_ROWS",
    "MIN_ROWS",
    "Finding",
    "Overrides",
    "Reading",
    "Remedy",
    "Severity",
    "Table",
    "read_csv",
    "split_source",
]

"""Charts of columns and arrays. Nothing here knows Streamlit, torch, or who is watching.

Those of the live page are rows of CHARTS; the others are figures of what a study or a file holds.
"""

from gruviz.charts import alternatives, series
from gruviz.charts.chart import (
    ARRIVALS,
    FRAME,
    GROWS,
    SNAPSHOT,
    Chart,
    Derived,
    Multiples,
    Signal,
    Subject,
    Tables,
    column,
    place,
    tables_of,
)
from gruviz.charts.curves import marks, solved
from gruviz.charts.pictures import MOST_INPUTS, sequences
from gruviz.charts.studies import range_test, sharpness, surface
from gruviz.charts.style import DARK, on_dark
from gruviz.charts.views import CHARTS, OVERVIEW, VIEWS, View

__all__ = [
    "ARRIVALS",
    "CHARTS",
    "DARK",
    "FRAME",
    "GROWS",
    "MOST_INPUTS",
    "OVERVIEW",
    "SNAPSHOT",
    "VIEWS",
    "Chart",
    "Derived",
    "Multiples",
    "Signal",
    "Subject",
    "Tables",
    "View",
    "alternatives",
    "column",
    "marks",
    "on_dark",
    "place",
    "range_test",
    "sequences",
    "series",
    "sharpness",
    "solved",
    "surface",
    "tables_of",
]

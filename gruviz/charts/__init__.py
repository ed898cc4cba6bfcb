"""Figures from columns and arrays. Nothing here knows Streamlit, torch, or who is watching."""

from gruviz.charts import alternatives
from gruviz.charts.curves import clipped, gradient_norm, learning_rate, loss, marks, solved
from gruviz.charts.pictures import (
    classification,
    forecast,
    gradient_through_time,
    labelling,
    regression,
    sequences,
    signal,
    tracking,
)
from gruviz.charts.style import DARK

__all__ = [
    "DARK",
    "alternatives",
    "classification",
    "clipped",
    "forecast",
    "gradient_norm",
    "gradient_through_time",
    "labelling",
    "learning_rate",
    "loss",
    "marks",
    "regression",
    "sequences",
    "signal",
    "solved",
    "tracking",
]

"""Figures from columns and arrays. Nothing here knows Streamlit, torch, or who is watching."""

from gruviz.charts import alternatives
from gruviz.charts.curves import clipped, gradient_norm, learning_rate, loss, marks
from gruviz.charts.pictures import (
    classification,
    forecast,
    gradient_through_time,
    regression,
    signal,
)
from gruviz.charts.studies import range_test, sharpness, surface
from gruviz.charts.style import DARK

__all__ = [
    "DARK",
    "alternatives",
    "classification",
    "clipped",
    "forecast",
    "gradient_norm",
    "gradient_through_time",
    "learning_rate",
    "loss",
    "marks",
    "range_test",
    "regression",
    "sharpness",
    "signal",
    "surface",
]

"""Figures from columns and arrays. Nothing here knows Streamlit, torch, or who is watching."""

from gruviz.charts import alternatives, series
from gruviz.charts.blocks import block_gradients, block_moments, block_updates
from gruviz.charts.curves import gradient_norm, learning_rate, loss, marks, solved
from gruviz.charts.lens import SHARE_WINDOW, clip_lens, clipped, clipped_share, effective_step
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
from gruviz.charts.studies import range_test, sharpness, surface
from gruviz.charts.style import DARK, on_dark

__all__ = [
    "DARK",
    "SHARE_WINDOW",
    "alternatives",
    "block_gradients",
    "block_moments",
    "block_updates",
    "classification",
    "clip_lens",
    "clipped",
    "clipped_share",
    "effective_step",
    "forecast",
    "gradient_norm",
    "gradient_through_time",
    "labelling",
    "learning_rate",
    "loss",
    "marks",
    "on_dark",
    "range_test",
    "regression",
    "sequences",
    "series",
    "sharpness",
    "signal",
    "solved",
    "surface",
    "tracking",
]

"""What the network reads: tasks, tables, baselines, backtests."""

from gruviz.ui import data

data.page()

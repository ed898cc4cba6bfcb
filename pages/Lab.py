"""Studies of a run: learning-rate range test, sharpness, loss surface."""

from gruviz.ui import lab

lab.page()

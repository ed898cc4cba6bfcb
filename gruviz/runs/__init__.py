"""Runs: handles of experiments that train in worker processes."""

from gruviz.runs.classroom import Classroom, classroom
from gruviz.runs.run import MOST_TRIES, SLOW_SECONDS, Change, Run, Status

__all__ = ["MOST_TRIES", "SLOW_SECONDS", "Change", "Classroom", "Run", "Status", "classroom"]

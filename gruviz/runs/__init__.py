"""Runs: handles of experiments that train in worker processes."""

from gruviz.runs.classroom import Classroom, classroom
from gruviz.runs.run import Change, Run, Status

__all__ = ["Change", "Classroom", "Run", "Status", "classroom"]

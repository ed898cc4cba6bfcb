"""Runs: handles of experiments that train in worker processes."""

from gruviz.runs.classroom import Classroom, classroom
from gruviz.runs.pool import Lost
from gruviz.runs.run import SLOW_SECONDS, Run, Status
from gruviz.runs.study import Study, StudyStatus

__all__ = [
    "SLOW_SECONDS",
    "Classroom",
    "Lost",
    "Run",
    "Status",
    "Study",
    "StudyStatus",
    "classroom",
]

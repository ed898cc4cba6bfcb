"""Runs: handles of experiments that train in worker processes."""

from gruviz.runs.classroom import Classroom, classroom
from gruviz.runs.run import SLOW_SECONDS, Change, Run, Status
from gruviz.runs.sliced import MOST_TRIES
from gruviz.runs.study import Study, StudyStatus

__all__ = [
    "MOST_TRIES",
    "SLOW_SECONDS",
    "Change",
    "Classroom",
    "Run",
    "Status",
    "Study",
    "StudyStatus",
    "classroom",
]

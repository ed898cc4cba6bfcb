"""Runs: handles of experiments that train in worker processes."""

from gruviz.runs.classroom import Classroom, classroom
from gruviz.runs.run import Change, Run, Status
from gruviz.runs.sliced import MOST_TRIES
from gruviz.runs.study import Study, StudyStatus

__all__ = [
    "MOST_TRIES",
    "Change",
    "Classroom",
    "Run",
    "Status",
    "Study",
    "StudyStatus",
    "classroom",
]

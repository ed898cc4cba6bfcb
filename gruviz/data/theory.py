"""What is known about a task without training: losses to compare a curve with, and a goal."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gruviz.data import text
from gruviz.data.preview import Preview
from gruviz.experiment import COPIED, Experiment, Kind, RandomWalk
from gruviz.words import _

FORECAST_GOAL = 0.1  # of the way from the noise up to the naive forecast


@dataclass(frozen=True)
class Line:
    """A loss that some answer without training has; `label` says which answer."""

    label: str
    value: float


@dataclass(frozen=True)
class Theory:
    """The lines of a task, and the validation loss below which it counts as solved (None: any)."""

    lines: tuple[Line, ...] = ()
    threshold: float | None = None


NOTHING_KNOWN = Theory()


def theory(experiment: Experiment, data: Preview) -> Theory:
    """The theory of an experiment's task, in the measure of its loss.

    What holds for the mean squared error or the cross-entropy is not told of any other loss, and
    what holds for the answers that the task asks for is not told where others are judged.
    """
    kind, task = data.kind, experiment.task
    loss = experiment.loss.fitting(kind, in_bits=task.in_bits)
    if loss.name not in SCALES:
        return NOTHING_KNOWN
    known = THEORIES.get(task.name, OF_KIND[kind])(task, data)
    scale = SCALES[loss.name]
    lines = tuple(Line(line.label, line.value * scale) for line in known.lines)
    goal = None if known.threshold is None else known.threshold * scale
    if experiment.loss_on in ("task", "every" if kind.every_step else "last"):
        return Theory(lines, goal)
    # One answer that is asked for again and again costs the same each time.
    return Theory(lines if kind in (Kind.CLASSIFICATION, Kind.REGRESSION) else ())


# Losses by name, as a multiple of the mean squared error or the cross-entropy in nats.
SCALES = {"mse": 1.0, "cross_entropy": 1.0, "bits": 1 / math.log(2)}


def _guess(_task: Any, data: Preview, threshold: float | None = None) -> Theory:
    """Equal chances for every class."""
    count = data.outputs
    label = _("guess among {count}").format(count=count)
    return Theory((Line(label, math.log(count)),), threshold)


def _solved_below(threshold: float) -> Callable[[Any, Preview], Theory]:
    return lambda task, data: _guess(task, data, threshold)


def _naive(task: Any, data: Preview) -> Theory:
    """Repeating the last value, measured on what the trainer validates on; and the noise that no
    forecast can know."""
    lines = [Line(_("repeat the last value"), data.naive)]
    if not hasattr(task, "noise"):
        return Theory(tuple(lines), data.naive if isinstance(task, RandomWalk) else None)
    floor = task.noise**2
    if floor > 0:
        lines.append(Line(_("noise"), floor))
    return Theory(tuple(lines), floor + FORECAST_GOAL * (data.naive - floor))


def _adding(_task: Any, _data: Preview) -> Theory:
    """The sum of two U[0,1] has mean 1 and variance 1/6."""
    return Theory((Line(_("always answer 1"), 1 / 6),), 0.01)


def _copy(task: Any, data: Preview) -> Theory:
    """Without a memory the blanks are known and each of the ten symbols is one of eight (Arjovsky,
    Shah, Bengio 2016)."""
    memoryless = COPIED * math.log(8) / task.time_steps
    lines = (*_guess(task, data).lines, Line(_("without a memory"), memoryless))
    return Theory(lines, memoryless / 10)


def _echo(_task: Any, _data: Preview) -> Theory:
    """U[-1,1] has mean 0 and variance 1/3."""
    return Theory((Line(_("always answer 0"), 1 / 3),), 0.01)


def _text(task: Any, data: Preview) -> Theory:
    """How surprising single letters are, by their frequencies in the text that is trained on."""
    counts = np.bincount(text.parts()[0], minlength=data.outputs)
    shares = counts[counts > 0] / counts.sum()
    entropy = -float((shares * np.log(shares)).sum())
    lines = (*_guess(task, data).lines, Line(_("letter frequencies"), entropy))
    return Theory(lines, 2.75 * math.log(2))


# By a kind: what is known of any task of it.
OF_KIND: dict[Kind, Callable[[Any, Preview], Theory]] = {
    Kind.FORECAST: _naive,
    Kind.CLASSIFICATION: _guess,
    Kind.LABELLING: _guess,
    Kind.REGRESSION: lambda _task, _data: NOTHING_KNOWN,
    Kind.TRACKING: lambda _task, _data: NOTHING_KNOWN,
}

# By a task's name: where more is known than of its kind.
THEORIES: dict[str, Callable[[Any, Preview], Theory]] = {
    "adding": _adding,
    "copy": _copy,
    "echo": _echo,
    "parity": _solved_below(0.05),
    "order": _solved_below(0.05),
    "brackets": _solved_below(0.1),
    "waveforms": _solved_below(0.1),
    "digits": _solved_below(0.1),
    "text": _text,
}

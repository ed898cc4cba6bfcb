"""Made-up sequences with known answers: for each task a function (task, count, generator)."""

import numpy as np

from gruviz.data.dataset import Sequences
from gruviz.experiment import Adding, SineMixture, Waveforms
from gruviz.words import N_

SINE_PERIODS = np.array([31.0, 17.0, 9.0])
SINE_AMPLITUDES = np.array([0.5, 0.3, 0.2])

WAVEFORMS = (
    N_("sine"), N_("square"), N_("triangle"), N_("rising saw"), N_("falling saw"),
    N_("pulse"), N_("rectified sine"), N_("two tones"), N_("chirp"), N_("damped sine"),
)  # fmt: skip


def sine(task: SineMixture, count: int, generator: np.random.Generator) -> Sequences:
    """Three sines with random phases plus white noise; the targets are the next `horizon` values."""
    total = task.length + task.horizon
    phase = generator.uniform(0, 2 * np.pi, (count, 1, 3))
    time = np.arange(total)[None, :, None]
    clean = np.sin(2 * np.pi * time / SINE_PERIODS + phase) @ SINE_AMPLITUDES
    series = (clean + task.noise * generator.standard_normal((count, total))).astype(np.float32)
    return Sequences(series[:, : task.length, None], series[:, task.length :])


def adding(task: Adding, count: int, generator: np.random.Generator) -> Sequences:
    """Values U[0,1] with two marks, one in each half; the target is the sum of the marked values."""
    values = generator.random((count, task.length), dtype=np.float32)
    marks = np.zeros_like(values)
    rows, half = np.arange(count), task.length // 2
    first = generator.integers(0, half, count)
    second = generator.integers(half, task.length, count)
    marks[rows, first] = marks[rows, second] = 1
    targets = (values[rows, first] + values[rows, second])[:, None]
    return Sequences(np.stack([values, marks], axis=2), targets)


def waveforms(task: Waveforms, count: int, generator: np.random.Generator) -> Sequences:
    """One of ten waveforms, with random phase, 2 to 5 periods and white noise; the target is which."""
    which = generator.integers(0, len(WAVEFORMS), count)
    cycles = generator.uniform(2, 5, (count, 1))
    start = generator.random((count, 1))
    progress = np.arange(task.length)[None, :] / task.length
    turn = (cycles * progress + start) % 1.0
    tone = np.sin(2 * np.pi * turn)
    shapes = [
        tone,
        np.sign(tone),
        4 * np.abs(turn - 0.5) - 1,
        2 * turn - 1,
        1 - 2 * turn,
        np.where(turn < 0.15, 1.0, -0.2),
        2 * np.abs(tone) - 1,
        (tone + np.sin(2 * np.pi * (3 * cycles * progress + start))) / 2,
        np.sin(2 * np.pi * (cycles * progress * (0.5 + 1.5 * progress) + start)),
        tone * np.exp(-4 * progress),
    ]
    waves = np.stack(shapes)[which, np.arange(count)]
    noisy = waves + task.noise * generator.standard_normal(waves.shape)
    return Sequences(noisy[..., None].astype(np.float32), which.astype(np.int64))

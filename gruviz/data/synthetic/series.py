"""Tasks about series. Their sources are named where their parameters are."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from gruviz.data.dataset import Array, Sequences
from gruviz.experiment import (
    DampedOscillation,
    Forecast,
    Lorenz,
    MackeyGlass,
    RandomWalk,
    SineMixture,
    Waveforms,
)

Floats = npt.NDArray[np.float64]

SINE_PERIODS = np.array([31.0, 17.0, 9.0])
SINE_AMPLITUDES = np.array([0.5, 0.3, 0.2])


def _continued(task: Forecast, series: Floats) -> Sequences:
    """Series (n, length + horizon), or (n, length + horizon, features) of which the first is
    forecast, cut where the future begins."""
    values: Array = series.astype(np.float32)
    if values.ndim == 2:
        values = values[..., None]
    return Sequences(values[:, : task.length], values[:, task.length :, 0])


def _noise(amount: float, shape: tuple[int, ...], generator: np.random.Generator) -> Floats:
    return amount * generator.standard_normal(shape)


def sine(task: SineMixture, count: int, generator: np.random.Generator) -> Sequences:
    """Three sines with random phases plus white noise; the targets are the next `horizon` values."""
    total = task.length + task.horizon
    phase = generator.uniform(0, 2 * np.pi, (count, 1, 3))
    time = np.arange(total)[None, :, None]
    clean = np.sin(2 * np.pi * time / SINE_PERIODS + phase) @ SINE_AMPLITUDES
    return _continued(task, clean + _noise(task.noise, clean.shape, generator))


def damped(task: DampedOscillation, count: int, generator: np.random.Generator) -> Sequences:
    """exp(-t/s) cos(2πt/p + φ) plus white noise: p in 10..30 steps, s in 0.3..1 of the whole, any φ;
    the targets are the next `horizon` values."""
    time = np.arange(task.length + task.horizon)
    period = generator.uniform(10, 30, (count, 1))
    decay = generator.uniform(0.3, 1, (count, 1)) * len(time)
    phase = generator.uniform(0, 2 * np.pi, (count, 1))
    clean = np.exp(-time / decay) * np.cos(2 * np.pi * time / period + phase)
    return _continued(task, clean + _noise(task.noise, clean.shape, generator))


MACKEY_GLASS_STEPS = 2  # of the integration, in one time step
MACKEY_GLASS_START = 200  # time steps until the attractor is reached
MACKEY_GLASS_MEAN, MACKEY_GLASS_SCALE = 0.93, 0.23  # at a delay of 17


def mackey_glass(task: MackeyGlass, count: int, generator: np.random.Generator) -> Sequences:
    """dx/dt = 0.2 x(t - delay) / (1 + x(t - delay)^10) - 0.1 x, scaled to about mean 0 and standard
    deviation 1, plus white noise; the targets are the next `horizon` values.

    Each sequence has a past of its own: a constant in 0.5..1.3, so long ago that it is forgotten.
    """
    total = MACKEY_GLASS_START + task.length + task.horizon
    start = generator.uniform(0.5, 1.3, count)
    series = mackey_glass_series(start, task.delay, total, MACKEY_GLASS_STEPS)
    scaled = (series[MACKEY_GLASS_START:].T - MACKEY_GLASS_MEAN) / MACKEY_GLASS_SCALE
    return _continued(task, scaled + _noise(task.noise, scaled.shape, generator))


def mackey_glass_series(start: Floats, delay: int, total: int, steps: int) -> Floats:
    """x at the times 0, 1, … total - 1, (total, n), after a past that was always `start`, (n,).

    Runge-Kutta of fourth order with `steps` steps in each unit of time; half-way between two steps
    the delayed value is Hermite's cubic.
    """
    step, lag = 1 / steps, delay * steps
    x = np.empty((lag + (total - 1) * steps + 1, len(start)))
    slope = np.zeros_like(x)
    x[: lag + 1] = start

    def change(now: Floats, past: Floats) -> Floats:
        square = past * past
        fourth = square * square
        change: Floats = 0.2 * past / (1 + fourth * fourth * square) - 0.1 * now
        return change

    for here in range(lag, len(x) - 1):
        before, after = x[here - lag], x[here - lag + 1]
        between = (before + after) / 2 + step / 8 * (slope[here - lag] - slope[here - lag + 1])
        now = x[here]
        k1 = slope[here] = change(now, before)
        k2 = change(now + step / 2 * k1, between)
        k3 = change(now + step / 2 * k2, between)
        k4 = change(now + step * k3, after)
        x[here + 1] = now + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[lag::steps]


LORENZ_TIME = 0.06  # between two time steps
LORENZ_STEPS = 3  # of the integration, in one time step
LORENZ_START = 150  # time steps until the attractor is reached
LORENZ_MEAN, LORENZ_SCALE = np.array([0.0, 0.0, 23.5]), np.array([7.9, 9.0, 8.6])


def lorenz(task: Lorenz, count: int, generator: np.random.Generator) -> Sequences:
    """dx/dt = 10 (y - x), dy/dt = x (28 - z) - y, dz/dt = x y - 8/3 z, each scaled to about mean 0
    and standard deviation 1, plus white noise; the targets are the next `horizon` values of x."""
    total = LORENZ_START + task.length + task.horizon
    start = LORENZ_MEAN[:, None] + LORENZ_SCALE[:, None] * generator.standard_normal((3, count))
    series = lorenz_series(start, total, LORENZ_STEPS)[LORENZ_START:]
    scaled = (series.transpose(2, 0, 1) - LORENZ_MEAN) / LORENZ_SCALE
    return _continued(task, scaled + _noise(task.noise, scaled.shape, generator))


def lorenz_series(start: Floats, total: int, steps: int) -> Floats:
    """The three numbers at `total` times LORENZ_TIME apart, (total, 3, n), from `start`, (3, n).

    Runge-Kutta of fourth order with `steps` steps between two times.
    """

    def change(state: Floats) -> Floats:
        x, y, z = state
        return np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z])

    series = np.empty((total, *start.shape))
    series[0] = state = start
    for time in range(1, total):
        for _each in range(steps):
            state = _runge_kutta(change, state, LORENZ_TIME / steps)
        series[time] = state
    return series


def _runge_kutta(change: Callable[[Floats], Floats], state: Floats, step: float) -> Floats:
    k1 = change(state)
    k2 = change(state + step / 2 * k1)
    k3 = change(state + step / 2 * k2)
    k4 = change(state + step * k3)
    return state + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


WALK_SWITCH = 0.03  # the chance that the regime changes, at every time step
WALK_WILD = 3.0  # how many times livelier than a calm regime a wild one is


def walk(task: RandomWalk, count: int, generator: np.random.Generator) -> Sequences:
    """A walk from 0 whose steps have a mean of ±drift and a deviation of volatility, or three times
    that; both are drawn anew now and then. The targets are the next `horizon` values.

    Regimes that change are as in Hamilton 1989, "A new approach to the economic analysis of
    nonstationary time series and the business cycle".
    """
    shape = (count, task.length + task.horizon)
    drift = task.drift * np.where(_regimes(shape, generator), 1, -1)
    deviation = task.volatility * np.where(_regimes(shape, generator), WALK_WILD, 1)
    steps = drift + deviation * generator.standard_normal(shape)
    steps[:, 0] = 0
    return _continued(task, steps.cumsum(axis=1))


def _regimes(shape: tuple[int, int], generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Which of two equally likely regimes holds at each time step; drawn anew at a switch."""
    changed = generator.random(shape) < WALK_SWITCH
    changed[:, 0] = True
    latest = np.maximum.accumulate(np.where(changed, np.arange(shape[1]), 0), axis=1)
    drawn = generator.random(shape) < 0.5
    return np.take_along_axis(drawn, latest, axis=1)


def waveforms(task: Waveforms, count: int, generator: np.random.Generator) -> Sequences:
    """One of ten waveforms, with random phase, 2 to 5 periods and white noise; the target is which."""
    which = generator.integers(0, len(task.classes), count)
    cycles = generator.uniform(2, 5, (count, 1))
    start = generator.random((count, 1))
    progress = np.arange(task.length)[None, :] / task.length
    turn = (cycles * progress + start) % 1.0
    tone = np.sin(2 * np.pi * turn)
    shapes: list[Callable[[], Floats]] = [
        lambda: tone,
        lambda: np.sign(tone),
        lambda: 4 * np.abs(turn - 0.5) - 1,
        lambda: 2 * turn - 1,
        lambda: 1 - 2 * turn,
        lambda: np.where(turn < 0.15, 1.0, -0.2),
        lambda: 2 * np.abs(tone) - 1,
        lambda: (tone + np.sin(2 * np.pi * (3 * cycles * progress + start))) / 2,
        lambda: np.sin(2 * np.pi * (cycles * progress * (0.5 + 1.5 * progress) + start)),
        lambda: tone * np.exp(-4 * progress),
    ]
    waves = np.empty_like(tone)
    for place, shape in enumerate(shapes):  # one after the other, for memory's sake
        waves[which == place] = shape()[which == place]
    noisy = waves + task.noise * generator.standard_normal(waves.shape)
    return Sequences(noisy[..., None].astype(np.float32), which.astype(np.int64))

"""Tasks about remembering. Their sources are named where their parameters are."""

import numpy as np
import numpy.typing as npt

from gruviz.data.dataset import Array, Sequences
from gruviz.experiment import (
    COPIED,
    Adding,
    Brackets,
    CopyMemory,
    DelayedEcho,
    Parity,
    TemporalOrder,
)


def one_hot(symbols: npt.NDArray[np.integer], kinds: int) -> Array:
    """Symbols (n, time) as (n, time, kinds) of 0 and 1."""
    hot: Array = np.eye(kinds, dtype=np.float32)[symbols]
    return hot


def adding(task: Adding, count: int, generator: np.random.Generator) -> Sequences:
    """Values U[0,1] with two marks, one in each half; the target is the sum of the marked values."""
    inputs = np.zeros((count, task.length, 2), np.float32)
    inputs[..., 0] = generator.random((count, task.length), dtype=np.float32)
    rows, half = np.arange(count), task.length // 2
    first = generator.integers(0, half, count)
    second = generator.integers(half, task.length, count)
    inputs[rows, first, 1] = inputs[rows, second, 1] = 1
    targets = (inputs[rows, first, 0] + inputs[rows, second, 0])[:, None]
    return Sequences(inputs, targets)


def copy(task: CopyMemory, count: int, generator: np.random.Generator) -> Sequences:
    """Ten of eight symbols, a pause of `length` steps whose last one asks for recall, ten blanks.

    The target is blank until the last ten steps, which want the ten symbols.
    """
    blank, recall = 0, len(task.inputs) - 1
    symbols = generator.integers(1, recall, (count, COPIED))
    shown = np.full((count, task.time_steps), blank)
    shown[:, :COPIED] = symbols
    shown[:, -COPIED - 1] = recall
    wanted = np.full((count, task.time_steps), blank)
    wanted[:, -COPIED:] = symbols
    return Sequences(one_hot(shown, len(task.inputs)), wanted)


def echo(task: DelayedEcho, count: int, generator: np.random.Generator) -> Sequences:
    """Values U[-1,1]; the target at each step is the value `delay` steps before it."""
    values = generator.uniform(-1, 1, (count, task.time_steps, 1)).astype(np.float32)
    wanted = np.full_like(values, np.nan)
    wanted[:, task.delay :] = values[:, : -task.delay]
    return Sequences(values, wanted)


def parity(task: Parity, count: int, generator: np.random.Generator) -> Sequences:
    """Fair bits; the target at each step is whether the bits so far hold an odd number of ones."""
    bits = generator.integers(0, 2, (count, task.length))
    return Sequences(bits[..., None].astype(np.float32), bits.cumsum(axis=1) % 2)


def order(task: TemporalOrder, count: int, generator: np.random.Generator) -> Sequences:
    """X or Y between a tenth and a fifth of the way, and again between five tenths and six, among
    a, b, c, d and between a begin and an end; the target is which two, in order."""
    x, a, begin, end = (task.inputs.index(name) for name in ("X", "a", "begin", "end"))
    shown = generator.integers(a, a + 4, (count, task.length))
    shown[:, 0], shown[:, -1] = begin, end
    rows, tenth = np.arange(count), task.length // 10
    first = generator.integers(tenth, 2 * tenth + 1, count)
    second = generator.integers(5 * tenth, 6 * tenth + 1, count)
    which = generator.integers(0, 4, count)
    shown[rows, first], shown[rows, second] = x + which // 2, x + which % 2
    return Sequences(one_hot(shown, len(task.inputs)), which)


def brackets(task: Brackets, count: int, generator: np.random.Generator) -> Sequences:
    """Balanced brackets, all nestings equally likely; in about half of them one bracket is replaced
    by another, which always spoils the balance. The target is 1 for those."""
    opens = _nestings(task.pairs, count, generator)
    # Of the brackets at one depth each opening one is followed by the one that closes it.
    depth = np.cumsum(np.where(opens, 1, -1), axis=1) + ~opens
    paired = np.argsort(depth, axis=1, kind="stable")
    kind = np.repeat(generator.integers(0, task.kinds, (count, task.pairs)), 2, axis=1)
    kinds = np.empty_like(kind)
    np.put_along_axis(kinds, paired, kind, axis=1)
    symbols = 2 * kinds + ~opens
    wrong = generator.integers(0, 2, count)
    place = generator.integers(0, task.time_steps, count)
    other = generator.integers(1, 2 * task.kinds, count)  # how many symbols further on
    rows = np.arange(count)
    symbols[rows, place] = (symbols[rows, place] + wrong * other) % (2 * task.kinds)
    return Sequences(one_hot(symbols, len(task.inputs)), wrong)


def _nestings(pairs: int, count: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Where brackets open, (count, 2 * pairs), each balanced sequence equally likely.

    By the cycle lemma (Dvoretzky and Motzkin 1947): of the rotations of `pairs` opening and one more
    closing brackets exactly one is balanced before its last.
    """
    marks = np.tile(np.arange(2 * pairs + 1) < pairs, (count, 1))
    marks = generator.permuted(marks, axis=1)
    start = np.argmin(np.cumsum(np.where(marks, 1, -1), axis=1), axis=1) + 1
    turned = (start[:, None] + np.arange(2 * pairs)) % (2 * pairs + 1)
    return np.take_along_axis(marks, turned, axis=1)

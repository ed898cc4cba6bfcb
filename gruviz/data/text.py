"""The bundled text, letter by letter."""

from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from gruviz.data.bundled import SAMPLES
from gruviz.data.dataset import Sequences
from gruviz.data.synthetic.memory import one_hot
from gruviz.experiment import NextCharacter

TRAINING_SHARE = 0.8
ALPHABET = "".join(NextCharacter.classes)


def normalized(text: str) -> str:
    """The text in the letters of ALPHABET: lower case, other marks as the nearest of its own."""
    lowered = text.lower().translate(str.maketrans(';:"', ",,'"))
    return " ".join("".join(c if c in ALPHABET else " " for c in lowered).split())


@cache
def parts() -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The text to train on and, after it, the one to validate on, as places in ALPHABET."""
    text = normalized((SAMPLES / "alice.txt").read_text(encoding="utf-8"))
    codes = np.array([ALPHABET.index(letter) for letter in text])
    border = int(len(codes) * TRAINING_SHARE)
    return codes[:border], codes[border:]


def windows(
    codes: npt.NDArray[np.int64], length: int, count: int, generator: np.random.Generator
) -> Sequences:
    """Pieces of `length` letters from anywhere in the text; the target is the letter after each."""
    pieces = sliding_window_view(codes, length + 1)
    chosen = pieces[generator.integers(0, len(pieces), count)]
    return Sequences(one_hot(chosen[:, :-1], len(ALPHABET)), chosen[:, 1:])

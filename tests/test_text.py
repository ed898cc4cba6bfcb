"""The text by the letter: what is read, what is wanted, and how often each letter comes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gruviz.data import text
from gruviz.data.text import ALPHABET, normalized
from tests.test_experiment import SURE


def written(codes: np.ndarray) -> str:
    return "".join(ALPHABET[code] for code in codes)


def test_the_alphabet_has_32_letters_so_that_a_guess_costs_five_bits() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 32


def test_other_marks_become_the_nearest_of_the_alphabet_and_spaces_one() -> None:
    assert normalized('  He said: "No; (1865)\n\n--never!"') == "he said, 'no, never!'"


@SURE
@given(st.text())
def test_any_text_is_brought_into_the_alphabet_once_and_for_all(any_text: str) -> None:
    found = normalized(any_text)
    assert set(found) <= set(ALPHABET)
    assert normalized(found) == found


def test_the_book_begins_as_it_does_and_is_validated_on_its_end() -> None:
    train, validation = text.parts()
    assert written(train).startswith(
        "chapter i. down the rabbit hole alice was beginning to get very tired of sitting by her"
        " sister on the bank,"
    )
    assert 0.79 < len(train) / (len(train) + len(validation)) < 0.81
    assert set(np.unique(train)) == set(range(32))
    assert "advice from a caterpillar" in written(validation) + written(train)


@SURE
@given(length=st.integers(2, 60), seed=st.integers(0, 99))
def test_the_target_is_the_letter_that_follows_each(length: int, seed: int) -> None:
    codes = text.parts()[0]
    made = text.windows(codes, length, 8, np.random.default_rng(seed))
    assert made.inputs.shape == (8, length, 32) and made.targets.shape == (8, length)
    assert made.inputs.dtype == np.float32 and made.targets.dtype == np.int64
    read = made.inputs.argmax(axis=2)
    np.testing.assert_array_equal(read[:, 1:], made.targets[:, :-1])
    for letters, wanted in zip(read, made.targets, strict=True):
        assert written(np.append(letters, wanted[-1])) in written(codes)

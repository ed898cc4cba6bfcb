"""Fixtures for all tests."""

import os

import pytest

# The tests' own servers and pools: a worker each is enough, and keeps two cores free.
os.environ.setdefault("GRUVIZ_WORKERS", "1")


@pytest.fixture(autouse=True)
def _english() -> None:
    from gruviz.words import speak

    speak(None)

"""Fixtures for all tests."""

import os
from collections.abc import Iterator

import pytest

# The tests' own servers and pools: a worker each is enough, and keeps two cores free.
os.environ.setdefault("GRUVIZ_WORKERS", "1")
# Tests run side by side: threads of several torches would spin in wait for each other's cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(autouse=True)
def _english() -> None:
    from gruviz.words import speak

    speak(None)


@pytest.fixture(scope="session", autouse=True)
def _workers() -> Iterator[None]:
    """All pages share a worker, for torch takes seconds to load."""
    yield
    from tests.page import close

    close()

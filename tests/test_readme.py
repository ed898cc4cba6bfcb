"""What the README says, done."""

import re
import subprocess
import sys
from pathlib import Path

from gruviz.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_snippet_trains_in_six_lines_or_fewer() -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 6
    done = subprocess.run(
        [sys.executable, "-c", snippet], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = re.fullmatch(r"loss (\S+) -> (\S+) in (\S+) s\n", done.stdout)
    assert found, done.stdout
    assert float(found[2]) < float(found[1]) / 2


def test_every_picture_and_folder_it_names_exists() -> None:
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)|`((?:gruviz|pages)/[\w/.]*)`", README):
        assert (ROOT / (path[0] or path[1])).exists(), path


def test_the_commands_it_names_are_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for command in set(re.findall(r"make (run|test|check|bench|attack)", README)):
        assert f"\n{command}:" in makefile


def test_its_table_of_settings_is_the_one_that_is_read() -> None:
    rows = [
        f"| `{row.name}` | {row.default:,}{row.unit and f' {row.unit}'} | {row.about} |"
        for row in SETTINGS.values()
    ]
    assert re.findall(r"\| `GRUVIZ_.*", README) == rows

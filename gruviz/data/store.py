"""Uploaded tables on disk, each under the digest of its bytes, for the page and its workers."""

import os
import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gruviz.data.tables import SAMPLE_NAMES, Table, read_table, sample
from gruviz.errors import GruvizError
from gruviz.words import _

DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_TABLES = 200
MOST_BYTES = 1_000_000_000
NAME = ".name"


@dataclass(frozen=True)
class TableStore:
    """A folder of uploaded files. Calling it with a source gives the table, samples included."""

    folder: Path

    def put(self, content: bytes, name: str) -> Table:
        """Read a file and keep its bytes. Raises GruvizError if it can't be used."""
        table = read_table(content, name)
        path = self.folder / table.digest
        if not path.exists():
            uploads = (file for file in self.folder.iterdir() if DIGEST.fullmatch(file.name))
            kept = sorted(uploads, key=lambda file: file.stat().st_mtime)
            total = len(content) + sum(file.stat().st_size for file in kept)
            while kept and (len(kept) >= MOST_TABLES or total > MOST_BYTES):
                oldest = kept.pop(0)
                total -= oldest.stat().st_size
                oldest.unlink(missing_ok=True)
                oldest.with_suffix(NAME).unlink(missing_ok=True)
            path.with_suffix(NAME).write_text(name, encoding="utf-8")
            # Written aside and renamed: a worker never reads half a file.
            with tempfile.NamedTemporaryFile(dir=self.folder, delete=False) as file:
                file.write(content)
            os.replace(file.name, path)
        os.utime(path)
        return table

    def __call__(self, source: str) -> Table:
        """The table of a sample's name or an upload's digest. Raises GruvizError if it is gone."""
        return sample(source) if source in SAMPLE_NAMES else _stored(self.folder, source)


@lru_cache(maxsize=16)
def _stored(folder: Path, source: str) -> Table:
    path = folder / source
    if not DIGEST.fullmatch(source) or not path.is_file():
        raise GruvizError(
            _("The data of this experiment isn't here; upload the file again, or choose a sample.")
        )
    return read_table(path.read_bytes(), path.with_suffix(NAME).read_text(encoding="utf-8"))

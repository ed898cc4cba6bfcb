"""Uploaded tables on disk, each under the digest of its bytes, for the page and its workers."""

import os
import re
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gruviz.data.csv import Overrides, Table, read_csv, split_source
from gruviz.data.csv.body import Progress
from gruviz.data.tables import SAMPLE_NAMES, sample
from gruviz.errors import GruvizError
from gruviz.words import _

DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_TABLES = 200
MOST_BYTES = 1_000_000_000
NAME = ".name"


@dataclass(frozen=True)
class TableStore:
    """A folder of uploaded files. Calling it with a source gives the table, samples included.

    A source is one string: the digest of the bytes, or a sample's name, and, where the file is to be
    read in another way than the evidence says, a "?" and the overrides as JSON (`Table.source`).
    """

    folder: Path

    def put(
        self,
        content: bytes,
        name: str,
        overrides: Overrides | None = None,
        progress: Progress | None = None,
    ) -> Table:
        """Read a file and keep its bytes. Raises GruvizError if it can't be used."""
        table = read_csv(content, overrides, name=name, progress=progress)
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
        """The table of a source. Raises GruvizError if it is gone or can't be read that way."""
        digest, overrides = split_source(source)
        if digest in SAMPLE_NAMES:
            return sample(digest, overrides)
        return _stored(self.folder, digest, overrides)


@lru_cache(maxsize=16)
def _stored(folder: Path, digest: str, overrides: Overrides) -> Table:
    path = folder / digest
    if not DIGEST.fullmatch(digest) or not path.is_file():
        raise GruvizError(
            _("The data of this experiment isn't here; upload the file again, or choose a sample.")
        )
    name = path.with_suffix(NAME).read_text(encoding="utf-8")
    return read_csv(path.read_bytes(), overrides, name=name)

"""Uploaded tables on disk, each under the digest of its bytes, for the page and its workers."""

import hashlib
import json
import os
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from gruviz.data.csv import Overrides, Table, read_csv, split_source
from gruviz.data.csv.encoding import check_size
from gruviz.data.shelf import Shelf
from gruviz.data.tables import SAMPLE_NAMES, sample
from gruviz.errors import GruvizError
from gruviz.words import _

DIGEST = re.compile(r"[0-9a-f]{64}")
MOST_TABLES = 200
MOST_BYTES = 1_000_000_000
NAME, PROGRESS = ".name", ".progress"


AT_HAND_BYTES = 200_000_000

# Tables that this process has read or been handed, by folder and source; the last used at the end.
_at_hand: OrderedDict[tuple[Path, str], Table] = OrderedDict()
_lock = threading.Lock()
_keeping = threading.Lock()  # one upload at a time makes room


@dataclass(frozen=True)
class TableStore:
    """A folder of uploaded files. Calling it with a source gives the table, samples included.

    A source is one string: the digest of the bytes, or a sample's name, and, where the file is to be
    read in another way than the evidence says, a "?" and the overrides as JSON (`Table.source`).
    """

    folder: Path

    @property
    def shelf(self) -> Shelf:
        """Where the data sets of the store's users are kept."""
        return Shelf(self.folder / "data")

    def put(self, content: bytes, name: str, overrides: Overrides | None = None) -> Table:
        """Read a file and keep its bytes. Raises GruvizError if it can't be used."""
        table = read_csv(content, overrides, name=name)
        self.keep(content, name)
        self.remember(table)
        return table

    def keep(self, content: bytes, name: str) -> str:
        """Keep the bytes of a file, whatever they are; returns their digest.

        The files that were used least lately make room. Raises GruvizError for too large a file.
        """
        check_size(content)
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / digest
        with _keeping:
            try:
                self._keep(path, content, name)
            except OSError as error:
                raise GruvizError(
                    _(
                        "There is no room for this file on the server ({reason}); try again later."
                    ).format(reason=error.strerror or type(error).__name__)
                ) from error
        return digest

    def _keep(self, path: Path, content: bytes, name: str) -> None:
        if not path.exists():
            uploads = (file for file in self.folder.iterdir() if DIGEST.fullmatch(file.name))
            kept = sorted(uploads, key=lambda file: file.stat().st_mtime)
            total = len(content) + sum(file.stat().st_size for file in kept)
            while kept and (len(kept) >= MOST_TABLES or total > MOST_BYTES):
                oldest = kept.pop(0)
                total -= oldest.stat().st_size
                self.drop(oldest.name)
            path.with_suffix(NAME).write_text(name, encoding="utf-8")
            # Written aside and renamed: a worker never reads half a file.
            aside = path.with_suffix(f".{os.getpid()}")
            try:
                aside.write_bytes(content)
                aside.chmod(0o600)
                os.replace(aside, path)
            finally:
                aside.unlink(missing_ok=True)
        os.utime(path)

    def drop(self, digest: str) -> None:
        """Forget a file and the tables that it was read as."""
        with _lock:
            for key in [k for k in _at_hand if k[0] == self.folder and k[1].startswith(digest)]:
                del _at_hand[key]
        for path in (self.folder / digest, *self._beside(digest)):
            path.unlink(missing_ok=True)

    def _beside(self, digest: str) -> tuple[Path, ...]:
        return tuple((self.folder / digest).with_suffix(suffix) for suffix in (NAME, PROGRESS))

    def remember(self, table: Table) -> None:
        """Have a table at hand that was read elsewhere."""
        with _lock:
            _at_hand[self.folder, table.source] = table
            _at_hand.move_to_end((self.folder, table.source))
            while len(_at_hand) > 1 and sum(map(_size, _at_hand.values())) > AT_HAND_BYTES:
                _at_hand.popitem(last=False)

    def at_hand(self, source: str) -> Table | None:
        """The table of a source, if this process needn't read it."""
        digest, overrides = split_source(source)
        if digest in SAMPLE_NAMES:
            return sample(digest, overrides)
        with _lock:
            found = _at_hand.get((self.folder, source))
            if found is not None:
                _at_hand.move_to_end((self.folder, source))
            return found

    def __call__(self, source: str) -> Table:
        """The table of a source. Raises GruvizError if it is gone or can't be read that way."""
        found = self.at_hand(source)
        if found is None:
            found = self.read(source)
            self.remember(found)
        return found

    def read(self, source: str) -> Table:
        """Read a kept file anew; meanwhile `progress` tells how far that is."""
        digest, overrides = split_source(source)
        path = self.folder / digest
        if not DIGEST.fullmatch(digest) or not path.is_file():
            raise GruvizError(
                _(
                    "The data of this experiment isn't here; upload the file again, or choose a"
                    " sample."
                )
            )
        name, told = self._beside(digest)
        try:
            return read_csv(
                path.read_bytes(), overrides, name=name.read_text(encoding="utf-8"),
                progress=lambda share, what: _tell(told, share, what),
            )  # fmt: skip
        finally:
            told.unlink(missing_ok=True)

    def progress(self, digest: str) -> tuple[float, str]:
        """How far some process is with reading a file, from 0 to 1, and what it does."""
        try:
            share, what = json.loads(self._beside(digest)[1].read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0.0, ""
        return float(share), str(what)


def _size(table: Table) -> int:
    return int(table.frame.memory_usage(index=True, deep=False).sum()) + sum(
        values.nbytes for values in table.columns.values()
    )


def _tell(path: Path, share: float, what: str) -> None:
    aside = path.with_suffix(f"{PROGRESS}-{os.getpid()}")
    aside.write_text(json.dumps([share, what]), encoding="utf-8")
    os.replace(aside, path)

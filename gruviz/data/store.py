"""Uploaded tables on disk, each under the digest of its bytes, for the page and its workers."""

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gruviz.csv import Overrides, Table, read_csv, split_source
from gruviz.csv.encoding import check_size
from gruviz.data.bundled import SAMPLE_NAMES, sample
from gruviz.data.kept import open_table, write_table
from gruviz.data.latest import Latest
from gruviz.data.shelf import Shelf, touch
from gruviz.errors import GruvizError, PassingError
from gruviz.words import _

DIGEST = re.compile(r"[0-9a-f]{64}")
CONTENT, NAME, PROGRESS, READ = "content", "name", "progress", "read-"
MOST_READINGS = 4  # ways of reading one file that are kept
READ_SECONDS = 30.0  # of a processor


def _size(table: Table) -> int:
    frame = int(table.frame.memory_usage(index=True, deep=False).sum())
    return frame + sum(values.nbytes for values in table.columns.values())


# The tables that this process has open, by folder and source. Their numbers are the file's own.
_opened = Latest[Table](200_000_000, _size, most=32)


@dataclass(frozen=True)
class TableStore:
    """A folder of uploaded files. Calling it with a source gives the table, samples included.

    A source is one string: the digest of the bytes, or a sample's name, and, where the file is to be
    read in another way than the evidence says, a "?" and the overrides as JSON (`Table.source`).
    Each file has a folder: its bytes, its name, and the tables that it was read as.
    """

    folder: Path

    @property
    def shelf(self) -> Shelf:
        """Where the data sets of the store's users are kept."""
        return Shelf(self.folder / "data")

    def put(self, content: bytes, name: str, overrides: Overrides | None = None) -> Table:
        """Keep a file and read it. Raises GruvizError if it can't be used; then it isn't kept."""
        digest = self.keep(content, name)
        changes = (overrides or Overrides()).to_json()
        try:
            return self(f"{digest}?{changes}" if changes else digest)
        except GruvizError:
            self.drop(digest)
            raise

    def keep(self, content: bytes, name: str) -> str:
        """Keep the bytes of a file, whatever they are; returns their digest.

        Raises GruvizError for too large a file, or if there is no room.
        """
        check_size(content)
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / digest
        if not path.exists():
            with _aside(path) as aside:
                (aside / NAME).write_text(name, encoding="utf-8", errors="replace")
                (aside / CONTENT).write_bytes(content)
        os.utime(path)
        return digest

    def let_go(self, seconds: float) -> None:
        """Close the tables that this process has not looked at for so long; the files stay."""
        _opened.drop_unused(seconds)

    def drop(self, digest: str) -> None:
        """Forget a file and the tables that it was read as."""
        _opened.drop_if(lambda key: key[0] == self.folder and key[1].startswith(digest))
        shutil.rmtree(self.folder / digest, ignore_errors=True)

    def held(self) -> dict[str, tuple[float, int]]:
        """When each file was last used, and how many bytes it takes with what it was read as."""
        found = {}
        for path in self.folder.iterdir():
            if DIGEST.fullmatch(path.name):
                with suppress(OSError):  # dropped meanwhile
                    found[path.name] = path.stat().st_mtime, _bytes(path)
        return found

    def name(self, source: str) -> str:
        """What a file was called by who uploaded it. Raises GruvizError if it is gone."""
        path = self._path(source)
        try:
            return (path / NAME).read_text(encoding="utf-8")
        except OSError:
            raise _gone() from None

    def at_hand(self, source: str) -> Table | None:
        """The table of a source, if it needn't be read from its bytes."""
        digest, overrides = split_source(source)
        if digest in SAMPLE_NAMES:
            return sample(digest, overrides)
        if not DIGEST.fullmatch(digest):
            return None
        touch(self.folder / digest)
        found = _opened.get((self.folder, source))
        if found is None and (found := open_table(self._read_as(source))) is not None:
            touch(self._read_as(source))
            _opened.put((self.folder, source), found)
        return found

    def __call__(self, source: str) -> Table:
        """The table of a source. Raises GruvizError if it is gone or can't be read that way."""
        return self.at_hand(source) or self.read(source)

    def read(self, source: str) -> Table:
        """Read a kept file from its bytes, and keep the table; `progress` tells how far that is.

        Raises GruvizError if it is gone, can't be read that way, or takes more than READ_SECONDS.
        """
        _digest, overrides = split_source(source)
        path = self._path(source)
        begun = time.thread_time()

        def say(share: float, what: str) -> None:
            if time.thread_time() - begun > READ_SECONDS:
                raise GruvizError(
                    _(
                        "Reading this file takes more than {seconds:.0f} seconds; keep fewer rows or"
                        " columns and upload it again."
                    ).format(seconds=READ_SECONDS)
                )
            _tell(path / PROGRESS, share, what)

        try:
            content = (path / CONTENT).read_bytes()
            table = read_csv(content, overrides, name=self.name(source), progress=say)
            target = self._read_as(source)
            with _aside(target) as aside:
                write_table(table, aside)
            os.utime(target)
            self.shed(split_source(source)[0], MOST_READINGS)
        except FileNotFoundError:
            raise _gone() from None
        finally:
            (path / PROGRESS).unlink(missing_ok=True)
        found = self.at_hand(source)
        if found is None:
            raise _gone()
        return found

    def refuse(self) -> Table:
        """Raise GruvizError: what was read is gone already."""
        raise _gone()

    def shed(self, digest: str, most: int = 1) -> None:
        """Of the ways in which a file was read, keep those that were used last."""
        with suppress(OSError):  # dropped meanwhile
            folder = self.folder / digest
            used = folder.stat()
            ways = sorted(folder.glob(f"{READ}*"), key=lambda path: -path.stat().st_mtime)
            for path in ways[most:]:
                shutil.rmtree(path, ignore_errors=True)
            # That is no use of the file.
            os.utime(folder, ns=(used.st_atime_ns, used.st_mtime_ns))

    def _path(self, source: str) -> Path:
        digest, _overrides = split_source(source)
        path = self.folder / digest
        if not DIGEST.fullmatch(digest) or not path.is_dir():
            raise _gone()
        return path

    def _read_as(self, source: str) -> Path:
        digest, overrides = split_source(source)
        way = hashlib.sha256(overrides.to_json().encode()).hexdigest()[:16]
        return self.folder / digest / f"{READ}{way}"

    def progress(self, digest: str) -> tuple[float, str]:
        """How far some process is with reading a file, from 0 to 1, and what it does."""
        try:
            share, what = json.loads((self.folder / digest / PROGRESS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0.0, ""
        return float(share), str(what)


def _bytes(path: Path) -> int:
    """What the files under a folder take."""
    total = 0
    for _folder, _folders, names, folder in os.fwalk(path):
        for name in names:
            with suppress(FileNotFoundError):  # such as how far a reading is, moments ago
                total += os.stat(name, dir_fd=folder).st_size
    return total


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """A new folder that becomes `path` when all is written: nobody ever sees half of it.

    Raises GruvizError if there is no room.
    """
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(mode=0o700)
        yield aside
        for file in aside.iterdir():
            file.chmod(0o600)
        aside.rename(path)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY):  # somebody else was quicker
            return
        if isinstance(error, FileNotFoundError):
            raise
        raise PassingError(
            _("There is no room for this file on the server ({reason}); try again later.").format(
                reason=error.strerror or type(error).__name__
            )
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _gone() -> PassingError:
    return PassingError(
        _("The data of this experiment isn't here; upload the file again, or choose a sample.")
    )


def _tell(path: Path, share: float, what: str) -> None:
    aside = path.with_name(f"{PROGRESS}-{os.getpid()}")
    with suppress(OSError):  # a word on the page, no more
        aside.write_text(json.dumps([share, what]), encoding="utf-8")
        os.replace(aside, path)

"""Data sets, made once: on a shelf of files that all processes map, or in the memory of one.

A shelf is a folder with a folder for each data set: its arrays as raw bytes, and a JSON that says
which is which. Whoever needs it first makes it; the others wait, and share its pages.
"""

import errno
import json
import math
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock
from numpy.lib.array_utils import byte_bounds
from numpy.lib.stride_tricks import as_strided

from gruviz.csv import Finding
from gruviz.data.dataset import Dataset, Sequences
from gruviz.data.latest import Latest
from gruviz.data.plain import finding_of, plain_finding
from gruviz.errors import PassingError
from gruviz.experiment import Kind
from gruviz.settings import limit
from gruviz.words import _

Allocate = Callable[[tuple[int, ...], npt.DTypeLike], npt.NDArray[Any]]
Make = Callable[[Allocate], Dataset]

ABOUT = "about.json"
IN_USE_SECONDS = 15.0  # since it was last used: as long as a run goes on that nobody looks at
TOUCH_SECONDS = 1.0
FOLDER_SHARE = 4  # a shelf takes at most this part of its file system


def size(dataset: Dataset) -> int:
    """The bytes that its arrays look at; of overlapping windows each only once."""
    arrays = [
        dataset.train.inputs,
        dataset.train.targets,
        dataset.validation.inputs,
        dataset.validation.targets,
        dataset.ends,
        dataset.latest,
    ]
    bounds = [byte_bounds(each) for each in arrays if each is not None]
    return sum(high - low for low, high in bounds)


# What this process has made for itself, and what it has mapped: of a shelf at most a part.
IN_MEMORY_BYTES, OPEN_SHARE, MOST_OPEN = 400_000_000, 4, 64
_opened = Latest[Dataset](IN_MEMORY_BYTES, size, MOST_OPEN)


@dataclass(frozen=True)
class Memory:
    """The data sets of a process that shares them with nobody."""

    kept: Latest[Dataset] = field(default_factory=lambda: Latest(IN_MEMORY_BYTES, size))

    def get(self, key: str, make: Make) -> Dataset:
        """The data set of a key; `make` makes it, with arrays that it allocates."""
        found = self.kept.get(key)
        if found is None:
            found = make(np.empty)
            self.kept.put(key, found)
        return found


@dataclass(frozen=True)
class Shelf:
    """The data sets in a folder, which need not be there yet."""

    folder: Path

    def get(self, key: str, make: Make) -> Dataset:
        """The data set of a key, its arrays mapped; `make` makes it if nobody has.

        Writing to the arrays changes this process's own copy. What was used least lately makes
        room, but not what is in use. Raises PassingError if there is no room then.
        """
        path = self.folder / key
        # What was evicted gives its memory back only when nobody has it mapped.
        _opened.drop_if(lambda each: not each.is_dir())
        found = _opened.get(path)
        if found is None:
            try:
                found = _open(path) or self._made(key, make)
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM):
                    raise
                raise _full() from error
            _opened.most_bytes = limit("GRUVIZ_MAX_DATA_MB") * 10**6 // OPEN_SHARE
            _opened.put(path, found)
        touch(path)
        return found

    def _made(self, key: str, make: Make) -> Dataset:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path, aside = self.folder / key, self.folder / f"{key}.aside"
        with FileLock(self.folder / f"{key}.lock") as lock:
            try:
                if found := _open(path):
                    return found
                shutil.rmtree(aside, ignore_errors=True)  # of a maker that was killed
                aside.mkdir(mode=0o700)
                writer = _Writer(self, aside)
                writer.write(make(writer.allocate))
                aside.rename(path)
                made = _open(path)
                assert made is not None
                return made
            finally:
                shutil.rmtree(aside, ignore_errors=True)
                # The last thing, and while it is held: who waits for it sees that it is gone, and
                # asks for a new one.
                Path(lock.lock_file).unlink(missing_ok=True)

    def room(self, size: int) -> bool:
        """Whether there is room for so many bytes more; the sets used least lately make it."""
        now = time.time()
        sets = sorted(self._sets())
        total = sum(held for _used, held, _path in sets) + size
        most = min(
            limit("GRUVIZ_MAX_DATA_MB") * 10**6,
            shutil.disk_usage(self.folder).total // FOLDER_SHARE,
        )
        for used, held, path in sets:
            if total <= most or now - used < IN_USE_SECONDS:
                break
            # Who has it mapped keeps the pages until it next asks for a set.
            shutil.rmtree(path, ignore_errors=True)
            total -= held
        return total <= most

    def _sets(self) -> list[tuple[float, int, Path]]:
        """When each was last used, its bytes, and where it is; those under way among them.

        Who makes one for longer than GRUVIZ_HUNG_SECONDS was killed.
        """
        found = []
        for path in self.folder.iterdir():
            with suppress(OSError):  # gone since then
                if path.is_dir():
                    used = path.stat().st_mtime
                    used += limit("GRUVIZ_HUNG_SECONDS") if path.suffix else 0
                    held = sum(file.stat().st_size for file in path.iterdir())
                    found.append((used, held, path))
        return found


def _full() -> PassingError:
    return PassingError(
        _("There is no room for this data on the server; make less of it, or try later.")
    )


def touch(path: Path) -> None:
    """Note, at most once in TOUCH_SECONDS, that a file or a folder is used."""
    with suppress(OSError):  # evicted, or being so
        if time.time() - path.stat().st_mtime > TOUCH_SECONDS:
            os.utime(path)


class _Writer:
    """Writes a data set into a folder."""

    def __init__(self, shelf: Shelf, folder: Path) -> None:
        self._shelf, self._folder = shelf, folder
        self._files: list[npt.NDArray[Any]] = []

    def allocate(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of zeros in a file. Raises PassingError if the shelf has no room for it."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if not self._shelf.room(size):
            raise _full()
        path = self._folder / str(len(self._files))
        with path.open("xb") as file:
            # All of it now: a page that isn't there when it is written to would kill the process.
            os.posix_fallocate(file.fileno(), 0, max(size, 1))
        found = np.memmap(path, dtype, "r+", shape=shape) if size else np.empty(shape, dtype)
        self._files.append(found)
        return found

    def write(self, dataset: Dataset) -> None:
        plain = {each.name: self._plain(getattr(dataset, each.name)) for each in fields(Dataset)}
        (self._folder / ABOUT).write_text(json.dumps(plain), encoding="utf-8")

    def _plain(self, value: Any) -> Any:
        if isinstance(value, Sequences):
            return {"inputs": self._array(value.inputs), "targets": self._array(value.targets)}
        if isinstance(value, np.ndarray):
            return self._array(value)
        if isinstance(value, Kind):
            return value.value
        if isinstance(value, tuple) and value and isinstance(value[0], Finding):
            return [plain_finding(each) for each in value]
        return value

    def _array(self, array: npt.NDArray[Any]) -> dict[str, Any]:
        """Where an array is: in a file that was allocated for it, or in one for what it is a view of.

        Overlapping windows are not written one by one, only the rows that they look at.
        """
        place = next((n for n, each in enumerate(self._files) if each is array), None)
        strides = array.strides
        if place is None:
            low, high = byte_bounds(array)
            place = len(self._files)
            if array.size and high - low < array.nbytes and min(strides) >= 0:
                rows = (high - low) // array.itemsize
                seen = as_strided(array, (rows,), (array.itemsize,))
            else:
                seen = np.ascontiguousarray(array)
                strides = seen.strides
            self.allocate(seen.shape, array.dtype)[...] = seen
        return {"file": place, "dtype": array.dtype.str, "shape": array.shape, "strides": strides}


def _mapped(path: Path) -> npt.NDArray[np.uint8]:
    """A file's bytes, as pages that become the process's own as soon as it writes to them."""
    return np.memmap(path, np.uint8, "c").view(np.ndarray)


def _open(path: Path) -> Dataset | None:
    """The data set in a folder, or None if there is none."""
    try:
        plain = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        files = {int(each.name): _mapped(each) for each in path.iterdir() if each.name != ABOUT}
    except FileNotFoundError:
        return None

    def array(about: dict[str, Any]) -> npt.NDArray[Any]:
        shape = tuple(about["shape"])
        if not math.prod(shape):
            return np.empty(shape, about["dtype"])
        flat = files[about["file"]].view(about["dtype"])
        return as_strided(flat, shape, about["strides"])

    for name in ("train", "validation"):
        plain[name] = Sequences(**{key: array(each) for key, each in plain[name].items()})
    for name in ("ends", "latest"):
        plain[name] = None if plain[name] is None else array(plain[name])
    for name in ("input_names", "input_words", "class_names", "fill"):
        plain[name] = tuple(plain[name])
    plain["kind"] = Kind(plain["kind"])
    plain["findings"] = tuple(map(finding_of, plain["findings"]))
    return Dataset(**plain)

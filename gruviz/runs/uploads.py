"""Whose the uploaded files are, and who has to go when there is no room for another one."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Mapping

from gruviz.data.csv.encoding import check_size
from gruviz.data.store import TableStore
from gruviz.errors import PassingError
from gruviz.settings import limit
from gruviz.words import _, n_

MEGABYTE = 10**6
FOLDER_SHARE = 3  # all uploads take at most this part of their file system

Held = Mapping[str, tuple[float, int]]  # when each was last used, and its bytes


class Uploads:
    """The files of all visitors in a store. in_use: the digests of those that must not go."""

    def __init__(self, tables: TableStore, in_use: Callable[[], Collection[str]]) -> None:
        self._tables = tables
        self._in_use = in_use
        self._lock = threading.Lock()
        self._owners: dict[str, set[str]] = {}  # by digest

    def keep(self, content: bytes, name: str, visitor: str) -> str:
        """Keep a visitor's file; returns its digest.

        Past the visitor's own share their oldest files make room, then whichever was used least
        lately. Raises GruvizError for too large a file, or if nothing may go.
        """
        check_size(content)
        digest = hashlib.sha256(content).hexdigest()
        with self._lock:
            held = dict(self._tables.held())
            held.pop(digest, None)
            for owner_of in [each for each in self._owners if each != digest and each not in held]:
                del self._owners[owner_of]
            self._make_room(held, visitor, len(content))
            kept = self._tables.keep(content, name)
            self._owners.setdefault(digest, set()).add(visitor)
        return kept

    def own(self, digest: str, visitor: str) -> None:
        """A file that is there already is this visitor's too."""
        with self._lock:
            self._owners.setdefault(digest, set()).add(visitor)

    def leave(self, digest: str, visitor: str) -> None:
        """A file is no longer this visitor's; without anybody it goes."""
        with self._lock:
            self._leave(digest, visitor)

    def _leave(self, digest: str, visitor: str) -> None:
        owners = self._owners.get(digest, set())
        owners.discard(visitor)
        if not owners:
            self._owners.pop(digest, None)
            self._tables.drop(digest)

    def _make_room(self, held: dict[str, tuple[float, int]], visitor: str, size: int) -> None:
        spared = set(self._in_use())
        own = {
            each: held[each]
            for each, who in self._owners.items()
            if visitor in who and each in held
        }
        count, most = limit("GRUVIZ_MAX_TABLES"), limit("GRUVIZ_MAX_TABLES_MB") * MEGABYTE
        mine = leaving(own, size, count, most, spared)
        if mine is None:
            raise PassingError(
                n_(
                    "A tab may keep {count:,} file or {most:,} MB, and runs still need yours; pause"
                    " them or upload less.",
                    "A tab may keep {count:,} files or {most:,} MB, and runs still need yours; pause"
                    " them or upload less.",
                    count,
                ).format(count=count, most=most // MEGABYTE)
            )
        for digest in mine:
            self._leave(digest, visitor)
        rest = {each: about for each, about in held.items() if each not in mine}
        everybody = leaving(rest, size, len(rest) + 1, self._most(), spared, first=own)
        if everybody is None:
            raise PassingError(
                _(
                    "There is no room for this file: runs need all that is kept here; try again later."
                )
            )
        for digest in everybody:
            self._owners.pop(digest, None)
            self._tables.drop(digest)

    def _most(self) -> int:
        total = shutil.disk_usage(self._tables.folder).total
        return min(limit("GRUVIZ_MAX_ALL_TABLES_MB") * MEGABYTE, total // FOLDER_SHARE)


def leaving(
    held: Held,
    size: int,
    most: int,
    most_bytes: int,
    spared: Collection[str],
    first: Collection[str] = (),
) -> list[str] | None:
    """Which of the files held have to go for one more of `size` bytes; None if that isn't enough.

    Those in `first` go before all others, the least lately used ones before those used later, and
    those spared never.
    """
    order = sorted(
        (each for each in held if each not in spared),
        key=lambda each: (each not in first, held[each][0]),
    )
    gone: list[str] = []
    count, total = len(held), sum(about[1] for about in held.values())
    while count >= most or total + size > most_bytes:
        if not order:
            return None
        gone.append(order.pop(0))
        count, total = count - 1, total - held[gone[-1]][1]
    return gone


def digests(sources: Iterable[str]) -> set[str]:
    """The files of sources, without how they are read."""
    return {source.partition("?")[0] for source in sources}

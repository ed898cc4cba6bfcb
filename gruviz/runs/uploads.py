"""Whose the uploaded files are, and who has to go when there is no room for another one."""

import hashlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from gruviz.csv.encoding import check_size
from gruviz.data.store import TableStore
from gruviz.errors import PassingError
from gruviz.settings import limit
from gruviz.words import _, n_

MEGABYTE = 10**6
FOLDER_SHARE = 3  # all uploads take at most this part of their file system
TIDY_SECONDS = 5.0
KEEP_TIMES = 12  # as long as a run: a tab that lies open through a lesson finds its tables again
NOBODY = ""

Held = Mapping[str, tuple[float, int]]  # when each was last used, and its bytes


class Uploads:
    """The files of all visitors in a store. in_use: the digests of those that must not go."""

    def __init__(self, tables: TableStore, in_use: Callable[[], Collection[str]]) -> None:
        self._tables = tables
        self._in_use = in_use
        self._lock = threading.Lock()
        self._owners: dict[str, set[str]] = {}  # by digest
        self._tidied = -TIDY_SECONDS

    def keep(self, content: bytes, name: str, visitor: str) -> str:
        """Keep a visitor's file; returns its digest.

        Past the visitor's own share their oldest files make room, then the oldest one of whoever
        holds most. Raises GruvizError for too large a file, or if nothing may go.
        """
        check_size(content)
        digest = hashlib.sha256(content).hexdigest()
        with self._lock:
            held = dict(self._tables.held())
            held.pop(digest, None)
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

    def move(self, before: str, visitor: str) -> None:
        """What was one visitor's is another's: a tab was refreshed, and has a new name."""
        with self._lock:
            for owners in self._owners.values():
                if before in owners:
                    owners.remove(before)
                    owners.add(visitor)

    def tidy(self, now: float) -> None:
        """Charge what files have become since they were kept, and forget what nobody has used for
        KEEP_TIMES GRUVIZ_KEEP_MINUTES; done every TIDY_SECONDS."""
        if now - self._tidied < TIDY_SECONDS:
            return
        self._tidied = now
        oldest = time.time() - 60 * KEEP_TIMES * limit("GRUVIZ_KEEP_MINUTES")
        with self._lock:
            held, spared = self._tables.held(), set(self._in_use())
            for digest in set(self._owners) - set(held):
                del self._owners[digest]
            for digest, (used, _size) in held.items():
                if used < oldest and digest not in spared:
                    self._forget(digest)
            for visitor in set().union(*self._owners.values()):
                self._charge(self._own(held, visitor), visitor, spared)
            self._make_room_for_all(self._tables.held(), NOBODY, 0, spared)

    def _charge(self, own: Held, visitor: str, spared: Collection[str]) -> None:
        """Past a visitor's share go the other ways in which their files were read, then the oldest
        files; the one that was used last stays."""
        most = limit("GRUVIZ_MAX_TABLES_MB") * MEGABYTE
        if sum(size for _used, size in own.values()) <= most:
            return
        for digest in own:
            self._tables.shed(digest)
        own = self._own(self._tables.held(), visitor)
        last = max(own, key=lambda each: own[each][0], default="")
        for digest in leaving(own, 0, len(own) + 1, most, {last, *spared}) or ():
            self._leave(digest, visitor)

    def _own(self, held: Held, visitor: str) -> dict[str, tuple[float, int]]:
        return {each: held[each] for each in held if visitor in self._owners.get(each, ())}

    def _forget(self, digest: str) -> None:
        self._owners.pop(digest, None)
        self._tables.drop(digest)

    def _leave(self, digest: str, visitor: str) -> None:
        owners = self._owners.get(digest, set())
        owners.discard(visitor)
        if not owners:
            self._forget(digest)

    def _make_room(self, held: dict[str, tuple[float, int]], visitor: str, size: int) -> None:
        spared, own = set(self._in_use()), self._own(held, visitor)
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
            if digest not in self._owners:
                del held[digest]
        if not self._make_room_for_all(held, visitor, size, spared):
            raise PassingError(
                _(
                    "There is no room for this file: runs need all that is kept here; try again later."
                )
            )

    def _make_room_for_all(
        self, held: dict[str, tuple[float, int]], visitor: str, size: int, spared: Collection[str]
    ) -> bool:
        """Whether there is room for so many bytes more of a visitor's: whoever holds most, those
        counted, lets go of what they used least lately, until there is."""
        most, total = self._most(), size + sum(about[1] for about in held.values())
        if size + sum(held[each][1] for each in held if each in spared) > most:
            return False
        while total > most:
            weights = Counter({visitor: size})
            whose = {each: self._owners.get(each) or {NOBODY} for each in held}
            for each, owners in whose.items():
                weights.update(dict.fromkeys(owners, held[each][1]))
            _weight, _used, digest, owner = min(
                (-weights[owner], held[each][0], each, owner)
                for each, owners in whose.items()
                for owner in owners
                if each not in spared
            )
            self._leave(digest, owner)
            if digest not in self._owners:
                total -= held.pop(digest)[1]
        return True

    def _most(self) -> int:
        total = shutil.disk_usage(self._tables.folder).total
        return min(limit("GRUVIZ_MAX_ALL_TABLES_MB") * MEGABYTE, total // FOLDER_SHARE)


def leaving(
    held: Held, size: int, most: int, most_bytes: int, spared: Collection[str]
) -> list[str] | None:
    """Which of the files held have to go for one more of `size` bytes; None if that isn't enough.

    The least lately used ones go before those used later, and those spared never.
    """
    order = sorted((each for each in held if each not in spared), key=lambda each: held[each][0])
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

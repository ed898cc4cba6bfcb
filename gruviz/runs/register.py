"""Runs by their token: kept for whoever comes back, and let go of when nobody does."""

import threading
from dataclasses import dataclass
from weakref import WeakValueDictionary

from gruviz.runs.run import Run, Status
from gruviz.settings import limit


@dataclass
class Kept:
    """A run, and whose it is."""

    visitor: str
    run: Run

    @property
    def age(self) -> tuple[bool, float]:
        """What sorts runs by who has to go first: not one that trains, and the longest unwatched."""
        return self.run.status is Status.RUNNING, self.run.watched_at


class Register:
    """A run is found as long as anything holds it: an open tab, which may pin it, or this register.

    So nobody loses what is on the screen, whatever others do; letting go only means that the run
    ends with the last tab that shows it.
    """

    def __init__(self) -> None:
        self._found: WeakValueDictionary[str, Run] = WeakValueDictionary()
        self._kept: dict[str, Kept] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many runs are there, whoever holds them."""
        return len(self._found)

    def find(self, token: str) -> Run | None:
        """The run of a token, or None if there is none (any more)."""
        return self._found.get(token)

    @property
    def runs(self) -> list[Run]:
        """All that are there."""
        return list(self._found.values())

    def whose(self, run: Run) -> str:
        """The visitor of a run; "" if only an open tab holds it."""
        kept = self._kept.get(run.token)
        return kept.visitor if kept else ""

    def put(self, visitor: str, run: Run) -> None:
        """Keep a run, which is that visitor's from here on.

        Past GRUVIZ_MAX_RUNS it takes the place of another one of the same visitor's.
        """
        with self._lock:
            self._found[run.token] = run
            self._kept[run.token] = Kept(visitor, run)
            own = [kept for kept in self._kept.values() if kept.visitor == visitor]
            self._let_go(own, len(own) - limit("GRUVIZ_MAX_RUNS"))

    def tidy(self, now: float) -> None:
        """Let go of what nobody has watched for GRUVIZ_KEEP_MINUTES, and of what is too much."""
        with self._lock:
            oldest = now - 60 * limit("GRUVIZ_KEEP_MINUTES")
            for token in [t for t, kept in self._kept.items() if kept.run.watched_at < oldest]:
                del self._kept[token]
            sizes = {token: kept.run.size for token, kept in self._kept.items()}
            while sum(sizes.values()) > 1_000_000 * limit("GRUVIZ_RUNS_MB"):
                held: dict[str, int] = {}
                for token, size in sizes.items():
                    visitor = self._kept[token].visitor
                    held[visitor] = held.get(visitor, 0) + size
                most = max(held, key=lambda visitor: held[visitor])
                own = [kept for kept in self._kept.values() if kept.visitor == most]
                for kept in self._let_go(own, 1):
                    del sizes[kept.run.token]

    def _let_go(self, kept: list[Kept], count: int) -> list[Kept]:
        gone = sorted(kept, key=lambda each: each.age)[: max(0, count)]
        for each in gone:
            del self._kept[each.run.token]
        return gone

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
        """Let go of what nobody has watched for GRUVIZ_KEEP_MINUTES, and of what is too much: past
        GRUVIZ_RUNS_MB, those that nothing else holds, of whoever has most."""
        with self._lock:
            oldest = now - 60 * limit("GRUVIZ_KEEP_MINUTES")
            for token in [t for t, kept in self._kept.items() if kept.run.watched_at < oldest]:
                del self._kept[token]
            sizes = {token: kept.run.size for token, kept in self._kept.items()}
            held: dict[str, int] = {}
            for token, size in sizes.items():
                visitor = self._kept[token].visitor
                held[visitor] = held.get(visitor, 0) + size
            total, tried = sum(sizes.values()), set[str]()
            while total > 1_000_000 * limit("GRUVIZ_RUNS_MB") and len(tried) < len(sizes):
                token = min(sizes.keys() - tried, key=lambda token: self._first(token, held))
                tried.add(token)
                visitor = self._kept[token].visitor
                if self._went(token):
                    total, held[visitor] = total - sizes[token], held[visitor] - sizes[token]

    def _first(self, token: str, held: dict[str, int]) -> tuple[int, bool, float]:
        """What sorts runs by who has to go first: those of whoever holds most bytes."""
        kept = self._kept[token]
        return -held[kept.visitor], *kept.age

    def _went(self, token: str) -> bool:
        """Let go of a run, unless somebody else holds it, such as a tab: that would free nothing."""
        visitor = self._kept.pop(token).visitor
        run = self._found.get(token)
        if run is not None:
            self._kept[token] = Kept(visitor, run)
        return run is None

    def _let_go(self, kept: list[Kept], count: int) -> None:
        for each in sorted(kept, key=lambda each: each.age)[: max(0, count)]:
            del self._kept[each.run.token]

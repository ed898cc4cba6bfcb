"""Whose turn it is: a queue that is fair by the seconds of work that each visitor has had."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SLICE_SECONDS = 0.2
SHORTEST_SLICE_SECONDS = 0.03
# Who is further off the fair share than this is forgiven the rest, for better or worse: a visitor who
# works on one thing at a time can't take up more than one worker, and is owed nothing for the others.
MOST_APART = 3.0
# What the page owes at most, and from when on it is collected: a visitor's work waits that long.
MOST_OWED, LEAST_OWED = 1.0, 0.01

T = TypeVar("T")


@dataclass
class Account(Generic[T]):
    """What one visitor has had, and still wants.

    spent: seconds of all work that is over, less the moments at which what is under way began.
    waiting: tasks, each with its place in the order in which all came.
    resting: works that are over, but whose owner is about to hand in the next piece.
    cost: seconds that the last one took; of a first one it is thought that it is short.
    owed: seconds that the page has had for the visitor, less those in which no worker had anything of
    the visitor's since.
    """

    spent: float
    waiting: deque[tuple[int, T]] = field(default_factory=deque)
    running: int = 0
    resting: int = 0
    cost: float = SHORTEST_SLICE_SECONDS
    owed: float = 0.0

    def seconds(self, now: float) -> float:
        """Worker seconds until now, those of work under way among them."""
        return self.spent + self.running * now

    @property
    def works(self) -> int:
        return len(self.waiting) + self.running + self.resting


class Queue(Generic[T]):
    """Gives all visitors who want something the same seconds of the workers' time.

    That is worst-case fair queueing (Bennett and Zhang 1996, "WF2Q: worst-case fair weighted fair
    queueing") with costs known afterwards. The fair share grows with time: by the workers at work
    over the visitors who are there. Next is, of those who have not had theirs, the one who will
    first have had it; so short slices come evenly between long ones. Whoever comes, or comes back,
    begins at the fair share: having been idle earns no credit, having worked alone costs nothing.
    All works of a visitor count as one visitor's, so asking for more of them brings nobody's time.

    short: whether the page takes the workers' cores from them. What it does for a visitor is then
    work like any other, done before its turn: while others are there, a worker stands still for it.
    """

    def __init__(self, *, short: bool = False) -> None:
        self._short = short
        self._accounts: dict[str, Account[T]] = {}
        self._came = 0
        self._share = 0.0  # seconds that everybody should have had who was there all the time
        self._seen = 0.0

    def __len__(self) -> int:
        """How many tasks are waiting."""
        return sum(len(account.waiting) for account in self._accounts.values())

    def put(self, visitor: str, task: T, now: float) -> None:
        """A visitor's task, behind the others of the same visitor."""
        self._go_on(now)
        account = self._accounts.setdefault(visitor, Account(self._share))
        if not account.works:
            account.spent = max(account.spent, self._share)
        self._came += 1
        account.waiting.append((self._came, task))

    def take(self, now: float, unless: str | None = None) -> tuple[str, T] | None:
        """The next task and its visitor; its seconds count from now on.

        unless: a visitor whose turn has just ended. If the next turn would be that visitor's
        again, there is none now: it is worth waiting for what will be handed in.
        """
        self._go_on(now)
        ready = [each for each, account in self._accounts.items() if account.waiting]
        ready = [each for each in ready if not self._held(each)]
        if not ready:
            return None
        visitor = min(ready, key=lambda each: self._rank(each, now))
        if (
            unless is not None
            and not self._held(unless)
            and not self._accounts[unless].waiting
            and self._rank(unless, now) < self._rank(visitor, now)
        ):
            return None
        account = self._accounts[visitor]
        account.running += 1
        account.spent -= now
        return visitor, account.waiting.popleft()[1]

    def charge(self, visitor: str, seconds: float, now: float) -> None:
        """Seconds of a core that the page had for a visitor, who may be about to want some work."""
        self._go_on(now)
        if not self._short:
            return
        self._forget()
        account = self._accounts.setdefault(visitor, Account(self._share))
        account.owed = min(account.owed + seconds, MOST_OWED)
        if account.works:
            account.spent += seconds
            self._share += seconds / sum(each.works > 0 for each in self._accounts.values())

    def pause(self, now: float) -> float | None:
        """Seconds until somebody's turn comes for whom a worker stands still; None if for nobody."""
        self._go_on(now)
        return min(
            (
                account.owed
                for each, account in self._accounts.items()
                if account.waiting and self._held(each)
            ),
            default=None,
        )

    def _held(self, visitor: str) -> bool:
        """Whether a visitor's works wait for what the page has done, for others are there."""
        return self._accounts[visitor].owed >= LEAST_OWED and any(
            account.works for each, account in self._accounts.items() if each != visitor
        )

    def _rank(self, visitor: str, now: float) -> tuple[bool, float, int]:
        """What sorts visitors by whose turn it is."""
        account = self._accounts[visitor]
        seconds = account.seconds(now)
        ahead = seconds > self._share
        came = account.waiting[0][0] if account.waiting else self._came + 1
        return ahead, seconds if ahead else seconds + account.cost, came

    def done(self, visitor: str, seconds: float, now: float) -> None:
        """A task that was taken so many seconds ago is over.

        Call `left` when its owner has had time to hand in the next one.
        """
        self._go_on(now)
        account = self._accounts[visitor]
        account.running -= 1
        account.resting += 1
        account.spent += now
        account.cost = seconds

    def left(self, visitor: str, now: float) -> None:
        """The owner of a task that is over has handed in the next one, or won't for now."""
        self._go_on(now)
        self._accounts[visitor].resting -= 1
        self._forget()

    def slice_seconds(self, visitor: str, workers: int, now: float) -> float:
        """How long the visitor's next slice should take.

        So that each of a visitor's works has a turn every SLICE_SECONDS however many are there, but
        longer for one who lags behind: then it is the others who wait.
        """
        self._go_on(now)
        account = self._accounts.get(visitor) or Account(self._share)
        there = {name for name, each in self._accounts.items() if each.works} | {visitor}
        fair = SLICE_SECONDS * workers / (len(there) * max(1, account.works))
        lag = self._share - account.seconds(now) if len(there) > 1 else 0.0
        return min(SLICE_SECONDS, max(SHORTEST_SLICE_SECONDS, fair, lag))

    def clear(self) -> Iterator[T]:
        """Everything that waits, taken out; no seconds are counted for it."""
        for account in self._accounts.values():
            while account.waiting:
                yield account.waiting.popleft()[1]

    def _go_on(self, now: float) -> None:
        """The fair share as it is by now."""
        there = [account for account in self._accounts.values() if account.works]
        if there:
            at_work = sum(account.running for account in there)
            self._share += (now - self._seen) * at_work / len(there)
        for account in self._accounts.values():
            stood_still = account.waiting and not account.running
            if (stood_still or not account.works) and now > self._seen:
                account.owed = max(0.0, account.owed - (now - self._seen))
        self._seen = now
        for account in self._accounts.values():
            off = account.seconds(now) - self._share
            account.spent -= off - min(max(off, -MOST_APART), MOST_APART)

    def _forget(self) -> None:
        """Close the accounts of those who want nothing and would begin where they stand anyway."""
        for name, account in list(self._accounts.items()):
            if not (account.works or account.owed) and account.spent <= self._share:
                del self._accounts[name]

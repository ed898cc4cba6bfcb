"""Whose turn it is: a queue that is fair by the seconds of work that each visitor has had."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

SLICE_SECONDS = 0.2
SHORTEST_SLICE_SECONDS = 0.03
# Who is further ahead than this is forgiven the rest: a visitor who works on one thing at a time
# can't take up more than one worker, and whoever used the others meanwhile owes nobody.
MOST_LEAD = 5.0

T = TypeVar("T")


@dataclass
class Account(Generic[T]):
    """What one visitor has had, and still wants.

    spent: seconds of all work that is over, less the moments at which what is under way began.
    resting: works that are over, but whose owner is about to hand in the next piece.
    """

    spent: float
    waiting: deque[T] = field(default_factory=deque)
    running: int = 0
    resting: int = 0
    turn: int = 0  # the number of its last one

    def seconds(self, now: float) -> float:
        """Worker seconds until now, those of work under way among them."""
        return self.spent + self.running * now

    @property
    def works(self) -> int:
        return len(self.waiting) + self.running + self.resting


class Queue(Generic[T]):
    """Next is a task of the visitor who has had the least of the workers' time.

    That is start-time fair queueing (Goyal, Vin and Cheng 1996, "Start-time fair queuing") whose
    costs are known afterwards. Whoever comes, or comes back, begins at the least of those who are
    there: having been idle earns no credit, having worked alone costs none. All works of a visitor
    count as one visitor's, so asking for more of them brings none of the others' time.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, Account[T]] = {}
        self._turns = 0

    def __len__(self) -> int:
        """How many tasks are waiting."""
        return sum(len(account.waiting) for account in self._accounts.values())

    def put(self, visitor: str, task: T, now: float) -> None:
        """A visitor's task, behind the others of the same visitor."""
        account = self._accounts.get(visitor)
        if account is None:
            account = self._accounts[visitor] = Account(self._least(now, 0.0))
        elif not account.works:
            account.spent = max(account.spent, self._least(now, account.spent))
        account.waiting.append(task)

    def take(self, now: float, unless: str | None = None) -> tuple[str, T] | None:
        """The next task and its visitor; its seconds count from now on.

        unless: a visitor whose turn has just ended. If the next turn would be that visitor's
        again, there is none now: it is worth waiting for what will be handed in.
        """
        ready = [(name, account) for name, account in self._accounts.items() if account.waiting]
        if not ready:
            return None
        name, account = min(
            ready, key=lambda each: (each[1].seconds(now), each[1].running, each[1].turn)
        )
        last = None if unless is None else self._accounts.get(unless)
        if last is not None and last.seconds(now) < account.seconds(now):
            return None
        self._turns += 1
        account.turn = self._turns
        account.running += 1
        account.spent -= now
        return name, account.waiting.popleft()

    def done(self, visitor: str, now: float) -> None:
        """A task that was taken is over; call `left` when its owner has had time for the next."""
        account = self._accounts[visitor]
        account.running -= 1
        account.spent += now
        account.resting += 1
        lead = account.seconds(now) - self._least(now, account.seconds(now))
        account.spent -= max(0.0, lead - MOST_LEAD)

    def left(self, visitor: str, now: float) -> None:
        """The owner of a task that is over has handed in the next one, or won't for now."""
        self._accounts[visitor].resting -= 1
        if not any(account.works for account in self._accounts.values()):
            self._accounts.clear()
        elif not self._accounts[visitor].works:
            least = self._least(now, 0.0)
            for name, account in list(self._accounts.items()):
                if not account.works and account.spent <= least:
                    del self._accounts[name]  # would begin there anyway

    def slice_seconds(self, visitor: str, workers: int, now: float) -> float:
        """How long the visitor's next slice should take.

        So that each of a visitor's works has a turn every SLICE_SECONDS however many are there, but
        longer for one who lags behind: then it is the others who wait.
        """
        account = self._accounts.get(visitor, Account(0.0))
        there = {name for name, each in self._accounts.items() if each.works} | {visitor}
        fair = SLICE_SECONDS * workers / (len(there) * max(1, account.works))
        lag = 0.0
        if account.works and len(there) > 1:
            least = min(self._accounts[name].seconds(now) for name in there - {visitor})
            lag = least - account.seconds(now)
        return min(SLICE_SECONDS, max(SHORTEST_SLICE_SECONDS, fair, lag))

    def clear(self) -> Iterator[T]:
        """Everything that waits, taken out; no seconds are counted for it."""
        for account in self._accounts.values():
            while account.waiting:
                yield account.waiting.popleft()

    def _least(self, now: float, otherwise: float) -> float:
        there = [account.seconds(now) for account in self._accounts.values() if account.works]
        return min(there, default=otherwise)

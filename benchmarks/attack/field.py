"""What an attack is, what it has to hand, and what it reports."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.clients import Gone, Server, Student, pace

TABLE = {"task": "table"}  # the link on which a file can be uploaded
LOST = (Gone, OSError, TimeoutError, LookupError, StopIteration)


@dataclass(frozen=True)
class Outcome:
    """What was seen. at_work: how many students' work there was, the victim's included."""

    said: str
    held: bool = True
    at_work: int = 1


@dataclass
class Field:
    """The server, the victim, how long an attack may last, and the tabs that it opens."""

    server: Server
    victim: Student
    seconds: float
    tabs: list[Student] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    async def tab(self, link: dict[str, str] | str = "", page: str = "") -> Student:
        """A tab on a link, closed when the attack is over."""
        student = await Student.open(self.url, link, page)
        self.tabs.append(student)
        return student

    async def training(self, link: dict[str, str] | str = "") -> Student:
        """A tab that has pressed Train."""
        student = await self.tab(link)
        await student.press("Train")
        return student

    async def crowd(self, links: Iterable[dict[str, str]]) -> Outcome:
        """Tabs that come at once and train as long as the attack lasts."""
        came = await asyncio.gather(*map(self.training, links), return_exceptions=True)
        for each in came:
            if isinstance(each, BaseException) and not isinstance(each, LOST):
                raise each
        crowd = [each for each in came if isinstance(each, Student)]
        began = time.monotonic()
        await asyncio.sleep(self.seconds)
        return self.report(crowd, began, lost=len(came) - len(crowd))

    def report(self, crowd: list[Student], began: float, lost: int = 0) -> Outcome:
        """How a crowd was served since a time: at work, refused in a sentence, or not at all."""
        working = [each for each in crowd if each.status in ("running", "settling")]
        refused = [each for each in crowd if each.token is None and each.says()]
        said = []
        if working:
            now = time.monotonic()
            rates = [pace(s.viewer, began, now).steps if s.viewer else 0.0 for s in working]
            said.append(f"{len(working)} at work, {min(rates):,.0f}–{max(rates):,.0f} steps/s each")
        if refused:
            said.append(f"{len(refused)} refused: {refused[0].says()[-1]}")
        others = len(crowd) - len(working) - len(refused)
        if others:
            said.append(f"{others} neither at work nor refused")
        if lost:
            said.append(f"{lost} got no page")
        held = not lost and not any(each.exceptions() for each in crowd)
        return Outcome("; ".join(said), held, 1 + len(working))

    async def advances(self, student: Student, seconds: float = 4.0) -> bool:
        """Whether a student's run takes steps in the time to come."""
        before, deadline = student.steps, time.monotonic() + seconds
        while time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            if student.steps > before:
                return True
        return False

    async def close(self) -> None:
        """Close what the attack has opened; what trains is paused, so that the next can begin."""
        await asyncio.gather(*map(_leave, self.tabs))
        self.tabs.clear()


async def _leave(student: Student) -> None:
    with suppress(*LOST):
        async with asyncio.timeout(5):
            if student.status == "running":
                await student.press("Pause")
    await student.close()


@dataclass(frozen=True)
class Attack:
    """sentence: what is tried. paced: whether the victim's pace is judged, for where a worker is
    killed it has to stand still for a moment. prepare: makes what is sent, before the clock runs."""

    sentence: str
    act: Callable[[Field], Awaitable[Outcome]]
    paced: bool = True
    prepare: Callable[[], object] | None = None

"""Attack a server of one's own, on loopback, and say what held: `python -m benchmarks.attack`.

A victim trains the default experiment all the while. A line holds if the victim's steps a second
are at least 0.8 of its fair share, the 95th percentile of the gaps between its chart updates is at
most a second, the log has no traceback, and the attack's own question is answered well. The fair
share is that of the cores, less what the clients of the attack take of them, over the students at
work; and no more than what a student alone takes. It is measured how fast the machine is meanwhile,
for a shared one isn't always equally fast. Left out: shared memory that is full.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.attack import crowds, feed, hostile, storms, uploads, workers
from benchmarks.attack.field import LOST, Attack, Field, Outcome
from benchmarks.clients import Pace, Server, Student, pace

ATTACKS: dict[str, Attack] = {
    **crowds.ATTACKS,
    **uploads.ATTACKS,
    **feed.ATTACKS,
    **hostile.ATTACKS,
    **workers.ATTACKS,
    **storms.ATTACKS,
}

VICTIM = {"steps": "100000"}  # the default experiment, long enough for any attack
FAIR, LONGEST_GAP, MOST_GROWTH = 0.8, 1.0, 0.2
ALONE_SECONDS, LOOK_SECONDS = 6.0, 4.0
# Of its pace alone, and of the cores that the server takes meanwhile: before, the next attack does not
# begin, for runs that nobody watches any more go on for a while.
RECOVERED, CALM = 0.5, 1.25
RECOVERY_SECONDS = 30.0
ATTACK_SECONDS = 150.0  # at most
SETTINGS = {
    "GRUVIZ_KEEP_MINUTES": str(storms.KEEP_MINUTES),
    "GRUVIZ_HUNG_SECONDS": str(workers.HUNG_SECONDS),
}
HEAD = (
    f"{'attack':<13}{'at work':>8}{'steps/s':>9}{'fair':>6}{'share':>7}{'gap p95':>9}{'longest':>9}"
    f"{'page MB':>9}{'worker':>8}{'clients':>9}{'errors':>8}  "
)


@dataclass
class Peak:
    """The most memory that the page's process and a worker had in a while, in MB."""

    page: float = 0.0
    worker: float = 0.0

    async def look(self, server: Server) -> None:
        """Look until cancelled."""
        while True:
            self.page = max(self.page, server.page_memory())
            self.worker = max(self.worker, await asyncio.to_thread(server.worker_memory))
            await asyncio.sleep(0.5)


class Watch:
    """What this machine did in a while: its speed, and the cores that server and clients took."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._began, self._clients, self._served = self._now()
        self._speeds: list[float] = []
        self._looking = asyncio.create_task(self._look())

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), time.process_time(), self._server.processor_seconds()

    async def _look(self) -> None:
        numbers, before = np.random.default_rng(0).random((64, 64)), 0.0
        while True:
            before = time.thread_time()
            for _each in range(20):
                np.tanh(numbers @ numbers)
            self._speeds.append(1 / (time.thread_time() - before))
            await asyncio.sleep(0.1)

    def stop(self) -> "Seen":
        """What was seen since it began."""
        self._looking.cancel()
        now, clients, served = self._now()
        seconds = now - self._began
        return Seen(
            float(np.median(self._speeds)),
            (clients - self._clients) / seconds,
            (served - self._served) / seconds,
        )


@dataclass(frozen=True)
class Seen:
    """speed: of the machine, in any unit; clients, server: the cores that they took."""

    speed: float
    clients: float
    server: float


@dataclass(frozen=True)
class Line:
    """What one attack did to the victim and to the server.

    alone: steps/s of the victim beforehand, when the machine was as in `before`; cores: that the
    server may take.
    """

    name: str
    attack: Attack
    outcome: Outcome
    alone: float
    before: Seen
    during: Seen
    cores: float
    seen: Pace
    peak: Peak
    tracebacks: int

    @property
    def fair(self) -> float:
        alone = self.alone * self.during.speed / self.before.speed
        return alone * min(1.0, self.cores / self.outcome.at_work / self.before.server)

    @property
    def held(self) -> bool:
        served = self.seen.steps >= FAIR * self.fair and self.seen.p95 <= LONGEST_GAP
        return self.outcome.held and not self.tracebacks and (served or not self.attack.paced)

    def __str__(self) -> str:
        share = f"{self.seen.steps / self.fair:.2f}" if self.fair else "-"
        return (
            f"{self.name:<13}{self.outcome.at_work:>8}{self.seen.steps:>9,.0f}"
            f"{self.fair:>6,.0f}{share:>7}{self.seen.p95:>8.2f}s{self.seen.longest:>8.2f}s"
            f"{self.peak.page:>9,.0f}{self.peak.worker:>8,.0f}{self.during.clients:>9.2f}"
            f"{self.tracebacks:>8}  "
            f"{'held' if self.held else 'NOT HELD'}: {self.attack.sentence}: {self.outcome.said[:160]}"
        )


async def victim_of(server: Server) -> Student:
    """A student whose run takes steps."""
    student = await Student.open(server.url, VICTIM)
    await student.press("Train")
    async with asyncio.timeout(RECOVERY_SECONDS):
        while not student.steps:
            await asyncio.sleep(0.05)
    return student


async def watched(student: Student, seconds: float) -> Pace:
    """How a student is served in the time to come."""
    began = time.monotonic()
    await asyncio.sleep(seconds)
    return seen(student, began)


def seen(student: Student, began: float) -> Pace:
    """How a student was served since a time; not at all, if it has no feed (any more)."""
    now = time.monotonic()
    return pace(student.viewer, began, now) if student.viewer else Pace(0.0, (now - began,))


async def strike(server: Server, name: str, seconds: float, alone: float, cores: float) -> Line:
    """Let an attack loose while a victim trains.

    alone, cores: what the victim's steps/s and the server's cores are without any attack. Raises
    TimeoutError if a victim does not get near to them beforehand.
    """
    attack = ATTACKS[name]
    if attack.prepare is not None:
        attack.prepare()
    victim = await victim_of(server)
    field = Field(server, victim, seconds)
    peak = Peak()
    try:
        async with asyncio.timeout(RECOVERY_SECONDS):
            while True:
                watch = Watch(server)
                before = await watched(victim, LOOK_SECONDS)
                quiet = watch.stop()
                if before.steps >= RECOVERED * alone and quiet.server <= CALM * cores:
                    break
        errors, looking = server.tracebacks(), asyncio.create_task(peak.look(server))
        watch, began = Watch(server), time.monotonic()
        try:
            async with asyncio.timeout(ATTACK_SECONDS):
                outcome = await attack.act(field)
                # One that is over in a moment would say nothing of the victim's pace.
                while outcome.held and attack.paced and time.monotonic() - began < seconds:
                    await field.close()
                    outcome = await attack.act(field)
        except LOST as error:
            outcome = Outcome(f"broken off: {type(error).__name__} {error}"[:150], False)
        found, during = seen(victim, began), watch.stop()
        looking.cancel()
        await field.close()
    finally:
        await victim.close()
    there = min(len(os.sched_getaffinity(0)) - during.clients, server.workers_wanted)
    return Line(
        name,
        attack,
        outcome,
        before.steps,
        quiet,
        during,
        there,
        found,
        peak,
        server.tracebacks() - errors,
    )


class Siege:
    """A server under one attack after the other; a new one where the old one does not recover."""

    def __init__(self, folder: Path, workers: int, seconds: float) -> None:
        self.folder, self.workers, self.seconds = folder, workers, seconds
        self.server: Server | None = None
        self.alone, self.cores, self.start, self.held = 0.0, 0.0, 0.0, True

    async def begin(self) -> None:
        """Start a server, and measure the victim alone."""
        self.server = await Server.start(self.folder, self.workers, SETTINGS)
        victim = await victim_of(self.server)
        await asyncio.sleep(2)
        watch = Watch(self.server)
        found = await watched(victim, ALONE_SECONDS)
        self.cores = watch.stop().server
        await victim.close()
        self.alone, self.start = found.steps, self.server.page_memory()
        print(
            f"{'alone':<13}{1:>8}{found.steps:>9,.0f}{found.steps:>6,.0f}{1:>7.2f}"
            f"{found.p95:>8.2f}s{found.longest:>8.2f}s{self.start:>9,.0f}"
            f"{self.server.worker_memory():>8,.0f}{'':>9}{self.server.tracebacks():>8}  "
            f"the victim alone: a gap of {found.median:.2f} s",
            flush=True,
        )

    async def lay(self, name: str) -> None:
        """One attack, and its line."""
        for _try in range(2):
            assert self.server is not None
            try:
                line = await strike(self.server, name, self.seconds, self.alone, self.cores)
            except LOST as error:
                self.end()
                print(f"  ... the server does not recover ({type(error).__name__}); a new one")
                self.held = False
                await self.begin()
                continue
            self.held &= line.held
            print(line, flush=True)
            return
        self.held = False
        print(f"{name:<13}  NOT HELD: no victim got its pace beforehand")

    async def afterwards(self) -> None:
        """The page's memory when all tabs have been closed for as long as anything is kept."""
        assert self.server is not None
        ends = time.monotonic() + storms.SETTLE_SECONDS
        while True:
            growth = self.server.page_memory() / self.start - 1
            if growth <= MOST_GROWTH or time.monotonic() > ends:
                break
            await asyncio.sleep(1)
        held = growth <= MOST_GROWTH
        self.held &= held
        print(
            f"\nall tabs closed for up to {storms.SETTLE_SECONDS:.0f} s: page"
            f" {self.server.page_memory():.0f} MB, {growth:+.0%} of its start ({self.start:.0f} MB);"
            f" {self.server.tracebacks()} tracebacks in its log: {'held' if held else 'NOT HELD'}"
        )

    def end(self) -> None:
        """Stop the server."""
        if self.server is not None:
            self.server.stop()


async def besiege(names: list[str], workers: int, seconds: float, log: Path | None) -> bool:
    """Lay on the attacks of these names; whether all held."""
    own = asyncio.current_task()
    assert own is not None
    # Whoever ends this program doesn't leave a server behind.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, own.cancel)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        siege = Siege(log or Path(folder), workers, seconds)
        print(HEAD)
        try:
            await siege.begin()
            for name in names:
                await siege.lay(name)
            await siege.afterwards()
        finally:
            siege.end()
    print(f"{len(names)} attacks in {time.monotonic() - began:.0f} s")
    print("left out: shared memory that is full")
    return siege.held


def main() -> int:
    """Attack, and return 1 if a line did not hold."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.attack", description=__doc__)
    asked.add_argument("names", nargs="*", metavar="name", help=f"of: {', '.join(ATTACKS)}")
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--seconds", type=float, default=10.0, help="that a crowd stays")
    asked.add_argument("--log", type=Path, help="a folder for the server's log")
    given = asked.parse_args()
    if unknown := set(given.names) - set(ATTACKS):
        asked.error(f"no attack is called {', '.join(sorted(unknown))}")
    siege = besiege(given.names or list(ATTACKS), given.workers, given.seconds, given.log)
    try:
        held = asyncio.run(siege)
    except asyncio.CancelledError:  # ended from outside
        held = False
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())

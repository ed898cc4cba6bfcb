"""Visitors who come, go and come back, all the time."""

import asyncio
import time
from contextlib import suppress

from benchmarks.attack.field import Attack, Field, Outcome
from benchmarks.clients import Server, Student, http

REFRESHES, BACKS, LOADS, SESSIONS = 40, 100, 200, 300
SESSIONS_AT_ONCE = 4
MOST_GROWTH = 20.0  # MB of the page's process, for so many sessions
KEEP_MINUTES = 1  # of GRUVIZ_KEEP_MINUTES, the least that it may be
# Until a closed tab is forgotten (`server.disconnectedSessionTTL`), swept up and its memory is back.
SETTLE_SECONDS = 120.0 + 30


async def refreshes(field: Field) -> Outcome:
    """Refresh a tab again and again: the new one takes the run up each time."""
    tab = await field.training({"steps": "100000"})
    token, taken = tab.token, 0
    for _each in range(REFRESHES):
        await tab.vanish()
        tab = await Student.open(field.url, tab.link)
        await tab.trigger("attach", token)
        taken += tab.token == token
    field.tabs.append(tab)
    goes_on = await field.advances(tab)
    said = (
        f"taken up {taken} of {REFRESHES} times, the run {'goes on' if goes_on else 'stands still'}"
    )
    return Outcome(said, taken == REFRESHES and goes_on and not tab.exceptions(), 2)


async def backs(field: Field) -> Outcome:
    """Press the browser's back button faster than the page is drawn."""
    tab = await field.training({"steps": "100000"})
    for number in range(BACKS):
        tab.link = f"steps=100000&seed={number % 3}"
        await tab.rerun(wait=False)
        await asyncio.sleep(0.02)
    await tab.rerun()
    goes_on = await field.advances(tab)
    said = f"the run {'goes on' if goes_on else 'stands still'}"
    return Outcome(said, goes_on and not tab.exceptions(), 2)


async def loads(field: Field) -> Outcome:
    """Fetch the page and what it asks first."""
    before, whole = field.server.page_memory(), 0
    for _each in range(LOADS):
        answers = [
            await http("GET", field.url, path)
            for path in ("/", "/_stcore/health", "/_stcore/host-config")
        ]
        whole += all(status == 200 for status, _headers, _body in answers)
    growth = field.server.page_memory() - before
    return Outcome(f"{whole} of {LOADS} whole, page {growth:+.0f} MB", whole == LOADS, 2)


async def two_tabs(field: Field) -> Outcome:
    """Two tabs on one run: both are fed, and either may pause it."""
    first = await field.training({"steps": "100000"})
    second = await field.tab()
    await second.trigger("attach", first.token)
    same = second.token == first.token
    fed = [await field.advances(each) for each in (first, second)]
    await second.press("Pause")
    with suppress(TimeoutError):
        async with asyncio.timeout(field.seconds):
            while first.status != "paused":
                await asyncio.sleep(0.1)
    said = f"{sum(fed)} of 2 fed, the first says {first.status!r} when the second has paused it"
    return Outcome(said, same and all(fed) and first.status == "paused", 2)


async def visit(url: str, *, runs: bool) -> None:
    """Open a tab, make one step if it is to have a run, close it."""
    tab = await Student.open(url)
    if runs:
        await tab.press("Step")
    await tab.close()


async def come_and_go(server: Server, count: int, settle: float) -> tuple[float, float]:
    """MB by which the page's process has grown after so many visits, of which every third has a run:
    at once, and the least within `settle` seconds, or until it is no more than MOST_GROWTH. The first,
    which load what all need, don't count."""
    turn = asyncio.Semaphore(SESSIONS_AT_ONCE)

    async def one(number: int) -> None:
        async with turn:
            await visit(server.url, runs=number % 3 == 0)

    await asyncio.gather(*map(one, range(3 * SESSIONS_AT_ONCE)))
    before = server.page_memory()
    await asyncio.gather(*map(one, range(count)))
    at_once = least = server.page_memory() - before
    ends = time.monotonic() + settle
    while least > MOST_GROWTH and time.monotonic() < ends:
        await asyncio.sleep(0.5)
        least = min(least, server.page_memory() - before)
    return at_once, least


async def sessions(field: Field) -> Outcome:
    """Open and close many tabs, every third with a run of its own."""
    began = time.monotonic()
    at_once, later = await come_and_go(field.server, SESSIONS, SETTLE_SECONDS)
    took = time.monotonic() - began
    said = f"page {at_once:+.0f} MB at once, {later:+.0f} MB later (after {took:.0f} s)"
    return Outcome(said, later <= MOST_GROWTH, 1 + SESSIONS_AT_ONCE)


ATTACKS = {
    "refreshes": Attack(f"{REFRESHES} refreshes of a tab that trains", refreshes),
    "backs": Attack(f"{BACKS} presses of the back button", backs),
    "two-tabs": Attack("two tabs on one run", two_tabs),
    "loads": Attack(f"{LOADS} page loads", loads),
    "sessions": Attack(f"{SESSIONS} sessions opened and closed", sessions),
}

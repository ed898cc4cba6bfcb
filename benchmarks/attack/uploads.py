"""Visitors who upload too much, too often, or what can't be read."""

import asyncio
import random
import time
from datetime import datetime, timedelta
from functools import cache

from benchmarks.attack.field import TABLE, Attack, Field, Outcome
from benchmarks.clients import Student, Viewer

LARGEST = 19_900_000  # bytes, just below what an upload may have
BIG = 13_000_000
PRESSES = 205  # just above what is kept of tables, and of runs
PRESSING_SECONDS = 45.0
ENOUGH = 25  # of them, on a slow machine: more than one visitor keeps by default
MOST_GROWTH = 100.0  # MB of the page's process, for 40 files of 19.9 MB
PATIENCE = 20.0  # seconds more that a read may take beside those of the attack


@cache
def high_bytes() -> bytes:
    """Lines of bytes that no encoding gives a meaning at once."""
    generator = random.Random(0)
    table = bytes(128 + each % 128 for each in range(256))
    line = 80
    rows = generator.randbytes(LARGEST).translate(table)
    return b"\n".join(rows[at : at + line - 1] for at in range(0, LARGEST, line))


@cache
def big_rows() -> bytes:
    """A table of 13 MB without its header: a time and six numbers a row."""
    generator, rows, size = random.Random(0), list[str](), 0
    first, numbers_there_are = datetime(1900, 1, 1), [f"{n / 97:.4f}" for n in range(9_999)]
    while size < BIG:
        numbers = ",".join(generator.choices(numbers_there_are, k=6))
        row = f"{first + timedelta(hours=len(rows)):%Y-%m-%d %H:%M},{numbers}"
        rows.append(row)
        size += len(row) + 1
    return "\n".join(rows).encode()


def small(number: int) -> bytes:
    """A table of its own of a hundred rows."""
    return b"t,x\n" + b"".join(b"%d,%d\n" % (t, (t * t + number) % 97) for t in range(100))


def rates(student: Student) -> list[str]:
    """The stops of the learning rate's slider, in the middle of it."""
    options = list(student.labelled("Learning rate").what.options)
    return options[len(options) // 4 : 3 * len(options) // 4]


async def unreadable(field: Field) -> Outcome:
    """A file of high bytes, and slider moves while it is being read: each begins a rerun."""
    tab = await field.tab(TABLE)
    began = time.monotonic()
    await tab.upload("high.csv", high_bytes(), wait=False)
    for rate in rates(tab)[:12]:
        await tab.set("Learning rate", rate, wait=False)
        await asyncio.sleep(0.3)
    while not tab.says() and time.monotonic() - began < field.seconds + PATIENCE:
        await asyncio.sleep(0.1)
    if not tab.says():
        return Outcome("still being read", False, 2)
    after = time.monotonic() - began
    return Outcome(f"refused after {after:.0f} s: {tab.says()[-1]}", not tab.exceptions(), 2)


async def big_tables(field: Field) -> Outcome:
    """Students with a large file each, who train on it and move a slider now and then."""
    names = "abcde"
    began = time.monotonic()

    async def one(name: str) -> Student:
        tab = await field.tab({**TABLE, "steps": "100000"})
        header = "time," + ",".join(f"{name}{column}" for column in range(6)) + "\n"
        await tab.upload(f"{name}.csv", header.encode() + big_rows())
        await tab.press("Train")
        for rate in rates(tab):
            if time.monotonic() - began > field.seconds:
                break
            await tab.set("Learning rate", rate)
            await asyncio.sleep(2)
        return tab

    crowd = await asyncio.gather(*map(one, names))
    found = field.report(list(crowd), began)
    took = time.monotonic() - began
    return Outcome(f"in {took:.0f} s: {found.said}", found.held, max(found.at_work, len(names) + 1))


async def many_uploads(field: Field) -> Outcome:
    """One session uploads more tables than are kept, while another's run reads its own."""
    other = await field.tab({**TABLE, "steps": "100000"})
    await other.upload("other.csv", small(-1))
    await other.press("Train")
    tab = await field.tab(TABLE)
    began, done = time.monotonic(), 0
    while done < PRESSES and time.monotonic() - began < PRESSING_SECONDS:
        await tab.upload(f"{done}.csv", small(done))
        done += 1
    took = time.monotonic() - began
    goes_on = await field.advances(other)
    said = f"{done} uploads in {took:.0f} s; the other's run " + (
        "goes on" if goes_on else f"stopped ({other.status})"
    )
    return Outcome(said, goes_on and done >= ENOUGH and not tab.exceptions(), 3)


async def many_runs(field: Field) -> Outcome:
    """One session begins more runs than are kept, while another's stands paused and unwatched."""
    other = await field.tab()
    await other.press("Step")
    token, feed = other.token, other.panel["feed"]
    assert token is not None
    await other.close()
    tab = await field.tab()
    began, done = time.monotonic(), 0
    while done < PRESSES and time.monotonic() - began < PRESSING_SECONDS:
        await tab.press("Step")
        await tab.press("Reset")
        done += 1
    took = time.monotonic() - began
    viewer = Viewer(field.url, feed, token)
    watching = asyncio.create_task(viewer.watch())
    await asyncio.sleep(2)
    watching.cancel()
    await viewer.close()
    there = viewer.step > 0
    said = f"{done} runs in {took:.0f} s; the other's run is {'there' if there else 'gone'}"
    return Outcome(said, there and done >= ENOUGH and not tab.exceptions(), 2)


async def many_large(field: Field) -> Outcome:
    """Many of the largest uploads by one session, none of which is a table."""
    tab = await field.tab(TABLE)
    before, began, statuses = field.server.page_memory(), time.monotonic(), []
    for number in range(40):
        content = b"\x89PNG\r\n\x1a\n\0\0" + number.to_bytes(2, "big") + bytes(LARGEST - 20)
        statuses.append(await tab.upload(f"{number}.csv", content, wait=number % 10 == 9))
    took, growth = time.monotonic() - began, field.server.page_memory() - before
    kept = sum(status < 300 for status in statuses)
    said = (
        f"{kept} taken in {took:.0f} s, page {growth:+,.0f} MB; {(tab.says() or ['no word'])[-1]}"
    )
    return Outcome(said, growth <= MOST_GROWTH and not tab.exceptions(), 2)


ATTACKS = {
    "unreadable": Attack(
        "19.9 MB of lines of high bytes, and twelve slider moves", unreadable, prepare=high_bytes
    ),
    "big-tables": Attack("five students with a file of 13 MB each", big_tables, prepare=big_rows),
    "many-uploads": Attack(
        f"{PRESSES} uploads by one session while another's run reads its own", many_uploads
    ),
    "many-runs": Attack(f"{PRESSES} Steps and Resets of one session", many_runs),
    "many-large": Attack("40 uploads of 19.9 MB by one session", many_large),
}

"""Students whose experiments ask for much, all at once."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from benchmarks.attack.field import Attack, Field, Outcome
from benchmarks.clients import Viewer

LORENZ = {
    "task": "lorenz",
    "lorenz.length": "1000",
    "lorenz.size": "6000",
    "batch_size": "1",
    "gru.units": "1",
}
WAVEFORMS = {"task": "waveforms", "waveforms.length": "200", "waveforms.size": "100000"}
LONG_STEPS = {"cell": "lstm", "lstm.units": "62", "sine.length": "1000", "batch_size": "516"}
HUGE = {"task": "adding", "adding.length": "1000", "adding.size": "10000", "gru.units": "256"}
HUGE_BATCHES: list[dict[str, str]] = [
    {"batch_size": "10000"},
    {"batch_size": "all"},
    {"optimizer": "rprop"},
    {"optimizer": "gd"},
]
SOCKETS, TEXT_RUNS = 120, 5


def _many(count: int, link: dict[str, str]) -> Callable[[Field], Coroutine[Any, Any, Outcome]]:
    """A crowd on one link, each with a seed of its own, so that none can share another's data."""

    async def act(field: Field) -> Outcome:
        return await field.crowd([{**link, "seed": str(seed)} for seed in range(count)])

    return act


async def huge(field: Field) -> Outcome:
    """Links whose one batch would take 47.8 GiB."""
    return await field.crowd([{**HUGE, **batch} for batch in HUGE_BATCHES])


async def range_test(field: Field) -> Outcome:
    """A study of long steps on the Lab page."""
    tab = await field.tab(LONG_STEPS, "Lab")
    await tab.press("Start")
    await asyncio.sleep(field.seconds)
    bars = [each.what.text for each in tab.find("progress")]
    if not bars and tab.says():
        return Outcome(f"refused: {tab.says()[-1]}", not tab.exceptions())
    return Outcome(f"range test {' '.join(bars) or 'over'}", not tab.exceptions(), 2)


async def sockets(field: Field) -> Outcome:
    """Many panels that look at a few runs."""
    runs = await asyncio.gather(
        *(field.training({"task": "text", "seed": str(seed)}) for seed in range(TEXT_RUNS))
    )
    viewers = []
    for number in range(SOCKETS):
        run = runs[number % TEXT_RUNS]
        assert run.token is not None
        viewers.append(Viewer(field.url, run.panel["feed"], run.token))
    watching = [asyncio.create_task(each.watch()) for each in viewers]
    began = time.monotonic()
    await asyncio.sleep(field.seconds)
    for task in watching:
        task.cancel()
    fed = sum(bool(each.arrivals) for each in viewers)
    codes = sorted({each.code for each in viewers if each.code is not None})
    for each in viewers:
        each.vanish()
    found = field.report(list(runs), began)
    turned = f", others were closed with {codes}" if codes else ""
    return Outcome(
        f"{fed} of {SOCKETS} sockets fed{turned}; {found.said}", found.held, found.at_work
    )


ATTACKS = {
    "lorenz": Attack("six tabs of 6,000 Lorenz series in batches of one", _many(6, LORENZ)),
    "waveforms": Attack("five tabs of 100,000 waveforms", _many(5, WAVEFORMS)),
    "mackey": Attack("eight students on default Mackey–Glass", _many(8, {"task": "mackey_glass"})),
    "long-steps": Attack("six tabs whose every step takes over a second", _many(6, LONG_STEPS)),
    "range-test": Attack("a range test of such steps", range_test),
    "huge": Attack("links to a batch of 47.8 GiB", huge),
    "sockets": Attack(f"{SOCKETS} sockets on {TEXT_RUNS} text runs", sockets),
}

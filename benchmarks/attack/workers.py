"""Workers that die or hang: who trains goes on."""

import asyncio
import os
import signal
import time

from benchmarks.attack.field import Attack, Field, Outcome
from benchmarks.clients import Student

HUNG_SECONDS = 5  # of GRUVIZ_HUNG_SECONDS, so that nobody here waits for a minute
STANDS = "one stands still"
AGAIN_SECONDS = 40.0  # until new workers have loaded torch, on a busy machine


async def _recovery(field: Field, began: float) -> str | None:
    """How long the victim stood still, in words; None if it did not go on."""
    if not await field.advances(field.victim, AGAIN_SECONDS):
        return None
    return f"the victim goes on {time.monotonic() - began:.1f} s later"


async def killed_idle(field: Field) -> Outcome:
    """Kill every worker while nobody trains."""
    await field.victim.press("Pause")
    await asyncio.sleep(1)
    victims = field.server.workers()
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.5)
    began = time.monotonic()
    await field.victim.press("Train")
    said = await _recovery(field, began)
    return Outcome(f"{len(victims)} killed; {said or 'nothing goes on'}", said is not None)


async def killed_training(field: Field) -> Outcome:
    """Kill a worker, and then another one, while two train."""
    other = await field.training({"steps": "100000"})
    sentences = []
    for _each in range(2):
        workers = field.server.workers()
        if workers:
            os.kill(workers[0], signal.SIGKILL)
        sentences.append(await _recovery(field, time.monotonic()))
    goes_on = await field.advances(other, AGAIN_SECONDS)
    held = goes_on and None not in sentences
    said = "; ".join(each or "the victim stands still" for each in sentences)
    return Outcome(
        f"{said}; the other {'too' if goes_on else f'does not ({other.status})'}", held, 2
    )


async def stopped(field: Field) -> Outcome:
    """Stop a worker that holds somebody's slice, as one that hangs: whose slice it was is told so, and
    goes on at the next Train."""
    other = await field.training({"steps": "100000"})
    await asyncio.sleep(1)
    stuck = field.server.workers()[0]
    os.kill(stuck, signal.SIGSTOP)
    await asyncio.sleep(HUNG_SECONDS + 5)
    fates = [await _fate(field, each) for each in (field.victim, other)]
    replaced = stuck not in field.server.workers()
    if not replaced:
        os.kill(stuck, signal.SIGCONT)
    said = f"{' and '.join(fates)}; the worker was {'replaced' if replaced else 'left hanging'}"
    return Outcome(said, STANDS not in fates and replaced, 2)


async def _fate(field: Field, tab: Student) -> str:
    """What became of a run one of whose slices may have been on a worker that hung."""
    if await field.advances(tab, 10):
        return "one goes on"
    await tab.rerun()
    told = any("gave no sign" in each for each in tab.says())
    await tab.press("Train")
    return (
        "one is told, and goes on at the next Train"
        if told and await field.advances(tab)
        else STANDS
    )


ATTACKS = {
    "killed-idle": Attack("all workers killed while nobody trains", killed_idle, paced=False),
    "killed": Attack("workers killed while two train", killed_training, paced=False),
    "stopped": Attack("a worker stopped (SIGSTOP)", stopped, paced=False),
}

"""Whoever speaks to the feed as no panel does."""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from benchmarks.attack.field import Attack, Field, Outcome
from benchmarks.clients import Student, greet, http, reset, websocket

ASK = json.dumps({"steps": 0, "validations": 0, "blocks": 0, "snapshot": -1})
MUTE, DEAF, LOST, HURRY = 60, 20, 20, 1000
MOST_ANSWERS = 10  # a second, however often a panel asks
STRANGERS = ("http://elsewhere.example", "http://[")  # whose pages are not this server's
MOST_GROWTH = 50.0  # MB of the page's process, for whoever doesn't read or greet
FLOOD = 150_000_000  # bytes before the greeting
CLOSED = (ConnectionClosed, ConnectionError, InvalidHandshake, InvalidMessage, EOFError)

GARBAGE: dict[str, str | bytes] = {
    "nothing": "",
    "a blank": " ",
    "no JSON": "hello",
    "half of it": '{"steps": 1',
    "null": "null",
    "true": "true",
    "a number": "7",
    "a string": '"steps"',
    "a list": "[]",
    "lists in lists": "[" * 5_000 + "]" * 5_000,
    "objects in objects": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "an empty object": "{}",
    "other keys": '{"a": 1}',
    "text for a count": '{"steps":"1","validations":0,"snapshot":0}',
    "a fraction": '{"steps":0.5,"validations":0,"snapshot":0}',
    "null for a count": '{"steps":null,"validations":0,"snapshot":0}',
    "NaN": '{"steps":NaN,"validations":0,"snapshot":0}',
    "infinity": '{"steps":Infinity,"validations":0,"snapshot":0}',
    "minus infinity": '{"steps":-Infinity,"validations":0,"snapshot":0}',
    "below zero": '{"steps":-5,"validations":-5,"blocks":-5,"snapshot":-5}',
    "beyond 64 bits": json.dumps({"steps": 2**70, "validations": 2**70, "snapshot": 2**70}),
    "five thousand digits": '{"steps":' + "9" * 5_000 + ',"validations":0,"snapshot":0}',
    "beyond what there is": '{"steps":999999999,"validations":999999999,"blocks":9,"snapshot":9}',
    "a list for a count": '{"steps":[1],"validations":0,"snapshot":0}',
    "true for a count": '{"steps":true,"validations":false,"snapshot":true}',
    "the same key twice": '{"steps":0,"steps":"x","validations":0,"snapshot":0}',
    "a long key": json.dumps({"k" * 100_000: 1}),
    "a lone surrogate": '{"steps":"\\ud800","validations":0,"snapshot":0}',
    "a null byte": "\0\0\0",
    "markup": "<script>alert(1)</script>",
    "binary": b"\0\xff\xfe",
    "a pickle": b"\x80\x04N.",
    "a megabyte": "x" * 1_000_000,
}


async def _own(field: Field, link: str = "") -> tuple[Student, str, str]:
    """A tab that trains, the feed's address, and its token."""
    tab = await field.training(link)
    assert tab.token is not None
    return tab, tab.panel["feed"], tab.token


async def _closes(connection: ClientConnection, seconds: float) -> bool:
    """Whether the server hangs up within a time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await connection.wait_closed()
            return True
    return False


async def mute(field: Field) -> Outcome:
    """Sockets that say nothing, with a token and without."""
    _tab, feed, token = await _own(field)
    before = field.server.page_memory()
    opened = []
    for number in range(MUTE):
        with suppress(*CLOSED):  # let in at all
            door = (
                greet(field.url, feed, token, "overview")
                if number % 2
                else websocket(field.url, feed)
            )
            opened.append(await door)
    closed = sum(await asyncio.gather(*(_closes(each, 14) for each in opened)))
    dropped = MUTE - len(opened) + closed
    growth = field.server.page_memory() - before
    for each in opened:
        reset(each)
    said = f"{dropped} of {MUTE} hung up on within 14 s, page {growth:+.0f} MB"
    return Outcome(said, dropped == MUTE and growth <= MOST_GROWTH, 2)


async def deaf(field: Field) -> Outcome:
    """Sockets that ask, and don't read what they are answered."""
    _tab, feed, token = await _own(field)
    before = field.server.page_memory()
    opened = [await greet(field.url, feed, token, "overview", max_queue=1) for _each in range(DEAF)]
    ends = time.monotonic() + field.seconds
    while time.monotonic() < ends:
        for each in opened:
            with suppress(TimeoutError, *CLOSED):
                async with asyncio.timeout(0.05):
                    await each.send(ASK)
        await asyncio.sleep(0.05)
    growth = field.server.page_memory() - before
    for each in opened:
        reset(each)
    return Outcome(f"page {growth:+.0f} MB", growth <= MOST_GROWTH, 2)


async def flood(field: Field) -> Outcome:
    """A message of 150 MB from a stranger, and one from whoever has a run."""
    _tab, feed, token = await _own(field)
    before, most, sent = field.server.page_memory(), 0.0, 0
    chunk = "x" * 1_000_000

    async def message() -> AsyncIterator[str]:
        nonlocal most, sent
        while sent < FLOOD:
            yield chunk
            sent += len(chunk)
            most = max(most, field.server.page_memory() - before)

    for door in (websocket(field.url, feed), greet(field.url, feed, token, "overview")):
        sent = 0
        with suppress(TimeoutError, *CLOSED):
            async with asyncio.timeout(20), await door as connection:
                await connection.send(message())
                await _closes(connection, 3)
    most = max(most, field.server.page_memory() - before)
    said = f"{sent / 1e6:.0f} MB taken, page {most:+.0f} MB at most"
    return Outcome(said, most <= MOST_GROWTH, 2)


async def garbage(field: Field) -> Outcome:
    """Every kind of nonsense as a greeting, and after one."""
    _tab, feed, token = await _own(field)

    async def one(message: str | bytes, *, greeted: bool) -> bool:
        """Whether it was answered, or hung up on."""
        with suppress(*CLOSED):
            if greeted:
                connection = await greet(field.url, feed, token, "overview")
            else:
                connection = await websocket(field.url, feed)
            with suppress(TimeoutError):
                async with asyncio.timeout(12), connection:
                    await connection.send(message)
                    await connection.recv()
                    return True
            return False
        return True

    kinds = list(GARBAGE.values())
    answers = [
        await asyncio.gather(*(one(each, greeted=greeted) for each in kinds))
        for greeted in (False, True)
    ]
    done = sum(map(sum, answers))
    said = f"{done} of {2 * len(kinds)} answered or hung up on"
    return Outcome(said, done == 2 * len(kinds) and await field.advances(_tab), 2)


async def hurried(field: Field) -> Outcome:
    """A panel that asks without waiting for answers."""
    _tab, feed, token = await _own(field)
    connection, asked, answers = await greet(field.url, feed, token, "overview"), 0, 0

    async def read() -> None:
        nonlocal answers
        async for _frame in connection:
            answers += 1

    reading = asyncio.create_task(read())
    began = time.monotonic()
    with suppress(*CLOSED):
        while time.monotonic() - began < field.seconds:
            for _each in range(HURRY // 20):
                await connection.send(ASK)
                asked += 1
            await asyncio.sleep(max(0.0, began + asked / HURRY - time.monotonic()))
    code = connection.close_code
    reading.cancel()
    with suppress(asyncio.CancelledError, *CLOSED):
        await reading
    reset(connection)
    said = f"{asked:,} asks, {answers} answers" + (f", hung up with {code}" if code else "")
    return Outcome(said, answers <= MOST_ANSWERS * (field.seconds + 1), 2)


async def vanish(field: Field) -> Outcome:
    """Connections that break while they are being served."""
    tab, feed, token = await _own(field)
    for _each in range(LOST):
        connection = await greet(field.url, feed, token, "overview")
        for _ask in range(3):
            await connection.send(ASK)
        await asyncio.sleep(0.15)
        reset(connection)
    for _each in range(LOST // 4):
        other = await Student.open(field.url)
        await other.press("Step", wait=False)
        await other.vanish()
    await _half_an_upload(field)
    await asyncio.sleep(1)
    return Outcome("the run that they looked at goes on", await field.advances(tab), 2)


async def _half_an_upload(field: Field) -> None:
    where = urlsplit(field.url)
    _reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(
        b"PUT /_stcore/upload_file/x/y HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\nhalf"
    )
    await writer.drain()
    writer.transport.abort()


async def forged(field: Field) -> Outcome:
    """Uploads with a wrong XSRF token, and sockets from another site's page."""
    tab = await field.tab({"task": "table"})
    wrong = await tab.upload("a.csv", b"a\n1\n", token="2|00000000|00|0")
    bare, _headers, _body = await http("PUT", field.url, f"/_stcore/upload_file/{tab.session}/x")
    _tab, feed, token = await _own(field)
    let_in = 0
    for door in [
        door
        for origin in STRANGERS
        for door in (
            greet(field.url, feed, token, "overview", origin=origin),
            websocket(field.url, "/_stcore/stream", origin=origin),
        )
    ]:
        with suppress(*CLOSED):
            connection = await door
            await connection.send(ASK)
            await asyncio.wait_for(connection.recv(), 5)
            let_in += 1
    tried = 2 * len(STRANGERS)
    said = f"uploads answered with {wrong} and {bare}, {let_in} of {tried} strange sockets let in"
    return Outcome(said, (wrong, bare, let_in) == (403, 403, 0), 2)


async def guessed(field: Field) -> Outcome:
    """Tokens that nobody was given."""
    _tab, feed, token = await _own(field)
    tries: list[Any] = [
        "",
        "null",
        "../../etc/passwd",
        token[:-1],
        token.lower(),
        token + " ",
        "x" * 10_000,
        "%00",
        "' OR 1=1 --",
        "*",
        *(secrets.token_urlsafe(24) for _each in range(30)),
    ]
    served = 0
    for each in tries:
        with suppress(TimeoutError, ValueError, *CLOSED):
            async with (
                asyncio.timeout(5),
                await greet(field.url, feed, each, "overview") as stranger,
            ):
                await stranger.send(ASK)
                await stranger.recv()
                served += 1
    return Outcome(f"{served} of {len(tries)} guesses were served", served == 0, 2)


ATTACKS = {
    "mute": Attack(f"{MUTE} sockets that never greet", mute),
    "deaf": Attack(f"{DEAF} sockets that stop reading", deaf),
    "flood": Attack("150 MB in one message, with a token and without", flood),
    "garbage": Attack(f"{len(GARBAGE)} kinds of garbage on the feed", garbage),
    "hurried": Attack(f"{HURRY:,} asks a second", hurried),
    "vanish": Attack("connections that break while they are served", vanish),
    "forged": Attack("wrong XSRF tokens, and another site's page", forged),
    "guessed": Attack("guessed tokens", guessed),
}

"""Links and files that mean harm, or nothing: each is answered by the page, in a sentence or less."""

import asyncio
import gzip
import io
import random
import zipfile
from collections.abc import Callable
from urllib.parse import quote

from benchmarks.attack.field import LOST, TABLE, Attack, Field, Outcome
from benchmarks.clients import Student

AT_ONCE = 3

ODD = ("nan", "inf", "-1", "1e999", "0x10", "", "9" * 400, "<b>x</b>", "../../x", "\0", "½")
LINKS: list[str] = [
    *(f"learning_rate={quote(each)}" for each in ODD),
    *(f"seed={quote(each)}" for each in ODD),
    *(f"batch_size={quote(each)}" for each in ("0", "1.5", "999999999", "[]", "off", "NaN")),
    *(
        f"task={quote(each)}"
        for each in ("nothing", "__class__", "<script>", "table" * 500, "TABLE")
    ),
    *(f"gru.units={each}" for each in ("0", "-5", "1000000", "1e3", "units")),
    "unknown=1",
    "token=x",
    "__proto__=1",
    "a.b.c=1",
    ".=1",
    "=1",
    "gru.=1",
    ".units=1",
    "&".join(f"k{number}=1" for number in range(2_000)),
    "seed=1&seed=2",
    "x=" + "y" * 50_000,
    "task=table&table.source=../../../etc/passwd",
    "task=table&table.source=" + "a" * 64,
    "task=table&table.source=sunspots_yearly?{",
    'task=table&table.source=sunspots_yearly?{"header":[99999]}',
    'task=table&table.source=sunspots_yearly?{"encoding":"klingon"}',
    "task=table&table.column=<img src=x>",
    "task=table&table.further=" + quote('["a"' * 300),
    "task=rows&rows.target=nowhere",
    "optimizer=adam&adam.beta1=2",
    "cell=gru&lstm.units=3",
    "view=nonsense&axis=nonsense",
    "%ff%fe=%00",
]


async def links(field: Field) -> Outcome:
    """Open each, and look for anything but a page."""
    turn, bad = asyncio.Semaphore(AT_ONCE), []

    async def one(link: str) -> None:
        async with turn:
            try:
                tab = await Student.open(field.url, link)
                if tab.exceptions() or not next(tab.find("heading"), None):
                    bad.append(f"{link[:40]} {tab.exceptions()[:1]}")
                await tab.close()
            except LOST as error:
                bad.append(f"{link[:40]} {type(error).__name__}")

    await asyncio.gather(*map(one, LINKS))
    said = f"{len(LINKS) - len(bad)} of {len(LINKS)} pages whole"
    return Outcome("; ".join([said, *bad[:2]]), not bad, 2)


SHORT = {**TABLE, "table.window": "4", "table.horizon": "1"}  # thirty rows are enough for it
ROWS = "".join(f"2021-01-{day:02},{day * day % 7}\n" for day in range(1, 29))
PLAIN = f"date,x\n{ROWS}"


def _zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", bytes(50_000_000))
    return made.getvalue()


def _table(header: str, row: Callable[[int], str]) -> bytes:
    """A file of a header and thirty rows."""
    return "\n".join([header, *map(row, range(30)), ""]).encode()


def files() -> dict[str, bytes]:
    """Each kind of file by what it is."""
    generator = random.Random(0)
    cells = [",".join(str(generator.randint(0, 9)) for _cell in range(4)) for _row in range(60)]
    return {
        "empty": b"",
        "blank": b" \n\t\r\n ",
        "a byte-order mark": b"\xef\xbb\xbf",
        "one byte": b"1",
        "a header alone": b"a,b,c\n",
        "one row": b"a,b\n1,2\n",
        "nothing but commas": b",,,\n" * 200,
        "nothing but quotes": b'"' * 1001,
        "an open quote": b'a,b\n"1,2\n' + b"3,4\n" * 500,
        "null bytes": PLAIN.encode().replace(b"-10", b"\0\0\0"),
        "zeros": bytes(100_000),
        "noise": generator.randbytes(100_000),
        "high bytes": bytes([200, 201, 10]) * 5_000,
        "zip bomb": _zipped(),
        "gzip": gzip.compress(PLAIN.encode()),
        "PNG": b"\x89PNG\r\n\x1a\n\0\0" * 9,
        "JPEG": b"\xff\xd8\xff\xe0\0" * 9,
        "PDF": b"%PDF-1.7\n%\xe2\xe3\n",
        "ELF": b"\x7fELF\2\1\1\0" * 9,
        "Excel": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9,
        "Parquet": b"PAR1\x15\0PAR1",
        "NumPy": b"\x93NUMPY\1\0",
        "pickle": b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93.",
        "JSON": b'[{"a": 1}]',
        "XML with entities": b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>',
        "HTML": b"<!DOCTYPE html><script>alert(1)</script>",
        "SQL": b"'; DROP TABLE runs; --\n" * 50,
        "git-lfs pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:"
        + b"0" * 64
        + b"\nsize 9\n",
        "ragged": "\n".join("1," * (row % 9) + "2" for row in range(300)).encode(),
        "half UTF-16": PLAIN.encode("utf-16")[: len(PLAIN)],
        "odd UTF-16": PLAIN.encode("utf-16")[:-1],
        "UTF-32": PLAIN.encode("utf-32"),
        "broken UTF-8": PLAIN.encode() + b"\xc3\x28\xff\n",
        "formulas": _table("a,=cmd|' /C calc'!A0", lambda row: f"{row},=1+{row}"),
        "markup for names": _table(
            "date,<img src=x onerror=alert(1)>,**b**,$x$",
            lambda row: f"2021-01-{row + 1:02},{row % 5},{row % 3},{row % 4}",
        ),
        "names of 10,000 characters": (
            f"{'n' * 10_000},{'m' * 10_000}\n" + "1,2\n3,4\n" * 60
        ).encode(),
        "the same name often": ("a,a,a,a\n" + "\n".join(cells)).encode(),
        "a million columns": b",".join([b"1"] * 1_000_000) + b"\n",
        "one giant line": b"7" * 5_000_000,
        "too many lines": b"a\n" + b"1\n" * 700_000,
        "one column of words": b"who\n" + b"ann\n" * 500,
        "infinite numbers": b"a\n" + b"1e999\n-1e999\nnan\n" * 50,
        "huge numbers": b"a\n" + b"9" * 400 + b"\n1\n" * 60,
        "times of year 9999": _table("t,x", lambda row: f"9999-12-{row + 1:02},{row}"),
        "right to left": ("\u202edate\u202c,x\u0000\n" + ROWS).encode(),
        "a path for a name": PLAIN.encode(),
    }


async def uploads(field: Field) -> Outcome:
    """Upload each into one tab, and look for anything but a table, or one sentence about the file."""
    tab = await field.tab(SHORT)
    bad, refused, given = [], 0, files()
    for what, content in given.items():
        name = "../../etc/passwd.csv" if what == "a path for a name" else f"<b>{what}</b>.csv"
        try:
            status = await tab.upload(name, content)
        except LOST as error:
            bad.append(f"{what}: {type(error).__name__}")
            tab = await field.tab(SHORT)
            continue
        said = [each for each in tab.says() if each.startswith(name)]
        refused += bool(said)
        if tab.exceptions() or status >= 300 or len(said) > 1:
            bad.append(f"{what}: {status}, {len(said)} sentences {tab.exceptions()[:1]}")
    text = f"{refused} of {len(given)} refused in a sentence, {len(bad)} otherwise than one would"
    return Outcome("; ".join([text, *bad[:3]]), not bad, 2)


ATTACKS = {
    "links": Attack(f"{len(LINKS)} hostile links", links),
    "files": Attack("46 hostile files", uploads),
}

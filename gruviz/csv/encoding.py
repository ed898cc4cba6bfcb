"""Bytes to text: what the bytes are, in which encoding, with which line ends."""

import codecs
import re
from dataclasses import dataclass

import numpy as np

from gruviz.csv.findings import Finding, Remedy, note, warning
from gruviz.csv.foreign import refuse_bytes
from gruviz.csv.legacy import legacy
from gruviz.csv.reading import Overrides
from gruviz.errors import GruvizError
from gruviz.words import N_, _

MAX_BYTES = 20_000_000
MOST_BROKEN = 1000  # characters, among which one may be unreadable
MOST_RETURNS = 8  # carriage returns before a line feed that end one line together
CHUNK = 1_000_000
BLOCK, BLOCKS = 4096, 64  # bytes that are looked at for the encoding

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# Codecs that turn bytes into something else than a file's text.
ESCAPES = frozenset(
    [
        "idna",
        "punycode",
        "undefined",
        "unicode-escape",
        "unicode_escape",
        "raw-unicode-escape",
        "raw_unicode_escape",
        "utf-7",
    ]
)

HIGH = re.compile(rb"[\x80-\xff]+")
UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}")
BETWEEN = re.compile(rb"[\x00-\x2f:;]")  # never a part of a longer character


@dataclass(frozen=True)
class Text:
    """Text with "\\n" for every line end, and how it came to be."""

    text: str
    encoding: str
    newline: str
    findings: tuple[Finding, ...]


def check_size(content: bytes) -> None:
    """Raise GruvizError if a file is larger than MAX_BYTES."""
    if len(content) > MAX_BYTES:
        raise GruvizError(
            _("This file has {size:.0f} MB; upload at most {most:.0f} MB.").format(
                size=len(content) / 1e6, most=MAX_BYTES / 1e6
            )
        )


def decode(content: bytes, overrides: Overrides) -> Text:
    """The text of a file. Raises GruvizError if it is empty, too large, or no text."""
    check_size(content)
    if not content.strip():
        raise GruvizError(_("This file is empty; choose one with a header line and rows."))
    refuse_bytes(content)
    if overrides.encoding is None:
        encoding, found = _detect(content)
    else:
        encoding, found = overrides.encoding, []
    text, damage = _decoded(content, encoding)
    found += damage
    text, cut = _without_padding(text)
    found += cut
    newline = _newline(text)
    if newline != "LF":
        for count in range(MOST_RETURNS if "\r\r\n" in text else 1, 0, -1):
            text = text.replace("\r" * count + "\n", "\n")
        text = text.replace("\r", "\n")
    if newline in ("CR", "mixed"):
        found.append(
            note(
                "line-ends",
                N_("Lines end in an unusual way ({kind}); they are told apart all the same."),
                kind=newline,
            )
        )
    if not text.strip("\ufeff \n\t\v\f"):
        raise GruvizError(_("This file is empty; choose one with a header line and rows."))
    return Text(text, encoding, newline, tuple(found))


def _decoded(content: bytes, encoding: str) -> tuple[str, list[Finding]]:
    try:
        codec = codecs.lookup(encoding)
        if codec.name in ESCAPES or not codec._is_text_encoding:
            raise LookupError
    except (LookupError, ValueError) as error:
        raise GruvizError(
            _("There is no text encoding {name!r}; try utf-8, cp1252, gb18030 or cp932.").format(
                name=encoding[:40]
            )
        ) from error
    try:
        return content.decode(encoding).removeprefix("\ufeff"), []
    except UnicodeDecodeError as error:
        start, end = error.start, len(content)
        if start >= end - 3:  # cut within its last character
            return content[:start].decode(encoding, "replace").removeprefix("\ufeff"), []
        text = _with_marks(content, codec)
        broken = text.count("\ufffd")
        if broken > max(3, len(text) // MOST_BROKEN):
            raise GruvizError(
                _(
                    "This file isn't {encoding} text (byte {place:,} can't be read); save it as CSV"
                    " UTF-8."
                ).format(encoding=encoding[:40], place=start)
            ) from error
        return text.removeprefix("\ufeff"), [
            warning(
                "damaged-text",
                N_("One character can't be read (byte {place:,}); it is shown as �."),
                N_(
                    "{count} characters can't be read (the first is byte {place:,}); they are"
                    " shown as �."
                ),
                count=broken,
                place=start,
            )
        ]


def _with_marks(content: bytes, codec: codecs.CodecInfo) -> str:
    """Text with \ufffd for what can't be read, up to where there is too much of that."""
    decoder = codec.incrementaldecoder("replace")
    parts: list[str] = []
    left = max(3, len(content) // MOST_BROKEN)
    for start in range(0, len(content), CHUNK):
        end = start + CHUNK
        parts.append(decoder.decode(content[start:end], end >= len(content)))
        left -= parts[-1].count("\ufffd")
        if left < 0:
            break
    return "".join(parts)


def _without_padding(text: str) -> tuple[str, list[Finding]]:
    """Text without the zero bytes or the end-of-file mark that a logger or DOS leaves at its end."""
    kept = text.rstrip("\0\x1a\n\r \t") if text.endswith(("\0", "\x1a")) else text
    if "\0" in kept:
        raise GruvizError(_("This file is binary, not text; save the table as CSV UTF-8."))
    lost = text.count("\0", len(kept))
    if not lost:
        return kept, []
    return kept, [
        warning(
            "padding",
            N_("The file ends in a zero byte, as if its writer was cut off."),
            N_("The file ends in {count:,} zero bytes, as if its writer was cut off."),
            count=lost,
        )
    ]


def _newline(text: str) -> str:
    both, line, carriage = text.count("\r\n"), text.count("\n"), text.count("\r")
    if not carriage:
        return "LF"
    if not line:
        return "CR"
    return "CRLF" if both == line == carriage else "mixed"


def _detect(content: bytes) -> tuple[str, list[Finding]]:
    for mark, encoding in BOMS:
        if content.startswith(mark):
            return encoding, []
    if wide := _utf16(content[:4000]):
        return wide, [note("encoding", N_("Read as {encoding}, without its mark."), encoding=wide)]
    if content.isascii():
        return "ascii", []
    try:
        content.decode("utf-8")
        return "utf-8", []
    except UnicodeDecodeError as error:
        if error.start >= len(content) - 3 and content[error.start] >= 0xC2:
            return "utf-8", []
    some = _sample(content)
    whole = len(UTF8.findall(some))
    if whole > 20 and some.decode("utf-8", "replace").count("\ufffd") * 20 < min(
        whole, len(HIGH.findall(some))
    ):
        return "utf-8", []
    encoding = legacy(some)
    others = [each for each in ("cp1252", "gb18030", "cp932", "cp1251") if each != encoding]
    return encoding, [
        note(
            "encoding",
            N_(
                "The file isn't UTF-8; it is read as {encoding}. Look at the names: if letters are"
                " wrong, choose another encoding."
            ),
            encoding=encoding,
            remedies=tuple(
                Remedy(N_("Read as {encoding}"), Overrides(encoding=each), {"encoding": each})
                for each in others
            ),
        )
    ]


def _utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of digits, commas and line ends is zero."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4 or not head.count(0):
        return None
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) > 0.2 * len(zeros) and others.count(0) <= 0.01 * len(others):
            return encoding
    return None


def _sample(content: bytes) -> bytes:
    """All bytes, or of many some blocks that hold bytes above 127, from the whole length."""
    if len(content) <= BLOCKS * BLOCK:
        return content
    count = len(content) // BLOCK
    high = np.frombuffer(content, np.uint8, count * BLOCK).reshape(count, BLOCK) > 127
    places = np.flatnonzero(high.any(axis=1))
    if not len(places):
        return content[count * BLOCK :]
    chosen = places[np.unique(np.linspace(0, len(places) - 1, BLOCKS).astype(np.int64))]
    return b"\n".join(_whole(content[place * BLOCK : (place + 1) * BLOCK]) for place in chosen)


def _whole(block: bytes) -> bytes:
    """A block without the characters that it may have cut at its ends."""
    ends = [match.start() for match in BETWEEN.finditer(block)]
    inside = block[ends[0] : ends[-1] + 1] if ends else block
    return inside if HIGH.search(inside) else block

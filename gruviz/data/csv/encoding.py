"""Bytes to text: what the bytes are, in which encoding, with which line ends."""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

from gruviz.data.csv.findings import Finding, Remedy, note, warning
from gruviz.data.csv.reading import Overrides
from gruviz.errors import GruvizError
from gruviz.words import N_, _

MAX_BYTES = 20_000_000

# What a file begins with that is no text, and what a person calls it.
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", N_("a zipped file, perhaps an Excel workbook (.xlsx)")),
    (b"PK\x05\x06", N_("an empty zip file")),
    (b"\xd0\xcf\x11\xe0", N_("an old Excel workbook (.xls)")),
    (b"\x1f\x8b", N_("a gzip-compressed file")),
    (b"BZh", N_("a bzip2-compressed file")),
    (b"\xfd7zXZ", N_("an xz-compressed file")),
    (b"\x28\xb5\x2f\xfd", N_("a zstd-compressed file")),
    (b"7z\xbc\xaf", N_("a 7-Zip archive")),
    (b"Rar!", N_("a RAR archive")),
    (b"%PDF", N_("a PDF document")),
    (b"{\\rtf", N_("a word processor's document (RTF)")),
    (b"\x89PNG", N_("a picture (PNG)")),
    (b"\xff\xd8\xff", N_("a picture (JPEG)")),
    (b"GIF8", N_("a picture (GIF)")),
    (b"II*\0", N_("a picture (TIFF)")),
    (b"MM\0*", N_("a picture (TIFF)")),
    (b"RIFF", N_("a sound, film or picture (RIFF)")),
    (b"ID3", N_("a sound (MP3)")),
    (b"OggS", N_("a sound (Ogg)")),
    (b"fLaC", N_("a sound (FLAC)")),
    (b"SQLite format 3", N_("a SQLite database")),
    (b"PAR1", N_("a Parquet file")),
    (b"ARROW1", N_("an Arrow file")),
    (b"\x89HDF", N_("an HDF5 file")),
    (b"CDF\x01", N_("a NetCDF file")),
    (b"CDF\x02", N_("a NetCDF file")),
    (b"MATLAB 5.0 MAT", N_("a MATLAB file")),
    (b"\x93NUMPY", N_("a NumPy file")),
    (b"\x7fELF", N_("a program")),
    (b"MZ\x90", N_("a program")),
    (b"\x80\x04\x95", N_("a Python pickle")),
)

BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# The two-byte characters that running text in each encoding is made of: kana and the kanji of the
# first level, hanzi of GB 2312's first level, the hangul of KS X 1001, the frequent half of Big5.
PAIRS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("euc_jp", re.compile(rb"[\xa4\xa5][\xa1-\xf6]")),
    ("gb18030", re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe]")),
    (
        "cp932",
        re.compile(
            rb"\x82[\x4f-\xf1]|\x83[\x40-\x96]|\x87[\x40-\x9c]|[\x81\x88-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc]"
        ),
    ),
    ("big5", re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|\xa1[\x40-\xfe]")),
)
HANGUL = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
HIGH = re.compile(rb"[\x80-\xff]+")

# Codecs that turn bytes into something else than a file's text.
ESCAPES = frozenset(
    ["idna", "punycode", "undefined", "unicode-escape", "unicode_escape", "raw-unicode-escape",
     "raw_unicode_escape", "utf-7"]
)  # fmt: skip

# Letters and signs of Western tables, to tell a Windows file from a Mac's or a DOS one.
WESTERN = frozenset("éèêëàâäáãåçñíìîïóòôöõøúùûüßæœÉÈÀÄÖÜÅØÇÑ°µ²³€£§±®©–—’‘“”…·½×ªº\u00a0")
SINGLE = {
    "cp1252": WESTERN,
    "latin-1": WESTERN,
    "mac_roman": WESTERN,
    "cp850": WESTERN,
    "cp1250": WESTERN | set("ąćęłńóśźżĄĆĘŁŃÓŚŹŻčďěňřšťůžČĎĚŇŘŠŤŮŽőűŐŰăĂţşľĽđĐ"),
    "cp1254": WESTERN | set("ıİğĞşŞ"),
}
SCRIPTS = ("cp1251", "koi8_r", "cp866", "cp1253")
OTHERS = [
    "cp1250",
    "cp1251",
    "koi8_r",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp866",
    "iso8859_7",
]


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
    for start, what in MAGIC:
        if content.startswith(start):
            raise GruvizError(
                _("This is {what}, not a text table; open it and save the table as CSV.").format(
                    what=_(what)
                )
            )
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
        text = re.sub(r"\r+\n|\r", "\n", text)
    if newline in ("CR", "mixed"):
        found.append(
            note("line-ends", N_("Lines end in an unusual way ({kind}); they are told apart all the"
                                 " same."), kind=newline)
        )  # fmt: skip
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
        text = content.decode(encoding, "replace").removeprefix("\ufeff")
        broken = text.count("\ufffd")
        if broken > max(3, len(text) // 1000):
            raise GruvizError(
                _(
                    "This file isn't {encoding} text (byte {place:,} can't be read); save it as CSV"
                    " UTF-8."
                ).format(encoding=encoding[:40], place=start)
            ) from error
        return text, [
            warning(
                "damaged-text",
                N_("One character can't be read (byte {place:,}); it is shown as �."),
                N_("{count} characters can't be read (the first is byte {place:,}); they are"
                   " shown as �."),
                count=broken, place=start,
            )
        ]  # fmt: skip


def _without_padding(text: str) -> tuple[str, list[Finding]]:
    """Text without the zero bytes or the end-of-file mark that a logger or DOS leaves at its end."""
    kept = text.rstrip("\0\x1a\n\r \t") if text.endswith(("\0", "\x1a")) else text
    if "\0" in kept:
        raise GruvizError(_("This file is binary, not text; save the table as CSV UTF-8."))
    lost = text.count("\0", len(kept))
    if not lost:
        return kept, []
    return kept, [
        warning("padding", N_("The file ends in a zero byte, as if its writer was cut off."),
                N_("The file ends in {count:,} zero bytes, as if its writer was cut off."),
                count=lost)
    ]  # fmt: skip


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
        whole = len(re.findall(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", content))
        torn = len(HIGH.findall(content))
        if whole > 20 and content.decode("utf-8", "replace").count("\ufffd") * 20 < min(
            whole, torn
        ):
            return "utf-8", []
    encoding = _legacy(content)
    others = [each for each in ("cp1252", "gb18030", "cp932", "cp1251") if each != encoding]
    return encoding, [
        note(
            "encoding",
            N_("The file isn't UTF-8; it is read as {encoding}. Look at the names: if letters are"
               " wrong, choose another encoding."),
            encoding=encoding,
            remedies=tuple(
                Remedy(N_("Read as {encoding}"), Overrides(encoding=each), {"encoding": each})
                for each in others
            ),
        )
    ]  # fmt: skip


def _utf16(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of digits, commas and line ends is zero."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 4 or not head.count(0):
        return None
    for encoding, zeros, others in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if zeros.count(0) > 0.2 * len(zeros) and others.count(0) <= 0.01 * len(others):
            return encoding
    return None


def _legacy(content: bytes) -> str:
    """The most plausible encoding of text that is neither ASCII nor Unicode."""
    runs = HIGH.findall(content)[:20_000]
    # With what follows each run, for a second byte may look like ASCII.
    sample = b" ".join(re.findall(rb"[\x80-\xff]+[\x40-\x7e]?", content)[:20_000])
    return (
        _eastern(content, sample, runs)
        or _other_script(content, sample, runs)
        or _western(content, sample)
    )


def _eastern(content: bytes, sample: bytes, runs: Sequence[bytes]) -> str:
    """Chinese, Japanese or Korean, by the pairs of bytes that their running text is made of."""
    high = sum(map(len, runs))
    alone = sum(len(run) == 1 for run in runs) / len(runs)
    best, share = "", 0.0
    for encoding, pattern in PAIRS:
        pairs = pattern.findall(sample)
        covered = sum((pair[0] >= 0x80) + (pair[1] >= 0x80) for pair in pairs) / high
        low_leads = sum(pair[0] < 0xA0 for pair in pairs)
        fits = {
            "big5": alone <= 0.6,
            "cp932": covered >= 0.9 and low_leads >= 0.6 * len(pairs),
            "euc_jp": covered >= 0.3,
        }
        if encoding == "euc_jp":
            covered = 1.0  # kana are as good as proof
        if (
            fits.get(encoding, True)
            and covered > max(share + 0.05, 0.6)
            and _possible(content, encoding)
        ):
            best, share = encoding, covered
    if best == "gb18030" and _possible(content, "cp949"):
        # Of Chinese characters about half are as low as hangul; six of six hardly ever are.
        characters = re.findall(rb"[\xb0-\xfd][\xa1-\xfe]", sample)
        if len(characters) >= 6 and all(HANGUL.match(each) for each in characters):
            return "cp949"
    return best


def _other_script(content: bytes, sample: bytes, runs: Sequence[bytes]) -> str:
    """Cyrillic, Greek and the like, where whole words are of letters that ASCII doesn't have."""
    alone = sum(len(run) == 1 for run in runs) / len(runs)
    if sum(map(len, runs)) / len(runs) <= 2.5 and alone >= 0.4:
        return ""
    words = b" ".join(runs)
    script = max(SCRIPTS, key=lambda encoding: _script_share(words, encoding))
    if _script_share(words, script) > 0.9 and _possible(content, script):
        return script
    guess = from_bytes(sample[:50_000], cp_isolation=OTHERS, threshold=1.0).best()
    return guess.encoding if guess is not None and _possible(content, guess.encoding) else ""


def _western(content: bytes, sample: bytes) -> str:
    """The encoding in which most of the foreign characters are letters of a Latin alphabet."""
    letters = {
        encoding: sum(sign in known for sign in sample.decode(encoding, "ignore"))
        for encoding, known in SINGLE.items()
        if _possible(content, encoding)
    }
    found = max(letters, key=lambda encoding: letters[encoding], default="latin-1")
    if found == "cp1252" and not re.search(rb"[\x80-\x9f]", content):
        return "latin-1"
    return found


def _script_share(words: bytes, encoding: str) -> float:
    """The share of letters that are Cyrillic or Greek, and small or at the beginning of a word."""
    text = words.decode(encoding, "replace")
    right = re.findall(r"(?<![^\W\d_])[А-ЯЁΑ-ΩΆΈ-Ώ]|[а-яёα-ωάέ-ώ]", text)
    return len(right) / max(1, len(text.replace(" ", "")))


def _possible(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(content) - 2 and error.start > 0
    return True

"""The encoding of text that is neither ASCII nor Unicode, by the letters that languages are made of.

Two-byte encodings are told by the pairs of bytes that their running text consists of, one-byte
encodings by how often each letter occurs: in the right one a language explains all letters.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from math import log
from typing import NamedTuple

MOST_RUNS = 20_000
MOST_SCORED = 30_000  # bytes that one-byte encodings are told by
MOST_GLUED = 0.3  # ASCII letters beside a run of others, where whole words are of the others


class Pairs(NamedTuple):
    """An encoding of two bytes a character."""

    encoding: str
    frequent: re.Pattern[bytes]
    """The characters that running text is made of."""
    least: float
    """The share of the bytes that these must be."""
    chain: re.Pattern[bytes]
    """Any characters in a row."""


# Frequent are kana and the kanji of the first level, hanzi of GB 2312's first level, the hangul of
# KS X 1001, the frequent half of Big5.
EASTERN = (
    Pairs("euc_jp", re.compile(rb"[\xa4\xa5][\xa1-\xf6]"), 0.3, re.compile(rb"[\xa1-\xfe]{2,}")),
    Pairs(
        "gb18030",
        re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe]"),
        0.6,
        re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\x80-\xfe])+"),
    ),
    Pairs(
        "cp932",
        re.compile(
            rb"\x82[\x4f-\xf1]|\x83[\x40-\x96]|\x87[\x40-\x9c]|[\x81\x88-\x9f\xe0-\xea][\x40-\x7e\x80-\xfc]"
        ),
        0.9,
        re.compile(rb"(?:[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc])+"),
    ),
    Pairs(
        "big5",
        re.compile(rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|\xa1[\x40-\xfe]"),
        0.6,
        re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\xa1-\xfe])+"),
    ),
)
LEAST_CHAIN = 1.5  # characters in a row; a foreign letter of the West mostly stands alone
CHARACTER = re.compile(rb"[\xb0-\xfd][\xa1-\xfe]")
HANGUL = re.compile(rb"[\xb0-\xc8][\xa1-\xfe]")
HIGH = re.compile(rb"[\x80-\xff]+")
BESIDE = re.compile(rb"[A-Za-z]?[\x80-\xff]+[A-Za-z]?")
INSIDE = re.compile("[^\\W\\d_][°²³€£§±®©–—…½×¹¼¾«»¿¡№](?=[^\\W\\d_])")  # a sign within a word
WITH_NEXT = re.compile(rb"[\x80-\xff]+[\x40-\x7e]?")  # for a second byte may look like ASCII

SIGNS = frozenset("°µ²³€£§±®©–—’‘“”…·½×ªº¹¼¾«»¿¡№\u00a0\u00ad")
STRANGE = log(1e-4)
SIGN_BESIDE_LATIN, SIGN_IN_SCRIPT = log(0.3), log(0.02)
ENOUGH = 3  # times that a letter counts beside Latin ones
RARER = 3.0  # how much more likely text must be in another encoding than in a list's first


class Language(NamedTuple):
    """Its letters beyond ASCII, the most frequent first, and the encodings it is written in."""

    letters: str
    encodings: tuple[str, ...]


WEST = ("cp1252", "mac_roman", "cp850")
CENTRAL = ("cp1250", "iso8859_2", "cp852")
CYRILLIC = ("cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic")
LATIN = (
    Language("éèàêçôîûùâœïëæ", WEST),  # French
    Language("üäößé", WEST),  # German
    Language("óíáéñúü", WEST),  # Spanish
    Language("ãçéáóíêõúâàô", WEST),  # Portuguese
    Language("àèùòìé", WEST),  # Italian
    Language("äöåé", WEST),  # Swedish, Finnish
    Language("åøæé", WEST),  # Danish, Norwegian
    Language("áíðéúóýþæö", WEST),  # Icelandic
    Language("łęąóżśćńź", CENTRAL),  # Polish
    Language("íáěéřžšýčůťúňďľôĺŕäó", CENTRAL),  # Czech, Slovak
    Language("éáőöíóüúű", CENTRAL),  # Hungarian
    Language("ăâîşţ", CENTRAL),  # Romanian
    Language("čšžćđ", CENTRAL),  # Croatian, Slovenian
    Language("ışüğöçİâ", ("cp1254",)),  # Turkish
)
# Languages whose whole words are of letters that ASCII doesn't have.
SCRIPTS = (
    Language("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", CYRILLIC),  # Russian
    Language("оаиіневртслкумдпзябьгйчхцюїєжшщфґ", ("cp1251", "koi8_u", "cp1125")),  # Ukrainian
    Language("αοιετσνηυρπκμλςωδγίόάέχθφήύώβξζψ", ("cp1253", "iso8859_7")),  # Greek
    Language("יוהלארתשמבנםדעחקפגטכןסזצךףץ", ("cp1255", "iso8859_8")),  # Hebrew
    Language("اليمنترومبدةعسفهكقحجشطصخأثذزضغظىءئإآؤ", ("cp1256", "iso8859_6")),  # Arabic
)


def legacy(sample: bytes) -> str:
    """The most plausible encoding of bytes of which some are above 127."""
    runs = HIGH.findall(sample)[:MOST_RUNS]
    beside = BESIDE.findall(sample)[:MOST_RUNS]
    glued = sum(len(each) for each in beside) - sum(map(len, runs))
    in_script = ""
    if glued < MOST_GLUED * len(runs):
        words = b" ".join(runs)[:MOST_SCORED]
        in_script, share = _most_likely(words, sample, SCRIPTS)
        if share > 0.97:
            return in_script
        in_script = in_script if share > 0.85 else ""
    return _eastern(sample, runs) or in_script or _western(sample, beside)


def _eastern(sample: bytes, runs: Sequence[bytes]) -> str:
    """Chinese, Japanese or Korean, by the pairs of bytes that their running text is made of."""
    pieces = b" ".join(WITH_NEXT.findall(sample)[:MOST_RUNS])
    high = sum(map(len, runs))
    best, share = "", 0.0
    for encoding, frequent, least, chain in EASTERN:
        pairs = frequent.findall(pieces)
        covered = sum((pair[0] >= 0x80) + (pair[1] >= 0x80) for pair in pairs) / high
        chains = chain.findall(sample)
        if (
            covered < least
            or sum(map(len, chains)) < 2 * LEAST_CHAIN * len(chains)
            or (encoding == "cp932" and sum(p[0] < 0xA0 for p in pairs) < 0.6 * len(pairs))
        ):
            continue
        if encoding == "euc_jp":
            covered = 1.0  # kana are as good as proof
        if covered > share + 0.05 and _possible(sample, encoding):
            best, share = encoding, covered
    if best == "gb18030" and _possible(sample, "cp949"):
        # Of Chinese characters about half are as low as hangul; six of six hardly ever are.
        characters = CHARACTER.findall(pieces)
        hangul = sum(bool(HANGUL.match(each)) for each in characters)
        if len(characters) >= 6 and hangul >= 0.98 * len(characters):
            return "cp949"
    return best


def _western(sample: bytes, beside: Sequence[bytes]) -> str:
    """The encoding in which the foreign letters are those of a language with Latin letters."""
    found, _share = _most_likely(b" ".join(beside)[:MOST_SCORED], sample, LATIN)
    if not found or (found == "cp1252" and not re.search(rb"[\x80-\x9f]", sample)):
        return "latin-1"
    return found


def _most_likely(words: bytes, sample: bytes, languages: Sequence[Language]) -> tuple[str, float]:
    """The encoding in which a language is most likely, and the share of letters it explains."""
    best, most, share = "", float("-inf"), 0.0
    latin = languages is LATIN
    sign = SIGN_BESIDE_LATIN if latin else SIGN_IN_SCRIPT
    encodings = dict.fromkeys(each for language in languages for each in language.encodings)
    for place, encoding in enumerate(encodings):
        if not _possible(sample, encoding):
            continue
        letters = _letters(words.decode(encoding, "ignore"))
        for language in languages:
            if encoding not in language.encodings:
                continue
            chance = _chances(language.letters, sign)
            likely = sum(
                # A letter that each row repeats is hardly more evidence than one.
                (min(count, ENOUGH) if latin else count) * chance[letter]
                if letter in chance
                else count * STRANGE
                for letter, count in letters.items()
            )
            likely -= RARER if place else 0.0
            if likely > most:
                explained = sum(count for each, count in letters.items() if each in chance)
                best, most, share = encoding, likely, explained / max(1, letters.total())
    return best, share


@lru_cache(maxsize=64)
def _chances(letters: str, sign: float) -> dict[str, float]:
    """The logarithm of how likely each letter is, falling with its rank, and each sign."""
    whole = sum(1 / rank for rank in range(1, len(letters) + 1))
    chances = {letter: -log(rank * whole) for rank, letter in enumerate(letters, 1)}
    return dict.fromkeys(SIGNS, sign) | chances


def _letters(text: str) -> Counter[str]:
    """How often each small letter and sign beyond ASCII occurs; "" for those where none belongs."""
    found: Counter[str] = Counter()
    for word, count in Counter(text.split(" ")).items():
        # Neither wOrd nor tεςt.
        plain = (word.isupper() or word[1:] == word[1:].lower()) and "ς" not in word[:-1]
        inside = {match.start() + 1 for match in INSIDE.finditer(word)}
        for place, letter in enumerate(word):
            if letter >= "\x80":
                good = plain and place not in inside
                found[(letter if letter == "İ" else letter.lower()) if good else ""] += count
    return found


def _possible(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start >= len(content) - 2 and error.start > 0
    return True

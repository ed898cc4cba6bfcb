"""What a single cell looks like: a number, a time, nothing, or words."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

# What people write for "there is no value"; compared in lower case.
MARKS = frozenset(
    {
        "", "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "-nan", "nan(ind)", "-nan(ind)",
        "1.#qnan", "-1.#ind", "1.#ind", "null", "(null)", "none", "nil", "nul", "\\n", "-", "--",
        "---", "----", "–", "—", ".", "..", "...", "?", "??", "???", "*", "**", "***", "****", "#",
        ":", "/", "//", "missing", "miss", "m", "nd", "n.d.", "n/d", "no data", "nodata", "void",
        "not available", "unavailable", "undefined", "unknown", "bad", "tbd", "#value!", "#div/0!",
        "#ref!", "#num!", "#null!", "#name?", "k.a.", "k. a.", "n.v.", "n/v", "keine angabe", "s/d",
        "sin dato", "缺失", "无", "欠測", "x", "err", "error", "(blank)", "inv", "invalid", "n.e.",
        "manquant", "fehlt", "-.-", "--.--", "-.--", "__", "_", "=", "!", "×", "#####", "########",
    }
)  # fmt: skip

SIGN = r"[+\-−]?\s?"
CURRENCY = r"[€$£¥₹]?\s?"
NUMBER = re.compile(
    rf"{SIGN}{CURRENCY}{SIGN}"
    r"(?:\d{1,3}(?:[.,'’\u00a0\u202f ]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?|[.,]\d+|\d+\.)"
    r"(?:[eE][+\-]?\d+)?\s?[%€$£¥₹]?"
    r"|\([€$£¥]?\d[\d.,]*\)"
)
ZONE = r"(?: ?(?:Z|UTC|GMT|[+\-]\d{2}:?\d{2}))?"
CLOCK = r"\d{1,2}(?:[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d{1,9})?)?)?(?:[ \-]?[AaPp]\.?[Mm]\.?)?" + ZONE
WORD = r"[^\W\d_]{3,10}\.?"
DATE = (
    r"(?:[^\W\d_]{2,10}\.?,? )?"
    r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}"
    r"|\d{1,2}([-/. ])\d{1,2}\2(?:\d{4}|\d{2})\.?"
    r"|\d{4}年\d{1,2}月(?:\d{1,2}日)?"
    rf"|\d{{1,2}}\.?[-/. ]?{WORD}[-/. ,]*(?:\d{{4}}|\d{{2}})"
    rf"|{WORD}[-/. ]+(?:\d{{1,2}},? +)?\d{{4}}"
    rf"|{WORD}[-/ ]\d{{2}}"
    rf"|\d{{4}}[-/. ]{WORD}(?:[-/. ]\d{{1,2}})?"
    r"|\d{4}[-/]\d{1,2}|\d{1,2}/\d{4}"
    r"|\d{4}M\d{2}|\d{4}[- ]?Q[1-4]|Q[1-4][-/ ]?\d{4}|\d{4}-?W\d{2}(?:-\d)?)"
)
TIME = re.compile(rf"(?:{DATE}(?:[ T,;_\-]+{CLOCK})?|\d{{8}}[ T_]\d{{4}}(?:\d{{2}})?Z?)")
CLOCK_ONLY = re.compile(
    r"\d{1,2}[:.h]\d{2}[:.]\d{2}(?:[.,]\d{1,9})?(?: ?[AaPp]\.?[Mm]\.?)?" + ZONE
    + r"|\d{1,2}[:h]\d{2}(?: ?[AaPp]\.?[Mm]\.?)?" + ZONE
)  # fmt: skip

# Months in the languages of many exports, by their first letters, as `strptime` knows them.
MONTHS: Mapping[str, str] = {
    "jän": "Jan", "jan": "Jan", "ene": "Jan", "gen": "Jan", "janv": "Jan", "feb": "Feb", "fév": "Feb",
    "fev": "Feb", "févr": "Feb", "mär": "Mar", "mar": "Mar", "mrz": "Mar", "maa": "Mar", "mrt": "Mar",
    "abr": "Apr", "apr": "Apr", "avr": "Apr", "mai": "May", "may": "May", "mag": "May", "mei": "May",
    "jun": "Jun", "giu": "Jun", "juin": "Jun", "jul": "Jul", "lug": "Jul", "juil": "Jul", "ago": "Aug",
    "aug": "Aug", "aoû": "Aug", "aou": "Aug", "sep": "Sep", "set": "Sep", "okt": "Oct", "oct": "Oct",
    "out": "Oct", "ott": "Oct", "nov": "Nov", "dez": "Dec", "dec": "Dec", "dic": "Dec", "déc": "Dec",
}  # fmt: skip
# Days of the week in the same languages, and what else may stand in a time.
TIME_WORDS = frozenset(
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "don", "die", "mit", "fre", "sam", "son", "lun",
     "mar", "mer", "jeu", "ven", "dim", "mié", "mie", "jue", "vie", "sáb", "sab", "dom", "gio", "seg",
     "ter", "qua", "qui", "sex", "maa", "din", "woe", "vri", "zat", "zon", "utc", "gmt"]
)  # fmt: skip

# From one time to another.
SPAN = re.compile(r"(\S.*\d\S*) (?:-|–|—|to|bis) (\S.*\d\S*)")

LONGEST = 60  # characters of a number or a time
EMPTY, MISSING, NUMERIC, TIMELY, WORDS = "empty", "missing", "number", "time", "words"


def kind(cell: str) -> str:
    """EMPTY, MISSING, NUMERIC, TIMELY or WORDS."""
    cell = cell.strip()
    if not cell:
        return EMPTY
    return _kind(cell) if len(cell) <= LONGEST else WORDS


@lru_cache(maxsize=65536)
def _kind(cell: str) -> str:
    if NUMBER.fullmatch(cell):
        return NUMERIC
    if cell.lower() in MARKS:
        return MISSING
    if span := SPAN.fullmatch(cell):
        return TIMELY if kind(span[1]) == kind(span[2]) == TIMELY else WORDS
    if not CLOCK_ONLY.fullmatch(cell) and not TIME.fullmatch(cell):
        return WORDS
    words = re.findall(r"[^\W\d_年月日]{3,}", cell.lower())
    return TIMELY if all(month_of(w) or w[:3] in TIME_WORDS for w in words) else WORDS


def month_of(word: str) -> str | None:
    """The English name of a month, shortened; None if a word is none in any language we know."""
    word = word.lower().rstrip(".")
    return MONTHS.get(word[:4]) or MONTHS.get(word[:3])


def common_kind(cells: Iterable[str]) -> str:
    """The kind of three quarters of the cells that hold anything, else WORDS."""
    counts: dict[str, int] = {}
    for cell in cells:
        found = kind(cell)
        counts[found] = counts.get(found, 0) + 1
    total = sum(count for each, count in counts.items() if each not in (EMPTY, MISSING))
    if not total:
        return MISSING if counts.get(MISSING) else EMPTY
    return next((each for each in (NUMERIC, TIMELY) if counts.get(each, 0) >= 0.75 * total), WORDS)

"""Every visible string passes through `_`; English is in the code, other languages are catalogs.

A language is added by placing `<language>/LC_MESSAGES/gruviz.mo` under `gruviz/locale`.
"""

import gettext
import re
from collections.abc import Hashable
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}")
CATALOGS = Path(__file__).parent / "locale"
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

ENGLISH = gettext.NullTranslations()

_translations: ContextVar[gettext.NullTranslations] = ContextVar("translations", default=ENGLISH)


@lru_cache(maxsize=64)
def _catalog(language: str) -> gettext.NullTranslations:
    """The catalog for a tag such as "zh-CN", else for its base "zh", else English."""
    if not TAG.fullmatch(language):  # it comes from a browser and becomes part of a path
        return ENGLISH
    tag = language.replace("-", "_")
    names = [tag, tag.split("_")[0]]
    if gettext.find("gruviz", CATALOGS, languages=names) is None:
        return ENGLISH
    return gettext.translation("gruviz", CATALOGS, languages=names)


def speak(language: str | None) -> None:
    """Choose the language of the current script run (an IETF tag; None: English)."""
    _translations.set(_catalog(language) if language else ENGLISH)


def language() -> Hashable:
    """The current language, for the key under which something with words in it is kept."""
    return _translations.get()


def _(message: str) -> str:
    """The message in the current language."""
    return _translations.get().gettext(message)


def n_(one: str, many: str, count: int) -> str:
    """The message in the plural form that the current language has for `count`."""
    return _translations.get().ngettext(one, many, count)


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, translate later"
    """Mark a string for the catalogs where a table is built, before a language is known."""
    return message


def readable(number: float, digits: int = 4) -> str:
    """A number as people write it: 9.02×10⁷, not 9.02e+07."""
    text = f"{number:,.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    power = str(int(exponent)).translate(SUPERSCRIPTS)
    return f"{mantissa}×10{power}"

"""What the reader noticed, in plain sentences, and what a click could change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from gruviz.csv.reading import Overrides
from gruviz.words import _, n_


class Severity(IntEnum):
    """NOTE: what was decided, for the record. WARNING: look at it before you train."""

    NOTE = 0
    WARNING = 1


@dataclass(frozen=True)
class Remedy:
    """A click: what it says, and the overrides with which to read the file again."""

    text: str
    overrides: Overrides
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What the button says, in the current language."""
        return _(self.text).format(**self.values)


@dataclass(frozen=True)
class Finding:
    """One sentence about a file. `code` is the same in every language."""

    code: str
    severity: Severity
    text: str
    values: Mapping[str, Any] = field(default_factory=dict)
    many: str | None = None
    """The sentence for a `count` other than one."""
    remedies: tuple[Remedy, ...] = ()

    @property
    def sentence(self) -> str:
        """The sentence in the current language; names in it are data, to be shown as text."""
        if self.many is not None:
            return n_(self.text, self.many, self.values["count"]).format(**self.values)
        return _(self.text).format(**self.values)


def note(
    code: str,
    text: str,
    many: str | None = None,
    /,
    *,
    remedies: tuple[Remedy, ...] = (),
    **values: Any,
) -> Finding:
    """A finding for the record."""
    return Finding(code, Severity.NOTE, text, values, many, remedies)


def warning(
    code: str,
    text: str,
    many: str | None = None,
    /,
    *,
    remedies: tuple[Remedy, ...] = (),
    **values: Any,
) -> Finding:
    """A finding to look at before training."""
    return Finding(code, Severity.WARNING, text, values, many, remedies)


def quoted(names: Any, most: int = 4) -> str:
    """Names for a sentence: the first few in quotes, and how many more there are."""
    names = list(names)
    shown = ", ".join(repr(str(name)[:40]) for name in names[:most])
    return shown if len(names) <= most else f"{shown} … (+{len(names) - most:,})"

"""How a file was read, part by part, and what a caller wants read otherwise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Self

from gruviz.errors import GruvizError
from gruviz.words import _

MOST_CHARACTERS = 4_000  # of overrides written out, for they travel in a link

PIVOT, TRANSPOSE = "pivot", "transpose"
BY_TIME, AS_IN_FILE = "time", "file"

Words = tuple[str, ...]

CHOICES: Mapping[str, Words] = {
    "decimal": (".", ","),
    "thousands": ("", ",", ".", " ", "'"),
    "order": (BY_TIME, AS_IN_FILE),
    "reshape": ("", PIVOT, TRANSPOSE),
}


@dataclass(frozen=True)
class Overrides:
    """What a caller wants read in another way than the evidence says. None: by the evidence.

    All values are plain: `to_json` and `from_json` are inverse, and equal overrides hash equally.
    Lines are counted from 1, as an editor does. Columns are named as the table names them.
    """

    encoding: str | None = None
    """A codec of Python's, such as "utf-8", "cp1252", "gb18030"."""
    separator: str | None = None
    """One character; " " stands for runs of blanks, "" for a single column."""
    quote: str | None = None
    """One character, or "" for none."""
    comment: str | None = None
    """What a line of comment begins with, or "" for none."""
    decimal: str | None = None
    thousands: str | None = None
    """"" for none."""
    header: tuple[int, ...] | None = None
    """The lines that name the columns; () for none."""
    first: int | None = None
    """The line of the first data row."""
    footer: int | None = None
    """How many of the last rows are left out."""
    missing: Words | None = None
    """The marks that stand for a missing value in every column, beside the empty cell."""
    missing_in: tuple[tuple[str, str], ...] | None = None
    """(column, number) where a number stands for a missing value in that column."""
    text: Words | None = None
    """Columns that are kept as text, even if they hold numbers."""
    time: Words | None = None
    """The columns that tell the time, together; () for none."""
    time_format: str | None = None
    """As in `strptime`, several columns joined by a blank; or a name of `times.NUMERIC`."""
    start: str | None = None
    """The time of the first row where no column tells it."""
    step: float | None = None
    """Seconds from row to row where no column tells the time."""
    order: str | None = None
    """"time": columns run from the earliest to the latest; "file": as the rows stand."""
    reshape: str | None = None
    """"pivot": a column per series of a long table; "transpose": a row per column; "": neither."""
    id: str | None = None
    """The column that tells the series of a long table apart; "" for none."""
    value: str | None = None
    """The column whose values a pivot spreads."""

    def __post_init__(self) -> None:
        for each in fields(Overrides):
            value = getattr(self, each.name)
            if value is not None and not _fits(each.name, value):
                raise GruvizError(
                    _(
                        "The reading's {part} can't be {value}; leave it out or choose again."
                    ).format(part=each.name, value=repr(value)[:80])
                )

    def __or__(self, other: "Overrides") -> "Overrides":
        """These overrides, and where the other ones say something, those."""
        return replace(self, **other.changes())

    def changes(self) -> dict[str, Any]:
        """Only what is overruled."""
        pairs = ((each.name, getattr(self, each.name)) for each in fields(Overrides))
        return {name: value for name, value in pairs if value is not None}

    def to_json(self) -> str:
        """Compact JSON of what is overruled; equal overrides give equal text."""
        changes = self.changes()
        if not changes:
            return ""
        return json.dumps(changes, separators=(",", ":"), sort_keys=True, ensure_ascii=False)

    @classmethod
    def of(cls, **changes: Any) -> Self:
        """Overrides from keywords; lists serve as tuples, one column or line as a tuple of one.

        Raises GruvizError, naming the part, for what is unknown or of another kind.
        """
        known = {each.name for each in fields(Overrides)}
        for name in changes:
            if name not in known:
                raise GruvizError(
                    _("A reading has no part {part!r}; its parts are: {known}.").format(
                        part=name[:40], known=", ".join(sorted(known))
                    )
                )
        return cls(**{name: _plain(name, value) for name, value in changes.items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The overrides that `to_json` wrote. Raises GruvizError for any other text."""
        if not text:
            return cls()
        try:
            plain = json.loads(text) if len(text) <= MOST_CHARACTERS else None
            json.dumps(plain, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError):
            plain = None
        if not isinstance(plain, dict):
            raise GruvizError(
                _("The way to read this file can't be understood; upload the file again.")
            )
        return cls.of(**plain)


@dataclass(frozen=True)
class Reading(Overrides):
    """How a file was read: every part of Overrides as decided, and what follows from it."""

    newline: str = "LF"
    """"LF", "CRLF", "CR" or "mixed"."""
    skipped: tuple[int, ...] = ()
    """Lines before the data that neither name columns nor are comments."""
    comments: int = 0
    """How many lines are comments."""
    units: tuple[tuple[str, str], ...] = ()
    """(column, unit) where a line under the header tells units."""
    zone: str | None = None
    """The time zone that the file states; times are converted to it and carry none."""
    layout: str = "rows"
    """"rows": a row per time; "long": series one below the other; "wide": time along the columns."""


def _plain(name: str, value: Any) -> Any:
    if name == "missing_in" and isinstance(value, (list, tuple)):
        return tuple(tuple(pair) if isinstance(pair, list) else pair for pair in value)
    if isinstance(value, list):
        return tuple(value)
    if name in ("missing", "text", "time") and isinstance(value, str):
        return (value,)
    if name == "header" and isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if name == "step" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value


def _fits(name: str, value: Any) -> bool:
    """Whether a value is of the kind that the part takes."""
    if name in CHOICES:
        return isinstance(value, str) and value in CHOICES[name]
    if name in ("missing", "text", "time"):
        return isinstance(value, tuple) and all(isinstance(each, str) for each in value)
    if name == "missing_in":
        return isinstance(value, tuple) and all(
            isinstance(pair, tuple)
            and len(pair) == 2
            and all(isinstance(each, str) for each in pair)
            for pair in value
        )
    if name == "header":
        return isinstance(value, tuple) and all(type(line) is int and line > 0 for line in value)
    if name in ("first", "footer"):
        return type(value) is int and value >= (name == "first")
    if name == "step":
        return isinstance(value, float) and 1e-6 <= value < 1e12
    if name in ("separator", "quote"):
        return isinstance(value, str) and len(value) <= 1 and value not in ("\n", "\r", "\0")
    if name == "comment":
        return isinstance(value, str) and len(value) <= 4 and "\n" not in value
    return isinstance(value, str)

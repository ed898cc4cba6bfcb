"""What a control is: the field of a frozen dataclass that knows its label, its range and its kind.

The page's controls, the link, the file form and the validation are all read off these fields, so a
new knob is one new field and a new choice one new class in one table.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from gruviz.errors import GruvizError
from gruviz.words import N_, _

Number = int | float

MORE = N_("More knobs")  # a group of them


@dataclass(frozen=True, slots=True)
class Knob:
    """A number, a switch or (with `low` None) a word, or a tuple of words. `live` ones act on a
    running run.

    log: on a log scale; one_minus: on a log scale of 1 - value, for shares near 1.
    optional: may be None, which is "off"; or, where `unlimited` has a word for it, as much as there
    is, beyond the high end. group: the heading under which seldom used ones are folded away.
    column: the words are columns of the task's table, "numeric" or "any".
    """

    label: str
    low: Number | None = None
    high: Number | None = None
    help: str = ""
    log: bool = False
    live: bool = False
    optional: bool = False
    step: Number | None = None
    unit: str = ""
    options: Mapping[str, str] | None = None  # the words that it may be, with their labels
    column: str = ""
    one_minus: bool = False
    unlimited: str = ""
    group: str = ""

    @property
    def none(self) -> str:
        """The word for None, not yet translated."""
        return self.unlimited or N_("off")

    @property
    def whole(self) -> bool:
        """Whether only whole numbers will do: those between whole ends."""
        return isinstance(self.low, int)


@dataclass(frozen=True, slots=True)
class Pick:
    """A field that holds one of the choices in a table."""

    label: str
    table: Mapping[str, type["Choice"]]
    help: str = ""


def knob(
    default: Any,
    low: Number | None = None,
    high: Number | None = None,
    *,
    label: str,
    help: str = "",
    log: bool = False,
    live: bool = False,
    optional: bool = False,
    step: Number | None = None,
    unit: str = "",
    options: Mapping[str, str] | None = None,
    column: str = "",
    one_minus: bool = False,
    unlimited: str = "",
    group: str = "",
) -> Any:
    """A dataclass field with a default and everything a control needs to know."""
    about = Knob(
        label,
        low,
        high,
        help,
        log,
        live,
        optional,
        step,
        unit,
        options,
        column,
        one_minus,
        unlimited,
        group,
    )
    return field(default=default, metadata={"about": about})


def pick(
    default: "Choice", table: Mapping[str, type["Choice"]], *, label: str, help: str = ""
) -> Any:
    """A dataclass field that holds one row of `table`; it may be given by its name (see `settle`)."""
    return field(default=default, metadata={"about": Pick(label, table, help)})


def about(owner: type[Any] | Any) -> Iterator[tuple[str, Knob | Pick]]:
    """The names and descriptions of the fields of a dataclass made of knobs and picks."""
    for each in fields(owner):
        if "about" in each.metadata:
            yield each.name, each.metadata["about"]


def default_of(owner: type[Any], name: str) -> Any:
    """The default of a field."""
    return next(each.default for each in fields(owner) if each.name == name)


def settle(owner: Any) -> None:
    """Make a frozen dataclass of knobs and picks whole: of its `__post_init__`.

    A pick that was given the name of a row takes that row with its defaults. Raises GruvizError,
    naming value and remedy, unless each field is in range and of its type.
    """
    for name, what in about(owner):
        value = getattr(owner, name)
        if isinstance(what, Pick) and isinstance(value, str) and value in what.table:
            object.__setattr__(owner, name, what.table[value]())
    check(owner)


def check(owner: Any) -> None:
    """Raise GruvizError, naming value and remedy, unless each field is in range and of its type."""
    for name, what in about(owner):
        value = getattr(owner, name)
        if isinstance(what, Pick):
            if type(value) not in what.table.values():
                raise GruvizError(
                    _("{label} is {value!r}; choose one of: {names}.").format(
                        label=_(what.label), value=value, names=", ".join(what.table)
                    )
                )
        else:
            _check_knob(what, value, default_of(type(owner), name))


def _check_knob(what: Knob, value: object, default: object) -> None:
    if value is None and what.optional:
        return
    if what.low is None or what.high is None:
        fits = type(value) is type(default)
        if isinstance(value, tuple):
            fits = fits and all(isinstance(each, str) for each in value)
        if not fits:
            raise GruvizError(
                _("{label} is {value!r}; it must be a {kind}.").format(
                    label=_(what.label), value=value, kind=type(default).__name__
                )
            )
        if what.options is not None and value not in what.options:
            raise GruvizError(
                _("{label} is {value!r}; choose one of: {names}.").format(
                    label=_(what.label), value=str(value)[:60], names=", ".join(what.options)
                )
            )
        return
    fits = (
        isinstance(value, (int, float))
        and not isinstance(value, bool)
        and what.low <= value <= what.high  # which NaN and the infinities aren't
        and (not what.whole or isinstance(value, int))
    )
    if not fits:
        message = (
            _("{label} is {value!r}; choose a whole number from {low:,} to {high:,}.")
            if what.whole
            else _("{label} is {value!r}; choose a number from {low:g} to {high:g}.")
        )
        if what.optional:
            message += " " + (
                _("None means {word}.").format(word=_(what.unlimited))
                if what.unlimited
                else _("None switches it off.")
            )
        raise GruvizError(
            message.format(label=_(what.label), value=value, low=what.low, high=what.high)
        )


@dataclass(frozen=True)
class Choice:
    """A row of a table: a name, a label, and its own knobs as fields."""

    name: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""

    def __post_init__(self) -> None:
        settle(self)


T = TypeVar("T")
C = TypeVar("C", bound=Choice)


def to_dict(owner: Any) -> dict[str, Any]:
    """A dataclass made of knobs and picks as a plain dict of strings, numbers and dicts."""
    plain: dict[str, Any] = {"name": owner.name} if isinstance(owner, Choice) else {}
    for name, _what in about(owner):
        value = getattr(owner, name)
        if isinstance(value, Choice):
            value = to_dict(value)
        plain[name] = list(value) if isinstance(value, tuple) else value
    return plain


def from_dict(kind: type[T], plain: Mapping[str, Any]) -> T:
    """The inverse of `to_dict`; what is absent takes its default, what is unknown is an error."""
    known = dict(about(kind))
    unknown = sorted(set(plain) - set(known) - {"name"})
    if unknown:
        raise GruvizError(
            _("{names} is unknown here; the known settings are: {known}.").format(
                names=", ".join(map(repr, unknown)), known=", ".join(known) or _("none")
            )
        )
    return kind(
        **{name: _typed(known[name], value) for name, value in plain.items() if name in known}
    )


def _typed(what: Knob | Pick, value: Any) -> Any:
    if isinstance(what, Pick):
        return choose(what, value)
    return tuple(value) if isinstance(value, list) else value  # JSON has no tuples


def choose(what: Any, plain: object) -> Choice:
    """The row of a pick's table that a dict with a "name" describes."""
    name = plain.get("name") if isinstance(plain, Mapping) else plain
    if not isinstance(name, str) or name not in what.table:
        raise GruvizError(
            _("{label} is {value!r}; choose one of: {names}.").format(
                label=_(what.label),
                value=name[:60] if isinstance(name, str) else name,
                names=", ".join(what.table),
            )
        )
    settings = plain if isinstance(plain, Mapping) else {}
    row: Choice = from_dict(what.table[name], settings)
    return row


def table_of(*rows: type[C]) -> dict[str, type[C]]:
    """A table from names to the given classes, in the order in which a menu shows them."""
    return {row.name: row for row in rows}

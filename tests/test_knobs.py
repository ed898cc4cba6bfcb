"""What a knob refuses, and in which words."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from gruviz.errors import GruvizError
from gruviz.experiment.knobs import (
    Choice,
    Knob,
    about,
    check,
    choose,
    from_dict,
    knob,
    pick,
    table_of,
    to_dict,
)


@dataclass(frozen=True)
class Tea(Choice):
    name: ClassVar[str] = "tea"
    label: ClassVar[str] = "Tea"

    minutes: int = knob(4, 1, 1500, label="Minutes")


@dataclass(frozen=True)
class Water(Choice):
    name: ClassVar[str] = "water"
    label: ClassVar[str] = "Water"


DRINKS = table_of(Tea, Water)


@dataclass(frozen=True)
class Order:
    drink: Choice = pick(Tea(), DRINKS, label="Drink")
    degrees: float = knob(80.0, 0.5, 1e6, label="Degrees")
    sugar: float | None = knob(1.0, 0.25, 3.0, label="Sugar", optional=True)
    hurry: bool = knob(False, label="Hurry")
    guest: str = knob("", label="Guest")
    note: str = "no control"

    def __post_init__(self) -> None:
        check(self)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"degrees": 0.4}, "Degrees is 0.4; choose a number from 0.5 to 1e+06."),
        ({"degrees": 1000001}, "Degrees is 1000001; choose a number from 0.5 to 1e+06."),
        ({"degrees": float("nan")}, "Degrees is nan; choose a number from 0.5 to 1e+06."),
        ({"degrees": float("inf")}, "Degrees is inf; choose a number from 0.5 to 1e+06."),
        ({"degrees": "80"}, "Degrees is '80'; choose a number from 0.5 to 1e+06."),
        ({"degrees": True}, "Degrees is True; choose a number from 0.5 to 1e+06."),
        ({"degrees": None}, "Degrees is None; choose a number from 0.5 to 1e+06."),
        ({"sugar": 0}, "Sugar is 0; choose a number from 0.25 to 3. None switches it off."),
        ({"hurry": 1}, "Hurry is 1; it must be a bool."),
        ({"guest": None}, "Guest is None; it must be a str."),
        ({"drink": "tea"}, "Drink is 'tea'; choose one of: tea, water."),
        ({"drink": Tea}, f"Drink is {Tea!r}; choose one of: tea, water."),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_remedy(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(GruvizError) as caught:
        Order(**settings)
    assert str(caught.value) == message


@pytest.mark.parametrize("minutes", [0, 1501, 4.0, 4.5, "4", None])
def test_a_whole_number_takes_nothing_but_a_whole_number_in_range(minutes: Any) -> None:
    with pytest.raises(GruvizError) as caught:
        Tea(minutes=minutes)
    assert str(caught.value) == f"Minutes is {minutes!r}; choose a whole number from 1 to 1,500."


def test_a_whole_number_too_large_for_a_float_is_refused_like_any_other() -> None:
    with pytest.raises(GruvizError) as caught:
        Tea(minutes=10**400)
    assert str(caught.value).startswith("Minutes is 1000")
    assert str(caught.value).endswith("; choose a whole number from 1 to 1,500.")


def test_the_ends_of_a_range_belong_to_it_and_a_float_knob_takes_whole_numbers() -> None:
    assert (Tea(1).minutes, Tea(1500).minutes) == (1, 1500)
    assert (Order(degrees=0.5).degrees, Order(degrees=10**6).degrees) == (0.5, 10**6)
    assert Order(sugar=None).sugar is None


def test_about_lists_the_controls_in_order_and_nothing_else() -> None:
    assert [name for name, _what in about(Order)] == ["drink", "degrees", "sugar", "hurry", "guest"]
    assert dict(about(Order()))["degrees"] == Knob("Degrees", 0.5, 1e6)


def test_to_dict_is_plain_and_names_the_chosen_rows() -> None:
    plain = to_dict(Order(Water(), sugar=None))
    assert plain == {
        "drink": {"name": "water"},
        "degrees": 80.0,
        "sugar": None,
        "hurry": False,
        "guest": "",
    }


def test_from_dict_fills_in_defaults_and_refuses_what_it_does_not_know() -> None:
    assert from_dict(Order, {"drink": {"name": "tea", "minutes": 7}}) == Order(Tea(7))
    assert from_dict(Order, {"drink": "water"}) == Order(Water())
    with pytest.raises(GruvizError) as caught:
        from_dict(Order, {"size": 1, "colour": 2, "sugar": 1})
    assert str(caught.value) == (
        "'colour', 'size' is unknown here; the known settings are:"
        " drink, degrees, sugar, hurry, guest."
    )
    with pytest.raises(GruvizError) as caught:
        from_dict(Order, {"drink": {"name": "water", "minutes": 1}})
    assert str(caught.value) == "'minutes' is unknown here; the known settings are: none."


@pytest.mark.parametrize("plain", ["coffee", {"name": "coffee"}])
def test_a_row_that_is_not_in_the_table_is_named(plain: object) -> None:
    with pytest.raises(GruvizError) as caught:
        choose(dict(about(Order))["drink"], plain)
    assert str(caught.value) == "Drink is 'coffee'; choose one of: tea, water."


@pytest.mark.parametrize("plain", [{}, {"name": None}, 3, None, [], {"name": ["tea"]}])
def test_a_row_without_a_readable_name_is_refused(plain: object) -> None:
    with pytest.raises(GruvizError, match=r"^Drink is .*; choose one of: tea, water\.$"):
        choose(dict(about(Order))["drink"], plain)

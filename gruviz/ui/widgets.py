"""A widget for a knob: a slider, on a log scale where its range spans decades, or a field."""

import math
from collections.abc import Iterable
from typing import Any

import streamlit as st

from gruviz.experiment import Knob
from gruviz.words import _

OFF = "off"  # None, under whatever name: a menu's options are told apart better


def knob(key: str, what: Knob, default: Any) -> Any:
    """Draw the widget of a knob under `key` and return what it shows; None for off."""
    value = st.session_state.setdefault(key, default)
    if what.options is not None:
        options = what.options
        return st.selectbox(
            _(what.label),
            list(options),
            format_func=lambda each: _(options[each]),
            key=key,
            help=_(what.help) if what.help else None,
            persist_state="session",
        )
    if isinstance(default, bool):
        return st.toggle(
            _(what.label),
            key=key,
            help=_(what.help) if what.help else None,
            persist_state="session",
        )
    return _number(key, what, default, value)


def _number(key: str, what: Knob, default: Any, value: Any) -> Any:
    assert what.low is not None and what.high is not None
    if value is None:
        value = st.session_state[key] = OFF
    known = {each for each in (default, value) if each is not None and each != OFF}
    label = _(what.label) + (f" ({_(what.unit)})" if what.unit else "")
    common: dict[str, Any] = {
        "label": label,
        "key": key,
        "help": _(what.help) if what.help else None,
        "persist_state": "session",
    }
    if what.log or what.one_minus:
        make = steps_near_one if what.one_minus else steps_between
        options: list[Any] = list(make(what.low, what.high, known))
        if what.optional:
            options.insert(len(options) if what.unlimited else 0, OFF)
        chosen = st.select_slider(
            options=options, format_func=lambda v: _(what.none) if v == OFF else f"{v:,g}", **common
        )
        return None if chosen == OFF else chosen
    if what.whole:
        if what.high - what.low > 500:
            return int(st.number_input(min_value=what.low, max_value=what.high, step=1, **common))
        return st.slider(min_value=what.low, max_value=what.high, step=1, **common)
    step = what.step or 0.001
    digits = max(0, -math.floor(math.log10(step)))
    return st.slider(
        min_value=float(what.low),
        max_value=float(what.high),
        step=float(step),
        format=f"%.{digits}f",
        **common,
    )


def steps_between(low: float, high: float, also: Iterable[float]) -> list[float]:
    """Evenly spaced stops on a log scale, from `low` to `high`, with `also` among them.

    Whole numbers between whole ends; powers of two and their halves-between if `also` has one.
    """
    also = set(also)
    whole = isinstance(low, int)
    if whole and any(value >= 4 and value & (value - 1) == 0 for value in map(int, also)):
        stops: set[float] = {base << power for base in (2, 3) for power in range(18)} | {1}
    else:
        mantissas = (1, 2, 3, 5, 7) if whole else (1, 1.5, 2, 3, 5, 7)
        exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        # Through text, so that 3e-3 is the very number that somebody would write.
        stops = {float(f"{m}e{e}") for m in mantissas for e in exponents}
    inside = {stop for stop in stops if low <= stop <= high} | {low, high} | also
    kind = int if whole else float
    return sorted({kind(stop) for stop in inside})


def steps_near_one(low: float, high: float, also: Iterable[float]) -> list[float]:
    """Stops whose distances from 1 are evenly spaced on a log scale, from `low` to `high`."""
    also = set(also)
    distances = steps_between(1.0 - high, 1.0 - low, ())
    stops = {round(1 - distance, 9) for distance in distances}
    return sorted({stop for stop in stops if low <= stop <= high} | {float(low), high} | also)

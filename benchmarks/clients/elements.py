"""What a page is made of on the wire: elements, and the states of widgets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamlit.proto.Element_pb2 import Element


def _texts(value: Any) -> dict[str, Any]:
    return {"string_array_value": {"data": [value] if isinstance(value, str) else list(value)}}


SETTERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "slider": lambda v: {"double_array_value": {"data": [v]}} if _number(v) else _texts(v),
    "number_input": lambda value: {"double_value": value},
    "selectbox": lambda value: {"string_value": value},
    "checkbox": lambda value: {"bool_value": value},
    "button_group": _texts,
    "multiselect": _texts,
}  # what a widget's state looks like on the wire, by the kind of element


def _number(value: Any) -> bool:
    return isinstance(value, int | float)


@dataclass
class Shown:
    """An element on the page: what it is, in which run of the page it came, and its fragment."""

    element: Element
    run: int
    fragment: str

    @property
    def kind(self) -> str:
        return str(self.element.WhichOneof("type"))

    @property
    def what(self) -> Any:
        return getattr(self.element, self.kind)


def data_of(component: Any) -> str:
    """A component's data as JSON."""
    return str(component.mixed.json if component.WhichOneof("data") == "mixed" else component.json)

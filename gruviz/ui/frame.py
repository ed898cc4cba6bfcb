"""What all pages share: title, language, navigation, and the row with the heading."""

import re
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from gruviz.words import _, speak

ICON = Path(__file__).parent / "static" / "icon.png"
STYLE = Path(__file__).parent / "static" / "page.css"


def begin(title: str) -> None:
    """Set up a page with a title from the catalogs. What comes after speaks the visitor's language."""
    speak(st.context.locale)
    st.set_page_config(page_title=f"{_(title)} · gruviz", page_icon=str(ICON), layout="wide")
    st.html(STYLE)


def navigation() -> None:
    """The links between the pages."""
    with st.container(gap="xxsmall", key="navigation"):
        st.page_link("app.py", label=_("Train"), icon=":material/show_chart:")
        st.page_link("pages/Data.py", label=_("Data"), icon=":material/table_chart:")
        st.page_link("pages/Lab.py", label=_("Lab"), icon=":material/science:")
        st.page_link("pages/Guide.py", label=_("Guide"), icon=":material/school:")


def heading(text: str) -> DeltaGenerator:
    """Draw the page's heading; returns the place for buttons at its right."""
    row = st.container(horizontal=True, vertical_alignment="center", key="heading")
    with row:
        st.title(text, anchor=False, width="stretch")
        return st.container(horizontal=True, width="content", gap="small", key="buttons")


def literal(text: str) -> str:
    """Text from a file or a visitor, so that Markdown shows it as it is."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|$~:&^])", r"\\\1", text)


def refusal(reason: object) -> None:
    """Say in red why something can't be done."""
    st.error(literal(str(reason)), icon=":material/error:")

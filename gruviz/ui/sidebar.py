"""The sidebar that the working pages share: one experiment, whichever page one is on."""

from collections.abc import Mapping

import streamlit as st

from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.ui import controls, frame
from gruviz.ui.session import DISPLAY, Session


def read(mine: Session, page: str) -> Experiment:
    """Draw navigation and controls; returns the experiment that they show.

    Live knobs reach the run at once, and the page's address becomes the link of what they show.
    """
    if mine.page not in (None, page) and mine.controls_were is not None:
        # A control is another widget on another page, and begins at its first stop there unless
        # it is set (Streamlit 1.67, also with persist_state). What it shows may be newer than what
        # was last read: who goes on at once ends the drawing of the page that would have read it.
        controls.keep(mine.controls_were)
    mine.page = page
    mine.follow()
    with st.sidebar:
        frame.navigation()
        try:
            wanted = controls.controls()
        except GruvizError as error:
            frame.refusal(error)
            st.stop()
    mine.adjust(wanted)
    address(mine, wanted)
    return wanted


def address(mine: Session, wanted: Experiment) -> None:
    """Make the page's address the link of what the controls show."""
    display = {key: st.query_params[key] for key in DISPLAY if key in st.query_params}
    link = mine.address(wanted) | display
    if st.query_params.to_dict() != link:
        st.query_params.from_dict(link)


def display_option(name: str, label: str, options: Mapping[str, str], *, bare: bool = False) -> str:
    """A choice of how to look at the run, the first of the options by default; kept in the link."""
    default = next(iter(options))
    st.session_state.setdefault(name, st.query_params.get(name, default))
    if st.session_state[name] not in options:
        st.session_state[name] = default
    found = st.segmented_control(
        label,
        list(options),
        format_func=lambda each: options[each],
        key=name,
        required=True,
        persist_state="session",
        label_visibility="collapsed" if bare else "visible",
    )
    chosen = found or default
    if chosen != st.query_params.get(name, default):
        if chosen == default:
            del st.query_params[name]
        else:
            st.query_params[name] = chosen
    return chosen

"""Who a tab is to the classroom: whose work is queued, whose files and runs are counted."""

import secrets

import streamlit as st


def visitor() -> str:
    """This tab's own name: unguessable, and never shown."""
    found: str = st.session_state.setdefault("visitor", secrets.token_urlsafe(12))
    return found

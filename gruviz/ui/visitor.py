"""Who a tab is to the classroom: whose work is queued, whose files and runs are counted."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from gruviz.runs import classroom


def visitor() -> str:
    """This tab's own name: unguessable, and never shown."""
    found: str = st.session_state.setdefault("visitor", secrets.token_urlsafe(12))
    return found


@contextmanager
def charged() -> Iterator[None]:
    """Count the time that a page takes to be drawn as work done for this tab's visitor."""
    mine, began = visitor(), time.thread_time()
    try:
        yield
    finally:
        classroom().pool.charge(mine, time.thread_time() - began)

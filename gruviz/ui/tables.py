"""Tables on the page: the samples, and the files that this visitor has uploaded."""

from typing import Any

import streamlit as st

from gruviz.data import SAMPLE_NAMES, Table
from gruviz.data.tables import MAX_BYTES
from gruviz.errors import GruvizError
from gruviz.experiment import Knob, about
from gruviz.experiment import Table as TableTask
from gruviz.runs import classroom
from gruviz.ui import frame
from gruviz.ui.widgets import knob
from gruviz.words import N_, _

SAMPLE_LABELS = {
    "sunspots_yearly": N_("Sunspots, yearly"),
    "co2_weekly": N_("CO₂ at Mauna Loa, weekly"),
    "airline_passengers": N_("Airline passengers, monthly"),
}


def uploads() -> dict[str, str]:
    """The uploaded files of this visitor: digest to name."""
    files: dict[str, str] = st.session_state.setdefault("uploads", {})
    return files


def labels() -> dict[str, str]:
    """The tables that this visitor may see: source to what a menu says."""
    return {**{name: _(label) for name, label in SAMPLE_LABELS.items()}, **uploads()}


def adopt(source: str) -> None:
    """Let this visitor see a table that a run of theirs was started with."""
    if source not in SAMPLE_NAMES:
        uploads().setdefault(source, classroom().tables(source).name)


def fetch(source: str) -> Table:
    """A table that this visitor may see: a sample, or a file of their own.

    Raises GruvizError for anything else, be it on the server or not.
    """
    if source not in SAMPLE_NAMES and source not in uploads():
        raise GruvizError(
            _(
                "The data of this experiment was uploaded by somebody else or is gone; upload the"
                " file again, or choose a sample."
            )
        )
    return classroom().tables(source)


def table_controls() -> dict[str, Any]:
    """Upload, source, column, window and horizon, as the fields of the table task."""
    _upload()
    known = labels()
    knobs = {name: what for name, what in about(TableTask) if isinstance(what, Knob)}
    source = st.session_state.setdefault("table.source", TableTask().source)
    if source not in known:
        st.session_state["table.source"] = source = TableTask().source
    source = st.selectbox(
        _(knobs["source"].label), list(known), format_func=lambda each: known[each],
        key="table.source", persist_state="session",
    )  # fmt: skip
    table = fetch(source)
    columns = list(table.columns)
    if st.session_state.get("table.column") not in columns:
        st.session_state["table.column"] = table.first_choice
    column = st.selectbox(
        _(knobs["column"].label), columns, key="table.column", persist_state="session",
        help=_(knobs["column"].help),
    )  # fmt: skip
    numbers = {
        name: knob(f"table.{name}", knobs[name], getattr(TableTask(), name))
        for name in ("window", "horizon")
    }
    return {"source": source, "column": column, **numbers}


def _upload() -> None:
    file = st.file_uploader(
        _("Upload a CSV file"), type=["csv", "txt"], key="upload", max_upload_size=MAX_BYTES // 10**6,
        help=_("Comma-separated, with a header line. It stays on this server and with your tab."),
    )  # fmt: skip
    if file is None or st.session_state.get("handled upload") == file.file_id:
        if message := st.session_state.get("upload error") if file else None:
            frame.refusal(message)
        return
    st.session_state["handled upload"] = file.file_id
    st.session_state["upload error"] = None
    try:
        with st.spinner(_("Reading the file…")):
            table = classroom().tables.put(file.getvalue(), file.name)
    except GruvizError as error:
        reason = f"{file.name[:60]}: {error}"
        st.session_state["upload error"] = reason
        frame.refusal(reason)
        return
    # Two files of one name are told apart, for a menu finds its options by what they say.
    taken = set(uploads().values())
    name = table.name[:60]
    uploads().setdefault(table.digest, f"{name} · {table.digest[:6]}" if name in taken else name)
    st.session_state["table.source"] = table.digest
    st.session_state["table.column"] = table.first_choice

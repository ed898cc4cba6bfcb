"""Tables on the page: the samples, and the files that this visitor has uploaded."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from gruviz.data import SAMPLE_NAMES, Table
from gruviz.data.tables import MAX_BYTES
from gruviz.errors import GruvizError
from gruviz.experiment import FromTable, Knob, about, default_of
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


def table_controls(row: type[FromTable]) -> dict[str, Any]:
    """Upload, source, and the knobs of a task on a table, as its fields."""
    _upload(row)
    values: dict[str, Any] = {"source": _source(row)}
    table = fetch(values["source"])
    texts = 0
    for name, what in about(row):
        if name == "source" or not isinstance(what, Knob):
            continue
        key, default = f"{row.name}.{name}", default_of(row, name)
        if not what.column:
            values[name] = knob(key, what, default)
        elif isinstance(default, tuple):
            others = [each for each in table.columns if each != values.get("column")]
            values[name] = _some_columns(key, what, others)
        else:
            names = list(table.columns) if what.column == "numeric" else _all_columns(table)
            first = table.first_choice if what.column == "numeric" else names[texts % len(names)]
            texts += what.column == "any"
            values[name] = _column(key, what, names, first)
    return values


def _source(row: type[FromTable]) -> str:
    known, key = labels(), f"{row.name}.source"
    if st.session_state.setdefault(key, row().source) not in known:
        st.session_state[key] = row().source
    what = dict(about(row))["source"]
    source: str = st.selectbox(
        _(what.label), list(known), format_func=lambda each: known[each], key=key,
        persist_state="session",
    )  # fmt: skip
    return source


def _all_columns(table: Table) -> list[str]:
    """Text columns first: an id or a label is one more often than not."""
    return [*table.others, *table.columns]


def _column(key: str, what: Knob, names: list[str], first: str) -> str:
    if st.session_state.get(key) not in names:
        st.session_state[key] = first
    chosen: str = st.selectbox(
        _(what.label), names, key=key, persist_state="session",
        help=_(what.help) if what.help else None,
    )  # fmt: skip
    return chosen


def _some_columns(key: str, what: Knob, names: list[str]) -> tuple[str, ...]:
    wanted = st.session_state.get(key, ())
    st.session_state[key] = [each for each in wanted if each in names]
    chosen = st.multiselect(
        _(what.label), names, key=key, persist_state="session",
        help=_(what.help) if what.help else None,
    )  # fmt: skip
    return tuple(chosen)


def _upload(row: type[FromTable]) -> None:
    file = st.file_uploader(
        _("Upload a CSV file"), type=["csv", "txt", "tsv", "dat"], key="upload",
        max_upload_size=MAX_BYTES // 10**6,
        help=_("A table as text: one row a time step. It stays on this server and with your tab."),
    )  # fmt: skip
    if file is None or st.session_state.get("handled upload") == file.file_id:
        if message := st.session_state.get("upload error") if file else None:
            frame.refusal(message)
        return
    reason, table = None, None
    try:
        table = reading(
            lambda say: classroom().read(file.getvalue(), file.name, say, st.context.locale)
        )
    except GruvizError as error:
        reason = f"{file.name[:60]}: {error}"
        frame.refusal(reason)
    # Only now: a page that is drawn anew in the middle begins again.
    st.session_state["handled upload"], st.session_state["upload error"] = file.file_id, reason
    if table is None:
        return
    # Two files of one name are told apart, for a menu finds its options by what they say.
    taken = set(uploads().values())
    name = table.name[:60]
    uploads().setdefault(table.digest, f"{name} · {table.digest[:6]}" if name in taken else name)
    st.session_state[f"{row.name}.source"] = table.digest


def reading(read: Callable[[Callable[[float, str], None]], Table]) -> Table:
    """What `read` makes of a file, with a bar that shows how far it is."""
    bar = st.progress(0.0, _("Reading the file…"))

    def say(share: float, what: str) -> None:
        bar.progress(min(max(share, 0.0), 1.0), what or _("Reading the file…"))

    try:
        return read(say)
    finally:
        bar.empty()

"""What a task may read: the samples, and the files that this visitor has uploaded."""

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from gruviz.csv import MAX_BYTES, Overrides
from gruviz.csv.table import MARK
from gruviz.data import SAMPLE_NAMES, Preview, Table
from gruviz.data.bundled import sample
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, FromTable, Knob, about, default_of
from gruviz.runs import classroom
from gruviz.ui import frame
from gruviz.ui.visitor import visitor
from gruviz.ui.widgets import knob
from gruviz.words import N_, _

T = TypeVar("T")

SAMPLE_LABELS = {
    "sunspots_yearly": N_("Sunspots, yearly"),
    "co2_weekly": N_("CO₂ at Mauna Loa, weekly"),
    "airline_passengers": N_("Airline passengers, monthly"),
    "digits_8x8": N_("Handwritten digits, a row each"),
    "waveforms_long": N_("Four waveforms, a row a time step"),
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
    if base(source) not in SAMPLE_NAMES:
        uploads().setdefault(base(source), classroom().tables.name(source))
        classroom().uploads.own(base(source), visitor())


def base(source: str) -> str:
    """A table's source without the overrides with which it is read."""
    return source.partition(MARK)[0]


def fetch(source: str) -> Table:
    """A table that this visitor may see: a sample, or a file of their own, which a worker reads
    unless it has been read.

    Raises GruvizError for anything else, be it on the server or not.
    """
    _check_seen(source)
    room, speech = classroom(), st.context.locale
    found = room.tables.at_hand(source)
    return found or reading(lambda say: room.reread(source, say, speech, visitor()))


def preview(experiment: Experiment) -> Preview:
    """What there is to know of an experiment's data, if this visitor may see it.

    Raises GruvizError if there is none, or it is somebody else's.
    """
    task, room, speech = experiment.task, classroom(), st.context.locale
    if isinstance(task, FromTable):
        _check_seen(task.source)
    return reading(lambda say: room.preview(task, experiment.seed, say, speech, visitor()))


def _check_seen(source: str) -> None:
    if base(source) not in SAMPLE_NAMES and base(source) not in uploads():
        raise GruvizError(
            _(
                "The data of this experiment was uploaded by somebody else or is gone; upload the"
                " file again, or choose a sample."
            )
        )


def overrule(digest: str, overrides: Overrides) -> None:
    """Read a table differently from now on."""
    _overrules()[_known(digest)] = overrides.to_json()


def reread(digest: str, overrides: Overrides) -> None:
    """Read a table differently once. Raises GruvizError if that can't be done."""
    name, changes = _known(digest), overrides.to_json()
    fetch(f"{name}{MARK}{changes}" if changes else name)


def _known(digest: str) -> str:
    """What a table's digest is called in a source: samples go by their names."""
    return next((n for n in SAMPLE_NAMES if sample(n).digest == digest), digest)


def _overrules() -> dict[str, str]:
    """How this visitor reads each table: what is overruled, as JSON, by the source's base."""
    found: dict[str, str] = st.session_state.setdefault("table overrules", {})
    return found


def table_controls(row: type[FromTable]) -> dict[str, Any]:
    """Upload, source, and the knobs of a task on a table, as its fields."""
    _upload(row)
    source, table = _read(_source(row))
    values: dict[str, Any] = {"source": source}
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
            values[name] = _column(key, what, names, default if default in names else first)
    return values


def _source(row: type[FromTable]) -> str:
    """The table that is chosen, as it is read now."""
    known, key = labels(), f"{row.name}.source"
    name, _mark, changes = st.session_state.setdefault(key, row().source).partition(MARK)
    if changes:  # from a link, or a run that is taken up again
        _overrules()[name] = changes
    st.session_state[key] = name if name in known else row().source
    what = dict(about(row))["source"]
    chosen = st.selectbox(
        _(what.label),
        list(known),
        format_func=lambda each: known[each],
        key=key,
        persist_state="session",
    )
    changes = _overrules().get(chosen, "")
    return f"{chosen}{MARK}{changes}" if changes else chosen


def _read(source: str) -> tuple[str, Table]:
    """The table, read as the evidence says where what is overruled makes no table of it."""
    try:
        return source, fetch(source)
    except GruvizError as error:
        if MARK not in source:
            raise
        frame.refusal(error)
        _overrules().pop(base(source))
        return base(source), fetch(base(source))


def _all_columns(table: Table) -> list[str]:
    """Text columns first: an id or a label is one more often than not."""
    return [*table.others, *table.columns]


def _column(key: str, what: Knob, names: list[str], first: str) -> str:
    if st.session_state.get(key) not in names:
        st.session_state[key] = first
    chosen: str = st.selectbox(
        _(what.label),
        names,
        key=key,
        persist_state="session",
        help=_(what.help) if what.help else None,
    )
    return chosen


def _some_columns(key: str, what: Knob, names: list[str]) -> tuple[str, ...]:
    wanted = st.session_state.get(key, ())
    st.session_state[key] = [each for each in wanted if each in names]
    chosen = st.multiselect(
        _(what.label),
        names,
        key=key,
        persist_state="session",
        help=_(what.help) if what.help else None,
    )
    return tuple(chosen)


def _upload(row: type[FromTable]) -> None:
    file = st.file_uploader(
        _("Upload a CSV file"),
        type=["csv", "txt", "tsv", "dat"],
        key="upload",
        max_upload_size=MAX_BYTES // 10**6,
        help=_("A table as text: one row a time step. It stays on this server and with your tab."),
    )
    shown = st.session_state.get("upload")  # there as long as the page shows it, see `_release`
    if file is None or st.session_state.get("handled upload") == file.file_id:
        if message := st.session_state.get("upload error") if shown else None:
            frame.refusal(message)
        return
    reason, table = None, None
    try:
        table = reading(
            lambda say: classroom().read(
                file.getvalue(), file.name, say, st.context.locale, visitor()
            )
        )
    except GruvizError as error:
        reason = f"{file.name[:60]}: {error}"
        frame.refusal(reason)
    # Only now: a page that is drawn anew in the middle begins again.
    st.session_state["handled upload"], st.session_state["upload error"] = file.file_id, reason
    _release()
    if table is None:
        return
    # Two files of one name are told apart, for a menu finds its options by what they say.
    taken = set(uploads().values())
    name = file.name[:60]  # table.name may be what another visitor calls the same bytes
    uploads().setdefault(table.digest, f"{name} · {table.digest[:6]}" if name in taken else name)
    st.session_state[f"{row.name}.source"] = table.digest


def _release() -> None:
    """Let Streamlit forget the bytes of the files that this tab has sent: the store has them."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)


def reading(read: Callable[[Callable[[float, str], None]], T]) -> T:
    """What `read` finds out, with a bar that shows how far it is if it takes a moment."""
    bars: list[DeltaGenerator] = []

    def say(share: float, what: str) -> None:
        share, what = min(max(share, 0.0), 1.0), what or _("Reading the file…")
        if bars:
            bars[0].progress(share, what)
        else:
            bars.append(st.progress(share, what))

    try:
        return read(say)
    finally:
        for bar in bars:
            bar.empty()

"""How a file was read: what was found, the first rows, and every part of it to be overruled."""

from collections.abc import Mapping

import streamlit as st

from gruviz.csv import Finding, Overrides, Severity
from gruviz.data import Table
from gruviz.errors import GruvizError
from gruviz.experiment import FromTable
from gruviz.ui import frame, sources
from gruviz.words import N_, _, n_

AUTO = "auto"
SEPARATORS = {
    AUTO: N_("as found"),
    ",": N_("comma"),
    ";": N_("semicolon"),
    "\t": N_("tab"),
    "|": N_("vertical bar"),
    " ": N_("blanks"),
    "": N_("none: one column"),
}
DECIMALS = {AUTO: N_("as found"), ".": N_("point"), ",": N_("comma")}
THOUSANDS = {
    AUTO: N_("as found"),
    "": N_("none"),
    ",": N_("comma"),
    ".": N_("point"),
    " ": N_("blank"),
    "'": N_("apostrophe"),
}
ORDERS = {AUTO: N_("as found"), "time": N_("by time"), "file": N_("as in the file")}
RESHAPES = {
    AUTO: N_("as found"),
    "": N_("leave it"),
    "pivot": N_("a column for each series"),
    "transpose": N_("turn rows into columns"),
}
ENCODINGS = (
    AUTO,
    "utf-8",
    "utf-16",
    "cp1252",
    "latin-1",
    "gb18030",
    "shift_jis",
    "cp932",
    "big5",
    "euc_kr",
    "cp1251",
    "mac_roman",
)

ASKED = {
    "encoding",
    "separator",
    "decimal",
    "thousands",
    "order",
    "reshape",
    "header",
    "missing",
    "time",
    "time_format",
}


def section(task: FromTable) -> None:
    """What is known of the table of a task, and the ways to read it differently."""
    try:
        table = sources.fetch(task.source)
    except GruvizError as error:
        frame.refusal(error)
        return
    with st.container(border=True):
        st.subheader(_("How it was read"), anchor=False)
        st.caption(frame.literal(_summary(table)))
        _findings(table)
        st.dataframe(table.head, width="stretch", key="head")
        with st.expander(_("Read it differently"), icon=":material/tune:"):
            _overrules(table)


def _summary(table: Table) -> str:
    read = table.reading
    parts = [
        n_(
            "{rows:,} rows, {columns} column of numbers",
            "{rows:,} rows, {columns} columns of numbers",
            len(table.columns),
        ).format(rows=table.rows, columns=len(table.columns)),
        _("encoding {name}").format(name=read.encoding),
        _("separated by {mark}").format(mark=_word(SEPARATORS, read.separator)),
        _("decimal {mark}").format(mark=_word(DECIMALS, read.decimal)),
        _("thousands {mark}").format(mark=_word(THOUSANDS, read.thousands)),
        _("header in line {lines}").format(lines=", ".join(map(str, read.header)))
        if read.header
        else _("no header"),
    ]
    if read.time:
        parts.append(
            _("time in {columns} ({format})").format(
                columns=", ".join(read.time), format=read.time_format or "–"
            )
        )
    if read.missing:
        parts.append(_("missing: {marks}").format(marks=", ".join(map(repr, read.missing))))
    return " · ".join(parts)


def _word(words: Mapping[str, str], mark: str | None) -> str:
    return _(words[mark]) if mark is not None and mark in words else repr(mark)


def _findings(table: Table) -> None:
    warnings = [each for each in table.findings if each.severity is Severity.WARNING]
    notes = [each for each in table.findings if each.severity is not Severity.WARNING]
    for place, finding in enumerate(warnings):
        _finding(table, finding, f"warning-{place}", ":material/warning:")
    if notes:
        with st.expander(
            n_("{count} note", "{count} notes", len(notes)).format(count=len(notes)),
            icon=":material/notes:",
        ):
            for place, finding in enumerate(notes):
                _finding(table, finding, f"note-{place}", ":material/info:")


def _finding(table: Table, finding: Finding, key: str, icon: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{icon} {frame.literal(finding.sentence)}")
        for number, remedy in enumerate(finding.remedies):
            st.button(
                frame.literal(remedy.label),
                key=f"{key}-{number}",
                type="tertiary",
                icon=":material/build:",
                on_click=_apply,
                args=(table, remedy.overrides),
            )


def _apply(table: Table, changes: Overrides) -> None:
    sources.overrule(table.digest, table.overrides | changes)


def _overrules(table: Table) -> None:
    asked = table.overrides
    with st.form("overrules", border=False):
        left, middle, right = st.columns(3)
        with left:
            encoding = st.selectbox(
                _("Encoding"),
                _with(ENCODINGS, asked.encoding),
                index=_at(ENCODINGS, asked.encoding),
                format_func=lambda each: _("as found") if each == AUTO else each,
            )
            separator = _choice(_("Separator"), SEPARATORS, asked.separator)
            header = st.text_input(
                _("Header line(s)"),
                value=_lines(asked.header),
                placeholder=_("as found"),
                help=_("Line numbers, such as 1 or 1, 2; a dash for none."),
            )
        with middle:
            decimal = _choice(_("Decimal mark"), DECIMALS, asked.decimal)
            thousands = _choice(_("Thousands mark"), THOUSANDS, asked.thousands)
            missing = st.text_input(
                _("Missing-value marks"),
                value="" if asked.missing is None else " ".join(asked.missing),
                placeholder=_("as found"),
                help=_("Separated by blanks, such as NA -999 ?"),
            )
        with right:
            time = st.multiselect(
                _("Time column(s)"),
                [str(name) for name in table.frame.columns],
                default=[name for name in asked.time or () if name in table.frame.columns],
                placeholder=_("as found"),
            )
            time_format = st.text_input(
                _("Time format"),
                value=asked.time_format or "",
                placeholder="%Y-%m-%d %H:%M",
                help=_("As Python writes it: %d day, %m month, %Y year, %H hour, %M minute."),
            )
            order = _choice(_("Order of rows"), ORDERS, asked.order)
        reshape = _choice(_("Shape"), RESHAPES, asked.reshape)
        with st.container(horizontal=True):
            again = st.form_submit_button(_("Read again"), icon=":material/refresh:")
            found = st.form_submit_button(_("As found"), icon=":material/undo:", type="tertiary")
    if found:
        sources.overrule(table.digest, Overrides())
        st.rerun()
    if again:
        words = {
            "encoding": encoding,
            "separator": separator,
            "decimal": decimal,
            "thousands": thousands,
            "order": order,
            "reshape": reshape,
        }
        # What a remedy has overruled, and this form doesn't ask for, stays so.
        changes: dict[str, object] = {
            name: value for name, value in asked.changes().items() if name not in ASKED
        } | {name: word for name, word in words.items() if word != AUTO}
        try:
            if header.strip():
                changes["header"] = _numbers(header)
            if missing.strip():
                changes["missing"] = missing.split()
            if time:
                changes["time"] = time
            if time_format.strip():
                changes["time_format"] = time_format.strip()
            sources.reread(table.digest, Overrides.of(**changes))
        except GruvizError as error:
            frame.refusal(error)
            return
        sources.overrule(table.digest, Overrides.of(**changes))
        st.rerun()


def _with(options: tuple[str, ...], asked: str | None) -> list[str]:
    return [*options, *([asked] if asked is not None and asked not in options else [])]


def _at(options: tuple[str, ...], asked: str | None) -> int:
    return 0 if asked is None else _with(options, asked).index(asked)


def _choice(label: str, words: Mapping[str, str], asked: str | None) -> str:
    options = list(words)
    chosen: str = st.selectbox(
        label,
        options,
        index=0 if asked is None or asked not in words else options.index(asked),
        format_func=lambda each: _(words[each]),
    )
    return chosen


def _lines(header: tuple[int, ...] | None) -> str:
    if header is None:
        return ""
    return ", ".join(map(str, header)) or "-"


def _numbers(text: str) -> list[int]:
    if text.strip() in ("-", "–"):
        return []
    try:
        return [int(part) for part in text.replace(",", " ").split()]
    except ValueError:
        raise GruvizError(
            _("The header lines are {text!r}; write line numbers such as 1 or 1, 2.").format(
                text=text[:40]
            )
        ) from None

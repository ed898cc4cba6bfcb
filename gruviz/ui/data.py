"""The data page: what the network reads, what it is asked for, and what is known without training."""

import streamlit as st

from gruviz import charts
from gruviz.data import Preview
from gruviz.data.theory import theory
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment, FromTable, TableTask
from gruviz.ui import cards, forecasting, frame, reading, sidebar, sources
from gruviz.ui.session import session
from gruviz.ui.study import drawn
from gruviz.ui.visitor import charged
from gruviz.words import N_, _, readable

SEQUENCES_HEIGHT = 460


@charged()
def page() -> None:
    """The page of pages/Data.py."""
    frame.begin(N_("Data"))
    mine = session()
    wanted = sidebar.read(mine, "Data")
    task = wanted.task
    frame.heading(_("What the network reads"))
    st.markdown(f"**{_(task.label)}.** {_(task.help)}")
    if isinstance(task, FromTable):
        reading.section(task)
    try:
        data = sources.preview(wanted)
    except GruvizError as error:
        frame.refusal(error)
        return
    if isinstance(task, TableTask):
        forecasting.section(mine, wanted, data)
    else:
        _sequences(wanted, data)


def _sequences(experiment: Experiment, data: Preview) -> None:
    for finding in data.findings:
        st.caption(frame.literal(finding.sentence))
    with st.container(border=True):
        st.subheader(_("A few sequences"), anchor=False)
        answers = cards.wanted(data)
        drawn(
            cards.sequences(data),
            charts.alternatives.sequences(answers),
            "sequences",
            height=SEQUENCES_HEIGHT,
        )
    known = theory(experiment, data)
    with st.container(border=True):
        st.subheader(_("Known without training"), anchor=False)
        lines = [
            f"- {frame.literal(line.label)}: **{frame.literal(readable(line.value))}**"
            for line in known.lines
        ]
        measure = experiment.loss.fitting(data.kind, in_bits=experiment.task.in_bits).measure
        if lines:
            st.markdown(
                _("Losses ({measure}) of answers that need no training:").format(measure=_(measure))
            )
            st.markdown("\n".join(lines))
        if known.threshold is not None:
            st.markdown(
                _("It counts as solved when the validation loss stays below **{loss}**.").format(
                    loss=frame.literal(readable(known.threshold))
                )
            )
        if not lines and known.threshold is None:
            st.markdown(_("Nothing is known of this loss without training."))

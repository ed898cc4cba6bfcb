"""The guide: what is trained here, what each knob does, how to read each chart."""

import streamlit as st

from gruviz.charts import OVERVIEW
from gruviz.data import preview_of
from gruviz.experiment import CELLS, LOSSES, OPTIMIZERS, SCHEDULES, TASKS, Experiment
from gruviz.ui import cards, frame
from gruviz.ui.visitor import charged
from gruviz.words import N_, _


@charged()
def page() -> None:
    """The page of pages/Guide.py."""
    frame.begin(N_("Guide"))
    with st.sidebar:
        frame.navigation()
    frame.heading(_("What is being trained?"))
    st.markdown(
        _(
            "A **gated recurrent unit** reads a sequence one time step at a time and keeps a memory"
            " *h*, one number per hidden unit. Two gates, numbers between 0 and 1, decide what"
            " happens to it: the **reset gate** *r* says how much of the past the new proposal may"
            " use, the **update gate** *z* how much of the old memory stays."
        )
    )
    for cell in CELLS.values():
        st.markdown(f"**{_(cell.label)}**: {_(cell.help)}")
        st.latex(cell.equation)
    st.subheader(_("First experiments"))
    st.markdown(
        "\n".join(
            f"1. {line}"
            for line in (
                _("Press **Train** and watch the loss fall; drag *Learning rate* while it runs."),
                _(
                    "Choose the *Adding problem*, set *Clip norm* to off, *Optimizer* to SGD and"
                    " *Learning rate* to 1: it diverges. Take the coach's advice and train again."
                ),
                _(
                    "Choose the *Adding problem*: the loss waits near 1/6 until the gates learn"
                    " to open at the marks."
                ),
                _("Choose *Cosine* as *Decay schedule* and see the dot run down the curve."),
                _(
                    "*Pin* a run, choose the cell *Plain RNN*, and train again: its gradient vanishes"
                    " on the way back through time."
                ),
                _("Switch on *Slow motion* under *Pace* and read what each stage of a step does."),
                _(
                    "On the *Lab* page, find a learning rate; with full-batch gradient descent, see the"
                    " sharpness climb to 2 / learning rate."
                ),
                _("On the *Data* page, upload a table and see whether the network beats *drift*."),
            )
        )
    )
    st.subheader(_("How to read the charts"))
    experiment = Experiment()
    data = preview_of(experiment.task, experiment.seed)
    shown = cards.cards_of(OVERVIEW, cards.subject(experiment, data))
    st.markdown("\n".join(f"- **{card.title}**: {card.aid}" for card in shown))
    st.subheader(_("Optimizers"))
    for optimizer in OPTIMIZERS.values():
        st.markdown(f"**{_(optimizer.label)}**: {_(optimizer.help)}")
        st.latex(optimizer.rule)
        st.caption(optimizer.source)
    st.subheader(_("Loss functions"))
    for loss in LOSSES.values():
        st.markdown(f"**{_(loss.label)}**: {_(loss.help)}")
        if loss.formula:
            st.latex(loss.formula)
    for heading, table in (
        (_("Decay schedules"), SCHEDULES),
        (_("Tasks"), TASKS),
    ):
        st.subheader(heading)
        st.markdown("\n".join(f"- **{_(row.label)}**: {_(row.help)}" for row in table.values()))
    st.subheader(_("Words"))
    st.markdown(
        "\n".join(
            f"- **{word}**: {meaning}"
            for word, meaning in (
                (_("step"), _("one update of all weights, from one batch")),
                (_("epoch"), _("as many steps as it takes to see each training sequence once")),
                (_("gradient norm"), _("length of the gradient over all weights (L2)")),
                (
                    _("clip norm"),
                    _("a gradient longer than this is shortened to it, its direction kept"),
                ),
                (_("validation, held out"), _("sequences that are never trained on")),
                (_("batch"), _("the sequences that one gradient is averaged over")),
                (
                    _("hidden unit"),
                    _("one number of the memory, a row in the pictures of the gates"),
                ),
                (_("candidate"), _("what a unit would write into its memory if the gate let it")),
                (_("window, horizon"), _("how many rows are read, and how many are forecast")),
                (_("seed"), _("decides initial weights, data and the order of batches")),
                (
                    _("slice"),
                    _("the fraction of a second for which a run trains before others get a turn"),
                ),
                (
                    _("diverged"),
                    _("the loss is not a number, or a million times what it began with"),
                ),
            )
        )
    )

"""The charts of the live page, and the views that show them: each table is all there is to change."""

from collections.abc import Mapping
from dataclasses import dataclass

from gruviz.charts import alternatives, blocks, curves, lens, pictures
from gruviz.charts.chart import Chart, Columns, Derived, Floats, Multiples, Subject
from gruviz.words import N_, _


def _norms(columns: Columns) -> tuple[Floats, Floats]:
    return columns["norm"], columns["clipped_norm"]


def _effective_step(columns: Columns) -> Floats:
    return lens.effective_step(columns["learning_rate"], *_norms(columns))


CLIPPED = Derived("steps.clipped", lambda columns: lens.clipped(*_norms(columns)))
CLIPPED_SHARE = Derived(
    "steps.clipped_share",
    lambda columns: lens.clipped_share(*_norms(columns)),
    looks_back=lens.SHARE_WINDOW - 1,
)
EFFECTIVE_STEP = Derived("steps.effective_step", _effective_step)


def _memory(subject: Subject) -> str:
    gated = any(signal.low == 0 for signal in subject.signals)
    return _("Gates") if gated else _("Memory")


def _table(*charts: Chart) -> dict[str, Chart]:
    return {chart.name: chart for chart in charts}


CHARTS = _table(
    Chart("loss", curves.loss, alternatives.loss),
    Chart("norm", curves.gradient_norm, alternatives.gradient_norm, (CLIPPED,)),
    Chart("rate", curves.learning_rate, alternatives.learning_rate),
    Multiples(
        "gates",
        pictures.signal,
        alternatives.signal,
        title=_memory,
        aid=N_("what each hidden unit does at each time step of one held-out sequence"),
    ),
    Chart("flow", pictures.gradient_through_time, alternatives.gradient_through_time),
    Chart("prediction", pictures.prediction, alternatives.prediction),
    Chart("lens", lens.clip_lens, alternatives.clip_lens, (CLIPPED, CLIPPED_SHARE, EFFECTIVE_STEP)),
    Chart("block-gradients", blocks.block_gradients, alternatives.block_gradients),
    Chart("block-updates", blocks.block_updates, alternatives.block_updates),
    Chart("block-moments", blocks.block_moments, alternatives.block_moments),
)


@dataclass(frozen=True)
class View:
    """What a visitor may look at: the names of its charts, in order.

    widths: the share of a wide page's row that each card takes, "half", "whole", "third", or "tall",
    which is whole and high.
    """

    label: str
    widths: Mapping[str, str]


OVERVIEW = "overview"

VIEWS = {
    OVERVIEW: View(
        N_("Overview"),
        {
            "loss": "half",
            "norm": "half",
            "gates": "whole",
            "flow": "third",
            "prediction": "third",
            "rate": "third",
        },
    ),
    "clip": View(N_("Clip lens"), {"lens": "tall", "rate": "whole"}),
    "blocks": View(
        N_("Gate blocks"),
        {"block-gradients": "half", "block-updates": "half", "block-moments": "whole"},
    ),
}

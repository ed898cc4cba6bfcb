"""What can be asked of a table: the next values of a column, or the class of a sequence."""

from dataclasses import dataclass
from typing import ClassVar

from gruviz.experiment.kinds import Kind, Task
from gruviz.experiment.knobs import knob
from gruviz.words import N_

SOURCE, SOURCE_HELP = N_("Data"), N_("A bundled sample, or a file of yours.")


@dataclass(frozen=True)
class FromTable(Task):
    """A task on a sample or an uploaded file, which `source` names."""

    source: str = knob("sunspots_yearly", label=SOURCE, help=SOURCE_HELP)


@dataclass(frozen=True)
class TableTask(FromTable):
    """A column of a table, forecast from its own past."""

    name: ClassVar[str] = "table"
    label: ClassVar[str] = N_("Your CSV, or a sample")
    help: ClassVar[str] = N_(
        "A column of a sample or of your own CSV file, forecast from its past."
    )
    kind: ClassVar[Kind] = Kind.FORECAST

    column: str = knob("", label=N_("Column"), column="numeric", help=N_("The column to forecast."))
    further: tuple[str, ...] = knob(
        (),
        label=N_("Further inputs"),
        column="numeric",
        help=N_("Other columns that are read beside it."),
    )
    window: int = knob(
        24, 2, 500, label=N_("Window"), log=True, unit=N_("rows"), help=N_("How much past it sees.")
    )
    horizon: int = knob(
        4, 1, 100, label=N_("Horizon"), unit=N_("rows"), help=N_("How far ahead to forecast.")
    )
    scaling: str = knob(
        "standard",
        label=N_("Scaling"),
        options={
            "standard": N_("mean 0, deviation 1"),
            "minmax": N_("from 0 to 1"),
            "robust": N_("median 0, quartiles 1 apart"),
            "none": N_("none"),
        },
        help=N_("Fitted on the training part only."),
    )
    leak: bool = knob(
        False,
        label=N_("Let the scaling leak"),
        help=N_("Fits the scaling on the validation part too, as one shouldn't: see what it does."),
    )
    missing: str = knob(
        "drop",
        label=N_("Missing values"),
        options={
            "drop": N_("leave out windows that touch one"),
            "carry": N_("carry the last one forward"),
            "interpolate": N_("interpolate"),
            "mean": N_("put the mean in"),
            "mask": N_("the mean, and a channel that says so"),
            "decay": N_("learned decay (GRU-D)"),
        },
        help=N_("What the network reads where a value is missing. It is never asked for one."),
    )
    holes: float = knob(
        0.0,
        0.0,
        0.5,
        label=N_("Punch holes"),
        step=0.05,
        unit=N_("share"),
        help=N_("Takes this share of the values out, to see what that costs."),
    )

    @property
    def decays(self) -> bool:
        return self.missing == "decay"


@dataclass(frozen=True)
class Rows(FromTable):
    """A row a sequence: its numbers in order, and a label."""

    name: ClassVar[str] = "rows"
    label: ClassVar[str] = N_("Classify the rows of a table")
    help: ClassVar[str] = N_(
        "Each row is a sequence, its numeric columns in order, and one column names its class."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION

    source: str = knob("digits_8x8", label=SOURCE, help=SOURCE_HELP)
    target: str = knob("column 65", label=N_("Label column"), column="any")


@dataclass(frozen=True)
class Long(FromTable):
    """A row a time step: which sequence it belongs to, when, its value, and the sequence's label."""

    name: ClassVar[str] = "long"
    label: ClassVar[str] = N_("Classify sequences in a long table")
    help: ClassVar[str] = N_(
        "Each row is one time step of some sequence: columns for its id, time, value and class."
    )
    kind: ClassVar[Kind] = Kind.CLASSIFICATION

    source: str = knob("waveforms_long", label=SOURCE, help=SOURCE_HELP)
    identity: str = knob("sequence", label=N_("Id column"), column="any")
    time: str = knob("time", label=N_("Time column"), column="any")
    value: str = knob("value", label=N_("Value column"), column="numeric")
    target: str = knob("waveform", label=N_("Label column"), column="any")


FROM_TABLES = (TableTask, Rows, Long)

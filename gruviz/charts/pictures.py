"""Pictures of one sequence: what each unit does at each time step, and what the network answers."""

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from gruviz.charts.chart import Columns, Subject
from gruviz.charts.curves import curve, line
from gruviz.charts.style import AMBER, BLUE, GREEN, GREY, INK, PURPLE, RED, figure, plain
from gruviz.words import _

# Diverging, dark at both ends of a light middle, and told apart without red and green.
DIVERGING = [[0, "#b35806"], [0.25, "#fdb863"], [0.5, "#f7f7f7"], [0.75, "#b2abd2"], [1, "#542788"]]
SEQUENTIAL = "Viridis"
MOST_INPUTS = 6  # curves that can be told apart
MARKED = [[0, "#b9c4d4"], [1, BLUE]]
TRUE = [[0, "#b9c4d4"], [1, GREEN]]


def signal(subject: Subject) -> go.Figure:
    """A heat map, units by time, of the subject's one signal, on its fixed scale."""
    (drawn,) = subject.signals
    low, high = drawn.low, drawn.high
    title, aid = _(drawn.label), _(drawn.aid)
    chart = figure(title, aid, _("time step"), _("hidden unit"), hovermode="closest")
    chart.update_layout(showlegend=False, margin={"l": 52, "r": 8, "t": 6, "b": 42})
    chart.add_trace(
        go.Heatmap(
            meta={"z": f"signals.{drawn.name}"},
            zmin=low,
            zmax=high,
            zsmooth=False,
            colorscale=SEQUENTIAL if low == 0 else DIVERGING,
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [low, (low + high) / 2, high],
            },
            hovertemplate=_("unit %{y}, time %{x}: %{z:.3f}") + "<extra></extra>",
        )
    )
    return chart


def gradient_through_time(_subject: Subject) -> go.Figure:
    """How much the loss depends on the state at each time step: ‖∂L/∂h_t‖ of the latest batch."""
    chart = figure(
        _("Gradient through time"),
        _(
            "how strongly the loss pulls at the memory of each time step · low at the left: vanishing"
        ),
        _("time step"),
        _("‖∂L/∂h‖ (L2)"),
        log=True,
    )
    chart.update_layout(showlegend=False)
    dots: dict[str, Any] = {
        "mode": "lines+markers",
        "marker": {"size": 4},
        "hover": "%{y:.3g}",
    }
    chart.add_trace(line("gradient.time", "gradient.norm", _("gradient"), RED, 2, **dots))
    return chart


def forecast(subject: Subject) -> go.Figure:
    """A held-out window, how it really went on, and how the network says it does; and if it reads a
    single series, what it says if it reads its own forecasts."""
    free_running = len(subject.inputs) == 1
    aid = _("a held-out sequence · dashed: what really came next · bold: what the network says")
    if free_running:
        aid += " · " + _("dotted: if it reads its own forecasts")
    chart = figure(
        _("Prediction"),
        aid,
        _("time step"),
        plain(subject.unit) or _("value"),
    )
    past, square = ("probe.time", "probe.input"), {"size": 5, "symbol": "square"}
    both, dots = {"mode": "lines+markers"}, {"size": 5}
    truth, said = ("probe.future", "probe.target"), ("probe.future", "answer.value")
    chart.add_traces(
        [
            line(*past, _("input"), GREY, 1.8),
            line(*truth, _("truth"), GREEN, 2, "dash", marker=dots, **both),
            line(*said, _("prediction"), RED, 2.5, marker=square, **both),
        ]
    )
    if free_running:
        ahead = ("rollout.time", "rollout.value")
        chart.add_trace(line(*ahead, _("free running"), PURPLE, 1.8, "dot"))
    return chart


def marked(_subject: Subject) -> go.Figure:
    """The numbers of a held-out sequence, those that are marked, the sum wanted, and the answer after
    each time step."""
    chart = figure(
        _("Prediction"),
        _(
            "bars: the numbers, blue where marked · dashed: the sum wanted · bold: the answer so far"
        ),
        _("time step"),
        _("value"),
    )
    chart.add_traces(
        [
            go.Bar(
                meta={"x": "probe.time", "y": "probe.input", "color": "probe.mark"},
                marker={"cmin": 0, "cmax": 1, "colorscale": MARKED, "line": {"width": 0}},
                name=_("input"),
                hovertemplate="%{y:.3f}",
                showlegend=False,
            ),
            *_sought(),
        ]
    )
    return chart


def _sought() -> list[go.Scatter]:
    """The number wanted at the end, and the answer after each time step."""
    return [
        line("probe.time", "probe.target", _("truth"), GREEN, 2, "dash"),
        line("probe.time", "answer.value", _("answer so far"), RED, 2.5),
    ]


INPUTS = (
    (GREY, "solid"),
    (BLUE, "dot"),
    (PURPLE, "dashdot"),
    (AMBER, "longdash"),
    (INK, "dot"),
    (BLUE, "longdashdot"),
)


def regression(subject: Subject) -> go.Figure:
    """The inputs of a held-out sequence, the number wanted, and the answer after each time step."""
    chart = figure(
        _("Prediction"),
        _("thin: what is read · dashed: the number wanted · bold: the answer so far"),
        _("time step"),
        plain(subject.unit) or _("value"),
    )
    for number, name in enumerate(subject.inputs[:MOST_INPUTS]):
        column = "probe.input" if number == 0 else f"probe.input.{number}"
        colour, dash = INPUTS[number]
        chart.add_trace(line("probe.time", column, plain(_(name)), colour, 1.2, dash))
    chart.add_traces(_sought())
    return chart


def tracking(_subject: Subject) -> go.Figure:
    """A held-out sequence, the number wanted after each time step, and the one that is given."""
    chart = figure(
        _("Prediction"),
        _("thin: what is read · dashed: what is wanted · bold: what the network says"),
        _("time step"),
        _("value"),
    )
    read, wanted = ("probe.time", "probe.input"), ("probe.asked", "probe.target")
    marker: dict[str, Any] = {"mode": "lines+markers", "marker": {"size": 4}}
    chart.add_traces(
        [
            line(*read, _("input"), GREY, 1.2),
            line(*wanted, _("truth"), GREEN, 2, "dash", **marker),
            line("probe.time", "answer.value", _("prediction"), RED, 2.5),
        ]
    )
    return chart


MOST_LETTERS = 80  # more don't fit under a chart


def labelling(subject: Subject) -> go.Figure:
    """A held-out sequence above the probability that the network gives each class at each time step;
    a text stands below the probabilities."""
    inputs, classes = _translated(subject.inputs), _translated(subject.classes)
    letters = subject.letters
    aid = _("bright: the classes that the network finds likely · circles: the true class")
    if not letters:
        aid = _("above: what is read") + " · " + aid
    look = figure(_("Prediction"), aid, _("time step"), _("class"), hovermode="closest")
    if letters:
        chart = look
    else:
        share = min(0.45, max(0.12, len(inputs) / (len(inputs) + len(classes))))
        chart = make_subplots(
            2, 1, row_heights=[share, 1 - share], vertical_spacing=0.06, shared_xaxes=True
        )
        chart.update_layout(look.layout)
        chart.add_trace(_symbols(), row=1, col=1)
        chart.update_xaxes(title_text="", row=1, col=1)
        chart.update_xaxes(title_text=_("time step"), row=2, col=1)
        chart.update_yaxes(**_names(inputs, 6), title_text=_("input"), row=1, col=1)
    place: dict[str, Any] = {} if letters else {"row": 2, "col": 1}
    chart.add_trace(
        go.Heatmap(
            meta={"z": "answer.chances"},
            zmin=0,
            zmax=1,
            colorscale=SEQUENTIAL,
            showscale=False,
            hovertemplate=_("time %{x}: %{z:.1%}") + "<extra></extra>",
        ),
        **place,
    )
    chart.add_trace(
        curve(
            "probe.asked",
            "probe.target",
            _("truth"),
            mode="markers",
            marker={"symbol": "circle-open", "size": 7, "color": RED, "line": {"width": 1.5}},
            hoverinfo="skip",
        ),
        **place,
    )
    chart.update_layout(showlegend=False)
    chart.update_yaxes(**_names(classes, 16 if letters else 8), title_text=_("class"), **place)
    if 0 < len(letters) <= MOST_LETTERS:
        chart.update_xaxes(
            title_text=_("letter that was read"),
            tickmode="array",
            tickangle=0,
            tickvals=list(range(len(letters))),
            ticktext=[_visible(letter) for letter in letters],
            tickfont={"size": 9},
        )
    return chart


def _names(names: Sequence[str], most: int = 8) -> dict[str, Any]:
    """The settings of an axis on which the places 0, 1, … have names, downwards; not too many."""
    places = range(0, len(names), math.ceil(len(names) / most))
    return {
        "tickmode": "array",
        "tickvals": list(places),
        "ticktext": [_visible(names[i]) for i in places],
        "range": [len(names) - 0.5, -0.5],
        "tickfont": {"size": 11},
        "zeroline": False,
    }


def _visible(name: str) -> str:
    return "␣" if name == " " else name


def _translated(names: Sequence[str]) -> list[str]:
    return [_(name) for name in names]


def _symbols(z: Any = None) -> go.Heatmap:
    return go.Heatmap(
        z=z,
        meta={"z": "probe.symbols"},
        zmin=0,
        zmax=1,
        showscale=False,
        colorscale=[[0, DIVERGING[2][1]], [1, GREY]],
        hovertemplate=_("time %{x}: %{z:.2g}") + "<extra></extra>",
    )


def classification(subject: Subject) -> go.Figure:
    """A held-out sequence beside the probability that the network gives to each class."""
    classes, features = _translated(subject.classes), len(subject.inputs)
    symbols = _translated(subject.inputs) if subject.one_hot else []
    look = figure(
        _("Prediction"),
        _("left: a held-out sequence · right: probability of each class, the true one green"),
        _("time step"),
        _("value") if features == 1 else _("symbol") if symbols else _("pixel"),
    )
    # The names of the classes stand between the two halves, also in a narrow card.
    room = 0.42 if max(map(len, classes), default=0) > 3 else 0.22
    chart = make_subplots(1, 2, column_widths=[0.5, 0.5], horizontal_spacing=room)
    chart.update_layout(look.layout)
    chart.update_layout(showlegend=False, hovermode="closest")
    if symbols:
        shape: Any = _symbols()
    elif features == 1:
        read = ("probe.time", "probe.input")
        shape = line(*read, _("input"), GREY, 2, hover="%{y:.3g}")
    else:
        shape = go.Heatmap(
            meta={"z": "probe.image"},
            colorscale="Greys",
            showscale=False,
            zmin=0,
            zmax=1,
            hovertemplate="%{z:.2f}<extra></extra>",
        )
    chart.add_trace(shape, row=1, col=1)
    chart.add_trace(
        go.Bar(
            y=[plain(each) for each in classes],
            orientation="h",
            meta={"x": "answer.value", "color": "probe.true"},
            marker={"cmin": 0, "cmax": 1, "colorscale": TRUE, "line": {"width": 0}},
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        ),
        row=1,
        col=2,
    )
    chart.update_xaxes(title_text=_("probability"), range=[0, 1], tickformat=".0%", row=1, col=2)
    chart.update_yaxes(autorange="reversed", type="category", tickmode="linear", row=1, col=2)
    if symbols:
        chart.update_yaxes(**_names(symbols), row=1, col=1)
    elif features > 1:
        chart.update_xaxes(title_text=_("pixel"), row=1, col=1)
        chart.update_yaxes(
            title_text=_("time step (row, downwards)"),
            autorange="reversed",
            scaleanchor="x",
            row=1,
            col=1,
        )
    return chart


ANSWERS = {
    "forecast": forecast,
    "marked": marked,
    "regression": regression,
    "classification": classification,
    "tracking": tracking,
    "labelling": labelling,
}


def prediction(subject: Subject) -> go.Figure:
    """A held-out sequence, and what the network answers."""
    return ANSWERS[subject.answer](subject)


def sequences(
    probes: Sequence[Columns], answers: Sequence[str], inputs: Sequence[str]
) -> go.Figure:
    """A few sequences of a task, each in a small panel: what is read, and in green what is wanted.

    probes: for each the columns of a table "probe", those that its task has: time and input; mark
    (blue where 1); symbols (inputs, time) or image; future or asked, with target. answers: the one
    answer that each of them wants, "" where it is drawn. inputs: the names of the rows of symbols.
    """
    look = figure(
        _("A few sequences"),
        _("grey: what is read, blue where marked · green: what is wanted"),
        _("time step"),
        _("value"),
    )
    chart = make_subplots(
        2,
        2,
        subplot_titles=[plain(each) for each in answers],
        horizontal_spacing=0.2,
        vertical_spacing=0.24,
    )
    titles = chart.layout.annotations
    chart.update_layout(look.layout)
    for title in titles:
        title.update(font={"size": 12, "color": GREEN})
    chart.update_layout(showlegend=False, hovermode="closest", annotations=titles, margin={"t": 28})
    for number, probe in enumerate(probes):
        place = {"row": number // 2 + 1, "col": number % 2 + 1}
        for trace in _sequence(probe):
            chart.add_trace(trace, **place)
        chart.update_xaxes(title_text=_("time step"), **place)
        if len(probe.get("symbols", ())) > 1:
            chart.update_yaxes(**_names(inputs), title_text=_("symbol"), **place)
        elif "image" in probe:
            chart.update_xaxes(title_text=_("pixel"), **place)
            chart.update_yaxes(title_text=_("time step"), autorange="reversed", **place)
        else:
            chart.update_yaxes(title_text=_("value"), **place)
    return chart


def _sequence(probe: Columns) -> list[Any]:
    if len(probe.get("symbols", ())) > 1:
        traces: list[Any] = [_symbols(probe["symbols"])]
    elif "image" in probe:
        traces = [go.Heatmap(z=probe["image"], colorscale="Greys", showscale=False)]
    elif "mark" in probe:
        marks = probe["mark"]
        traces = [
            go.Bar(
                x=probe["time"],
                y=probe["input"],
                hovertemplate="%{y:.3f}<extra></extra>",
                marker={"color": [BLUE if mark else "#b9c4d4" for mark in marks]},
            )
        ]
    else:
        read = [values for name, values in probe.items() if name.partition(".")[0] == "input"]
        looks = [{"color": colour, "dash": dash, "width": 1.5} for colour, dash in INPUTS]
        traces = [
            go.Scatter(x=probe["time"], y=values, mode="lines", line=look)
            for values, look in zip(read, looks, strict=False)
        ]
    when = next((name for name in ("future", "asked") if name in probe), None)
    if when is not None:
        traces.append(
            go.Scatter(
                x=probe[when],
                y=probe["target"],
                mode="markers",
                marker={"color": GREEN, "size": 5, "symbol": "diamond-open"},
                hovertemplate="%{y:.3g}<extra></extra>",
            )
        )
    return traces

"""The cards of each view: skeletons that find their columns, and what they show in words."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from gruviz import charts, words
from gruviz.experiment import (
    GRU,
    LSTM,
    RNN,
    TASKS,
    Adding,
    Experiment,
    NextCharacter,
    SineMixture,
    Waveforms,
)
from gruviz.ui import cards, columns
from gruviz.ui.pins import pin_tables
from tests.test_columns import data_of, trained, with_blocks
from tests.test_language import Bracketing
from tests.test_run import SMALL


def part(chart: str, experiment: Experiment = SMALL) -> dict[str, Any]:
    """The one figure of a chart, as the panel is sent it."""
    about = cards.subject(experiment, data_of(experiment))
    (card,) = [each for each in cards.cards_of("overview", about) if each.name == chart]
    (found,) = card.parts
    return found


def traces(view: str, about: charts.Subject) -> list[dict[str, Any]]:
    found = cards.cards_of(view, about)
    return [trace for card in found for part in card.parts for trace in part["data"]]


def names(view: str) -> set[str]:
    found = cards.cards_of(view, cards.subject(SMALL, data_of(SMALL)))
    return {part["name"] for card in found for part in card.parts}


def test_four_sequences_are_shown_with_what_is_wanted_of_each() -> None:
    data = data_of(Experiment(task=Waveforms()))
    assert cards.wanted(data) == [Waveforms.classes[c] for c in data.shown.targets[:4]]
    sums = cards.wanted(data_of(SMALL))
    targets = data_of(SMALL).shown.targets[:4, 0]
    assert sums == [f"{target:.4g}" for target in targets.tolist()]
    assert cards.wanted(data_of(Experiment())) == [""] * 4


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_picture_of_its_sequences(name: str) -> None:
    data = data_of(Experiment(task=TASKS[name]()))
    chart = cards.sequences(data)
    assert {trace.xaxis for trace in chart.data} == {"x", "x2", "x3", "x4"}
    first, probe = chart.data[0], columns.probe(data)
    if first.type == "heatmap":
        np.testing.assert_array_equal(first.z, probe.get("symbols", probe.get("image")))
    else:
        np.testing.assert_array_equal(first.y, probe["input"])
    axes = [chart.layout[f"{axis}axis{n}"] for axis in "xy" for n in ("", "2", "3", "4")]
    assert all(axis.title.text for axis in axes)


def test_the_loss_chart_has_the_lines_of_its_task() -> None:
    (line,) = part("loss")["layout"]["shapes"]
    assert (line["y0"], line["label"]["text"]) == (1 / 6, "always answer 1: 0.1667")


def test_letters_stand_below_the_picture_of_a_text() -> None:
    experiment = Experiment(task=NextCharacter(size=10, length=20))
    data = data_of(experiment)
    axis = part("prediction", experiment)["layout"]["xaxis"]
    read = data.shown.inputs[0].argmax(axis=1)
    expected = tuple(data.input_names[i].replace(" ", "␣") for i in read)
    assert tuple(axis["ticktext"]) == expected


@pytest.mark.parametrize("view", charts.VIEWS)
@pytest.mark.parametrize("name", TASKS)
def test_every_chart_of_the_page_finds_its_columns(name: str, view: str) -> None:
    experiment = Experiment(task=TASKS[name](), cell=GRU(4), batch_size=8)
    run = with_blocks(trained(experiment, 2))
    data = data_of(experiment)
    assert run.snapshot is not None
    tables = {
        **columns.still_tables(experiment, replace(experiment, steps=9), data),
        **columns.grown_tables(run),
        "here": columns.here(run),
        **columns.snapshot_tables(run.snapshot, data),
        **pin_tables([trained().history]),
    }
    for trace in traces(view, cards.subject(experiment, data, pinned=["a pin"])):
        found = {key: charts.column(tables, name) for key, name in trace["meta"].items()}
        assert all(len(values) for values in found.values()), trace["meta"]
        assert len({len(values) for key, values in found.items() if key != "z"}) <= 1, trace["meta"]


def test_the_cards_of_the_page_are_these() -> None:
    found = cards.cards_of("overview", cards.subject(SMALL, data_of(SMALL), log=False))
    assert [(card.name, card.title, [part["name"] for part in card.parts]) for card in found] == [
        ("loss", "Loss", ["loss"]),
        ("norm", "Gradient norm", ["norm"]),
        ("gates", "Gates", ["reset", "update", "candidate", "hidden"]),
        ("flow", "Gradient through time", ["flow"]),
        ("prediction", "Prediction", ["prediction"]),
        ("rate", "Learning rate", ["rate"]),
    ]
    assert all(card.aid for card in found)
    assert "type" not in found[0].parts[0]["layout"]["yaxis"]  # not logarithmic
    gates = [(trace["zmin"], trace["zmax"]) for part in found[2].parts for trace in part["data"]]
    assert gates == [(0, 1), (0, 1), (-1, 1), (-1, 1)]
    plain = cards.cards_of("overview", cards.subject(replace(SMALL, cell=RNN(4)), data_of(SMALL)))
    assert plain[2].title == "Memory"


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ("clip", [("lens", "Clip lens"), ("rate", "Learning rate")]),
        (
            "blocks",
            [
                ("block-gradients", "Gradient norm per block"),
                ("block-updates", "Update-to-weight ratio"),
                ("block-moments", "Second moment per block"),
            ],
        ),
    ],
)
def test_the_other_views_have_these_cards(view: str, expected: list[tuple[str, str]]) -> None:
    found = cards.cards_of(view, cards.subject(SMALL, data_of(SMALL)))
    assert [(card.name, card.title) for card in found] == expected
    assert all(card.aid and [part["name"] for part in card.parts] == [card.name] for card in found)


def test_cards_have_these_widths() -> None:
    assert {view: list(each.widths.values()) for view, each in charts.VIEWS.items()} == {
        "overview": ["half", "half", "whole", "third", "third", "third"],
        "clip": ["tall", "whole"],
        "blocks": ["half", "half", "whole"],
    }


@pytest.mark.parametrize("view", charts.VIEWS)
def test_pinned_runs_are_drawn_in_the_charts_that_compare(view: str) -> None:
    pinned = {
        part["name"]
        for card in cards.cards_of(view, cards.subject(SMALL, data_of(SMALL), pinned=["mine"]))
        for part in card.parts
        if any(trace.get("name") == "mine" for trace in part["data"])
    }
    assert pinned == {"overview": {"loss", "norm", "rate"}, "clip": {"rate"}, "blocks": set()}[view]


@pytest.mark.parametrize(
    ("task", "measure"),
    [
        (SineMixture(), "mean squared error"),
        (Adding(), "mean squared error"),
        (Waveforms(), "cross-entropy (nats)"),
    ],
)
def test_the_loss_says_what_it_measures(task: Any, measure: str) -> None:
    axis = part("loss", Experiment(task=task))["layout"]["yaxis"]
    assert (axis["title"]["text"], axis["type"]) == (measure, "log")


def test_every_chart_is_told_in_words_before_and_after_training() -> None:
    run, data = trained(), data_of(SMALL)
    about = cards.subject(SMALL, data)
    still = columns.still_tables(SMALL, SMALL, data) | {"here": columns.here(run)}
    before = cards.alternatives("overview", still, about)
    assert set(before) == names("overview")
    assert before["reset"] == "Reset gate r: nothing to show yet."
    assert run.snapshot is not None
    tables = still | columns.grown_tables(run) | columns.snapshot_tables(run.snapshot, data)
    after = cards.alternatives("overview", tables, about)
    assert set(after) == names("overview")
    assert after["loss"].startswith(
        f"Training loss {run.history.steps['smooth'][-1]:.4g} at step 7;"
    )
    assert after["reset"].startswith("Reset gate r: 4 units by 8 time steps, mean 0.")
    answer, target = tables["answer"]["value"], tables["probe"]["target"]
    error = float(np.abs(answer - target).mean())
    assert after["prediction"] == f"The prediction is off by {error:.3g} on average."
    assert math.isfinite(error)


def test_pictures_are_told_apart_from_curves_and_together_they_are_all() -> None:
    run, data = trained(), data_of(SMALL)
    about = cards.subject(SMALL, data)
    tables = columns.still_tables(SMALL, SMALL, data) | {"here": columns.here(run)}
    pictures = cards.alternatives("overview", tables, about, pictures=True)
    curves = cards.alternatives("overview", tables, about, pictures=False)
    assert set(curves) == {"loss", "norm", "rate"}
    assert curves | pictures == cards.alternatives("overview", tables, about)


@pytest.mark.parametrize("view", ["clip", "blocks"])
def test_every_chart_of_the_other_views_is_told_in_words(view: str) -> None:
    run, data = with_blocks(trained()), data_of(SMALL)
    about = cards.subject(SMALL, data)
    still = columns.still_tables(SMALL, SMALL, data) | {"here": columns.here(run)}
    assert set(cards.alternatives(view, still, about)) == names(view)
    whole = still | columns.grown_tables(run)
    after = cards.alternatives(view, whole, about)
    assert set(after) == names(view)
    assert not [text for text in after.values() if "nothing" in text]


def test_a_part_says_how_the_columns_come_that_it_is_drawn_from() -> None:
    assert part("loss")["tables"] == {"steps": "grows", "validations": "grows"}
    assert part("rate")["tables"] == {"here": "frame", "next": None, "plan": None, "steps": "grows"}
    assert part("prediction")["tables"] == {"answer": "snapshot", "probe": None}


def test_a_card_is_drawn_once_for_each_subject(monkeypatch: pytest.MonkeyPatch) -> None:
    about = cards.subject(SMALL, data_of(SMALL), pinned=["drawn once"])
    first = cards.cards_of("overview", about)
    monkeypatch.setattr(go, "Figure", None)
    again = cards.subject(replace(SMALL, learning_rate=0.5), data_of(SMALL), pinned=["drawn once"])
    assert cards.cards_of("overview", again) == first
    with pytest.raises(TypeError):
        cards.cards_of("overview", cards.subject(SMALL, data_of(SMALL), pinned=["another"]))


def test_everything_by_which_a_skeleton_differs_is_of_its_subject() -> None:
    data = data_of(SMALL)
    one = cards.subject(SMALL, data)
    for other in (
        cards.subject(SMALL, data, log=False),
        cards.subject(SMALL, data, pinned=["a"]),
        cards.subject(replace(SMALL, cell=LSTM(4)), data),
        cards.subject(SMALL, replace(data, unit="mm")),
        cards.subject(replace(SMALL, task=Waveforms()), data_of(Experiment(task=Waveforms()))),
    ):
        assert cards.cards_of("overview", other) != cards.cards_of("overview", one)


def test_each_visitor_reads_charts_in_a_language_of_their_own() -> None:
    data = data_of(Experiment(task=Waveforms()))
    about = cards.subject(Experiment(task=Waveforms()), data)

    def titles() -> list[str]:
        return [card.title for card in cards.cards_of("overview", about)]

    english = titles()
    words._translations.set(Bracketing())
    assert titles() == [f"⟦{title}⟧" for title in english]
    labels = cards.cards_of("overview", about)[4].parts[0]["data"][1]["y"]
    assert all(label.startswith("⟦") for label in labels)
    words.speak(None)
    assert titles() == english


def test_a_regression_without_marks_is_drawn_as_the_curves_that_are_read() -> None:
    data = replace(data_of(SMALL), names=("height", "width"))
    about = cards.subject(SMALL, data)
    (found,) = cards.cards_of("overview", about)[4].parts
    names = [trace["name"] for trace in found["data"]]
    assert names == ["height", "width", "truth", "answer so far"]
    tables = {"probe": columns.probe(data), "answer": {"value": np.zeros(8)}}
    for trace in found["data"]:
        assert len(charts.column(tables, trace["meta"]["y"])) == 8
    np.testing.assert_array_equal(tables["probe"]["input.1"], data.shown.inputs[0, :, 1])
    read = [trace for trace in cards.sequences(data).data if trace.xaxis == "x"]
    assert [trace.type for trace in read] == ["scatter", "scatter"]


def test_the_rehearsal_draws_without_a_run() -> None:
    cards.rehearse()

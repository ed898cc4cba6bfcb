"""What the page shows of a run, number by number."""

import math
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gruviz import charts
from gruviz.data import Preview, load, preview_of
from gruviz.data.tables import sample
from gruviz.data.theory import NOTHING_KNOWN, Theory
from gruviz.experiment import (
    GRU,
    TASKS,
    Adam,
    Adding,
    CopyMemory,
    Cosine,
    DelayedEcho,
    Digits,
    Experiment,
    Lorenz,
    NextCharacter,
    Plateau,
    SineMixture,
    Table,
    Waveforms,
    about,
)
from gruviz.experiment.course import Course
from gruviz.record import STEP_COLUMNS, Columns
from gruviz.runs import Run, Status
from gruviz.ui import view
from gruviz.ui.pins import pin_tables
from tests.test_run import SMALL, OnDemand, a_run


def trained(experiment: Experiment = SMALL, steps: int = 7) -> Run:
    """A run that has made some steps and is paused."""
    executor = OnDemand()
    run = a_run(executor, experiment)
    run.train(steps)
    executor.do_all()
    return run


def data_of(experiment: Experiment) -> Preview:
    return preview_of(experiment.task, experiment.seed)


@pytest.mark.parametrize("name", TASKS)
def test_the_probe_is_the_sequence_that_training_shows(name: str) -> None:
    task = TASKS[name]()
    few = data_of(Experiment(task=task, seed=3))
    whole = load(task, 3)
    np.testing.assert_array_equal(few.shown.inputs, whole.validation.inputs[:4])
    np.testing.assert_array_equal(few.shown.targets, whole.validation.targets[:4])
    assert (few.kind, few.outputs, few.mean, few.scale) == (
        whole.kind, whole.outputs, whole.mean, whole.scale,
    )  # fmt: skip
    assert few.class_names == whole.class_names


def test_the_plan_runs_from_the_first_step_to_the_last() -> None:
    plan = view.plan(Experiment(learning_rate=0.5, schedule=Cosine(), steps=2000))
    assert (len(plan["step"]), plan["step"][0], plan["step"][-1]) == (201, 1, 2000)
    assert plan["learning_rate"][0] == 0.5
    assert plan["learning_rate"][100] == pytest.approx(0.25, rel=0.01)
    assert view.plan(Experiment(steps=3))["step"].tolist() == [1, 2, 3]
    assert view.plan(Experiment(steps=1))["step"].tolist() == [1]


def test_the_plan_is_what_training_uses_and_the_dot_is_on_it() -> None:
    run = trained(steps=9)
    plan = view.plan(SMALL)
    steps = run.history.steps
    np.testing.assert_array_equal(plan["step"][:9], steps["step"])
    np.testing.assert_array_equal(plan["learning_rate"][:9], steps["learning_rate"])
    here = view.here(run)
    assert here["step"].tolist() == [9]
    assert here["learning_rate"].tolist() == [steps["learning_rate"][-1]]
    start = view.here(a_run(OnDemand()))
    assert (start["step"].tolist(), start["learning_rate"].tolist()) == ([0], [0.02])


def test_the_next_schedule_is_shown_only_where_it_differs() -> None:
    data = data_of(SMALL)
    assert list(view.still_tables(SMALL, replace(SMALL, seed=9), data)) == ["plan", "probe"]
    wanted = replace(SMALL, steps=50)
    tables = view.still_tables(SMALL, wanted, data)
    assert list(tables) == ["plan", "probe", "next"]
    np.testing.assert_equal(tables["next"], view.plan(wanted))
    np.testing.assert_equal(tables["plan"], view.plan(SMALL))


def test_a_forecast_is_shown_in_the_units_of_its_table() -> None:
    experiment = Experiment(task=Table(window=24, horizon=4), cell=GRU(4))
    data = data_of(experiment)
    column = sample("sunspots_yearly").columns["SUNACTIVITY"]
    probe = view.probe(data)
    np.testing.assert_allclose(probe["input"], column[223:247], atol=1e-4)
    np.testing.assert_allclose(probe["target"], column[247:251], atol=1e-4)
    assert probe["time"].tolist() == list(range(24))
    assert probe["future"].tolist() == [24, 25, 26, 27]
    snapshot = trained(experiment).snapshot
    assert snapshot is not None
    answer = view.snapshot_tables(snapshot, data)["answer"]["value"]
    known = column[:247]
    np.testing.assert_allclose(answer, snapshot.prediction[-1] * known.std() + known.mean(), 1e-6)


def test_the_adding_problem_shows_its_marks_its_sum_and_the_answer_after_each_step() -> None:
    data = data_of(SMALL)
    probe = view.probe(data)
    total = float((probe["input"] * probe["mark"]).sum())
    assert probe["mark"].sum() == 2
    np.testing.assert_allclose(probe["target"], [total] * 8, rtol=1e-6)
    snapshot = trained().snapshot
    assert snapshot is not None
    tables = view.snapshot_tables(snapshot, data)
    np.testing.assert_array_equal(tables["answer"]["value"], snapshot.prediction[:, 0])
    assert tables["signals"].keys() == {"reset", "update", "candidate", "hidden"}


def test_a_classification_shows_the_image_the_true_class_and_probabilities() -> None:
    experiment = Experiment(task=Digits(), cell=GRU(4))
    data = data_of(experiment)
    probe = view.probe(data)
    np.testing.assert_array_equal(probe["image"], data.shown.inputs[0])
    assert probe["true"].tolist() == [float(c == data.shown.targets[0]) for c in range(10)]
    snapshot = trained(experiment, 1).snapshot
    assert snapshot is not None
    answer = view.snapshot_tables(snapshot, data)["answer"]["value"]
    np.testing.assert_array_equal(answer, snapshot.prediction[-1])
    assert float(answer.sum()) == pytest.approx(1)


def test_every_step_of_a_labelling_shows_its_true_class_and_the_chances() -> None:
    experiment = replace(SMALL, task=CopyMemory(size=40, length=5))
    data = data_of(experiment)
    probe = view.probe(data)
    np.testing.assert_array_equal(probe["symbols"], data.shown.inputs[0].T)
    assert probe["asked"].tolist() == list(range(25))
    np.testing.assert_array_equal(probe["target"], data.shown.targets[0])
    snapshot = trained(experiment).snapshot
    assert snapshot is not None
    chances = view.snapshot_tables(snapshot, data)["answer"]["chances"]
    np.testing.assert_array_equal(chances, snapshot.prediction.T)
    np.testing.assert_allclose(chances.sum(axis=0), 1, rtol=1e-5)


def test_a_tracking_shows_what_is_wanted_only_where_it_is() -> None:
    experiment = replace(SMALL, task=DelayedEcho(size=40, length=6, delay=3))
    data = data_of(experiment)
    probe = view.probe(data)
    assert probe["asked"].tolist() == [3, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(probe["target"], probe["input"][:6])
    snapshot = trained(experiment).snapshot
    assert snapshot is not None
    answer = view.snapshot_tables(snapshot, data)["answer"]["value"]
    np.testing.assert_array_equal(answer, snapshot.prediction[:, 0])


def test_a_forecast_from_three_series_shows_the_one_that_goes_on() -> None:
    data = replace(data_of(Experiment(task=Lorenz())), series=2)
    np.testing.assert_array_equal(view.probe(data)["input"], data.shown.inputs[0, :, 2])
    assert "symbols" not in view.probe(data)


def test_four_sequences_are_shown_with_what_is_wanted_of_each() -> None:
    data = data_of(Experiment(task=Waveforms()))
    assert view.wanted(data) == [Waveforms.classes[c] for c in data.shown.targets[:4]]
    sums = view.wanted(data_of(SMALL))
    targets = data_of(SMALL).shown.targets[:4, 0]
    assert sums == [f"{target:.4g}" for target in targets.tolist()]
    assert view.wanted(data_of(Experiment())) == [""] * 4


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_picture_of_its_sequences(name: str) -> None:
    data = data_of(Experiment(task=TASKS[name]()))
    chart = view.sequences(data)
    assert {trace.xaxis for trace in chart.data} == {"x", "x2", "x3", "x4"}
    first, probe = chart.data[0], view.probe(data)
    if first.type == "heatmap":
        np.testing.assert_array_equal(first.z, probe.get("symbols", probe.get("image")))
    else:
        np.testing.assert_array_equal(first.y, probe["input"])
    axes = [chart.layout[f"{axis}axis{n}"] for axis in "xy" for n in ("", "2", "3", "4")]
    assert all(axis.title.text for axis in axes)


def test_the_step_from_which_on_a_task_is_solved_is_a_figure_and_a_mark() -> None:
    run = a_run(OnDemand())
    known = Theory(threshold=0.01)
    rows = {"step": np.arange(0.0, 250, 50), "loss": np.array([0.2, 0.1, 0.001, 0.002, 0.001])}
    run.history.validations.append({**rows, "accuracy": np.full(5, math.nan)})
    assert view.solved_at(run, known) == 100
    assert ("solved", "Solved < 0.01", "step 100") in view.figures(run, SMALL, known)
    (mark,) = view.change_marks(run, known)
    assert mark["label"]["text"] == "solved at step 100"
    assert view.solved_at(run, Theory(threshold=0.0005)) is None
    assert ("solved", "Solved < 0.0005", "–") in view.figures(run, SMALL, Theory((), 0.0005))
    assert view.solved_at(run, NOTHING_KNOWN) is view.solved_at(None, known) is None
    assert view.change_marks(run) == []


def test_the_loss_chart_has_the_lines_of_its_task() -> None:
    loss = view.cards({}, SMALL, data_of(SMALL), log=True)[0].charts["loss"]
    (line,) = loss.layout.shapes
    assert (line.y0, line.label.text) == (1 / 6, "always answer 1: 0.1667")


def test_letters_stand_below_the_picture_of_a_text() -> None:
    experiment = Experiment(task=NextCharacter(size=10, length=20))
    data = data_of(experiment)
    prediction = view.cards({}, experiment, data, log=True)[4].charts["prediction"]
    read = data.shown.inputs[0].argmax(axis=1)
    expected = tuple(data.input_names[i].replace(" ", "␣") for i in read)
    assert prediction.layout.xaxis.ticktext == expected


def test_step_tables_hold_the_rows_that_are_new() -> None:
    run = trained(steps=23)
    whole, rest = view.step_tables(run), view.step_tables(run, 20, 1)
    assert whole["steps"]["step"].tolist() == list(range(1, 24))
    assert rest["steps"]["step"].tolist() == [21, 22, 23]
    assert (whole["validations"]["step"].tolist(), rest["validations"]["step"].tolist()) == (
        [0, 23], [23],
    )  # fmt: skip
    for name, values in whole["steps"].items():
        np.testing.assert_array_equal(rest["steps"][name], values[20:], err_msg=name)
    steps = run.history.steps
    np.testing.assert_array_equal(
        whole["steps"]["clipped"], charts.clipped(steps["norm"], steps["clip_norm"])
    )


@pytest.mark.parametrize("row", [0, 1, 37, 98, 99, 100, 101, 149, 150, 10**30])
def test_derived_columns_are_the_same_from_any_row_on_as_from_the_whole(row: int) -> None:
    generator = np.random.default_rng(0)
    run = a_run(OnDemand())
    steps = {name: generator.random(150) for name in STEP_COLUMNS}
    steps["clipped_norm"] = np.minimum(steps["norm"], steps["clip_norm"])
    run.history.steps.append({**steps, "smooth": steps["loss"]})
    whole, rest = view.step_tables(run)["steps"], view.step_tables(run, row)["steps"]
    assert whole.keys() == rest.keys() >= {"clipped", "clipped_share", "effective_step"}
    for name, values in whole.items():
        np.testing.assert_array_equal(rest[name], values[row:], err_msg=name)
    np.testing.assert_array_equal(
        whole["effective_step"],
        charts.effective_step(steps["learning_rate"], steps["norm"], steps["clipped_norm"]),
    )


def test_the_share_of_clipped_steps_of_a_real_run_is_the_mean_of_its_clipped_steps() -> None:
    run = trained(steps=23)
    steps = run.history.steps
    clipped = steps["norm"] > SMALL.clip_norm
    assert 0 < clipped.mean() < 1
    share = view.step_tables(run)["steps"]["clipped_share"]
    assert share[-1] == pytest.approx(100 * clipped.mean())


def with_blocks(run: Run, rows: int = 3) -> Run:
    """The run with something measured of its blocks."""
    names = ("gradient", "update", "moment")
    blocks = run.experiment.cell.blocks()
    columns = Columns(("step", *(f"{kind}.{block}" for kind in names for block in blocks)))
    generator = np.random.default_rng(0)
    columns.append({name: generator.random(rows) for name in columns.names})
    run.history.blocks = columns
    return run


def test_block_tables_hold_the_rows_that_are_new() -> None:
    run = with_blocks(trained())
    assert run.history.blocks is not None
    for row in (0, 2, 3):
        np.testing.assert_equal(
            view.block_tables(run, row), {"blocks": run.history.blocks.since(row)}
        )
    run.history.blocks = None
    assert view.block_tables(run) == {}


def test_columns_have_one_length_even_if_a_slice_arrives_while_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train()
    executor.do()
    arrivals = [threading.Thread(target=executor.do)]
    reader, read = threading.current_thread(), Columns.__getitem__

    def interrupted(self: Columns, name: str) -> Any:
        if name == "norm" and arrivals and threading.current_thread() is reader:
            arrival = arrivals.pop()
            arrival.start()
            arrival.join(1)  # a reader that holds a lock makes the slice wait
        return read(self, name)

    monkeypatch.setattr(Columns, "__getitem__", interrupted)
    tables = view.step_tables(run)
    assert len({len(values) for values in tables["steps"].values()}) == 1


def test_a_change_is_marked_at_its_step_with_the_new_values() -> None:
    executor = OnDemand()
    run = a_run(executor)
    run.train(3)
    executor.do_all()
    run.adjust(replace(SMALL, learning_rate=0.5, clip_norm=None, optimizer=Adam(beta1=0.25)))
    run.train(1)
    executor.do_all()
    (mark,) = view.change_marks(run)
    assert (mark["x0"], mark["label"]["text"]) == (
        3, "Learning rate 0.5, Clip norm off, Momentum beta 1 0.25",
    )  # fmt: skip


def test_a_turn_that_is_still_to_come_is_not_marked_and_the_page_is_drawn_again_when_it_is() -> (
    None
):
    executor = OnDemand()
    run = a_run(executor, Course(SMALL).turned(7, replace(SMALL, clip_norm=9.0)))
    run.train()
    executor.do()
    assert (run.step_count, view.change_marks(run), view.standing(run)) == (5, [], "running")
    executor.do()
    assert [mark["x0"] for mark in view.change_marks(run)] == [7]
    assert view.standing(run) == "running, turned 1"


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (None, "off"), (0.003, "0.003"), (1e-6, "1×10⁻⁶"), (1234.5, "1,234.5"), (2000, "2,000"),
        (Adam(), "Adam"), (SineMixture(), "Sine mixture"), ("x" * 50, "x" * 40),
    ],
)  # fmt: skip
def test_a_setting_is_written_as_people_write_it(setting: Any, text: str) -> None:
    assert view.value(setting) == text


def test_a_setting_is_written_in_the_words_of_its_knob() -> None:
    knobs = dict(about(Experiment)) | dict(about(GRU))
    assert view.value(None, knobs["batch_size"]) == "all"
    assert view.value(None, knobs["clip_norm"]) == "off"
    assert view.value("relu", knobs["activation"]) == "ReLU"
    assert (view.value(True, knobs["tied_gates"]), view.value(False)) == ("on", "off")


def test_the_dot_stands_where_the_validations_have_put_the_rate() -> None:
    experiment = replace(
        SMALL, schedule=Plateau(drop=0.5, patience=0, threshold=0.5), steps=200, learning_rate=1e-6
    )
    run = trained(experiment, steps=140)
    point = view.here(run)
    assert point["step"].tolist() == [140]
    assert point["learning_rate"].tolist() == [run.history.steps["learning_rate"][-1]]
    assert point["learning_rate"][0] < experiment.learning_rate


def test_before_training_the_figures_are_dashes() -> None:
    assert view.figures(None, Experiment()) == [
        ("step", "Step", "0 / 10,000"), ("epoch", "Epoch", "–"),
        ("training-loss", "Training loss", "–"), ("validation-loss", "Validation loss", "–"),
        ("gradient-norm", "Gradient norm", "–"), ("learning-rate", "Current rate", "–"),
        ("speed", "Steps/s", "–"),
    ]  # fmt: skip
    names = [name for name, _label, _text in view.figures(None, Experiment(task=Waveforms()))]
    assert "accuracy" in names


def test_the_figures_are_the_last_row_of_the_history() -> None:
    experiment = replace(SMALL, task=Waveforms(size=40, length=8))
    run = trained(experiment, steps=23)
    steps, parts = run.history.steps, run.history.validations
    assert {name: text for name, _label, text in view.figures(run, experiment)} == {
        "step": "23 / 23", "epoch": "7.7",
        "training-loss": f"{steps['smooth'][-1]:.4g}",
        "validation-loss": f"{parts['loss'][-1]:.4g}",
        "accuracy": f"{parts['accuracy'][-1]:.1%}",
        "gradient-norm": f"{steps['norm'][-1]:.4g}",
        "learning-rate": view.readable(steps["learning_rate"][-1]),
        "speed": "–",
    }  # fmt: skip


def test_speed_is_shown_while_a_run_trains() -> None:
    now = [0.0]
    executor = OnDemand()
    run = a_run(executor, clock=lambda: now[0])
    run.train()
    executor.do()
    now[0] = 0.004
    executor.do()
    assert view.figures(run, SMALL)[-1] == ("speed", "Steps/s", "1,250")
    run.pause()
    assert view.figures(run, SMALL)[-1] == ("speed", "Steps/s", "–")


def test_a_pause_is_settling_until_its_slice_has_come_back() -> None:
    executor = OnDemand()
    run = a_run(executor)
    assert view.standing(run) == "paused"
    run.train()
    assert view.standing(run) == "running"
    run.pause()
    assert view.standing(run) == "settling"
    executor.do()
    assert view.standing(run) == "paused"
    run.train(1)
    assert view.standing(run) == "running"
    run.status = Status.DIVERGED
    assert view.standing(run) == "diverged"


@pytest.mark.parametrize("look", view.VIEWS)
@pytest.mark.parametrize("name", TASKS)
def test_every_chart_of_the_page_finds_its_columns(name: str, look: str) -> None:
    experiment = Experiment(task=TASKS[name](), cell=GRU(4), batch_size=8)
    run = with_blocks(trained(experiment, 2))
    data = data_of(experiment)
    assert run.snapshot is not None
    tables = {
        **view.still_tables(experiment, replace(experiment, steps=9), data),
        **view.step_tables(run), **view.block_tables(run), "here": view.here(run),
        **view.snapshot_tables(run.snapshot, data), **pin_tables([trained().history]),
    }  # fmt: skip
    for card in view.cards(tables, experiment, data, log=True, view=look, pinned=["a pin"]):
        for figure in card.charts.values():
            for trace in figure.data:
                names = {key: name.split(".", 1) for key, name in trace.meta.items()}
                columns = {key: tables[table][column] for key, (table, column) in names.items()}
                assert all(len(values) for values in columns.values())
                flat = [len(values) for key, values in columns.items() if key != "z"]
                assert len(set(flat)) <= 1, trace.meta
                for key, values in columns.items():
                    shown = trace.marker.color if key == "color" else trace[key]
                    np.testing.assert_array_equal(shown, values)


def test_the_cards_of_the_page_are_these() -> None:
    data = data_of(SMALL)
    cards = view.cards({}, SMALL, data, log=False)
    assert [(card.name, card.title, list(card.charts), card.width) for card in cards] == [
        ("loss", "Loss", ["loss"], "half"),
        ("norm", "Gradient norm", ["norm"], "half"),
        ("gates", "Gates", ["reset", "update", "candidate", "hidden"], "whole"),
        ("flow", "Gradient through time", ["flow"], "third"),
        ("prediction", "Prediction", ["prediction"], "third"),
        ("rate", "Learning rate", ["rate"], "third"),
    ]
    assert all(card.aid for card in cards)
    assert cards[0].charts["loss"].layout.yaxis.type is None
    gates = [(figure.data[0].zmin, figure.data[0].zmax) for figure in cards[2].charts.values()]
    assert gates == [(0, 1), (0, 1), (-1, 1), (-1, 1)]


@pytest.mark.parametrize(
    ("look", "cards"),
    [
        ("clip", [("lens", "Clip lens", "tall"), ("rate", "Learning rate", "whole")]),
        (
            "blocks",
            [
                ("block-gradients", "Gradient norm per block", "half"),
                ("block-updates", "Update-to-weight ratio", "half"),
                ("block-moments", "Second moment per block", "whole"),
            ],
        ),
    ],
)
def test_the_other_views_have_these_cards(look: str, cards: list[tuple[str, str, str]]) -> None:
    data = data_of(SMALL)
    found = view.cards({}, SMALL, data, log=True, view=look)
    assert [(card.name, card.title, card.width) for card in found] == cards
    assert all(card.aid and list(card.charts) == [card.name] for card in found)


@pytest.mark.parametrize("look", view.VIEWS)
def test_pinned_runs_are_drawn_in_the_charts_that_compare(look: str) -> None:
    data = data_of(SMALL)
    pinned = {
        name
        for card in view.cards({}, SMALL, data, log=True, view=look, pinned=["mine"])
        for name, figure in card.charts.items()
        if any(trace.name == "mine" for trace in figure.data)
    }
    assert pinned == {"overview": {"loss", "norm", "rate"}, "clip": {"rate"}, "blocks": set()}[look]


@pytest.mark.parametrize(
    ("task", "measure"),
    [
        (SineMixture(), "mean squared error"), (Adding(), "mean squared error"),
        (Waveforms(), "cross-entropy (nats)"),
    ],
)  # fmt: skip
def test_the_loss_says_what_it_measures(task: Any, measure: str) -> None:
    experiment = Experiment(task=task)
    data = data_of(experiment)
    loss = view.cards({}, experiment, data, log=True)[0].charts["loss"]
    assert (loss.layout.yaxis.title.text, loss.layout.yaxis.type) == (measure, "log")


def test_every_chart_is_told_in_words_before_and_after_training() -> None:
    run, data = trained(), data_of(SMALL)
    still = view.still_tables(SMALL, SMALL, data) | {"here": view.here(run)}
    charts_shown = {c for card in view.cards({}, SMALL, data, log=True) for c in card.charts}
    before = view.alternatives(still) | view.picture_alternatives(still, SMALL)
    assert set(before) == charts_shown
    assert before["reset"] == "Reset gate r: nothing to show yet."
    assert run.snapshot is not None
    tables = still | view.step_tables(run) | view.snapshot_tables(run.snapshot, data)
    after = view.alternatives(tables) | view.picture_alternatives(tables, SMALL)
    assert set(after) == charts_shown
    assert after["loss"].startswith(
        f"Training loss {run.history.steps['smooth'][-1]:.4g} at step 7;"
    )
    assert after["reset"].startswith("Reset gate r: 4 units by 8 time steps, mean 0.")
    answer, target = tables["answer"]["value"], tables["probe"]["target"]
    error = float(np.abs(answer - target).mean())
    assert after["prediction"] == f"The prediction is off by {error:.3g} on average."
    assert math.isfinite(error)


@pytest.mark.parametrize("look", ["clip", "blocks"])
def test_every_chart_of_the_other_views_is_told_in_words(look: str) -> None:
    run, data = with_blocks(trained()), data_of(SMALL)
    shown = {
        name for card in view.cards({}, SMALL, data, log=True, view=look) for name in card.charts
    }
    still = view.still_tables(SMALL, SMALL, data) | {"here": view.here(run)}
    assert set(view.alternatives(still, look)) == shown
    whole = still | view.step_tables(run) | view.block_tables(run)
    after = view.alternatives(whole, look)
    assert set(after) == shown
    assert not [text for text in after.values() if "nothing" in text]


def test_the_rehearsal_draws_without_a_run() -> None:
    view.rehearse()

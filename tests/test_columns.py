"""The columns that charts are drawn from, number by number."""

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gruviz.charts import lens
from gruviz.data import Preview, load, preview_of
from gruviz.data.bundled import sample
from gruviz.experiment import (
    GRU,
    RNN,
    TASKS,
    Adding,
    CopyMemory,
    Cosine,
    DelayedEcho,
    Digits,
    Experiment,
    Lorenz,
    Plateau,
    TableTask,
)
from gruviz.record import STEP_COLUMNS, Columns, Snapshot
from gruviz.runs import Run
from gruviz.ui import columns
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
        whole.kind,
        whole.outputs,
        whole.mean,
        whole.scale,
    )
    assert few.class_names == whole.class_names


def test_the_plan_runs_from_the_first_step_to_the_last() -> None:
    plan = columns.plan(Experiment(learning_rate=0.5, schedule=Cosine(), steps=2000))
    assert (len(plan["step"]), plan["step"][0], plan["step"][-1]) == (201, 1, 2000)
    assert plan["learning_rate"][0] == 0.5
    assert plan["learning_rate"][100] == pytest.approx(0.25, rel=0.01)
    assert columns.plan(Experiment(steps=3))["step"].tolist() == [1, 2, 3]
    assert columns.plan(Experiment(steps=1))["step"].tolist() == [1]


def test_the_plan_is_what_training_uses_and_the_dot_is_on_it() -> None:
    run = trained(steps=9)
    plan = columns.plan(SMALL)
    steps = run.history.steps
    np.testing.assert_array_equal(plan["step"][:9], steps["step"])
    np.testing.assert_array_equal(plan["learning_rate"][:9], steps["learning_rate"])
    here = columns.here(run)
    assert here["step"].tolist() == [9]
    assert here["learning_rate"].tolist() == [steps["learning_rate"][-1]]
    start = columns.here(a_run(OnDemand()))
    assert (start["step"].tolist(), start["learning_rate"].tolist()) == ([0], [0.02])


def test_the_next_schedule_is_shown_only_where_it_differs() -> None:
    data = data_of(SMALL)
    assert list(columns.still_tables(SMALL, replace(SMALL, seed=9), data)) == ["plan", "probe"]
    wanted = replace(SMALL, steps=50)
    tables = columns.still_tables(SMALL, wanted, data)
    assert list(tables) == ["plan", "probe", "next"]
    np.testing.assert_equal(tables["next"], columns.plan(wanted))
    np.testing.assert_equal(tables["plan"], columns.plan(SMALL))


def test_a_forecast_is_shown_in_the_units_of_its_table() -> None:
    experiment = Experiment(task=TableTask(window=24, horizon=4), cell=GRU(4))
    data = data_of(experiment)
    column = sample("sunspots_yearly").columns["SUNACTIVITY"]
    probe = columns.probe(data)
    np.testing.assert_allclose(probe["input"], column[223:247], atol=1e-4)
    np.testing.assert_allclose(probe["target"], column[247:251], atol=1e-4)
    assert probe["time"].tolist() == list(range(24))
    assert probe["future"].tolist() == [24, 25, 26, 27]
    snapshot = trained(experiment).snapshot
    assert snapshot is not None
    answer = columns.snapshot_tables(snapshot, data)["answer"]["value"]
    known = column[:247]
    np.testing.assert_allclose(answer, snapshot.prediction[-1] * known.std() + known.mean(), 1e-6)


def test_the_adding_problem_shows_its_marks_its_sum_and_the_answer_after_each_step() -> None:
    data = data_of(SMALL)
    probe = columns.probe(data)
    total = float((probe["input"] * probe["mark"]).sum())
    assert probe["mark"].sum() == 2
    np.testing.assert_allclose(probe["target"], [total] * 8, rtol=1e-6)
    snapshot = trained().snapshot
    assert snapshot is not None
    tables = columns.snapshot_tables(snapshot, data)
    np.testing.assert_array_equal(tables["answer"]["value"], snapshot.prediction[:, 0])
    assert tables["signals"].keys() == {"reset", "update", "candidate", "hidden"}


def test_a_classification_shows_the_image_the_true_class_and_probabilities() -> None:
    experiment = Experiment(task=Digits(), cell=GRU(4))
    data = data_of(experiment)
    probe = columns.probe(data)
    np.testing.assert_array_equal(probe["image"], data.shown.inputs[0])
    assert probe["true"].tolist() == [float(c == data.shown.targets[0]) for c in range(10)]
    snapshot = trained(experiment, 1).snapshot
    assert snapshot is not None
    answer = columns.snapshot_tables(snapshot, data)["answer"]["value"]
    np.testing.assert_array_equal(answer, snapshot.prediction[-1])
    assert float(answer.sum()) == pytest.approx(1)


def test_every_step_of_a_labelling_shows_its_true_class_and_the_chances() -> None:
    experiment = replace(SMALL, task=CopyMemory(size=40, length=5))
    data = data_of(experiment)
    probe = columns.probe(data)
    np.testing.assert_array_equal(probe["symbols"], data.shown.inputs[0].T)
    assert probe["asked"].tolist() == list(range(25))
    np.testing.assert_array_equal(probe["target"], data.shown.targets[0])
    snapshot = trained(experiment).snapshot
    assert snapshot is not None
    chances = columns.snapshot_tables(snapshot, data)["answer"]["chances"]
    np.testing.assert_array_equal(chances, snapshot.prediction.T)
    np.testing.assert_allclose(chances.sum(axis=0), 1, rtol=1e-5)


def test_a_tracking_shows_what_is_wanted_only_where_it_is() -> None:
    experiment = replace(SMALL, task=DelayedEcho(size=40, length=6, delay=3))
    data = data_of(experiment)
    probe = columns.probe(data)
    assert probe["asked"].tolist() == [3, 4, 5, 6, 7, 8]
    np.testing.assert_array_equal(probe["target"], probe["input"][:6])
    snapshot = trained(experiment).snapshot
    assert snapshot is not None
    answer = columns.snapshot_tables(snapshot, data)["answer"]["value"]
    np.testing.assert_array_equal(answer, snapshot.prediction[:, 0])


def test_a_forecast_from_three_series_shows_the_one_that_goes_on() -> None:
    data = replace(data_of(Experiment(task=Lorenz())), series=2)
    np.testing.assert_array_equal(columns.probe(data)["input"], data.shown.inputs[0, :, 2])
    assert "symbols" not in columns.probe(data)


def test_step_tables_hold_the_rows_that_are_new() -> None:
    run = trained(steps=23)
    whole, rest = (
        columns.grown_tables(run),
        columns.grown_tables(run, {"steps": 20, "validations": 1}),
    )
    assert whole["steps"]["step"].tolist() == list(range(1, 24))
    assert rest["steps"]["step"].tolist() == [21, 22, 23]
    assert (whole["validations"]["step"].tolist(), rest["validations"]["step"].tolist()) == (
        [0, 23],
        [23],
    )
    for name, values in whole["steps"].items():
        np.testing.assert_array_equal(rest["steps"][name], values[20:], err_msg=name)
    steps = run.history.steps
    np.testing.assert_array_equal(
        whole["steps"]["clipped"], lens.clipped(steps["norm"], steps["clip_norm"])
    )


@pytest.mark.parametrize("row", [0, 1, 37, 98, 99, 100, 101, 149, 150, 10**30])
def test_derived_columns_are_the_same_from_any_row_on_as_from_the_whole(row: int) -> None:
    generator = np.random.default_rng(0)
    run = a_run(OnDemand())
    steps = {name: generator.random(150) for name in STEP_COLUMNS}
    steps["clipped_norm"] = np.minimum(steps["norm"], steps["clip_norm"])
    run.history.steps.append({**steps, "smooth": steps["loss"]})
    whole, rest = (
        columns.grown_tables(run)["steps"],
        columns.grown_tables(run, {"steps": row})["steps"],
    )
    assert whole.keys() == rest.keys() >= {"clipped", "clipped_share", "effective_step"}
    for name, values in whole.items():
        np.testing.assert_array_equal(rest[name], values[row:], err_msg=name)
    np.testing.assert_array_equal(
        whole["effective_step"],
        lens.effective_step(steps["learning_rate"], steps["norm"], steps["clipped_norm"]),
    )


def test_the_share_of_clipped_steps_of_a_real_run_is_the_mean_of_its_clipped_steps() -> None:
    run = trained(steps=23)
    steps = run.history.steps
    assert SMALL.clip_norm is not None
    clipped = steps["norm"] > SMALL.clip_norm
    assert 0 < clipped.mean() < 1
    share = columns.grown_tables(run)["steps"]["clipped_share"]
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
            columns.grown_tables(run, {"blocks": row}), {"blocks": run.history.blocks.since(row)}
        )
    run.history.blocks = None
    assert columns.grown_tables(run, {"blocks": 0}) == {}


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
    tables = columns.grown_tables(run)
    assert len({len(values) for values in tables["steps"].values()}) == 1


def test_the_dot_stands_where_the_validations_have_put_the_rate() -> None:
    experiment = replace(
        SMALL, schedule=Plateau(drop=0.5, patience=0, threshold=0.5), steps=200, learning_rate=1e-6
    )
    run = trained(experiment, steps=140)
    point = columns.here(run)
    assert point["step"].tolist() == [140]
    assert point["learning_rate"].tolist() == [run.history.steps["learning_rate"][-1]]
    assert point["learning_rate"][0] < experiment.learning_rate


def a_snapshot(**parts: Any) -> Snapshot:
    """Of six time steps, three units and a forecast of two rows."""
    generator = np.random.default_rng(0)
    signals = {"hidden": generator.random((3, 6), np.float32)}
    prediction = generator.random((6, 2), np.float32)
    return Snapshot(
        7,
        signals,
        np.zeros((6, 1), np.float32),
        np.zeros(2),
        prediction,
        **{"gradient": None, **parts},
    )


def test_signals_are_drawn_unit_by_unit_as_they_were_recorded() -> None:
    snapshot = a_snapshot()
    tables = columns.snapshot_tables(snapshot, data_of(Experiment()))
    np.testing.assert_array_equal(tables["signals"]["hidden"], snapshot.signals["hidden"])


def test_the_gradient_through_time_begins_at_the_first_time_step() -> None:
    norm = np.array([1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.5])
    table = columns.snapshot_tables(a_snapshot(gradient=norm), data_of(Experiment()))["gradient"]
    assert table["time"].tolist() == [0, 1, 2, 3, 4, 5]
    assert table["norm"].tolist() == norm.tolist()
    plain = replace(SMALL, cell=RNN(4), task=Adding(size=40, length=40))
    found = trained(plain).snapshot
    assert found is not None
    last = columns.snapshot_tables(found, data_of(plain))["gradient"]["norm"]
    assert last[0] < last[-1] / 100  # the answer is wanted at the end: there it pulls


def test_a_free_running_forecast_is_in_the_units_of_the_data_from_the_last_input_on() -> None:
    data = replace(data_of(Experiment()), mean=100.0, scale=20.0)
    rollout = np.array([-1.0, 0.0, 0.5, 2.0], np.float32)
    tables = columns.snapshot_tables(a_snapshot(rollout=rollout), data)
    assert tables["rollout"]["value"].tolist() == [80, 100, 110, 140]
    assert tables["rollout"]["time"].tolist() == [6, 7, 8, 9]
    np.testing.assert_allclose(
        tables["answer"]["value"], 100 + 20 * a_snapshot().prediction[-1], rtol=1e-6
    )

"""The data of each task."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gruviz.data import Dataset, Table, check, fetch_sample, load, read_csv
from gruviz.data.loading import IN_MEMORY
from gruviz.errors import GruvizError
from gruviz.experiment import (
    GRU,
    LSTM,
    TASKS,
    Adding,
    Brackets,
    CopyMemory,
    DelayedEcho,
    Digits,
    Experiment,
    Lorenz,
    MadeUp,
    NextCharacter,
    OwnInitial,
    Regularized,
    SineMixture,
    TableTask,
    Task,
    Waveforms,
)


def shapes(data: Dataset) -> tuple[tuple[int, ...], ...]:
    parts = (data.train, data.validation)
    return tuple(array.shape for part in parts for array in (part.inputs, part.targets))


@pytest.mark.parametrize(
    ("task", "expected", "outputs"),
    [
        (
            SineMixture(size=20, length=9, horizon=3),
            ((20, 9, 1), (20, 3), (500, 9, 1), (500, 3)),
            3,
        ),
        (Adding(size=20, length=9), ((20, 9, 2), (20, 1), (500, 9, 2), (500, 1)), 1),
        (Waveforms(size=20, length=9), ((20, 9, 1), (20,), (500, 9, 1), (500,)), 10),
        (Lorenz(size=20, length=9), ((20, 9, 3), (20, 10), (500, 9, 3), (500, 10)), 10),
        (
            CopyMemory(size=20, length=9),
            ((20, 29, 10), (20, 29), (500, 29, 10), (500, 29)),
            10,
        ),
        (
            DelayedEcho(size=20, length=9, delay=4),
            ((20, 13, 1), (20, 13, 1), (500, 13, 1), (500, 13, 1)),
            1,
        ),
        (Brackets(size=20, pairs=4), ((20, 8, 6), (20,), (500, 8, 6), (500,)), 2),
        (
            NextCharacter(size=20, length=9),
            ((20, 9, 32), (20, 9), (500, 9, 32), (500, 9)),
            32,
        ),
        (Digits(), ((1437, 8, 8), (1437,), (360, 8, 8), (360,)), 10),
        (TableTask(window=24, horizon=4), ((220, 24, 1), (220, 4), (59, 24, 1), (59, 4)), 4),
    ],
)
def test_a_task_has_data_of_its_shape(
    task: Task, expected: tuple[tuple[int, ...], ...], outputs: int
) -> None:
    data = load(task, 0)
    assert shapes(data) == expected
    assert (data.kind, data.outputs) == (task.kind, outputs)
    assert data.train.inputs.dtype == np.float32
    assert len(data.input_names) == data.features
    assert len(data.class_names) == (outputs if task.kind.classes else 0)
    assert data.train.targets.dtype == (np.int64 if task.kind.classes else np.float32)


@pytest.mark.parametrize("name", TASKS)
def test_the_seed_decides_the_data(name: str) -> None:
    task = TASKS[name]()
    data = load(task, 3)
    IN_MEMORY.kept.clear()
    again, other = load(task, 3), load(task, 4)
    assert again is not data
    np.testing.assert_array_equal(data.train.inputs, again.train.inputs)
    np.testing.assert_array_equal(data.validation.targets, again.validation.targets)
    same = np.array_equal(data.train.inputs, other.train.inputs)
    assert same == isinstance(task, TableTask)


@pytest.mark.parametrize("row", [row for row in TASKS.values() if issubclass(row, MadeUp)])
def test_validation_sequences_are_others_and_do_not_depend_on_the_size(row: type[MadeUp]) -> None:
    few, many = load(row(size=10), 0), load(row(size=100), 0)
    np.testing.assert_array_equal(few.validation.inputs, many.validation.inputs)
    np.testing.assert_array_equal(few.validation.targets, many.validation.targets)
    same = np.array_equal(many.validation.inputs[:100], many.train.inputs)
    assert not same and len(few.train) == 10 and len(many.train) == 100


def test_the_digits_are_the_images_in_another_order_each_once() -> None:
    data = load(Digits(), 0)
    images = np.concatenate([data.train.inputs, data.validation.inputs])
    labels = np.concatenate([data.train.targets, data.validation.targets])
    assert images.min() == 0 and images.max() == 1
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    other = load(Digits(), 1)
    everything = np.concatenate([other.train.inputs, other.validation.inputs])
    assert sorted(map(bytes, images)) == sorted(map(bytes, everything))
    assert data.class_names == tuple("0123456789")


def test_a_digit_is_read_row_by_row() -> None:
    first_zero = [0, 0, 5, 13, 9, 1, 0, 0]  # the first row of the first image of the file
    data = load(Digits(), 0)
    images = np.concatenate([data.train.inputs, data.validation.inputs])
    labels = np.concatenate([data.train.targets, data.validation.targets])
    second = [0, 0, 13, 15, 10, 15, 5, 0]
    rows = (images[:, 0] * 16 == first_zero).all(1) & (images[:, 1] * 16 == second).all(1)
    assert labels[rows].tolist() == [0]


def test_a_table_without_a_column_forecasts_its_first_choice() -> None:
    data = load(TableTask(), 0)
    assert (data.unit, data.input_names) == ("SUNACTIVITY", ("SUNACTIVITY",))
    assert load(TableTask(column="YEAR"), 0).unit == "YEAR"


def test_an_uploaded_table_is_fetched_by_its_source() -> None:
    rows = "".join(f"{row % 7},{row % 5}\n" for row in range(60))
    table = read_csv(f"a,b\n{rows}".encode(), name="mine.csv")
    asked: list[str] = []

    def fetch(source: str) -> Table:
        asked.append(source)
        return table

    data = load(TableTask(source="digest", column="b", window=5, horizon=2), 0, fetch)
    assert (set(asked), data.unit, len(data.train)) == ({"digest"}, "b", 48 - 6)
    with pytest.raises(GruvizError) as caught:
        load(TableTask(source="digest", column="c"), 0, fetch)
    assert str(caught.value) == (
        "There is no numeric column 'c' in 'mine.csv'; choose one of: 'a', 'b'."
    )


def test_a_source_that_is_no_sample_is_refused() -> None:
    with pytest.raises(GruvizError) as caught:
        fetch_sample("secret")
    assert str(caught.value) == (
        "There is no data called 'secret' here; upload the file, or choose a sample."
    )


@pytest.mark.parametrize(
    ("task", "count"),
    [(SineMixture(size=31), 31), (Adding(size=10), 10), (TableTask(window=240, horizon=1), 7)],
)
def test_a_batch_larger_than_the_data_is_refused_before_training(task: Task, count: int) -> None:
    with pytest.raises(GruvizError) as caught:
        check(Experiment(task=task, batch_size=32))
    assert str(caught.value) == (
        f"Batch size is 32, but there are only {count} training sequences; choose a batch of at"
        f" most {count}."
    )


def test_an_experiment_with_data_passes_the_check() -> None:
    check(Experiment(task=SineMixture(size=32), batch_size=32))
    check(Experiment(task=Digits(), batch_size=1024))
    with pytest.raises(GruvizError, match="220 training sequences"):
        check(replace(Experiment(task=TableTask()), batch_size=221))


def test_the_whole_set_may_be_too_much_for_one_step() -> None:
    task = Adding(size=10_000, length=500)
    with pytest.raises(GruvizError) as caught:
        check(Experiment(task=task, batch_size=None, cell=GRU(8)))
    assert str(caught.value) == (
        "One step with 10,000 sequences of 500 time steps and 8 hidden units asks too much of a"
        " shared server; make one of the three smaller."
    )
    check(Experiment(task=replace(task, length=100), batch_size=None, cell=GRU(4)))


def test_a_warm_up_as_long_as_the_run_is_refused_before_training() -> None:
    with pytest.raises(GruvizError) as caught:
        check(Experiment(warmup=500, steps=500))
    assert str(caught.value) == (
        "Warm-up is 500 steps, but the run has only 500; choose more steps or a shorter warm-up."
    )


@pytest.mark.parametrize(
    ("batch", "length", "units"), [(1024, 500, 64), (1, 500, 256), (1024, 30, 256)]
)
def test_a_step_that_would_keep_the_class_waiting_is_refused(
    batch: int, length: int, units: int
) -> None:
    task = Adding(length=length)
    with pytest.raises(GruvizError) as caught:
        check(Experiment(task=task, batch_size=batch, cell=GRU(units)))
    assert str(caught.value) == (
        f"One step with {max(batch, 256):,} sequences of {length} time steps and {units} hidden"
        " units asks too much of a shared server; make one of the three smaller."
    )


@pytest.mark.parametrize(
    ("task", "inputs"),
    [(Adding(length=1000, size=10_001), 2), (NextCharacter(length=500, size=1300), 32)],
)
def test_more_data_than_a_shared_server_holds_is_refused_on_its_page_alone(
    task: MadeUp, inputs: int
) -> None:
    with pytest.raises(GruvizError) as caught:
        check(Experiment(task=task))
    assert str(caught.value) == (
        f"{task.size:,} sequences of {task.time_steps:,} time steps with {inputs} inputs are too"
        " much for a shared server; make fewer or shorter ones."
    )
    check(Experiment(task=replace(task, size=1000)))


@pytest.mark.parametrize("name", TASKS)
def test_the_time_steps_of_a_task_are_those_of_its_data(name: str) -> None:
    task = TASKS[name]()
    if name not in ("rows", "long"):  # only the table itself knows
        assert load(task, 0).train.inputs.shape[1] == task.time_steps


def test_only_tasks_of_symbols_are_one_hot() -> None:
    found = {name for name in TASKS if load(TASKS[name](), 0).one_hot}
    assert found == {"copy", "order", "brackets", "text"}


@pytest.mark.parametrize(("batch", "length", "units"), [(1024, 50, 128), (32, 100, 256)])
def test_a_step_that_is_quick_enough_passes(batch: int, length: int, units: int) -> None:
    check(Experiment(task=Adding(length=length), batch_size=batch, cell=GRU(units)))


@pytest.mark.parametrize(
    "changed",
    [
        {"cell": LSTM()},
        {"cell": GRU(tied_gates=True)},
        {"cell": GRU(activation="relu")},
        {"initial": OwnInitial()},
        {"regularization": Regularized()},
    ],
)
def test_learned_decay_refuses_what_its_layer_would_pass_over(changed: dict[str, Any]) -> None:
    task = TableTask(window=24, missing="decay")
    check(Experiment(task=task, cell=GRU(7)))
    with pytest.raises(GruvizError, match="Learned decay is a GRU of its own"):
        check(Experiment(task=task, **changed))

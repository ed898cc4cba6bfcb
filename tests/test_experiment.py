"""The experiment: its defaults, its round trip, what acts at once and what differs."""

import json
import sys
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from pathlib import Path
from subprocess import check_output
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gruviz.errors import GruvizError
from gruviz.experiment import (
    CELLS,
    GRU,
    INITIALS,
    OPTIMIZERS,
    REGULARIZATIONS,
    RNN,
    SCHEDULES,
    SGD,
    TASKS,
    Adam,
    Adding,
    Cell,
    Choice,
    Constant,
    Cosine,
    Experiment,
    GradientDescent,
    Kind,
    Knob,
    Momentum,
    Pick,
    Polynomial,
    SineMixture,
    StepDecay,
    TableTask,
    Task,
    about,
    differences,
    with_live,
)
from gruviz.experiment.knobs import pick

SURE = settings(deadline=None, max_examples=80, derandomize=True)


def values(owner: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance of a dataclass made of knobs and picks."""
    defaults = {field.name: field.default for field in fields(owner)}
    parts: dict[str, st.SearchStrategy[Any]] = {}
    for name, what in about(owner):
        if isinstance(what, Pick):
            parts[name] = st.one_of([values(row) for row in what.table.values()])
        elif what.options is not None:
            parts[name] = st.sampled_from(list(what.options))
        elif what.low is None:
            words = st.lists(st.text(max_size=40), max_size=3).map(tuple)
            same = {bool: st.booleans(), str: st.text(max_size=40), tuple: words}
            parts[name] = same[type(defaults[name])]
        elif what.whole:
            parts[name] = st.integers(int(what.low), int(what.high or 0))
        else:
            parts[name] = st.floats(what.low, what.high)
        if isinstance(what, Knob) and what.optional:
            parts[name] |= st.none()
    return st.builds(owner, **parts)


EXPERIMENTS = values(Experiment)


def test_the_default_experiment_is_the_one_that_the_page_starts_with() -> None:
    assert Experiment().to_dict() == {
        "task": {"name": "sine", "size": 2000, "length": 50, "horizon": 10, "noise": 0.05},
        "learning_rate": 0.003,
        "clip_norm": 1.0,
        "clip_value": None,
        "schedule": {"name": "constant"},
        "warmup": None,
        "optimizer": {
            "name": "adam",
            "beta1": 0.9,
            "beta2": 0.999,
            "eps": 1e-8,
            "weight_decay": None,
            "amsgrad": False,
        },
        "cell": {"name": "gru", "units": 32, "activation": "tanh", "tied_gates": False},
        "initial": {"name": "torch_weights"},
        "regularization": {"name": "unregularized"},
        "loss": {"name": "fitting"},
        "loss_on": "task",
        "batch_size": 32,
        "steps": 10_000,
        "epochs": None,
        "target_loss": None,
        "patience": None,
        "seed": 0,
    }


@SURE
@given(EXPERIMENTS)
def test_any_experiment_comes_back_equal_from_its_dict_and_from_json(experiment: Any) -> None:
    plain = experiment.to_dict()
    assert Experiment.from_dict(plain) == experiment
    assert Experiment.from_dict(json.loads(json.dumps(plain))) == experiment
    assert hash(Experiment.from_dict(plain)) == hash(experiment)


def test_an_experiment_can_not_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Experiment().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 100.0}, "Learning rate is 100.0; choose a number from 1e-06 to 10."),
        (
            {"clip_norm": 0},
            "Clip norm is 0; choose a number from 0.001 to 1000. None switches it off.",
        ),
        ({"learning_rate": 0}, "Learning rate is 0; choose a number from 1e-06 to 10."),
        ({"learning_rate": -0.1}, "Learning rate is -0.1; choose a number from 1e-06 to 10."),
        (
            {"learning_rate": float("nan")},
            "Learning rate is nan; choose a number from 1e-06 to 10.",
        ),
        (
            {"clip_norm": float("nan")},
            "Clip norm is nan; choose a number from 0.001 to 1000. None switches it off.",
        ),
        (
            {"clip_value": 0.0},
            "Clip value is 0.0; choose a number from 1e-06 to 1000. None switches it off.",
        ),
        (
            {"warmup": 0},
            "Warm-up is 0; choose a whole number from 1 to 100,000. None switches it off.",
        ),
        (
            {"epochs": 0},
            "Stop after is 0; choose a whole number from 1 to 10,000. None means no limit.",
        ),
        (
            {"target_loss": 0},
            "Stop at loss is 0; choose a number from 1e-06 to 1000. None switches it off.",
        ),
        (
            {"patience": 0},
            "Stop after no better is 0; choose a whole number from 1 to 1,000. None switches it off.",
        ),
        (
            {"batch_size": 1.5},
            "Batch size is 1.5; choose a whole number from 1 to 10,000. None means all.",
        ),
        ({"steps": 0}, "Steps is 0; choose a whole number from 1 to 100,000."),
        ({"seed": -1}, "Seed is -1; choose a whole number from 0 to 9,999."),
        ({"task": "sinus"}, f"Task is 'sinus'; choose one of: {', '.join(TASKS)}."),
        ({"cell": ""}, "Cell is ''; choose one of: gru, cho, lstm, rnn."),
        ({"optimizer": None}, f"Optimizer is None; choose one of: {', '.join(OPTIMIZERS)}."),
        (
            {"schedule": 1},
            f"Decay schedule is 1; choose one of: {', '.join(SCHEDULES)}.",
        ),
        ({"cell": Adam()}, f"Cell is {Adam()!r}; choose one of: gru, cho, lstm, rnn."),
    ],
)
def test_an_experiment_refuses_what_can_not_be_trained(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(GruvizError) as caught:
        Experiment(**settings)
    assert str(caught.value) == message


PICKS = {name: what for name, what in about(Experiment) if isinstance(what, Pick)}


@pytest.mark.parametrize(
    ("field", "name"), [(field, name) for field, what in PICKS.items() for name in what.table]
)
def test_the_name_of_a_row_stands_for_that_row_with_its_defaults(field: str, name: str) -> None:
    row = PICKS[field].table[name]()
    given: dict[str, Any] = {field: name}
    chosen: dict[str, Any] = {field: row}
    assert getattr(Experiment(**given), field) == row
    assert Experiment(**given) == replace(Experiment(), **given) == Experiment(**chosen)
    assert hash(Experiment(**given)) == hash(Experiment(**chosen))


def test_a_row_that_holds_a_choice_takes_its_name_too() -> None:
    @dataclass(frozen=True)
    class Nested(Choice):
        name: ClassVar[str] = "nested"
        label: ClassVar[str] = "Nested"
        cell: Cell = pick(GRU(), CELLS, label="Cell")

    assert Nested("rnn") == Nested(RNN())  # type: ignore[arg-type]
    with pytest.raises(GruvizError, match="Cell is 'tree'; choose one of: gru, cho, lstm, rnn"):
        Nested("tree")  # type: ignore[arg-type]


def test_the_rate_is_the_learning_rate_times_the_schedule() -> None:
    experiment = Experiment(learning_rate=0.4, schedule=StepDecay(every=10, drop=0.5), steps=30)
    assert [experiment.rate(step) for step in (0, 9, 10, 19, 20)] == [0.4, 0.4, 0.2, 0.2, 0.1]
    cosine = Experiment(learning_rate=0.4, schedule=Cosine(), steps=20)
    assert cosine.rate(10) == pytest.approx(0.2)


def test_a_warm_up_rises_in_a_straight_line_to_the_start_of_the_schedule() -> None:
    experiment = Experiment(learning_rate=0.5, schedule=Polynomial(), warmup=4, steps=14)
    rates = [experiment.rate(step) for step in range(7)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.45, 0.4])
    assert experiment.rate(0, 0.5) == pytest.approx(0.05)


def test_live_is_what_is_read_anew_at_every_update_or_validation() -> None:
    rows: list[type[Any]] = [Experiment, *SCHEDULES.values(), *TASKS.values(), *CELLS.values()]
    live = {
        f"{owner.__name__}.{name}"
        for owner in rows
        for name, what in about(owner)
        if not isinstance(what, Pick) and what.live
    }
    assert live == {
        "Experiment.learning_rate",
        "Experiment.clip_norm",
        "Experiment.clip_value",
        "Experiment.epochs",
        "Experiment.target_loss",
        "Experiment.patience",
    }
    waits = {
        f"{row.__name__}.{name}"
        for row in OPTIMIZERS.values()
        for name, what in about(row)
        if isinstance(what, Knob) and not what.live
    }
    assert waits == {"Adam.amsgrad", "RMSprop.momentum", "RMSprop.centered", "Adagrad.accumulator"}


def test_a_batch_is_all_there_is_if_it_says_so_or_its_optimizer_does() -> None:
    assert Experiment(batch_size=7).batch(40) == 7
    assert Experiment(batch_size=None).batch(40) == 40
    assert Experiment(batch_size=7, optimizer=GradientDescent()).batch(40) == 40


def test_with_live_takes_what_acts_at_once_and_leaves_the_rest() -> None:
    running = Experiment(optimizer=Adam(0.9, 0.99), seed=1)
    wanted = Experiment(
        task=Adding(),
        learning_rate=0.5,
        clip_norm=None,
        schedule=Cosine(),
        optimizer=Adam(0.5, 0.6),
        cell=GRU(8),
        batch_size=7,
        steps=9,
        seed=2,
    )
    assert with_live(running, wanted) == replace(
        running, learning_rate=0.5, clip_norm=None, optimizer=Adam(0.5, 0.6)
    )


def test_another_optimizer_waits_for_the_next_train_with_all_its_knobs() -> None:
    running = Experiment(optimizer=Momentum(0.9))
    assert with_live(running, Experiment(optimizer=Adam(0.1))) == running


def test_differences_name_each_knob_with_its_old_and_new_value() -> None:
    old = Experiment(optimizer=Adam(0.9), clip_norm=None)
    new = replace(old, optimizer=Adam(0.5), clip_norm=2.0, schedule=Cosine())
    found = [(what.label, before, after) for what, before, after in differences(old, new)]
    assert found == [
        ("Clip norm", None, 2.0),
        ("Decay schedule", Constant(), Cosine()),
        ("Momentum beta 1", 0.9, 0.5),
    ]
    assert differences(old, old) == []


def test_another_row_of_a_table_is_one_difference() -> None:
    old, new = Experiment(), Experiment(optimizer=SGD())
    found = [(what.label, before, after) for what, before, after in differences(old, new)]
    assert found == [("Optimizer", Adam(), SGD())]


def test_the_names_of_all_rows_differ_so_that_a_link_can_not_confuse_them() -> None:
    tables: list[dict[str, type[Choice]]] = [
        dict(OPTIMIZERS),
        dict(SCHEDULES),
        dict(TASKS),
        dict(CELLS),
        dict(INITIALS),
        dict(REGULARIZATIONS),
    ]
    names = [name for table in tables for name in table]
    assert len(names) == len(set(names))
    assert all(row.name == name for table in tables for name, row in table.items())


def test_every_task_says_what_the_network_is_asked_for() -> None:
    assert {name: row.kind for name, row in TASKS.items()} == {
        "sine": Kind.FORECAST,
        "damped": Kind.FORECAST,
        "mackey_glass": Kind.FORECAST,
        "lorenz": Kind.FORECAST,
        "walk": Kind.FORECAST,
        "adding": Kind.REGRESSION,
        "copy": Kind.LABELLING,
        "echo": Kind.TRACKING,
        "parity": Kind.LABELLING,
        "order": Kind.CLASSIFICATION,
        "brackets": Kind.CLASSIFICATION,
        "waveforms": Kind.CLASSIFICATION,
        "digits": Kind.CLASSIFICATION,
        "text": Kind.LABELLING,
        "table": Kind.FORECAST,
        "rows": Kind.CLASSIFICATION,
        "long": Kind.CLASSIFICATION,
    }


def test_the_gates_have_the_scale_from_0_to_1_and_the_states_from_minus_1_to_1() -> None:
    assert [(signal.name, signal.low, signal.high) for signal in GRU.signals] == [
        ("reset", 0.0, 1.0),
        ("update", 0.0, 1.0),
        ("candidate", -1.0, 1.0),
        ("hidden", -1.0, 1.0),
    ]


def test_tasks_differ_by_what_they_are_and_not_by_their_name_alone() -> None:
    tasks: list[Task] = [SineMixture(), TableTask()]
    assert tasks[0] != tasks[1]
    assert TableTask(column="a") != TableTask(column="b")


def test_the_experiment_imports_only_the_standard_library() -> None:
    script = (
        "import sys, gruviz.experiment.link;"
        "print(sorted({'numpy', 'pandas', 'torch', 'plotly', 'streamlit'} & set(sys.modules)))"
    )
    here = Path(__file__).parents[1]
    found = check_output([sys.executable, "-c", script], cwd=here, text=True, timeout=30)
    assert found.strip() == "[]"

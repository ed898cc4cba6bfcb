"""An experiment in a link and back."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruviz.experiment import (
    OPTIMIZERS,
    SCHEDULES,
    TASKS,
    Adam,
    Adding,
    Cosine,
    Experiment,
    Momentum,
    StepDecay,
    TableTask,
)
from gruviz.experiment.link import from_link, settings, to_link
from tests.test_experiment import EXPERIMENTS, SURE


def test_the_default_experiment_needs_no_parameters() -> None:
    assert to_link(Experiment()) == {}
    assert from_link({}) == (Experiment(), [])


def test_a_link_holds_what_differs_and_reads_like_it() -> None:
    experiment = Experiment(
        task=Adding(length=100),
        learning_rate=0.01,
        clip_norm=None,
        schedule=StepDecay(drop=0.25),
        optimizer=Momentum(),
        seed=7,
    )
    assert to_link(experiment) == {
        "task": "adding",
        "adding.length": "100",
        "learning_rate": "0.01",
        "clip_norm": "off",
        "schedule": "step",
        "step.drop": "0.25",
        "optimizer": "momentum",
        "seed": "7",
    }


@SURE
@given(EXPERIMENTS)
def test_any_experiment_comes_back_equal_from_its_link(experiment: Any) -> None:
    assert from_link(to_link(experiment)) == (experiment, [])


@SURE
@given(EXPERIMENTS)
def test_a_link_survives_the_address_bar(experiment: Any) -> None:
    address = urlencode(to_link(experiment), errors="surrogatepass")
    parameters = dict(parse_qsl(address, keep_blank_values=True, errors="surrogatepass"))
    assert from_link(parameters) == (experiment, [])


@pytest.mark.parametrize("rate", [1e-6, 0.1 + 0.2, 1 / 3, 0.0030000000000000005, 10])
def test_a_learning_rate_is_exact_to_the_last_bit(rate: float) -> None:
    experiment = Experiment(learning_rate=rate)
    assert from_link(to_link(experiment))[0].learning_rate == rate


def test_a_column_with_a_very_long_name_comes_back_whole() -> None:
    experiment = Experiment(task=TableTask(column="rainfall, " * 60))
    assert from_link(to_link(experiment)) == (experiment, [])


def test_none_is_called_what_it_means() -> None:
    experiment = Experiment(batch_size=None, clip_norm=None, optimizer=Adam(amsgrad=True))
    link = {"batch_size": "all", "clip_norm": "off", "adam.amsgrad": "on"}
    assert to_link(experiment) == link
    assert from_link(link) == (experiment, [])
    assert from_link({"batch_size": "off", "adam.amsgrad": "yes"}) == (
        Experiment(),
        [
            "Ignored in the link: Batch size is 'off'; choose a whole number from 1 to 10,000."
            " None means all.",
            "Ignored in the link: AMSGrad is 'yes'; it must be a bool.",
        ],
    )


def test_a_column_named_off_is_not_switched_off() -> None:
    experiment = Experiment(task=TableTask(column="off"))
    assert from_link(to_link(experiment)) == (experiment, [])


KEYS = [key for key, _what, _value in settings(Experiment())]
JUNK = [
    "",
    "off",
    "nan",
    "inf",
    "-inf",
    "1e999",
    "-1",
    "0",
    "0x10",
    "1_000",
    "½",
    "None",
    "9" * 5000,
]


@SURE
@given(
    st.dictionaries(
        st.sampled_from([*KEYS, "step.every", "adding.length", "table.column"]) | st.text(),
        st.sampled_from([*JUNK, *TASKS, *SCHEDULES, *OPTIMIZERS]) | st.text(),
    )
)
def test_any_junk_gives_an_experiment_and_complaints(parameters: dict[str, str]) -> None:
    experiment, complaints = from_link(parameters)
    assert type(experiment) is Experiment
    assert from_link(to_link(experiment)) == (experiment, [])
    assert len(complaints) <= len(parameters)
    assert all(len(complaint) < 700 for complaint in complaints)


@pytest.mark.parametrize("key", ["seed", "steps", "sine.length", "learning_rate"])
def test_a_number_of_four_hundred_digits_is_ignored_with_a_complaint(key: str) -> None:
    experiment, complaints = from_link({key: "1" + "0" * 400})
    assert experiment == Experiment()
    assert len(complaints) == 1


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        (
            {"learning_rate": "fast"},
            "Ignored in the link: Learning rate is 'fast'; choose a number from 1e-06 to 10.",
        ),
        (
            {"learning_rate": "off"},
            "Ignored in the link: Learning rate is 'off'; choose a number from 1e-06 to 10.",
        ),
        (
            {"seed": "1.5"},
            "Ignored in the link: Seed is '1.5'; choose a whole number from 0 to 9,999.",
        ),
        (
            {"optimizer": "gravity"},
            f"Ignored in the link: Optimizer is 'gravity'; choose one of: {', '.join(OPTIMIZERS)}.",
        ),
        ({"token": "x"}, "The link has an unknown setting 'token'; it is ignored."),
        ({"adding.length": "9"}, "The link has an unknown setting 'adding.length'; it is ignored."),
    ],
)
def test_what_a_link_can_not_mean_is_said_in_a_sentence(
    parameters: dict[str, str], complaint: str
) -> None:
    assert from_link(parameters) == (Experiment(), [complaint])


def test_one_bad_parameter_does_not_spoil_the_others() -> None:
    experiment, complaints = from_link({"seed": "x", "schedule": "cosine", "cosine.final": "0.5"})
    assert experiment == replace(Experiment(), schedule=Cosine(final=0.5))
    assert len(complaints) == 1


def test_the_order_of_the_parameters_does_not_matter() -> None:
    parameters = {"adding.length": "9", "task": "adding", "adding.size": "77"}
    assert from_link(parameters) == (Experiment(task=Adding(size=77, length=9)), [])


def test_the_keys_of_a_link_name_each_knob_once() -> None:
    assert KEYS == [
        "task",
        "sine.size",
        "sine.length",
        "sine.horizon",
        "sine.noise",
        "learning_rate",
        "clip_norm",
        "clip_value",
        "schedule",
        "warmup",
        "optimizer",
        "adam.beta1",
        "adam.beta2",
        "adam.eps",
        "adam.weight_decay",
        "adam.amsgrad",
        "cell",
        "gru.units",
        "gru.activation",
        "gru.tied_gates",
        "initial",
        "regularization",
        "loss",
        "loss_on",
        "batch_size",
        "steps",
        "epochs",
        "target_loss",
        "patience",
        "seed",
    ]

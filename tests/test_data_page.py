"""The data page of tasks that are made up: a few sequences, and what is known without training."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from gruviz.data import load, preview_of
from gruviz.data.theory import theory
from gruviz.experiment import TASKS, Experiment, FromTable
from gruviz.words import readable
from tests.page import labelled, opened, texts
from tests.test_sources_page import upload

DATA = "pages/Data.py"
MADE_UP = [name for name, row in TASKS.items() if not issubclass(row, FromTable)]


def picture(page: AppTest) -> tuple[dict[str, object], str]:
    (found,) = page.get("plotly_chart")
    return json.loads(found.proto.spec), found.proto.alt


@pytest.mark.parametrize("name", MADE_UP)
def test_a_task_is_shown_with_its_sequences_and_what_is_known_of_it(name: str) -> None:
    page = opened(DATA, {"task": name})
    said = texts(page)
    row = TASKS[name]
    assert f"**{row.label}.** {row.help}".replace("\\", "") in said
    experiment = Experiment(task=row())
    dataset = preview_of(experiment.task, experiment.seed)
    known = theory(experiment, dataset)
    for line in known.lines:
        assert f"- {line.label}: **{readable(line.value)}**" in said
    if known.threshold is not None:
        assert f"stays below **{readable(known.threshold)}**." in said
    if not known.lines and known.threshold is None:
        assert "Nothing is known of this loss without training." in said
    figure, alternative = picture(page)
    assert alternative and figure["data"]
    assert not page.error


def test_the_adding_problem_is_known_to_a_sixth() -> None:
    page = opened(DATA, {"task": "adding"})
    assert "**0.1667**" in texts(page)


def test_the_seed_decides_which_sequences_are_shown() -> None:
    one = picture(opened(DATA, {"task": "adding"}))[1]
    assert picture(opened(DATA, {"task": "adding"}))[1] == one
    assert picture(opened(DATA, {"task": "adding", "seed": "5"}))[1] != one
    target = load(TASKS["adding"](), 5).validation.targets[0]
    assert readable(float(target[0])) in picture(opened(DATA, {"task": "adding", "seed": "5"}))[1]


def test_rows_of_an_upload_are_shown_as_sequences_with_their_classes() -> None:
    rows = "kind,a,b,c\n" + "\n".join(
        f"{'<b>no</b>' if row % 2 else 'yes'},{row % 3},{row % 5},{row % 2}" for row in range(90)
    )
    page = upload(opened(DATA, {"task": "rows"}), rows, "rows.csv")
    assert not page.error
    assert labelled(page.selectbox, "Label column").value == "kind"
    figure, _words = picture(page)
    assert "<b>no" not in json.dumps(figure["layout"])
    assert [each.value for each in page.subheader][:3] == [
        "How it was read",
        "A few sequences",
        "Known without training",
    ]


def test_a_table_that_makes_no_sequences_is_refused_with_one_sentence_below_its_reading() -> None:
    page = opened(DATA, {"task": "rows", "rows.source": "sunspots_yearly"})
    assert len(page.error) == 1
    assert "How it was read" in [each.value for each in page.subheader]
    labelled(page.selectbox, "Task").select("sine").run()
    assert not page.error

"""What can be asked of a table names what `gruviz.data` can do, which it may not import."""

from gruviz.data.bundled import SAMPLE_NAMES
from gruviz.data.missing import METHODS
from gruviz.data.scaling import SCALERS
from gruviz.experiment import TASKS, FromTable, Knob, TableTask, about
from gruviz.experiment.table_tasks import FROM_TABLES
from gruviz.ui.sources import SAMPLE_LABELS


def options(name: str) -> list[str]:
    knob = dict(about(TableTask))[name]
    assert isinstance(knob, Knob) and knob.options is not None
    return list(knob.options)


def test_every_scaling_and_every_way_to_deal_with_missing_values_can_be_chosen() -> None:
    assert options("scaling") == list(SCALERS)
    assert options("missing") == list(METHODS)


def test_what_is_chosen_by_default_is_the_first_option() -> None:
    assert TableTask().scaling == options("scaling")[0]
    assert TableTask().missing == options("missing")[0]


def test_the_tasks_on_tables_are_rows_of_the_table_of_tasks() -> None:
    assert [task.name for task in FROM_TABLES] == ["table", "rows", "long"]
    assert [name for name, row in TASKS.items() if issubclass(row, FromTable)] == [
        row.name for row in FROM_TABLES
    ]


def test_only_the_learned_decay_leaves_missing_values_to_the_layer() -> None:
    assert [name for name in METHODS if TableTask(missing=name).decays] == ["decay"]


def test_the_source_of_a_task_is_a_sample_and_every_sample_has_a_label() -> None:
    assert TableTask().source in SAMPLE_NAMES
    assert set(SAMPLE_LABELS) == set(SAMPLE_NAMES)

"""Labelled sequences: the same from both layouts, split by sequence, told what was done."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from gruviz.data import Dataset, labelled
from gruviz.data.labelled import long_sequences, wide_sequences
from gruviz.errors import GruvizError
from gruviz.experiment import Kind

N = np.nan


def told(data: Dataset) -> tuple[str, ...]:
    return tuple(finding.sentence for finding in data.findings)


def wide(rows: list[list[float]], labels: Sequence[object], seed: int = 0) -> Dataset:
    frame = pd.DataFrame(rows, columns=[f"t{step}" for step in range(len(rows[0]))])
    values = list(frame.columns)
    frame.insert(0, "label", labels)
    return wide_sequences(frame, values, "label", seed)


def unscaled(data: Dataset) -> dict[tuple[float, ...], str]:
    """Each sequence of one channel in the table's units (NaN for padding), and its class."""
    found = {}
    for part in (data.train, data.validation):
        for inputs, target in zip(
            part.inputs[..., 0].astype(np.float64), part.targets, strict=True
        ):
            values = np.round(inputs * data.scale + data.mean, 3)
            found[tuple(np.where(inputs == 0, N, values).tolist())] = data.class_names[int(target)]
    return found


def numbered(count: int, length: int = 4) -> list[list[float]]:
    """Rows 1 2 3 4, 11 12 13 14, ..."""
    return [[10.0 * row + step for step in range(1, length + 1)] for row in range(count)]


def test_every_row_is_a_sequence_with_its_label() -> None:
    rows = numbered(10)
    data = wide(rows, ["cat", "dog"] * 5)
    assert (data.kind, data.outputs, data.class_names) == (Kind.CLASSIFICATION, 2, ("cat", "dog"))
    assert (data.features, data.findings, data.missing, data.left_out) == (1, (), 0, 0)
    assert data.train.inputs.dtype == np.float32 and data.train.targets.dtype == np.int64
    assert unscaled(data) == {
        tuple(row): ["cat", "dog"][index % 2] for index, row in enumerate(rows)
    }


def test_long_and_wide_tables_of_the_same_sequences_give_the_same() -> None:
    rows, labels = numbered(10), ["a", "b"] * 5
    frame = pd.DataFrame(
        [
            {"id": f"s{index}", "time": step, "x": value, "kind": labels[index]}
            for index, row in enumerate(rows)
            for step, value in enumerate(row)
        ]
    )
    shuffled = frame.sample(frac=1, random_state=3)
    ours, theirs = long_sequences(shuffled, "id", "time", ["x"], "kind", 0), wide(rows, [*labels])
    assert (ours.input_names, theirs.input_names) == (("x",), ("value",))
    for one, other in ((ours.train, theirs.train), (ours.validation, theirs.validation)):
        np.testing.assert_array_equal(one.inputs, other.inputs)
        np.testing.assert_array_equal(one.targets, other.targets)
    assert (ours.mean, ours.scale) == (theirs.mean, theirs.scale)


def test_several_values_are_channels_each_scaled_by_itself() -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(20), 5),
            "time": np.tile(np.arange(5), 20),
            "x": generator.normal(100, 1, 100),
            "y": generator.normal(-5, 50, 100),
            "label": np.repeat(np.arange(20) % 2, 5),
        }
    )
    data = long_sequences(frame, "id", "time", ["x", "y"], "label", 0)
    assert (data.features, data.class_names) == (2, ("0", "1"))
    np.testing.assert_allclose(data.train.inputs.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(data.train.inputs.std(axis=(0, 1)), 1, atol=1e-5)


def test_short_sequences_are_padded_at_the_front_and_long_ones_keep_their_end() -> None:
    rows = [*numbered(8, 6), [N] * 6, [N] * 6]
    for row in rows[:6]:
        row[4:] = [N, N]  # four steps: the usual length
    rows[6][2:] = [N] * 4  # two steps
    rows[8] = [81.0, N, 83.0, 84.0, N, N]
    data = wide(rows, ["a", "b"] * 5)
    assert data.train.inputs.shape[1] == 4
    found = unscaled(data)
    kept = {tuple(np.nan_to_num(row).tolist()): name for row, name in found.items()}
    assert kept[(0, 0, 61, 62)] == "a"
    assert kept[(73, 74, 75, 76)] == "b"
    assert kept[(81, 81, 83, 84)] == "a"
    assert len(kept) == 9
    assert told(data) == (
        "1 sequence without a label or without values is left out.",
        "1 sequence shorter than 4 time steps is padded at the front.",
        "Of 1 longer sequence the last 4 time steps are kept.",
        "1 missing value is filled with the one before it in its sequence.",
    )
    assert (data.left_out, data.missing) == (1, 1)


def test_where_no_length_is_usual_all_are_as_long_as_the_longest() -> None:
    rows = numbered(6, 6)
    for index, row in enumerate(rows):
        row[index + 1 :] = [N] * (5 - index)
    data = wide(rows, ["a", "b"] * 3)
    assert data.train.inputs.shape[1] == 6
    assert told(data) == ("5 sequences shorter than 6 time steps are padded at the front.",)
    assert not data.train.inputs[np.isclose(data.train.inputs, 0)].any()


def test_a_missing_value_never_comes_from_the_sequence_before() -> None:
    rows = numbered(10)
    rows[4][0] = N
    found = unscaled(wide(rows, ["a", "b"] * 5))
    (row,) = [row for row in found if row[1] == 42]
    assert np.isnan(row[0]) and row[1:] == (42, 43, 44)  # the mean, 0 when scaled


def test_each_class_gives_a_fifth_of_its_sequences_to_validation() -> None:
    labels = ["rare"] * 2 + ["some"] * 10 + ["many"] * 50 + ["once"]
    data = wide(numbered(63), labels)
    names = np.array(data.class_names)
    counts = {name: int((names[data.validation.targets] == name).sum()) for name in names}
    assert counts == {"rare": 1, "some": 2, "many": 10, "once": 0}
    assert len(data.train) + len(data.validation) == 63
    assert len(unscaled(data)) == 63  # no sequence is in both
    # The trainer validates on the first ones: they are of all classes.
    assert len(set(data.validation.targets[:6].tolist())) > 1


def test_the_seed_decides_the_split_and_validation_sequences_never_scale() -> None:
    rows = numbered(20)
    one, same, other = (wide(rows, ["a", "b"] * 10, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.train.inputs, same.train.inputs)
    assert not np.array_equal(one.train.inputs, other.train.inputs)
    known = one.train.inputs.astype(np.float64) * one.scale + one.mean
    assert one.mean == pytest.approx(known.mean())
    assert float(one.train.inputs.std()) == pytest.approx(1, abs=1e-5)
    held_out = {
        round(v)
        for v in (one.validation.inputs[:, 0, 0].astype(np.float64) * one.scale + one.mean).tolist()
    }
    for index, row in enumerate(rows):
        if row[0] in held_out:
            rows[index] = [1000 * v for v in row]
    changed = wide(rows, ["a", "b"] * 10, 1)
    assert (changed.mean, changed.scale) == (one.mean, one.scale)


def test_labels_that_are_numbers_missing_or_contradictory_are_dealt_with_and_told() -> None:
    frame = pd.DataFrame(
        {
            "id": [*np.repeat(np.arange(12), 2), None],
            "time": [*([1, 2] * 12), 1],
            "x": np.arange(25.0),
            "label": [*np.repeat(np.arange(12) % 2, 2).astype(float), 1.0],
        }
    )
    frame.loc[0, "label"] = N  # the other row of the sequence has one
    frame.loc[[2, 3], "label"] = N
    frame.loc[4, "label"] = 1.0  # the other row says 0
    data = long_sequences(frame, "id", "time", ["x"], "label", 0)
    assert data.class_names == ("0", "1")
    assert len(data.train) + len(data.validation) == 10
    assert told(data) == (
        "1 row without 'id' is left out.",
        "1 sequence with more than one label is left out.",
        "1 sequence without a label or without values is left out.",
    )


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["a"] * 6, "The labels have to name at least 2 classes, not 1; choose another column."),
        ([N] * 6, "The labels have to name at least 2 classes, not 0; choose another column."),
        (
            list("abcdef"),
            "Every sequence has a label of its own; choose a column whose labels come again.",
        ),
    ],
)
def test_labels_that_teach_nothing_are_refused(labels: list[object], message: str) -> None:
    with pytest.raises(GruvizError) as caught:
        wide(numbered(6), labels)
    assert str(caught.value) == message


def test_too_many_classes_and_too_many_values_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(GruvizError) as caught:
        wide(numbered(202), [f"c{row // 2}" for row in range(202)])
    assert str(caught.value) == (
        "The labels name 101 classes, more than 100; choose a column with fewer."
    )
    monkeypatch.setattr("gruviz.data.labelled.MOST_COPIED", 39)
    with pytest.raises(GruvizError) as caught:
        wide(numbered(10), ["a", "b"] * 5)
    assert str(caught.value) == (
        "10 sequences of 4 time steps are too many; keep fewer or shorter ones."
    )


def test_a_name_is_translated_by_who_shows_it_not_by_who_makes_the_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(labelled, "_", str.upper)
    assert wide([[1.0, 2.0]] * 10, ["a", "b"] * 5).input_names == ("value",)

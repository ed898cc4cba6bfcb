"""Sequences with a label, from a table: a row for each sequence, or a row for each time step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from gruviz.csv import Finding
from gruviz.csv.findings import note
from gruviz.data.dataset import Dataset, Sequences
from gruviz.data.scaling import fit
from gruviz.data.windows import MOST_COPIED, TRAINING_SHARE
from gruviz.errors import GruvizError
from gruviz.experiment import Kind
from gruviz.words import N_, _

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

MOST_CLASSES = 100
MOST_STEPS = 500
USUAL = 0.5  # share of the sequences that makes their length the one for all


def wide_sequences(frame: pd.DataFrame, values: Sequence[str], label: str, seed: int) -> Dataset:
    """A row for each sequence: its values in the order of the columns `values`, and its label.

    Empty cells after a row's last value are no time steps. See `long_sequences` for the rest.
    """
    cells = _numbers(frame, values)
    present = ~np.isnan(cells)
    lengths = np.where(present.any(axis=1), cells.shape[1] - present[:, ::-1].argmax(axis=1), 0)
    steps = np.arange(cells.shape[1]) < lengths[:, None]
    owner = np.broadcast_to(np.arange(len(cells))[:, None], cells.shape)[steps]
    return _dataset(owner, cells[steps][:, None], frame[label], (N_("value"),), seed, [])


def long_sequences(
    frame: pd.DataFrame, id: str, time: str, values: Sequence[str], label: str, seed: int
) -> Dataset:
    """A row for each time step: the sequence it belongs to, its time, its values and the label.

    Rows are put in the order of their times; equal times keep the order of the rows.

    What holds for both: the sequences are made equally long, the most frequent length if at least
    half of them have it, else the longest up to MOST_STEPS. Shorter ones are padded at the front
    with zeros (the mean), so that the last step is the last one for all; of longer ones the end is
    kept. A missing value is the last one of its sequence before it, or the mean. A fifth of the
    sequences of each class, drawn by the seed, is for validation; a class with one sequence has none
    there. The scaling to mean 0 and deviation 1 is fitted on training sequences. The dataset's
    `findings` say what was done.

    Raises GruvizError for less than two classes or more than MOST_CLASSES, no class with two
    sequences, or more values than fit.
    """
    findings: list[Finding] = []
    named = frame[id].notna().to_numpy(bool)
    if not named.all():
        count = int((~named).sum())
        findings.append(
            note(
                "no-sequence",
                N_("{count:,} row without {column!r} is left out."),
                N_("{count:,} rows without {column!r} are left out."),
                count=count,
                column=id[:80],
            )
        )
        frame = frame[named]
    kinds = frame.groupby(id, sort=False)[label].nunique()
    mixed = kinds.index[kinds > 1]
    if len(mixed):
        findings.append(
            note(
                "mixed-labels",
                N_("{count:,} sequence with more than one label is left out."),
                N_("{count:,} sequences with more than one label are left out."),
                count=len(mixed),
            )
        )
        frame = frame[~frame[id].isin(mixed)]
    frame = frame.sort_values(time, kind="stable")
    owner = pd.factorize(frame[id], sort=True)[0].astype(np.int64)
    order = np.argsort(owner, kind="stable")
    frame, owner = frame.iloc[order], owner[order]
    labels = frame[label].groupby(owner).first()  # the first that isn't missing
    return _dataset(owner, _numbers(frame, values), labels, tuple(values), seed, findings)


def _numbers(frame: pd.DataFrame, columns: Sequence[str]) -> Floats:
    """(rows, columns); NaN for what is no finite number."""
    cells = [
        pd.to_numeric(frame[column], errors="coerce").to_numpy(np.float64) for column in columns
    ]
    stacked = np.column_stack(cells)
    return np.where(np.isfinite(stacked), stacked, np.nan)


def _dataset(
    owner: Rows,
    values: Floats,
    labels: "pd.Series[Any]",
    names: tuple[str, ...],
    seed: int,
    findings: list[Finding],
) -> Dataset:
    """owner: for each row of `values`, in the order of time within it, the sequence it is of;
    labels: of each sequence."""
    usable = labels.notna().to_numpy(bool) & (np.bincount(owner, minlength=len(labels)) > 0)
    if not usable.all():
        count = int((~usable).sum())
        findings.append(
            note(
                "unusable",
                N_("{count:,} sequence without a label or without values is left out."),
                N_("{count:,} sequences without a label or without values are left out."),
                count=count,
            )
        )
    kept = usable[owner]
    owner, values = (np.cumsum(usable) - 1)[owner[kept]], values[kept]
    classes, found = np.unique(labels[usable].map(_text).to_numpy(str), return_inverse=True)
    _check(len(classes), found)
    counts = np.bincount(owner, minlength=len(found))
    length = _length(counts, findings)
    if len(found) * length * values.shape[1] > MOST_COPIED:
        raise GruvizError(
            _(
                "{count:,} sequences of {length:,} time steps are too many; keep fewer or shorter ones."
            ).format(count=len(found), length=length)
        )
    train, validation = _split(found, seed)
    scaling = fit("standard", values[np.isin(owner, train)])
    missing = int(np.isnan(values).sum())
    filled = _filled(scaling.apply(values), owner, counts)
    if missing:
        findings.append(
            note(
                "filled",
                N_("{count:,} missing value is filled with the one before it in its sequence."),
                N_(
                    "{count:,} missing values are filled with the one before them in their sequence."
                ),
                count=missing,
            )
        )
    place = np.arange(len(owner)) - np.repeat(np.cumsum(counts), counts) + length
    inputs = np.zeros((len(found), length, values.shape[1]), np.float32)
    inputs[owner[place >= 0], place[place >= 0]] = filled[place >= 0]
    everything = Sequences(inputs, found.astype(np.int64))
    return Dataset(
        Kind.CLASSIFICATION,
        everything[train],
        everything[validation],
        len(classes),
        names,
        tuple(classes.tolist()),
        mean=scaling.offset[0],
        scale=scaling.scale[0],
        missing=missing,
        left_out=int((~usable).sum()),
        findings=tuple(findings),
    )


def _text(label: object) -> str:
    """A label as it is shown; 1.0, which a column with holes makes of 1, is 1."""
    if isinstance(label, float) and label.is_integer():
        return str(int(label))
    return str(label)


def _check(classes: int, found: Rows) -> None:
    if classes < 2:
        raise GruvizError(
            _(
                "The labels have to name at least 2 classes, not {count}; choose another column."
            ).format(count=classes)
        )
    if classes > MOST_CLASSES:
        raise GruvizError(
            _(
                "The labels name {count:,} classes, more than {most}; choose a column with fewer."
            ).format(count=classes, most=MOST_CLASSES)
        )
    if np.bincount(found).max() < 2:
        raise GruvizError(
            _("Every sequence has a label of its own; choose a column whose labels come again.")
        )


def _length(counts: Rows, findings: list[Finding]) -> int:
    """How long all sequences are made."""
    often = np.bincount(counts)
    usual = len(often) - 1 - int(often[::-1].argmax())
    length = min(usual if often[usual] >= USUAL * len(counts) else int(counts.max()), MOST_STEPS)
    padded, cut = int((counts < length).sum()), int((counts > length).sum())
    if padded:
        findings.append(
            note(
                "padded",
                N_("{count:,} sequence shorter than {length:,} time steps is padded at the front."),
                N_(
                    "{count:,} sequences shorter than {length:,} time steps are padded at the front."
                ),
                count=padded,
                length=length,
            )
        )
    if cut:
        findings.append(
            note(
                "cut",
                N_("Of {count:,} longer sequence the last {length:,} time steps are kept."),
                N_("Of {count:,} longer sequences the last {length:,} time steps are kept."),
                count=cut,
                length=length,
            )
        )
    return length


def _split(classes: Rows, seed: int) -> tuple[Rows, Rows]:
    """Training and validation sequences, the same share of each class, in random order."""
    order = np.random.default_rng([seed, 2]).permutation(len(classes))
    by_class = order[np.argsort(classes[order], kind="stable")]
    sizes = np.bincount(classes)
    rank = np.empty(len(classes), np.int64)
    rank[by_class] = np.arange(len(classes)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    borders = np.clip(np.round(TRAINING_SHARE * sizes), 1, np.maximum(sizes - 1, 1))
    training = rank[order] < borders[classes[order]]
    return order[training], order[~training]


def _filled(scaled: Floats, owner: Rows, counts: Rows) -> Floats:
    """The last value of the same sequence for a missing one, or 0, the mean."""
    rows = np.arange(len(scaled))[:, None]
    seen = np.maximum.accumulate(np.where(np.isnan(scaled), -1, rows), axis=0)
    begins = (np.cumsum(counts) - counts)[owner][:, None]
    carried = np.take_along_axis(scaled, np.maximum(seen, 0), axis=0)
    return np.where(seen >= begins, carried, 0.0)

"""A table in a folder: its columns as Arrow files, which open without being read, and a JSON."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from gruviz.csv import Overrides, Table
from gruviz.data.plain import finding_of, plain_finding, plain_reading, reading_of

ABOUT, FRAME, LEARN = "about.json", "frame.arrow", "learn.arrow"
INDEX = "index"


def write_table(table: Table, folder: Path) -> None:
    """Write a table into a folder of its own. Raises OSError if there is no room."""
    frame, learn = table.frame, dict[str, pa.Array]()
    names = [str(name) for name in frame.columns]
    parts = {f"f{n}": _arrow(frame.iloc[:, n]) for n in range(len(names))}
    if isinstance(frame.index, pd.DatetimeIndex):
        parts[INDEX] = _ticks(frame.index)
    in_order = len(table.order) == len(frame) and bool(np.all(np.diff(table.order) == 1))
    columns: dict[str, str] = {}
    for n, (name, values) in enumerate(table.columns.items()):
        place = names.index(name) if in_order and name in names else None
        if place is not None and np.array_equal(frame.iloc[:, place], values, equal_nan=True):
            columns[name] = f"f{place}"
        else:
            columns[name] = f"c{n}"
            learn[f"c{n}"] = pa.array(values, from_pandas=False)
    learn["order"] = pa.array(table.order)
    if table.time is not None:
        learn["time"] = _ticks(table.time)
    if table.groups is not None:
        learn["groups"] = pa.array(table.groups)
    for file, arrays in ((FRAME, parts), (LEARN, learn)):
        batch = pa.table(arrays)
        with (
            pa.OSFile(str(folder / file), "wb") as sink,
            pa.ipc.new_file(sink, batch.schema) as out,
        ):
            out.write_table(batch, max_chunksize=max(batch.num_rows, 1))
    about = {
        "name": table.name,
        "digest": table.digest,
        "frame": names,
        "index": frame.index.name,
        "columns": columns,
        "kinds": dict(table.kinds),
        "reading": plain_reading(table.reading),
        "findings": [plain_finding(each) for each in table.findings],
        "overrides": table.overrides.to_json(),
        "time": None if table.time is None else table.time.name,
        "units": [getattr(each, "unit", None) for each in (frame.index, table.time)],
    }
    (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")


def open_table(folder: Path) -> Table | None:
    """The table that was written into a folder, its numbers mapped; None if there is none."""
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        parts, learn = (_mapped(folder / file) for file in (FRAME, LEARN))
    except FileNotFoundError:
        return None
    frame = pd.DataFrame(
        {name: _series(parts, f"f{n}") for n, name in enumerate(about["frame"])},
        index=pd.RangeIndex(parts.num_rows),
        copy=False,
    )
    if INDEX in parts.column_names:
        frame.index = _times(parts, INDEX, about["index"], about["units"][0])
    columns = {
        name: _numpy(parts if place.startswith("f") else learn, place)
        for name, place in about["columns"].items()
    }
    time = (
        _times(learn, "time", about["time"], about["units"][1])
        if "time" in learn.column_names
        else None
    )
    groups = _numpy(learn, "groups") if "groups" in learn.column_names else None
    return Table(
        about["name"],
        about["digest"],
        frame,
        columns,
        time,
        _numpy(learn, "order"),
        groups,
        about["kinds"],
        reading_of(about["reading"]),
        tuple(map(finding_of, about["findings"])),
        Overrides.from_json(about["overrides"]),
    )


def _arrow(column: "pd.Series[Any]") -> pa.Array:
    if column.dtype == np.float64:
        return pa.array(column.to_numpy(), from_pandas=False)  # NaN is a number: no copy later
    found = pa.array(column)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _ticks(times: pd.DatetimeIndex) -> pa.Array:
    """Times as whole numbers of their unit: a time that is missing is one of them, not a null."""
    return pa.array(times.to_numpy().view(np.int64))


def _times(table: pa.Table, name: str, label: str | None, unit: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(_numpy(table, name).view(f"datetime64[{unit}]"), name=label)


def _mapped(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _numpy(table: pa.Table, name: str) -> npt.NDArray[Any]:
    chunks = table[name].chunks
    if len(chunks) == 1:
        return chunks[0].to_numpy(zero_copy_only=True)  # type: ignore[no-any-return]
    return table[name].to_numpy()  # type: ignore[no-any-return]


def _series(table: pa.Table, name: str) -> Any:
    if pa.types.is_floating(table.schema.field(name).type):
        return _numpy(table, name)
    return table.select([name]).to_pandas()[name].array

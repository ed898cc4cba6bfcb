"""Data sets made once: on a shelf for all processes, or in the memory of one."""

import errno
import json
import os
import shutil
import threading
import time
import warnings
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gruviz.data import Dataset, Sequences, Table, fetch_sample, load, read_csv, shelf
from gruviz.data.backtest import Fold
from gruviz.data.latest import Latest
from gruviz.data.loading import IN_MEMORY
from gruviz.data.shelf import Allocate, Memory, Shelf
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError, PassingError
from gruviz.experiment import TASKS, Kind, SineMixture, TableTask, Waveforms

FULL = "There is no room for this data on the server; make less of it, or try later."


@pytest.fixture(autouse=True)
def _nothing_open() -> Iterator[None]:
    shelf._opened.clear()
    yield
    shelf._opened.clear()


def ones(count: int, calls: list[int] | None = None, size: int = 1000) -> shelf.Make:
    """Makes `count` sequences of ones."""

    def make(allocate: Allocate) -> Dataset:
        if calls is not None:
            calls.append(count)
        inputs, targets = allocate((count, size, 1), np.float32), allocate((count, 1), np.float32)
        inputs[...], targets[...] = 1, count
        part = Sequences(inputs, targets)
        return Dataset(Kind.REGRESSION, part, part[slice(0, 1)], 1, ("value",))

    return make


def arrays(data: Dataset) -> list[np.ndarray]:
    parts = (data.train, data.validation)
    found = [array for part in parts for array in (part.inputs, part.targets)]
    return [*found, *(each for each in (data.ends, data.latest) if each is not None)]


def facts(data: Dataset) -> dict[str, Any]:
    hidden = ("train", "validation", "ends", "latest")
    return {name: value for name, value in vars(data).items() if name not in hidden}


EVERY_KIND = [
    *(task() for task in TASKS.values()),
    *(
        TableTask(missing=way, holes=0.1)
        for way in ("drop", "carry", "interpolate", "mask", "decay")
    ),
]


@pytest.mark.parametrize("task", EVERY_KIND, ids=lambda task: f"{task.name}")
def test_what_is_on_the_shelf_is_what_is_made_without_one(task: Any, tmp_path: Path) -> None:
    made, tables = load(task, 3), TableStore(tmp_path)
    for _place in ("made here", "found"):
        shelf._opened.clear()
        data = load(task, 3, tables)
        for here, there in zip(arrays(data), arrays(made), strict=True):
            assert (here.shape, here.dtype) == (there.shape, there.dtype)
            np.testing.assert_array_equal(here, there)
        assert facts(data) == facts(made)


def test_overlapping_windows_take_the_room_of_their_rows(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    table = tables.put(("a\n" + "\n".join(str(n % 7) for n in range(5_000))).encode(), "mine.csv")
    data = load(TableTask(source=table.source, window=500), 0, tables)
    written = sum(file.stat().st_size for file in (tmp_path / "data").rglob("*") if file.is_file())
    assert data.train.inputs.nbytes > 5_000_000
    assert written < 60_000


def test_a_data_set_is_made_once_and_then_only_opened(tmp_path: Path) -> None:
    calls: list[int] = []
    for _process in range(3):
        shelf._opened.clear()
        Shelf(tmp_path).get("a", ones(4, calls))
    first = Shelf(tmp_path).get("a", ones(4, calls))
    assert Shelf(tmp_path).get("a", ones(4, calls)) is first
    assert calls == [4]


def test_who_comes_while_it_is_made_waits_for_it(tmp_path: Path) -> None:
    calls: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def slowly(allocate: Allocate) -> Dataset:
        begun.set()
        go_on.wait(10)
        return ones(4, calls)(allocate)

    found: list[Dataset] = []
    threads = [
        threading.Thread(target=lambda make=make: found.append(Shelf(tmp_path).get("a", make)))
        for make in (slowly, ones(4, calls))
    ]
    threads[0].start()
    begun.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert calls == [4] and len(found) == 2


def test_writing_to_what_is_shared_changes_nobody_elses(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of arrays that can't be written to
        mine = torch.from_numpy(Shelf(tmp_path).get("a", ones(4)).train.inputs)
    mine[...] = 7
    shelf._opened.clear()
    assert (Shelf(tmp_path).get("a", ones(4)).train.inputs == 1).all()


def test_whatever_was_used_least_lately_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_DATA_MB", "10")
    for age, key in ((100, "old"), (300, "older"), (200, "middle")):
        Shelf(tmp_path).get(key, ones(1000))  # four megabytes
        os.utime(tmp_path / key, (time.time() - age,) * 2)
    kept = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert kept == {"old", "middle"}


def test_what_is_in_use_is_never_pushed_out_and_what_is_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_DATA_MB", "10")
    for key in "ab":
        Shelf(tmp_path).get(key, ones(1000))
    with pytest.raises(PassingError) as caught:
        Shelf(tmp_path).get("c", ones(1000))
    assert str(caught.value) == FULL
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}
    os.utime(tmp_path / "a", (0, 0))  # nobody uses it any more: the same may be asked for again
    assert len(Shelf(tmp_path).get("c", ones(1000)).train) == 1000
    assert {path.name for path in tmp_path.iterdir()} == {"b", "c"}


def test_a_set_that_was_evicted_is_held_until_its_process_asks_for_another(tmp_path: Path) -> None:
    data = weakref.ref(Shelf(tmp_path).get("a", ones(4)))
    shutil.rmtree(tmp_path / "a")
    held = data()
    assert held is not None and (held.train.inputs == 1).all()
    del held
    Shelf(tmp_path).get("b", ones(5))
    assert data() is None


def test_a_process_holds_on_to_a_part_of_the_shelf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_DATA_MB", "40")
    held = [weakref.ref(Shelf(tmp_path).get(key, ones(1000))) for key in "abcd"]  # 4 MB each
    assert [data() is None for data in held] == [True, True, False, False]


def full(*_arguments: object, **_keywords: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("place", "name"),
    [(Path, "mkdir"), (os, "open"), (os, "posix_fallocate"), (Path, "write_text"), (np, "memmap")],
)
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(place, name, full)
        with pytest.raises(PassingError) as caught:
            Shelf(tmp_path / "data").get("a", ones(4))
    assert str(caught.value) == FULL
    assert not list(tmp_path.rglob("data/*"))
    assert len(Shelf(tmp_path / "data").get("a", ones(4)).train) == 4


def test_no_lock_outlives_its_maker_and_who_waited_for_it_is_alone_all_the_same(
    tmp_path: Path,
) -> None:
    making, begun, go_on = [0], threading.Event(), threading.Event()
    most = []

    def fails(_allocate: Allocate) -> Dataset:
        making[0] += 1
        most.append(making[0])
        begun.set()
        go_on.wait(10)
        making[0] -= 1
        raise GruvizError("no")

    def ask() -> None:
        for _time in range(3):
            with pytest.raises(GruvizError):
                Shelf(tmp_path).get("a", fails)

    threads = [threading.Thread(target=ask) for _thread in range(3)]
    for thread in threads:
        thread.start()
    begun.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert most == [1] * 9
    assert not list(tmp_path.iterdir())
    Shelf(tmp_path).get("a", ones(4))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_maker_left_behind_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "a.aside").mkdir()
    (tmp_path / "a.aside" / "0").write_bytes(b"half")
    assert len(Shelf(tmp_path).get("a", ones(4)).train) == 4


def test_what_a_killed_maker_left_behind_takes_nobodys_room_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_MAX_DATA_MB", "10")
    half = tmp_path / "a.aside"
    half.mkdir()
    (half / "0").write_bytes(bytes(8_000_000))
    with pytest.raises(PassingError):
        Shelf(tmp_path).get("b", ones(1000))
    os.utime(half, (time.time() - 100,) * 2)
    Shelf(tmp_path).get("b", ones(1000))
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_nothing_on_the_shelf_is_a_pickle(tmp_path: Path) -> None:
    load(TableTask(), 0, TableStore(tmp_path))
    for file in tmp_path.rglob("*"):
        if file.name == "about.json":
            assert json.loads(file.read_text())["unit"] == "SUNACTIVITY"
        elif file.is_file():
            assert file.name.isdecimal() or file.suffix == ".lock"


def test_a_process_without_a_shelf_keeps_what_it_used_last() -> None:
    calls: list[int] = []
    memory = Memory(Latest(10_000_000, shelf.size))
    for count in (1000, 1001, 1000, 1002, 1000, 1001):  # four megabytes each
        memory.get(str(count), ones(count, calls))
    assert calls == [1000, 1001, 1002, 1001]


def test_a_table_that_has_changed_under_its_name_is_not_the_old_one() -> None:
    rows = ["\n".join(f"{(row * k) % 11}" for row in range(60)) for k in (3, 7)]
    now = [read_csv(f"a\n{rows[0]}".encode(), name="mine.csv")]

    def fetch(_source: str) -> Table:
        return now[0]

    task = TableTask(source="mine", window=5, horizon=2)
    before = load(task, 0, fetch).train.inputs.copy()
    now[0] = read_csv(f"a\n{rows[1]}".encode(), name="mine.csv")
    after = load(task, 0, fetch).train.inputs
    assert not np.array_equal(before, after)


def test_a_fold_has_data_of_its_own(tmp_path: Path) -> None:
    task = TableTask()
    for fetch in (fetch_sample, TableStore(tmp_path)):
        whole, fold = load(task, 0, fetch), load(task, 0, fetch, Fold(150, 200))
        assert (whole.border, fold.border) == (247, 150)
        assert load(task, 0, fetch).border == whole.border


def test_data_of_one_chunk_is_that_of_one_generator() -> None:
    from gruviz.data import synthetic

    task = SineMixture()
    whole = synthetic.sine(task, task.size, np.random.default_rng([5, 2]))
    np.testing.assert_array_equal(load(task, 5).train.inputs, whole.inputs)


def test_sequences_in_chunks_are_all_different_and_memory_stays_bounded() -> None:
    import tracemalloc

    task = Waveforms(size=30_000, length=100)
    IN_MEMORY.kept.clear()
    tracemalloc.start()
    data = load(task, 0)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(np.unique(data.train.inputs[:, :3, 0], axis=0)) == 30_000
    assert peak < data.train.inputs.nbytes + 80_000_000
    few = load(replace(task, size=5_242), 0)  # a chunk
    np.testing.assert_array_equal(few.train.inputs, data.train.inputs[:5_242])

"""Uploads on disk, found by the digest of their bytes."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from gruviz.data import store
from gruviz.data.csv import Overrides
from gruviz.data.store import TableStore
from gruviz.data.tables import sample
from gruviz.errors import GruvizError

GONE = "The data of this experiment isn't here; upload the file again, or choose a sample."


def kept(digests: Iterable[str]) -> list[str]:
    """The files that stand for uploads: the bytes and the name of each."""
    return [name for digest in digests for name in (digest, f"{digest}.name")]


def csv(first: int) -> bytes:
    return ("a\n" + "".join(f"{first}\n{row}\n" for row in range(10))).encode()


def test_a_table_that_was_put_is_found_by_its_digest(tmp_path: Path) -> None:
    table = TableStore(tmp_path).put(csv(3), "mine.csv")
    found = TableStore(tmp_path)(table.digest)
    assert (table.name, found.digest, found.rows) == ("mine.csv", table.digest, 20)
    np.testing.assert_array_equal(found.columns["a"], table.columns["a"])


def test_equal_bytes_are_kept_once_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digests = {tables.put(csv(3), name).digest for name in ("mine", "yours")}
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(kept(digests))
    assert (tmp_path / digests.pop()).read_bytes() == csv(3)


def test_a_sample_is_found_by_its_name(tmp_path: Path) -> None:
    assert TableStore(tmp_path)("co2_weekly") is sample("co2_weekly")


@pytest.mark.parametrize("source", ["0" * 64, "", ".", "../secret", "/etc/passwd", "A" * 64, "x\0"])
def test_what_was_not_put_is_not_found(tmp_path: Path, source: str) -> None:
    (tmp_path.parent / "secret").write_bytes(csv(1))
    with pytest.raises(GruvizError) as caught:
        TableStore(tmp_path)(source)
    assert str(caught.value) == GONE


def test_a_table_is_found_with_the_overrides_it_was_put_with(tmp_path: Path) -> None:
    table = TableStore(tmp_path).put(csv(3), "mine.csv", Overrides(footer=2))
    found = TableStore(tmp_path)(table.source)
    assert (found.rows, found.overrides, found.source) == (18, Overrides(footer=2), table.source)
    assert TableStore(tmp_path)(table.digest).rows == 20
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(kept([table.digest]))


def test_a_sample_is_read_in_another_way(tmp_path: Path) -> None:
    assert TableStore(tmp_path)('co2_weekly?{"footer":4}').rows == 2280


@pytest.mark.parametrize(
    "changes", ["{", "[]", "null", '{"path":"/etc"}', '{"footer":-1}', "{" * 5000, '{"step":NaN}']
)
def test_overrides_of_a_hostile_link_are_refused(tmp_path: Path, changes: str) -> None:
    table = TableStore(tmp_path).put(csv(3), "mine.csv")
    with pytest.raises(GruvizError):
        TableStore(tmp_path)(f"{table.digest}?{changes}")


def test_a_file_that_can_not_be_used_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(GruvizError):
        TableStore(tmp_path).put(b"a;b\n1;2\n", "x")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_failed_once_is_found_when_it_is_put(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digest = TableStore(tmp_path).put(csv(3), "x").digest
    content = (tmp_path / digest).read_bytes()
    tables.drop(digest)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(GruvizError):
        tables(digest)
    tables.put(content, "x")
    assert tables(digest).digest == digest


def put_many(folder: Path, count: int) -> list[str]:
    """Put `count` tables, each a second older than the next."""
    tables, digests = TableStore(folder), []
    for first in range(count):
        digests.append(tables.put(csv(first), "x").digest)
        os.utime(folder / digests[-1], (first, first))
    return digests


def test_the_oldest_tables_make_room_when_there_are_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_TABLES", 5)
    digests = put_many(tmp_path, 7)
    assert {file.name for file in tmp_path.iterdir()} == set(kept(digests[2:]))


def test_no_table_has_to_go_while_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_TABLES", 10)
    digests = put_many(tmp_path, 10)
    assert {file.name for file in tmp_path.iterdir()} == set(kept(digests))


def test_an_upload_is_readable_by_its_server_alone(tmp_path: Path) -> None:
    digest = TableStore(tmp_path).put(csv(3), "x").digest
    assert stat.S_IMODE((tmp_path / digest).stat().st_mode) == 0o600

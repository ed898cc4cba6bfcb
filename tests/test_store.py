"""Uploads on disk, found by the digest of their bytes."""

import errno
import os
import stat
from pathlib import Path

import numpy as np
import pytest

from gruviz.csv import Overrides
from gruviz.data import load, store
from gruviz.data.bundled import sample
from gruviz.data.store import TableStore
from gruviz.errors import GruvizError, PassingError
from gruviz.experiment import TableTask

GONE = "The data of this experiment isn't here; upload the file again, or choose a sample."


def csv(first: int) -> bytes:
    return ("a\n" + "".join(f"{first}\n{row}\n" for row in range(10))).encode()


def test_a_table_that_was_put_is_found_by_its_digest(tmp_path: Path) -> None:
    table = TableStore(tmp_path).put(csv(3), "mine.csv")
    found = TableStore(tmp_path)(table.digest)
    assert (table.name, found.digest, found.rows) == ("mine.csv", table.digest, 20)
    np.testing.assert_array_equal(found.columns["a"], table.columns["a"])


def test_a_name_that_is_no_text_is_kept_as_far_as_it_is(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    assert tables.name(tables.keep(csv(3), "mine\udcff.csv")) == "mine?.csv"


def test_a_table_that_is_gone_may_come_back(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    content = "a\n" + "\n".join(str(n % 7) for n in range(300))
    source = tables.put(content.encode(), "mine.csv", Overrides(footer=2)).source
    task = TableTask(source=source, window=10)
    tables.drop(source.partition("?")[0])
    with pytest.raises(PassingError) as caught:
        load(task, 0, tables)
    assert str(caught.value) == GONE
    tables.keep(content.encode(), "mine.csv")
    assert len(load(task, 0, tables).train) > 100


def files(folder: Path) -> list[str]:
    """All files of a store, without the digests of their uploads and of how those were read."""
    found = [file.relative_to(folder).parts[1:] for file in folder.rglob("*") if file.is_file()]
    return sorted("/".join(part.partition("-")[0] for part in parts) for parts in found)


ONE_READING = ["content", "name", "read/about.json", "read/frame.arrow", "read/learn.arrow"]


def test_equal_bytes_are_kept_once_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digests = {tables.put(csv(3), name).digest for name in ("mine", "yours")}
    assert [file.name for file in tmp_path.iterdir()] == list(digests)
    assert files(tmp_path) == ONE_READING
    assert (tmp_path / digests.pop() / "content").read_bytes() == csv(3)


def test_a_table_is_parsed_once_for_all_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = TableStore(tmp_path).put(csv(3), "mine.csv").source
    monkeypatch.setattr(store, "read_csv", None)
    store._opened.clear()  # as in another process
    assert TableStore(tmp_path)(source).rows == 20
    assert TableStore(tmp_path)(source) is TableStore(tmp_path).at_hand(source)


def test_what_is_not_parsed_is_not_at_hand(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digest = tables.keep(csv(3), "mine.csv")
    assert tables.at_hand(digest) is None
    assert (tables.name(digest), tables(digest).rows) == ("mine.csv", 20)
    assert tables.at_hand(digest) is not None


def test_of_the_ways_to_read_a_file_the_last_used_are_kept(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digest = tables.keep(csv(3), "mine.csv")
    for footer in range(7):
        assert tables(f'{digest}?{{"footer":{footer}}}').rows == 20 - footer
    assert len(files(tmp_path)) == 2 + 3 * store.MOST_READINGS


def test_who_asks_for_a_table_or_sends_it_again_uses_it_and_who_sheds_it_does_not(
    tmp_path: Path,
) -> None:
    tables = TableStore(tmp_path)
    digest = tables.put(csv(3), "mine.csv").digest
    tables(f'{digest}?{{"footer":1}}')
    uses = (
        (lambda: tables(digest), True),
        (lambda: tables.keep(csv(3), "mine.csv"), True),
        (lambda: tables.shed(digest), False),
    )
    for use, used in uses:
        os.utime(tmp_path / digest, (5, 5))
        use()
        assert (tables.held()[digest][0] > 5) is used
    assert len(files(tmp_path)) == 2 + 3  # and it was shed


def test_a_way_to_read_a_file_that_is_opened_again_is_used(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digest = tables.keep(csv(3), "mine.csv")
    ways = [f'{digest}?{{"footer":{footer}}}' for footer in range(3)]
    for age, way in enumerate(ways):
        tables(way)
        os.utime(tables._read_as(way), (age, age))
    store._opened.clear()  # as in another process
    assert tables.at_hand(ways[0]) is not None
    tables.shed(digest, 2)
    assert [tables._read_as(way).exists() for way in ways] == [True, False, True]


def test_a_file_takes_the_bytes_of_all_that_it_was_read_as(tmp_path: Path) -> None:
    tables = TableStore(tmp_path)
    digest = tables.put(csv(3), "mine.csv").digest
    (tmp_path / digest / "gone meanwhile").symlink_to("nowhere")
    written = sum(each.stat().st_size for each in tmp_path.rglob("*") if each.is_file())
    assert tables.held()[digest][1] == written > 3 * len(csv(3))


def test_a_file_that_takes_too_long_is_given_up_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = TableStore(tmp_path)
    digest = tables.keep(csv(3), "mine.csv")
    monkeypatch.setattr(store, "READ_SECONDS", 0.0)
    with pytest.raises(GruvizError) as caught:
        tables(digest)
    assert str(caught.value) == (
        "Reading this file takes more than 0 seconds; keep fewer rows or columns and upload it again."
    )
    assert files(tmp_path) == ["content", "name"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    tables = TableStore(tmp_path)
    digest = tables.keep(csv(3), "mine.csv")
    monkeypatch.setattr(store, "write_table", full)
    with pytest.raises(GruvizError) as caught:
        tables(digest)
    sentence = (
        "There is no room for this file on the server (No space left on device); try again later."
    )
    assert str(caught.value) == sentence
    assert files(tmp_path) == ["content", "name"]
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(GruvizError) as caught:
        tables.keep(csv(4), "other.csv")
    assert str(caught.value) == sentence
    assert [file.name for file in tmp_path.iterdir()] == [digest]


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
    assert [file.name for file in tmp_path.iterdir()] == [table.digest]


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
    content = (tmp_path / digest / "content").read_bytes()
    tables.drop(digest)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(GruvizError):
        tables(digest)
    tables.put(content, "x")
    assert tables(digest).digest == digest


def test_an_upload_is_readable_by_its_server_alone(tmp_path: Path) -> None:
    digest = TableStore(tmp_path).put(csv(3), "x").digest
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / digest).iterdir()}
    assert stat.S_IMODE((tmp_path / digest).stat().st_mode) == 0o700
    assert modes == {0o600, 0o700}

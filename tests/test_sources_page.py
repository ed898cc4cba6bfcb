"""Uploads on the page: read by a worker, seen by their visitor alone, refused with one sentence."""

import sys
from typing import Any

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.testing.v1 import AppTest

from gruviz.errors import GruvizError
from gruviz.experiment import TableTask
from gruviz.runs import Run, classroom
from gruviz.ui import sources
from tests.page import button, go, labelled, opened, pressed, stepped, texts

CSV = "day,price\n" + "\n".join(f"{day},{100 + (day * 7) % 13}" for day in range(120))
OTHER = "a,b\n" + "\n".join(f"{row},{row * row % 11}" for row in range(120))
LINK = {"task": "table"}


def upload(page: AppTest, content: str | bytes, name: str = "prices.csv") -> AppTest:
    data = content.encode() if isinstance(content, str) else content
    page.file_uploader[0].set_value((name, data, "text/csv")).run()
    assert not page.exception
    return page


def menu(page: AppTest) -> Any:
    return labelled(page.selectbox, "Data")


def source(page: AppTest) -> str:
    return str(page.query_params["table.source"])


def table_of(run: Run) -> str:
    assert isinstance(run.experiment.task, TableTask)
    return run.experiment.task.source


def test_an_upload_is_chosen_and_its_columns_are_offered() -> None:
    page = upload(opened(link=LINK), CSV)
    assert menu(page).options == [
        "Sunspots, yearly",
        "CO₂ at Mauna Loa, weekly",
        "Airline passengers, monthly",
        "Handwritten digits, a row each",
        "Four waveforms, a row a time step",
        "prices.csv",
    ]
    assert menu(page).value == source(page)
    assert labelled(page.selectbox, "Column").options == ["day", "price"]
    assert labelled(page.selectbox, "Column").value == "price"
    menu(page).set_value("sunspots_yearly").run()
    assert labelled(page.selectbox, "Column").value == "SUNACTIVITY"
    menu(page).set_value(next(iter(page.session_state["uploads"]))).run()
    assert labelled(page.selectbox, "Column").value == "price"


def test_an_upload_is_read_by_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_keywords: object) -> None:
        raise AssertionError("read by the page's own process")

    monkeypatch.setattr(sys.modules["gruviz.data.store"], "read_csv", refuse)
    page = upload(opened(link=LINK), CSV + "\n120,7")
    assert labelled(page.selectbox, "Column").value == "price"


def test_streamlit_forgets_the_bytes_of_a_file_that_was_handled_and_the_page_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    managers: list[MemoryUploadedFileManager] = []
    add = MemoryUploadedFileManager.add_file

    def watched(manager: MemoryUploadedFileManager, *arguments: Any) -> None:
        managers.append(manager)
        add(manager, *arguments)

    monkeypatch.setattr(MemoryUploadedFileManager, "add_file", watched)
    for content, name in ((CSV + "\n121,7", "prices.csv"), (BROKEN["a picture"], "broken.csv")):
        page = upload(opened(link=LINK), content, name)
        assert managers and not any(each.file_storage for each in managers)
    assert "broken.csv: This is a picture" in texts(page)


def test_a_file_that_was_refused_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    page = upload(opened(link=LINK), BROKEN["a picture"] + b"again", "broken.csv")
    said = texts(page)
    monkeypatch.setattr(classroom().pool, "submit", None)  # no worker is asked any more
    other = upload(opened(link=LINK), BROKEN["a picture"] + b"again", "broken.csv")
    assert "This is a picture" in said and "This is a picture" in texts(other)


def test_an_upload_is_there_on_the_other_pages_and_for_a_run() -> None:
    page = upload(opened("pages/Data.py", LINK), CSV)
    digest = source(page)
    go(page, "pages/Lab.py")
    go(page, "app.py")
    assert menu(page).value == digest == source(page)
    run = stepped(page, 2)
    assert table_of(run) == digest


def test_two_files_of_one_name_are_told_apart_and_one_file_is_kept_once() -> None:
    page = upload(opened(link=LINK), CSV)
    first = source(page)
    upload(page, OTHER)
    second = source(page)
    assert menu(page).options[5:] == ["prices.csv", f"prices.csv · {second[:6]}"]
    upload(page, CSV)
    assert source(page) == first
    assert len(menu(page).options) == 7


def test_a_visitor_can_not_use_the_digest_of_another_ones_upload() -> None:
    theirs = upload(opened(link=LINK), CSV)
    digest = source(theirs)
    assert classroom().tables(digest).rows == 120  # it is on the server
    for link in (
        {"table.source": digest},
        {"table.source": digest, "table.column": "price"},
        {"table.source": digest + '?{"decimal":","}'},
    ):
        page = opened(link=LINK | link)
        assert menu(page).value == "sunspots_yearly"
        assert "an upload doesn't go with a link" in texts(page)
        assert digest not in menu(page).options
        assert "price" not in texts(page) + str(labelled(page.selectbox, "Column").options)


def test_what_a_visitor_may_not_see_is_refused_wherever_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = source(upload(opened(link=LINK), CSV))
    monkeypatch.setattr(sources, "uploads", lambda: {})
    for wanted in (digest, digest + '?{"decimal":","}', "0" * 64, "../secret"):
        with pytest.raises(GruvizError) as caught:
            sources.fetch(wanted)
        assert "uploaded by somebody else or is gone" in str(caught.value)
    monkeypatch.setattr(sources, "uploads", lambda: {digest: "mine.csv"})
    assert sources.fetch(digest).rows == 120


BROKEN = {
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\xff",
    "nothing": b"",
    "words": b"once upon a time\nthere was\nno table\n",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_upload_is_refused_with_one_sentence_and_not_kept(what: str) -> None:
    page = opened(link=LINK)
    before = set(classroom().tables.folder.iterdir())
    upload(page, BROKEN[what], "*broken*.csv")
    (said,) = page.error
    text = said.value.replace("\\", "")
    assert text.startswith("*broken*.csv: ") and text.endswith(".")
    assert "\\*broken\\*" in said.value  # shown as text
    assert set(classroom().tables.folder.iterdir()) == before
    assert menu(page).value == "sunspots_yearly"
    assert "uploads" not in page.session_state or page.session_state["uploads"] == {}
    page.run()
    assert [each.value for each in page.error] == [said.value]  # as long as the file lies there
    page.file_uploader[0].clear().run()
    assert not page.error


def test_a_broken_upload_leaves_a_good_one_as_it_is() -> None:
    page = upload(opened(link=LINK), CSV)
    good = source(page)
    upload(page, BROKEN["a picture"], "broken.csv")
    assert source(page) == good
    assert len(page.error) == 1
    upload(page, OTHER, "other.csv")
    assert not page.error
    assert source(page) != good


def test_a_name_that_is_markup_is_an_option_like_any_other() -> None:
    page = upload(opened(link=LINK), CSV, "<b>*x*</b>.csv")
    assert menu(page).options[-1] == "<b>*x*</b>.csv"
    pressed(page, "Step")
    labelled(page.selectbox, "Data").set_value("sunspots_yearly").run()
    (waiting,) = [e.value for e in page.markdown if "With the next Train" in e.value]
    assert "<b>" not in waiting and "\\<b\\>" in waiting


def test_two_visitors_with_equal_files_each_see_their_own_name() -> None:
    upload(opened(link=LINK), CSV, "secret name.csv")
    page = upload(opened(link=LINK), CSV, "mine.csv")
    assert menu(page).options[-1] == "mine.csv"


def test_a_run_that_is_taken_up_after_a_refresh_brings_its_upload_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = upload(opened(link=LINK), CSV)
    run = stepped(page, 1)
    kept: dict[str, str] = {}
    monkeypatch.setattr(sources, "uploads", lambda: kept)
    sources.adopt(table_of(run))
    assert list(kept) == [source(page)]
    sources.adopt("sunspots_yearly")
    assert len(kept) == 1


def test_columns_that_a_table_lacks_are_not_kept_from_another_one() -> None:
    page = upload(opened(link=LINK), CSV)
    further = labelled(page.multiselect, "Further inputs")
    assert further.options == ["day"]
    further.set_value(["day"]).run()
    assert page.query_params["table.further"] == '["day"]'
    menu(page).set_value("sunspots_yearly").run()
    assert not page.exception
    assert labelled(page.multiselect, "Further inputs").value == []
    assert "table.further" not in page.query_params


def test_a_table_to_classify_offers_text_columns_first() -> None:
    rows = "kind,x,y\n" + "\n".join(f"{'ab'[row % 2]},{row},{row % 5}" for row in range(80))
    page = upload(opened("pages/Data.py", {"task": "rows"}), rows, "rows.csv")
    assert labelled(page.selectbox, "Label column").options[0] == "kind"
    assert labelled(page.selectbox, "Label column").value == "kind"
    assert button(page, "Read again")

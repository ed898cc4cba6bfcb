"""Every visible string of every page goes through gettext, seen under a language that brackets it."""

import gettext
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from gruviz import words
from gruviz.csv import read_csv
from gruviz.data import SAMPLE_NAMES, fetch_sample, load, preview_of, previewed
from gruviz.data.store import TableStore
from gruviz.data.theory import theory
from gruviz.experiment import OPTIMIZERS, TASKS, Adding, Experiment, TableTask
from gruviz.experiment.link import to_link
from gruviz.runs import classroom
from gruviz.ui import frame
from tests.page import button, go, mine, opened, run_of, wait_for, wait_until_settled
from tests.test_forecasting import LINK
from tests.test_lab_page import SMALL, press
from tests.test_run import OnDemand, a_run

# What is called the same in every language: measures, weights, papers, codecs, a file's own columns.
NAMES = {
    "",
    "MAE",
    "RMSE",
    "MASE",
    "sMAPE (%)",
    *(row.source for row in OPTIMIZERS.values()),
    *(f"W<sub>{side}{gate}</sub>" for side in "ih" for gate in "rzn"),
    "YEAR",
    "SUNACTIVITY",
    "–",
    "utf-8",
    "utf-16",
    "cp1252",
    "latin-1",
    "gb18030",
    "shift_jis",
    "cp932",
    "big5",
    "euc_kr",
    "cp1251",
    "mac_roman",
    "%Y-%m-%d %H:%M",
}
SAMPLES = [fetch_sample(name).frame for name in SAMPLE_NAMES]
NAMES |= {str(name) for frame in SAMPLES for name in frame.columns}
NAMES |= {
    str(each) for frame in SAMPLES for column in frame for each in frame[column].unique()[:50]
}
NUMBER = re.compile(r"[-+]?\d[\d.,×⁰¹²³⁴⁵⁶⁷⁸⁹⁻e+/ -]*%?")


class Bracketing(gettext.NullTranslations):
    """A language in which every message stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, one: str, many: str, count: int) -> str:
        return f"⟦{one if count == 1 else many}⟧"


@pytest.fixture(autouse=True)
def _bracketing(monkeypatch: pytest.MonkeyPatch) -> None:
    def speak(_tag: object = None) -> None:
        words._translations.set(Bracketing())

    monkeypatch.setattr(frame, "speak", speak)
    speak()  # menus are formatted on this side, too


def visible(page: AppTest) -> Iterator[str]:
    """Every string that the page hands to the browser to be read."""
    widgets = [
        *page.button,
        *page.select_slider,
        *page.slider,
        *page.selectbox,
        *page.multiselect,
        *page.number_input,
        *page.text_input,
        *page.toggle,
        *page.button_group,
        *page.expander,
        *page.file_uploader,
        *page.download_button,
    ]
    for widget in widgets:
        yield widget.label
        yield getattr(widget, "help", "") or ""
        yield getattr(widget, "placeholder", "") or ""
    told = [
        *page.title,
        *page.subheader,
        *page.caption,
        *page.markdown,
        *page.warning,
        *page.error,
        *page.info,
    ]
    for element in told:
        yield str(element.value)
    for menu in [*page.selectbox, *page.button_group, *page.select_slider]:
        yield from menu.options
    for link in page.get("page_link"):
        yield link.proto.label
    for bar in page.get("progress"):
        yield bar.proto.text
    for table in page.dataframe:
        if table.value.index.name != "time":  # a table of ours, not the head of a file
            yield from map(str, table.value.columns)
            yield from (cell for column in table.value for cell in table.value[column].map(str))
    for found in page.get("plotly_chart"):
        yield found.proto.alt
        yield from of_chart(json.loads(found.proto.spec))
    for found in page.get("bidi_component"):
        data = json.loads(found.proto.json)
        yield from (label for _name, label, _value in data["figures"])
        yield from data["words"].values()
        for card in data["cards"]:
            yield from (card["title"], card["aid"])
            for chart in card["charts"]:
                yield from (chart["title"], chart["aid"])
                yield from of_chart(chart)
        yield from data["alternatives"].values()


def of_chart(chart: dict[str, Any]) -> Iterator[str]:
    layout = chart["layout"]
    for name, part in layout.items():
        if re.match("[xy]axis", name):
            yield part.get("title", {}).get("text", "")
    yield from (each.get("text", "") for each in layout.get("annotations", []))
    yield from (each.get("label", {}).get("text", "") for each in layout.get("shapes", []))
    for trace in chart["data"]:
        yield trace.get("name") or ""
        if trace["type"] == "bar" and not isinstance(trace.get("y"), dict):
            yield from (text for text in trace.get("y") or [] if isinstance(text, str))


def missed(page: AppTest) -> list[str]:
    """Those that no translation could change."""
    assert not page.exception
    strings = list(visible(page))
    assert sum("⟦" in text for text in strings) > 40
    return sorted(
        {text for text in strings if "⟦" not in text and text not in NAMES and not is_number(text)}
    )


def is_number(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("to", ["app.py", "pages/Data.py"])
def test_every_string_of_every_task_is_translated(name: str, to: str) -> None:
    page = opened(to, {"task": name})
    assert missed(page) == []


@pytest.mark.parametrize("look", ["clip", "blocks"])
def test_every_string_of_the_other_views_is_translated(look: str) -> None:
    assert missed(opened(link={"view": look})) == []


def test_every_string_of_a_run_and_of_the_lab_is_translated() -> None:
    page = opened(link=to_link(SMALL))
    page.number_input(key="steps at once").set_value(20)
    button(page, "⟦Make these steps⟧").click().run()
    wait_until_settled(run_of(page))
    page.run()
    button(page, "⟦Pin⟧").click().run()
    assert missed(page) == []
    go(page, "pages/Lab.py")
    assert missed(page) == []
    for name in ("range-test", "sharpness", "surface"):
        press(page, f"start-{name}")
        wait_for(mine(page).studies[name])
    page.run()
    assert missed(page) == []


def test_every_string_of_a_judgement_and_a_backtest_is_translated() -> None:
    page = opened(link=LINK | {"table.leak": "on", "table.holes": "0.1", "table.window": "5"})
    button(page, "⟦Step⟧").click().run()
    wait_until_settled(run_of(page))
    go(page, "pages/Data.py")
    for name in ("look", "backtest", "gaps"):
        press(page, f"start-{name}")
        wait_for(mine(page).studies[name])
    page.run()
    assert missed(page) == []


def test_a_workers_error_is_said_to_each_visitor_in_their_own_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    languages = {"xx": Bracketing(), "en": gettext.NullTranslations()}
    monkeypatch.setattr(words, "_catalog", languages.__getitem__)
    executor, said = OnDemand(), []
    for language in ("xx", "en", "xx", None):
        run = a_run(executor, Experiment(task=TableTask(source="0" * 64)))
        run.language = language
        run.train()
        executor.do_all()
        said.append(str(run.error))
    gone = "The data of this experiment isn't here; upload the file again, or choose a sample."
    assert said == [f"⟦{gone}⟧", gone, f"⟦{gone}⟧", gone]


def test_a_run_speaks_the_language_of_who_began_it() -> None:
    assert classroom().start(Experiment(), "me", "fr").language == "fr"


def test_data_that_two_visitors_share_speaks_the_language_of_each(tmp_path: Path) -> None:
    store = TableStore(tmp_path)
    task = TableTask(source="co2_weekly", missing="decay")
    names = ["co2", "{name} present", "rows since {name}"]
    assert preview_of(task, 0, store).input_names == tuple(
        f"⟦{each}⟧".format(name="co2") for each in ("{name}", *names[1:])
    )
    words.speak(None)
    english = tuple(each.format(name="co2") for each in names)
    assert preview_of(task, 0, store).input_names == english
    assert previewed(load(task, 0, store)).input_names == english


def test_the_columns_of_a_file_are_called_the_same_in_every_language() -> None:
    content = b'"a" "b"\n' + b"".join(b'"%d" %d.5 %d\n' % (n, n, n * n) for n in range(1, 30))
    found = list(read_csv(content).frame.columns)
    words.speak(None)
    assert found == list(read_csv(content).frame.columns)
    assert "row" in found


def test_what_is_known_of_a_task_is_said_in_the_language_of_whoever_asks() -> None:
    task = Adding()
    known = theory(Experiment(task=task), preview_of(task, 0)).lines[0].label
    words.speak(None)
    assert theory(Experiment(task=task), preview_of(task, 0)).lines[0].label == "always answer 1"
    assert known == "⟦always answer 1⟧"


def test_every_string_of_the_guide_is_translated() -> None:
    assert missed(opened("pages/Guide.py")) == []

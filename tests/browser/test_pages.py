"""Each page does its main thing in a real browser, with nothing in its console."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Server, Student
from tests.browser.test_live import choose, slider

# A season of 13 rows, decimal commas, semicolons.
PRICES = "Tag;Preis\n" + "\n".join(
    f"{1 + day % 28:02d}.{1 + day // 28 % 12:02d}.{2020 + day // 336};{100 + day * 7 % 13},5"
    for day in range(336)
)


def settled(student: Student) -> None:
    """Until the page has been drawn to its end."""
    expect(student.page.locator("[data-testid=stApp]")).to_have_attribute(
        "data-test-script-state", "notRunning"
    )


def within(student: Student, key: str) -> Locator:
    return student.page.locator(f".st-key-{key}")


def points(student: Student, chart: str, least: int) -> None:
    student.page.wait_for_function(
        "([chart, least]) => Number(document.querySelector(`.gv-plot[data-chart=${chart}]`)"
        "?.dataset.points) >= least",
        arg=[chart, least],
    )


def test_a_table_is_uploaded_read_trained_on_judged_and_its_forecast_downloaded(
    student: Student,
) -> None:
    page = student.page
    choose(student, "Task", "Your CSV, or a sample")
    student.go("Data")
    expect(page.get_by_role("heading", name="How it was read")).to_be_visible()
    page.locator("input[type=file]").set_input_files(
        {"name": "preise.csv", "mimeType": "text/csv", "buffer": PRICES.encode()}
    )
    expect(page.get_by_role("combobox", name="Column")).to_have_value("Preis")
    expect(page.get_by_text("separated by semicolon · decimal comma")).to_be_visible()
    expect(page.get_by_text("time in Tag (%d.%m.%Y)")).to_be_visible()
    expect(page.get_by_role("heading", name="Preis", exact=True)).to_be_visible()
    expect(page.get_by_text("Train it on the Train page first")).to_be_visible()
    student.go("Train")
    expect(page.get_by_role("combobox", name="Column")).to_have_value("Preis")
    student.press("Train")
    student.wait_for_points(40)
    student.press("Pause")
    expect(page.get_by_text("Paused at step")).to_be_visible()
    student.go("Data")
    student.press("Judge the network")
    expect(page.get_by_role("figure", name=re.compile("^the network: "))).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Forecast as CSV").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text("utf-8").splitlines()))
    assert waiting.value.suggested_filename == "forecast.csv"
    assert list(rows[0])[:2] == ["time", "the network"]
    assert [row["time"][:10] for row in rows] == [
        "2021-01-01",
        "2021-01-02",
        "2021-01-03",
        "2021-01-04",
    ] or len(rows) == 4
    naive = [float(row["Seasonal naive"]) for row in rows]
    assert naive == [100 + day * 7 % 13 + 0.5 for day in range(336, 340)]
    assert all(90 < float(row["the network"]) < 120 for row in rows)


def test_a_rate_is_found_in_the_lab_and_adopted_by_the_run_in_view(student: Student) -> None:
    page = student.page
    student.press("Step")
    student.wait_for_step(1)
    student.go("Lab")
    expect(page.get_by_text("Studies of your run, as it stands at step 1.")).to_be_visible()
    within(student, "start-range-test").get_by_role("button").click()
    adopt = page.get_by_role("button", name=re.compile("Adopt"))
    expect(adopt).to_be_visible()
    expect(within(student, "chart-range-test").locator(".main-svg").first).to_be_visible()
    rate = re.sub(r".*Adopt ", "", adopt.inner_text(), flags=re.DOTALL)
    number = float(rate.replace("×10", "e").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")))
    adopt.click()
    expect(slider(student, "Learning rate")).to_have_attribute("aria-valuetext", f"{number:,g}")
    turn = f"at.1=learning_rate:{number:g}"
    page.wait_for_function(f"decodeURIComponent(location.search).includes('{turn}')")
    student.go("Train")
    student.wait_for_step(1)
    expect(page.get_by_text("With the next Train:")).to_be_hidden()  # it is the same run
    student.press("Step")
    student.wait_for_step(2)
    expect(page.locator("[data-figure=learning-rate]")).to_have_text(rate)


def test_a_study_is_cancelled_and_gone_on_with(student: Student) -> None:
    student.go("Lab")
    within(student, "start-range-test").get_by_role("button").click()
    within(student, "cancel-range-test").get_by_role("button").click()
    expect(student.page.get_by_text("Not finished.")).to_be_visible()
    within(student, "resume-range-test").get_by_role("button").click()
    expect(student.page.get_by_text("Not finished.")).to_be_hidden()
    expect(student.page.get_by_text("seeds fell fastest at")).to_be_visible()


def test_a_pinned_run_stays_behind_the_next_one_and_in_the_table(student: Student) -> None:
    page = student.page
    student.press("Train")
    student.wait_for_points(20)
    student.press("Pause")
    expect(page.get_by_text("Paused at step")).to_be_visible()
    student.press("Pin")
    expect(page.get_by_role("heading", name="Pinned runs")).to_be_visible()
    choose(student, "Optimizer", "SGD")
    expect(page.get_by_text("With the next Train: Optimizer Adam → SGD")).to_be_visible()
    student.press("Train")
    page.wait_for_function(
        """() => {
          const traces = document.querySelector('.gv-plot[data-chart=loss]').data ?? [];
          const pinned = traces.find(({ name }) => name === 'Adam 0.003');
          const others = traces.filter((trace) => trace !== pinned && trace.x?.length > 5);
          return pinned?.x.length >= 20 && others.length >= 1;
        }"""
    )
    # The cells of a table are drawn on a canvas; tests/test_pinboard.py reads them.
    expect(page.locator("[data-testid=stDataFrame] canvas").first).to_be_visible()
    name = within(student, "pin-0").get_by_role("textbox")
    name.fill("  the slow one ")
    name.press("Enter")
    expect(name).to_have_value("the slow one")
    page.wait_for_function(
        "document.querySelector('.gv-plot[data-chart=loss]').data"
        ".some(({ name }) => name === 'the slow one')"
    )


def test_slow_motion_tells_the_six_stages_of_a_step(student: Student) -> None:
    page = student.page
    student.press("Pace")
    page.get_by_text("Slow motion", exact=True).click()
    page.keyboard.press("Escape")
    student.press("Train")
    stages = page.locator(".gv-stages li")
    expect(stages).to_have_count(6)
    assert stages.locator("strong").all_inner_texts() == [
        "Batch",
        "Forward",
        "Loss",
        "Backward",
        "Clip",
        "Update",
    ]
    expect(page.locator(".gv-stages li.gv-now")).to_have_count(1)
    student.wait_for_step(1)
    assert student.step == 1  # what a step led to comes after its stages
    rate = stages.nth(5).locator("span").text_content()
    assert rate and rate.startswith("rate 0.003: ‖Δw‖ ")
    student.press("Pause")


def test_a_single_step_is_told_at_once(student: Student) -> None:
    student.press("Step")
    stages = student.page.locator(".gv-stages li")
    expect(stages).to_have_count(6)
    expect(student.page.locator(".gv-stages li.gv-later")).to_have_count(0)
    assert student.step == 1


def test_the_rows_of_the_clip_lens_keep_in_step_when_one_zooms(student: Student) -> None:
    page = student.page
    page.get_by_text("Clip lens", exact=True).click()
    page.locator(".gv-plot[data-chart=lens] .main-svg").first.wait_for()
    page.wait_for_function("location.search === '?view=clip'")
    student.press("Train")
    points(student, "lens", 40)
    ranges = """() => {
      const { _fullLayout } = document.querySelector('.gv-plot[data-chart=lens]');
      return Object.keys(_fullLayout).filter((name) => /^xaxis\\d*$/.test(name))
        .map((name) => _fullLayout[name].range.map(Number));
    }"""
    page.evaluate(
        "Plotly.relayout(document.querySelector('.gv-plot[data-chart=lens]'),"
        " {'xaxis.range': [3, 21]})"
    )
    found = page.evaluate(ranges)
    assert len(found) >= 1
    assert found == [[3, 21]] * len(found)
    rows = page.evaluate(
        "new Set(document.querySelector('.gv-plot[data-chart=lens]')._fullData"
        ".map(({ yaxis }) => yaxis)).size"
    )
    assert rows >= 3
    points(student, "lens", 80)
    assert page.evaluate(ranges) == found  # new rows leave the zoom alone


def test_the_gate_blocks_are_drawn_for_each_block_of_weights(student: Student) -> None:
    page = student.page
    page.get_by_text("Gate blocks", exact=True).click()
    student.press("Train")
    for chart in ("block-gradients", "block-updates", "block-moments"):
        page.wait_for_function(
            """chart => {
              const traces = document.querySelector(`.gv-plot[data-chart=${chart}]`)?.data ?? [];
              return traces.length >= 8 && traces.every(({ y }) => y.length >= 3
                && y.some(Number.isFinite));
            }""",
            arg=chart,
        )
        assert page.locator(f".gv-plot[data-chart={chart}]").get_attribute("aria-label")


def test_the_coachs_button_takes_its_advice(student: Student) -> None:
    page = student.page
    student.open(f"{page.url}?task=adding&optimizer=sgd&learning_rate=10&clip_norm=off")
    student.press("Train")
    expect(page.get_by_text("Diverged at step 4")).to_be_visible()
    advice = page.locator(".gv-coach button")
    expect(advice).to_be_visible()
    said = advice.inner_text()
    before = page.url
    advice.click()
    page.wait_for_function("before => location.href !== before", arg=before)
    label, _arrow, value = said.partition(" → ")
    expect(slider(student, label)).to_have_attribute("aria-valuetext", value)


@pytest.mark.parametrize(
    ("name", "heading"),
    [("Data", "What the network reads"), ("Lab", "Lab"), ("Guide", "What is being trained?")],
)
def test_a_page_that_is_opened_by_its_own_address_follows_the_link(
    student: Student, server: Server, name: str, heading: str
) -> None:
    page = student.page
    page.goto(f"{server.url}/{name}?learning_rate=0.01&task=adding")
    expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    if name != "Guide":
        expect(slider(student, "Learning rate")).to_have_attribute("aria-valuetext", "0.01")
        student.go("Train")
        expect(slider(student, "Learning rate")).to_have_attribute("aria-valuetext", "0.01")
        page.locator(".gv-plot[data-chart=loss] .main-svg").first.wait_for()

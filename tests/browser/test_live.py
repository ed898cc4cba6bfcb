"""Students at the page: a real server, a real Chromium, real training."""

import os
import signal
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, TimeoutError, expect

from tests.browser.conftest import Server, Student, new_student

CSV = "day,price\n" + "\n".join(f"{day},{100 + (day * 7) % 13}" for day in range(200))


def slider(student: Student, label: str) -> Locator:
    return student.page.get_by_role("slider", name=label)


def choose(student: Student, label: str, option: str) -> None:
    menu = student.page.get_by_role("combobox", name=label)
    wanted = student.page.get_by_role("option", name=option, exact=True)
    for _each in range(5):  # a menu that is open while the page is drawn anew may close again
        menu.click()
        try:
            wanted.click(timeout=3000)
            expect(menu).to_have_value(option, timeout=3000)
            return
        except (TimeoutError, AssertionError):
            continue
    expect(menu).to_have_value(option)


def test_train_makes_the_figures_and_the_charts_advance(student: Student) -> None:
    assert student.step == 0
    student.press("Train")
    student.wait_for_points(1)
    student.wait_for_points(student.step + 30)
    expect(student.page.locator("[data-figure=training-loss]")).not_to_have_text("–")
    expect(student.page.locator("[data-figure=validation-loss]")).not_to_have_text("–")


def test_controls_and_charts_are_reached_by_label_and_role(student: Student) -> None:
    page = student.page
    for label in ("Learning rate", "Clip norm"):
        expect(slider(student, label)).to_be_visible()
    for label in ("Decay schedule", "Optimizer", "Task"):
        expect(page.get_by_role("combobox", name=label)).to_be_visible()
    for title in ("Loss", "Gradient norm", "Gates"):
        expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    for name in ("Train", "Pause", "Step", "Reset"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()


def test_after_many_updates_the_nodes_and_the_zoom_are_the_same(student: Student) -> None:
    page = student.page
    student.press("Train")
    student.wait_for_points(20)
    page.evaluate(
        """async () => {
          const plot = document.querySelector('.gv-plot[data-chart=loss]');
          window.kept = [...document.querySelectorAll('.gv-plot .main-svg')];
          await Plotly.relayout(plot, {'xaxis.range': [3, 11]});
          window.before = Number(plot.dataset.revision);
        }"""
    )
    page.wait_for_function(
        "Number(document.querySelector('.gv-plot[data-chart=loss]').dataset.revision)"
        " >= window.before + 12"
    )
    assert page.evaluate(
        "document.querySelector('.gv-plot[data-chart=loss]').layout.xaxis.range"
    ) == [
        3,
        11,
    ]
    assert page.evaluate(
        "window.kept.length > 7 && window.kept.every((node) => node.isConnected)"
        " && window.kept.length === document.querySelectorAll('.gv-plot .main-svg').length"
    )


def test_pause_stops_and_train_goes_on_where_it_stood(student: Student) -> None:
    page = student.page
    student.press("Train")
    student.wait_for_points(5)
    student.press("Pause")
    expect(page.get_by_text("Paused at step")).to_be_visible()
    stood = student.step
    student.press("Step")
    student.wait_for_step(stood + 1)
    expect(page.get_by_text(f"Paused at step {stood + 1:,}")).to_be_visible()
    assert student.step == stood + 1
    student.press("Train")
    student.wait_for_points(stood + 10)


def test_reset_empties_the_page_and_undo_brings_the_run_back(student: Student) -> None:
    student.press("Train")
    student.wait_for_points(5)
    student.press("Pause")
    expect(student.page.get_by_text("Paused at step")).to_be_visible()
    stood = student.step
    student.press("Reset")
    expect(student.page.locator("[data-figure=step]")).to_have_text("0 / 10,000")
    student.press("Undo")
    student.wait_for_step(stood)
    assert student.step == stood


def test_a_live_knob_acts_on_the_running_run_and_is_marked(student: Student) -> None:
    page = student.page
    student.press("Train")
    student.wait_for_points(5)
    slider(student, "Learning rate").press("ArrowRight")
    expect(page.locator("[data-figure=learning-rate]")).to_have_text("0.005")
    marks = (
        "document.querySelector('.gv-plot[data-chart=loss]').layout.shapes"
        ".filter(({ label }) => label?.text?.startsWith('Learning rate'))"  # others: theory, solved
    )
    page.wait_for_function(f"{marks}.length === 1")
    assert page.evaluate(f"{marks}[0].label.text") == "Learning rate 0.005"


LOSSES = """last => {
  const { data, layout } = document.querySelector('.gv-plot[data-chart=loss]');
  const marks = layout.shapes.filter(({ label }) => label?.text?.startsWith('Learning rate'));
  const drawn = ({ x, y }) => [...x].map((step, row) => [step, y[row]]);
  return { marks: marks.map(({ x0, label }) => [x0, label.text]),
           columns: data.slice(0, 3).map(drawn).map(r => r.filter(([step]) => step <= last)) };
}"""


def test_the_link_of_a_run_whose_knob_was_turned_draws_its_curve_and_its_mark_again(
    student: Student, browser: Browser, server: Server
) -> None:
    page = student.page
    student.press("Train")
    student.wait_for_points(5)
    slider(student, "Learning rate").press("ArrowRight")
    page.wait_for_function("location.search.startsWith('?at.')")
    key, _equals, turned = unquote(urlsplit(page.url).query).partition("=")
    step = key.removeprefix("at.")
    last = int(step) + 30
    student.wait_for_points(last)
    student.press("Pause")
    live = page.evaluate(LOSSES, last)
    assert (turned, live["marks"]) == ("learning_rate:0.005", [[int(step), "Learning rate 0.005"]])
    with new_student(browser, server) as other:
        other.open(page.url)
        expect(slider(other, "Learning rate")).to_have_attribute("aria-valuetext", "0.003")
        expect(other.page.get_by_text("live knobs turn by themselves at 1 step")).to_be_visible()
        other.press("Train")
        other.wait_for_points(last)
        other.press("Pause")
        assert other.page.evaluate(LOSSES, last) == live
        assert len(live["columns"][0]) == last
        expect(slider(other, "Learning rate")).to_have_attribute("aria-valuetext", "0.005")
        assert other.page.url == page.url


def test_another_knob_waits_for_the_next_train_and_the_page_says_so(student: Student) -> None:
    page = student.page
    student.press("Train")
    student.wait_for_points(5)
    slider(student, "Hidden units").press("ArrowRight")
    expect(page.get_by_text("With the next Train: Hidden units 32 → 48")).to_be_visible()
    seen = student.step
    student.wait_for_step(seen + 5)
    student.press("Take back")
    expect(page.get_by_text("With the next Train: Hidden units")).to_be_hidden()
    student.wait_for_step(seen + 10)


def test_a_refresh_takes_up_the_running_run(student: Student) -> None:
    student.press("Train")
    student.wait_for_points(20)
    student.page.reload()
    student.wait_for_points(21)
    expect(student.page.get_by_role("button", name="Pause", exact=True)).to_be_enabled()


def test_the_link_carries_the_experiment_and_never_the_run(
    student: Student, browser: Browser, server: Server
) -> None:
    page = student.page
    slider(student, "Learning rate").press("ArrowRight")
    choose(student, "Optimizer", "SGD")
    page.wait_for_function("location.search === '?learning_rate=0.005&optimizer=sgd'")
    student.press("Train")
    student.wait_for_points(5)
    token = page.evaluate("sessionStorage.getItem('gruviz.run')")
    assert token
    assert token not in page.url
    with new_student(browser, server) as other:
        other.open(page.url)
        expect(slider(other, "Learning rate")).to_have_attribute("aria-valuetext", "0.005")
        expect(other.page.get_by_text("Press Train to start")).to_be_visible()
        assert other.step == 0


def test_two_students_do_not_see_each_others_runs(
    student: Student, browser: Browser, server: Server
) -> None:
    with new_student(browser, server) as other:
        student.press("Train")
        student.wait_for_points(30)
        assert other.step == 0
        other.press("Train")
        other.wait_for_points(5)
        other.press("Pause")
        expect(other.page.get_by_text("Paused at step")).to_be_visible()
        student.wait_for_step(student.step + 20)


def test_an_uploaded_csv_trains(student: Student) -> None:
    choose(student, "Task", "Your CSV, or a sample")
    student.page.locator("input[type=file]").set_input_files(
        {"name": "prices.csv", "mimeType": "text/csv", "buffer": CSV.encode()}
    )
    expect(student.page.get_by_role("combobox", name="Column")).to_have_value("price")
    student.press("Train")
    student.wait_for_points(20)
    student.page.reload()
    student.wait_for_points(21)
    expect(student.page.get_by_role("combobox", name="Column")).to_have_value("price")


def test_a_broken_file_is_explained_and_the_running_run_goes_on(student: Student) -> None:
    student.press("Train")
    student.wait_for_points(5)
    choose(student, "Task", "Your CSV, or a sample")
    student.page.locator("input[type=file]").set_input_files(
        {"name": "broken.csv", "mimeType": "text/csv", "buffer": b"\x89PNG\r\n\x1a\n\0\0\xff"}
    )
    expect(student.page.get_by_text("This is a picture (PNG)")).to_be_visible()
    student.wait_for_step(student.step + 10)


def test_divergence_is_said_with_its_step_and_a_remedy(student: Student) -> None:
    student.open(f"{student.page.url}?task=adding&optimizer=sgd&learning_rate=10&clip_norm=off")
    student.press("Train")
    expect(student.page.get_by_text("Diverged at step 4")).to_be_visible()
    expect(student.page.get_by_text("Lower the learning rate or set a clip norm")).to_be_visible()


def test_a_link_with_absurd_values_is_explained(student: Student) -> None:
    student.open(f"{student.page.url}?learning_rate=nan&optimizer=magic&<b>=1&seed=7")
    expect(student.page.get_by_text("Learning rate is nan; choose a number")).to_be_visible()
    expect(student.page.get_by_text("choose one of: adam, adamw")).to_be_visible()
    expect(student.page.get_by_text("unknown setting '<b>'")).to_be_visible()
    assert student.page.get_by_role("spinbutton", name="Seed").input_value() == "7"


def test_charts_follow_the_theme_and_fit_a_phone(student: Student) -> None:
    page = student.page
    page.emulate_media(color_scheme="dark")
    page.locator(".gv[data-theme=dark]").wait_for()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(
        "document.querySelector('.gv-plot[data-chart=loss]').getBoundingClientRect().right <= 390"
        " && document.scrollingElement.scrollWidth <= 390"
    )


def test_every_chart_has_titled_axes_and_an_alternative_text(student: Student) -> None:
    student.press("Train")
    student.wait_for_points(5)
    charts = student.page.locator(".gv-plot")
    assert charts.count() == 9
    for chart in charts.all():
        assert chart.get_attribute("aria-label")
        assert chart.get_attribute("tabindex") == "0"
        titles = chart.evaluate("c => [c.layout.xaxis.title.text, c.layout.yaxis.title.text]")
        assert all(titles)


def test_the_guide_opens_and_the_way_back_keeps_run_and_controls(student: Student) -> None:
    slider(student, "Learning rate").press("ArrowRight")
    student.press("Train")
    student.wait_for_points(5)
    student.page.get_by_role("link", name="Guide").click()
    expect(student.page.get_by_role("heading", name="What is being trained?")).to_be_visible()
    student.page.get_by_role("link", name="Train").click()
    student.wait_for_points(6)
    expect(slider(student, "Learning rate")).to_have_attribute("aria-valuetext", "0.005")


def children(pid: int) -> set[int]:
    """The process ids of a process's children and theirs."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found |= {child} | children(child)
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_the_pages_process_never_loads_torch(student: Student, server: Server) -> None:
    student.press("Train")
    student.wait_for_points(5)
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "streamlit" in maps or "python" in maps
    assert "libtorch" not in maps


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads /proc")
def test_a_killed_worker_does_not_stop_the_run(student: Student, server: Server) -> None:
    student.press("Train")
    student.wait_for_points(5)
    for pid in children(server.process.pid):
        if "--process-name" in Path(f"/proc/{pid}/cmdline").read_text():
            os.kill(pid, signal.SIGKILL)
            break
    student.wait_for_step(student.step + 30)


def test_another_kind_of_task_draws_another_kind_of_picture(student: Student) -> None:
    choose(student, "Task", "Ten waveforms")
    expect(student.page.locator("[data-figure=accuracy]")).to_be_attached()
    student.press("Train")
    student.wait_for_points(5)
    student.page.wait_for_function(
        "document.querySelector('.gv-plot[data-chart=prediction]').data[1].x.length === 10"
    )


def test_the_dot_that_says_where_the_run_is_stays_when_it_pauses(student: Student) -> None:
    student.press("Train")
    student.wait_for_points(5)
    student.press("Pause")
    expect(student.page.get_by_text("Paused at step")).to_be_visible()
    student.page.wait_for_function(
        "document.querySelector('.gv-plot[data-chart=rate]').data.at(-1).x[0]"
        " === Number(document.querySelector('[data-figure=step]').textContent"
        ".split('/')[0].replaceAll(',', ''))"
    )


def test_a_run_that_the_server_has_forgotten_is_said_to_be_gone(student: Student) -> None:
    student.page.evaluate("sessionStorage.setItem('gruviz.run', 'x'.repeat(32))")
    student.page.reload()
    expect(student.page.get_by_text("The run of this tab is gone")).to_be_visible()

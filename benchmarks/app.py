"""The app as a student meets it: a real server, a real Chromium, the default experiment.

Prints, against the goal of each: how soon the page is there, how soon a curve, how often it moves,
how fast the run is beside the same trainer in a plain loop, and what the page's process weighs.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.clients import Server, Student
from benchmarks.clients.server import launch, processor_seconds
from gruviz.experiment import Experiment
from gruviz.runs import Classroom
from gruviz.runs import worker as work

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
REPEATS = 3
WATCH_SECONDS = 5
RERUNS = 80


def row(what: str, figure: str, goal: str) -> None:
    print(f"{what:<58} {figure:>16}   {goal}", flush=True)


def serve(folder: Path) -> tuple[str, "subprocess.Popen[bytes]"]:
    url, process, _log = launch(folder)
    while True:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
            return url, process
        except OSError:
            time.sleep(0.02)


def opened(page: Page, url: str) -> tuple[float, float]:
    """Seconds until the Train button can be pressed, and until the charts are drawn."""
    began = time.perf_counter()
    page.goto(url)
    page.get_by_role("button", name="Train", exact=True).wait_for()
    usable = time.perf_counter() - began
    page.locator(".gv-plot[data-chart=loss] .main-svg").first.wait_for()
    return usable, time.perf_counter() - began


def watched(page: Page) -> dict[str, Any]:
    """Press Train; how soon the loss chart has a point, then how often it is drawn."""
    page.evaluate(
        """() => {
          const plot = document.querySelector('.gv-plot[data-chart=loss]');
          window.first = new Promise((resolve) => {
            new MutationObserver((_, self) => {
              if (Number(plot.dataset.points) > 0) { self.disconnect(); resolve(performance.now()); }
            }).observe(plot, { attributes: true });
          });
          document.addEventListener('click', () => { window.pressed ??= performance.now(); }, true);
          window.kept = [...document.querySelectorAll('.gv-plot .main-svg')];
        }"""
    )
    page.get_by_role("button", name="Train", exact=True).click()
    found: dict[str, Any] = page.evaluate(
        """async (seconds) => {
          const plot = document.querySelector('.gv-plot[data-chart=loss]');
          const steps = () => Number(plot.dataset.points);
          const first = (await window.first - window.pressed) / 1000;
          await Plotly.relayout(plot, { 'xaxis.range': [2, 9] });
          const wait = (s) => new Promise((resolve) => setTimeout(resolve, 1000 * s));
          await wait(1);
          const began = performance.now(), drawn = Number(plot.dataset.revision), at = steps();
          await wait(seconds);
          const took = (performance.now() - began) / 1000;
          return {
            first,
            updates: (Number(plot.dataset.revision) - drawn) / took,
            steps: (steps() - at) / took,
            kept: window.kept.every((node) => node.isConnected),
            zoom: plot.layout.xaxis.range.join() === '2,9',
          };
        }""",
        WATCH_SECONDS,
    )
    return found


def resident(pid: int) -> float:
    """Resident memory of a process in MB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1e3


def of_the_page() -> None:
    found = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
    if found is None:
        print("no Chromium on this machine: the page is not measured")
        return
    opens, results, weights, torch_free = [], [], [], True
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        for _repeat in range(REPEATS):
            url, process = serve(Path(folder))
            chromium = playwright.chromium.launch(executable_path=found, args=FLAGS)
            page = chromium.new_page(viewport={"width": 1440, "height": 900})
            opens.append(opened(page, url))
            results.append(watched(page))
            weights.append(resident(process.pid))
            torch_free &= "libtorch" not in Path(f"/proc/{process.pid}/maps").read_text()
            chromium.close()
            process.terminate()
            process.wait()

    def median(name: str) -> float:
        return float(statistics.median(result[name] for result in results))

    usable, drawn = (statistics.median(times) for times in zip(*opens, strict=True))
    row("server up -> page interactive (Train can be pressed)", f"{usable:.2f} s", "<= 3 s")
    row("server up -> charts drawn, nothing in the browser's cache", f"{drawn:.2f} s", "")
    row("Train, pressed at once -> first point on the chart", f"{median('first'):.2f} s", "<= 1 s")
    row("chart updates a second, one viewer", f"{median('updates'):.1f}", ">= 4")
    kept = all(result["kept"] and result["zoom"] for result in results)
    row("chart nodes and zoom kept", str(kept), "True")
    row("steps a second while Chromium draws on the same machine", f"{median('steps'):.0f}", "")
    row("torch in the page's process", str(not torch_free), "False")
    row("page's process, resident while training", f"{max(weights):.0f} MB", "<= 200 MB")


async def of_a_rerun() -> None:
    """What one interaction costs the page's process: a rerun of the page of a run that stands still."""
    with tempfile.TemporaryDirectory() as folder:
        server = await Server.start(Path(folder), 1)
        try:
            student = await Student.open(server.url)
            await student.press("Step")
            for _each in range(RERUNS // 4):
                await student.rerun()
            walls, before = [], processor_seconds(server.process.pid)
            for _each in range(RERUNS):
                began = time.perf_counter()
                await student.rerun()
                walls.append(time.perf_counter() - began)
            spent = (processor_seconds(server.process.pid) - before) / RERUNS
            await student.close()
        finally:
            server.stop()
    row("a rerun of the page, all its threads' processor time", f"{1e3 * spent:.0f} ms", "<= 25 ms")
    row(
        "the same, from the request to its last message",
        f"{1e3 * statistics.median(walls):.0f} ms",
        "",
    )


def against_a_plain_loop() -> None:
    """The same steps in one worker, in one piece and in the slices of a run, in turn."""
    experiment = Experiment(steps=4000)
    room = Classroom(1)
    ratios, speeds = [], []
    room.pool.submit(os.getpid).result()
    for _repeat in range(REPEATS):
        whole = room.pool.submit(
            work.advance, experiment, None, None, experiment.steps, room.tables
        ).result()
        began = time.perf_counter()
        run = room.start(experiment)
        run.train()
        while not run.over:
            run.watch()
            time.sleep(0.02)
        speeds.append(experiment.steps / (time.perf_counter() - began))
        ratios.append(speeds[-1] * whole.seconds / experiment.steps)
    room.close()
    row("steps a second of a run, nobody drawing", f"{statistics.median(speeds):.0f}", "")
    row(
        "the same, over the same trainer in a plain loop",
        f"{statistics.median(ratios):.3f}",
        ">= 0.9",
    )


def main() -> None:
    print(f"{'the app, default experiment':<58} {'median of ' + str(REPEATS):>16}   goal")
    of_the_page()
    asyncio.run(of_a_rerun())
    against_a_plain_loop()

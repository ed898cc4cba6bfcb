"""Forecasting a column, on the data page: baselines, judgement, backtest, ways to fill gaps."""

import io
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from gruviz.data import fetch_sample, preview_of, series_of
from gruviz.data.backtest import interval, rolling_origins, score_forecasts, targets
from gruviz.data.forecasting import ahead_of
from gruviz.data.missing import METHODS
from gruviz.experiment import Experiment, TableTask
from gruviz.experiment.link import to_link
from gruviz.runs import Study, classroom
from gruviz.studies import Forecasts, Trials
from gruviz.training import proceed
from gruviz.ui import forecasting
from gruviz.ui.session import Session
from gruviz.words import readable
from tests.page import (
    go,
    labelled,
    mine,
    opened,
    run_of,
    stepped,
    tables_of,
    texts,
    wait_for,
)
from tests.test_lab_page import press
from tests.test_run import OnDemand
from tests.test_sources_page import upload

DATA = "pages/Data.py"
TASK = TableTask(column="SUNACTIVITY", window=12, horizon=3)
SMALL = Experiment.from_dict(
    {
        "task": {"name": "table", "column": "SUNACTIVITY", "window": 12, "horizon": 3},
        "cell": {"name": "gru", "units": 4},
        "batch_size": 32,
        "steps": 40,
    }
)
LINK = to_link(SMALL)
MEASURES = {"mae": "MAE", "rmse": "RMSE", "mase": "MASE", "smape": "sMAPE (%)", "skill": "skill"}
LABELS = {
    "last": "Repeat the last value",
    "seasonal": "Seasonal naive",
    "drift": "Drift",
    "linear": "Linear autoregression",
    "the network": "the network",
}
SERIES = series_of(TASK, 0, fetch_sample)
DATASET = preview_of(TASK, 0, fetch_sample)
assert DATASET.ends is not None
BORDER, ENDS = DATASET.border, DATASET.ends


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[OnDemand]:
    """Studies whose slices are done when the test says so."""
    executor, room = OnDemand(), classroom()
    monkeypatch.setattr(
        room,
        "study",
        lambda e, state, _visitor: Study(e, state, executor, room.tables, lambda: 0.0),
    )
    yield executor
    executor.waiting.clear()


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> dict[str, pd.DataFrame]:
    """What the buttons would download, read as a spreadsheet would."""
    found: dict[str, pd.DataFrame] = {}

    def button(_label: str, data: str, name: str, *_more: Any, **_else: Any) -> None:
        found[name] = pd.read_csv(io.StringIO(data))

    monkeypatch.setattr(st, "download_button", button)
    return found


MARKS = {"scores": "skill", "backtest": "mean MASE", "gap-table": "way"}  # a column of each


def tables(page: AppTest) -> set[str]:
    found = tables_of(page)
    return {key for key, mark in MARKS.items() if any(mark in table for table in found)}


def shown(page: AppTest, key: str) -> pd.DataFrame:
    found: pd.DataFrame = next(table for table in tables_of(page) if MARKS[key] in table)
    return found


def score_rows(known: Any) -> dict[str, list[str]]:
    """The table as people read it, from the scores of `score_forecasts`."""
    order = sorted(known.scores, key=lambda name: name != "the network")
    return {"forecaster": [LABELS[name] for name in order]} | {
        label: [readable(known.scores[name][measure]) for name in order]
        for measure, label in MEASURES.items()
    }


def test_before_training_the_baselines_are_scored_on_the_validation_part() -> None:
    page = opened(DATA, LINK)
    known = score_forecasts(SERIES, BORDER, 12, 3, ENDS)
    assert shown(page, "scores").to_dict("list") == score_rows(known)
    assert set(known.scores) >= {"last", "drift", "linear"}
    said = texts(page)
    assert f"training part, {readable(known.naive_error)}." in said
    assert f"Skill compares with {LABELS[known.best_naive].lower()}." in said
    assert "Train it on the Train page first" in said
    assert not page.error


def test_the_networks_row_comes_first_and_equals_its_own_forecasts_compared() -> None:
    page = opened(link=LINK)
    stepped(page, 40)
    go(page, DATA)
    assert "Train it on the Train page first" not in texts(page)
    press(page, "start-look")
    study = mine(page).studies["look"]
    wait_for(study)
    page.run()
    checkpoint = run_of(page).checkpoint
    assert checkpoint is not None
    found = proceed(SMALL, Trials.look_at(SMALL, checkpoint)).found[0]
    known = score_forecasts(SERIES, BORDER, 12, 3, found.ends, {"the network": found.values})
    assert shown(page, "scores").to_dict("list") == score_rows(known)
    assert shown(page, "scores")["forecaster"].tolist()[0] == "the network"
    mae = float(np.abs(targets(SERIES, found.ends, 3) - found.values).mean())
    assert shown(page, "scores")["MAE"].tolist()[0] == readable(mae)


def judged(steps: int, text: str) -> AppTest:
    link = {**LINK, "table.window": "6", "table.horizon": "1", "table.column": ""}
    page = upload(opened(link=link), text, "numbers.csv")
    stepped(page, steps)
    press(go(page, DATA), "start-look")
    wait_for(mine(page).studies["look"])
    return page.run()


def test_a_mase_above_one_says_so_in_red_and_one_below_does_not() -> None:
    slow = "value\n" + "\n".join(f"{100 + row / 10:.1f}" for row in range(300))
    page = judged(1, slow)
    mase = shown(page, "scores")["MASE"].tolist()[0]
    assert float(mase.replace(",", "")) > 1
    (said,) = page.error
    assert said.value.startswith("MASE is ") and "the naive forecast" in said.value
    noise = np.random.default_rng(0).normal(0, 1, 300)
    page = judged(40, "value\n" + "\n".join(f"{value:.4f}" for value in noise))
    assert float(shown(page, "scores")["MASE"].tolist()[0]) < 1  # the mean beats the last value
    assert not page.error


def test_a_judgement_holds_only_for_the_task_it_was_made_of() -> None:
    page = opened(link=LINK)
    stepped(page, 3)
    press(go(page, DATA), "start-look")
    wait_for(mine(page).studies["look"])
    page.run()
    assert "the network" in shown(page, "scores")["forecaster"].tolist()
    labelled(page.slider, "Horizon (rows)").set_value(5).run()
    assert "the network" not in shown(page, "scores")["forecaster"].tolist()
    assert "Train it on the Train page first" in texts(page)


def test_a_judgement_says_of_which_step_it_is_and_goes_with_its_run() -> None:
    page = opened(link=LINK)
    stepped(page, 3)
    press(go(page, DATA), "start-look")
    wait_for(mine(page).studies["look"])
    assert "was judged at step" not in texts(page.run())
    stepped(go(page, "app.py"), 2)
    assert "was judged at step 3, and is at step 5 by now" in texts(go(page, DATA))
    mine(page).replace(Session({}).start(replace(SMALL, seed=1)))
    assert "the network" not in shown(page.run(), "scores")["forecaster"].tolist()


def test_a_run_without_a_step_can_not_be_judged_and_says_so() -> None:
    page = opened(link=LINK)
    mine(page).start(SMALL)
    press(go(page, DATA), "start-look")
    assert "There is no trained network yet" in texts(page)
    assert len(page.error) == 1


def test_the_forecast_that_is_downloaded_has_every_forecasters_numbers(
    downloads: dict[str, pd.DataFrame],
) -> None:
    page = opened(link=LINK)
    stepped(page, 40)
    press(go(page, DATA), "start-look")
    wait_for(mine(page).studies["look"])
    page.run()
    found = mine(page).studies["look"].state.found[0]
    table = downloads["forecast.csv"]
    known = [LABELS[name] for name in score_forecasts(SERIES, BORDER, 12, 3, ENDS).scores]
    assert list(table) == ["time", "the network", *known, "80 % from", "80 % to"]
    assert table["time"].str[:4].tolist() == ["2009", "2010", "2011"]
    np.testing.assert_allclose(table["the network"], found.latest)
    np.testing.assert_array_equal(table["Repeat the last value"], [SERIES[-1]] * 3)
    slope = (SERIES[BORDER - 1] - SERIES[0]) / (BORDER - 1)
    np.testing.assert_allclose(table["Drift"], SERIES[-1] + slope * np.arange(1, 4))
    low, high = interval(targets(SERIES, found.ends, 3) - found.values)
    np.testing.assert_allclose(table["80 % from"], found.latest + low)
    np.testing.assert_allclose(table["80 % to"], found.latest + high)


def test_the_backtest_has_the_errors_of_each_fold_and_the_interval_of_all(
    downloads: dict[str, pd.DataFrame],
) -> None:
    page = press(opened(DATA, LINK), "start-backtest")
    study = mine(page).studies["backtest"]
    wait_for(study)
    page.run()
    folds = rolling_origins(len(SERIES), 12, 3, 5)
    assert [job.fold for job in study.state.jobs] == list(folds)
    assert {job.experiment for job in study.state.jobs} == {SMALL}
    rows = [
        score_forecasts(SERIES, fold.train_end, 12, 3, found.ends, {"the network": found.values})
        for fold, found in zip(folds, study.state.found, strict=True)
    ]
    table = shown(page, "backtest")
    assert table["forecaster"].tolist()[0] == "the network"
    for name, label in LABELS.items():
        if label not in table["forecaster"].tolist():
            continue
        row = table[table["forecaster"] == label].iloc[0]
        for number, known in enumerate(rows, 1):
            expected = readable(known.scores[name]["mae"]) if name in known.scores else "–"
            assert row[f"MAE, fold {number}"] == expected
        scored = [known.scores[name]["mase"] for known in rows if name in known.scores]
        assert row["mean MASE"] == readable(float(np.mean(scored)))
    ends = np.concatenate([found.ends for found in study.state.found])
    values = np.concatenate([found.values for found in study.state.found])
    low, high = interval(targets(SERIES, ends, 3) - values)
    assert (
        f"Of the errors of {len(ends):,} forecasts, 80 % lay between {readable(low[0])} and"
        f" {readable(high[0])} one row ahead, between {readable(low[-1])} and {readable(high[-1])}"
    ) in texts(page)
    csv = downloads["backtest.csv"]
    assert csv["first row forecast"].tolist() == np.repeat(ends, 3).tolist()
    assert csv["rows ahead"].tolist() == [1, 2, 3] * len(ends)
    np.testing.assert_allclose(csv["truth"], targets(SERIES, ends, 3).ravel())
    np.testing.assert_allclose(csv["forecast"], values.ravel())


def test_a_backtest_that_is_cancelled_shows_the_folds_that_are_done(by_hand: OnDemand) -> None:
    page = press(opened(DATA, LINK), "start-backtest")
    press(page, "cancel-backtest")
    by_hand.do_all()
    page.run()
    assert not page.exception and "backtest" not in tables(page)
    press(page, "resume-backtest")
    study = mine(page).studies["backtest"]
    while len(study.state.found) < 2:
        by_hand.do()
    press(page, "cancel-backtest")
    by_hand.do_all()
    page.run()
    assert [name for name in map(str, shown(page, "backtest")) if name.startswith("MAE")] == [
        f"MAE, fold {number}" for number in range(1, len(study.state.found) + 1)
    ]


def test_too_short_a_series_has_no_backtest_and_says_so() -> None:
    page = press(opened(DATA, LINK | {"table.window": "200", "batch_size": "1"}), "start-backtest")
    assert len(page.error) == 1
    assert "too long for a backtest of 5 folds" in texts(page)
    assert mine(page).studies == {}


HOLES = LINK | {"table.holes": "0.1", "table.window": "5"}


def test_ways_to_fill_gaps_are_compared_on_the_windows_that_all_can_use() -> None:
    page = press(opened(DATA, HOLES), "start-gaps")
    study = mine(page).studies["gaps"]
    wait_for(study)
    page.run()
    table = shown(page, "gap-table")
    ways = [job.experiment.task.missing for job in study.state.jobs]
    assert ways == list(METHODS)
    found = study.state.found
    assert table["validation loss"].tolist() == [readable(each.losses[-1]) for each in found]
    assert table["windows"].tolist() == [f"{len(each.ends):,}" for each in found]
    series = series_of(replace(TASK, holes=0.1), 0, fetch_sample)
    common = set.intersection(*(set(each.ends.tolist()) for each in found))
    assert 0 < len(common) < max(len(each.ends) for each in found)
    errors = []
    for each in found:
        kept = [place for place, end in enumerate(each.ends.tolist()) if end in common]
        truth = np.array([series[each.ends[place] :][:3] for place in kept])
        errors.append(readable(float(np.abs(truth - each.values[kept]).mean())))
    assert table[f"MAE on the {len(common)} windows all can use"].tolist() == errors
    assert "gaps" in {each.key for each in page.get("plotly_chart")}


def test_a_comparison_of_gaps_that_is_cancelled_at_once_shows_nothing(by_hand: OnDemand) -> None:
    page = press(opened(DATA, HOLES), "start-gaps")
    press(page, "cancel-gaps")
    by_hand.do_all()
    page.run()
    assert not page.exception
    assert "gap-table" not in tables(page)
    assert page.button(key="resume-gaps")


def test_a_column_without_gaps_has_nothing_to_compare() -> None:
    page = press(opened(DATA, LINK), "start-gaps")
    assert "No value of this column is missing; punch some holes into it first" in texts(page)


def test_a_scaling_that_leaks_is_told_with_its_numbers() -> None:
    page = opened(DATA, LINK | {"table.leak": "on"})
    known = SERIES[:BORDER]
    assert int(0.8 * len(SERIES)) == BORDER
    assert (
        f"fitted on all rows it has offset {readable(SERIES.mean())} and scale"
        f" {readable(SERIES.std())}, on the training part alone {readable(known.mean())} and"
        f" {readable(known.std())}."
    ) in texts(page)
    assert len(page.warning) == 1
    assert not opened(DATA, LINK).warning


@pytest.mark.parametrize("scaling", ["standard", "minmax", "robust", "none"])
@pytest.mark.parametrize("leak", ["on", "off"])
def test_the_scaling_is_told_as_what_it_is(scaling: str, leak: str) -> None:
    page = opened(DATA, LINK | {"table.scaling": scaling, "table.leak": leak})
    part = SERIES if leak == "on" else SERIES[:BORDER]
    low, middle, high = np.quantile(part, (0.25, 0.5, 0.75))
    offset, scale = {
        "standard": (part.mean(), part.std()),
        "minmax": (part.min(), part.max() - part.min()),
        "robust": (middle, high - low),
        "none": (0.0, 1.0),
    }[scaling]
    said = texts(page)
    assert f"Scaled as (value - {readable(offset)}) / {readable(scale)}." in said


def test_text_that_a_spreadsheet_would_take_for_a_formula_is_escaped() -> None:
    for text in ("=1+1", "+1", "-1", "@x", "\t=1", "\r=1"):
        assert forecasting.harmless(text) == f"'{text}"
    for text in ("", "a", "1=1", "a@x", "–"):
        assert forecasting.harmless(text) == text


def test_whatever_is_downloaded_is_harmless_in_headings_and_cells(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        st, "download_button", lambda _label, data, *_more, **_else: made.append(data)
    )
    table = pd.DataFrame({"=1+1": ["@x", "plain"], "@x": [-1.5, 2.0]})
    forecasting._download(table, "forecast.csv", "Forecast")
    assert made == ["'=1+1,'@x\n'@x,-1.5\nplain,2.0\n"]


@pytest.mark.parametrize("name", ["=1+1", "@x"])
def test_a_column_called_like_a_formula_is_forecast_like_any_other(
    name: str, downloads: dict[str, pd.DataFrame]
) -> None:
    text = f"{name},other\n" + "\n".join(f"{row % 7},{row % 5}" for row in range(200))
    page = upload(opened(DATA, LINK), text, "formula.csv")
    assert labelled(page.selectbox, "Column").value == name
    assert [each.value.replace("\\", "") for each in page.subheader].count(name) == 1
    for table in downloads.values():
        for heading in map(str, table):
            assert not heading.startswith(forecasting.BLOCKED)


def test_rows_without_a_time_are_numbered_and_go_on_after_the_last() -> None:
    text = "value\n" + "\n".join(f"{row % 7}" for row in range(200))
    page = upload(opened(DATA, LINK), text, "numbers.csv")
    table = classroom().tables(str(page.query_params["table.source"]))
    ahead, title = ahead_of(table, 200, 3)
    assert (ahead.tolist(), title) == ([200, 201, 202], "row")


@pytest.mark.parametrize(
    ("times", "ahead"),
    [
        (pd.date_range("2000", "2008", freq="YS"), ["2009-01-01", "2010-01-01", "2011-01-01"]),
        (pd.date_range("2000", "2001-01", freq="MS"), ["2001-02-01", "2001-03-01", "2001-04-01"]),
        (pd.date_range("2000", periods=9, freq="ME"), ["2000-10-31", "2000-11-30", "2000-12-31"]),
        (pd.date_range("2000", periods=9, freq="7D"), ["2000-03-04", "2000-03-11", "2000-03-18"]),
        # With a gap it is the usual step.
        (
            pd.DatetimeIndex(["2000-01-01", "2000-01-02", "2000-01-04", "2000-01-05"]),
            ["2000-01-06", "2000-01-07", "2000-01-08"],
        ),
    ],
)
def test_times_go_on_after_the_last_row_as_a_calendar_does(
    times: pd.DatetimeIndex, ahead: list[str]
) -> None:
    table = replace(fetch_sample("airline_passengers"), time=times)
    found, title = ahead_of(table, len(times), 3)
    assert ([str(each)[:10] for each in found], title) == (ahead, "time")


def test_intervals_are_made_of_the_backtests_errors_once_there_is_one() -> None:
    task = TableTask(window=4, horizon=2)
    series = np.arange(20.0)

    def part(ends: list[int], off: float) -> Forecasts:
        rows = np.array(ends)
        said = np.stack([series[end : end + 2] - off for end in ends])
        return Forecasts(rows, said, None, np.zeros(1), np.zeros(1))

    found = part([10, 11], 1.0)
    mine: Any = SimpleNamespace(studies={})
    assert forecasting._past_errors(mine, task, series, None) is None
    errors = forecasting._past_errors(mine, task, series, found)
    assert errors is not None and errors.tolist() == [[1, 1], [1, 1]]
    result = SimpleNamespace(found=[part([6], 2.0), part([8], 3.0)])
    backtest = SimpleNamespace(result=result, experiment=SimpleNamespace(task=task))
    mine.studies["backtest"] = backtest
    errors = forecasting._past_errors(mine, task, series, found)
    assert errors is not None and errors.tolist() == [[2, 2], [3, 3]]
    backtest.experiment.task = TableTask(window=5, horizon=2)
    errors = forecasting._past_errors(mine, task, series, found)
    assert errors is not None and errors.tolist() == [[1, 1], [1, 1]]

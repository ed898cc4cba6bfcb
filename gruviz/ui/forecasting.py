"""Forecasting a column: the series, how good the network is beside forecasts that need none, the
backtest, and what becomes of missing values."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from gruviz import charts
from gruviz.data import Preview, check, series_of
from gruviz.data.backtest import interval, rolling_origins, score_forecasts, targets
from gruviz.data.forecasting import (
    ahead_of,
    axis,
    backtest_table,
    baseline_scores,
    label_of,
    latest_forecasts,
    leak,
    scale_in_words,
    score_table,
)
from gruviz.data.missing import METHODS
from gruviz.errors import GruvizError
from gruviz.experiment import Constant, Experiment, Knob, Plateau, TableTask, about, with_live
from gruviz.studies import Forecasts, Job, Trials
from gruviz.ui import frame, report, sources
from gruviz.ui.session import Session
from gruviz.ui.study import Offer, drawn
from gruviz.ui.study import section as study
from gruviz.words import N_, _, readable

Floats = npt.NDArray[np.float64]

NETWORK = N_("the network")
FOLDS = 5
SHOWN_ROWS = 3  # windows of the past before a forecast
GAP_STEPS = 400
BLOCKED = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula


def section(mine: Session, wanted: Experiment, data: Preview) -> None:
    """All that is known of the column that is forecast."""
    task = wanted.task
    assert isinstance(task, TableTask)
    table = sources.fetch(task.source)
    series = series_of(task, wanted.seed, sources.fetch)
    with st.container(border=True):
        st.subheader(frame.literal(data.unit), anchor=False)
        x, x_title = axis(table, len(series))
        drawn(
            charts.series.column(x, series, data.unit, data.border, x_title),
            charts.series.in_words(data.unit, series),
            "column",
            height=300,
        )
        st.caption(frame.literal(report.findings(data)))
        if task.leak:
            st.warning(frame.literal(leak(task, series, data)), icon=":material/opacity:")
    with st.container(border=True):
        st.subheader(_("How good is it?"), anchor=False)
        _scores(mine, wanted, data, series)
    for name, offer in OFFERS.items():
        with st.container(border=True, key=f"study-{name}"):
            st.subheader(_(offer.title), anchor=False)
            st.markdown(_(offer.text))
            study(name, offer, mine, wanted)


def _scores(mine: Session, wanted: Experiment, data: Preview, series: Floats) -> None:
    task = wanted.task
    assert isinstance(task, TableTask)
    judged = _judged(mine, wanted)
    found = None if judged is None else judged.found[0]
    if found is None:
        assert data.ends is not None
        known = baseline_scores(task, wanted.seed, sources.fetch, data.border, data.ends.tobytes())
    else:
        known = score_forecasts(
            series, data.border, task.window, task.horizon, found.ends, {_(NETWORK): found.values}
        )
    st.caption(frame.literal(scale_in_words(known)))
    st.dataframe(score_table(known), hide_index=True, width="stretch", key="scores")
    mase = known.scores.get(_(NETWORK), {}).get("mase", 0.0)
    if mase > 1:
        st.error(
            _(
                "MASE is {mase}: above 1, the naive forecast inside the training part was better."
            ).format(mase=readable(mase, 3)),
            icon=":material/trending_down:",
        )
    if mine.run is None or mine.run.experiment.task != task:
        st.caption(_("Train it on the Train page first; then its forecasts can be judged here."))
    else:
        if judged is not None and mine.run.step_count != judged.jobs[0].experiment.steps:
            st.caption(
                _("The network was judged at step {then:,}, and is at step {now:,} by now.").format(
                    then=judged.jobs[0].experiment.steps, now=mine.run.step_count
                )
            )
        study(LOOK, LOOK_OFFER, mine, wanted)
    _latest(task, data, series, found, _past_errors(mine, task, series, found))


def _past_errors(
    mine: Session, task: TableTask, series: Floats, found: Forecasts | None
) -> Floats | None:
    """The errors from which an interval is made, (n, horizon): the backtest's where there is one,
    else those of the network on the validation part."""
    backtest = mine.studies.get(BACKTEST)
    if backtest is not None and backtest.result is not None and backtest.experiment.task == task:
        parts: Sequence[Forecasts] = backtest.result.found
    elif found is not None:
        parts = [found]
    else:
        return None
    return np.concatenate(
        [targets(series, part.ends, task.horizon) - part.values for part in parts]
    )


def _begin_look(mine: Session, _wanted: Experiment) -> tuple[Experiment, Trials]:
    run = mine.run
    if run is None or run.checkpoint is None:
        raise GruvizError(
            _("There is no trained network yet; press Train on the Train page first.")
        )
    return run.experiment, Trials.look_at(run.experiment, run.checkpoint)


def _judged(mine: Session, wanted: Experiment) -> Trials | None:
    """What was found of the run in view, on the series in view: not that of a run with another seed,
    which punches other holes, or with another cell."""
    look, run = mine.studies.get(LOOK), mine.run
    if look is None or look.result is None or run is None:
        return None
    own = look.experiment
    same = with_live(run.experiment, own) == own  # live knobs may have been turned since
    holes = (own.task, own.seed) == (wanted.task, wanted.seed)
    return look.result if same and holes else None


BACKTEST, LOOK = "backtest", "look"
LOOK_OFFER = Offer(
    "", "", _begin_look, lambda _state, _experiment: None, N_("Judge the network")
)  # what it finds is a row of the table above


def _latest(
    task: TableTask,
    data: Preview,
    series: Floats,
    found: Forecasts | None,
    errors: Floats | None,
) -> None:
    """What every forecaster says of the rows after the last one."""
    rows = len(series)
    known = latest_forecasts(task, data, series)
    said = {label_of(name): values for name, values in known.items()}
    if found is not None and found.latest is not None:
        said = {_(NETWORK): found.latest, **said}
    table = sources.fetch(task.source)
    ahead, x_title = ahead_of(table, rows, task.horizon)
    x, _title = axis(table, rows)
    begin = max(0, rows - SHOWN_ROWS * task.window)
    band = None
    if found is not None and found.latest is not None and errors is not None:
        low, high = interval(errors)
        band = (found.latest + low, found.latest + high)
    drawn(
        charts.series.forecasts(x[begin:], series[begin:], ahead, said, data.unit, x_title, band),
        charts.series.forecasts_in_words(said),
        "forecast",
        height=360,
    )
    ahead_table = pd.DataFrame({x_title: ahead, **said})
    if band is not None:
        ahead_table[_("80 % from")], ahead_table[_("80 % to")] = band
    _download(ahead_table, "forecast.csv", _("Forecast as CSV"))


def _begin_backtest(_mine: Session, wanted: Experiment) -> tuple[Experiment, Trials]:
    check(wanted, sources.preview(wanted))
    task = wanted.task
    assert isinstance(task, TableTask)
    series = series_of(task, wanted.seed, sources.fetch)
    folds = rolling_origins(len(series), task.window, task.horizon, FOLDS)
    # What looks at the validation part while it trains would look at what is to be forecast.
    schedule = Constant() if isinstance(wanted.schedule, Plateau) else wanted.schedule
    experiment = replace(
        wanted,
        steps=min(wanted.steps, 2_000),
        warmup=None,
        schedule=schedule,
        target_loss=None,
        patience=None,
    )
    return wanted, Trials.begin([Job(experiment, fold) for fold in folds])


def _show_backtest(state: Trials, experiment: Experiment) -> None:
    if not state.found:
        return
    task = experiment.task
    assert isinstance(task, TableTask)
    series = series_of(task, experiment.seed, sources.fetch)
    rows = [
        score_forecasts(
            series,
            fold.train_end,
            task.window,
            task.horizon,
            found.ends,
            {_(NETWORK): found.values},
        )
        for job, found in zip(state.jobs, state.found, strict=False)
        if (fold := job.fold) is not None
    ]
    st.dataframe(backtest_table(rows), hide_index=True, width="stretch", key="backtest")
    ends = np.concatenate([found.ends for found in state.found])
    values = np.concatenate([found.values for found in state.found])
    actual = targets(series, ends, task.horizon)
    low, high = interval(actual - values)
    errors = _(
        "Of the errors of {count:,} forecasts, 80 % lay between {low} and {high} one row ahead, between"
        " {low_end} and {high_end} at the horizon's end."
    ).format(
        count=len(ends),
        low=readable(low[0]),
        high=readable(high[0]),
        low_end=readable(low[-1]),
        high_end=readable(high[-1]),
    )
    st.caption(frame.literal(errors))
    table = pd.DataFrame({_("first row forecast"): np.repeat(ends, task.horizon)})
    table[_("rows ahead")] = np.tile(np.arange(1, task.horizon + 1), len(ends))
    table[_("truth")], table[_("forecast")] = actual.ravel(), values.ravel()
    _download(table, "backtest.csv", _("Backtest as CSV"))


def _begin_gaps(_mine: Session, wanted: Experiment) -> tuple[Experiment, Trials]:
    task = wanted.task
    assert isinstance(task, TableTask)
    jobs = [
        Job(
            replace(
                wanted,
                task=replace(task, missing=name),
                steps=min(wanted.steps, GAP_STEPS),
                warmup=None,
            )
        )
        for name in METHODS
    ]
    jobs = [job for job in jobs if _fits(job)]
    if not np.isnan(series_of(task, wanted.seed, sources.fetch)).any():
        raise GruvizError(
            _(
                "No value of this column is missing; punch some holes into it first (in the sidebar)."
            )
        )
    return wanted, Trials.begin(jobs)


def _fits(job: Job) -> bool:
    """Whether the experiment can be trained; learned decay is left out where the cell has none.

    Raises GruvizError for any other reason.
    """
    try:
        check(job.experiment, sources.preview(job.experiment))
    except GruvizError:
        if job.experiment.task.decays:
            return False
        raise
    return True


def _show_gaps(state: Trials, experiment: Experiment) -> None:
    if not state.found:
        return
    knob = dict(about(TableTask))["missing"]
    assert isinstance(knob, Knob) and knob.options is not None
    curves, rows = {}, []
    task = experiment.task
    assert isinstance(task, TableTask)
    series = series_of(task, experiment.seed, sources.fetch)
    common = sorted(set.intersection(*(set(found.ends.tolist()) for found in state.found)))
    for job, found in zip(state.jobs, state.found, strict=False):
        assert isinstance(job.experiment.task, TableTask)
        label = _(knob.options[job.experiment.task.missing])
        curves[label] = (found.steps, found.losses)
        kept = np.isin(found.ends, common)
        error = np.abs(targets(series, found.ends[kept], task.horizon) - found.values[kept])
        rows.append(
            {
                _("way"): label,
                _("validation loss"): readable(found.losses[-1]),
                _("MAE on the {count:,} windows all can use").format(count=len(common)): readable(
                    float(np.nanmean(error))
                )
                if common
                else "–",
                _("windows"): f"{len(found.ends):,}",
            }
        )
    loss = experiment.loss.fitting(task.kind)
    drawn(
        charts.series.contest(curves, _(loss.measure)),
        charts.series.contest_in_words(curves),
        "gaps",
    )
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", key="gap-table")


def _download(table: pd.DataFrame, name: str, label: str) -> None:
    safe = table.rename(columns=harmless).map(
        lambda cell: harmless(cell) if isinstance(cell, str) else cell
    )
    st.download_button(
        label,
        safe.to_csv(index=False),
        name,
        "text/csv",
        icon=":material/download:",
        key=f"download-{name}",
        on_click="ignore",
    )


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(BLOCKED) else text


OFFERS = {
    BACKTEST: Offer(
        N_("Backtest"),
        N_(
            "The experiment in the controls is trained five times, each time on a longer past, and"
            " forecasts what follows: up to 2,000 steps each, without the rules that look at the"
            " validation loss."
        ),
        _begin_backtest,
        _show_backtest,
    ),
    "gaps": Offer(
        N_("Missing values, way against way"),
        N_(
            "The same experiment with each way to deal with missing values: 400 steps each from the"
            " same seed. *Punch holes* in the sidebar makes some."
        ),
        _begin_gaps,
        _show_gaps,
    ),
}

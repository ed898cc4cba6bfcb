"""Pinned runs: thinned curves."""

import math

import numpy as np

from gruviz.ui.pins import PIN_POINTS, pin_tables
from tests.test_columns import trained
from tests.test_run import OnDemand, a_run


def test_a_short_pinned_run_keeps_every_row() -> None:
    one, other = trained(steps=23).history, trained(steps=3).history
    tables = pin_tables([one, other])
    assert list(tables) == ["pin0", "pin1"]
    for history, pin in zip((one, other), tables.values(), strict=True):
        assert list(pin) == ["step", "smooth", "norm", "learning_rate"]
        for name, values in pin.items():
            np.testing.assert_array_equal(values, history.steps[name])


def test_a_long_pinned_run_is_thinned_and_keeps_its_extremes() -> None:
    generator = np.random.default_rng(0)
    history = trained(steps=1).history
    count = 20_000
    rows = {name: generator.random(count) for name in history.steps.names}
    rows["step"] = np.arange(2.0, count + 2)
    rows["norm"][[7, 12_345]] = [1e6, math.nan]
    rows["smooth"][19_998] = -5.0
    history.steps.append(rows)
    pin = pin_tables([history])["pin0"]
    assert 500 < len(pin["step"]) <= PIN_POINTS
    assert (np.diff(pin["step"]) > 0).all()
    kept = pin["step"].astype(int) - 1
    for name, values in pin.items():
        np.testing.assert_array_equal(values, history.steps[name][kept])
        assert np.nanmax(values) == np.nanmax(history.steps[name]) or name == "step"
        assert np.nanmin(values) == np.nanmin(history.steps[name]) or name == "step"


def test_a_pinned_run_without_a_step_has_empty_columns() -> None:
    pin = pin_tables([a_run(OnDemand()).history])["pin0"]
    assert {name: len(values) for name, values in pin.items()} == {
        "step": 0,
        "smooth": 0,
        "norm": 0,
        "learning_rate": 0,
    }

"""Real files as students upload them, against their answer key. They may not be passed on.

Their folder is `shared/data/wild` beside or above the checkout, or what GRUVIZ_WILD names. Where it is
absent the tests are skipped, and under CI fail, unless GRUVIZ_WILD is "none".
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gruviz.csv import Severity, Table, read_csv
from gruviz.errors import GruvizError
from tests.needs import missing

NAMED = os.environ.get("GRUVIZ_WILD")
PLACES = [parent / "shared" / "data" / "wild" for parent in Path(__file__).resolve().parents]


if NAMED == "none":
    pytest.skip("left out, as GRUVIZ_WILD says", allow_module_level=True)
FOLDER = next(
    (place for place in ([Path(NAMED)] if NAMED else PLACES) if (place / "ANSWERS.json").is_file()),
    None,
) or missing(f"no ANSWERS.json of wild files in {NAMED or 'shared/data/wild, here or above'}")
KEY: list[dict[str, Any]] = json.loads((FOLDER / "ANSWERS.json").read_text("utf-8"))["files"]
READ = [key for key in KEY if key["expect"] != "refuse_with_reason"]

# The findings that the traps of each file call for.
CALLED_FOR = {
    "airquality_uci.csv": {
        "number-marks",
        "sentinel",
        "mostly-missing",
        "time-joined",
        "day-first",
    },
    "smard_netzlast_viertelstunde.csv": {
        "number-marks",
        "missing-marks",
        "empty-end",
        "empty-rows",
        "gaps",
        "clock-change",
    },
    "bikes_montreal.csv": {"encoding", "day-first", "short-rows", "empty-columns"},
    "btc_coinbase_1h.csv": {
        "preamble",
        "newest-first",
        "time",
        "identifier",
        "exchanged-columns",
        "gaps",
    },
    "google_trends_multiTimeline.csv": {"preamble", "short-series"},
    "noaa_co2_mm_mlo.txt": {"comments", "no-header", "sentinel", "time-joined"},
    "beijing_pm25_pollution.csv": {"missing-marks", "time-joined", "counter", "words"},
    "pjme_hourly.csv": {"repeated-times", "gaps", "clock-change"},
    "empatica_EDA.csv": {"start-and-rate", "no-header"},
    "cmapss_train_FD001.txt": {"no-header", "constant-columns", "long-panel"},
    "covid19_confirmed_global_wide.csv": {"wide-panel", "cumulative", "many-columns"},
    "population_long.csv": {"long-panel", "time"},
    "household_power_2days.txt": {"dates-by-order", "time-joined"},
    "thingspeak_feeds.csv": {"few-rows", "irregular", "zone"},
    "russell_crcrlf_latin1.csv": {"encoding", "line-ends", "month-first", "few-rows"},
}
REFUSED = {
    "tweets_quoted_newlines.csv": "nothing to forecast",
    "utf16le_csvkit.csv": "2 data rows",
    "header_only.csv": "no data rows",
    "zero_bytes.csv": "empty",
}


def differences(table: Table, key: dict[str, Any]) -> list[str]:
    """Where a table isn't as the key says."""
    frame, reading, wrong = table.frame, table.reading, []

    def same(what: str, found: object, expected: object) -> None:
        if found != expected:
            wrong.append(f"{what}: {found!r}, not {expected!r}")

    plain = {"ascii": "utf-8"}  # what is ASCII is UTF-8 as well
    same(
        "encoding",
        plain.get(reading.encoding or "", reading.encoding),
        plain.get(key["encoding"], key["encoding"]),
    )
    separators = {"whitespace": " ", None: ""}
    same("separator", reading.separator, separators.get(key["delimiter"], key["delimiter"]))
    same("decimal", reading.decimal, key["decimal"])
    same("thousands", reading.thousands, key["thousands"] or "")
    header = (key["header_line"],) if key["header_line"] else ()
    same("header", reading.header, header)
    same("first", reading.first, key["first_data_line"])
    same("footer", reading.footer, key["footer_lines"])
    same("shape", frame.shape, (key["data_rows"], key["n_columns"]))
    if header:
        names = [name for name in key["columns"] if "more ..." not in name]
        found = [*frame.columns[: len(names) - 1], frame.columns[-1]]
        named = [("column 1" if "(blank)" in name else name) for name in names]
        same("names", found, named)
    same("missing", int(frame.isna().sum().sum()), key["missing_values"])
    for name, count in key["missing_by_column"].items():
        column = (
            frame.iloc[:, key["columns"].index(name)] if name in key["columns"] else frame[name]
        )
        same(f"missing in {name}", int(column.isna().sum()), count)
    for place, row in ((0, "first_row"), (-1, "last_row")):
        for column, expected in zip(frame, key["check_values"][row], strict=False):
            cell = frame[column].iloc[place]
            if expected is None:
                same(f"{row} {column}", bool(pd.isna(cell)), True)
            elif isinstance(cell, str):
                same(f"{row} {column}", cell, str(expected))
            else:
                same(f"{row} {column}", float(cell), float(expected))
    for name, mean in key["check_values"]["column_means"].items():
        column = (
            frame.iloc[:, key["columns"].index(name)] if name in key["columns"] else frame[name]
        )
        if not np.isclose(column.mean(), mean, rtol=1e-6, atol=1e-6):
            wrong.append(f"mean of {name}: {column.mean()}, not {mean}")
    time = key["time"] or {}
    if "first_in_file" in time:
        same("time columns", len(reading.time or ()), len(time["columns"]))
        for what, stamp in (("first_in_file", frame.index[0]), ("last_in_file", frame.index[-1])):
            same(what, str(stamp), time[what])
        assert table.time is not None
        same("earliest", str(table.time[0]), time["earliest"])
        same("latest", str(table.time[-1]), time["latest"])
    numeric = [name for name in frame if frame[name].dtype == np.float64]
    empty = len(key["all_missing_columns"])
    same("numeric columns", len(numeric) - empty, key["n_numeric_columns"])
    return wrong


@pytest.mark.parametrize("key", KEY, ids=[key["file"] for key in KEY])
def test_a_wild_file_is_read_as_its_key_says(key: dict[str, Any]) -> None:
    path = FOLDER / key["file"]
    if key["expect"] == "refuse_with_reason":
        with pytest.raises(GruvizError) as caught:
            read_csv(path)
        assert REFUSED[key["file"]] in str(caught.value)
        return
    table = read_csv(path)
    assert differences(table, key) == []
    found = {finding.code for finding in table.findings}
    assert found >= CALLED_FOR[key["file"]]
    if key["expect"] == "load_with_warning":
        assert any(finding.severity is Severity.WARNING for finding in table.findings)
    assert all(finding.sentence.endswith(".") for finding in table.findings)


@pytest.mark.parametrize("key", READ, ids=[key["file"] for key in READ])
def test_the_reading_of_a_wild_file_gives_the_same_table_when_it_is_asked_for(
    key: dict[str, Any],
) -> None:
    table = read_csv(FOLDER / key["file"])
    from dataclasses import fields

    from gruviz.csv import Overrides

    parts = {each.name: getattr(table.reading, each.name) for each in fields(Overrides)}
    if not parts["time"]:
        parts["time"] = None
    again = read_csv(FOLDER / key["file"], **{k: v for k, v in parts.items() if v is not None})
    pd.testing.assert_frame_equal(again.frame, table.frame)

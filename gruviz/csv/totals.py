"""A thirteenth month that holds each year's total: rows that are no months."""

import re

import numpy as np
import numpy.typing as npt

from gruviz.csv.columns import Columns
from gruviz.csv.findings import Finding, Remedy, warning
from gruviz.csv.panels import YEAR, are_totals, calendar
from gruviz.csv.parts import part_name
from gruviz.csv.reading import Overrides
from gruviz.words import N_

Floats = npt.NDArray[np.float64]

YEAR_MONTH = re.compile(r"([12]\d{3})[-/. M]?(0?[1-9]|1[0-3])")
MOST_THIRTEENTH = 0.2  # of the rows
MOST_COLUMNS = 10  # that are looked at


def take_out_totals(columns: Columns, asked: Overrides, findings: list[Finding]) -> None:
    """Leave out rows of a month 13, if they hold the sum or the mean of the twelve before them."""
    if asked.time is not None:
        return
    _take_out_last_row(columns, findings)
    found = _months(columns)
    if found is None:
        return
    year, month, names = found
    thirteenth = month == 13
    share = thirteenth.mean()
    if not 0 < share <= MOST_THIRTEENTH:
        return
    values = [
        column.values
        for name, column in columns.numbers.items()
        if column.values is not None and name not in names
    ]
    if not any(holds_totals(year, month, each) for each in values[:MOST_COLUMNS]):
        return
    columns.keep(~thirteenth)
    findings.append(
        warning(
            "year-totals",
            N_("One row is of a month 13 and holds the year's total; it is left out."),
            N_("{count:,} rows are of a month 13 and hold the year's total; they are left out."),
            count=int(thirteenth.sum()),
            remedies=(Remedy(N_("Keep them, and read no times"), Overrides(time=())),),
        )
    )


def _take_out_last_row(columns: Columns, findings: list[Finding]) -> None:
    """Leave out a row below twelve months in which columns of years hold their sums or means."""
    if columns.rows != len(YEAR) + 1:
        return
    cells = {name: texts.to_pylist() for name, texts in columns.texts.items()}
    found = calendar(cells, columns.numeric())
    if found is None:
        return
    years = [columns.numbers[name].values for name in found.years]
    values = np.array([each for each in years if each is not None])
    if are_totals(values[:, :-1], values[:, -1]):
        columns.keep(np.arange(columns.rows) < len(YEAR))
        findings.append(
            warning(
                "year-totals",
                N_("The last row, {label!r}, holds each year's total; it is left out."),
                label=str(cells[found.month][-1])[:40],
                remedies=(Remedy(N_("Keep it, and read no times"), Overrides(time=())),),
            )
        )


def holds_totals(year: Floats, month: Floats, values: Floats) -> bool:
    """Whether rows of month 13 hold what the twelve rows before or after them add up to."""
    places = np.flatnonzero(month == 13)
    for months in (np.arange(-12, 0), np.arange(12, 0, -1)):
        around = places[:, None] + months
        inside = (around >= 0).all(axis=1) & (around < len(month)).all(axis=1)
        rows, last = around[inside], places[inside]
        whole = (month[rows] == np.arange(1, 13)).all(axis=1) & (
            year[rows] == year[last][:, None]
        ).all(axis=1)
        if whole.any():
            return are_totals(values[rows[whole]], values[last[whole]])
    return False


def _months(columns: Columns) -> tuple[Floats, Floats, tuple[str, ...]] | None:
    """Each row's year and month, with one month 13 or more, and the columns that tell them."""
    parts: dict[str, str] = {}
    for name, column in list(columns.numbers.items())[:MOST_COLUMNS]:
        part = part_name(name)
        if column.values is not None and part is not None:
            parts.setdefault(part, name)
        cells = columns.cells[name]
        matched = sum(bool(YEAR_MONTH.fullmatch(cell)) for cell in cells)
        if matched < 0.98 * len(cells) or not any(_is_thirteenth(cell) for cell in cells):
            continue
        told = [YEAR_MONTH.fullmatch(cell or "") for cell in columns.texts[name].to_pylist()]
        pairs = np.array([(m[1], m[2]) if m else ("nan", "nan") for m in told], dtype=np.float64)
        return pairs[:, 0], pairs[:, 1], (name,)
    if "%Y" not in parts or "%m" not in parts:
        return None
    names = (parts["%Y"], parts["%m"])
    year, month = (columns.numbers[name].values for name in names)
    assert year is not None and month is not None
    if not np.isin(month, np.arange(1, 14)).all() or not (month == 13).any():
        return None
    return year, month, names


def _is_thirteenth(cell: str) -> bool:
    match = YEAR_MONTH.fullmatch(cell)
    return match is not None and match[2] == "13"

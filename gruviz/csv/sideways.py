"""Cells that move sideways from row to row, because a decimal comma parts cells as well."""

import re
from collections import Counter
from collections.abc import Sequence

from gruviz.csv.cells import NUMERIC, WORDS, kind
from gruviz.csv.records import LOOKED_AT, Record
from gruviz.errors import GruvizError
from gruviz.words import _

LEAST_ROWS = 8
OFTEN = 0.1  # share of the rows that makes a width more than an accident
WHOLE = re.compile(r"[+\-−]?\d+%?")


def refuse_sideways(found: Sequence[Record], separator: str) -> None:
    """Raise GruvizError if numbers were torn apart at their decimal commas.

    `found` are the first rows. Of a torn number each half is whole, and 12 in a row of 12,5 has only
    one: rows have more cells than names, now more and now less.
    """
    names = next((place for place, row in enumerate(found[:20]) if _are_names(row)), None)
    if separator != "," or names is None:
        return
    width, rows = len(found[names].cells), found[names + 1 :]
    if len(rows) < LEAST_ROWS:
        return
    cells = [cell.strip() for row in rows for cell in row.cells[:LOOKED_AT]]
    if any(kind(cell) == NUMERIC and not WHOLE.fullmatch(cell) for cell in cells):
        return
    widths = Counter(len(row.cells) for row in rows)
    often = [each for each, count in widths.items() if count >= OFTEN * len(rows)]
    wider = [row for row in rows if len(row.cells) > width]
    if min(widths) < width or max(widths) > 2 * width or not all(map(_whole_end, wider)):
        return
    moving = len(often) > 1 and len(wider) >= OFTEN * len(rows)
    # Rows that all have the halves: a fraction such as 05 gives it away.
    torn = len(wider) == len(rows) and any(
        re.fullmatch(r"0\d+", row.cells[-1].strip()) for row in wider
    )
    if moving or (torn and len(often) == 1):
        one = next((row for row in rows if len(row.cells) != len(wider[0].cells)), found[names])
        raise GruvizError(
            _(
                "Decimal commas part the cells of this file, so cells move sideways (line {line} has"
                " {cells} cells, line {other} has {count}); save it again with semicolons between"
                " the cells, or with decimal points."
            ).format(
                line=wider[0].line, cells=len(wider[0].cells), other=one.line, count=len(one.cells)
            )
        )


def _are_names(record: Record) -> bool:
    full = [cell for cell in record.cells if cell.strip()]
    return len(full) > 1 and len(full) == len(record.cells) and all(kind(c) == WORDS for c in full)


def _whole_end(record: Record) -> bool:
    return bool(re.fullmatch(r"\d+%?", record.cells[-1].strip()))

"""What is worth saying about how the numbers of a table are written."""

from gruviz.csv.columns import Columns
from gruviz.csv.findings import Finding, Remedy, note, quoted, warning
from gruviz.csv.reading import Overrides
from gruviz.words import N_


def about_numbers(columns: Columns, text: tuple[str, ...]) -> list[Finding]:
    """What is worth saying about how the numbers are written."""
    marks = columns.marks
    found: list[Finding] = []
    if marks.doubtful:
        if marks.decimal == ",":
            other = Overrides(decimal=".", thousands=",")
        else:
            other = Overrides(decimal=",", thousands="" if marks.thousands else ".")
        found.append(
            warning(
                "ambiguous-numbers",
                N_(
                    "Every mark in a number stands before three digits: 1.234 and 1,234 can be about"
                    " one, or over a thousand. They are read with the decimal mark {decimal!r}."
                ),
                decimal=marks.decimal,
                remedies=(Remedy(N_("Read them the other way"), other),),
            )
        )
    elif marks.decimal == "," or marks.thousands:
        sentence = (
            N_("Numbers have the decimal mark {decimal!r} and the thousands mark {thousands!r}.")
            if marks.thousands
            else N_("Numbers have the decimal mark {decimal!r}.")
        )
        found.append(
            note("number-marks", sentence, decimal=marks.decimal, thousands=marks.thousands)
        )
    for name, column in columns.numbers.items():
        as_text = Remedy(N_("Keep the column as text"), Overrides(text=(*text, name)))
        if column.odd:
            found.append(
                warning(
                    "odd-cells",
                    N_("One cell of column {name!r} is no number ({cells}); it counts as missing."),
                    N_(
                        "{count:,} cells of column {name!r} are no numbers ({cells}); they count as"
                        " missing."
                    ),
                    count=column.odd.total(),
                    name=name[:40],
                    cells=quoted(cell for cell, _count in column.odd.most_common()),
                    remedies=(as_text,),
                )
            )
        if column.glued.suffixes:
            found.append(
                warning(
                    "suffixes",
                    N_(
                        "Numbers of column {name!r} end in {suffixes}: they are read as thousands (K),"
                        " millions (M) and billions (B)."
                    ),
                    name=name[:40],
                    suffixes=quoted(column.glued.suffixes),
                    remedies=(as_text,),
                )
            )
        if column.glued.flags:
            found.append(
                warning(
                    "flags",
                    N_("From one number of column {name!r} what follows it is cut ({flags})."),
                    N_(
                        "From {count:,} numbers of column {name!r} what follows them is cut ({flags})."
                    ),
                    count=column.glued.flags.total(),
                    name=name[:40],
                    flags=quoted(flag for flag, _count in column.glued.flags.most_common()),
                    remedies=(as_text,),
                )
            )
        if column.unit:
            found.append(
                note(
                    "unit-in-cells",
                    N_("In column {name!r} the unit {unit!r} stands in each cell."),
                    name=name[:40],
                    unit=column.unit,
                )
            )
        if column.percent:
            found.append(
                note(
                    "percent",
                    N_("Column {name!r} is in percent: 12% is read as 12."),
                    name=name[:40],
                )
            )
    return found

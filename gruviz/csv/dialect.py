"""The dialect of a file: the separator, the quotes, the comments; what is no table is refused."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from gruviz.csv.cells import EMPTY, WORDS, kind
from gruviz.csv.findings import Finding, Remedy, note, warning
from gruviz.csv.header import arrange
from gruviz.csv.reading import Overrides
from gruviz.csv.records import LOOKED_AT, Dialect, OpenQuoteError, head_of, records
from gruviz.errors import GruvizError
from gruviz.words import N_, _

SEPARATORS = (",", ";", "\t", "|", " ")
COMMENTS = ("#", "%", "//", "!", ";")
EXCEL_HINT = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


def sniff(lines: Sequence[str], overrides: Overrides) -> Dialect:
    """The dialect of a file's lines, by the evidence of its first ones and what is overruled.

    Raises GruvizError where no table can be made of them.
    """
    head = head_of(lines)
    hint = EXCEL_HINT.fullmatch(head[0]) if head else None
    comment = _comment(head) if overrides.comment is None else overrides.comment
    quote = '"' if overrides.quote is None else overrides.quote
    plain = [line for line in head if line.strip()]
    if overrides.quote is None and not any('"' in line for line in plain):
        single = sum(
            len(re.findall(r"(?:^|[,;\t|]) *'[^']*'(?=\s*(?:[,;\t|]|$))", line)) for line in plain
        )
        if single >= len(plain):
            quote = "'"
    if overrides.separator is not None:
        separator = overrides.separator
    elif hint:
        separator = hint[1]
    else:
        separator = _separator(head, quote, comment)
    if quote and quote == separator:
        quote = ""
    dialect = Dialect(separator, quote, comment)
    start = 2 if hint else 1
    while True:
        try:
            found = list(records(head, dialect, start))
            break
        except OpenQuoteError:
            if not dialect.quote:
                raise GruvizError(
                    _(
                        "Line {line} is too long to be a row; save the table as CSV with a line for"
                        " each row."
                    ).format(line=start)
                ) from None
            dialect = replace(dialect, quote="", own_quotes=False)
    if len(lines) > len(head) and len(found) > 1:
        found = found[:-1]  # it may be cut within its quotes
    if not found:
        raise GruvizError(_("This file has only comments or blank lines; choose one with rows."))
    return arrange(found, dialect, overrides, head)


def _comment(head: Sequence[str]) -> str:
    """What a line of comment begins with, or ""."""
    full = [line.lstrip() for line in head if line.strip()]
    for mark in COMMENTS:
        marked = [line for line in full if line.startswith(mark)]
        if not marked or len(marked) == len(full):
            continue
        if mark in ("!", ";") and not full[0].startswith(mark):
            continue
        if mark == ";" and any(mark in line.strip(mark) for line in full):
            continue  # a separator, before which a cell is empty
        if mark == "#" and len(marked) == 1 and re.match(r'#["\s]*[,;\t|]', marked[0]):
            continue  # a column called "#"
        if not full[0].startswith(mark) and marked[0] is full[-1]:
            continue
        return mark
    return ""


def _separator(head: Sequence[str], quote: str, comment: str) -> str:
    """The separator that makes most of the lines equally wide rows of numbers and times."""
    single = [
        kind(line)
        for line in head
        if line.strip() and not (comment and line.lstrip().startswith(comment))
    ]
    if not single:
        return ","
    typed = sum(found != WORDS for found in single) / len(single)
    best, most = "", 0.3 * (0.2 + 0.8 * typed)
    for separator in SEPARATORS:
        if comment == separator:
            continue
        score = _score(head, Dialect(separator, quote, comment))
        if separator == " ":
            score *= 0.85
        if score > most + 1e-9:
            best, most = separator, score
    if best == "," and _is_decimal_comma(head, Dialect(best, quote, comment)):
        return ""
    return best


def _is_decimal_comma(head: Sequence[str], dialect: Dialect) -> bool:
    """Whether a comma in each row of one name is the decimal mark of a single column."""
    try:
        rows = [record.cells for record in records(head, dialect)]
    except OpenQuoteError:
        return False
    if len(rows) < 3 or len(rows[0]) != 1 or any(len(row) != 2 for row in rows[1:]):
        return False
    if not all(re.fullmatch(r"-?\d+", row[0]) and re.fullmatch(r"\d+", row[1]) for row in rows[1:]):
        return False
    # Names of rows count up; the whole parts of measurements don't.
    counts = [int(row[0]) for row in rows[1:]]
    return any(after - before != 1 for before, after in pairwise(counts))


def _score(head: Sequence[str], dialect: Dialect) -> float:
    try:
        rows = [record.cells for record in records(head, dialect)]
    except OpenQuoteError:
        return _score(head, replace(dialect, quote="")) if dialect.quote else 0.0
    if not rows:
        return 0.0
    widths = Counter(map(len, rows))
    width, usual = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
    if width < 2:
        return 0.0
    held = good = 0.0
    for row in rows:
        if len(row) == width:
            kinds = [kind(cell) for cell in row[:LOOKED_AT]]
            held += len(kinds)
            good += sum(0.5 if each == EMPTY else each != WORDS for each in kinds)
    share = usual / len(rows)
    # One more row than chance would leave alike is no evidence: two lines are easily of one width.
    return share * share * (0.2 + 0.8 * good / held) * (1 - 0.5 / len(rows))


def about_lines(dialect: Dialect) -> Iterator[Finding]:
    """What is worth saying about which line is what."""
    if dialect.skipped:
        text = " ".join(cell for cell in dialect.skipped[0].cells if cell.strip())[:60]
        yield note(
            "preamble",
            N_("Line {line} above the table ({text!r}) is skipped."),
            N_("{count} lines above the table (the first: {text!r}) are skipped."),
            count=len(dialect.skipped),
            line=dialect.skipped[0].line,
            text=text,
        )
    if dialect.comments > 0:
        yield note(
            "comments",
            N_("One line is a comment ({mark})."),
            N_("{count} lines are comments ({mark})."),
            count=dialect.comments,
            mark=dialect.comment,
        )
    if not dialect.header:
        yield warning(
            "no-header",
            N_("No line names the columns; they are numbered."),
            remedies=(
                Remedy(
                    N_("Line {line} names them"),
                    Overrides(header=(dialect.first,)),
                    {"line": dialect.first},
                ),
            ),
        )
    if dialect.commented_header:
        yield note(
            "header-in-comment",
            N_("The names of the columns stand in the comment of line {line}."),
            line=dialect.header[0],
        )
    if dialect.row_names:
        yield note(
            "short-header",
            N_(
                "The header has a name less than the rows have cells: the first column holds the"
                " rows' names."
            ),
        )
    if dialect.unnamed:
        yield warning(
            "names-left",
            N_(
                "The header has a name less than the rows have cells; its names are those of the left"
                " columns."
            ),
            N_(
                "The header has {count} names less than the rows have cells; its names are those of"
                " the left columns."
            ),
            count=dialect.unnamed,
        )
    if dialect.notes:
        yield note(
            "header-notes",
            N_("Beside the names one line holds notes such as sources or ids; it is left out."),
            N_(
                "Beside the names {count} lines hold notes such as sources or ids; they are left out."
            ),
            count=dialect.notes,
            remedies=tuple(
                Remedy(N_("Line {line} names them"), Overrides(header=(line,)), {"line": line})
                for line in dialect.header[:4]
            ),
        )
    if dialect.trailing_separator:
        yield note("trailing-separator", N_("Each row ends with a separator; it is left out."))
    units = any(dialect.units)
    if units:
        yield note("units", N_("The line under the names tells the units."))
    if len(dialect.header) > 1 + units + dialect.notes:
        yield note(
            "many-headers",
            N_("{count} lines name the columns together."),
            count=len(dialect.header) - units - dialect.notes,
        )
    if not dialect.own_quotes:
        yield warning(
            "open-quote", N_("A quote opens and never closes; quotes are read as letters.")
        )

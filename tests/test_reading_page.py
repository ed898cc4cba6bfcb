"""How a file was read, on the data page: what was found, and every way to overrule it."""

from streamlit.testing.v1 import AppTest

from tests.page import button, labelled, opened, pressed, tables_of, texts
from tests.test_sources_page import source, upload

LINK = {"task": "table"}
GERMAN = "Datum;Preis;Menge\n" + "\n".join(
    f"{1 + day % 28:02d}.{1 + day // 28:02d}.2020;{100 + day % 13},{day % 10};"
    f"{-999 if day % 17 == 3 else day}"
    for day in range(120)
)


def german() -> AppTest:
    return upload(opened("pages/Data.py", LINK), GERMAN, "preise.csv")


def summary(page: AppTest) -> str:
    return next(each.value for each in page.caption if "encoding" in each.value).replace("\\", "")


def test_what_was_found_is_said_with_the_first_rows() -> None:
    page = german()
    assert summary(page) == (
        "120 rows, 2 columns of numbers · encoding ascii · separated by semicolon · decimal comma"
        " · thousands none · header in line 1 · time in Datum (%d.%m.%Y)"
    )
    said = texts(page)
    assert "-999 stands for a missing value in 7 cells of 'Menge'." in said
    assert "Numbers have the decimal mark ','." in said
    found = [each.label for each in page.expander]
    assert "4 notes" in found and "Read it differently" in found
    head = tables_of(page)[0]
    assert len(head) == 8
    assert head["Preis"].tolist() == [100.0, 101.1, 102.2, 103.3, 104.4, 105.5, 106.6, 107.7]
    assert head["Datum"].tolist()[0] == "01.01.2020"


def test_a_remedy_that_is_pressed_changes_the_source_and_can_be_taken_back() -> None:
    page = german()
    plain = source(page)
    remedy = button(page, "Read \\-999 as a number")
    remedy.click().run()
    assert not page.exception
    assert source(page) == plain + '?{"missing_in":[]}'
    assert tables_of(page)[0]["Menge"].tolist()[3] == -999
    assert "stands for a missing value" not in texts(page)
    pressed(page, "As found")
    assert source(page) == plain
    assert "stands for a missing value" in texts(page)


def test_a_reading_that_is_overruled_is_kept_until_it_is_taken_back() -> None:
    page = german()
    plain = source(page)
    labelled(page.selectbox, "Decimal mark").set_value(".")
    labelled(page.text_input, "Header line(s)").set_value("-")
    pressed(page, "Read again")
    assert source(page) == plain + '?{"decimal":".","header":[]}'
    assert "decimal point" in summary(page) and "no header" in summary(page)
    assert labelled(page.selectbox, "Decimal mark").value == "."
    assert labelled(page.text_input, "Header line(s)").value == "-"
    page.run()
    assert source(page) == plain + '?{"decimal":".","header":[]}'
    pressed(page, "As found")
    assert source(page) == plain
    assert labelled(page.selectbox, "Decimal mark").value == "auto"
    assert labelled(page.text_input, "Header line(s)").value == ""
    assert "header in line 1" in summary(page)


def test_reading_again_keeps_what_a_remedy_has_overruled() -> None:
    page = german()
    plain = source(page)
    button(page, "Read \\-999 as a number").click().run()
    labelled(page.selectbox, "Order of rows").set_value("file")
    pressed(page, "Read again")
    assert source(page) == plain + '?{"missing_in":[],"order":"file"}'
    labelled(page.selectbox, "Order of rows").set_value("auto")
    pressed(page, "Read again")
    assert source(page) == plain + '?{"missing_in":[]}'


def test_missing_marks_and_time_columns_are_taken_as_typed() -> None:
    page = german()
    plain = source(page)
    labelled(page.text_input, "Missing-value marks").set_value("NA 105 ?")
    labelled(page.multiselect, "Time column(s)").set_value(["Datum"])
    labelled(page.text_input, "Time format").set_value(" %d.%m.%Y ")
    pressed(page, "Read again")
    assert source(page) == plain + (
        '?{"missing":["NA","105","?"],"time":["Datum"],"time_format":"%d.%m.%Y"}'
    )
    assert labelled(page.text_input, "Missing-value marks").value == "NA 105 ?"


def test_overrides_that_make_no_table_say_one_sentence_and_keep_the_old_reading() -> None:
    page = german()
    plain, before = source(page), tables_of(page)[0]
    labelled(page.selectbox, "Encoding").set_value("utf-16")
    pressed(page, "Read again")
    assert len(page.error) == 1
    assert page.error[0].value.endswith("\\.")
    assert source(page) == plain
    assert tables_of(page)[0].equals(before)
    page.run()
    assert source(page) == plain


def test_header_lines_that_are_no_numbers_are_refused() -> None:
    page = german()
    plain = source(page)
    labelled(page.text_input, "Header line(s)").set_value("first")
    pressed(page, "Read again")
    assert [each.value.replace("\\", "") for each in page.error] == [
        "The header lines are 'first'; write line numbers such as 1 or 1, 2."
    ]
    assert source(page) == plain


def test_a_sample_is_read_differently_too() -> None:
    page = opened("pages/Data.py", LINK)
    labelled(page.text_input, "Header line(s)").set_value("1")
    labelled(page.selectbox, "Order of rows").set_value("file")
    pressed(page, "Read again")
    assert source(page) == 'sunspots_yearly?{"header":[1],"order":"file"}'
    pressed(page, "As found")
    assert "table.source" not in page.query_params


def test_overrides_of_a_link_are_used_and_those_that_make_no_table_are_dropped() -> None:
    page = opened("pages/Data.py", LINK | {"table.source": 'sunspots_yearly?{"order":"file"}'})
    assert source(page) == 'sunspots_yearly?{"order":"file"}'
    assert labelled(page.selectbox, "Order of rows").value == "file"
    column = {"table.column": "SUNACTIVITY"}
    for bad in (
        'sunspots_yearly?{"header":[999999]}',
        "sunspots_yearly?{",
        'sunspots_yearly?{"missing":"\\ud800"}',
    ):
        page = opened("pages/Data.py", LINK | column | {"table.source": bad})
        assert not page.exception
        assert len(page.error) + len(page.warning) == 1
        assert "table.source" not in page.query_params


def test_names_that_are_markup_or_markdown_are_shown_as_text() -> None:
    name = "<b>*x*</b>[y](u) $z$ :red[q]"
    text = f'time,"{name}"\n' + "\n".join(
        f"{row},{-999 if row % 97 == 3 else row % 9}" for row in range(900)
    )
    page = upload(opened("pages/Data.py", LINK), text, "names.csv")
    assert labelled(page.selectbox, "Column").value == name
    shown = [each.value for each in [*page.markdown, *page.caption, *page.subheader]]
    hits = [each for each in shown if "q" in each and "y" in each and "z" in each and "b" in each]
    escaped = r"\<b\>\*x\*\</b\>\[y\]\(u\) \$z\$ \:red\[q\]"
    assert sum(escaped in each for each in hits) >= 2  # the finding and the heading
    assert not [each for each in hits if name in each]
    # The charts know another markup, which is not Markdown's.
    drawn = next(e for e in page.get("plotly_chart") if e.key == "column")
    assert "<b>" not in drawn.proto.spec

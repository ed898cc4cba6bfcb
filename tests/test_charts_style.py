"""The look that all charts share."""

import re

from gruviz.charts import style
from gruviz.charts.style import DARK, figure, plain


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_stands_out_from_a_light_and_its_twin_from_a_dark_page() -> None:
    for light in (
        style.BLUE,
        style.GREEN,
        style.RED,
        style.PURPLE,
        style.GREY,
        style.AMBER,
        style.INK,
    ):
        dark = DARK[light]
        assert 1.05 / (luminance(light) + 0.05) >= 3
        assert (luminance(dark) + 0.05) / (luminance("#0e1117") + 0.05) >= 3


def test_a_figure_loads_nothing_and_leaves_the_background_to_the_page() -> None:
    chart = figure("Title", "aid", "x", "y", log=True)
    text = chart.to_json()
    assert not re.search(r"https?://", text)
    assert chart.layout.paper_bgcolor == chart.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert (chart.layout.yaxis.type, chart.layout.xaxis.type) == ("log", None)


def test_text_from_a_file_is_shown_as_it_is_and_not_too_long() -> None:
    assert plain("a < b & <b>c</b>") == "a &lt; b &amp; &lt;b&gt;c&lt;/b&gt;"
    assert plain("x" * 100) == "x" * 60

"""The look that all charts share."""

import json
import re

import numpy as np

from gruviz.charts import style
from gruviz.charts.style import DARK, figure, on_dark, plain


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


def test_a_chart_on_a_dark_page_is_the_same_chart_in_the_twins_of_its_colours() -> None:
    chart = figure("Title", "aid", "x", "y").add_scatter(
        x=np.arange(3.0), y=np.array([1.0, np.nan, 2.0]), line={"color": style.BLUE}
    )
    chart.add_shape(type="line", x0=1, x1=1, y0=0, y1=1, line={"color": style.GREY})
    dark = on_dark(chart)
    assert dark.data[0].line.color == DARK[style.BLUE]
    assert dark.layout.shapes[0].line.color == DARK[style.GREY]
    back = {twin: light for light, twin in DARK.items()}
    text = dark.to_json()
    for twin in (DARK[style.BLUE], DARK[style.GREY]):
        text = text.replace(twin, back[twin])
    assert json.loads(text) == json.loads(chart.to_json())

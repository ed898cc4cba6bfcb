"""What the environment may say."""

import pytest

from gruviz.errors import GruvizError
from gruviz.settings import SETTINGS, amount, limit


@pytest.mark.parametrize("name", SETTINGS)
def test_a_default_is_within_its_range_and_what_the_environment_says_is_taken(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = SETTINGS[name]
    monkeypatch.delenv(name, raising=False)
    assert row.low <= row.default <= row.high
    assert amount(name) == row.default
    monkeypatch.setenv(name, str(row.high))
    assert amount(name) == row.high
    assert row.about.endswith(".")


@pytest.mark.parametrize(
    "text", ["", "0", "65", "-1", "two", "1.5", "1_0", " 5", "nan", "1e1", "٣"]
)
def test_nonsense_is_refused_with_the_value_and_the_remedy(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUVIZ_WORKERS", text)
    with pytest.raises(GruvizError) as caught:
        limit("GRUVIZ_WORKERS")
    assert str(caught.value) == f"GRUVIZ_WORKERS is {text!r}; set it to a number from 1 to 64."

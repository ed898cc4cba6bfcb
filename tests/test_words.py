"""Words: English in the code, other languages in catalogs."""

import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gruviz import words
from gruviz.words import N_, _, n_, speak


def catalog(messages: dict[str, str]) -> bytes:
    """A compiled catalog (the .mo format of GNU gettext)."""
    header = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n > 1;\n"
    pairs = sorted(
        (key.encode(), value.encode()) for key, value in {"": header, **messages}.items()
    )
    count, keys, values, data = len(pairs), b"", b"", b""
    start = 28 + 16 * count
    for index in range(count):
        keys += struct.pack("<2I", len(pairs[index][0]), start + len(data))
        data += pairs[index][0] + b"\0"
    for index in range(count):
        values += struct.pack("<2I", len(pairs[index][1]), start + len(data))
        data += pairs[index][1] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0) + keys + values + data


@pytest.fixture
def french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    plural = "{count} step\0{count} steps"
    messages = {"Train": "Entraîner", plural: "{count} pas (un)\0{count} pas"}
    (folder / "gruviz.mo").write_bytes(catalog(messages))
    monkeypatch.setattr(words, "CATALOGS", tmp_path)
    words._catalog.cache_clear()
    yield
    words._catalog.cache_clear()
    speak(None)


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize("language", ["fr", "fr-CA", "fr_CH", "fr-Latn-FR"])
def test_adding_a_language_is_adding_a_catalog(language: str) -> None:
    speak(language)
    assert _("Train") == "Entraîner"
    assert _("Pause") == "Pause"
    speak(None)
    assert _("Train") == "Train"


@pytest.mark.usefixtures("french")
def test_a_language_has_plurals_of_its_own() -> None:
    one, many = "{count} step", "{count} steps"
    assert [n_(one, many, count) for count in (0, 1, 2)] == [many, one, many]
    speak("fr")
    forms = [n_(one, many, count).format(count=count) for count in (0, 1, 2)]
    assert forms == ["0 pas (un)", "1 pas (un)", "2 pas"]


@pytest.mark.usefixtures("french")
@pytest.mark.parametrize("language", ["xx", "", None, "../..", "e\0n", "\ud800", "a" * 9000])
def test_a_language_without_a_catalog_is_english(language: str | None) -> None:
    speak(language)
    assert _("Train") == "Train"


@pytest.mark.usefixtures("french")
def test_each_visitor_has_a_language_of_their_own() -> None:
    speak("fr")
    heard: list[str] = []
    other = threading.Thread(target=lambda: heard.append(_("Train")))
    other.start()
    other.join(10)
    assert (heard, _("Train")) == (["Train"], "Entraîner")


@pytest.mark.usefixtures("french")
def test_a_marked_string_is_translated_where_it_is_shown() -> None:
    speak("fr")
    label = N_("Train")
    assert (label, _(label)) == ("Train", "Entraîner")

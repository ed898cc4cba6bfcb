"""Text that is neither ASCII nor Unicode, in the languages that tables are written in."""

import numpy as np
import pytest

from gruviz.csv import read_csv
from gruviz.csv.encoding import BLOCK, BLOCKS, _sample
from gruviz.errors import GruvizError

ROWS = [f"2021-01-{row % 28 + 1:02d};{row % 17 + 0.5};{row * 7 % 13 + 0.25}" for row in range(60)]

# (names of the columns, a word of each row, encodings)
LANGUAGES = {
    "Russian": (
        "Дата;Температура воздуха;Влажность;Станция",
        "Санкт-Петербург",
        ["cp1251", "koi8_r", "cp866", "iso8859_5", "mac_cyrillic"],
    ),
    "Russian in capitals": ("ДАТА;ТЕМПЕРАТУРА;ВЛАЖНОСТЬ;ГОРОД", "МОСКВА", ["cp1251", "koi8_r"]),
    "Ukrainian": ("Дата;Температура повітря;Вологість;Місто", "Київ", ["cp1251", "koi8_u"]),
    "Polish": (
        "Data;Średnia temperatura;Wilgotność;Stacja",
        "Wrocław",
        ["cp1250", "iso8859_2", "cp852"],
    ),
    "Polish by two names": ("Data;Gęstość;Prędkość;Ort", "Opole", ["cp1250", "iso8859_2"]),
    "Czech": ("Datum;Teplota (°C);Srážky;Město", "Třebíč", ["cp1250", "iso8859_2"]),
    "Hungarian": ("Dátum;Hőmérséklet;Csapadék;Város", "Győr", ["cp1250"]),
    "Japanese": ("日付;気温;降水量;観測所", "東京都千代田区", ["cp932"]),
    "Japanese with kana": ("日付;きおん;しつど;ばしょ", "とうきょう", ["cp932", "euc_jp"]),
    "Chinese": ("日期;温度;湿度;城市", "北京市", ["gb18030"]),
    "Chinese of Taiwan": ("日期;溫度;濕度;城市", "臺北市", ["big5"]),
    "Korean": ("날짜;기온;강수량;지점", "서울특별시", ["cp949"]),
    "Greek": ("Ημερομηνία;Θερμοκρασία;Υγρασία;Πόλη", "Αθήνα", ["cp1253", "iso8859_7"]),
    "Turkish": ("Tarih;Sıcaklık;Yağış;Şehir", "Eskişehir", ["cp1254"]),
    "Hebrew": ("תאריך;טמפרטורה;לחות;תחנה", "ירושלים", ["cp1255"]),
    "Arabic": ("التاريخ;درجة الحرارة;الرطوبة;المدينة", "القاهرة", ["cp1256"]),
    "French": ("Date;Température;Humidité;Même", "Forêt", ["cp1252", "mac_roman", "cp850"]),
    "German": ("Datum;Größe;Höhe über Grund;Ort", "Zürich", ["cp1252", "mac_roman", "cp850"]),
    "Spanish": ("Fecha;Año;Precipitación;Estación", "Cataluña", ["cp1252", "mac_roman"]),
    "Portuguese": ("Data;Precipitação;Estação;Local", "São Paulo", ["cp1252"]),
    "Icelandic": ("Dagur;Hiti í gær;Úrkoma;Staður", "Þórshöfn", ["cp1252"]),
}
CASES = [
    pytest.param(names, word, encoding, id=f"{language}, {encoding}")
    for language, (names, word, encodings) in LANGUAGES.items()
    for encoding in encodings
]


@pytest.mark.parametrize("times", [1, 200])
@pytest.mark.parametrize(("names", "word", "encoding"), CASES)
def test_a_language_is_read_in_each_encoding_that_it_is_written_in(
    names: str, word: str, encoding: str, times: int
) -> None:
    content = "\n".join([names, *(f"{row};{word}" for row in ROWS * times)])
    table = read_csv(content.encode(encoding))
    assert list(table.frame) == names.split(";")
    assert set(table.frame[names.rsplit(";", maxsplit=1)[-1]]) == {word}
    assert "encoding" in {finding.code for finding in table.findings}


def test_of_a_long_file_some_blocks_with_foreign_letters_are_looked_at_wherever_they_are() -> None:
    plain = b"2021-01-05;1.5\n" * 400_000
    rare = plain + "Größe;2\n".encode("latin-1") + plain
    sample = _sample(rare)
    assert len(sample) <= BLOCK + 1 and "Größe".encode("latin-1") in sample
    random = np.random.default_rng(0).integers(128, 256, 5_000_000, dtype=np.uint8).tobytes()
    assert len(_sample(random)) <= BLOCKS * (BLOCK + 1)


def test_broken_bytes_in_unicode_are_said_wherever_they_are() -> None:
    good = "Zürich;3.5\n".encode() * 60_000
    for content in (
        b"Z\xfcrich;3\n" + good,
        good + b"Z\xfcrich;3\n" + good,
        good + b"Z\xfcrich;3\n",
    ):
        table = read_csv(b"place;x\n" + content)
        (finding,) = [each for each in table.findings if each.code == "damaged-text"]
        assert table.reading.encoding == "utf-8" and finding.values["count"] == 1


def test_too_many_broken_bytes_are_refused_where_the_encoding_is_told() -> None:
    content = b"a;b\n" + b"\x81\x8d;1\n" * 600_000
    with pytest.raises(GruvizError, match=r"isn't cp1252 text \(byte 4 can't be read\)"):
        read_csv(content[:5_000_000], encoding="cp1252")

"""How long reading a CSV takes: 10 MB as people write it, and 20 MB made to keep a server busy."""

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd

from gruviz.csv import read_csv
from gruviz.errors import GruvizError

ROWS = 200_000
LARGEST = 19_900_000  # bytes


def hostile() -> Iterator[tuple[str, bytes]]:
    """Files of the largest size, each with its kind."""
    rng = np.random.default_rng(0)
    high = rng.integers(128, 256, LARGEST, dtype=np.uint8)
    yield "high bytes in one line", high.tobytes()
    high[80::81] = 10
    yield "high bytes in lines", high.tobytes()
    yield "random bytes", rng.integers(0, 256, LARGEST, dtype=np.uint8).tobytes()
    dates = b"".join(
        b"%d-%02d-%02d %02d:%02d:00,%d/%d/%d,Jan %d,%d.%d.%02d\n"
        % (
            1900 + i % 200,
            i % 12 + 1,
            i % 28 + 1,
            i % 24,
            i % 60,
            i % 31,
            i % 12,
            i % 99,
            i % 30,
            i % 31,
            i % 12,
            i % 99,
        )
        for i in range(20_000)
    )
    half = b"1,2,3\n" * (LARGEST // 12)
    repeated: dict[str, bytes] = {
        "quotes": b'"',
        "quotes in lines": b'"' * 61 + b"\n",
        "quotes in quotes": b'"a""b""c""d"",""e",' * 5 + b"\n",
        "commas": b",",
        "a million columns": b"1," * 999_999 + b"1\n",
        "two thousand columns": b"12345," * 1999 + b"1\n",
        "separators in turns": b"1,2;3\t4|5 6,7;8,9;0\t1|2 3,4;5|6 7,8;9;0\n",
        "digits": b"1234567890",
        "digits in lines": b"1234567890" * 5 + b"\n",
        "dates in many forms": dates,
        "line ends in turns": b"1234567890,12345678901234567890\r\n1,12345678901234567890123456789\r",
        "returns": b"a" + b"\r" * 999_999,
        "comments": b"# a comment of forty letters or more of them\n",
        "Latin letters": "Größe;Übermaß;12,5;é à ç ñ;Größe;Übermaß;12,5\n".encode("latin-1"),
        "Chinese": "日期,温度,12.5,城市,北京市,日期,温度,12.5,城市,北京市\n".encode("gb18030"),
    }
    for kind, piece in repeated.items():
        yield kind, (piece * (LARGEST // len(piece) + 1))[:LARGEST]
    yield "zeros", b"1,2\n" * 1000 + b"\0" * (LARGEST - 4000)
    yield "half of it UTF-16", half.decode().encode("utf-16-le")[: LARGEST // 2] + half


def bounded() -> None:
    """Print the processor time of each hostile file, and the longest time without a word."""
    for kind, data in hostile():
        begin = last = time.process_time()
        silent = 0.0

        def told(_share: float, _what: str) -> None:
            nonlocal last, silent
            now = time.process_time()
            silent, last = max(silent, now - last), now

        try:
            end = "a table of {:,} × {:,}".format(*read_csv(data, progress=told).frame.shape)
        except GruvizError as error:
            end = f"refused: {error}"
        told(1.0, "")
        print(f"{kind}: {last - begin:.2f} s, silent for {silent:.2f} s; {end[:70]}")


def content(separator: str, decimal: str, dates: str) -> bytes:
    """A file of times and four columns of numbers."""
    numbers = np.random.default_rng(0).normal(50, 20, (ROWS, 4)).round(4)
    frame = pd.DataFrame(numbers, columns=[f"c{column}" for column in range(4)])
    frame.insert(0, "time", pd.date_range("2000-01-01", periods=ROWS, freq="h").strftime(dates))
    return frame.to_csv(index=False, sep=separator, decimal=decimal).encode()


def main() -> None:
    """Print the seconds of each."""
    for label, separator, decimal, dates in (
        ("commas, ISO times", ",", ".", "%Y-%m-%d %H:%M:%S"),
        ("semicolons, decimal commas", ";", ",", "%d.%m.%Y %H:%M"),
    ):
        data = content(separator, decimal, dates)
        start, spent = time.perf_counter(), time.process_time()
        table = read_csv(data)
        wall, spent = time.perf_counter() - start, time.process_time() - spent
        assert table.rows == ROWS and table.time is not None
        print(
            f"read_csv, {label}: {len(data) / 1e6:.1f} MB, {ROWS:,} rows:"
            f" {wall:.2f} s ({spent:.2f} s of processor time); bound 3 s"
        )
    print("20 MB each (bounds: 3 s of processor time, 0.5 s without a word):")
    bounded()


if __name__ == "__main__":
    main()

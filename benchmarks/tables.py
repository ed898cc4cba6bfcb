"""How long reading a CSV takes: 10 MB and 200,000 rows, as an American and as a German write it."""

import time

import numpy as np
import pandas as pd

from gruviz.data.csv import read_csv

ROWS = 200_000


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


if __name__ == "__main__":
    main()

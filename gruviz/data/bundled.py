"""The tables that come with gruviz, read like anybody's."""

from functools import lru_cache
from pathlib import Path

from gruviz.csv import MAX_BYTES, Overrides, Table, read_csv

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_NAMES = (
    "sunspots_yearly",
    "co2_weekly",
    "airline_passengers",
    "digits_8x8",
    "waveforms_long",
)


def sample(name: str, overrides: Overrides | None = None) -> Table:
    """A bundled table by its name."""
    return _sample(name, overrides or Overrides())


@lru_cache(maxsize=16)
def _sample(name: str, overrides: Overrides) -> Table:
    return read_csv(SAMPLES / f"{name}.csv", overrides, name=name)


__all__ = ["MAX_BYTES", "SAMPLES", "SAMPLE_NAMES", "Table", "sample"]

"""Tables whose rows are places, not times: cities, stations, points on a map."""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from gruviz.csv.table import CONSTANT, COUNTER, IDENTIFIER, NUMBER, TIME, WORDS
from gruviz.csv.times import ELAPSED_NAME

LATITUDE = re.compile(r"(?:^|[\W_])(?:lat|latitude|breite|breitengrad)(?:$|[\W_\d])", re.IGNORECASE)
LONGITUDE = re.compile(
    r"(?:^|[\W_])(?:lon|lng|long|longitude|länge|längengrad)(?:$|[\W_\d])", re.IGNORECASE
)
PLACE = re.compile(
    r"(?:^|[\W_])(?:country|countries|city|cities|town|village|municipality|county|province|region"
    r"|district|station|location|place|airport|neighbou?rhood|land|stadt|ort|gemeinde|kreis|bundesland"
    r"|pays|ville|commune|région|país|ciudad|municipio|provincia|comune)(?:[ _]?name)?(?:$|[\W_])",
    re.IGNORECASE,
)
LEAST_DISTINCT = 0.95
LEAP = 0.1  # of the map's width, from one row to the next; a track goes on in small steps


def places(frame: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that tell each row's place, where no row comes twice and none tells a time."""
    if any(k == TIME or (k == COUNTER and ELAPSED_NAME.search(n)) for n, k in kinds.items()):
        return ()
    points = _points(frame, kinds)
    if points:
        return points
    for name, kind in kinds.items():
        if kind == WORDS and PLACE.search(name):
            words = frame[name].dropna()
            if len(words) > 0.9 * len(frame) and words.nunique() >= LEAST_DISTINCT * len(words):
                return (name,)
    return ()


def _points(frame: pd.DataFrame, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """Latitude and longitude, if they leap from row to row."""
    found: list[str] = []
    for pattern, most in ((LATITUDE, 90.0), (LONGITUDE, 360.0)):
        name = next(
            (
                n
                for n, k in kinds.items()
                if k in (NUMBER, IDENTIFIER, CONSTANT) and pattern.search(n)
            ),
            None,
        )
        if name is None:
            return ()
        values = frame[name].to_numpy(np.float64)
        known = values[np.isfinite(values)]
        if not len(known) or np.abs(known).max() > most:
            return ()
        found.append(name)
    points = frame[found].dropna().to_numpy(np.float64)
    if len(points) < 0.5 * len(frame) or len(np.unique(points, axis=0)) < 0.5 * len(points):
        return ()
    steps = np.abs(np.diff(points, axis=0)).sum(axis=1)
    width = np.ptp(points, axis=0).sum()
    return tuple(found) if np.median(steps) > LEAP * width else ()

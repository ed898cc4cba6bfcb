"""Numbers that stand for "missing": -200, -9999, 999.9, and a lone -1 beside them."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

NEGATIVE = frozenset(
    [-9.0, -9.9, -9.99, -0.99, -99.0, -99.9, -99.99, -99.999, -999.0, -999.9, -999.99, -9999.0,
     -9999.9, -9999.99, -99999.0, -99999.9, -999999.0, -200.0, -888.0, -8888.0, -777.0, -7777.0,
     -6999.0, -7999.0, -32768.0, -32767.0, -2147483648.0, -1e30, -1e20, -1e34]
)  # fmt: skip
POSITIVE = frozenset(
    [99.9, 99.99, 999.0, 999.9, 999.99, 999.999, 9999.0, 9999.9, 9999.99, 99999.0, 99999.9, 999999.0,
     9999999.0, 32767.0, 65535.0, 2147483647.0, 1e20, 1e30, 1e34, 1e36, 9.96921e36]
)  # fmt: skip
ALWAYS = 3  # times that a number has to occur


def find(columns: Mapping[str, Floats]) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """The numbers in each column that surely, and that perhaps, stand for a missing value."""
    sure: dict[str, list[float]] = {}
    weak: dict[str, float] = {}
    for name, values in columns.items():
        known = values[np.isfinite(values)]
        while len(known) and (found := _outstanding(known)) is not None:
            sure.setdefault(name, []).append(found)
            known = known[known != found]
        if name in sure or len(known) < ALWAYS:
            continue
        least = known.min()
        if least == -1 and (known == -1).sum() >= ALWAYS and (known[known != -1] >= 0).all():
            weak[name] = -1.0
    perhaps: dict[str, list[float]] = {}
    missing = {name: np.isin(columns[name], codes) for name, codes in sure.items()}
    for name, code in weak.items():
        here = columns[name] == code
        # -1 may well be a value; where another column has its code in the same rows, it is one too.
        if any((here & gone).sum() >= 0.9 * here.sum() for gone in missing.values()):
            sure.setdefault(name, []).append(code)
        elif len(np.unique(columns[name][np.isfinite(columns[name]) & ~here])) > 3:
            perhaps[name] = [code]
    return sure, perhaps


def _outstanding(known: Floats) -> float | None:
    """The least or greatest of some numbers, if it is a code apart from all others."""
    for code, codes, sign in ((known.min(), NEGATIVE, 1), (known.max(), POSITIVE, -1)):
        if float(code) not in codes:
            continue
        rest = known[known != code]
        count = len(known) - len(rest)
        if not len(rest):
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            near, far = (rest.min(), rest.max()) if sign > 0 else (rest.max(), rest.min())
            span, gap = abs(far - near), abs(near - code)
        alone = sign > 0 and near >= 0
        if (alone and count >= 2) or (
            gap > max(span, abs(near)) and (count >= 2 or gap > 10 * span > 0)
        ):
            return float(code)
    return None

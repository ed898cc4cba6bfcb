"""What the panel's component is sent."""

import json
import math

import numpy as np

from gruviz.ui import panel


def test_columns_are_json_that_a_browser_can_read() -> None:
    found = {
        "diverged": panel._numbers(np.array([1.5, math.nan, math.inf])),
        "finite": panel._numbers(np.array([1.5, 2.0], np.float32)),
        "whole": panel._numbers(np.arange(3)),
        "image": panel._numbers(np.array([[0.0, math.nan], [1.0, 2.0]])),
    }
    assert json.loads(json.dumps(found, allow_nan=False)) == {
        "diverged": [1.5, None, None],
        "finite": [1.5, 2.0],
        "whole": [0, 1, 2],
        "image": [[0.0, None], [1.0, 2.0]],
    }

"""The work of the studies, a file each: `proceed` takes any of them a slice further."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from gruviz.data import Fetch, fetch_sample
from gruviz.experiment import Experiment
from gruviz.studies import RangeTest, S, Sharpness, Surface, Trials
from gruviz.training.studies import range_test, sharpness, surface, trials
from gruviz.training.threads import one_thread

STUDIES: dict[type, Callable[[Experiment, Any, Fetch, Callable[[], bool]], Any]] = {
    RangeTest: range_test.proceed,
    Sharpness: sharpness.proceed,
    Surface: surface.proceed,
    Trials: trials.proceed,
}


def proceed(
    experiment: Experiment,
    state: S,
    *,
    seconds: float | None = None,
    fetch: Fetch = fetch_sample,
) -> S:
    """Take a study of an experiment further for some seconds (None: to its end).

    At least one unit of work is done: a step, a part of a Hessian-vector product, a part of a loss.
    However a study is cut into slices, it finds the same to the bit.
    """
    started = perf_counter()

    def is_over() -> bool:
        return seconds is not None and perf_counter() - started >= seconds

    with one_thread():
        found: S = STUDIES[type(state)](experiment, state, fetch, is_over)
    return found

"""What one step did, stage by stage, in the numbers of that step."""

import math
from collections.abc import Sequence
from typing import Any

from gruviz.runs import SLOW_SECONDS, Run
from gruviz.words import _, readable

SHOWN = 3
REVEAL_SHARE = 0.8  # of the time between two steps in slow motion


def stages(run: Run) -> dict[str, Any]:
    """The panel's strip: the step, over how many seconds it is told, and (stage, text) of each.

    Empty rows unless the run is in slow motion or has just made a single step.
    """
    found = run.anatomy
    shown = found and (run.slow or run.single)
    return {
        "step": found.get("step", -1) if shown else -1,
        "seconds": REVEAL_SHARE * SLOW_SECONDS if run.slow else 0,
        "rows": _rows(found) if shown else [],
    }


def _rows(found: Any) -> list[tuple[str, str]]:
    batch, forward, backward, clip, update = (
        found[name] for name in ("batch", "forward", "backward", "clip", "update")
    )
    loss = _("{loss} over the batch").format(loss=readable(found["loss"]))
    if not math.isnan(found["penalty"]):
        loss += "\n" + _("+ {penalty} penalty").format(penalty=readable(found["penalty"]))
    return [
        (
            _("Batch"),
            _("{count:,} sequences\nrows {rows}").format(
                count=batch["count"], rows=_some(batch["rows"], batch["count"])
            ),
        ),
        (
            _("Forward"),
            _("the first one: {answer}\nwanted: {target}").format(
                answer=_numbers(forward["answer"]), target=_numbers(forward["target"])
            ),
        ),
        (_("Loss"), loss),
        (
            _("Backward"),
            _("‖gradient‖ {norm}\nlargest {largest} in {block}").format(
                norm=readable(backward["norm"]),
                largest=readable(backward["largest"]),
                block=backward["block"],
            ),
        ),
        (
            _("Clip"),
            _("× {factor}\n‖gradient‖ {norm}").format(
                factor=readable(clip["factor"]), norm=readable(clip["norm"])
            )
            if clip["factor"] != 1
            else _("nothing to shorten"),
        ),
        (
            _("Update"),
            _("rate {rate}: ‖Δw‖ {norm}, at most {largest}\n‖w‖ {weights}").format(
                rate=readable(update["learning_rate"]),
                norm=readable(update["norm"]),
                largest=readable(update["largest"]),
                weights=readable(update["weights"]),
            ),
        ),
    ]


def _some(rows: Sequence[int], count: int) -> str:
    text = ", ".join(f"{row:,}" for row in rows)
    return text + (", …" if count > len(rows) else "")


def _numbers(values: Sequence[float]) -> str:
    text = ", ".join(_number(value) for value in values[:SHOWN])
    return text + (", …" if len(values) > SHOWN else "")


def _number(value: float) -> str:
    return "–" if math.isnan(value) else readable(value, 3)  # where none was asked for

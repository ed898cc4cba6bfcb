"""What a chart shows, in words, for those who don't see it."""

from collections.abc import Mapping

import numpy as np

from gruviz.charts.curves import Floats, Tables, column
from gruviz.words import _


def loss(tables: Tables) -> str:
    """The latest training and validation loss, and where they began."""
    smooth, validation = column(tables, "steps.smooth"), column(tables, "validations.loss")
    if not len(smooth):
        return _("Loss: nothing trained yet.")
    text = _("Training loss {now:.4g} at step {step:,.0f}; it began at {first:.4g}.").format(
        now=smooth[-1], step=column(tables, "steps.step")[-1], first=smooth[0]
    )
    if len(validation):
        text += " " + _("Validation loss {now:.4g}.").format(now=validation[-1])
    return text


def gradient_norm(tables: Tables) -> str:
    """The latest norm, the threshold, and the share of clipped steps."""
    norm, limit = column(tables, "steps.norm"), column(tables, "steps.clip_norm")
    if not len(norm):
        return _("Gradient norm: nothing trained yet.")
    text = _("Gradient norm {now:.3g}; largest so far {most:.3g}.").format(
        now=norm[-1], most=np.nanmax(norm) if np.isfinite(norm).any() else np.inf
    )
    if np.isnan(limit[-1]):
        return text + " " + _("Clipping is off.")
    with np.errstate(invalid="ignore"):
        share = float((norm > limit).mean())
    return (
        text
        + " "
        + _("Clip norm {limit:.3g}; {share:.0%} of steps were clipped.").format(
            limit=limit[-1], share=share
        )
    )


def learning_rate(tables: Tables) -> str:
    """The rate at the start, now and at the end."""
    plan, now = column(tables, "plan.learning_rate"), column(tables, "here.learning_rate")
    return _(
        "Learning rate {now:.3g} now; the schedule goes from {first:.3g} to {last:.3g}."
    ).format(now=now[-1], first=plan[0], last=plan[-1])


def signal(values: "Mapping[str, np.ndarray]", name: str, label: str) -> str:
    """Mean and range of a signal over all units and time steps."""
    if name not in values:
        return _("{label}: nothing to show yet.").format(label=label)
    z = values[name]
    return _(
        "{label}: {units} units by {time} time steps, mean {mean:.2f}, from {low:.2f} to {high:.2f}."
    ).format(
        label=label, units=z.shape[0], time=z.shape[1], mean=z.mean(), low=z.min(), high=z.max()
    )


def prediction(tables: Tables) -> str:
    """How far the answer is from the truth, or which class it names."""
    answer = column(tables, "answer.value")
    if not len(answer):
        return _("Prediction: nothing trained yet.")
    true = column(tables, "probe.true")
    if len(true):
        return _(
            "The network gives {share:.0%} to the true class and favours class {best}."
        ).format(share=float(answer[true == 1][0]), best=int(answer.argmax()))
    wanted = column(tables, "probe.target")
    if len(wanted) == len(answer):
        return _("The prediction is off by {error:.3g} on average.").format(
            error=float(np.abs(answer - wanted).mean())
        )
    return ""


def gradient_through_time(tables: Tables) -> str:
    """The gradient's norm at the first and the last time step."""
    norm = column(tables, "gradient.norm")
    if not len(norm):
        return _("Gradient through time: nothing trained yet.")
    return _(
        "Gradient through time: {first:.2g} at the first time step, {last:.2g} at the last."
    ).format(first=norm[0], last=norm[-1])


def range_test(rates: Floats, mean: Floats, suggestion: float | None) -> str:
    """Where the mean loss is lowest, and what is suggested."""
    if not np.isfinite(mean).any():
        return _("Learning-rate range test: nothing measured yet.")
    at = int(np.nanargmin(mean))
    text = _(
        "Learning-rate range test from {first:.2g} to {last:.2g}: the mean loss begins at {begin:.3g}"
        " and is lowest, {least:.3g}, at {rate:.2g}."
    ).format(
        first=rates[0], last=rates[np.isfinite(mean)][-1], begin=mean[0], least=mean[at],
        rate=rates[at],
    )  # fmt: skip
    if suggestion is None:
        return text + " " + _("There is no suggestion.")
    return text + " " + _("Suggested: {rate:.2g}.").format(rate=suggestion)


def sharpness(steps: Floats, values: Floats, limits: Floats) -> str:
    """The sharpness at the first and last known step, against its limit."""
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return _("Sharpness: nothing measured yet.")
    first, last = known[0], known[-1]
    return _(
        "Sharpness {begin:.3g} at step {first:,.0f} and {end:.3g} at step {last:,.0f}, which is"
        " {times:.2g} times 2 / learning rate = {limit:.3g}."
    ).format(
        begin=values[first], first=steps[first], end=values[last], last=steps[last],
        times=values[last] / limits[last], limit=limits[last],
    )  # fmt: skip


def surface(losses: Floats, steps: Floats, explained: Floats) -> str:
    """The range of the surface, and how much of the path lies in its plane."""
    known = losses[np.isfinite(losses)]
    if not len(known):
        return _("Loss surface: nothing measured yet.")
    return _(
        "Loss surface around the path from step {first:,.0f} to {last:,.0f}: losses from {low:.3g} to"
        " {high:.3g}; the plane holds {share:.0%} of the path's variance."
    ).format(
        first=steps[0], last=steps[-1], low=known.min(), high=known.max(), share=explained.sum()
    )

"""What a chart shows, in words, for those who don't see it."""

from collections.abc import Mapping, Sequence

import numpy as np

from gruviz.charts.curves import Lines, Tables, column
from gruviz.words import _


def loss(tables: Tables, lines: Lines = (), solved: int | None = None) -> str:
    """The latest training and validation loss, where they began, and what is known beforehand.

    lines: label and value; solved: the step from which on the task counts as solved.
    """
    smooth, validation = column(tables, "steps.smooth"), column(tables, "validations.loss")
    known = "".join(
        " " + _("Known without training: {label}, {value:.4g}.").format(label=label, value=value)
        for label, value in lines
    )
    if not len(smooth):
        return _("Loss: nothing trained yet.") + known
    text = _("Training loss {now:.4g} at step {step:,.0f}; it began at {first:.4g}.").format(
        now=smooth[-1], step=column(tables, "steps.step")[-1], first=smooth[0]
    )
    if len(validation):
        text += " " + _("Validation loss {now:.4g}.").format(now=validation[-1])
    if solved is not None:
        text += " " + _("Solved at step {step:,}.").format(step=solved)
    return text + known


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
    """How far the answer is from the truth, or how much of it goes to the true class."""
    chances = column(tables, "answer.chances")
    answer = column(tables, "answer.value")
    if not len(chances) and not len(answer):
        return _("Prediction: nothing trained yet.")
    asked = column(tables, "probe.asked").astype(int)
    if len(chances):
        classes = column(tables, "probe.target").astype(int)
        right = chances[:, asked].argmax(axis=0) == classes
        return _(
            "The network gives {share:.0%} to the true class on average and favours it at"
            " {right} of {count} time steps."
        ).format(share=chances[classes, asked].mean(), right=right.sum(), count=len(asked))
    true = column(tables, "probe.true")
    if len(true):
        return _(
            "The network gives {share:.0%} to the true class and favours class {best}."
        ).format(share=float(answer[true == 1][0]), best=int(answer.argmax()))
    wanted = column(tables, "probe.target")
    if len(asked):
        answer = answer[asked]
    if len(wanted) == len(answer):
        return _("The prediction is off by {error:.3g} on average.").format(
            error=float(np.abs(answer - wanted).mean())
        )
    return ""


def sequences(answers: Sequence[str]) -> str:
    """How many sequences are shown, and what is wanted of those that want one answer."""
    text = _("{count} sequences of the task.").format(count=len(answers))
    wanted = ", ".join(answer for answer in answers if answer)
    return text + (" " + _("Wanted: {answers}.").format(answers=wanted) if wanted else "")


def gradient_through_time(tables: Tables) -> str:
    """The gradient's norm at the first and the last time step."""
    norm = column(tables, "gradient.norm")
    if not len(norm):
        return _("Gradient through time: nothing trained yet.")
    return _(
        "Gradient through time: {first:.2g} at the first time step, {last:.2g} at the last."
    ).format(first=norm[0], last=norm[-1])

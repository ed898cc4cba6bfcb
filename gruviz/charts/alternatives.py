"""What a chart shows, in words, for those who don't see it."""

from collections.abc import Sequence

import numpy as np

from gruviz.charts.blocks import HEALTHY
from gruviz.charts.chart import Floats, Subject, Tables, column
from gruviz.charts.lens import SHARE_WINDOW
from gruviz.words import _


def loss(tables: Tables, subject: Subject) -> str:
    """The latest training and validation loss, where they began, and what is known beforehand.

    Table "solved" has the step from which on the task counts as solved, if it does.
    """
    solved = column(tables, "solved.step")
    smooth, validation = column(tables, "steps.smooth"), column(tables, "validations.loss")
    known = "".join(
        " " + _("Known without training: {label}, {value:.4g}.").format(label=label, value=value)
        for label, value in subject.lines
    )
    if not len(smooth):
        return _("Loss: nothing trained yet.") + known
    text = _("Training loss {now:.4g} at step {step:,.0f}; it began at {first:.4g}.").format(
        now=smooth[-1], step=column(tables, "steps.step")[-1], first=smooth[0]
    )
    if len(validation):
        text += " " + _("Validation loss {now:.4g}.").format(now=validation[-1])
    if len(solved):
        text += " " + _("Solved at step {step:,}.").format(step=int(solved[0]))
    return text + known


def gradient_norm(tables: Tables, _subject: Subject) -> str:
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


def clip_lens(tables: Tables, _subject: Subject) -> str:
    """The latest row of each of the four curves, under one step."""
    last = {
        name: values[-1]
        for name in ("step", "loss", "norm", "clipped_norm", "clipped_share", "effective_step")
        if len(values := column(tables, f"steps.{name}"))
    }
    if not last:
        return _("Clip lens: nothing trained yet.")
    return _(
        "At step {step:,.0f} the loss is {loss:.4g}, the gradient norm {norm:.3g} before clipping and"
        " {clipped_norm:.3g} after; {clipped_share:.0f}% of the last {window} steps were clipped; the"
        " effective step is {effective_step:.3g}."
    ).format(window=SHARE_WINDOW, **last)


def block_gradients(tables: Tables, _subject: Subject) -> str:
    """Which block has the largest, and which the smallest gradient."""
    return _extremes(
        tables, "gradient", _("Gradient norm per block"), _("{label}: nothing trained yet.")
    )


def block_updates(tables: Tables, _subject: Subject) -> str:
    """How many blocks are in the healthy band, and the extremes."""
    name = _("Update-to-weight ratio")
    text = _extremes(tables, "update", name, _("{label}: nothing trained yet."))
    values = np.array(list(_latest(tables, "update").values()))
    if not len(values):
        return text
    low, high = HEALTHY
    return (
        text
        + " "
        + _("{count} of {all} blocks are in the healthy band from {low} to {high}.").format(
            count=int(((values >= low) & (values <= high)).sum()),
            all=len(values),
            low=low,
            high=high,
        )
    )


def block_moments(tables: Tables, _subject: Subject) -> str:
    """The extremes of the second moment, or that there is none."""
    none = (
        _("{label}: this optimizer keeps none.")
        if len(column(tables, "blocks.step"))
        else _("{label}: nothing trained yet.")
    )
    return _extremes(tables, "moment", _("Second moment per block"), none)


def _latest(tables: Tables, what: str) -> dict[str, float]:
    """The last value of each block that has one, by the block's name."""
    found = {}
    for name, values in tables.get("blocks", {}).items():
        kind, _dot, block = name.partition(".")
        if kind == what and len(values) and np.isfinite(values[-1]):
            found[block] = float(values[-1])
    return found


def _extremes(tables: Tables, what: str, label: str, none: str) -> str:
    latest = _latest(tables, what)
    if not latest:
        return none.format(label=label)
    most, least = max(latest, key=latest.__getitem__), min(latest, key=latest.__getitem__)
    return _(
        "{label} at step {step:,.0f}: largest in {most} ({high:.3g}), smallest in {least} ({low:.3g})."
    ).format(
        label=label,
        step=column(tables, "blocks.step")[-1],
        most=most,
        high=latest[most],
        least=least,
        low=latest[least],
    )


def learning_rate(tables: Tables, _subject: Subject) -> str:
    """The rate at the start, now and at the end."""
    plan, now = column(tables, "plan.learning_rate"), column(tables, "here.learning_rate")
    return _(
        "Learning rate {now:.3g} now; the schedule goes from {first:.3g} to {last:.3g}."
    ).format(now=now[-1], first=plan[0], last=plan[-1])


def signal(tables: Tables, subject: Subject) -> str:
    """Mean and range of the subject's one signal over all units and time steps."""
    (drawn,) = subject.signals
    label, z = _(drawn.label), column(tables, f"signals.{drawn.name}")
    if not len(z):
        return _("{label}: nothing to show yet.").format(label=label)
    return _(
        "{label}: {units} units by {time} time steps, mean {mean:.2f}, from {low:.2f} to {high:.2f}."
    ).format(
        label=label, units=z.shape[0], time=z.shape[1], mean=z.mean(), low=z.min(), high=z.max()
    )


def prediction(tables: Tables, _subject: Subject) -> str:
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


def gradient_through_time(tables: Tables, _subject: Subject) -> str:
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
        first=rates[0],
        last=rates[np.isfinite(mean)][-1],
        begin=mean[0],
        least=mean[at],
        rate=rates[at],
    )
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
        begin=values[first],
        first=steps[first],
        end=values[last],
        last=steps[last],
        times=values[last] / limits[last],
        limit=limits[last],
    )


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

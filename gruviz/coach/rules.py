"""The rules of the coach, each a function from the evidence to advice or None.

Thresholds are rules of thumb; where they come from somewhere, it is said there. The healthy size of
an update, a thousandth of the weights, is Karpathy's (CS231n, "Ratio of weights:updates").
"""

from collections.abc import Callable

import numpy as np

from gruviz.coach.evidence import WINDOW, Advice, Evidence, Floats, Severity
from gruviz.experiment import RNN, Adam, Constant, Kind, MadeUp
from gruviz.words import _, readable

RESTLESS = 0.05  # share by which a validation loss moves where the steps are too long

Check = Callable[[Evidence], Advice | None]


def explosion(seen: Evidence) -> Advice | None:
    """The norm's rise over the last steps before the run diverged."""
    norm = seen.steps["norm"]
    known = np.flatnonzero(np.isfinite(norm) & (norm > 0))
    if seen.diverged_at is None or len(known) < 2:
        return None
    last = known[-1]
    first = known[known >= last - 5][0]
    rise, steps = norm[last] / norm[first], last - first
    if not steps or rise < 1:
        return None
    rate, usual = seen.experiment.learning_rate, seen.experiment.optimizer.usual_rate
    if np.isnan(seen.steps["clip_norm"][-1]) and not _rate_is_large(seen):
        remedy, settings = _("train again with clip norm 1."), {"clip_norm": "1"}
    else:
        rate = min(rate / 10, usual)
        remedy = _("train again with learning rate {rate}.").format(rate=readable(rate, 2))
        settings = {"learning_rate": f"{rate:.2g}"}
    sentence = _(
        "The gradient norm rose ×{rise} in {steps} steps before the loss left the chart at step"
        " {step:,}: {remedy}"
    ).format(rise=readable(rise, 2), steps=steps, step=seen.diverged_at, remedy=remedy)
    return Advice("explosion", Severity.PROBLEM, sentence, settings)


def rate_too_small(seen: Evidence) -> Advice | None:
    """A loss that has hardly moved since the first step, under steps below the healthy band."""
    loss, ratio = seen.steps["smooth"], seen.ratio()
    if seen.count < 300 or ratio is None or ratio > -4:
        return None
    first, last = float(np.mean(loss[:WINDOW])), float(np.mean(loss[-WINDOW:]))
    moved = abs(last - first) / first if first > 0 else 1.0
    if moved >= 0.1:
        return None
    rate = _faster(seen)
    if rate is None:
        return None
    sentence = _(
        "The learning rate {rate} is far too small: in {count:,} steps the loss only went from {first}"
        " to {last}, and a step changes the weights by 10^{ratio:.1f} of their size. Train again with"
        " learning rate {next}."
    ).format(
        rate=readable(seen.experiment.learning_rate, 2),
        count=seen.count,
        first=readable(first, 3),
        last=readable(last, 3),
        ratio=ratio,
        next=readable(rate, 2),
    )
    return Advice("rate too small", Severity.PROBLEM, sentence, {"learning_rate": f"{rate:.2g}"})


def rate_below_usual(seen: Evidence) -> Advice | None:
    """A slow run at a rate far below its optimizer's, such as SGD with one that suited Adam."""
    experiment = seen.experiment
    rate, usual = experiment.learning_rate, experiment.optimizer.usual_rate
    if seen.count < 200 or not _rate_is_small(seen) or not _is_slow(seen):
        return None
    sentence = _(
        "{optimizer} usually has a learning rate of about {usual}, and this run has {rate}: in {count:,}"
        " steps the loss only went from {first} to {now}. Train again with learning rate {usual}."
    ).format(
        optimizer=_(experiment.optimizer.label),
        usual=readable(usual, 2),
        rate=readable(rate, 2),
        count=seen.count,
        first=readable(_first_loss(seen), 3),
        now=readable(float(seen.steps["smooth"][-1]), 3),
    )
    settings = {"learning_rate": f"{usual:g}"}
    return Advice("rate below usual", Severity.WARNING, sentence, settings)


def vanishing(seen: Evidence) -> Advice | None:
    """A gradient that dies on its way to the first time step, while the loss stalls."""
    gradient, late, ratio = seen.gradient, _late_losses(seen), seen.ratio()
    if gradient is None or late is None or not gradient[-1] > 0:
        return None
    stalls = late[1] > 0.9 * late[0] and (ratio is None or ratio > -4)
    if not stalls or _rate_is_small(seen):
        return None
    share = float(gradient[0] / gradient[-1])
    if not share < 1e-3:
        return None
    experiment = seen.experiment
    if isinstance(experiment.cell, RNN):
        remedy = _("train again with a GRU instead of the plain RNN.")
        settings = {"cell": "gru", "gru.units": str(experiment.cell.units)}
    else:
        # Of a series it is the last values that tell most: there it need not reach far back.
        length = getattr(experiment.task, "length", None)
        if length is None or experiment.task.kind is Kind.FORECAST:
            return None
        shorter = max(length // 2, 2)
        remedy = _("train again with sequences of {shorter} time steps.").format(shorter=shorter)
        settings = {f"{experiment.task.name}.length": str(shorter)}
    sentence = _(
        "The gradient vanishes on its way back through time: at the first of {time} time steps it is"
        " {share} of what it is at the last, and over the last third of the run the loss only went from"
        " {before} to {after}: {remedy}"
    ).format(
        time=len(gradient),
        share=readable(share, 2),
        before=readable(late[0], 3),
        after=readable(late[1], 3),
        remedy=remedy,
    )
    return Advice("vanishing", Severity.WARNING, sentence, settings)


def updates_too_large(seen: Evidence) -> Advice | None:
    """Steps that throw the weights about, or smaller ones that have made the loss worse."""
    ratio = seen.ratio()
    if ratio is None or seen.count < 2 * WINDOW:
        return None
    first, now = _first_loss(seen), float(seen.steps["smooth"][-1])
    if ratio < -1.5 and not (ratio > -2.5 and now > 1.5 * first):
        return None
    rate = seen.experiment.learning_rate / 10
    sentence = _(
        "Each step changes the weights by 10^{ratio:.1f} of their size, where 10^-3 is healthy, and the"
        " loss is {now} after {first} at the start: train again with learning rate {rate}."
    ).format(ratio=ratio, now=readable(now, 3), first=readable(first, 3), rate=readable(rate, 2))
    return Advice("updates too large", Severity.WARNING, sentence, {"learning_rate": f"{rate:.2g}"})


def updates_too_small(seen: Evidence) -> Advice | None:
    """Steps that hardly change the weights, and not because a schedule has run out."""
    ratio = seen.ratio()
    used = seen.steps["learning_rate"]
    if ratio is None or ratio > -5 or used[-1] < 0.5 * seen.experiment.learning_rate:
        return None
    rate = _faster(seen)
    if rate is None or not _is_slow(seen):
        return None
    sentence = _(
        "Each step changes the weights by only 10^{ratio:.1f} of their size, and 10^-3 is healthy:"
        " train again with learning rate {rate}."
    ).format(ratio=ratio, rate=readable(rate, 2))
    return Advice("updates too small", Severity.WARNING, sentence, {"learning_rate": f"{rate:.2g}"})


def overfitting(seen: Evidence) -> Advice | None:
    """A validation loss that rises from its best while the training loss goes on falling."""
    step, loss = seen.validations["step"], seen.validations["loss"]
    if len(loss) < 6 or not np.isfinite(loss).all() or _rate_is_large(seen):
        return None
    best = int(np.argmin(loss))
    now = float(np.mean(loss[-3:]))
    if best >= len(loss) - 3 or now < 1.2 * loss[best]:
        return None
    smooth = seen.steps["smooth"]
    then = float(smooth[max(int(np.searchsorted(seen.steps["step"], step[best])), 0)])
    if not smooth[-1] < 0.8 * then:
        return None
    task, cell = seen.experiment.task, seen.experiment.cell
    if isinstance(task, MadeUp) and task.size < 10_000:
        more = min(10 * task.size, 10_000)
        remedy = _("train again with {more:,} training sequences.").format(more=more)
        settings = {f"{task.name}.size": str(more)}
    else:
        fewer = max(cell.units // 2, 1)
        remedy = _("train again with {fewer} hidden units.").format(fewer=fewer)
        settings = {f"{cell.name}.units": str(fewer)}
    sentence = _(
        "The network learns its training data by heart: since step {step:,.0f} the validation loss rose"
        " from {low} to {high} while the training loss fell from {then} to {now}: {remedy}"
    ).format(
        step=step[best],
        low=readable(float(loss[best]), 3),
        high=readable(now, 3),
        then=readable(then, 3),
        now=readable(float(smooth[-1]), 3),
        remedy=remedy,
    )
    return Advice("overfitting", Severity.WARNING, sentence, settings)


def saturated_gates(seen: Evidence) -> Advice | None:
    """The gate with the largest share of values at the flat ends of its sigmoid."""
    shares = {
        signal: float(np.mean((values < 0.1) | (values > 0.9)))
        for signal in seen.experiment.cell.signals
        if signal.low == 0 and (values := seen.signals.get(signal.name)) is not None
    }
    if not shares or seen.count < 100:
        return None
    gate = max(shares, key=shares.__getitem__)
    if shares[gate] < 0.8:
        return None
    rate = seen.experiment.learning_rate / 10
    sentence = _(
        "{share:.0%} of the values of {gate} are below 0.1 or above 0.9, where a gate hardly learns:"
        " train again with learning rate {rate}."
    ).format(share=shares[gate], gate=_(gate.label), rate=readable(rate, 2))
    return Advice("saturated gates", Severity.WARNING, sentence, {"learning_rate": f"{rate:.2g}"})


def clip_always(seen: Evidence) -> Advice | None:
    """A threshold so low that nearly every step is shortened, and with it how far the weights go."""
    norm, limit = _since_the_clip_norm_changed(seen)
    if len(norm) < 200 or np.isnan(limit) or not seen.experiment.optimizer.by_length:
        return None
    share = float(np.mean(norm > limit))
    if share <= 0.9 or seen.steps["smooth"][-1] > 1.2 * _first_loss(seen):  # clipping holds it
        return None
    middle = float(np.median(norm))
    sentence = _(
        "{share:.0%} of {count:,} steps were clipped to {limit}; the gradient norm is {middle} in the"
        " middle. Train again with clip norm {next}, so that only spikes are clipped."
    ).format(
        share=share,
        count=len(norm),
        limit=readable(limit, 3),
        middle=readable(middle, 3),
        next=f"{_round(2 * middle):,g}",
    )
    return Advice("clip always", Severity.HINT, sentence, {"clip_norm": f"{_round(2 * middle):g}"})


def clip_holds(seen: Evidence) -> Advice | None:
    """Clipping at work: a run that gets better, of which it has shortened the longest steps. That is
    to be seen, not to be changed."""
    norm, limit = _since_the_clip_norm_changed(seen)
    if len(norm) < 200 or np.isnan(limit) or seen.steps["smooth"][-1] > _first_loss(seen):
        return None
    share, most = float(np.mean(norm > limit)), float(np.max(norm))
    if not 0.05 <= share <= 0.9 or most < 3 * limit:
        return None
    sentence = _(
        "Clip norm {limit} is at work: {share:.0%} of {count:,} steps were shortened, the longest"
        " gradient from {most}, and the loss fell from {first} to {now}."
    ).format(
        limit=readable(limit, 3),
        share=share,
        count=len(norm),
        most=readable(most, 3),
        first=readable(_first_loss(seen), 3),
        now=readable(float(seen.steps["smooth"][-1]), 3),
    )
    return Advice("clip holds", Severity.HINT, sentence)


def plateau(seen: Evidence) -> Advice | None:
    """A loss that has come some way and is flat now: its steps are too large to settle, or the rule
    that makes them can't leave."""
    late, unrest = _late_losses(seen), _unrest(seen)
    if late is None or unrest is None or not 0.9 < late[1] / late[0] < 1.1:
        return None
    if late[1] > 0.7 * _first_loss(seen):
        return None
    experiment, third = seen.experiment, seen.count // 3
    flat = _(
        "The loss hardly falls: over the last {third:,} steps it only went from {before} to {after}"
    ).format(third=third, before=readable(late[0], 3), after=readable(late[1], 3))
    if unrest > RESTLESS and isinstance(experiment.schedule, Constant):
        sentence = _(
            "{flat}, while the validation loss moves by {unrest:.0%} from one time to the next, for the"
            " steps are too long to settle: train again with the cosine schedule."
        )
        settings = {"schedule": "cosine"}
    elif unrest <= RESTLESS and experiment.optimizer.by_length:
        sentence = _(
            "{flat}, though the gradient norm is still {norm}. {optimizer} is slow to leave such a"
            " place: train again with Adam and learning rate {rate}."
        )
        settings = {"optimizer": Adam.name, "learning_rate": f"{Adam.usual_rate:g}"}
    else:
        return None
    sentence = sentence.format(
        flat=flat,
        unrest=unrest,
        norm=readable(float(np.median(seen.steps["norm"][-third:])), 2),
        optimizer=_(experiment.optimizer.label),
        rate=readable(Adam.usual_rate, 2),
    )
    return Advice("plateau", Severity.HINT, sentence, settings)


def _rate_is_small(seen: Evidence) -> bool:
    """Whether the rate is a tenth of its optimizer's usual one or less: the first suspect."""
    return seen.experiment.learning_rate <= seen.experiment.optimizer.usual_rate / 10


def _rate_is_large(seen: Evidence) -> bool:
    """Whether the rate is more than ten times its optimizer's usual one."""
    return seen.experiment.learning_rate > 10 * seen.experiment.optimizer.usual_rate


def _faster(seen: Evidence) -> float | None:
    """A larger rate for a run that hardly moves: ten times its own, or its optimizer's usual one if
    that is more; None where the rate isn't small."""
    rate, usual = seen.experiment.learning_rate, seen.experiment.optimizer.usual_rate
    return None if rate > usual else float(f"{max(10 * rate, usual):.2g}")


def _is_slow(seen: Evidence) -> bool:
    """Whether the run has neither learnt most of what it can nor got lost."""
    return bool(0.1 < seen.steps["smooth"][-1] / _first_loss(seen) < 2)


def _unrest(seen: Evidence) -> float | None:
    """By what share the validation loss moves from one time to the next in the run's last third. It is
    always that of the same sequences, so that only the weights' own moves are in it."""
    late = seen.validations["step"] > seen.steps["step"][-1] * 2 / 3
    loss = seen.validations["loss"][late]
    if len(loss) < 4 or not np.isfinite(loss).all() or not loss.mean() > 0:
        return None
    return float(np.median(np.abs(np.diff(loss))) / loss.mean())


def _first_loss(seen: Evidence) -> float:
    """The loss at the start: of the first batch, or of the middle one of ten if that is less."""
    loss = seen.steps["loss"][:10]
    return float(min(loss[0], np.median(loss)))


def _late_losses(seen: Evidence) -> tuple[float, float] | None:
    """The mean loss over the first and the second half of the run's last third."""
    third = seen.count // 3
    if third < 2 * WINDOW:
        return None
    late = seen.steps["loss"][-third:]
    before, after = float(np.mean(late[: third // 2])), float(np.mean(late[third // 2 :]))
    return (before, after) if before > 0 and np.isfinite(after) else None


def _since_the_clip_norm_changed(seen: Evidence) -> tuple[Floats, float]:
    """The gradient norms under the present clip norm, and that (NaN: off)."""
    limit = seen.steps["clip_norm"]
    if not len(limit):
        return limit, float("nan")
    others = np.flatnonzero(limit != limit[-1])
    start = others[-1] + 1 if len(others) else 0
    return seen.steps["norm"][start:], float(limit[-1])


def _round(number: float) -> float:
    """To one digit, as a slider has it."""
    return float(f"{number:.0e}")


# Most serious first; at equal severity the earlier one speaks.
RULES: tuple[Check, ...] = (
    explosion,
    rate_too_small,
    rate_below_usual,
    vanishing,
    saturated_gates,
    updates_too_large,
    updates_too_small,
    overfitting,
    clip_always,
    plateau,
    clip_holds,
)

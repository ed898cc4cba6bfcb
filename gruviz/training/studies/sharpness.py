"""Sharpness: the largest eigenvalue of the Hessian, by power iteration."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from gruviz.data import Fetch, load
from gruviz.errors import GruvizError
from gruviz.experiment import Experiment
from gruviz.record import Weights
from gruviz.studies import Sharpness
from gruviz.studies.state import Floats
from gruviz.training.weights import TrainingLoss
from gruviz.words import _

# The graph of a second derivative keeps a few dozen numbers for each: about a hundred megabytes.
WORK = 1 << 18

# Of a product with one sequence, measured: for each time step, and each recurrent weight of one.
STEP_SECONDS, WEIGHT_SECONDS = 1.4e-3, 2.4e-8
MOST_SECONDS = 1.0

# Of each point. A vector near the second eigenvector hardly moves at first: 3 products may settle
# on 1.20 where the largest eigenvalue is 1.40 (seen), for a component grows by their ratio only.
FEWEST_PRODUCTS = 10


def proceed(
    experiment: Experiment, state: Sharpness, fetch: Fetch, is_over: Callable[[], bool]
) -> Sharpness:
    """Go on with the power iteration, point after point, until the time is over.

    Raises GruvizError if a single sequence would keep the worker from others for too long.
    """
    _check(experiment, load(experiment.task, experiment.seed, fetch).train.inputs.shape[1])
    loss = TrainingLoss(experiment, fetch, state.sequences, WORK, twice=True)
    state = replace(state, parts=len(loss))
    while state.waiting:
        weights = state.waiting[0]
        vector = _start(len(weights), experiment.seed) if state.vector is None else state.vector
        product = np.zeros(len(weights)) if state.product is None else state.product
        product = product + hessian_times(loss, state.part, weights, vector)
        state = replace(state, vector=vector, product=product, part=state.part + 1)
        if state.part == state.parts:
            state = _iterated(state, vector, product)
        if is_over():
            break
    return state


def _check(experiment: Experiment, steps: int) -> None:
    weights = len(experiment.cell.gates) * experiment.cell.units**2
    most = int(MOST_SECONDS / (STEP_SECONDS + weights * WEIGHT_SECONDS))
    if steps > most:
        raise GruvizError(
            _(
                "Second derivatives through {steps:,} time steps of {units} hidden units take too long"
                " on a shared server; make the sequences at most {most:,} steps long, or the layer"
                " smaller."
            ).format(steps=steps, units=experiment.cell.units, most=most)
        )


def hessian_times(loss: TrainingLoss, part: int, weights: Weights, vector: Floats) -> Floats:
    """The Hessian of a part of the loss times a vector, (weights,), exact: the gradient of
    gradient · vector (Pearlmutter 1994, "Fast exact multiplication by the Hessian")."""
    at = torch.from_numpy(weights.copy()).requires_grad_()
    direction = torch.from_numpy(vector.astype(np.float32))
    (gradient,) = torch.autograd.grad(loss.part(part, at), at, create_graph=True)
    (product,) = torch.autograd.grad(gradient @ direction, at)
    return product.numpy().astype(np.float64)


def _start(count: int, seed: int) -> Floats:
    return _unit(np.random.default_rng([seed, 5]).standard_normal(count))


def _unit(vector: Floats) -> Floats:
    return vector / np.linalg.norm(vector)


def _iterated(state: Sharpness, vector: Floats, product: Floats) -> Sharpness:
    """After a whole product: the next vector, the second iteration, or the next point."""
    here = state.here
    iterations = state.iterations.copy()
    iterations[here] += 1
    value = float(vector @ product)
    step = product + state.shift * vector
    move = abs(value - state.estimate)
    settled = not step.any() or (
        iterations[here] >= FEWEST_PRODUCTS
        and _settled(move, state.move, state.tolerance * abs(value + state.shift))
    )
    state = replace(state, iterations=iterations, product=None, part=0)
    if not settled and iterations[here] < state.most * (2 if state.shift else 1):
        return replace(state, vector=_unit(step), estimate=value, move=move)
    fresh = replace(state, vector=None, estimate=np.nan, move=np.nan)
    if not state.shift and step.any() and (value < 0 or not settled):
        # The largest in magnitude is negative, or two of opposite sign are as large: moved up by
        # that much none is negative, and the largest is the one asked for.
        return replace(fresh, shift=float(np.linalg.norm(product)))
    values, converged = state.values.copy(), state.converged.copy()
    values[here], converged[here] = value, settled
    return replace(
        fresh,
        values=values,
        converged=converged,
        waiting=state.waiting[1:],
        # The next point's will be much like it; but no direction may be missing from the start.
        vector=_unit(vector + _start(len(vector), here)) if len(state.waiting) > 1 else None,
        shift=0.0,
    )


def _settled(move: float, before: float, tolerance: float) -> bool:
    """Whether the value is within `tolerance` of its limit.

    Its moves shrink like a geometric series, so what is still to come is move * q / (1 - q).
    """
    if move <= tolerance / 10:
        return True
    return move < before and move * move / (before - move) <= tolerance

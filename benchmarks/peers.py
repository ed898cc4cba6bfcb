"""One whole training step by each peer, each in a process of its own.

Everybody trains the same thing on the same numbers: a recurrent layer, a linear readout of its last
step, the mean squared error, the gradient clipped to a norm of 1, Adam.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Step = Callable[[], object]

LEARNING_RATE, CLIP_NORM, FEATURES = 1e-3, 1.0, 2


class Case(NamedTuple):
    cell: str
    batch: int
    time: int
    units: int


def data(case: Case) -> tuple[Array, Array]:
    """The adding problem: x (batch, time, 2), y (batch, 1)."""
    random = np.random.default_rng(0)
    x = np.zeros((case.batch, case.time, FEATURES), np.float32)
    x[..., 0] = random.random((case.batch, case.time), np.float32)
    half = case.time // 2
    rows = np.arange(case.batch)
    x[rows, random.integers(0, half, case.batch), 1] = 1
    x[rows, random.integers(half, case.time, case.batch), 1] = 1
    return x, (x[..., 0] * x[..., 1]).sum(1, keepdims=True)


def _torch_step(
    layer: Any, case: Case, call: Callable[[Any, Any], Any], clip: Callable[..., Any] | None = None
) -> Step:
    import torch

    clip = clip or torch.nn.utils.clip_grad_norm_
    readout = torch.nn.Linear(case.units, 1)
    parameters = [*layer.parameters(), *readout.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=LEARNING_RATE, fused=True)
    x, y = map(torch.from_numpy, data(case))

    def step() -> None:
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(readout(call(layer, x)), y)
        loss.backward()
        clip(parameters, CLIP_NORM)
        optimizer.step()

    return step


def _final(state: Any) -> Any:
    return (state[0] if isinstance(state, tuple) else state).squeeze(0)


def ours(case: Case, summaries: bool = True) -> Step:
    import gruviz.nn

    layer = getattr(gruviz.nn, case.cell)(FEATURES, case.units, batch_first=True)
    recording = gruviz.nn.Recording("summary") if summaries else None
    return _torch_step(
        layer, case, lambda m, x: _final(m(x, record=recording)[1]), gruviz.nn.clip_norm_
    )


def ours_bare(case: Case) -> Step:
    return ours(case, summaries=False)


def torch_nn(case: Case) -> Step:
    import torch

    layer = getattr(torch.nn, case.cell)(FEATURES, case.units, batch_first=True)
    return _torch_step(layer, case, lambda m, x: _final(m(x)[1]))


def torch_flushed(case: Case) -> Step:
    """With vanished gradients taken for zero, which torch does only when told to; ours, JAX and
    TensorFlow always do. Without it torch's time depends on how far gradients have vanished."""
    import torch

    torch.set_flush_denormal(True)
    return torch_nn(case)


def torch_loop(case: Case) -> Step:
    """What one writes to see the gates in torch: a loop over GRUCell's equation."""
    import torch

    if case.cell != "GRU":
        raise ModuleNotFoundError("the loop is there for GRU only")
    cell = torch.nn.GRUCell(FEATURES, case.units)

    def call(cell: Any, x: Any) -> Any:
        h, gates = x.new_zeros(case.batch, case.units), []
        for x_t in x.unbind(1):
            from_x = torch.nn.functional.linear(x_t, cell.weight_ih, cell.bias_ih).chunk(3, 1)
            from_h = torch.nn.functional.linear(h, cell.weight_hh, cell.bias_hh).chunk(3, 1)
            reset = torch.sigmoid(from_x[0] + from_h[0])
            update = torch.sigmoid(from_x[1] + from_h[1])
            candidate = torch.tanh(from_x[2] + reset * from_h[2])
            h = candidate + update * (h - candidate)
            gates.append((reset.detach(), update.detach(), candidate.detach()))
        return h

    return _torch_step(cell, case, call)


def jax_scan(case: Case) -> Step:
    import jax
    import jax.numpy as jnp
    import optax

    x, y = data(case)
    gates = {"GRU": 3, "LSTM": 4, "RNN": 1}[case.cell]
    random, bound = np.random.default_rng(1), case.units**-0.5

    def draw(*shape: int) -> Any:
        return jnp.asarray(random.uniform(-bound, bound, shape), jnp.float32)

    weights = {
        "wx": draw(FEATURES, gates * case.units),
        "wh": draw(case.units, gates * case.units),
        "bx": draw(gates * case.units),
        "bh": draw(gates * case.units),
        "w": draw(case.units, 1),
        "b": draw(1),
    }
    zeros = jnp.zeros((case.batch, case.units), jnp.float32)

    def last(w: Any, x: Any) -> Any:
        projected = jnp.swapaxes(x @ w["wx"] + w["bx"], 0, 1)

        def gru(h: Any, from_x: Any) -> Any:
            from_h = h @ w["wh"] + w["bh"]
            (xr, xz, xn), (hr, hz, hn) = jnp.split(from_x, 3, 1), jnp.split(from_h, 3, 1)
            reset, update = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
            candidate = jnp.tanh(xn + reset * hn)
            return candidate + update * (h - candidate), None

        def lstm(state: Any, from_x: Any) -> Any:
            h, c = state
            i, f, g, o = jnp.split(from_x + h @ w["wh"] + w["bh"], 4, 1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

        def rnn(h: Any, from_x: Any) -> Any:
            return jnp.tanh(from_x + h @ w["wh"] + w["bh"]), None

        if case.cell == "LSTM":
            return jax.lax.scan(lstm, (zeros, zeros), projected)[0][0]
        return jax.lax.scan(gru if case.cell == "GRU" else rnn, zeros, projected)[0]

    optimizer = optax.chain(optax.clip_by_global_norm(CLIP_NORM), optax.adam(LEARNING_RATE))

    @jax.jit
    def update(weights: Any, state: Any, x: Any, y: Any) -> Any:
        def loss(w: Any) -> Any:
            return jnp.mean((last(w, x) @ w["w"] + w["b"] - y) ** 2)

        value, gradient = jax.value_and_grad(loss)(weights)
        changes, state = optimizer.update(gradient, state, weights)
        return optax.apply_updates(weights, changes), state, value

    carried = [weights, optimizer.init(weights)]

    def step() -> None:
        carried[0], carried[1], value = update(*carried, x, y)
        jax.block_until_ready((carried, value))

    return step


def keras_on(backend: str) -> Callable[[Case], Step]:
    def build(case: Case) -> Step:
        os.environ["KERAS_BACKEND"] = backend
        import keras

        layer = getattr(keras.layers, "SimpleRNN" if case.cell == "RNN" else case.cell)
        model = keras.Sequential(
            [keras.Input((case.time, FEATURES)), layer(case.units), keras.layers.Dense(1)]
        )
        optimizer = keras.optimizers.Adam(LEARNING_RATE, global_clipnorm=CLIP_NORM)
        model.compile(optimizer=optimizer, loss="mse")
        x, y = data(case)
        return lambda: model.train_on_batch(x, y)

    return build


PEERS: dict[str, Callable[[Case], Step]] = {
    "ours": ours,
    "ours, nothing recorded": ours_bare,
    "torch.nn": torch_nn,
    "torch.nn, flushed": torch_flushed,
    "torch loop": torch_loop,
    "JAX": jax_scan,
    "Keras/JAX": keras_on("jax"),
    "Keras/TensorFlow": keras_on("tensorflow"),
    "Keras/torch": keras_on("torch"),
}


def serve(name: str) -> None:
    """Answers requests from standard input, a JSON line each: a case to build, seconds to run."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a library prints must not look like an answer
    step: Step = lambda: None  # noqa: E731
    for line in sys.stdin:
        request = json.loads(line)
        answer: Any = "ready"
        if "case" in request:
            try:
                _single_thread()
                step = PEERS[name](Case(*request["case"]))
                for _ in range(3):
                    step()
            except ModuleNotFoundError as missing:
                answer = f"missing: {missing}"
        else:
            answer = []
            until = time.perf_counter() + request["seconds"]
            while len(answer) < 2 or time.perf_counter() < until:
                begun = time.perf_counter()
                step()
                answer.append(time.perf_counter() - begun)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _single_thread() -> None:
    if "torch" in sys.modules or any(name in sys.argv[-1] for name in ("ours", "torch")):
        import torch

        torch.set_num_threads(1)


if __name__ == "__main__":
    serve(sys.argv[-1])

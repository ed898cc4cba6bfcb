"""Keras computes the same."""

import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from gruviz.nn import GRU, L1L2, LSTM
from tests.needs import missing

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def keras() -> Iterator[Any]:
    """Keras, imported late and put away again: after each drawing of a page in a process that has
    it, Streamlit clears its session, which collects the garbage of all of torch."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Keras warns of at import is not ours
        try:
            import keras
        except ImportError:
            missing("Keras is missing: pip install -r requirements-dev.txt")
    if keras.backend.backend() != "torch":
        missing("Keras runs on another backend: set KERAS_BACKEND=torch")
    yield keras
    del sys.modules["keras"]


def test_the_reset_before_the_product_equals_that_of_keras(keras: Any) -> None:
    units, features = 5, 3
    theirs = keras.layers.GRU(
        units,
        reset_after=False,
        return_sequences=True,
        return_state=True,
        dtype="float64",
        bias_initializer="glorot_uniform",
    )
    x = np.random.default_rng(0).normal(size=(4, 7, features))
    output, state = theirs(torch.from_numpy(x))
    kernel, recurrent, bias = theirs.get_weights()

    def ours_of(weight: np.ndarray) -> torch.Tensor:
        update, reset, candidate = np.split(weight, 3, -1)  # Keras's order of the gates
        return torch.from_numpy(np.concatenate([reset, update, candidate], -1).T.copy())

    layer = GRU(features, units, batch_first=True, reset_after=False, dtype=torch.float64)
    layer.load_state_dict(
        {
            "weight_ih_l0": ours_of(kernel),
            "weight_hh_l0": ours_of(recurrent),
            "bias_ih_l0": ours_of(bias),
            "bias_hh_l0": torch.zeros(3 * units),
        }
    )
    # Keras's matmul on torch rounds to single precision on its way, even in float64.
    sequence, final = layer(torch.from_numpy(x))
    torch.testing.assert_close(sequence, output.cpu(), rtol=0, atol=1e-6, check_device=False)
    torch.testing.assert_close(final[0], state.cpu(), rtol=0, atol=1e-6, check_device=False)


def test_penalties_equal_those_of_keras(keras: Any) -> None:
    weight = torch.randn(4, 3)
    theirs = keras.regularizers.L1L2(0.1, 0.2)(keras.ops.convert_to_tensor(weight.numpy()))
    assert L1L2(0.1, 0.2)(weight).item() == pytest.approx(float(theirs), rel=1e-6)


@pytest.mark.parametrize("name", ["glorot_uniform", "glorot_normal", "he_normal", "orthogonal"])
def test_initializers_have_the_deviation_of_keras(keras: Any, name: str) -> None:
    theirs = np.asarray(keras.initializers.get(name)(shape=(100, 300), dtype="float32").cpu())
    layer = GRU(100, 100, kernel_initializer=name, generator=torch.Generator().manual_seed(0))
    weight = layer.get_parameter("weight_ih_l0").detach()
    assert weight.std().item() == pytest.approx(float(theirs.std()), rel=0.03)
    ours = np.quantile(weight.abs().numpy(), 0.99)
    assert ours == pytest.approx(float(np.quantile(np.abs(theirs), 0.99)), rel=0.03)


def test_the_biases_of_an_lstm_begin_where_those_of_keras_do(keras: Any) -> None:
    theirs = keras.layers.LSTM(3)
    theirs.build((1, 4, 2))
    ours = LSTM(2, 3, bias_initializer="zeros", unit_forget_bias=True)
    # Keras's order is ours: input, forget, candidate, output.
    biases = ours.get_parameter("bias_ih_l0") + ours.get_parameter("bias_hh_l0")
    assert biases.tolist() == theirs.get_weights()[2].tolist()

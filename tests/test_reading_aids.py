"""What the aid of a gate's picture says is what the gate does, found out by opening and closing it."""

import numpy as np
import numpy.typing as npt
import pytest
import torch

from gruviz import nn
from gruviz.experiment import CELLS, GRU, LSTM, Cell, ChoGRU

Row = npt.NDArray[np.float32]


def aid(cell: type[Cell], name: str) -> str:
    (found,) = [signal.aid for signal in cell.signals if signal.name == name]
    return found


def after(cell: Cell, gate: str, bias: float) -> tuple[Row, Row, Row]:
    """Memory before and after one step with a gate that this bias opens or closes, and the candidate."""
    torch.manual_seed(0)
    layer = getattr(nn, cell.layer)(2, 3, **cell.arguments())
    block = 3 * cell.gates.index(gate)
    with torch.no_grad():
        layer.bias_ih_l0[block : block + 3] = bias
    before, recording = torch.randn(1, 1, 3), nn.Recording()
    state = (torch.zeros(1, 1, 3), before) if cell.layer == "LSTM" else before
    layer(torch.randn(1, 1, 2), state, record=recording)
    signals = recording.layers[0].signals
    memory = signals["cell" if cell.layer == "LSTM" else "hidden"]
    return before.numpy().ravel(), memory.ravel(), signals["candidate"].ravel()


@pytest.mark.parametrize(
    ("cell", "open_says"),
    [(GRU, "bright: the old state is kept"), (ChoGRU, "bright: the candidate is written")],
)
def test_an_update_gate_that_is_bright_does_what_its_aid_says(
    cell: type[Cell], open_says: str
) -> None:
    assert aid(cell, "update") == open_says
    before, bright, candidate = after(cell(units=3), "z", 50.0)
    expected = before if "kept" in open_says else candidate
    np.testing.assert_allclose(bright, expected, atol=1e-6)
    before, dark, candidate = after(cell(units=3), "z", -50.0)
    np.testing.assert_allclose(dark, candidate if "kept" in open_says else before, atol=1e-6)


def test_a_forget_gate_that_is_bright_keeps_and_an_input_gate_that_is_bright_writes() -> None:
    assert aid(LSTM, "forget") == "bright: the old cell state is kept"
    assert aid(LSTM, "input") == "bright: the candidate is written"
    kept = after(LSTM(units=3), "f", 50.0)[1] - after(LSTM(units=3), "f", -50.0)[1]
    np.testing.assert_allclose(kept, after(LSTM(units=3), "f", 50.0)[0], atol=1e-6)
    written = after(LSTM(units=3), "i", 50.0)[1] - after(LSTM(units=3), "i", -50.0)[1]
    np.testing.assert_allclose(written, after(LSTM(units=3), "i", 50.0)[2], atol=1e-6)


@pytest.mark.parametrize("cell", [GRU, ChoGRU])
def test_a_reset_gate_that_is_dark_makes_the_candidate_ignore_the_past(cell: type[Cell]) -> None:
    assert aid(cell, "reset") == "dark: the candidate ignores the past"
    torch.manual_seed(0)
    layer = getattr(nn, cell.layer)(2, 3, **cell(units=3).arguments())
    with torch.no_grad():
        layer.bias_ih_l0[:3] = -50.0
    x, candidates = torch.randn(1, 1, 2), []
    for past in (torch.zeros(1, 1, 3), torch.ones(1, 1, 3)):
        recording = nn.Recording()
        layer(x, past, record=recording)
        candidates.append(recording.layers[0].signals["candidate"])
    one, other = candidates
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_an_output_gate_that_is_bright_shows_the_cell_state() -> None:
    assert aid(LSTM, "output") == "bright: the cell state is shown"
    block = 3 * LSTM(units=3).gates.index("o")
    for bias in (50.0, -50.0):
        torch.manual_seed(0)
        layer, recording = getattr(nn, LSTM.layer)(2, 3), nn.Recording()
        with torch.no_grad():
            layer.bias_ih_l0[block : block + 3] = bias
        layer(torch.randn(1, 1, 2), record=recording)
        signals = recording.layers[0].signals
        shown = np.tanh(signals["cell"]) if bias > 0 else np.zeros_like(signals["cell"])
        np.testing.assert_allclose(signals["hidden"], shown, atol=1e-6)


def test_every_gate_says_what_is_bright_or_dark() -> None:
    gates = [signal for cell in CELLS.values() for signal in cell.signals if signal.low == 0]
    assert gates and all(signal.aid.startswith(("bright: ", "dark: ")) for signal in gates)

"""What RNN, GRU and LSTM share: weights, states, and the way through layers and directions."""

from collections.abc import Iterable
from itertools import product
from typing import Any, cast

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gruviz.nn import validation
from gruviz.nn.compiled import serves
from gruviz.nn.equation import Equation, Weights
from gruviz.nn.function import Inputs, Result, by_numba, by_torch
from gruviz.nn.initializers import Initializer, fill
from gruviz.nn.recording import Recording
from gruviz.nn.regularizers import Regularizer
from gruviz.nn.sequences import Batch, backwards, batch_of, draw_mask, keep_valid, pack_as
from gruviz.nn.watch import Watch

Start = str | float | Initializer
Blocks = dict[str, list[tuple[Tensor, slice]]]  # rows of parameters, by the block's name
KINDS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
ENGINES = {"numba": by_numba, "torch": by_torch}


class Layer(nn.Module):
    """What GRU-D shares with the others: its equation, and what computes it."""

    equation: Equation
    hidden_size: int
    _engine: str | None

    @property
    def gates(self) -> str:
        """The letters of the gates, in the order of their rows in a weight."""
        return self.equation.gates

    @property
    def engine(self) -> str:
        """What computes this layer now, "numba" or "torch": the explicit choice, or else what there
        is for its equation and for the device and dtype that its weights have."""
        return self._engine or (
            "numba" if self.equation.compiled and serves(self._weight("weight_ih_l0")) else "torch"
        )

    @engine.setter
    def engine(self, name: str | None) -> None:
        validation.check_choice("engine", name, (None, *ENGINES))
        if self.equation.compiled is None:
            validation.check_without_loops(name, type(self).__name__)
            name = "torch"
        self._engine = name

    def _weight(self, name: str) -> Tensor:
        # Past nn.Module's __getattr__, which costs ten times as much, unless something like
        # torch.nn.utils.parametrize has put an attribute in the parameter's place.
        found = self._parameters.get(name)
        return cast(Tensor, getattr(self, name)) if found is None else found

    def _blocks(self, names: list[str], gates: Iterable[str]) -> Blocks:
        """The blocks of one layer in one direction; names: of its weights, and of its biases."""
        size, found = self.hidden_size, Blocks()
        input_weight, state_weight, *biases = names
        suffix = input_weight.removeprefix("weight_ih").replace("_l0", "")
        for name, side in ((input_weight, "i"), (state_weight, "h")):
            for number, gate in enumerate(gates):
                rows = slice(number * size, (number + 1) * size)
                found[f"W_{side}{gate}{suffix}"] = [(self.get_parameter(name), rows)]
        if biases:
            found[f"biases{suffix}"] = [(self.get_parameter(name), slice(None)) for name in biases]
        return found


class Recurrent(Layer, nn.RNNBase):
    """What the three layers share. Each is torch.nn's layer of the same name to whoever asks
    (isinstance, mode, all_weights, repr), with another constructor and forward.

    Beyond torch.nn's arguments:
        generator: draws the initial weights; None: torch's global state, as torch.nn does.
        kernel_initializer, recurrent_initializer, bias_initializer: a name of INITIALIZERS, a
            constant, or a function of (weight, generator). A gate's two biases count as one: the
            first is filled, the second is zero. None is torch.nn's U(-1/sqrt(H), 1/sqrt(H)).
        kernel_regularizer, recurrent_regularizer, bias_regularizer: what `penalty` adds up.
        input_dropout, recurrent_dropout: in training, masks that stay the same for all time steps
            (Gal, Ghahramani, "A theoretically grounded application of dropout in recurrent neural
            networks", 2016): on each layer's input, and on the state on its way into the recurrent
            product. Keras calls them `dropout` and `recurrent_dropout`.
        engine: "numba", "torch", or None for numba wherever it can serve; see `engine`.

    There is no projection: a proj_size other than 0 is refused.

    Raises ValueError or TypeError for arguments that don't make a layer.
    """

    def __init__(
        self,
        equation: Equation,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        tied: bool = False,
        generator: Generator | None = None,
        kernel_initializer: Start | None = None,
        recurrent_initializer: Start | None = None,
        bias_initializer: Start | None = None,
        kernel_regularizer: Regularizer | None = None,
        recurrent_regularizer: Regularizer | None = None,
        bias_regularizer: Regularizer | None = None,
        input_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        engine: str | None = None,
    ) -> None:
        # Not torch.nn's constructor, which draws weights from torch's global state.
        nn.Module.__init__(self)
        validation.check_sizes(input_size, hidden_size, num_layers, bias, batch_first)
        validation.check_projection(type(self).__name__, proj_size, hidden_size)
        validation.check_dropout(dropout, num_layers)
        validation.check_rates(input_dropout=input_dropout, recurrent_dropout=recurrent_dropout)
        self.equation = equation
        self.engine = engine
        self.mode = f"{equation.name.upper()}_VARIANT" if tied else equation.mode
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, 0
        self.input_dropout, self.recurrent_dropout = input_dropout, recurrent_dropout
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.recurrent_regularizer = recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self._tied = tied
        rows = hidden_size * (1 if tied else len(equation.gates))
        # Names as torch.nn keeps them: for each layer and direction, and all in one list.
        self._all_weights: list[list[str]] = []
        for layer, reverse in product(range(num_layers), ("", "_reverse")[: self.directions]):
            columns = input_size if layer == 0 else hidden_size * self.directions
            shapes: dict[str, tuple[int, ...]] = {
                f"weight_ih_l{layer}{reverse}": (rows, columns),
                f"weight_hh_l{layer}{reverse}": (rows, hidden_size),
            }
            if bias:
                names = f"bias_ih_l{layer}{reverse}", f"bias_hh_l{layer}{reverse}"
                shapes |= dict.fromkeys(names, (rows,))
            for name, shape in shapes.items():
                setattr(self, name, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            self._all_weights.append(list(shapes))
        self._flat_weights_names = [name for names in self._all_weights for name in names]
        self._init_flat_weights()
        self.reset_parameters(generator)

    @property
    def directions(self) -> int:
        """2 with bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    def flatten_parameters(self) -> None:
        """Does nothing: no loop of ours wants the weights in one piece of memory."""

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draws new weights; in the order of `parameters()`, as torch.nn does."""
        bound = self.hidden_size**-0.5
        chosen = {
            "weight_ih": self.kernel_initializer,
            "weight_hh": self.recurrent_initializer,
            "bias_ih": self.bias_initializer,
            "bias_hh": None if self.bias_initializer is None else 0.0,
        }
        for name, weight in self.named_parameters():
            initializer = chosen[_kind(name)]
            if initializer is None:
                nn.init.uniform_(weight, -bound, bound, generator=generator)
            else:
                fill(weight, initializer, generator)

    def penalty(self) -> Tensor:
        """The regularisers' sum over all layers, a scalar to add to the loss; 0 without any."""
        chosen = {
            "weight_ih": self.kernel_regularizer,
            "weight_hh": self.recurrent_regularizer,
            "bias_ih": self.bias_regularizer,
            "bias_hh": self.bias_regularizer,
        }
        total = self._weight("weight_ih_l0").new_zeros(())
        for name in self._flat_weights_names:
            regularizer = chosen[_kind(name)]
            if regularizer is not None:
                total = total + regularizer(self._weight(name))
        return total

    def forward(
        self,
        input: Tensor | PackedSequence,
        hx: Any = None,
        *,
        lengths: Tensor | list[int] | None = None,
        record: Recording | None = None,
        generator: Generator | None = None,
    ) -> tuple[Any, Any]:
        """Returns (output, final state) as torch.nn's layer of the same name does.

        input: (time, batch, features), (batch, time, features) with batch_first, (time, features),
            or a PackedSequence, whose kind the output then has.
        hx: the initial state, (layers, batch, hidden), or a pair of them for LSTM; None is zero.
        lengths: for each sequence, how many of its steps count: output is 0 after them and the
            final state is that of the last one.
        record: filled by this call and by the backward pass through it.
        generator: draws the dropout masks; None draws from torch's global state.

        output is the whole sequence, output[:, -1] (batch_first) its last step, and the final
        state's [-1] the last step that counts, whatever the lengths. With bidirectional, output has
        the features of both directions side by side, and states have two rows for each layer.
        A NaN or an infinity in a sequence makes NaN of its output from there on.

        Raises RuntimeError or ValueError where torch.nn's layer does, ValueError for lengths that
        don't fit, RuntimeError where the compiled loops have no rule (torch.func, forward-mode
        derivatives, tracing); engine="torch" has one.
        """
        batch = batch_of(input, self.batch_first, lengths, type(self).__name__)
        weight = self._weight("weight_ih_l0")
        validation.check_input(batch.x, self.input_size, weight.dtype)
        states: tuple[Tensor, ...] = ()
        if hx is not None:
            shape = self.num_layers * self.directions, batch.size, self.hidden_size
            states = validation.states_of(hx, self.equation.has_cell, batch, shape)
        engine = self.engine
        if engine == "torch" or self._engine is not None:
            validation.check_engine(engine, self._engine, weight, type(self).__name__)
        directions = self.directions
        if record is not None:
            record.begin(self.num_layers * directions)
        x, finals, cells = batch.x, [], []
        for layer in range(self.num_layers):
            if self.training and self.input_dropout > 0:
                rate = self.input_dropout
                kept = draw_mask(x, batch.size, x.shape[2], rate=rate, generator=generator)
                x = x * kept.unsqueeze(1 if batch.first else 0)
            outputs = []
            for number in range(layer * directions, (layer + 1) * directions):
                begin = [state[number] for state in states]
                output, final, cell = self._read(number, x, begin, batch, record, generator)
                outputs.append(output)
                finals.append(final)
                if cell is not None:
                    cells.append(cell)
            x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2)
            if self.training and self.dropout > 0 and layer < self.num_layers - 1:
                x = x * draw_mask(x, *x.shape, rate=self.dropout, generator=generator)
        hidden = _stacked(finals, batch.unbatched)
        if batch.packed is not None and batch.packed.unsorted_indices is not None:
            order = batch.packed.unsorted_indices
            hidden = hidden.index_select(1, order)
            cells = [cell.index_select(1, order) for cell in cells]
        result = pack_as(x, batch)
        return (result, (hidden, _stacked(cells, batch.unbatched))) if cells else (result, hidden)

    def _read(
        self,
        number: int,
        x: Tensor,
        begin: list[Tensor],
        batch: Batch,
        record: Recording | None,
        generator: Generator | None,
    ) -> Result:
        """One layer in one direction; number counts them as the rows of the final state."""
        reverse = bool(self.bidirectional) and number % 2 == 1
        mask = None
        if self.training and self.recurrent_dropout > 0:
            rate = self.recurrent_dropout
            mask = draw_mask(x, batch.size, self.hidden_size, rate=rate, generator=generator)
        if reverse:
            x = backwards(x, batch)
        hidden, cell = (*begin, None, None)[:2]
        inputs = Inputs(x, hidden, cell, mask, batch.lengths, batch.first)
        watch = None if record is None else Watch(record.layers[number], record.full, reverse)
        weights = self._weights(number)
        output, final, last = ENGINES[self.engine](self.equation, inputs, weights, watch)
        if batch.lengths is not None:
            output = keep_valid(output, batch)
        return backwards(output, batch) if reverse else output, final, last

    def blocks(self) -> Blocks:
        """The rows of each gate's weights by the name that the equation gives them, W_ir for one,
        and all "biases"; of layers above the first with _l1, _l2 ... after it, of the direction
        that reads backwards with _reverse. For BlockNorms."""
        gates = [""] if self._tied else list(self.gates)
        found = Blocks()
        for names in self._all_weights:
            found |= self._blocks(names, gates)
        return found

    def _weights(self, number: int) -> Weights:
        found = [self._weight(name) for name in self._all_weights[number]]
        if self._tied:
            found = [torch.cat([weight] * len(self.gates)) for weight in found]
        return Weights(found[0], found[1], *(found[2:] if self.bias else (None, None)))


def _kind(name: str) -> str:
    """weight_ih for weight_ih_l0_reverse, also where torch.nn.utils.parametrize wraps it."""
    return next(kind for kind in KINDS if kind in name)


def _stacked(states: list[Tensor], unbatched: bool) -> Tensor:
    stacked = states[0] if len(states) == 1 else torch.cat(states)
    return stacked.squeeze(1) if unbatched else stacked

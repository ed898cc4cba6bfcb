"""RNN, GRU and LSTM with the constructor, state_dict and outputs of torch.nn's own."""

from typing import Any, ClassVar, cast

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from gruviz.nn import validation
from gruviz.nn.compiled import serves
from gruviz.nn.equations import ACTIVATIONS, GATE_LETTERS, GATES, Equation
from gruviz.nn.function import Sequences, Watch, by_numba, by_torch
from gruviz.nn.initializers import Initializer, fill
from gruviz.nn.recording import LayerRecording, Recording
from gruviz.nn.reference import Weights
from gruviz.nn.regularizers import Regularizer
from gruviz.nn.sequences import batch_of, draw_mask, keep_valid, pack_as

Start = str | float | Initializer
State = Tensor | tuple[Tensor, Tensor]
KERNELS = {"numba": by_numba, "torch": by_torch}


class KernelChoice(nn.Module):
    """What computes a layer; its first weight is weight_ih_l0."""

    _kernel: str | None

    @property
    def kernel(self) -> str:
        """What computes this layer now, "numba" or "torch": the explicit choice, or else what
        serves the device and dtype that its weights have."""
        return self._kernel or ("numba" if serves(self._weight("weight_ih_l0")) else "torch")

    @kernel.setter
    def kernel(self, name: str | None) -> None:
        validation.check_choice("kernel", name, (None, *KERNELS))
        self._kernel = name

    def _weight(self, name: str) -> Tensor:
        # Past nn.Module's __getattr__, which costs ten times as much, unless something like
        # torch.nn.utils.parametrize has put an attribute in the parameter's place.
        found = self._parameters.get(name)
        return cast(Tensor, getattr(self, name)) if found is None else found


class _Recurrent(KernelChoice):
    """What the three layers share.

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
        kernel: "numba", "torch", or None for numba wherever it can serve; see `kernel`.

    Raises ValueError or TypeError for arguments that don't make a layer.
    """

    cell: ClassVar[str]

    def __init__(
        self,
        equation: Equation,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
        proj_size: int,
        device: torch.device | str | int | None,
        dtype: torch.dtype | None,
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
        kernel: str | None = None,
    ) -> None:
        super().__init__()
        validation.check_sizes(input_size, hidden_size, num_layers, bias, batch_first)
        validation.check_refused(type(self).__name__, bidirectional, proj_size)
        validation.check_dropout(dropout, num_layers)
        validation.check_rates(input_dropout=input_dropout, recurrent_dropout=recurrent_dropout)
        self.kernel = kernel
        self.equation = equation
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = False, 0
        self.input_dropout, self.recurrent_dropout = input_dropout, recurrent_dropout
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
        self.bias_initializer = bias_initializer
        self.kernel_regularizer = kernel_regularizer
        self.recurrent_regularizer = recurrent_regularizer
        self.bias_regularizer = bias_regularizer
        self._tied = tied
        rows = hidden_size * (1 if tied else GATES[equation.cell])
        self._names: list[tuple[str, ...]] = []
        for layer in range(num_layers):
            columns = input_size if layer == 0 else hidden_size
            shapes: dict[str, tuple[int, ...]] = {
                f"weight_ih_l{layer}": (rows, columns),
                f"weight_hh_l{layer}": (rows, hidden_size),
            }
            if bias:
                shapes |= {f"bias_ih_l{layer}": (rows,), f"bias_hh_l{layer}": (rows,)}
            for name, shape in shapes.items():
                setattr(self, name, nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
            self._names.append(tuple(shapes))
        self.reset_parameters(generator)

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
            initializer = chosen[name.rpartition("_")[0]]
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
        total = cast(Tensor, self.weight_ih_l0).new_zeros(())
        for name, weight in self.named_parameters():
            regularizer = chosen[name.rpartition("_")[0]]
            if regularizer is not None:
                total = total + regularizer(weight)
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
        state's [-1] the last step that counts, whatever the lengths.
        A NaN or an infinity in a sequence makes NaN of its output from there on.

        Raises RuntimeError or ValueError where torch.nn's layer does, ValueError for lengths that
        don't fit.
        """
        batch = batch_of(input, self.batch_first, lengths, type(self).__name__)
        weight = self._weight("weight_ih_l0")
        validation.check_input(batch.x, self.input_size, weight.dtype)
        states = None
        if hx is not None:
            shape = self.num_layers, batch.size, self.hidden_size
            states = validation.states_of(hx, self.equation.cell == "lstm", batch, shape)
        kernel = self.kernel
        if kernel == "torch" or self._kernel is not None:
            validation.check_kernel(kernel, self._kernel, weight, type(self).__name__)
        compute = KERNELS[kernel]
        if record is not None:
            record.layers = [LayerRecording() for _ in range(self.num_layers)]
        x, finals, cells = batch.x, [], []
        for layer in range(self.num_layers):
            weights = self._weights(layer)
            if self.training and self.input_dropout > 0:
                rate = self.input_dropout
                kept = draw_mask(x, batch.size, x.shape[2], rate=rate, generator=generator)
                x = x * kept.unsqueeze(1 if batch.first else 0)
            mask = None
            if self.training and self.recurrent_dropout > 0:
                rate = self.recurrent_dropout
                mask = draw_mask(x, batch.size, self.hidden_size, rate=rate, generator=generator)
            sequences = Sequences(
                x,
                None if states is None else states[0][layer],
                None if states is None or len(states) < 2 else states[1][layer],
                mask,
                batch.lengths,
                batch.first,
            )
            watch = None if record is None else Watch(record.layers[layer], record.full)
            x, final, cell = compute(self.equation, sequences, weights, watch)
            if batch.lengths is not None:
                x = keep_valid(x, batch)
            finals.append(final)
            if cell is not None:
                cells.append(cell)
            if self.training and self.dropout > 0 and layer < self.num_layers - 1:
                x = x * draw_mask(x, *x.shape, rate=self.dropout, generator=generator)
        hidden = _stacked(finals, batch.unbatched)
        if batch.packed is not None and batch.packed.unsorted_indices is not None:
            order = batch.packed.unsorted_indices
            hidden = hidden.index_select(1, order)
            cells = [cell.index_select(1, order) for cell in cells]
        output = pack_as(x, batch)
        return (output, (hidden, _stacked(cells, batch.unbatched))) if cells else (output, hidden)

    def blocks(self) -> dict[str, list[tuple[nn.Parameter, slice]]]:
        """The rows of each gate's weights by the name that the equation gives them, W_ir for one,
        and all "biases"; of layers above the first with _l1, _l2 ... after it. For BlockNorms."""
        gates = [""] if self._tied else GATE_LETTERS[self.equation.cell]
        size, found = self.hidden_size, {}
        for layer, (kernel, recurrent, *biases) in enumerate(self._names):
            suffix = f"_l{layer}" if layer else ""
            for name, source in ((kernel, "i"), (recurrent, "h")):
                for number, gate in enumerate(gates):
                    rows = slice(number * size, (number + 1) * size)
                    found[f"W_{source}{gate}{suffix}"] = [(self.get_parameter(name), rows)]
            if biases:
                whole = slice(0, len(gates) * size)
                found[f"biases{suffix}"] = [(self.get_parameter(name), whole) for name in biases]
        return found

    def _weights(self, layer: int) -> Weights:
        found = [self._weight(name) for name in self._names[layer]]
        if self._tied:
            found = [torch.cat([weight] * GATES[self.equation.cell]) for weight in found]
        return Weights(found[0], found[1], *(found[2:] if self.bias else (None, None)))

    def extra_repr(self) -> str:
        shown = [f"{self.input_size}, {self.hidden_size}"]
        usual_values = {"num_layers": 1, "bias": True, "batch_first": False, "dropout": 0.0}
        for name, usual in usual_values.items():
            if getattr(self, name) != usual:
                shown.append(f"{name}={getattr(self, name)}")
        return ", ".join(shown)


def _stacked(states: list[Tensor], unbatched: bool) -> Tensor:
    stacked = states[0] if len(states) == 1 else torch.cat(states)
    return stacked.squeeze(1) if unbatched else stacked


class RNN(_Recurrent):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu: torch.nn.RNN's equation."""

    cell = "rnn"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        **options: Any,
    ) -> None:
        validation.check_choice("nonlinearity", nonlinearity, ("tanh", "relu"))
        super().__init__(
            Equation("rnn", nonlinearity), input_size, hidden_size, num_layers, bias, batch_first,
            dropout, bidirectional, 0, device, dtype, **options,
        )  # fmt: skip
        self.nonlinearity = nonlinearity


class GRU(_Recurrent):
    """r = σ(W_ir x + b_ir + W_hr h + b_hr), z = σ(W_iz x + b_iz + W_hz h + b_hz), and

    reset_after=True (torch.nn.GRU, cuDNN): n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))
    reset_after=False (Cho et al. 2014):    n = tanh(W_in x + b_in + W_hn (r ⊙ h) + b_hn)
    update_weights="old" (torch.nn.GRU):    h' = z ⊙ h + (1 - z) ⊙ n
    update_weights="new" (Cho et al. 2014 read with z for 1 - z): h' = (1 - z) ⊙ h + z ⊙ n

    activation: of n, "tanh", "relu" or "linear".
    tied_gates: one weight matrix and one bias serve r, z and n, so that r = z: weights have
        hidden_size rows instead of three times as many. (The listing that does so by mistake
        multiplies the candidate's product by 1 - r where this layer has r.)
    """

    cell = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        reset_after: bool = True,
        update_weights: str = "old",
        activation: str = "tanh",
        tied_gates: bool = False,
        **options: Any,
    ) -> None:
        validation.check_choice("update_weights", update_weights, ("old", "new"))
        validation.check_choice("activation", activation, tuple(ACTIVATIONS))
        super().__init__(
            Equation("gru", activation, reset_after, update_weights), input_size, hidden_size,
            num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype,
            tied=tied_gates, **options,
        )  # fmt: skip
        self.tied_gates = tied_gates


class LSTM(_Recurrent):
    """c' = f ⊙ c + i ⊙ g, h' = o ⊙ tanh(c'): torch.nn.LSTM's equation, without projection.

    i, f, o = σ(W_i· x + b_i· + W_h· h + b_h·), g = tanh(W_ig x + b_ig + W_hg h + b_hg).

    unit_forget_bias: the forget gate's bias begins at 1 (b_if 1, b_hf 0) whatever fills the others,
        so that the cell remembers at first (Jozefowicz, Zaremba, Sutskever, "An empirical
        exploration of recurrent network architectures", 2015). Keras's default is True, with zeros
        for the others: LSTM(..., bias_initializer="zeros", unit_forget_bias=True).
    """

    cell = "lstm"

    def __init__(
        self,
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
        unit_forget_bias: bool = False,
        **options: Any,
    ) -> None:
        self.unit_forget_bias = unit_forget_bias
        super().__init__(
            Equation("lstm"), input_size, hidden_size, num_layers, bias, batch_first, dropout,
            bidirectional, proj_size, device, dtype, **options,
        )  # fmt: skip

    def reset_parameters(self, generator: Generator | None = None) -> None:
        super().reset_parameters(generator)
        if self.unit_forget_bias:
            forget = slice(self.hidden_size, 2 * self.hidden_size)
            for name, weight in self.named_parameters():
                if name.startswith("bias"):
                    with torch.no_grad():
                        weight[forget] = 1.0 if name.startswith("bias_ih") else 0.0

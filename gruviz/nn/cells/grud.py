"""GRU-D: a GRU that learns how fast what it saw grows old."""

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import linear

from gruviz.nn import validation
from gruviz.nn.cells.gru import GRUEquation
from gruviz.nn.equation import Equation, Weights
from gruviz.nn.function import Inputs
from gruviz.nn.recording import Recording
from gruviz.nn.recurrent import ENGINES, Blocks, Layer
from gruviz.nn.sequences import batch_of
from gruviz.nn.watch import Watch


class GRUD(Layer):
    """GRU-D of Che, Purushotham, Cho, Sontag, Liu 2018, "Recurrent neural networks for multivariate
    time series with missing values" (Scientific Reports 8:6085), equations 10 to 13, on the
    equations of torch.nn.GRU (reset after the product, z for the old state).

    For k variables the input has 3k features: the value, or where it is missing the one last seen;
    the mask m, 1 where the value is present; the time d since one was seen before this step (what
    the method "decay" of `gruviz.data.missing` makes).

        γ_x = exp(-max(0, w_x ⊙ d + b_x)), elementwise
        x̂ = m ⊙ x + (1 - m) ⊙ (γ_x ⊙ x_last + (1 - γ_x) ⊙ mean)
        γ_h = exp(-max(0, W_h d + b_h))
        h' = GRU([x̂, m], γ_h ⊙ h)

    x̂ and γ don't depend on the state: torch computes them for all time steps at once. The
    recurrence is that of `gruviz.nn.GRU`.

    mean: (k,), what a value that is long gone decays to; zeros, which is right for values scaled to
        mean 0, unless given. It is kept with the weights but not trained.
    generator: draws the initial weights, from U(-1/sqrt(H), 1/sqrt(H)) as torch.nn.GRU does, those
        of the input decay from the positive half; None: torch's global state.
    engine: "numba", "torch", or None for numba wherever it can serve; see `engine`.

    Raises ValueError for sizes below 1, features that aren't three for each variable, a mean of
    another shape, or a loop that there isn't.
    """

    equation: Equation = GRUEquation()
    mean: Tensor

    def __init__(
        self,
        features: int,
        hidden_size: int,
        batch_first: bool = False,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        *,
        mean: Tensor | None = None,
        generator: Generator | None = None,
        engine: str | None = None,
    ) -> None:
        super().__init__()
        self.engine = engine
        if features < 3 or features % 3:
            raise ValueError(
                f"GRU-D needs three features for each variable (value, mask, time), not {features}"
            )
        if hidden_size < 1:
            raise ValueError(f"hidden_size must be 1 or more, not {hidden_size}")
        k, H = features // 3, hidden_size
        if mean is not None and mean.shape != (k,):
            raise ValueError(f"mean must have shape ({k},), not {tuple(mean.shape)}")
        self.input_size, self.hidden_size, self.batch_first = features, hidden_size, batch_first

        def weight(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype))

        self.weight_ih_l0, self.weight_hh_l0 = weight(3 * H, 2 * k), weight(3 * H, H)
        self.bias_ih_l0, self.bias_hh_l0 = weight(3 * H), weight(3 * H)
        self.input_decay, self.input_decay_bias = weight(k), weight(k)
        self.hidden_decay, self.hidden_decay_bias = weight(H, k), weight(H)
        self.register_buffer("mean", torch.zeros(k, device=device, dtype=dtype))
        if mean is not None:
            self.mean.copy_(mean)
        self.reset_parameters(generator)

    def penalty(self) -> Tensor:
        """0: this layer has no regularisers."""
        return self.weight_ih_l0.new_zeros(())

    def blocks(self) -> Blocks:
        """As those of `gruviz.nn.GRU`, and all weights that say how fast things grow old, "decay"."""
        names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
        decay = [weight for name, weight in self.named_parameters() if "decay" in name]
        return self._blocks(names, self.gates) | {"decay": [(w, slice(None)) for w in decay]}

    def reset_parameters(self, generator: Generator | None = None) -> None:
        """Draws new weights, in the order of `parameters()`."""
        bound = self.hidden_size**-0.5
        for name, weight in self.named_parameters():
            # max(0, ·) of what is negative has no gradient: an input decay would stay off for good.
            low = 0.0 if name.startswith("input_decay") else -bound
            nn.init.uniform_(weight, low, bound, generator=generator)

    def forward(
        self, input: Tensor, hx: Tensor | None = None, *, record: Recording | None = None
    ) -> tuple[Tensor, Tensor]:
        """Returns (output, final state) as torch.nn.GRU does; hx: (1, batch, hidden), None is zero.

        input: (time, batch, features), or (batch, time, features) with batch_first.
        record: filled by this call and by the backward pass through it, with the signals of
            `gruviz.nn.GRU`; "hidden" is the state after a step, before it decays.

        Raises ValueError for an input of another shape or dtype, RuntimeError for such a state.
        """
        if input.dim() != 3 or input.shape[2] != self.input_size or 0 in input.shape:
            raise ValueError(
                f"GRUD expects three axes, none empty, the last one of {self.input_size} features;"
                f" got {tuple(input.shape)}"
            )
        validation.check_input(input, self.input_size, self.weight_ih_l0.dtype)
        hidden = None
        if hx is not None:
            batch = batch_of(input, self.batch_first, None, type(self).__name__)
            shape = 1, batch.size, self.hidden_size
            hidden = validation.states_of(hx, False, batch, shape)[0][0]
        engine = self.engine
        validation.check_engine(engine, self._engine, self.weight_ih_l0, type(self).__name__)
        seen, decay = self._inputs(input)
        inputs = Inputs(seen, hidden, None, None, None, self.batch_first, decay)
        weights = Weights(self.weight_ih_l0, self.weight_hh_l0, self.bias_ih_l0, self.bias_hh_l0)
        watch = None
        if record is not None:
            record.begin(1)
            watch = Watch(record.layers[0], record.full)
        output, final, _cell = ENGINES[engine](self.equation, inputs, weights, watch)
        return output, final

    def _inputs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """With the axes of x, what the gates read, 2k features, and γ_h, hidden_size of them."""
        last, mask, since = x.chunk(3, dim=2)
        gamma = torch.exp(-torch.relu(since * self.input_decay + self.input_decay_bias))
        value = mask * last + (1 - mask) * (gamma * last + (1 - gamma) * self.mean)
        decay = linear(since, self.hidden_decay, self.hidden_decay_bias)
        # Under torch.autocast the product is in bfloat16, which a loop would misread.
        kept = torch.exp(-torch.relu(decay)).to(x.dtype)
        return torch.cat([value, mask], dim=2), kept

"""The recurrences and their backward passes in closed form, compiled by numba.

Everything is feature-major: a block for one time step is (features, batch), contiguous, so that
each gate of a step is one flat run of memory whatever the sizes, and each product is one BLAS call.
Arrays arrive as addresses (`tensor.data_ptr()`), which is what one call costs least and what keeps
one compiled variant per dtype; `like` carries the dtype. An address of 0 means: not there, or not
wanted.

`steps` has what the recurrences share, `machine` what numba lacks. gruviz.nn.compiled compiles the
loops, and keeps them on disk until any file here changes.
"""

from gruviz.nn.loops.gru import gru_backward, gru_forward
from gruviz.nn.loops.lstm import lstm_backward, lstm_forward
from gruviz.nn.loops.norms import block_norms, scale_to_norm
from gruviz.nn.loops.rnn import rnn_backward, rnn_forward

__all__ = [
    "block_norms",
    "gru_backward",
    "gru_forward",
    "lstm_backward",
    "lstm_forward",
    "rnn_backward",
    "rnn_forward",
    "scale_to_norm",
]

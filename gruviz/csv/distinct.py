"""Work on each distinct cell of a column once, however often it occurs."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.int64]
Change = Callable[[pa.Array], pa.Array]


def distinct(column: pa.ChunkedArray) -> tuple[pa.Array, Places]:
    """The distinct cells, in order of first occurrence, and the place of each row's cell in them."""
    coded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
    return coded.dictionary, coded.indices.to_numpy().astype(np.int64)


def changed(change: Change, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column after a change that each cell undergoes by itself."""
    cells, places = distinct(column)
    return pa.chunked_array([change(cells).take(pa.array(places))])

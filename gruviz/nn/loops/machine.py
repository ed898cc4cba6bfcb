"""What numba lacks: arrays at addresses, BLAS by its full interface, the processor's treatment of
tiny numbers."""

import platform

from llvmlite import ir
from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic, overload
from numba.np.linalg import _BLAS

# Without "nnan" and "ninf": a NaN in the data has to come out as a NaN. With numpy's error model
# a division does not raise, and can therefore be vectorised.
FAST = {"contract", "reassoc", "arcp", "nsz"}
inline = njit(error_model="numpy", fastmath=FAST, nogil=True)


@intrinsic
def pointer(context, address, like):
    """The address as a pointer to values of like's type."""

    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

    return types.CPointer(like)(address, like), generate


@intrinsic
def flush_tiny(context):
    """Makes the processor take numbers below the normal range for zero, as XLA and TensorFlow do;
    returns the state to restore. A gradient that has vanished on its way through time would
    otherwise cost a hundred times what a living one does."""

    def generate(context, builder, signature, arguments):
        if platform.machine().lower() not in ("x86_64", "amd64"):  # elsewhere it costs nothing
            return ir.Constant(ir.IntType(32), 0)
        before = _exchange_state(builder)
        flush = builder.or_(before, ir.Constant(ir.IntType(32), 0x8040))
        _exchange_state(builder, flush)
        return before

    return types.uint32(), generate


@intrinsic
def restore(context, state):
    def generate(context, builder, signature, arguments):
        if platform.machine().lower() in ("x86_64", "amd64"):
            _exchange_state(builder, arguments[0])
        return context.get_dummy_value()

    return types.void(types.uint32), generate


def _exchange_state(builder, new=None):
    """The SSE control register: read, or written."""
    slot = cgutils.alloca_once(builder, ir.IntType(32))
    if new is not None:
        builder.store(new, slot)
    name = "llvm.x86.sse.stmxcsr" if new is None else "llvm.x86.sse.ldmxcsr"
    address = builder.bitcast(slot, ir.IntType(8).as_pointer())
    kind = ir.FunctionType(ir.VoidType(), [address.type])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [address])
    return builder.load(slot)


@inline
def block(address, like, rows, columns):
    return carray(pointer(address, like), (rows, columns))


@inline
def run(address, like, size):
    return carray(pointer(address, like), (size,))


def _gemm(
    ta, tb, m, n, k, a, lda, b, ldb, one, c, ldc,
):  # fmt: skip
    raise NotImplementedError


@overload(_gemm)
def _gemm_of(
    ta, tb, m, n, k, a, lda, b, ldb, one, c, ldc,
):  # fmt: skip
    call = _BLAS().numba_xxgemm(a.dtype)
    kind = ord("s" if a.dtype == types.float32 else "d")

    def columns_first(
    ta, tb, m, n, k, a, lda, b, ldb, one, c, ldc,
):  # fmt: skip
        call(
            kind, ta, tb, m, n, k, one.ctypes, a.ctypes, lda, b.ctypes, ldb, one.ctypes, c.ctypes,
            ldc,
        )  # fmt: skip

    return columns_first


_AS_IT_IS = ord("n")


@inline
def add_product(c, a, b, m, k, n, one):
    """c (m, n) += a (m, k) b (k, n), all row by row.

    BLAS counts columns first: C = A B is its C' = B' A', hence the exchanged operands. It is asked
    for nothing but this form: small products with a transposed operand take a third longer.
    """
    _gemm(_AS_IT_IS, _AS_IT_IS, n, m, k, b, n, a, k, one, c, n)


@inline
def swap_axes(target, source, rows, columns):
    """target (columns, rows) is source (rows, columns) turned."""
    for r in range(rows):
        for c in range(columns):
            target[c * rows + r] = source[r * columns + c]

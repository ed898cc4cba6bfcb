"""The compiled loops: what may not go lost, and where they are kept."""

import inspect
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
import torch

import gruviz.nn
from gruviz.nn import GRU, LSTM, RNN, memory

LAYERS = [RNN, GRU, LSTM]
ROOT = Path(gruviz.nn.__file__).parents[2]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("layer_of", LAYERS)
def test_what_is_not_a_number_comes_out_as_nan_in_its_sequence_alone(
    layer_of: type[GRU], engine: str, dtype: torch.dtype, value: float
) -> None:
    for features in (1, 3):
        layer = layer_of(features, 5, dtype=dtype, engine=engine)
        x = torch.randn(6, 4, features, dtype=dtype)
        x[2, 1, features - 1] = value
        output, _ = layer(x)
        assert output[2:, 1].isnan().all()
        assert output[:2].isfinite().all() and output[:, [0, 2, 3]].isfinite().all()


@pytest.mark.parametrize("layer_of", LAYERS)
def test_equal_inputs_give_equal_bits_whatever_ran_before(layer_of: type[GRU]) -> None:
    torch.manual_seed(0)
    layer, x = layer_of(3, 33), torch.randn(21, 17, 3)

    def run() -> list[torch.Tensor]:
        layer.zero_grad()
        output, _ = layer(x)
        output.square().sum().backward()
        return [output.detach(), *(p.grad for p in layer.parameters() if p.grad is not None)]

    first = run()
    layer_of(3, 33)(1e3 * torch.randn(21, 17, 3))[0].sum().backward()
    layer_of(1, 64)(torch.randn(5, 2, 1))[0].sum().backward()
    offset = torch.randn(1000)  # another alignment of what comes after
    for a, b in zip(first, run(), strict=True):
        assert torch.equal(a, b)
    del offset


def test_the_loops_tanh_is_that_of_the_mathematics() -> None:
    layer = RNN(1, 1, bias=False, kernel_initializer="ones", recurrent_initializer="zeros")
    x = torch.cat([torch.linspace(-12, 12, 20_001), torch.logspace(-30, 0, 500)])
    ours = layer(x.view(1, -1, 1))[0].view(-1).double()
    exact = x.double().tanh()
    assert (ours - exact).abs().max() < 4e-7
    assert ((ours - exact).abs() / exact.abs().clamp_min(1e-35)).max() < 1e-6


def test_no_gradient_means_none_is_kept() -> None:
    layer, x = GRU(2, 5), torch.randn(4, 3, 2)
    with torch.no_grad():
        assert not layer(x)[0].requires_grad
    layer.requires_grad_(False)
    assert not layer(x)[0].requires_grad
    x.requires_grad_()
    layer(x)[0].sum().backward()
    assert x.grad is not None and layer.weight_hh_l0.grad is None


def test_memory_in_use_is_never_lent_twice() -> None:
    like = torch.zeros(1)
    first = memory.empty(like, 10_000)
    view, address = first[3:].numpy(), first.data_ptr()
    view[:] = 7
    del first
    second = memory.empty(like, 10_000)
    assert second.data_ptr() != address and (view == 7).all()
    del view
    assert memory.empty(like, 10_000).data_ptr() == address


PROGRAM = """
import sys, warnings
import torch
from gruviz.nn import GRU, SlowerWarning, compiled
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loop = compiled.loop("scale_to_norm", torch.float32)
told = [w for w in caught if issubclass(w.category, SlowerWarning)]
assert len(told) == int(sys.argv[1]), [str(w.message) for w in caught]
assert loop is compiled.loop("scale_to_norm", torch.float32)
"""


def run_with(environment: dict[str, str], warnings: int) -> None:
    inherited = {k: v for k, v in os.environ.items() if k not in ("XDG_CACHE_HOME", "HOME")}
    subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, str(warnings)],
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        check=True,
    )


def test_a_writable_cache_is_filled_and_found_again(tmp_path: Path) -> None:
    environment = {"NUMBA_CACHE_DIR": str(tmp_path), "HOME": str(tmp_path)}
    run_with(environment, 0)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")}
    assert len(files) == 1
    run_with(environment, 0)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.nbc")} == files


def test_without_a_place_for_a_cache_it_compiles_in_memory_and_says_so(tmp_path: Path) -> None:
    # A locator fails on whatever it can't make a folder in; being root, a test can't take the
    # right to write away, but it can put a file where each locator wants a folder.
    blocked = tmp_path / "file"
    blocked.write_text("")
    program = PROGRAM.replace(
        "import torch\n",
        "import torch\nfrom numba.core import caching\n"
        "for name in ('InTreeCacheLocator', 'UserWideCacheLocator'):\n"
        "    locator = getattr(caching, name)\n"
        f"    locator.get_cache_path = lambda self: {str(blocked / 'x')!r}\n",
        1,
    )
    subprocess.run(
        [sys.executable, "-c", program, "1"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_CACHE_DIR": ""},
        check=True,
    )


def test_warming_up_compiles_every_loop_there_is() -> None:
    gruviz.nn.warm()
    from gruviz.nn import compiled, loops

    rooms = [value for value in vars(loops).values() if isinstance(value, ModuleType)]
    written = {
        name
        for room in rooms
        for name, value in vars(room).items()
        if isinstance(value, FunctionType)  # what is compiled on its own is no longer one
        and value.__module__ == room.__name__
        and next(iter(inspect.signature(value).parameters), "") == "like"
    }
    assert written == set(compiled.LOOPS)
    assert all(compiled.loop(name, torch.float32) for name in compiled.LOOPS)


def test_a_change_of_any_file_of_the_loops_makes_what_is_kept_stale(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "gruviz", tmp_path / "gruviz", ignore=shutil.ignore_patterns("*.nb?"))
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)}
    written = []
    for addition in ("", "# another file than the loop's own\n"):
        with (tmp_path / "gruviz/nn/loops/steps.py").open("a") as file:
            file.write(addition)
        run_with(environment, 0)
        (kept,) = (tmp_path / "cache").rglob("norms.scale_to_norm*.nbi")
        written.append(kept.read_bytes())
    assert written[0] != written[1]


BLAS_PROGRAM = """
import os
import numpy
import scipy
import scipy.linalg.cython_blas
import torch
from threadpoolctl import threadpool_info, threadpool_limits
from gruviz.nn import compiled

def threads():
    return {i["filepath"]: i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}

def of_scipy(path):
    return os.path.realpath(path).startswith(os.path.realpath(scipy.__path__[0]))

threadpool_limits(2, user_api="blas")
before, in_torch = threads(), torch.get_num_threads()
compiled.loop("scale_to_norm", torch.float32)
after = threads()
assert torch.get_num_threads() == in_torch
own = {path for path in after if of_scipy(path)} or set(after)
assert own and all(after[path] == 1 for path in own), after
assert all(after[path] == before[path] for path in after.keys() - own), after
"""


def test_the_blas_of_the_loops_works_on_one_thread_and_the_others_keep_theirs() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    subprocess.run(
        [sys.executable, "-c", BLAS_PROGRAM],
        env={**environment, "PYTHONPATH": str(ROOT)},
        check=True,
    )

"""The recurrent core against its peers: one run, one thread, medians, ratios.

Each peer trains in a process of its own, all on the same processor core; they take turns of a
fraction of a second, so that whatever else the machine does falls on all of them alike.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.peers import FEATURES, PEERS, Case, ours

ROOT = Path(__file__).parents[1]
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
# case: at most this share of torch.nn's time, and of JAX's
TARGETS: dict[Case, tuple[float, float | None]] = {
    Case("GRU", 32, 50, 16): (0.20, 0.8),
    Case("GRU", 32, 50, 32): (0.20, 0.8),
    Case("GRU", 32, 50, 64): (0.40, 0.9),
    Case("GRU", 64, 200, 32): (0.40, 0.9),
    Case("GRU", 64, 100, 64): (0.50, 1.0),
    Case("GRU", 32, 100, 128): (0.50, 1.0),
    Case("GRU", 32, 784, 64): (0.50, 1.0),
    Case("RNN", 32, 50, 32): (0.40, None),
    Case("LSTM", 32, 50, 32): (0.40, None),
}
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


class Peer:
    """A process that builds a case and runs steps of it when told to."""

    def __init__(self, name: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.peers", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
            cwd=ROOT,
            text=True,
        )

    def ask(self, **request: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        return json.loads(line) if line else "missing: its process ended"

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compare(case: Case, names: list[str], turns: int, seconds: float) -> dict[str, float | str]:
    """Peer to median milliseconds of a step, or to why it is missing."""
    peers = {name: Peer(name) for name in names}
    results: dict[str, float | str] = {}
    for name, peer in peers.items():
        answer = peer.ask(case=case)
        if answer != "ready":
            results[name] = answer
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(turns):
        for name, peer in peers.items():
            if name not in results:
                # The first step of a turn fills caches.
                times[name] += peer.ask(seconds=seconds)[1:]
    for peer in peers.values():
        peer.close()
    return results | {name: 1e3 * statistics.median(found) for name, found in times.items()}


def peak() -> float:
    """What one core multiplies and adds at most, in 10**9 operations a second, as BLAS reaches it
    on matrices that fit the cache."""
    a, best = np.random.default_rng(0).random((256, 256), np.float32), np.inf
    out = np.empty_like(a)
    for _ in range(300):
        begun = time.perf_counter()
        np.matmul(a, a, out)
        best = min(best, time.perf_counter() - begun)
    return float(2 * 256**3 / best / 1e9)


def operations(case: Case) -> float:
    """Of the matrix products alone: forward, backward to the state and to the weights."""
    rows = GATES[case.cell] * case.units
    recurrent = 3 * 2 * case.batch * case.units * rows
    projection = 2 * 2 * case.batch * FEATURES * rows
    return case.time * (recurrent + projection)


def shares(case: Case, steps: int = 60) -> dict[str, float]:
    """Where a step of ours goes, in microseconds; a part is the median over steps."""
    import torch

    import gruviz.nn
    from gruviz.nn import function
    from gruviz.nn.compiled import loop as lookup

    torch.set_num_threads(1)
    spent: dict[str, float] = defaultdict(float)
    found = defaultdict(list)

    def timed(owner: Any, name: str, part: str) -> None:
        inner = getattr(owner, name)

        def outer(*arguments: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            result = inner(*arguments, **options)
            spent[part] += time.perf_counter() - begun
            return result

        setattr(owner, name, outer)

    def loop(name: str, dtype: Any) -> Any:
        entry = lookup(name, dtype)
        part = "loop: " + (name.partition("_")[2] or name)

        def outer(*arguments: Any) -> None:
            begun = time.perf_counter()
            entry(*arguments)
            spent[part] += time.perf_counter() - begun

        return outer

    originals = [
        (torch.optim.Adam, "step", "optimizer"),
        (torch.optim.Optimizer, "zero_grad", "optimizer"),
        (gruviz.nn, "clip_norm_", "clipping"),
        (torch.Tensor, "backward", "backward"),
    ]
    kept = [(owner, name, owner.__dict__[name]) for owner, name, _ in originals]
    for owner, name, part in originals:
        timed(owner, name, part)
    try:
        with patch.object(function, "loop", loop):
            step = ours(case)
            for _ in range(steps):
                spent.clear()
                begun = time.perf_counter()
                step()
                spent["step"] = time.perf_counter() - begun
                for part, value in spent.items():
                    found[part].append(value)
    finally:
        for owner, name, inner in kept:
            setattr(owner, name, inner)
    medians = {part: 1e6 * statistics.median(values) for part, values in found.items()}
    backward = medians.pop("backward")
    total = medians.pop("step")
    loops = {part: value for part, value in medians.items() if part.startswith("loop")}
    autograd = backward - loops["loop: backward"]
    result = {**loops, "autograd": autograd, "clipping": medians["clipping"]}
    result["optimizer"] = medians["optimizer"]
    result["Python and torch, forward"] = total - sum(result.values())
    return {"step": total, **result}


def starts() -> tuple[float, float]:
    """Seconds until every float32 loop is there: compiled, and loaded from the disk."""
    program = (
        "import torch, time; begun = time.perf_counter(); import gruviz.nn; gruviz.nn.warm();"
        " print(time.perf_counter() - begun)"
    )
    with tempfile.TemporaryDirectory() as folder:
        seconds = [
            float(
                subprocess.run(
                    [sys.executable, "-c", program],
                    env={**os.environ, "NUMBA_CACHE_DIR": folder},
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    check=True,
                ).stdout
            )
            for _ in range(2)
        ]
    return seconds[0], seconds[1]


def _ratio(ours: float, theirs: float | str | None, target: float | None) -> str:
    if not isinstance(theirs, float):
        return "missing"
    ratio = ours / theirs
    if target is None:
        return f"{ratio:.2f}"
    return f"{ratio:.2f} (≤ {target:.2f} {'met' if ratio <= target else 'MISSED'})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter turns, no Keras")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # inherited by every peer
    os.environ.update(ONE_THREAD)
    cold, warm = starts()
    top = peak()
    print(f"loops' start: {cold:.1f} s cold (compiled), {warm:.2f} s warm (from the disk)")
    print(f"peak of this core in single precision: {top:.0f} GFLOP/s")
    names = [name for name in PEERS if not (options.quick and name.startswith("Keras"))]
    extra = [
        name for name in names if name not in ("ours", "ours, nothing recorded", "torch.nn", "JAX")
    ]
    turns, seconds = (5, 0.1) if options.quick else (8, 0.25)
    print(
        f"\n{'case':<17}{'ours ms':>8}{'bare':>8}  {'ours/torch.nn':<22}{'ours/JAX':<22}"
        + "".join(f"{name:<19}" for name in extra)
        + "at peak"
    )
    absent: dict[str, str] = {}
    for case, (torch_target, jax_target) in TARGETS.items():
        found = compare(case, names, turns, seconds)
        mine = found["ours"]
        if not isinstance(mine, float):
            raise SystemExit(f"our own layer did not run: {mine}")
        absent |= {n: v for n, v in found.items() if isinstance(v, str)}
        label = f"{case.cell} {case.batch}×{case.time}×{case.units}"
        bound = operations(case) / top / 1e6
        print(
            f"{label:<17}{mine:>8.2f}{found['ours, nothing recorded']:>8.2f}  "
            f"{_ratio(mine, found.get('torch.nn'), torch_target):<22}"
            f"{_ratio(mine, found.get('JAX'), jax_target):<22}"
            + "".join(f"{_ratio(mine, found.get(n), None):<19}" for n in extra)
            + f"{bound:.2f} ms",
            flush=True,
        )
    for name, reason in absent.items():
        print(f"{name}: {reason}")
    print("\nwhere a step of ours goes, in µs")
    for case in list(TARGETS)[:6]:
        parts = shares(case)
        label = f"{case.cell} {case.batch}×{case.time}×{case.units}"
        print(label + ": " + ", ".join(f"{part} {value:.0f}" for part, value in parts.items()))


if __name__ == "__main__":
    main()

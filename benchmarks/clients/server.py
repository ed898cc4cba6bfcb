"""A server of one's own on a free loopback port: its log, its workers, its memory."""

import asyncio
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
TRACEBACK = re.compile(r"Traceback \(most recent call last\)")
ROOT = Path(__file__).parents[2]
START_SECONDS = 120.0
MOST_DATA = (
    12 * 2**30
)  # bytes that any one process of the server may allocate: this machine is shared


def launch(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    *,
    start_new_session: bool = False,
) -> tuple[str, "subprocess.Popen[bytes]", Path]:
    """Start the app as `make run` does, on a free loopback port, without waiting for it.

    settings: of the environment; options: of Streamlit. Returns its address, its process, and its log
    in the folder.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = folder / f"server-{port}.log"
    where = ("--server.port", str(port), "--server.address", "127.0.0.1")
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *where, *options],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=start_new_session,
            env={**os.environ, "PYTHONMALLOC": "malloc", **(settings or {})},
        )
    return f"http://127.0.0.1:{port}", process, log


@dataclass
class Server:
    """A running app."""

    url: str
    process: "subprocess.Popen[bytes]"
    log: Path
    workers_wanted: int

    @classmethod
    async def start(
        cls,
        folder: Path,
        workers: int = 2,
        settings: Mapping[str, str] | None = None,
        options: Sequence[str] = (),
    ) -> "Server":
        """Start the app, and wait until its page answers and its workers have loaded torch.

        settings: of the environment; options: of Streamlit. Raises RuntimeError if it doesn't start.
        """
        url, process, log = launch(
            folder,
            {**(settings or {}), "GRUVIZ_WORKERS": str(workers)},
            options,
            start_new_session=True,
        )
        resource.prlimit(process.pid, resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
        server = cls(url, process, log, workers)
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (await server.healthy() and len(server.workers()) >= workers):
                    if process.poll() is not None:
                        raise RuntimeError(log.read_text(errors="replace"))
                    await asyncio.sleep(0.1)
        except BaseException:
            server.stop()
            raise
        return server

    async def healthy(self) -> bool:
        """Whether the server answers within two seconds."""
        with suppress(OSError):
            await asyncio.to_thread(
                lambda: urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).close()
            )
            return True
        return False

    def stop(self) -> None:
        """End the server and whatever it has started, stopped workers included."""
        family = [*self.family(), self.process.pid]
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
        for pid in family:
            with suppress(ProcessLookupError, PermissionError):
                if os.getsid(pid) == self.process.pid:  # no number that was given out again
                    os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def family(self) -> list[int]:
        """The processes that the server has started, and theirs."""
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(folder.name))
        found, waiting = [], [self.process.pid]
        while waiting:
            own = children.get(waiting.pop(), [])
            found += own
            waiting += own
        return found

    def workers(self) -> list[int]:
        """The processes that train: those of the family that have loaded torch."""
        return [pid for pid in self.family() if _has_loaded(pid, "libtorch")]

    def processor_seconds(self) -> float:
        """Seconds of a processor that the server and the processes that it has now have taken."""
        return sum(map(processor_seconds, [self.process.pid, *self.family()]))

    def page_memory(self) -> float:
        """Resident memory of the page's process in MB."""
        return resident(self.process.pid)

    def worker_memory(self) -> float:
        """Resident memory of the largest worker in MB."""
        return max(map(resident, self.workers()), default=0.0)

    def tracebacks(self) -> int:
        """How many tracebacks the log holds by now."""
        return len(TRACEBACK.findall(COLOUR.sub("", self.log.read_text(errors="replace"))))


def _has_loaded(pid: int, library: str) -> bool:
    try:
        return library in Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return False


def resident(pid: int) -> float:
    """Resident memory of a process in MB (Linux); 0 if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1e3
    except (OSError, IndexError):
        return 0.0


def processor_seconds(pid: int) -> float:
    """Seconds of a processor that a process has taken (Linux); 0 if it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

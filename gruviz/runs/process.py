"""A worker process, and the line on which it is given work."""

import multiprocessing
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Call = tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]]

# A fresh interpreter with the path of this one: it imports no page, and no script of the server's.
COMMAND = (
    "import sys; sys.path[:] = sys.argv[2:];"
    " from gruviz.runs.worker import serve; serve(int(sys.argv[1]))"
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Outcome:
    """What a call gave: its value, or the error that it raised."""

    value: Any = None
    error: BaseException | None = None


class Process:
    """One process, which does one call after the other until it is told to leave or is killed.

    folder: what it removes if this process dies; load: what it does before it is ready.
    Raises OSError if the system has no room for it.
    """

    def __init__(self, folder: Path, load: Callable[[], object]) -> None:
        # A pair of sockets: nothing of it lies in a folder that could be full.
        self._line, theirs = multiprocessing.Pipe()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        COMMAND,
                        str(theirs.fileno()),
                        *(entry or os.getcwd() for entry in sys.path),
                    ],
                    pass_fds=[theirs.fileno()],
                    env={**os.environ, **ONE_THREAD},
                    stdin=subprocess.DEVNULL,
                )
        except BaseException:
            self._line.close()
            raise
        self.pid = self._process.pid
        self._unsent: Outcome | None = None
        self._say((os.getpid(), folder, load))

    def wait_until_ready(self) -> None:
        """Until it has loaded what it needs. Raises EOFError or OSError if it dies meanwhile."""
        self._line.recv_bytes()

    def give(self, call: Call) -> None:
        """Hand over a call; `outcome` tells what became of it."""
        try:
            self._say(call)
        except Exception as error:  # what can't be sent is the caller's fault
            self._unsent = Outcome(error=error)

    def outcome(self) -> Outcome:
        """What the last call gave, as soon as it is there. Raises EOFError or OSError if it died."""
        found: Outcome
        if self._unsent is not None:
            found, self._unsent = self._unsent, None
            return found
        answer = self._line.recv_bytes()
        try:
            found = pickle.loads(answer)
        except Exception as error:  # of a kind that can't travel
            found = Outcome(error=error)
        return found

    def _say(self, what: Any) -> None:
        content = pickle.dumps(what, protocol=5)
        with suppress(BrokenPipeError, ConnectionResetError):  # dead: whoever listens will notice
            self._line.send_bytes(content)

    def leave(self) -> None:
        """Tell it to go, now that it has nothing to do."""
        self._say(None)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> None:
        """Until it has ended."""
        self._process.wait()

    def close(self) -> None:
        """Let go of the line."""
        self._line.close()


def memory(pid: int) -> int:
    """Bytes of memory that a process has to itself, mapped files not counted; 0 if unknown."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()  # Linux
    except OSError:
        return 0
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024 if "RssAnon:" in status else 0

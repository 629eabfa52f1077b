"""One worker process as its driver sees it: start, send, receive, know how it ended, end it and all that it started."""

from __future__ import annotations

import os
import pickle
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from multiprocessing.spawn import get_executable
from pathlib import Path
from typing import Any, final

from unifiedscore.study.child import LENGTH, PARENT, read_exactly, write_all
from unifiedscore.study.threads import THREAD_VARIABLES

FAMILY = "UNIFIEDSCORE_FAMILY"  # in the environment of a worker and of all that it starts
LARGEST = 1 << 30  # bytes of a message; more is no message but something a cell wrote into the pipe
LOOK = 0.25  # seconds between two looks at whether a process lives: one that it forked may hold its pipe open
PATIENCE = 5.0  # seconds until a killed process is gone
QUIET_LOOKS = 2  # looks at the list of processes that find nothing more to end


class Ended(Exception):
    """The process is not there any more; the text says how it ended."""


def _module_path() -> list[str]:
    return [str(entry) for entry in sys.path]


@final
class WorkerProcess:
    """A process that runs `unifiedscore.study.child.main`, in a group of its own."""

    def __init__(self, threads: int):
        self.family = secrets.token_hex(8)
        variables = dict.fromkeys(THREAD_VARIABLES, str(threads)) | {PARENT: str(os.getpid()), FAMILY: self.family}
        # By command rather than by multiprocessing: that one imports the main module of the caller again, so that a
        # script without an `if __name__ == "__main__"` guard would start itself in every worker.
        code = f"import sys; sys.path[:] = {_module_path()!a}; from unifiedscore.study.child import main; main()"
        command = [get_executable(), *subprocess._args_from_interpreter_flags(), "-c", code]
        group = {"process_group": 0} if os.name == "posix" else {}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, bufsize=0, env=os.environ | variables, **group
        )
        self._messages: queue.SimpleQueue = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def send(self, function, arguments) -> None:
        """Hand a call over, with where modules are found now: that may have changed since the process started."""
        content = pickle.dumps((_module_path(), pickle.dumps((function, arguments))))
        try:
            write_all(self._process.stdin.fileno(), content)
        except (OSError, ValueError):
            raise Ended(self._how()) from None

    def receive(self, deadline: float | None) -> tuple[str, Any, str] | None:
        """The next message; None if none has come before the deadline (of the monotonic clock).

        Raises
        ------
        Ended
            The process is gone, or has closed its pipe.
        """
        while True:
            wait = LOOK if deadline is None else min(LOOK, max(deadline - time.monotonic(), 0.0))
            try:
                message = self._messages.get(timeout=wait)
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                if self._alive():
                    continue
                message = self._last()
            if message is None:
                raise Ended(self._how())
            return message

    def kill(self, *, family: bool = True) -> None:
        """End it now, with the processes of its group and, unless somebody else sees to that, of its `family`."""
        if os.name == "posix" and self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # it sits in the kernel, waiting for a disk that does not answer
            self._process.wait(PATIENCE)
        if family:
            end_families([self.family])
        with suppress(OSError):
            self._process.stdin.close()

    def _read(self) -> None:
        file, message = self._process.stdout.fileno(), None
        with self._process.stdout:
            while True:
                try:
                    length = int.from_bytes(read_exactly(file, LENGTH) or b"", "big")
                    content = read_exactly(file, length) if 0 < length <= LARGEST else None
                    message = None if content is None else pickle.loads(content)
                except Exception:  # nothing that this package has written
                    message = None
                self._messages.put(message)
                if message is None:
                    return

    def _last(self) -> tuple[str, Any, str] | None:
        """What a process that has ended still delivered."""
        try:
            return self._messages.get(timeout=LOOK)
        except queue.Empty:
            return None

    def _alive(self) -> bool:
        if os.name != "posix":
            return self._process.poll() is None
        try:  # without reaping it: its number stays that of its group until `kill`
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
        except ChildProcessError:
            return False

    def _how(self) -> str:
        """How it ended, in words. The pipe may close some time before the process is gone."""
        deadline = time.monotonic() + 1.0
        while self._alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        closed = self._alive()
        self.kill()
        code = self._process.returncode
        if closed or code is None:
            return "it closed the connection to the run"
        if code < 0:
            name = signal.Signals(-code).name if -code in signal.valid_signals() else f"signal {-code}"
            cause = {"SIGKILL": "out of memory, or killed from outside", "SIGSEGV": "a crash in compiled code"}
            return f"ended by {name}" + (f", {cause[name]}" if name in cause else "")
        return f"it ended with exit status {code}, as by os._exit or a STOP in compiled code"


def end_families(families: Iterable[str]) -> None:
    """On Linux, end also what cells have started in sessions of their own, and left behind."""
    wanted = {f"{FAMILY}={family}".encode() for family in families}
    quiet, deadline = 0, time.monotonic() + PATIENCE
    # One look can miss a process: it was forked after the list was made, or has no environment while it execs.
    while wanted and quiet < QUIET_LOOKS and time.monotonic() < deadline:
        quiet = 0 if _end_those_with(wanted) else quiet + 1
        time.sleep(0.01)


def _end_those_with(wanted: set[bytes]) -> bool:
    """End every process with one of these variables that is there now; whether there was one."""
    found = False
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if not wanted.isdisjoint((folder / "environ").read_bytes().split(b"\0")):
                os.kill(int(folder.name), signal.SIGKILL)
                found = True
    return found

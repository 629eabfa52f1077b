"""A worker process: it runs one task after the other for the process that started it, and ends with that one.

Tasks come through standard input and answers go through standard output. What a task prints goes to standard error:
nothing that it does to the three streams reaches the answers.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import sys
import threading
from typing import Any, final

from unifiedscore.errors import StudyError, UnifiedScoreError
from unifiedscore.study.failure import describe

PARENT = "UNIFIEDSCORE_PARENT"  # number of the process that starts this one
LENGTH = 8  # bytes that say how long the message is which follows
PR_SET_PDEATHSIG = 1
BASIC = (
    "builtins",
    "json",
    "math",
    "numpy",
    "numpy.random",
    "os",
    "pickle",
    "random",
    "threading",
    "time",
    "unifiedscore",
)
SPARE_FILES = 64  # files that a cell may leave open before its process is replaced
_answers: _Answers | None = None
_dumps, _loads = pickle.dumps, pickle.loads  # before a cell can replace them


def main() -> None:
    """Run tasks until standard input ends."""
    global _answers
    tasks, pipe = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    try:
        os.dup2(2, 1)
    except OSError:  # standard error is closed
        os.dup2(null, 1)
        os.dup2(null, 2)
    os.close(null)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the driver decides what Ctrl-C means
    if hasattr(signal, "SIGTTOU"):
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # a group in the background may print to the terminal
    _end_with_parent()
    _answers = _Answers(pipe, tasks)
    waiting: queue.SimpleQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, waiting), daemon=True).start()
    while True:
        _serve(waiting.get(), _answers)


def in_worker() -> bool:
    """Whether this process is a worker, which nothing but its driver uses."""
    return _answers is not None


def emit(kind: str, value: Any = None) -> None:
    """Tell the driver how far the task is: "loaded", or a "record". Nothing happens outside of a worker process."""
    if _answers is not None:
        if kind == "loaded":
            _answers.state.remember()
        _answers.send(kind, value, _answers.state.worn() if kind == "record" else "")
        _answers.state.restore()


def read_exactly(file: int, size: int) -> bytes | None:
    """`size` bytes from a pipe; None where it ends before."""
    parts = []
    while size:
        part = os.read(file, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def write_all(file: int, content: bytes) -> None:
    """Write a message with its length before it."""
    view = memoryview(len(content).to_bytes(LENGTH, "big") + content)
    while view:
        view = view[os.write(file, view) :]


def _serve(message: bytes, answers: _Answers) -> None:
    try:
        sys.path[:], call = _loads(message)
        function, arguments = _loads(call)
        answers.send("begun")
        result = function(*arguments)
        answers.state.restore()
        answers.send("result", result)
    except BaseException as error:  # whatever it is, this process lives on and the driver hears of it
        answers.send("raised", _portable(error))


def _portable(error: BaseException) -> BaseException:
    """An exception that the driver can read: its own, Python's, or else the text of it."""
    if type(error).__module__ == "builtins" or isinstance(error, UnifiedScoreError):
        try:
            return error if type(_loads(_dumps(error))) is type(error) else StudyError(describe(error))
        except Exception:
            pass
    return StudyError(describe(error))


@final
class _Answers:
    """The way back to the driver. A copy of this process that a cell has forked has none, and ends there."""

    def __init__(self, pipe: int, tasks: int):
        self._pipe, self._process, self.state = pipe, os.getpid(), _State()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=lambda: (os.close(pipe), os.close(tasks)))

    def send(self, kind: str, value: Any = None, worn: str = "") -> None:
        if os.getpid() != self._process:
            os._exit(1)
        try:
            content = _dumps((kind, value, worn))
        except Exception as error:
            content = _dumps(("raised", StudyError(f"a result cannot be sent back: {describe(error)}"), ""))
        try:
            write_all(self._pipe, content)
        except OSError:  # the driver has ended, or a cell has closed the pipe
            os._exit(1)


@final
class _State:
    """What a cell may change of its process that would reach the next one, beside what the measurement resets."""

    def __init__(self):
        self._handlers = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._recursion, self._files, self._limits = sys.getrecursionlimit(), _open_files(), _limits()
        self._functions: dict[str, dict] = {}

    def remember(self) -> None:
        """Note the functions of the modules that all else is built on: cells that replace one reach the next cells."""
        modules = {name: sys.modules[name] for name in BASIC if name in sys.modules}
        self._functions = {
            name: {key: value for key, value in vars(module).items() if callable(value)}
            for name, module in modules.items()
        }

    def restore(self) -> None:
        """Signals, alarms, streams, the collector and the recursion limit are as they were."""
        for number, handler in self._handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                try:
                    signal.signal(number, handler)
                except (OSError, ValueError):
                    pass
        if hasattr(signal, "setitimer"):
            for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
                signal.setitimer(timer, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if any(stream is None or stream.closed for stream in self._streams[1:]):
            self._streams = sys.stdin, _stream(1), _stream(2)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        sys.settrace(None)
        sys.setprofile(None)
        sys.setrecursionlimit(self._recursion)
        gc.enable()

    def worn(self) -> str:
        """Why no other cell should be measured in this process; empty where nothing speaks against it."""
        if (files := _open_files()) > self._files + SPARE_FILES:
            return f"{files} open files"
        if self._limits != _limits():
            return "changed limits"
        for name, functions in self._functions.items():
            if (module := sys.modules.get(name)) is None:
                return f"no module {name} any more"
            now = vars(module)
            if any(now.get(key) is not function for key, function in functions.items()):
                return f"functions of {name} replaced"
        return ""


def _stream(file: int):
    try:
        return open(file, "w", buffering=1, errors="backslashreplace", closefd=False)
    except OSError:
        return open(os.devnull, "w")


def _open_files() -> int:
    try:
        return len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:  # not Linux
        return 0
    except OSError:  # no file can be opened any more
        return 1 << 30


def _limits() -> tuple:
    try:
        import resource
    except ImportError:
        return ()
    names = ("RLIMIT_AS", "RLIMIT_NOFILE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NPROC")
    return tuple(resource.getrlimit(getattr(resource, name)) for name in names if hasattr(resource, name))


def _listen(tasks: int, waiting: queue.SimpleQueue) -> None:
    """Pass on the driver's messages; when it is gone, this process ends in the middle of whatever it does."""
    while True:
        try:
            length = read_exactly(tasks, LENGTH)
            message = None if length is None else read_exactly(tasks, int.from_bytes(length, "big"))
        except OSError:  # a cell has closed the pipe
            message = None
        if message is None:
            os._exit(1)
        waiting.put(message)


def _end_with_parent() -> None:
    """On Linux, end with the driver even within compiled code that lets no thread of Python run.

    The kernel's promise is about the thread that started this process. It is one that lives as long as this process.
    """
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.environ.get(PARENT) != str(os.getppid()):  # it ended before
            os._exit(1)

"""Ctrl-C and requests to end stop a command within two seconds, whatever it is doing, and say how to resume."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from unifiedscore.atomic import RESUME

# SIGHUP: the terminal or the connection that the command was started from is gone.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
GRACE = 1.0  # seconds for an orderly end: far more than killing the workers takes
LAST_GRACE = 1.6  # after which a process that cannot even run Python is killed from outside
_received: list[int] = []

# A cell measured in this process may sit in compiled code that holds the interpreter's lock: then no Python code runs
# here, no handler and no thread, and only another process can end this one. The shell below waits for the signal's
# number, which the C handler writes at once, passes it on, and kills its parent if that has not ended in time.
_GUARD = """
number=$(dd bs=1 count=1 2>/dev/null)
[ -n "$number" ] || exit 0
printf %s "$number"
exec >&-
sleep "$2"
[ "$(ps -o ppid= -p $$ | tr -d ' ')" = "$1" ] && kill -9 "$1" && echo "unifiedscore: $3" >&2
"""


@contextmanager
def stoppable() -> Iterator[None]:
    """Turn SIGINT, SIGTERM and SIGHUP into KeyboardInterrupt, and end the process where that is not heard in time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    listening, speaking = socket.socketpair()
    speaking.setblocking(False)
    over = threading.Event()
    guard = _start_guard(listening)
    source = guard.stdout.read1 if guard is not None else listening.recv
    watch = threading.Thread(target=_watch, args=(source, over), daemon=True)
    watch.start()
    # nohup, and a shell's background jobs, ignore signals on purpose.
    handled = [number for number in SIGNALS if signal.getsignal(number) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, _stop) for number in handled}
    wakeup = signal.set_wakeup_fd(speaking.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        over.set()
        for number, handler in before.items():
            signal.signal(number, handler)
        speaking.close()  # ends the guard and the watch
        if guard is not None:
            with suppress(ProcessLookupError):
                os.killpg(guard.pid, signal.SIGKILL)
            guard.wait()
        watch.join(GRACE)  # at the end of its pipe
        listening.close()
        if guard is not None and not watch.is_alive():
            guard.stdout.close()


def received() -> int | None:
    """The signal that ended the command; None where it was Python's own Ctrl-C."""
    return _received[0] if _received else None


def farewell() -> str:
    """What an interrupted command says."""
    return f"interrupted; {RESUME}"


def _stop(number: int, _frame) -> None:
    _received[:] = [number]
    for other in SIGNALS:  # a second Ctrl-C must not interrupt the tidying up; `_watch` sees to it that it ends
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _watch(source: Callable[[int], bytes], over: threading.Event) -> None:
    """End the process if the main thread has not come to its end in time: it sits in compiled code."""
    try:
        number = source(1)
    except (OSError, ValueError):
        return
    if not number or number[0] not in SIGNALS or over.wait(GRACE):
        return
    from unifiedscore.study.marks import remove_all_marks
    from unifiedscore.study.pool import kill_all

    kill_all()
    remove_all_marks()
    with suppress(OSError, ValueError):
        print(f"unifiedscore: {farewell()}", file=sys.stderr, flush=True)
    os._exit(128 + number[0])


def _start_guard(listening: socket.socket) -> subprocess.Popen | None:
    if os.name != "posix":
        return None
    arguments = [str(os.getpid()), f"{LAST_GRACE}", farewell()]
    command = ["/bin/sh", "-c", _GUARD, "unifiedscore-guard", *arguments]
    try:  # in a group of its own: Ctrl-C at a terminal goes to the whole group of the command
        return subprocess.Popen(command, stdin=listening, stdout=subprocess.PIPE, process_group=0)
    except OSError:
        return None

"""What a disturbed process does: run the study with the disturbances that cannot come from outside.

It is run by path, with TASK as a global, in a process forked from one that has imported everything: a kill then costs
the time of the run it interrupts and no import.
"""

import ctypes
import errno
import json
import os
import shutil
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from unifiedscore import atomic
from unifiedscore.cli import main
from unifiedscore.study import dataset
from unifiedscore.study.discover import studies_in
from unifiedscore.study.pool import LocalPool
from unifiedscore.study.records import RecordStore
from unifiedscore.study.runner import run

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE = 1, 32, 16384, 1 << 18
PAGES = 14  # of 4 kB, and so about as many records as the full disk holds
AFTER = 7  # records, when the folder becomes read-only


def command(*options):
    """The exit code of `unifiedscore run` on the study."""
    try:
        main(["run", TASK["study"], "--out", TASK["out"], "--executor", "serial", *options])  # noqa: F821
    except SystemExit as ended:
        return ended.code


def on_processes():
    """The study on two processes, started before the first cell."""
    with LocalPool(2) as pool:
        pool.submit(os.getpid).result()
        Path(TASK["ready"]).touch()  # noqa: F821
        run(studies_in(Path(TASK["study"]))[0].study, out=TASK["out"], executor=pool)  # noqa: F821


def backwards():
    """A clock that runs backwards, an hour every time it is read."""
    start, reads = time.time(), iter(range(10**9))

    def clock():
        return start - 3600.0 * next(reads)

    class Datetime(dataset.datetime):
        @classmethod
        def now(cls, tz=None):
            return dataset.datetime.fromtimestamp(clock(), tz)

    time.time, time.time_ns = clock, lambda: int(clock() * 1e9)
    dataset.datetime = Datetime
    return command()


@contextmanager
def volume():
    """A file system of its own at the results folder, which ends with this process; None where that is not allowed."""
    libc, root = ctypes.CDLL(None, use_errno=True), os.geteuid() == 0
    user, group = os.geteuid(), os.getegid()

    def mount(*arguments):
        if libc.mount(*arguments):
            raise OSError(ctypes.get_errno(), "mount")

    def remount(flags, size):
        mount(b"tmpfs", TASK["out"].encode(), b"tmpfs", flags, f"size={size}".encode())  # noqa: F821

    try:
        if libc.unshare(CLONE_NEWNS if root else CLONE_NEWNS | CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        if not root:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {user} 1")
            Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
        remount(0, "1m")
    except (OSError, AttributeError):
        remount = None
    yield remount


def full_disk():
    """The disk fills, the run ends, room is made, the run is resumed."""
    with volume() as remount:
        if remount is not None:
            remount(MS_REMOUNT, 4096 * PAGES)
            first = command()
            left = leftovers()
            remount(MS_REMOUNT, "1m")
        else:
            fsync, calls = os.fsync, iter(range(10**9))

            def full(file):
                if next(calls) >= PAGES:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                fsync(file)

            atomic.os.fsync = full
            first = command()
            left = leftovers()
            atomic.os.fsync = fsync
        report(first, left, real=remount is not None)


def read_only():
    """The folder becomes read-only after a few records; the run ends; the next one, allowed to write, resumes."""
    write, calls = RecordStore.write, iter(range(10**9))

    def interrupted(*arguments):
        if next(calls) >= AFTER:
            raise KeyboardInterrupt
        write(*arguments)

    def refuse(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with volume() as remount:
        RecordStore.write = interrupted
        command()
        RecordStore.write = write
        if remount is not None:
            remount(MS_REMOUNT | MS_RDONLY, "1m")
        else:
            atomic.open = refuse
        first = command()
        left = leftovers()
        if remount is not None:
            remount(MS_REMOUNT, "1m")
        else:
            del atomic.open
        report(first, left, real=remount is not None)


def leftovers():
    """What a run that could not write left behind beside whole records."""
    files = [path for path in Path(TASK["out"]).rglob("*") if path.is_file()]  # noqa: F821
    whole = [path for path in files if path.suffix in (".json", ".manifest", ".identity")]
    return [path.name for path in files if path not in whole and path.name != "small.nc"]


def report(first, left, *, real):
    """Resume, and hand out what would vanish with this process's file system."""
    second = command()
    shutil.copytree(TASK["out"], TASK["copy"])  # noqa: F821
    found = {"first": first, "second": second, "left": left, "real": real}
    Path(TASK["report"]).write_text(json.dumps(found))  # noqa: F821


modes = {
    "serial": command,
    "retry": lambda: command("--retry-failed"),
    "processes": on_processes,
    "backwards": backwards,
    "full": full_disk,
    "read_only": read_only,
}
log = os.open(TASK["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)  # noqa: F821
os.dup2(log, 1)
os.dup2(log, 2)
sys.stdout = sys.stderr = open(1, "w", buffering=1, closefd=False)
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(modes[TASK["mode"]]())  # noqa: F821

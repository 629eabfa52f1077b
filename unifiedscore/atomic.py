"""Files that are complete or not there at all, whatever happens to the process, the disk or a second run."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from unifiedscore.errors import FileError
from unifiedscore.reading import refuse_links

ADVICE = {
    errno.ENOSPC: "free some space, or choose another folder with --out",
    errno.EDQUOT: "free some of your quota, or choose another folder with --out",
    errno.EROFS: "choose a folder that can be written, with --out",
    errno.EACCES: "choose a folder that can be written, with --out",
    errno.EPERM: "choose a folder that can be written, with --out",
}
RESUME = "what was finished is recorded: the same command takes up where this one stopped"

FORGOTTEN = 86400.0  # seconds after which nobody is still writing a file


def write_atomic(path: Path, content: bytes, *, lasting: bool = True) -> None:
    """Write a file so that a reader, a crash or a full disk never sees half of it.

    With `lasting` the disk has it before this returns, which takes milliseconds; without, a power cut may still damage
    it, which whoever reads it must be able to tell.

    Raises
    ------
    FileError
        It cannot be written; what stood there before still does.
    """
    temporary = partial_path(path)
    try:
        with open(temporary, "xb") as file:
            file.write(content)
            if lasting:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        _discard(temporary)
        raise cannot("write", path, error) from error
    except BaseException:
        _discard(temporary)
        raise


def cannot(what: str, path: Path, error: OSError) -> FileError:
    """The error of a file that cannot be written or created: what, why, and what to do."""
    advice = f"; {ADVICE[error.errno]}; {RESUME}" if error.errno in ADVICE else ""
    return FileError(f"cannot {what} {path}: {error.strerror or error}{advice}")


def make_folder(folder: Path, *, below: Path | None = None) -> None:
    """Create a folder and those above it. No link below the folder `below`, which a user named, leads out of it."""
    if below is not None:
        refuse_links(folder, below=below)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot("create the folder", folder, error) from error


def partial_path(path: Path) -> Path:
    """A name beside `path`, unique to this attempt, that no reader takes for a finished file."""
    return path.with_name(f".{path.name}.{owner()}.{secrets.token_hex(4)}.partial")


def sweep(folder: Path) -> None:
    """Remove what processes of this machine left half-written when they were killed.

    Of a process in another container or on another machine nothing can be known: its files go when they are so old
    that nobody can still be writing them.
    """
    for path in folder.glob(".*.partial"):
        parts = path.name.split(".")
        if len(parts) >= 5 and _ended(parts[-3], path):
            _discard(path)


def owner() -> str:
    """This process, in a file name: machine, process namespace, number, start and a random token.

    The number alone does not tell: in a container every first process is number 1.
    """
    return f"{_machine()}-{_namespace()}-{os.getpid()}-{_start(os.getpid())}-{_token(os.getpid())}"


def running(owner: str) -> bool:
    """Whether `owner` is a process of this machine that is still there."""
    return _alive(owner) is True


def _ended(owner: str, path: Path) -> bool:
    alive = _alive(owner)
    if alive is not None:
        return not alive
    try:
        return time.time() - path.stat().st_mtime > FORGOTTEN
    except OSError:
        return False


def _alive(owner: str) -> bool | None:
    parts = owner.split("-")
    if len(parts) != 5 or parts[:2] != [_machine(), _namespace()] or os.name != "posix" or not parts[2].isdecimal():
        return None
    number, start, token = parts[2:]
    if int(number) == os.getpid():
        return [start, token] == [_start(os.getpid()), _token(os.getpid())]
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        pass
    return _start(int(number)) == start


@cache
def _token(process: int) -> str:
    """A random name for this process; a copy that it forks has one of its own."""
    return secrets.token_hex(4)


def _start(process: int) -> str:
    """When a process started, in ticks since the machine did; the same for all where the system does not tell."""
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[19].decode("ascii")
    except (OSError, IndexError):
        return "0"


@cache
def _namespace() -> str:
    """Where process numbers mean what they mean here: the container, since the last start of its machine."""
    known = []
    with suppress(OSError):
        known.append(os.readlink("/proc/self/ns/pid"))
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    return hashlib.sha256("".join(known).encode()).hexdigest()[:8]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock while a file in it is read, changed and written again.

    Where the system or its file system knows no locks, two runs at the same moment may still lose one of two changes
    to such a file (the ledger, the index of figures); records and data sets never need the lock.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    make_folder(folder)
    number = open_own(folder / ".lock")
    try:
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def open_own(path: Path) -> int:
    """Open a small file for writing, created if it is not there; never what a link of its name leads to.

    Raises
    ------
    FileError
        It cannot be written, or what has its name is a link, a pipe or anything else that is not a file.
    """
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        number = os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o666)
    except OSError as error:
        if path.is_symlink():
            raise FileError(f"cannot write {path}: it is a link; remove it") from error
        raise cannot("write", path, error) from error
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise FileError(f"cannot write {path}: it is not a file; remove it")
    return number


def _machine() -> str:
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def _discard(path: Path) -> None:
    with suppress(OSError):  # a read-only file system refuses even to remove what is not there
        path.unlink(missing_ok=True)

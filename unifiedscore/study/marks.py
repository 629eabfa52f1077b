"""Notes of what is being measured now, one file per task: for `status`, and for the run after one that was ended.

A cell that takes the whole run with it (it kills its parent, or the memory of a container is used up) leaves its
mark. The next run measures that cell apart from all others, and the one after that does not try it again.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from unifiedscore.atomic import cannot, owner, running

SUFFIX = ".running"
LARGEST = 1 << 22  # bytes
_MINE: dict[Path, int] = {}  # of this process: file and descriptor


@final
@dataclass(frozen=True, slots=True)
class Mark:
    """What one task measures.

    Attributes
    ----------
    path : Path
    keys : tuple of str
        Names of the records, in the order in which they are measured.
    cells : tuple of dict
    since : float
        Seconds since the epoch.
    deaths : int
        Runs that have ended while they measured these cells, before this one.
    here : bool
        Whether a process of the run's own machine measures them, rather than some cluster.
    alive : bool
        Whether the run that left the mark is still there.
    """

    path: Path
    keys: tuple[str, ...]
    cells: tuple[dict, ...]
    since: float
    deaths: int
    here: bool
    alive: bool


def leave_mark(folder: Path, cells: Mapping[str, Mapping], *, deaths: int = 0, here: bool = True) -> Path:
    """Note that the cells (by key) are being measured, until `remove_mark`.

    The file stays locked as long as this process lives. That is how another one tells, in whatever container: the
    number of a process says nothing where every container counts from 1.
    """
    path = folder / f"{secrets.token_hex(8)}{SUFFIX}"
    content = {
        "owner": owner(),
        "since": time.time(),
        "deaths": deaths,
        "here": here,
        "keys": list(cells),
        "cells": [dict(cell) for cell in cells.values()],
    }
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        _MINE[path] = file
        _lock(file)
        os.write(file, json.dumps(content, default=_plain).encode())
    except OSError as error:
        remove_mark(path)
        raise cannot("write", path, error) from error
    return path


def remove_mark(path: Path) -> None:
    """Take a mark away: the run has survived its cells."""
    with suppress(OSError):  # if it stays, the cells are measured apart, no more
        path.unlink(missing_ok=True)
    with suppress(OSError):
        if (file := _MINE.pop(path, None)) is not None:
            os.close(file)


def remove_all_marks() -> None:
    """Take away the marks of this process: it is ended on purpose."""
    for path in list(_MINE):
        remove_mark(path)


def read_marks(folder: Path) -> list[Mark]:
    """The marks in a folder of records. A file that is no mark is passed over."""
    marks = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            marks.append(_read(path))
    return marks


def forget_dead(marks: Iterable[Mark], settled) -> None:
    """Remove marks whose run has ended and all of whose cells are settled."""
    for mark in marks:
        if not mark.alive and (not mark.here or all(map(settled, mark.keys))):
            with suppress(OSError):
                mark.path.unlink(missing_ok=True)


def _read(path: Path) -> Mark:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    file = os.open(path, flags)
    try:
        kind = os.fstat(file)
        if not stat.S_ISREG(kind.st_mode) or kind.st_size > LARGEST:
            raise ValueError("no mark")
        held = _held(file)
        content = json.loads(os.read(file, LARGEST))
    finally:
        os.close(file)
    alive = running(str(content["owner"])) if held is None else held
    keys, cells = tuple(map(str, content["keys"])), tuple(map(dict, content["cells"]))
    return Mark(path, keys, cells, float(content["since"]), int(content["deaths"]), bool(content["here"]), alive)


def _plain(value):
    return value.item() if isinstance(value, np.generic) else str(value)


def _lock(file: int) -> None:
    with suppress(ImportError, OSError):  # a file system without locks: then the owner's name has to do
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _held(file: int) -> bool | None:
    """Whether a living process holds the lock; None where there are no locks."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return None
    return False

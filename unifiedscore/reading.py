"""Files that a stranger may have written: regular ones only, inside their folder only, and never more than a limit.

The folder that a user names may be a link, and so may the file. What stands below a results folder is reached without
following any link, so that nothing outside of it is read, and opened without waiting, so that nothing hangs.
"""

from __future__ import annotations

import json
import math
import os
import stat
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, BinaryIO

from unifiedscore.errors import FileError

TEXT_BYTES = 2**20  # of a text for the report
JSON_BYTES = 2**25
JSON_VALUES = 10**6  # a value of one character becomes an object of about 100 bytes
JSON_DEPTH = 32  # the deepest file that this package writes has seven levels
FILES = 10_000  # of one kind in one folder
HOLES = 4  # a file is sparse if it claims more than this many times the bytes that it occupies

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_DIRECTORY", 0)


def open_regular(path: Path, *, below: Path | None = None, limit: int) -> BinaryIO:
    """Open a regular file of at most `limit` bytes for reading.

    Parameters
    ----------
    path : Path
    below : Path, optional
        The folder that the user named and `path` lies in. No link below it is followed. Without it, `path` itself is
        what the user named.
    limit : int
        In bytes.

    Raises
    ------
    FileError
        The file is missing (then the cause is a FileNotFoundError), no regular file, reached through a link, sparse,
        or too large.
    """
    try:
        number = os.open(path, _READ) if below is None else _open_below(path, below)
    except OSError as error:
        if below is not None:
            refuse_links(path, below=below)
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        _check(os.fstat(number), path, limit)
    except FileError:
        os.close(number)
        raise
    return os.fdopen(number, "rb")


def read_file(path: Path, *, below: Path | None = None, limit: int = TEXT_BYTES) -> bytes:
    """The content of a regular file; see `open_regular`. A file that grows while it is read ends at the limit."""
    with open_regular(path, below=below, limit=limit) as file:
        try:
            return file.read(limit)
        except OSError as error:
            raise FileError(f"cannot read {path}: {error.strerror or error}") from error


def read_json(path: Path, *, below: Path | None = None, limit: int = JSON_BYTES) -> Any:
    """The value of a JSON file of moderate size and depth; see `open_regular`."""
    try:
        return parse_json(read_file(path, below=below, limit=limit))
    except ValueError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path} is not a JSON file: {error}") from error


def parse_json(content: bytes, *, values: int = JSON_VALUES) -> Any:
    """The value of a JSON text.

    Integers beyond the range of a double are read as infinity, as 1e999 is: whatever checks or formats them can treat
    all numbers alike.

    Raises
    ------
    ValueError
        The text is no JSON, or has too many values or levels.
    """
    # Every value follows one of these; within a text they only make the count larger.
    if (count := sum(map(content.count, (b"[", b"{", b",", b":")))) > values:
        raise ValueError(f"it holds about {count} values, more than {values}")
    try:
        value = json.loads(content.decode("utf-8"), parse_int=_integer)
    except RecursionError:
        raise ValueError(f"it is nested more than {JSON_DEPTH} levels deep") from None
    level = [value]
    for _ in range(JSON_DEPTH + 1):
        level = [inner for item in level if isinstance(item, dict | list) for inner in _inner(item)]
    if level:
        raise ValueError(f"it is nested more than {JSON_DEPTH} levels deep")
    return value


def files_in(folder: Path, pattern: str, *, below: Path) -> list[Path]:
    """Files and folders in `folder` whose names fit the pattern, sorted; none where there is no such folder."""
    refuse_links(folder, below=below)
    if not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as entries:
            found = []
            for entry in entries:
                if fnmatchcase(entry.name, pattern) and not entry.name.startswith("."):
                    found.append(folder / entry.name)
                if len(found) > FILES:
                    raise FileError(f"{folder} holds more than {FILES} files {pattern}")
    except OSError as error:
        raise FileError(f"cannot read {folder}: {error.strerror or error}") from error
    return sorted(found)


def refuse_links(path: Path, *, below: Path) -> None:
    """Refuse a path that reaches its end through a link below the folder that the user named, or leaves that folder."""
    for part in _steps(path, below):
        if part.is_symlink():
            raise FileError(f"{part} is a link; no link below {below} is followed: put the file or folder itself there")


def _steps(path: Path, below: Path) -> Iterable[Path]:
    try:
        parts = path.relative_to(below).parts
    except ValueError:
        raise FileError(f"{path} lies outside of {below}") from None
    if ".." in parts:
        raise FileError(f"{path} leads out of {below}")
    return [below.joinpath(*parts[: number + 1]) for number in range(len(parts))]


def _open_below(path: Path, below: Path) -> int:
    steps = _steps(path, below)
    if os.open not in os.supports_dir_fd or not _NO_LINK:  # Windows
        refuse_links(path, below=below)
        return os.open(path, _READ)
    # From folder to folder, so that nothing can be replaced by a link between a check and its use.
    folder = os.open(below, _FOLDER)
    try:
        for step in steps[:-1]:
            inner = os.open(step.name, _FOLDER | _NO_LINK, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(path.name, _READ | _NO_LINK, dir_fd=folder)
    finally:
        os.close(folder)


def _check(found: os.stat_result, path: Path, limit: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path} is {_kind(found.st_mode)}, not a file; remove it")
    if found.st_size > limit:
        raise FileError(f"{path} has {_size(found.st_size)}, more than the {_size(limit)} that such a file may have")
    if found.st_size > 2**20 and found.st_size > HOLES * occupied(found):
        real = _size(occupied(found))
        raise FileError(f"{path} claims {_size(found.st_size)} and occupies {real}: a sparse file holds no results")


def occupied(found: os.stat_result) -> int:
    """Bytes on the disk; where the system does not say, the length."""
    return getattr(found, "st_blocks", -1) * 512 if getattr(found, "st_blocks", 0) > 0 else found.st_size


def _kind(mode: int) -> str:
    kinds = {"a folder": stat.S_ISDIR, "a named pipe": stat.S_ISFIFO, "a socket": stat.S_ISSOCK}
    return next((name for name, test in kinds.items() if test(mode)), "a device")


def _size(count: int) -> str:
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.4g} {unit}"
    return f"{count} bytes"


def _integer(text: str) -> int | float:
    value = int(text)
    if abs(value) <= sys.float_info.max:
        return value
    return math.inf if value > 0 else -math.inf


def _inner(item: dict | list) -> Iterable:
    return item.values() if isinstance(item, dict) else item

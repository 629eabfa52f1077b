"""Contents of files, by hash; and the engine's own sources, bound when the package is imported.

Whether a number is still true depends on what ran, not on what stands in a file by now. What a file held is known by
its content alone: times and lengths survive edits.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from time import time  # a cell may replace the one in the module

from unifiedscore.errors import FileError, StudyError

PACKAGE = Path(__file__).resolve().parent
# What shows numbers and makes none. A study that imports one of these by name depends on it; see study/closure.py.
VIEWS = ("cli", "ledger", "plotting", "templates", "verify", "pytest_plugin.py")
# A file may change twice within one tick of the clock that stamps it; FAT and some network drives tick in 2 s.
SETTLED = 3.0

Signature = tuple[int, ...]
_hashes: dict[str, tuple[Signature, str]] = {}


def signature(path: str | os.PathLike) -> Signature:
    """What changes with every edit of a file: the time of the last change of its inode cannot be set back."""
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev


def content_hash(path: str | os.PathLike) -> str:
    """SHA-256 of a file's content, read again unless its signature proves that nothing has changed.

    Raises
    ------
    FileError
        The file is gone, is not a regular file, or cannot be read.
    """
    path = os.fspath(path)
    try:
        before = signature(path)
        if path in _hashes and _hashes[path][0] == before:
            return _hashes[path][1]
        if not os.path.isfile(path):
            raise FileError(f"{path} is not a regular file")
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror or error}") from error
    # On Windows the third time is that of creation, and an edit may set the second one back.
    if os.name == "posix" and time() - before[2] / 1e9 > SETTLED and signature(path) == before:
        _hashes[path] = before, digest
    return digest


def engine_files(package: Path = PACKAGE) -> dict[str, Path]:
    """Every file that a measurement may run, by its name in the package: all of it but the views.

    Raises
    ------
    FileError
        The package is not there as files, or a view that is listed is absent: the list is out of date.
    """
    absent = [view for view in VIEWS if not (package / view).exists()]
    if absent:
        raise FileError(f"{package} lacks {', '.join(absent)}; the package is not complete, install it again")
    return dict(_walk(package))


def view_files(view: str, package: Path = PACKAGE) -> dict[str, Path]:
    """The files of one view."""
    path = package / view
    return dict(_walk(path, f"{view}/", views=True)) if path.is_dir() else {view: path}


def _walk(folder: Path, inside: str = "", *, views: bool = False) -> Iterator[tuple[str, Path]]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.name == "__pycache__" or entry.name.startswith("."):
                continue
            name = inside + entry.name
            if name in VIEWS and not views:
                continue
            if entry.is_dir():
                yield from _walk(folder / entry.name, f"{name}/", views=views)
            else:
                yield name, folder / entry.name


def hash_of(contents: Mapping[str, str]) -> str:
    """One hash for several files, by their names and hashes."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        digest.update(name.encode("utf-8", "surrogateescape") + b"\0" + contents[name].encode() + b"\n")
    return digest.hexdigest()


def engine_hash(package: Path | None = None) -> str:
    """Hash of all sources that a measurement may run: a changed engine never reuses a number.

    Without `package`, of the engine that this process has imported, which is what `import unifiedscore` found.

    Raises
    ------
    StudyError
        The engine was edited or upgraded after this process imported it: what runs here has no name any more.
    """
    if package is not None:
        return hash_of({name: content_hash(path) for name, path in engine_files(package).items()})
    changed = edited_since_import()
    if changed:
        more = f" and {len(changed) - 1} more files" if len(changed) > 1 else ""
        raise StudyError(
            f"unifiedscore was edited or upgraded ({changed[0]}{more}) after this process had imported it; "
            "start again, so that the code that runs is the code that is there"
        )
    for module in list(sys.modules.values()):
        if (getattr(module, "__name__", None) or "").startswith("unifiedscore."):
            refuse_stale_bytecode(module)
    return _bound_hash()


@cache
def _bound_hash() -> str:
    return hash_of({name: content_hash(PACKAGE / name) for name in BOUND})


def edited_since_import() -> list[str]:
    """Files of the engine that are not as they were when this process imported the package."""
    now = _signatures()
    return sorted(name for name in BOUND.keys() | now.keys() if BOUND.get(name) != now.get(name))


def _signatures() -> dict[str, Signature]:
    return {name: signature(path) for name, path in engine_files().items()}


def refuse_stale_bytecode(module) -> None:
    """Refuse a module that Python took from a bytecode file that does not belong to its source.

    Python compares lengths and whole seconds, so that an edit of equal length within a second, or with the old time
    restored, goes unnoticed.
    """
    source, stored = getattr(module, "__file__", None), getattr(module, "__cached__", None)
    if not source or not source.endswith(".py") or not stored or not os.path.isfile(stored):
        return
    # Written after the last change of the source: what it was compiled from is what stands there.
    if os.stat(stored).st_mtime_ns > os.stat(source).st_ctime_ns + 1e9:
        return
    if _stale(source, stored, signature(source), signature(stored)):
        raise StudyError(
            f"Python runs {source} from the bytecode file {stored}, which was compiled from another version of it; "
            "remove that file and start again"
        )


@cache
def _stale(source: str, stored: str, *_: Signature) -> bool:
    content = Path(stored).read_bytes()
    try:
        # A header of another kind or time means that Python has not used the file.
        used = importlib.util.MAGIC_NUMBER == content[:4]
        compiled = marshal.loads(content[16:])
    except (ValueError, EOFError, TypeError):
        return False
    return used and compiled != compile(Path(source).read_bytes(), source, "exec", dont_inherit=True)


BOUND = _signatures()

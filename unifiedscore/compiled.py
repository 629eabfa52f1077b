"""`njit` with a cache of machine code that belongs to the engine as a whole.

numba's own cache knows the file of a function alone: after an edit of a function that is inlined from another file it
goes on with the old machine code. Here the folder is named after the hash of all the engine's sources, a damaged or
unreadable entry is compiled again, and where no folder can be written the functions are compiled without a cache.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, final

import numba
from numba.core import caching

from unifiedscore.errors import UnifiedScoreError
from unifiedscore.output import note
from unifiedscore.sources import PACKAGE, content_hash, engine_hash

KEPT = 3  # folders of earlier engines: to go back and forth between two versions stays cheap
KEPT_USERS = 40  # of files outside the package, in each of their states
PREFIX = "machine-code-"
USERS = "user"
CLOSURE = "__closure_hash__"  # global of a module that a study imports: the hash of all that the study imports


def njit(**options) -> Any:
    """`numba.njit(**options)`; with `cache=True`, the engine's cache takes the place of numba's."""
    cached = options.pop("cache", False)

    def compiled(function):
        dispatcher = numba.njit(**options)(function)
        if cached and folder() is not None:
            dispatcher._cache = EngineCache(function)
        return dispatcher

    return compiled


@cache
def folder() -> Path | None:
    """Where this engine's machine code is kept; None where nothing can be written.

    The first of: the folder that `NUMBA_CACHE_DIR` names, `__pycache__` of the package, the user's cache folder, a
    folder of the user's own among the temporary files.
    """
    try:
        name = f"{PREFIX}{engine_hash()[:16]}"
    except UnifiedScoreError as error:
        _note(f"{error}. Machine code is not cached")
        return None
    first = next(_places())
    for place in _places():
        if path := _writable(place / name):
            if place == _temporary() != first:
                _note(f"{first} cannot be written: machine code is kept in {path} until the system clears it")
            _tidy(path)
            return path
    _note(f"neither {first} nor a temporary folder can be written: functions are compiled anew in every process")
    return None


def _places() -> Iterator[Path]:
    if named := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(named)
    else:
        yield PACKAGE / "__pycache__"
        with suppress(RuntimeError):  # nobody's home is known
            yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unifiedscore"
    yield _temporary()


def _temporary() -> Path:
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"unifiedscore-{user}"


def _writable(path: Path) -> Path | None:
    """The folder, made if need be, if this user owns it, nobody else can write there and this process can.

    What it holds is executed: among the temporary files, somebody else may have made a folder of that name.
    """
    try:
        for part in (path.parent, path):
            part.mkdir(mode=0o700, parents=True, exist_ok=True)
        if hasattr(os, "getuid"):
            for part in (path.parent, path):
                status = os.lstat(part)
                if part.parent == Path(tempfile.gettempdir()) or part == path:
                    own = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
                    if not own or status.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
                        return None
        tempfile.TemporaryFile(dir=path).close()
        os.utime(path)
    except OSError:
        return None
    return path


def _tidy(path: Path) -> None:
    """Remove the folders of all but the last few engines that were used beside this one."""
    for pattern, kept in ((f"{PREFIX}*", KEPT), (f"{path.name}/{USERS}-*", KEPT_USERS)):
        with suppress(OSError):
            others = [other for other in path.parent.glob(pattern) if other != path and not other.is_symlink()]
            for other in sorted(others, key=lambda other: other.stat().st_mtime, reverse=True)[kept:]:
                shutil.rmtree(other, ignore_errors=True)


def _note(message: str) -> None:
    note(message)


@final
class EntryFiles:
    """One file per compiled signature, which says what it is for and whether it is whole.

    numba's index file is shared by the signatures of a function: two processes that write it at once may leave one
    signature with the machine code of the other.
    """

    def __init__(self, folder: str, base: str):
        self._folder, self._base = Path(folder), base

    def _path(self, key) -> Path:
        return self._folder / f"{self._base}.{hashlib.sha256(repr(key).encode()).hexdigest()[:20]}.nbc"

    def load(self, key):
        """What is stored under `key`; None where nothing is.

        Raises
        ------
        ValueError
            The entry is damaged.
        """
        try:
            content = self._path(key).read_bytes()
        except FileNotFoundError:
            return None
        digest, content = content[:32], content[32:]
        if hashlib.sha256(content).digest() != digest:
            raise ValueError("it is damaged")
        stated, data = pickle.loads(content)
        return pickle.loads(data) if stated == self._stated(key) else None

    def save(self, key, data) -> None:
        """Store `data` under `key`; a reader finds all of it or nothing."""
        content = pickle.dumps((self._stated(key), caching.dumps(data)))
        path = self._path(key)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".", suffix=".partial", delete=False) as file:
            try:
                file.write(hashlib.sha256(content).digest() + content)
                file.close()
                os.replace(file.name, path)
            except BaseException:
                with suppress(OSError):
                    os.unlink(file.name)
                raise

    def flush(self) -> None:
        """Forget every signature of the function."""
        for path in self._folder.glob(f"{self._base}.*.nbc"):
            path.unlink(missing_ok=True)

    @staticmethod
    def _stated(key) -> str:
        return f"numba {numba.__version__} {key!r}"


class EngineLocator(caching._CacheLocator):
    """Where one function's machine code is: a folder per file below the folder of this engine."""

    def __init__(self, py_func, py_file: str):
        self._py_file, self._lineno = py_file, py_func.__code__.co_firstlineno
        self._path = str((folder() or Path(os.devnull)) / self._part(py_func, Path(py_file).resolve()))

    def _part(self, py_func, path: Path) -> str:
        if path.is_relative_to(PACKAGE):
            return ".".join(path.relative_to(PACKAGE).parts[:-1]) or "package"
        # A user's kernel: what it inlines from other files of hers is known where a study has been imported.
        closure = py_func.__globals__.get(CLOSURE) or content_hash(path)
        return f"{USERS}-{closure[:16]}-{self.get_suitable_cache_subpath(str(path))}"

    def get_cache_path(self) -> str:
        return self._path

    def get_source_stamp(self) -> str:
        return ""  # the folder's name says it

    def get_disambiguator(self) -> str:
        return str(self._lineno)

    @classmethod
    def from_function(cls, py_func, py_file: str):
        return cls(py_func, py_file)


@final
class StudyLocator(EngineLocator):
    """For numba's own decorators in the files of a study: a folder per state of all that the study imports."""

    @classmethod
    def from_function(cls, py_func, py_file: str):
        """The locator, or None for functions of other files."""
        if py_func.__globals__.get(CLOSURE) is None or folder() is None:
            return None
        locator = cls(py_func, py_file)
        try:
            locator.ensure_cache_path()
        except OSError:
            return None
        locator._drop_damaged()
        return locator

    def _drop_damaged(self) -> None:
        """Remove files that were cut off: numba would raise at every call."""
        for path in Path(self._path).glob(f"{Path(self._py_file).stem}.*.nb[ci]"):
            try:
                with open(path, "rb") as file:
                    while file.peek(1):
                        pickle.load(file)
            except Exception as error:  # whatever a damaged pickle raises
                _note(f"the machine code in {path} cannot be used ({error}); it is compiled again")
                path.unlink(missing_ok=True)


def adopt_studies() -> None:
    """Let numba ask `StudyLocator` first; it declines every function that no study has brought along."""
    if StudyLocator not in caching.CacheImpl._locator_classes:
        caching.CacheImpl._locator_classes.insert(0, StudyLocator)


class EngineCacheImpl(caching.CompileResultCacheImpl):
    """numba's serialisation, in the engine's folder whatever the environment says of locators."""

    def __init__(self, py_func):
        file = py_func.__code__.co_filename
        self._lineno = py_func.__code__.co_firstlineno
        self._locator = EngineLocator(py_func, file)
        name = f"{Path(file).stem}.{py_func.__qualname__}"
        self._filename_base = self.get_filename_base(name, getattr(sys, "abiflags", ""))


class EngineCache(caching.FunctionCache):
    """A cache that may be lost at any moment without loss of more than time."""

    _impl_class = EngineCacheImpl

    def __init__(self, py_func):
        super().__init__(py_func)
        self._cache_file = EntryFiles(self._cache_path, self._impl.filename_base)

    def load_overload(self, sig, target_context):
        """The machine code for a signature; None where there is none that can be used."""
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # whatever a damaged pickle or object file raises
            _note(
                f"the machine code of {self._impl.filename_base} in {self._cache_path} cannot be used ({error}); "
                "it is compiled again"
            )
            return None

    def save_overload(self, sig, data) -> None:
        """Keep the machine code for a signature, if there is room and it comes from the sources that are there."""
        try:
            engine_hash()
        except UnifiedScoreError:
            return  # edited since, or taken from stale bytecode: the folder's name would be wrong
        try:
            super().save_overload(sig, data)
        except OSError as error:
            _note(f"machine code cannot be kept in {self._cache_path} ({error.strerror or error})")
            self.disable()

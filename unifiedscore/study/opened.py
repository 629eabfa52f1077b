"""Which files below a folder are read, noticed by an audit hook of the interpreter.

It sees what Python opens: `open`, `numpy.load`, `Path.read_text`, pandas. Libraries that open files in compiled code
(HDF5) are not seen: their files must be declared.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from functools import cache
from pathlib import Path
from typing import final

from unifiedscore.sources import PACKAGE
from unifiedscore.study import distributions

MACHINE_CODE = (".nbi", ".nbc")  # numba's, wherever its cache is: made from code that is known
_here = threading.local()
_active: list[Watch] = []
_installed = threading.Lock()
_hooked: list[bool] = []


@final
class Watch:
    """A context that collects the files below a folder that are read in it and were not written in it before.

    Hidden files and folders, bytecode, and what is installed do not count.
    """

    def __init__(self, folder: Path):
        self._folder = os.path.realpath(folder) + os.sep
        installed = (path + os.sep for path in (*distributions.folders(), *_own()))
        self._ignored = tuple(path for path in installed if path.startswith(self._folder))
        self._read: dict[str, None] = {}
        self._written: set[str] = set()

    @property
    def read(self) -> set[Path]:
        """The files read so far."""
        return {Path(path) for path in self._read if os.path.isfile(path)}

    def __enter__(self) -> Watch:
        _install()
        self._outer = getattr(_here, "watch", None)
        _here.watch = self
        _active.append(self)
        return self

    def __exit__(self, *_) -> None:
        _here.watch = self._outer
        _active.remove(self)

    def see(self, path: str, writes: bool) -> None:
        """One file that is being opened."""
        real = os.path.realpath(path)
        if not real.startswith(self._folder) or real.startswith(self._ignored):
            return
        parts = real[len(self._folder) :].split(os.sep)
        if "__pycache__" in parts:
            if not real.endswith(".pyc"):
                return
            try:  # a module loaded from its bytecode
                real = importlib.util.source_from_cache(real)
            except ValueError:
                return
        if any(part.startswith(".") for part in parts) or real.endswith(MACHINE_CODE):
            return
        if writes:
            self._written.add(real)
        elif real not in self._written:
            self._read[real] = None


@cache
def _own() -> tuple[str, ...]:
    """This package, and the environment that it is installed in."""
    prefixes = () if sys.prefix == sys.base_prefix else (sys.prefix,)
    return tuple(map(os.path.realpath, (PACKAGE, *prefixes)))


def _install() -> None:
    with _installed:
        if not _hooked:
            sys.addaudithook(_hook)
            _hooked.append(True)


def _hook(event: str, arguments: tuple) -> None:
    if event not in ("open", "sqlite3.connect") or not _active:
        return
    watch = getattr(_here, "watch", None)
    if watch is None:  # a thread that a measurement started
        if len(_active) != 1:
            return
        watch = _active[0]
    path, mode, flags = arguments if event == "open" else (*arguments, "r", 0)
    if not isinstance(path, str | bytes) or getattr(_here, "busy", False):
        return
    _here.busy = True
    try:
        writes = any(c in mode for c in "wax") if isinstance(mode, str) else bool((flags or 0) & os.O_CREAT)
        watch.see(os.fsdecode(path), writes)
    finally:
        _here.busy = False

"""Installed distributions: which one a module belongs to, its version, and what its files are."""

from __future__ import annotations

import hashlib
import os
import re
import sys
import sysconfig
from functools import cache
from importlib import metadata
from pathlib import Path

ABSENT = "not installed"
_VERSION = re.compile(r"^Version: *(\S+)[ \t]*$", re.MULTILINE)
_STANDARD = tuple({os.path.realpath(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib")})


def standard(path: str) -> bool:
    """Whether a file belongs to the standard library."""
    real = os.path.realpath(path)
    inside = any(real.startswith(folder + os.sep) for folder in _STANDARD)
    return inside and "site-packages" not in real and "dist-packages" not in real


def of_module(top: str, path: str) -> str | None:
    """The distribution that installed the file `path` of the top-level module `top`; None where none did.

    A file that no list of installed files names (an editable install, a file in a folder on `sys.path`) belongs to
    nobody: its content counts.
    """
    for name in dict.fromkeys((top, *listing(top))):
        if installs(name, path):
            return name
    return None


@cache
def listing(top: str) -> tuple[str, ...]:
    """Distributions whose lists of files name the top-level module."""
    wanted = re.compile(rf"^{re.escape(top)}(/|\.py,|\.[\w.-]+\.(so|pyd),)", re.MULTILINE)
    return tuple(
        distribution.metadata["Name"]
        for distribution in metadata.distributions()
        if wanted.search(_record(distribution)) and distribution.metadata["Name"]
    )


def installs(name: str, path: str) -> bool:
    """Whether the distribution `name` lists the file `path` among those that it has installed."""
    files = _files(name)
    return files is not None and os.path.realpath(path) in files


@cache
def _files(name: str) -> frozenset[str] | None:
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    root = os.path.realpath(str(distribution.locate_file("")))
    names = (line.split(",")[0] for line in _record(distribution).splitlines())
    return frozenset(os.path.join(root, name) for name in names)


def _record(distribution: metadata.Distribution) -> str:
    return distribution.read_text("RECORD") or ""


def version(name: str) -> str:
    """The version of a distribution, or that it is not installed."""
    if name == "python":
        return sys.version.split()[0]
    try:
        distribution = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return ABSENT
    # Asked for again and again while cells are measured; all headers together take ten times as long to parse.
    headers = (distribution.read_text("METADATA") or "").partition("\n\n")[0]
    found = _VERSION.findall(headers)
    return found[0] if len(found) == 1 else distribution.version


@cache
def build(name: str) -> str:
    """A hash of what a distribution has installed, as its list of files states it; empty where it has none.

    Two builds of one version differ. Scripts name the interpreter, and so the environment: they do not count.
    """
    try:
        text = _record(metadata.distribution(name))
    except (metadata.PackageNotFoundError, ValueError):
        return ""
    lines = [line for line in text.splitlines() if _lasting(line)]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16] if lines else ""


def _lasting(line: str) -> bool:
    return "sha256=" in line and not line.startswith(("..", "/")) and ".dist-info/" not in line


def folders() -> tuple[str, ...]:
    """Where the standard library and the installed distributions stand."""
    return _folders(tuple(sys.path))


@cache
def _folders(places: tuple[str, ...]) -> tuple[str, ...]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {path for path in places if Path(path).name in ("site-packages", "dist-packages")}
    return tuple(sorted(os.path.realpath(path) for path in paths))

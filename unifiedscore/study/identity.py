"""What a number depends on besides its cell and seed: code, data, declared environment, versions of packages.

An identity is bound when a study is loaded and compared when it is measured; its digest is part of every record's key,
and the whole of it is stored once beside the records, so that what has changed can be named.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import final

from unifiedscore.errors import FileError, StudyError
from unifiedscore.sources import content_hash, engine_hash, hash_of, view_files
from unifiedscore.study import distributions
from unifiedscore.study.closure import Closure, Module, closure_of

# What the engine's numbers pass through. Optional packages enter with the studies that import the part of unifiedscore
# that needs them.
ALWAYS = ("numpy", "scipy", "numba", "llvmlite", "scikit-learn", "POT")
UNSET = "not set"


@final
@dataclass(frozen=True, slots=True)
class Identity:
    """All that determines a study's numbers, apart from cell and seed.

    Attributes
    ----------
    engine : str
        Hash of the engine's sources.
    files : mapping of str to str
        The study file and every module of the user's own that it imports, with their hashes.
    late : mapping of str to str
        Modules that it imports under a computed name, by dotted name.
    inputs : mapping of str to str
        Declared data files.
    environment : mapping of str to str
        Declared environment variables, with the hashes of their values.
    packages, builds : mapping of str to str
        Versions of Python and of the distributions involved; hashes of what they have installed.
    absent : tuple of str
        Modules that an import names and that are not there.
    """

    engine: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    late: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Mapping[str, str] = field(default_factory=dict)
    builds: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Hash of everything but the engine."""
        parts = {name: value for name, value in self.to_json().items() if name != "engine"}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @property
    def hashes(self) -> dict[str, str]:
        """The two hashes that make up a record's key."""
        return {"engine": self.engine, "source": self.source}

    def to_json(self) -> dict:
        """As plain values."""
        return asdict(self) | {"absent": list(self.absent)}

    @classmethod
    def from_json(cls, content) -> Identity:
        """From plain values, such as a file holds; what is not as `to_json` writes it counts as empty."""
        content = content if isinstance(content, dict) else {}
        parts = {}
        for item in fields(cls):
            value = content.get(item.name)
            if item.name == "engine":
                parts[item.name] = value if isinstance(value, str) else ""
            elif item.name == "absent":
                parts[item.name] = tuple(map(str, value)) if isinstance(value, list) else ()
            else:
                parts[item.name] = {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}
        return cls(**parts)

    def changes(self, now: Identity) -> list[str]:
        """What is otherwise in another identity, in words, the likeliest cause first."""
        found = [f"{name} {how}" for part in ("files", "late") for name, how in _differing(self, now, part)]
        found += [f"the input {name} {how}" for name, how in _differing(self, now, "inputs")]
        found += [f"the environment variable {name} {how}" for name, how in _differing(self, now, "environment")]
        versions = dict(_differing(self, now, "packages"))
        for name, how in versions.items():
            was, is_now = self.packages.get(name), now.packages.get(name)
            found.append(f"{name} is {is_now}, was {was}" if was and is_now else f"the package {name} {how}")
        builds = (name for name, _ in _differing(self, now, "builds") if name not in versions)
        found += [f"{name} is another build of the same version" for name in builds]
        found += [f"{name} can be imported now" for name in self.absent if name not in now.absent]
        found += [f"{name} cannot be imported any more" for name in now.absent if name not in self.absent]
        return found + ["the engine changed"] * (self.engine != now.engine)


def _differing(was: Identity, now: Identity, part: str) -> Iterator[tuple[str, str]]:
    old, new = getattr(was, part), getattr(now, part)
    for name in dict.fromkeys((*old, *new)):
        if old.get(name) != new.get(name):
            yield name, "changed" if name in old and name in new else "is new" if name in new else "is used no more"


def identity_of(
    closure: Closure,
    *,
    late: Iterable[Module] = (),
    inputs: Iterable[str | Path] = (),
    environment: Iterable[str] = (),
) -> Identity:
    """The identity of a study whose import closure has been read.

    Raises
    ------
    FileError
        A declared input does not exist or cannot be read.
    StudyError
        The engine, or a package, was changed after this process had loaded it.
    """
    late = {module.name: module.hash for module in late}
    names = sorted({*ALWAYS, *closure.distributions}, key=str.lower)
    packages = {"python": distributions.version("python")} | {name: _bound_version(name) for name in names}
    return Identity(
        engine=engine_hash(),
        files=_files(closure, late),
        late=late,
        inputs=input_hashes(closure.path.parent, inputs),
        environment={name: _value_hash(name) for name in sorted(environment)},
        packages=packages,
        builds={name: distributions.build(name) for name in names if distributions.build(name)},
        absent=tuple(sorted(closure.absent)),
    )


def present(stored: Identity, path: Path) -> Identity:
    """The identity that a study has now, as far as can be told without executing it."""
    closure = closure_of(path)
    static = set(closure.modules)
    for name in stored.late:
        if (module := closure.find(name)) is not None:
            closure.follow(module)
    late = [closure.modules[name] for name in closure.modules.keys() - static if name in stored.late]
    inputs: dict[str, str] = {}
    for name in stored.inputs:
        try:
            inputs[name] = content_hash(path.parent / name)
        except FileError:
            inputs[name] = "gone"
    names = set(stored.packages) | set(closure.distributions)
    return Identity(
        engine=engine_hash(),
        files=_files(closure, closure.modules.keys() - static),
        late={module.name: module.hash for module in late},
        inputs=inputs,
        environment={name: _value_hash(name) for name in stored.environment},
        packages={name: distributions.version(name) for name in names},
        builds={name: distributions.build(name) for name in names if distributions.build(name)},
        absent=tuple(sorted(closure.absent)),
    )


def what_changed(stored, path: Path) -> str:
    """What differs between the code, data and packages of a stored identity and the present ones; empty if nothing."""
    was = Identity.from_json(stored)
    if not was.engine:
        return "the study was run by another version of unifiedscore"
    return shortened(was.changes(present(was, path)))


def shortened(changes: list[str]) -> str:
    """Changes in one line."""
    more = f" and {len(changes) - 3} more changes" if len(changes) > 3 else ""
    return ", ".join(changes[:3]) + more


def input_hashes(folder: Path, inputs: Iterable[str | Path]) -> dict[str, str]:
    """Hash of every declared data file; of a folder, of all files below it."""
    return {name: content_hash(path) for name, path in input_files(folder, inputs).items()}


def input_files(folder: Path, inputs: Iterable[str | Path]) -> dict[str, Path]:
    """Declared data files by their names: relative to the study's folder where they stand below it."""
    found: dict[str, Path] = {}
    for given in inputs:
        path = Path(os.path.normpath(folder / given))
        if not path.exists():
            raise FileError(f"the declared input {given} does not exist: there is no {path}")
        several = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        if not several:
            raise FileError(f"the declared input {given} is an empty folder: {path}")
        for file in several:
            name = file.relative_to(folder) if file.is_relative_to(folder) else file
            found[name.as_posix()] = file
    return found


def _files(closure: Closure, without: Iterable[str]) -> dict[str, str]:
    views = {
        f"unifiedscore/{view}": hash_of({name: content_hash(path) for name, path in view_files(view).items()})
        for view in sorted(closure.views)
    }
    return dict(sorted(closure.files(without=without).items())) | views


def _value_hash(name: str) -> str:
    """Of an environment variable; its value may be a secret."""
    value = os.environ.get(name)
    return UNSET if value is None else hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()


@cache
def _first_version(name: str) -> str:
    return distributions.version(name)


def _bound_version(name: str) -> str:
    """The version that this process has loaded or would load; refused where the two may differ."""
    bound, now = _first_version(name), distributions.version(name)
    if bound != now:
        raise StudyError(f"{name} {bound} was replaced by {now} while this process runs; start again")
    return bound

"""The import closure of a file: every module of the user's own that it may run, found in the syntax trees.

Modules of the standard library and of installed distributions are named; all others are read, and it is what was read
that is compiled later (study/private.py), so that the code that runs is the code that was hashed.
"""

from __future__ import annotations

import hashlib
import importlib.machinery as machinery
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

from unifiedscore.errors import FileError
from unifiedscore.sources import PACKAGE, VIEWS, view_files
from unifiedscore.study import distributions
from unifiedscore.study.imports import Import, imports_of

ENGINE = "unifiedscore"
MACHINERY = "study"  # what it needs itself (progress bars, netCDF) does not touch the numbers
NOT_OWN = frozenset({ENGINE, "__main__", *sys.builtin_module_names})
_LOADERS = (
    (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
    (machinery.SourceFileLoader, machinery.SOURCE_SUFFIXES),
    (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
)
_IMPORTED = re.compile(r"^\s*(?:from|import)\s+([\w.]+)", re.MULTILINE)
_elsewhere: dict[tuple[str, tuple[str, ...]], str] = {}  # top-level names that are not the user's own


@final
@dataclass(frozen=True, slots=True)
class Module:
    """One module of the user's own.

    Attributes
    ----------
    name : str
        Dotted, as an import statement would name it.
    path : Path or None
        None for a namespace package, which is a folder without a file.
    content : bytes
        What was read.
    places : tuple of str
        Folders of a package's modules; empty for a plain module.
    """

    name: str
    path: Path | None
    content: bytes = b""
    places: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.places else self.name.rpartition(".")[0]

    @property
    def is_source(self) -> bool:
        """Whether it is Python code rather than machine code or a folder."""
        return self.path is not None and self.path.suffix == ".py"

    @property
    def hash(self) -> str:
        """SHA-256 of what was read."""
        return hashlib.sha256(self.content).hexdigest()


@final
@dataclass(slots=True)
class Closure:
    """What a file imports, directly or through others, at the top or inside a function.

    Attributes
    ----------
    path : Path
        The file.
    main : str
        Its name as a module: dotted if it stands in a package.
    places : tuple of str
        Folders in which its imports are looked for first.
    modules : dict of str to Module
        Those whose content counts, the file itself among them.
    distributions : set of str
        Names of installed distributions.
    absent : set of str
        Modules that an import names and nobody can find: one that appears later changes what runs.
    views : set of str
        Parts of unifiedscore that show numbers, and that this file uses to make some.
    notes : list of str
        Imports whose target cannot be told without running the code.
    """

    path: Path
    main: str = ""
    places: tuple[str, ...] = ()
    modules: dict[str, Module] = field(default_factory=dict)
    distributions: set[str] = field(default_factory=set)
    absent: set[str] = field(default_factory=set)
    views: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    _tops: dict[str, str] = field(default_factory=dict)

    def files(self, *, without: Iterable[str] = ()) -> dict[str, str]:
        """Hash of every file, by a name that is the same wherever the study's folder stands."""
        left_out = set(without)
        own = (module for name, module in self.modules.items() if name not in left_out and module.path is not None)
        return {self.file_name(module): module.hash for module in own}

    def copy(self) -> Closure:
        """As it is now: what is imported later leaves a copy alone."""
        return replace(
            self,
            modules=dict(self.modules),
            distributions=set(self.distributions),
            absent=set(self.absent),
            views=set(self.views),
            notes=list(self.notes),
            _tops=dict(self._tops),
        )

    def file_name(self, module: Module) -> str:
        """How a module's file is called in messages and keys."""
        if module.name == self.main:
            return self.path.name
        inner = "/__init__" if module.places else ""
        return module.name.replace(".", "/") + inner + (module.path.suffix if module.path else "/")

    def is_own(self, top: str) -> bool:
        """Whether a top-level name is a module of the user's own, whose content counts."""
        return self._kind(top) == "own"

    def find(self, name: str) -> Module | None:
        """The user's own module of this dotted name, read now if it was not; None where there is none."""
        if name in self.modules:
            return self.modules[name]
        parent, _, _ = name.rpartition(".")
        if not parent:
            return (
                self._keep(self._search(name, self.places) or self._search_globally(name))
                if self.is_own(name)
                else None
            )
        package = self.find(parent)
        return self._keep(self._search(name, package.places)) if package is not None else None

    def follow(self, module: Module) -> None:
        """Read all that a module imports, and all that those import."""
        waiting = [module]
        while waiting:
            module = waiting.pop()
            if not module.is_source:
                continue
            found = imports_of(module.content)
            self.notes += [
                f"{self.file_name(module)}, line {line}: what {text} imports cannot be told from the source; "
                "a change of it goes unnoticed unless Study(inputs=[...]) names its file"
                for line, text in found.unknown
            ]
            known = set(self.modules)
            for item in found.known:
                self._reach(item, module)
            waiting += [self.modules[name] for name in self.modules.keys() - known]

    def _reach(self, item: Import, module: Module) -> None:
        name = absolute(item.name, item.level, module.package)
        if name is None:
            return  # beyond the top: executing it says so
        top = name.partition(".")[0]
        if top == ENGINE:
            self._use_engine([name, *(f"{name}.{inner}" for inner in item.items)])
        elif top and not self.is_own(top):
            kind = self._kind(top)
            if kind.startswith("distribution:"):
                self.distributions.add(kind.partition(":")[2])
            elif kind == "absent":
                self.absent.add(top)
        else:
            if name and self.find(name) is None:
                self.absent.add(name)
            for inner in item.items:
                self.find(f"{name}.{inner}" if name else inner)

    def _kind(self, top: str) -> str:
        """Whose a top-level module is: "own", "standard", "distribution:NAME" or "absent"."""
        if top in NOT_OWN:
            return "standard"
        if top not in self._tops:
            beside = self._spec(top, self.places)
            key = top, tuple(sys.path)
            if beside is not None and beside.loader is not None:
                self._tops[top] = self._owner(top, beside)
            elif key in _elsewhere:
                self._tops[top] = _elsewhere[key]
            else:
                spec = _global_spec(top)
                regular = spec is not None and (spec.loader is not None or spec.origin is not None)
                kind = self._owner(top, spec) if regular else self._namespace(top, spec, beside)
                if kind == "standard" or kind.startswith("distribution:"):
                    _elsewhere[key] = kind
                self._tops[top] = kind
        return self._tops[top]

    def _owner(self, top: str, spec: machinery.ModuleSpec) -> str:
        if spec.origin in (None, "built-in", "frozen") or not os.path.isabs(spec.origin):
            return "standard" if spec.origin is not None else "own"
        if distributions.standard(spec.origin):
            return "standard"
        if (name := distributions.of_module(top, spec.origin)) is not None:
            return f"distribution:{name}"
        if distributions.version(top) != distributions.ABSENT:
            self.distributions.add(top)  # an editable install: its version counts as well as its content
        return "own"

    def _namespace(self, top: str, spec: machinery.ModuleSpec | None, beside: machinery.ModuleSpec | None) -> str:
        """Of a package without a file of its own; several distributions may install into one."""
        if spec is None or spec.submodule_search_locations is None:
            return "own" if beside is not None else "absent"
        installed = [Path(place).resolve().parent for place in spec.submodule_search_locations]
        if beside is None and set(map(str, installed)) <= set(distributions.folders()):
            several = distributions.listing(top)
            self.distributions |= set(several)
            return f"distribution:{several[0]}" if several else "own"
        return "own"

    def _search(self, name: str, places: Iterable[str]) -> Module | None:
        return _module(name, self._spec(name, places))

    def _search_globally(self, top: str) -> Module | None:
        return _module(top, _global_spec(top))

    def _spec(self, name: str, places: Iterable[str]) -> machinery.ModuleSpec | None:
        """As Python looks for a module in folders: a regular one first, else all folders of the name together."""
        portions: list[str] = []
        for place in places:
            # A finder of its own: the interpreter's remembers folders for as long as their times stay the same.
            spec = machinery.FileFinder(place, *_LOADERS).find_spec(name)
            if spec is not None and spec.loader is not None:
                return spec
            portions += list(spec.submodule_search_locations or ()) if spec is not None else []
        if not portions:
            return None
        spec = machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = portions
        return spec

    def _keep(self, module: Module | None) -> Module | None:
        if module is not None:
            self.modules[module.name] = module
        return module

    def _use_engine(self, names: Iterable[str]) -> None:
        for name in names:
            part = name.split(".")[1] if "." in name else ""
            self._use_view(part)
            if part in ("", MACHINERY) or not (PACKAGE / part).is_dir():
                continue
            for path in sorted((PACKAGE / part).rglob("*.py")):
                for imported in _IMPORTED.findall(path.read_text(encoding="utf-8")):
                    top = imported.partition(".")[0]
                    if top != ENGINE and self._kind(top).startswith("distribution:"):
                        self.distributions.add(self._kind(top).partition(":")[2])

    def _use_view(self, part: str) -> None:
        view = next((view for view in (part, f"{part}.py") if view in VIEWS), None)
        if view is None or view in self.views:
            return
        self.views.add(view)
        for path in view_files(view).values():
            if path.suffix == ".py":
                for imported in _IMPORTED.findall(path.read_text(encoding="utf-8")):
                    if imported.startswith(f"{ENGINE}."):
                        self._use_view(imported.split(".")[1])


def closure_of(path: Path) -> Closure:
    """The import closure of a file, as its files are now.

    Raises
    ------
    FileError
        The file, or one that it imports, cannot be read.
    """
    path = Path(path).resolve()
    folder, names = path.parent, [path.stem]
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    places = dict.fromkeys((str(path.parent), str(folder)) if len(names) > 1 else (str(folder),))
    closure = Closure(path, ".".join(names), tuple(places))
    top = names[0]
    if len(names) > 1:
        closure._tops[top] = "own"
        for length in range(1, len(names)):
            closure.find(".".join(names[:length]))
    closure._keep(Module(closure.main, path, read(path)))
    closure._tops.setdefault(top, "own")
    for module in list(closure.modules.values()):
        closure.follow(module)
    return closure


def absolute(name: str, level: int, package: str) -> str | None:
    """The dotted name that an import with `level` leading dots means in `package`; None beyond the top."""
    if level == 0:
        return name
    parts = package.split(".") if package else []
    if level - 1 > len(parts):
        return None
    base = parts[: len(parts) - (level - 1)]
    return ".".join([*base, *([name] if name else [])])


def read(path: Path) -> bytes:
    """The content of a source file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read the file {path}: {error.strerror or error}") from error


def _global_spec(top: str) -> machinery.ModuleSpec | None:
    """Where the interpreter would find a top-level module that it has not imported."""
    for finder in sys.meta_path:
        find = getattr(finder, "find_spec", None)
        if find is not None and (spec := find(top, None)) is not None:
            return spec
    return None


def _module(name: str, spec: machinery.ModuleSpec | None) -> Module | None:
    if spec is None:
        return None
    places = tuple(map(os.fspath, spec.submodule_search_locations or ()))
    if spec.loader is None or spec.origin is None:
        return Module(name, None, places=places) if places else None
    path = Path(spec.origin)
    return Module(name, path, read(path), places)

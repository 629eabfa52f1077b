"""The modules of one import closure, compiled from what was hashed and kept apart from all others.

Two folders may hold helpers of the same name, and a file may be edited while a process runs. So the modules of a
closure have names of their own in `sys.modules`, and import statements in them are resolved in the closure first: at
the top of a file, and later inside a function, on whatever thread.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery as machinery
import importlib.util
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from types import ModuleType
from typing import Any, final

from unifiedscore.errors import StudyError
from unifiedscore.study.closure import Closure, Module, absolute

CLOSURE = "__closure_hash__"  # as in unifiedscore/compiled.py, which is not imported here: it loads numba
_native: dict[str, str] = {}  # machine code that this process has loaded: path and hash; it cannot be loaded anew


@final
class Namespace:
    """Modules of one closure; `digest` is its hash.

    Attributes
    ----------
    late : list of Module
        Modules that were imported without being in the closure: by a name that the code computed.
    """

    def __init__(self, closure: Closure, digest: str):
        self.closure, self.digest = closure, digest
        # Numbered: a file may have to be executed again because of data that it read, not of what it imports.
        self.prefix = _free(f"{closure.path.stem}_{digest[:12]}")
        self.late: list[Module] = []
        self._modules: dict[str, ModuleType] = {}
        self._lock = threading.RLock()
        self._builtins = dict(vars(builtins)) | {"__import__": self._import}
        root = ModuleType(self.prefix)
        root.__path__ = list(closure.places)
        sys.modules[self.prefix] = root

    def main(self) -> ModuleType:
        """The file itself, executed at the first call."""
        module = self._load(self.closure.main)
        assert module is not None, "the closure holds its own file"
        return module

    def discard(self) -> None:
        """Forget everything: the file could not be executed."""
        for name in [name for name in sys.modules if name == self.prefix or name.startswith(f"{self.prefix}.")]:
            del sys.modules[name]

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ):
        """`__import__` as the modules of the closure see it."""
        package = str((globals or {}).get("__package__") or "")
        wanted = absolute(name, level, self._without_prefix(package)) if level else name
        if wanted is None:
            raise ImportError(f"the relative import of {'.' * level}{name} leads beyond the top-level package")
        if not level and not self.closure.is_own(name.partition(".")[0]):
            return self._elsewhere(name, globals, locals, fromlist)
        if not wanted:  # from . import helper, in a folder that is not a package
            root = ModuleType(self.prefix)
            for item in fromlist or ():
                setattr(root, item, self._require(item))
            return root
        module = self._require(wanted)
        if not fromlist:
            return module if level else self._require(wanted.partition(".")[0])
        names = getattr(module, "__all__", ()) if "*" in fromlist else fromlist
        for item in names if hasattr(module, "__path__") else ():
            if not hasattr(module, item):
                self._load(f"{wanted}.{item}")
        return module

    def _elsewhere(self, name: str, globals, locals, fromlist):
        module = builtins.__import__(name, globals, locals, fromlist or (), 0)
        if name.partition(".")[0] == "numba":
            from unifiedscore.compiled import adopt_studies

            adopt_studies()
        return self._importlib() if module is importlib else module

    def _importlib(self) -> ModuleType:
        """`importlib` whose `import_module` finds the modules of the closure."""
        own = ModuleType("importlib")
        vars(own).update(vars(importlib))
        own.import_module = self.import_module
        return own

    def import_module(self, name: str, package: str | None = None) -> ModuleType:
        """As `importlib.import_module`."""
        level = len(name) - len(name.lstrip("."))
        inner = self._without_prefix(package or "")
        if level and inner == package and package != self.prefix:  # another package than the closure's
            return importlib.import_module(name, package)
        wanted = absolute(name[level:], level, inner)
        if wanted is None or not self.closure.is_own(wanted.partition(".")[0]):
            return importlib.import_module(name, package)
        return self._require(wanted)

    def _without_prefix(self, package: str) -> str:
        return package.removeprefix(self.prefix).removeprefix(".") if package.startswith(self.prefix) else package

    def _require(self, name: str) -> ModuleType:
        module = self._load(name)
        if module is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return module

    def _load(self, name: str) -> ModuleType | None:
        if name in self._modules:
            return self._modules[name]
        with self._lock:
            if name in self._modules:
                return self._modules[name]
            parent_name, _, last = name.rpartition(".")
            parent = self._load(parent_name) if parent_name else sys.modules[self.prefix]
            if parent is None:
                return None
            if name in self._modules:  # its package has imported it
                return self._modules[name]
            known = name in self.closure.modules
            found = self.closure.find(name)
            if found is None:
                return None
            if not known:
                self.late.append(found)
                before = set(self.closure.modules)
                self.closure.follow(found)
                self.late += [self.closure.modules[other] for other in self.closure.modules.keys() - before]
            module = self._execute(found)
            setattr(parent, last, module)
            return module

    def _execute(self, found: Module) -> ModuleType:
        full = f"{self.prefix}.{found.name}"
        if found.path is not None and not found.is_source:
            return self._machine_code(found, full)
        loader = machinery.SourceFileLoader(full, str(found.path)) if found.path else None
        spec = machinery.ModuleSpec(full, loader, origin=str(found.path) if found.path else None)
        if found.places:
            spec.submodule_search_locations = list(found.places)
        module = ModuleType(full)
        values: dict[str, Any] = {"__spec__": spec, "__loader__": loader, "__builtins__": self._builtins}
        values |= {"__package__": f"{self.prefix}.{found.package}".rstrip("."), CLOSURE: self.digest}
        if found.path is not None:
            values["__file__"] = str(found.path)
        if found.places:
            values["__path__"] = list(found.places)
        vars(module).update(values)
        self._modules[found.name] = sys.modules[full] = module
        if found.path is None:
            return module
        try:
            exec(compile(found.content, str(found.path), "exec", dont_inherit=True), vars(module))
        except BaseException:
            del self._modules[found.name]
            sys.modules.pop(full, None)
            raise
        self._modules[found.name] = sys.modules.get(full, module)  # a module may put another object in its place
        return self._modules[found.name]

    def _machine_code(self, found: Module, full: str) -> ModuleType:
        path = str(found.path)
        if _native.setdefault(path, found.hash) != found.hash:
            raise StudyError(f"{path} changed after this process had loaded it; start again")
        spec = importlib.util.spec_from_file_location(full, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{path} is not a module that Python can load", path=path)
        module = importlib.util.module_from_spec(spec)
        self._modules[found.name] = sys.modules[full] = module
        with _beside(self.closure.places):
            spec.loader.exec_module(module)
        return module


def _free(name: str) -> str:
    numbered = (f"{name}_{number}" for number in count(2))
    return name if name not in sys.modules else next(other for other in numbered if other not in sys.modules)


@contextmanager
def _beside(places: Sequence[str]) -> Iterator[None]:
    """Let machine code, whose imports nobody can redirect, find what stands beside the study while it is loaded."""
    before = list(sys.path)
    sys.path[:0] = places
    try:
        yield
    finally:
        sys.path[:] = before


__all__ = ["CLOSURE", "Namespace"]

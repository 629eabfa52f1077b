"""Study files are loaded with all that they import, and what was loaded is bound to them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import time  # a cell may replace the one in the module
from types import ModuleType
from typing import TYPE_CHECKING, Any, final
from weakref import WeakKeyDictionary

import numpy as np

from unifiedscore.errors import FileError, StudyError
from unifiedscore.sources import SETTLED, Signature, content_hash, hash_of, signature
from unifiedscore.study.closure import Closure, Module, closure_of
from unifiedscore.study.identity import Identity, identity_of, input_files, shortened
from unifiedscore.study.opened import Watch
from unifiedscore.study.private import Namespace

if TYPE_CHECKING:
    from unifiedscore.study.study import Study

_IMPORT = threading.RLock()
_loaded: dict[tuple[Path, str], Loaded] = {}
_latest: dict[Path, Loaded] = {}
_noted: set[tuple[Path, str]] = set()


@final
@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A file that was executed, its import closure, and what it did meanwhile.

    Attributes
    ----------
    module : ModuleType
    closure : Closure
        As it was read before.
    namespace : Namespace
        Where its imports are found.
    opened : frozenset of Path
        Files below its folder that it read while it was executed.
    errstate : mapping
        What it has set `numpy.seterr` to.
    signatures : mapping of str to Signature
        Of its files and folders just before they were read.
    since : float
        When that was.
    late : tuple of Module
        Modules that it has imported under computed names.
    also : mapping of str to str
        Hashes of what else it has read while it was executed: those modules, and data. Unlike what a measurement
        reads, these are held in memory.
    """

    module: ModuleType
    closure: Closure
    namespace: Namespace
    opened: frozenset[Path]
    errstate: Mapping[str, Any]
    signatures: Mapping[str, Signature]
    since: float
    late: tuple[Module, ...] = ()
    also: Mapping[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        """The file."""
        return self.closure.path

    def identity(self, study: Study) -> Identity:
        """The identity of a study in the file, with its inputs as they are now."""
        return identity_of(self.closure, late=self.late, inputs=study.inputs, environment=study.environment)

    def known_files(self, study: Study) -> frozenset[Path]:
        """Files that a measurement may read: the code, and the declared inputs."""
        return frozenset(
            {*_code(self.closure), *(path.resolve() for path in input_files(self.path.parent, study.inputs).values())}
        )

    def changed_beside(self) -> list[str]:
        """What it has read besides its import closure, and would find otherwise now."""
        return [name for name, was in self.also.items() if _hash(name) != was]

    def unchanged(self) -> bool:
        """Whether its files and folders are certainly as they were; False where that takes reading them."""
        with suppress(OSError):
            for path, before in self.signatures.items():
                if signature(path) != before or before[2] / 1e9 > self.since - SETTLED:
                    return False
            return True
        return False


BOUND: WeakKeyDictionary[Study, Loaded] = WeakKeyDictionary()  # what each study was loaded with


def load(path: Path) -> Loaded:
    """Execute a file, unless this process has done so with the same content of it and of all that it imports.

    Raises
    ------
    FileError
        The file cannot be read.
    Exception
        Whatever the file raises.
    """
    path = Path(path).resolve()
    with _IMPORT:
        latest = _latest.get(path)
        if latest is not None and latest.unchanged():
            return latest
        since = time()
        closure = closure_of(path)
        digest = hash_of(closure.files())
        if (path, digest) not in _loaded or _loaded[path, digest].changed_beside():
            _loaded[path, digest] = _execute(closure, digest, since)
        _latest[path] = _loaded[path, digest]
        return _latest[path]


def _execute(closure: Closure, digest: str, since: float) -> Loaded:
    from unifiedscore.study.state import DEFAULT_ERRORS

    names = [module.path for module in closure.modules.values() if module.path is not None]
    places = [place for module in closure.modules.values() for place in module.places]
    signatures = {str(path): signature(path) for path in (*names, *places, *closure.places)}
    namespace = Namespace(closure, digest)
    with np.errstate(**DEFAULT_ERRORS), Watch(closure.path.parent) as watch:
        try:
            module = namespace.main()
        except BaseException:
            namespace.discard()
            raise
        errstate = np.geterr()
    opened = frozenset(watch.read - _code(closure))
    late = tuple(namespace.late)
    also = {str(module.path): module.hash for module in late if module.path is not None}
    also |= {str(path): _hash(str(path)) for path in opened if str(path) not in also}
    signatures |= {name: signature(name) for name in also}
    return Loaded(module, closure.copy(), namespace, opened, errstate, signatures, since, late, also)


def _hash(name: str) -> str:
    try:
        return content_hash(name)
    except FileError:
        return "gone"


def _code(closure: Closure) -> set[Path]:
    return {module.path.resolve() for module in closure.modules.values() if module.path is not None}


def refuse_changed(study: Study, loaded: Loaded) -> None:
    """Refuse to measure a study whose file, or a module that it imports, was edited after it had been loaded."""
    if loaded.unchanged():
        return
    try:
        now = closure_of(loaded.path)
    except FileError as error:
        raise StudyError(f"{study.name}: {error}") from error
    bound = loaded.closure.files(without=[module.name for module in loaded.late])
    changes = Identity(files=bound).changes(Identity(files=now.files()))
    changes += [f"{Path(name).name} changed" for name in loaded.changed_beside()]
    if changes:
        raise StudyError(
            f"{loaded.path}: {shortened(changes)} while it was loaded in this process; "
            "import it again (from the command line: run it again)"
        )


def notes_once(loaded: Loaded) -> list[str]:
    """What cannot be told about the imports of a file, the first time that somebody asks."""
    fresh = [text for text in dict.fromkeys(loaded.closure.notes) if (loaded.path, text) not in _noted]
    _noted.update((loaded.path, text) for text in fresh)
    return fresh

"""Studies, derivations and figures are found by path and file pattern, as pytest finds tests, and imported by path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import final
from weakref import WeakKeyDictionary

from unifiedscore.errors import FileError, InputError, StudyError, UnifiedScoreError, UnknownNameError
from unifiedscore.inference.verdict import claim_name
from unifiedscore.profiles import PROFILES
from unifiedscore.sources import hash_of
from unifiedscore.study.attack.universal import Universal
from unifiedscore.study.closure import closure_of
from unifiedscore.study.failure import STOPPED, describe
from unifiedscore.study.loading import BOUND, Loaded, load
from unifiedscore.study.study import Study
from unifiedscore.validate import shown

KINDS = {"studies": "study_", "derivations": "derive_", "figures": "fig_"}
_NEVER = {"node_modules", "site-packages", "__pycache__", "build", "dist"}
ORIGIN: WeakKeyDictionary[Study, Path] = WeakKeyDictionary()  # where each study was found


@final
@dataclass(frozen=True, slots=True)
class FoundStudy:
    """A study and the file it stands in."""

    study: Study
    path: Path


@final
@dataclass(frozen=True, slots=True)
class FoundDerivation:
    """A derivation, the file it stands in and its place there."""

    derivation: object
    path: Path
    position: int


@final
@dataclass(frozen=True, slots=True)
class FoundFigure:
    """A figure file: `figure(dataset)`, the studies whose data sets it needs, the claims it illustrates."""

    name: str
    title: str
    figure: Callable
    studies: tuple[str, ...]
    claims: tuple[str, ...]
    path: Path
    profile: str = "quick"  # data of a smaller profile hold nothing to draw


@final
@dataclass(frozen=True, slots=True)
class Found:
    """All that stands below the given paths."""

    studies: tuple[FoundStudy, ...] = ()
    derivations: tuple[FoundDerivation, ...] = ()
    figures: tuple[FoundFigure, ...] = ()

    def study(self, name: str) -> FoundStudy:
        """The study called `name`."""
        by_name = {found.study.name: found for found in self.studies}
        if name not in by_name:
            raise UnknownNameError("study", name, by_name)
        return by_name[name]

    def claim_ids(self) -> set[str]:
        """Ids of all claims, symbolic ones included."""
        ids = {claim for found in self.studies for claim in found.study.claim_ids()}
        return ids | {found.derivation.claim for found in self.derivations}


def find_files(paths: Iterable[str | Path] = (), *, kinds: Sequence[str] = tuple(KINDS)) -> dict[str, list[Path]]:
    """Files of each kind below `paths` (default: the current folder), sorted.

    In a folder, files count that stand directly in it or, at any depth, in a folder called `studies`,
    `derivations` or `figures`, which may be the given folder itself. Hidden folders and environments are never
    entered. A file given by name counts.

    Raises
    ------
    FileError
        A path does not exist, or a file in a folder is a link to one outside of it.
    """
    found: dict[str, dict[Path, None]] = {kind: {} for kind in kinds}
    for path in [Path(path) for path in paths] or [Path(".")]:
        if path.is_file():
            kind = _kind(path.name)
            if kind is None:
                raise InputError(f"{path} must be called study_*.py, derive_*.py or fig_*.py; rename it")
            if kind in found:
                found[kind][path.resolve()] = None
        elif path.is_dir():
            for file in _below(path):
                kind = _kind(file.name)
                if kind in found and _counts(file, path):
                    found[kind][_inside(file, path)] = None
        else:
            raise FileError(f"{path} does not exist; give a study file or a folder that holds studies/")
    return {kind: sorted(files) for kind, files in found.items()}


def _inside(file: Path, root: Path) -> Path:
    """Where a file found below `root` stands; one that only links out of it is not executed unasked."""
    target = file.resolve()
    if not target.is_relative_to(root.resolve()):
        raise FileError(f"{file} leads to {target}, outside of {root}; give that file itself if it is to be executed")
    return target


def found_by_default(path: Path) -> bool:
    """Whether a command without paths finds this file from the current folder."""
    root = Path.cwd()
    return path.is_relative_to(root) and _counts(path, root) and not any(map(_excluded, _between(path, root)))


def discover(paths: Iterable[str | Path] = (), *, kinds: Sequence[str] = tuple(KINDS)) -> Found:
    """Import everything below `paths`.

    Raises
    ------
    InputError
        Nothing is found there.
    StudyError
        A file cannot be imported, lacks what its kind must define, or repeats the name of another study.
    """
    paths = list(paths)
    files = find_files(paths, kinds=kinds)
    if not any(files.values()):
        where = ", ".join(map(str, paths)) or f"the current folder ({Path.cwd()})"
        patterns = ", ".join(f"{kind}/{KINDS[kind]}*.py" for kind in kinds)
        raise InputError(
            f"nothing found below {where}: expected {patterns}. "
            "Give the folder or the file, as in: unifiedscore verify path/to/studies"
        )
    studies = tuple(found for path in files.get("studies", ()) for found in studies_in(path))
    derivations = tuple(found for path in files.get("derivations", ()) for found in derivations_in(path))
    _refuse_duplicates(studies, derivations)
    return Found(studies, derivations, tuple(figure_in(path) for path in files.get("figures", ())))


def studies_in(path: Path) -> list[FoundStudy]:
    """The studies that a file defines at its top level."""
    path = Path(path)
    loaded = _load(path.resolve())
    studies = _instances(loaded.module, Study)
    if not studies:
        raise StudyError(f"{path} defines no study; expected study = Study(...) at its top level")
    ORIGIN.update(dict.fromkeys(studies, path.resolve()))
    BOUND.update(dict.fromkeys(studies, loaded))
    return [FoundStudy(study, path) for study in studies]


def derivations_in(path: Path) -> list[FoundDerivation]:
    """The derivations that a file defines at its top level."""
    from unifiedscore.study.derivation import Derivation

    derivations = _instances(load_module(path), Derivation)
    if not derivations:
        raise StudyError(f"{path} defines no derivation; expected derivation = Derivation(...) at its top level")
    return [FoundDerivation(derivation, path, position) for position, derivation in enumerate(derivations)]


def figure_in(path: Path) -> FoundFigure:
    """The figure that a file defines: `study` (a name or several), `figure(dataset)`, and perhaps `title` (else the
    first line of its docstring), `claims`, and the `profile` from which on there is something to draw."""
    module = load_module(path)
    figure = getattr(module, "figure", None)
    if not callable(figure):
        raise StudyError(
            f"{path} defines no function figure(dataset) that returns a matplotlib Figure; "
            "unifiedscore figures --help says what a figure file holds"
        )
    if not hasattr(module, "study"):
        raise StudyError(
            f'{path} must name the studies it shows, and has no line such as study = "mine": '
            "the name of the study whose data set figure(dataset) gets, or a tuple of several"
        )
    studies = _texts(module.study, path, "study", 'study = "mine", or study = ("mine", "other")')
    if not studies:
        raise StudyError(f'{path} must name the studies it shows, as in study = "mine"; study names none')
    claims = _texts(getattr(module, "claims", ()), path, "claims", 'claims = ("mine.rate",)')
    profile = getattr(module, "profile", PROFILES[0])
    if profile not in PROFILES:
        raise StudyError(f"{path}: {UnknownNameError('profile', profile, PROFILES)}")
    title = getattr(module, "title", None)
    if title is None:
        title = (module.__doc__ or path.stem).strip().splitlines()[0]
    elif not isinstance(title, str) or not title.strip():
        raise StudyError(f'{path}: title must be a text, as in title = "Norms concentrate"; got {shown(title)}')
    return FoundFigure(_figure_name(path), title, figure, studies, claims, path, profile)


def _texts(value, path: Path, name: str, example: str) -> tuple[str, ...]:
    """One text or several."""
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
        raise StudyError(f"{path}: {name} must be a name or a tuple of names, as in {example}; got {shown(value)}")
    return tuple(texts)


def _figure_name(path: Path) -> str:
    """Name of a figure: its place below the folder `figures`, so that each family can have a figure of one name."""
    folders = path.parts[:-1]
    below = folders[len(folders) - folders[::-1].index("figures") :] if "figures" in folders else ()
    return "_".join((*below, path.stem.removeprefix("fig_")))


def load_module(path: Path) -> ModuleType:
    """Import a file by path under a name of its own; twice the same content, of it and its imports, is one module.

    What it imports of the user's own is found beside it first, as Python finds it for a script, and compiled from
    the text that was hashed: never from a bytecode cache, whose time stamps are too coarse. See `study/private.py`.

    Raises
    ------
    StudyError
        The file raises.
    """
    return _load(Path(path).resolve()).module


def study_hash(path: Path) -> str:
    """Hash of a study file and of every module of the user's own that it imports."""
    return hash_of(closure_of(Path(path)).files())


def study_in(path: Path, name: str) -> Study:
    """The study called `name` in a file, as the file is now."""
    study = next((found.study for found in studies_in(path) if found.study.name == name), None)
    if study is None:
        raise StudyError(f"{path} defines no study called {name!r}")
    return study


def universal_in(path: str | Path, claim: str, *, regime: str = "") -> Universal:
    """The universal claim of this id and regime that a study file makes; the file is executed.

    Use when you want to evaluate an instance that a report or a terminal has printed.

    Raises
    ------
    UnknownNameError
        The file makes no such claim.
    """
    if not isinstance(path, str | os.PathLike):
        raise StudyError(f"path must be that of a study file; got {shown(path)}")
    if not isinstance(claim, str) or not isinstance(regime, str):
        raise StudyError(f"claim and regime must be text; got {shown(claim)} and {shown(regime)}")
    universals = {u.name: u for found in studies_in(Path(path)) for u in found.study.universals}
    name = claim_name(claim, regime)
    if name not in universals:
        raise UnknownNameError("universal claim", name, universals)
    return universals[name]


def _load(path: Path) -> Loaded:
    try:
        return load(path)
    except UnifiedScoreError as error:
        if isinstance(error, FileError):
            raise
        raise StudyError(f"cannot import {path}: {describe(error, path)}") from error
    except STOPPED as error:
        raise StudyError(f"cannot import {path}: {describe(error, path)}") from error


def _instances(module: ModuleType, kind: type) -> list:
    unique: dict[int, object] = {}
    for value in vars(module).values():
        several = value if isinstance(value, list | tuple) else value.values() if type(value) is dict else [value]
        unique |= {id(item): item for item in several if isinstance(item, kind)}
    return list(unique.values())


def _refuse_duplicates(studies: Iterable[FoundStudy], derivations: Iterable[FoundDerivation]) -> None:
    names: dict[str, Path] = {}
    keys: dict[tuple[str, ...], Path] = {}
    for found in studies:
        _once(names, found.study.name, found.path, "the study")
        for claim in found.study.claims:
            _once(keys, (claim.id, claim.regime, claim.evidence), found.path, "the claim (id, regime, evidence)")
        for universal in found.study.universals:
            _once(keys, universal.key, found.path, "the universal (id, regime, evidence)")
    for found in derivations:
        _once(keys, (found.derivation.claim, found.derivation.regime, "symbolic"), found.path, "the derivation of")


def _once(seen: dict, key, path: Path, what: str) -> None:
    if key in seen:
        raise StudyError(f"{what} {key!r} stands in {seen[key]} and in {path}; rename one of them")
    seen[key] = path


def _kind(name: str) -> str | None:
    return next((kind for kind, prefix in KINDS.items() if name.startswith(prefix) and name.endswith(".py")), None)


def _counts(file: Path, root: Path) -> bool:
    return file.parent == root or _kind(file.name) in (root.resolve().name, *file.relative_to(root).parts[:-1])


def _between(file: Path, root: Path) -> Iterable[Path]:
    return (folder for folder in file.parents if folder != root and folder.is_relative_to(root))


def _below(root: Path) -> Iterable[Path]:
    for folder, inner, names in os.walk(root):
        here = Path(folder)
        inner[:] = sorted(name for name in inner if not _excluded(here / name))
        yield from (here / name for name in sorted(names))


def _excluded(folder: Path) -> bool:
    return folder.name.startswith(".") or folder.name in _NEVER or (folder / "pyvenv.cfg").exists()

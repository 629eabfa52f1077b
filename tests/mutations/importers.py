"""Which studies and derivations run a file of the package: asked where a mutation names none that does."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.mutations.mutation import ROOT, Mutation
from unifiedscore.study.discover import KINDS, find_files, studies_in

ENGINE = "unifiedscore"
# A study cannot run without them, so that they say nothing about what it is on.
COMMON = (f"{ENGINE}/__init__.py", f"{ENGINE}/study/", f"{ENGINE}/inference/")
ENOUGH = 2  # files that run the mutated one, where there are so many


def files_to_verify(mutation: Mutation) -> tuple[str, ...]:
    """The files that a mutation names; if few of them run its file, also the cheapest others that do.

    Derivations come first among these, then studies by the number of cells of their quick profile.
    """
    place = f"{ENGINE}/{mutation.file}"
    if place.startswith(COMMON):
        return mutation.studies
    named = sorted(mutation.studies, key=lambda path: place not in reached(ROOT / path))
    missing = max(0, ENOUGH - sum(place in reached(ROOT / path) for path in named))
    others = sorted((path for path in _all() if place in reached(path) and _is_judged(path)), key=_cost)
    others = (path.relative_to(ROOT).as_posix() for path in others)
    return (*named, *[path for path in others if path not in named][:missing])


@cache
def reached(path: Path) -> frozenset[str]:
    """Files of the package behind the names that a file takes from it, and what those import in their turn."""
    found: set[str] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        for name in _imports(file):
            place = name.relative_to(ROOT).as_posix()
            if place not in found and not place.startswith(COMMON):
                found.add(place)
                waiting.append(name)
    return frozenset(found)


def _imports(path: Path) -> Iterator[Path]:
    """The files of the project that define the names a file imports, or takes from `us`."""
    tree = ast.parse(path.read_text())
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            if module.partition(".")[0] == ENGINE:
                yield from (home for alias in node.names if (home := _home(module, alias.name)))
            elif (beside := path.parent / f"{module}.py").is_file():
                yield beside
        elif isinstance(node, ast.ImportFrom):
            yield from (home for alias in node.names if (home := _home(f"{package}.{node.module}", alias.name)))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "us":
            if home := _home(ENGINE, node.attr):
                yield home


def _home(module: str, name: str) -> Path | None:
    """The file in which a name of the package is defined."""
    try:
        thing = getattr(import_module(module), name, None)
    except ImportError:
        return None
    defined = getattr(thing, "__module__", None) or module
    file = getattr(thing, "__file__", None) or getattr(import_module(defined), "__file__", None)
    inside = file and Path(file).is_relative_to(ROOT) and str(defined).startswith(ENGINE)
    return Path(file) if inside else None


@cache
def _all() -> tuple[Path, ...]:
    found = find_files([ROOT], kinds=("studies", "derivations"))
    return (*found["derivations"], *found["studies"])


def _is_judged(path: Path) -> bool:
    """Whether the quick profile judges anything in the file."""
    if path.name.startswith(KINDS["derivations"]):
        return True
    studies = [item.study for item in studies_in(path)]
    return any(claim.profile == "quick" for study in studies for claim in (*study.claims, *study.universals))


def _cost(path: Path) -> int:
    if path.name.startswith(KINDS["derivations"]):
        return 0
    return sum(item.study.profile_grid("quick").size for item in studies_in(path))

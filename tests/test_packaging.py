"""What is declared for installation hangs together."""

import ast
import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_constraints_pin_every_dependency_at_a_version_that_is_allowed():
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    pinned = {}
    for line in lines:
        requirement = Requirement(line)
        (exact,) = requirement.specifier
        assert exact.operator == "==" and requirement.url is None and not requirement.extras, line
        pinned[canonicalize_name(requirement.name)] = exact.version
    assert len(pinned) == len(lines)
    needed = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
    for requirement in map(Requirement, needed):
        version = pinned[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"{requirement} allows no {version}"


def test_what_the_tests_need_of_the_clusters_is_what_users_are_told_to_install():
    extras = {name: set(map(str, map(Requirement, items))) for name, items in PROJECT["optional-dependencies"].items()}
    assert extras["distributed"] <= extras["test"]
    assert {Requirement(item).name for item in extras["mpi"]} <= {Requirement(item).name for item in extras["test"]}


BEYOND = {"faiss", "jax", "pykeops", "pytest"}
"""Used by who has them already (pytest loads the plugin), or peers that benchmarks measure against: never needed."""


def imported(folder):
    """Top-level modules that a folder imports, wherever in a file, that are neither Python's nor its own."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module.split(".")[0]


@pytest.mark.parametrize(
    ("folder", "extras"),
    [
        ("unifiedscore", ["distributed", "mpi", "torch", "tables", "data"]),
        ("studies", []),
        ("derivations", []),
        ("figures", []),
    ],
)
def test_what_is_imported_is_declared_and_not_left_to_what_another_package_brings(folder, extras):
    needed = [*PROJECT["dependencies"], *(item for extra in extras for item in PROJECT["optional-dependencies"][extra])]
    declared = {canonicalize_name(name) for item in map(Requirement, needed) for name in (item.name, *item.extras)}
    owners = importlib.metadata.packages_distributions()
    own = {path.stem for path in (ROOT / folder).rglob("*.py")} | {"unifiedscore", "typing"}
    for module in set(imported(ROOT / folder)) - set(sys.stdlib_module_names) - own - BEYOND:
        # A package that is not installed is known by its own name alone.
        names = {
            canonicalize_name(name) for name in owners.get(module, [{"skimage": "scikit-image"}.get(module, module)])
        }
        assert names & declared, f"{folder} imports {module}, which no dependency declares"


def test_every_dependency_has_a_lower_bound_that_the_oldest_environment_can_pin():
    for item in map(Requirement, [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]):
        assert [part.operator for part in item.specifier] == [">="], item

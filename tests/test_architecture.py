"""Imports go one way, and importing the package is cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import unifiedscore

PACKAGE = Path(unifiedscore.__file__).parent
LAYERS = ["kernels", "measures", "posterior", "fields", "processes", "samplers"]
FIELDS = {*LAYERS, "metrics"}
HEAVY = {"numba", "xarray", "scipy.stats", "matplotlib", "sympy", "ot", "sklearn"}


def imported(path):
    """Subpackages of unifiedscore that a file imports, wherever in the file, except for type checkers alone."""
    tree = ast.parse(path.read_text())
    typing = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    skipped = {id(inner) for node in typing for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner(path):
    return {name.split(".")[1] for name in imported(path) if name.startswith("unifiedscore.")}


def files(part):
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]


@pytest.mark.parametrize("part", [layer for layer in LAYERS if (PACKAGE / layer).is_dir()])
def test_numerical_layers_import_only_what_lies_below(part):
    below = {*LAYERS[: LAYERS.index(part) + 1], "errors", "memory", "validate"}
    for path in files(part):
        assert inner(path) <= below, path


def test_inference_depends_on_numpy_and_scipy_alone():
    for path in files("inference"):
        assert inner(path) <= {"inference", "errors", "memory", "validate"}, path
        outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)
        assert outside <= {"numpy", "scipy", "unifiedscore"}, path


@pytest.mark.parametrize("part", ["study", "ledger"])
def test_study_and_ledger_know_no_field(part):
    for path in files(part):
        assert not inner(path) & FIELDS, path


def test_the_package_imports_no_study_derivation_or_figure():
    for path in PACKAGE.rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"studies", "derivations", "figures"}, path


@pytest.mark.parametrize("module", ["unifiedscore", "unifiedscore.cli"])
def test_importing_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)

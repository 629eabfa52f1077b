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
    below = {*LAYERS[: LAYERS.index(part) + 1], "errors", "validate"}
    for path in files(part):
        assert inner(path) <= below, path


def test_inference_depends_on_numpy_and_scipy_alone():
    for path in files("inference"):
        assert inner(path) <= {"inference", "errors", "validate"}, path
        outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)
        assert outside <= {"numpy", "scipy", "unifiedscore"}, path


@pytest.mark.parametrize("part", ["study", "ledger", "verify"])
def test_study_ledger_and_verify_know_no_field(part):
    above = {"study": {"ledger", "verify"}, "ledger": {"verify"}, "verify": set()}[part]
    for path in files(part):
        assert not inner(path) & (FIELDS | above | {"cli"}), path


def test_only_the_ledger_and_the_summary_read_the_json_of_verdicts():
    """Everybody else goes through `Ledger` and `Verdict`, so that a rule on verdicts stands in one place."""
    readers = {PACKAGE / "ledger" / name for name in ("ledger.py", "schema.py", "summary.py")}
    readers.add(PACKAGE / "inference" / "verdict.py")
    words = {"verdicts", "not_run", "control_outcome", "expected"}
    for path in {*PACKAGE.rglob("*.py"), *(PACKAGE.parent / "studies").rglob("*.py")} - readers:
        keys = [node.slice for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Subscript)]
        assert not words & {key.value for key in keys if isinstance(key, ast.Constant)}, path
    template = (PACKAGE / "ledger" / "report.html.j2").read_text()
    assert not [word for word in words if f'["{word}"]' in template]


@pytest.mark.parametrize("name", ["as_expected", "json_value", "claim_name", "exit_code", "family_wise_bound"])
def test_what_is_true_of_a_verdict_is_defined_once(name):
    functions = [node for path in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    defined = [node for node in functions if isinstance(node, ast.FunctionDef) and node.name == name]
    assert len(defined) == 1, defined


def test_the_package_imports_no_study_derivation_or_figure():
    for path in PACKAGE.rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"studies", "derivations", "figures"}, path


@pytest.mark.parametrize("module", ["unifiedscore", "unifiedscore.cli"])
def test_importing_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)

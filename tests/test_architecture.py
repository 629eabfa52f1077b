"""Imports go one way, and importing the package is cheap."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

import unifiedscore

PACKAGE = Path(unifiedscore.__file__).parent
SHARED = {
    "__version__",
    *"arrays compiled deprecation errors extras foreign hdf5 keywords memory output profiles".split(),
    *"reading sources validate".split(),
}
# What each part may import beside itself and SHARED: the layers below it, in one direction.
NUMERICAL = ["kernels", "measures", "posterior", "fields", "processes", "samplers", "references"]
MAY_IMPORT = {part: {*NUMERICAL[:position]} for position, part in enumerate(NUMERICAL)} | {
    # A flow draws itself; nothing below the studies knows of pictures otherwise.
    "samplers": {*NUMERICAL[: NUMERICAL.index("samplers")], "plotting"},
    "inference": set(),
    "metrics": {"inference", "measures", "posterior"},
    "testing": {"kernels", "measures", "posterior", "fields", "inference", "study"},
    "study": {"inference", "atomic"},
    "plotting": {"inference", "measures", "study", "atomic"},
    "ledger": {"inference", "study", "atomic"},
    "verify": {"inference", "study", "plotting", "ledger", "atomic"},
    "diagnosis": {"kernels", "measures", "posterior", "metrics", "study", "atomic"},
    "learned": {*NUMERICAL, "inference", "metrics", "plotting", "study", "diagnosis", "torch", "atomic"},
    "torch": {"kernels", "measures", "posterior", "fields", "diagnosis"},
    "train": {"learned"},
    "templates": set(),
    "cli": {"study", "ledger", "verify", "diagnosis", "learned", "templates", "atomic"},
    "pytest_plugin": {"study", "ledger", "verify"},
    "atomic": set(),
    **{part: set() for part in sorted(SHARED - {"__version__"})},
}
HEAVY = {"numba", "xarray", "scipy.stats", "matplotlib", "sympy", "ot", "sklearn", "torch"}


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


def direct(path, modules):
    """Modules of the package that a file imports at its top level, for type checkers too."""
    top = [node for node in ast.parse(path.read_text()).body]
    top += [node for block in top if isinstance(block, ast.If) for node in block.body]
    names = {alias.name for node in top if isinstance(node, ast.Import) for alias in node.names}
    for node in top:
        if isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in modules else node.module for name in whole}
    return names & modules.keys()


def inner(path):
    return {name.split(".")[1] for name in imported(path) if name.startswith("unifiedscore.")}


def files(part):
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]


def test_every_part_of_the_package_has_its_place_in_the_layers():
    parts = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert parts - {"__init__", "__main__"} == set(MAY_IMPORT)


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_what_lies_below(part):
    for path in files(part):
        assert inner(path) <= MAY_IMPORT[part] | SHARED | {part}, path


def test_no_two_modules_import_each_other_not_even_for_their_types():
    modules = {".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): path for path in PACKAGE.rglob("*.py")}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}
    packages = {name for name, path in modules.items() if path.name == "__init__.py"}
    graph = {name: direct(path, modules) - packages - {name} for name, path in modules.items()}
    list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError with the circle


def test_inference_depends_on_numpy_and_scipy_alone():
    for path in files("inference"):
        assert inner(path) <= {"inference", "errors", "memory", "validate"}, path
        outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names)
        assert outside <= {"numpy", "scipy", "unifiedscore"}, path


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


@pytest.mark.parametrize("part", ["reading", "hdf5", "output", "atomic"])
def test_what_opens_files_knows_nothing_else(part):
    assert inner(PACKAGE / f"{part}.py") <= {"errors", "reading"}


def test_the_package_imports_no_study_derivation_or_figure():
    for path in PACKAGE.rglob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & {"studies", "derivations", "figures"}, path


def test_machine_code_is_cached_by_the_engine_alone():
    """numba's own cache does not know that a function inlined from another file was edited."""
    for path in {*PACKAGE.rglob("*.py")} - {PACKAGE / "compiled.py"}:
        assert not {"numba.njit", "numba.jit", "numba.vectorize", "numba.guvectorize"} & set(imported(path)), path


@pytest.mark.parametrize("module", ["unifiedscore", "unifiedscore.cli"])
def test_importing_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)

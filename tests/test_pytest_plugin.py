"""The pytest plugin as a user's repository meets it, in a pytest of its own."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest_plugins = "pytester"

STUDY = """
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable


def measure(cell, rng):
    with open("calls", "a") as calls:
        calls.write("x")
    if cell["dimension"] == {failing}:
        raise ValueError("no such dimension")
    return {{"mean": 2 * cell["dimension"] - 3 + rng.standard_normal(100).mean()}}


shared = dict(source="elementary", evidence="monte_carlo", variable="mean")
near = dict(where={{"dimension": 2}}, **shared)
two, one = Control("two", test=Inside(1.9, 2.5)), Control("one again", test=Inside(0.4, 1.6))
study = Study(
    name="means",
    title="Means",
    grid=Grid(dimension=[2, 4], seed=range(16)),
    measure=measure,
    variables={{"mean": Variable("Mean")}},
    claims=[
        Claim("means.one", "the mean is one", test=Inside(0.5, 1.5), control=two, **near),
        Claim("means.one", "the mean is one", test=Inside(0.5, 1.5), regime="far", expect="refuted",
              where={{"dimension": 4}}, **shared),
        Claim("means.three", "the mean is three", test=Inside(3, 4), control=two, **near),
        Claim("means.sharp", "the mean is 1.0001", test=Inside(1, 1.0001), control=two, **near),
        Claim("means.blind", "the mean is one", test=Inside(0.5, 1.5), control=one, **near),
        Claim("means.all", "the mean is one", test=Inside(0.5, 1.5), profile="standard", control=two, **near),
    ],
)
"""
DERIVATION = """
import sympy
from unifiedscore.study import Derivation

t = sympy.Symbol("t", real=True)
derivation = Derivation(
    "trig.pythagoras",
    lambda: sympy.sin(t) ** 2 + sympy.cos(t) ** 2 - 1,
    lambda: sympy.sin(t) ** 2 - sympy.cos(t) ** 2 - 1,
    lambda rng: 0.5,
    statement="sin^2 + cos^2 = 1",
    source="Pythagoras",
)
"""
PYTEST = ("-p", "unifiedscore.pytest_plugin", "-p", "no:cacheprovider")


@pytest.fixture
def project(pytester, monkeypatch):
    """A user's repository with a study and a derivation."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # this test's, not the inner session's
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def write(*, failing=-1):
        for name, text in {
            "studies/study_means.py": STUDY.format(failing=failing),
            "derivations/derive_trig.py": DERIVATION,
        }.items():
            (pytester.path / name).parent.mkdir(exist_ok=True)
            (pytester.path / name).write_text(text.lstrip())
        return pytester

    return write


def test_every_claim_is_a_test_that_passes_as_expected_and_says_why_not(project):
    inner = project()
    inner.makepyfile(test_other="def test_other(): raise SystemError('not asked for')")
    result = inner.runpytest_subprocess(*PYTEST, "-v", "-rs", "--studies", ".", "--junitxml", "junit.xml")
    result.assert_outcomes(passed=3, failed=3, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "studies/study_means.py::means.one PASSED*",
            "studies/study_means.py::means.one[[]far] PASSED*",
            "studies/study_means.py::means.three FAILED*",
            "studies/study_means.py::means.sharp FAILED*",
            "studies/study_means.py::means.blind FAILED*",
            "studies/study_means.py::means.all SKIPPED*",
            "derivations/derive_trig.py::trig.pythagoras PASSED*",
            "means.three: refuted, where supported was expected",
            "  claim: the mean is three",
            "  verdict: *",
            "  unifiedscore verify --claim means.three",
            "means.sharp: inconclusive, where supported was expected",
            "means.blind: inconclusive, where supported was expected",
            "  verdict: the check had no power*",
            "  its control (one again) must be refuted; got supported",
            "SKIPPED*judged by --studies-profile standard",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*Traceback*")
    assert (inner.path / "calls").read_text() == "x" * 32  # one run for all claims
    assert not (inner.path / "results").exists()
    suite = ElementTree.parse(inner.path / "junit.xml").getroot()
    cases = {case.get("name"): case for case in suite.iter("testcase")}
    assert len(cases) == 7 and len(list(suite.iter("failure"))) == 3
    properties = {entry.get("name"): entry.get("value") for entry in cases["means.one[far]"].iter("property")}
    assert properties["outcome"] == properties["expected"] == "refuted"


def test_the_fixture_returns_the_verdict_and_fails_with_its_words(project):
    inner = project()
    inner.makepyfile(
        """
        STUDY = "studies/study_means.py"

        def test_outcome(claim_verdict):
            assert claim_verdict(STUDY, "means.one", regime="").outcome == "supported"
            assert claim_verdict(STUDY, "means.one", regime="far").outcome == "refuted"

        def test_number(claim_verdict):
            verdict = claim_verdict(STUDY, "means.three", check=False)
            assert verdict.outcome == "refuted" and 0.9 < verdict.estimate < 1.1

        def test_derivation(claim_verdict):
            assert claim_verdict("derivations/derive_trig.py", "trig.pythagoras").evidence == "symbolic"

        def test_larger_profile(claim_verdict):
            claim_verdict(STUDY, "means.all")

        def test_larger_profile_asked_for(claim_verdict):
            claim_verdict(STUDY, "means.all", profile="standard")

        def test_differs(claim_verdict):
            claim_verdict(STUDY, "means.three")

        def test_unknown(claim_verdict):
            claim_verdict(STUDY, "means.on")

        def test_ambiguous(claim_verdict):
            claim_verdict(STUDY, "means.one")
        """
    )
    result = inner.runpytest_subprocess(*PYTEST)
    result.assert_outcomes(passed=4, failed=3, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "means.three: refuted, where supported was expected",
            "*unknown claim 'means.on'; the nearest known names are: means.one*",
            "*means.one is claimed in several regimes ('', 'far'); say which one with regime=*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_failed_cells_fail_the_claims_also_on_several_processes_and_in_a_kept_folder(project):
    inner = project(failing=4)
    options = (*PYTEST, "--studies", "studies", "--studies-out", "kept", "--studies-seed", "3")
    several = ("-p", "xdist.plugin", "-n", "2", "--dist", "loadfile")
    result = inner.runpytest_subprocess(*options, *several)
    result.assert_outcomes(failed=5, skipped=1)
    result.stdout.fnmatch_lines(["study_means.py: 16 failed: *ValueError: no such dimension*"])
    assert (inner.path / "calls").read_text() == "x" * 32
    assert (inner.path / "kept" / "means.nc").exists()
    assert len(list((inner.path / "kept" / "cells" / "means").glob("*.json"))) == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--studies", "nowhere"), "*nowhere does not exist*"),
        (("--studies", "derivations", "--studies-profile", "huge"), "*invalid choice: 'huge'*"),
    ],
)
def test_bad_options_are_usage_errors(project, arguments, message):
    result = project().runpytest_subprocess(*PYTEST, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_the_installed_entry_point_is_the_plugin_and_loads_nothing_heavy():
    project = tomllib.loads(Path(__file__).parent.parent.joinpath("pyproject.toml").read_text())["project"]
    ((name, module),) = project["entry-points"]["pytest11"].items()
    assert name == module == importlib.import_module(module).__name__
    code = f"import pytest, sys; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    own = {name for name in loaded if name.startswith("unifiedscore")}
    assert own == {"unifiedscore", "unifiedscore.errors", "unifiedscore.sources", module} and "numpy" not in loaded


def test_paths_are_found_beside_the_test_and_then_in_the_root_folder(project):
    inner = project()
    (inner.path / "deep" / "studies").mkdir(parents=True)
    source = (inner.path / "studies/study_means.py").read_text()
    (inner.path / "deep/studies/study_other.py").write_text(source.replace('"means"', '"other"'))
    (inner.path / "deep/test_both.py").write_text(
        "def test_both(claim_verdict):\n"
        "    assert claim_verdict('studies/study_other.py', 'means.one', regime='').study == 'other'\n"
        "    assert claim_verdict('studies/study_means.py', 'means.one', regime='').study == 'means'\n"
    )
    (inner.path / "elsewhere").mkdir()
    command = [sys.executable, "-m", "pytest", *PYTEST, "--rootdir", str(inner.path), str(inner.path / "deep")]
    done = subprocess.run(command, cwd=inner.path / "elsewhere", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_results_records_is_used_and_said(project):
    inner = project()
    run = [sys.executable, "-m", "unifiedscore", "run", "studies"]
    assert subprocess.run(run, cwd=inner.path).returncode == 0
    calls = (inner.path / "calls").read_text()
    inner.makepyfile(
        test_one="def test_one(claim_verdict): claim_verdict('studies/study_means.py', 'means.one', regime='')"
    )
    result = inner.runpytest_subprocess(*PYTEST)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["unifiedscore: means: 32 cells as recorded in */results"])
    assert (inner.path / "calls").read_text() == calls


@pytest.mark.parametrize("how", ["option", "ini"])
def test_a_cell_that_takes_too_long_fails_the_test(project, how):
    inner = project()
    path = inner.path / "studies/study_means.py"
    path.write_text(
        path.read_text().replace("    with open", "    import time; time.sleep(cell['seed'] * 1000)\n    with open")
    )
    if how == "ini":
        inner.makeini("[pytest]\nstudies_cell_timeout = 1\n")
    options = ["--studies-cell-timeout", "1"] if how == "option" else []
    path.write_text(path.read_text().replace("range(16)", "range(2)"))
    result = inner.runpytest_subprocess(*PYTEST, "--studies", "studies", *options)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*time limit of 1 s*"])


def test_claims_may_ask_for_more_seeds(project):
    inner = project()
    inner.makepyfile(
        """
        STUDY = "studies/study_means.py"

        def test_outcome(claim_verdict):
            plain, looked = (claim_verdict(STUDY, "means.one", regime="", until_decided=u) for u in (False, True))
            assert plain.looks is None and looked.looks["decided_at"] == 1
        """
    )
    inner.runpytest_subprocess(*PYTEST, "-q").assert_outcomes(passed=1)
    options = ("--studies-until-decided", "--studies-most-seeds", "16")
    result = inner.runpytest_subprocess(*PYTEST, "--studies", "studies", *options)
    result.stdout.no_fnmatch_line("*Traceback*")
    # A refutation must be repeated by a second look, for which there are no seeds.
    result.stdout.fnmatch_lines(["*refuted at look 1 (16 seeds), which the look at 32 seeds must repeat*"])

"""Every template passes its own test as it is written, under any name, and nothing of a user's is overwritten."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unifiedscore import cli
from unifiedscore.ledger import Ledger
from unifiedscore.study.discover import discover
from unifiedscore.templates import KINDS, write_template

ROOT = Path(__file__).parent.parent


def call(*arguments):
    return cli._exit_code(["new", *map(str, arguments)])


def run_tests(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "unifiedscore.pytest_plugin", "-p", "no:cacheprovider", "-q"]
    options = {"cwd": folder, "env": os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, "timeout": 300}
    return subprocess.run([*command, *arguments], capture_output=True, text=True, **options)


def test_all_templates_pass_their_tests_and_the_project_style(tmp_path):
    for kind in KINDS:
        assert call(kind, f"my_{kind}2", "--out", tmp_path / "own") == 0
    files = {path.name for path in (tmp_path / "own").iterdir()}
    parts = {"my_kernel2.py", "my_field2.py", "study_my_study2.py", "derive_my_derivation2.py"}
    parts |= {"study_my_universal2.py"}
    parts |= {"fig_my_figure2.py", "fig_my_study2.py"}
    assert files == parts | {f"test_{name}" for name in parts}
    done = run_tests(tmp_path / "own", "--studies-out", str(tmp_path / "results"), "-W", "error")
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--config", str(ROOT / "pyproject.toml"), str(tmp_path / "own")]
    # Which modules are a project's own depends on where the files stand: no order of imports is right everywhere.
    assert subprocess.run([*ruff, "check", "--ignore", "I001", *options], capture_output=True).returncode == 0
    assert subprocess.run([*ruff, "format", "--check", *options], capture_output=True).returncode == 0
    # The command line reads the same results: nothing is measured twice.
    names = ("study_my_study2.py", "fig_my_study2.py", "derive_my_derivation2.py")
    files = [str(tmp_path / "own" / name) for name in names]
    assert cli._exit_code(["verify", *files, "--out", str(tmp_path / "results")]) == 0
    drawn = {path.name for path in (tmp_path / "results" / "figures").iterdir()}
    assert drawn == {"index.json", *(f"my_study2.{kind}" for kind in ("png", "pdf", "csv"))}
    verdicts = Ledger.read(tmp_path / "results").verdicts
    assert {verdict.outcome for verdict in verdicts} == {"supported"}
    assert {verdict.control_outcome for verdict in verdicts} == {"refuted"}


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        ("kernel", "weight[i, j] = scale /", "weight[i, j] = 2 * scale /"),
        ("field", "inner - 0.5 * self.strength", "inner - self.strength"),
        ("figure", "Rate(-1.2, -0.8", "Rate(-0.7, -0.3"),
        ("derivation", "TAU**2 * sp.diff", "TAU * sp.diff"),
    ],
)
def test_the_test_of_a_template_finds_a_wrong_factor_or_sign(tmp_path, kind, right, wrong):
    source, _ = write_template(kind, "altered", tmp_path)
    text = source.read_text()
    assert text.count(right) == 1
    source.write_text(text.replace(right, wrong))
    assert run_tests(tmp_path, "-x").returncode == 1


@pytest.mark.parametrize("name", ["My_Kernel", "2d", "my-kernel", "class", "", "../outside", "a b", "größe"])
def test_bad_names_are_refused_and_nothing_is_written(tmp_path, name, capsys):
    assert call("kernel", name, "--out", tmp_path) == 2
    assert "must be a lower-case identifier" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "name"), [("kernel", "numpy"), ("field", "json"), ("kernel", "unifiedscore")])
def test_a_file_that_would_hide_an_installed_module_is_refused(tmp_path, kind, name, capsys):
    assert call(kind, name, "--out", tmp_path) == 2
    assert f"would hide the installed module '{name}'" in capsys.readouterr().err


def test_a_study_comes_with_a_figure_where_both_are_found(tmp_path, capsys):
    assert call("study", "own", "--out", tmp_path / "studies" / "family") == 0
    found = discover([tmp_path])
    assert [item.study.name for item in found.studies] == ["own"]
    (figure,) = found.figures
    assert figure.studies == ("own",) and figure.path.parent == tmp_path / "figures" / "family"
    assert set(figure.claims) <= found.claim_ids()
    study, drawn = tmp_path / "studies" / "family" / "study_own.py", tmp_path / "figures" / "family" / "fig_own.py"
    assert capsys.readouterr().out.endswith(f"Next: unifiedscore verify {study} {drawn}\n")


@pytest.mark.parametrize("existing", ["own.py", "test_own.py"])
def test_nothing_is_overwritten(tmp_path, existing, capsys):
    (tmp_path / existing).write_text("mine")
    assert call("kernel", "own", "--out", tmp_path) == 2
    assert f"{existing} is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_text() == "mine"


def test_unknown_kinds_and_unusable_folders_are_one_paragraph(tmp_path, capsys):
    assert call("kernl", "own", "--out", tmp_path) == 2
    (tmp_path / "file").write_text("")
    assert call("kernel", "own", "--out", tmp_path / "file") == 2
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 2 and "unknown template 'kernl'" in errors[0] and "choose a folder with --out" in errors[1]

"""A results folder from a stranger: nothing in it is executed, leads out of it, or speaks to the terminal."""

import json

import pytest

from unifiedscore.cli import _exit_code
from unifiedscore.errors import FileError
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.report import write_report
from unifiedscore.study.discover import discover, find_files

EXECUTED = "import pathlib\npathlib.Path({path!r}).touch()\nstudy = 'means'\ndef figure(dataset): ...\n"


@pytest.fixture
def results(tmp_path):
    """A folder with an empty ledger."""
    folder = tmp_path / "results"
    Ledger(profile="quick", root_seed=0).write(folder)
    return folder


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.png"
    path.write_text("a private key")
    return path


@pytest.mark.parametrize("name", ["../../secret.png", "{secret}", "..", "", None, 3])
def test_an_index_cannot_make_the_report_carry_another_file(results, secret, name):
    (results / "figures").mkdir()
    name = str(secret) if name == "{secret}" else name
    (results / "figures/index.json").write_text(json.dumps([{"name": "a", "png": name}]))
    with pytest.raises(FileError, match="is not an index of figures"):
        write_report(results)
    assert not (results / "report.html").exists()


def test_a_link_in_place_of_a_figure_is_not_followed_into_the_report(results, secret):
    (results / "figures").mkdir()
    (results / "figures/a.png").symlink_to(secret)
    with pytest.raises(FileError, match=r"a\.png is a link"):
        write_report(results)


def test_the_report_executes_nothing(results, tmp_path, monkeypatch):
    code = EXECUTED.format(path=str(tmp_path / "executed"))
    for name in ("studies/study_means.py", "figures/fig_means.py", "fig_here.py", "study_here.py"):
        path = results / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
    manifest = {"study": "means", "profile": "quick", "root_seed": 0, "file": str(results / "study_here.py")}
    (results / "cells/means").mkdir(parents=True)
    manifest |= {"hashes": {}, "cells": 0, "keys": []}
    (results / "cells/means/run.manifest").write_text(json.dumps(manifest))
    monkeypatch.chdir(results)
    for command in ("report", "status"):
        assert _exit_code([command, "."]) == 0
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize("kind", ["figures", "studies"])
def test_a_link_out_of_the_folder_is_not_executed(tmp_path, kind, monkeypatch, capsys):
    outside = tmp_path / "outside.py"
    outside.write_text(EXECUTED.format(path=str(tmp_path / "executed")))
    name = {"figures": "fig_means.py", "studies": "study_means.py"}[kind]
    (tmp_path / "given" / kind).mkdir(parents=True)
    (tmp_path / "given" / kind / name).symlink_to(outside)
    with pytest.raises(FileError, match=r"outside of .*give that file itself"):
        discover([tmp_path / "given"])
    monkeypatch.chdir(tmp_path / "given")
    for command in (["figures"], ["figures", "."], ["list"]) if kind == "figures" else (["list"], ["run"], ["judge"]):
        assert _exit_code(command) == 2
        assert "leads to" in capsys.readouterr().err
    assert not (tmp_path / "executed").exists()


def test_a_link_within_the_folder_and_a_linked_folder_that_is_given_count(tmp_path):
    inside = tmp_path / "given" / "studies" / "study_a.py"
    inside.parent.mkdir(parents=True)
    inside.write_text("x = 1\n")
    (inside.parent / "study_b.py").symlink_to(inside)
    (tmp_path / "link").symlink_to(tmp_path / "given")
    assert find_files([tmp_path / "link"])["studies"] == [inside]


def test_figures_draws_those_of_the_given_folder_only(results, tmp_path, monkeypatch, capsys):
    (results / "fig_means.py").write_text(EXECUTED.format(path=str(tmp_path / "executed")))
    (tmp_path / "given").mkdir()
    monkeypatch.chdir(tmp_path)
    assert _exit_code(["figures", "given", "--out", str(results)]) == 2
    assert "nothing found below given" in capsys.readouterr().err and not (tmp_path / "executed").exists()


@pytest.mark.parametrize("key", ["../../../secret", "/etc/passwd", "A" * 32, "0" * 31, "0" * 32 + "/x"])
def test_a_manifest_cannot_name_files_elsewhere(results, tmp_path, key, capsys):
    elsewhere = tmp_path / "secret.json"
    elsewhere.write_text("{}")
    folder = results / "cells" / "means"
    folder.mkdir(parents=True)
    manifest = {"study": "means", "profile": "quick", "root_seed": 0, "file": "x", "hashes": {}, "cells": 1}
    (folder / "run.manifest").write_text(json.dumps(manifest | {"keys": [key]}))
    assert _exit_code(["status", str(results)]) == 2
    assert "no usable keys" in capsys.readouterr().err
    (folder / "run.manifest").write_text(json.dumps(manifest | {"keys": [], "study": "\x1b[2J"}))
    assert _exit_code(["status", str(results)]) == 2
    assert "no usable study" in capsys.readouterr().err
    assert elsewhere.read_text() == "{}"


def test_status_leaves_damaged_records_where_they_are(results, capsys):
    key = "0" * 32
    folder = results / "cells" / "means"
    folder.mkdir(parents=True)
    manifest = {"study": "means", "profile": "quick", "root_seed": 0, "file": "gone", "hashes": {}, "cells": 2}
    (folder / "run.manifest").write_text(json.dumps(manifest | {"keys": [key, "1" * 32]}))
    (folder / f"{key}.json").write_text("{")
    assert _exit_code(["status", str(results)]) == 0
    assert "2 missing; 1 of the missing has a damaged record" in capsys.readouterr().out
    assert sorted(path.name for path in folder.iterdir()) == [f"{key}.json", "run.manifest"]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a": ' * 50_000, "1" * 10_000, "\0", "[1, 2"])
def test_a_ledger_that_is_no_ledger_is_one_paragraph(results, text, capsys):
    (results / "ledger.json").write_text(text)
    with pytest.raises(FileError, match="not a JSON file"):
        Ledger.read(results)
    assert _exit_code(["report", str(results)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", "9" * 400])
def test_numbers_beyond_a_double_are_no_ledger(results, number):
    text = (results / "ledger.json").read_text()
    (results / "ledger.json").write_text(text.replace('"family_wise_bound": 0.0', f'"family_wise_bound": {number}'))
    with pytest.raises(FileError, match="family_wise_bound of the file is not a finite number"):
        Ledger.read(results)


def test_a_ledger_does_not_speak_to_the_terminal(results, tmp_path, capsys):
    evil = "\x1b]0;owned\x07\x1b[2J"
    texts = dict.fromkeys(("claim", "regime", "study", "statement", "source", "reason", "finding", "reproduce"), evil)
    outcomes = {"evidence": "exact", "outcome": "refuted", "expected": "supported"}
    ends = {"low": None, "high": None}
    verdict = Verdict(**texts, **outcomes, interval=ends | {"level": None, "kind": "none"}, region=ends)
    path = Ledger(profile="quick", root_seed=0, verdicts=(verdict,)).write(tmp_path / "other")
    assert _exit_code(["diff", str(results), str(tmp_path / "other")]) == 1
    text = capsys.readouterr().out
    assert "owned" in text and "\x1b" not in text and "\x07" not in text
    path.write_text(path.read_text().replace('"refuted"', json.dumps(evil)))  # an outcome that there is not
    assert _exit_code(["diff", str(results), str(path.parent)]) == 2
    error = capsys.readouterr().err
    assert "outcome must be one of" in error and "\x1b" not in error and error.count("\n") == 1

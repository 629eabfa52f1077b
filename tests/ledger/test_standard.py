"""What `verify` says at its end about the stored run of the standard profile."""

from dataclasses import replace
from pathlib import Path

import pytest

from unifiedscore import cli
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.standard import relation
from unifiedscore.study.discover import discover

STUDY = """\
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable

claim = dict(statement="It is one.", source="derived here", evidence="exact", variable="one", test=Inside(0.5, 1.5),
             control=Control("two", variable="two"))
study = Study("small", "Small", Grid(size=[1]), lambda cell, rng: {"one": 1.0, "two": 2.0},
              {"one": Variable("One"), "two": Variable("Two")},
              [Claim("small.one", **claim), Claim("small.large", profile="standard", **claim)])
"""


def verdict(claim, outcome="supported", study="small"):
    interval = {"low": 1.0, "high": 1.0, "level": None, "kind": "numerical"}
    return Verdict(claim=claim, study=study, statement="s", source="s", evidence="exact", outcome=outcome,
                   expected="supported", reason="r", estimate=1.0, interval=interval, region={"low": 0.5, "high": 1.5},
                   control_outcome="refuted")  # fmt: skip


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("studies", "reference"):
        (tmp_path / folder).mkdir()
    (tmp_path / "studies" / "study_small.py").write_text(STUDY)
    return tmp_path


def store(project, *verdicts, **runs):
    ledger = Ledger(profile="standard", root_seed=0, verdicts=verdicts, runs=runs)
    written = ledger.write(project / "reference")
    written.rename(written.with_name("ledger-standard.json"))


def test_verify_says_it_in_one_sentence_and_nothing_where_none_is_stored(project, capsys):
    assert cli._exit_code(["verify", "--workers", "1"]) == 0
    assert "standard run" not in capsys.readouterr().out
    run = {"profile": "standard", "commit": "0123456789abcdef with changes", "date": "2026-11-30"}
    store(project, verdict("small.one"), verdict("small.large"), verdict("else.where", study="else"), small=run)
    assert cli._exit_code(["verify", "--workers", "1"]) == 0
    assert (
        f"The stored standard run ({Path('reference/ledger-standard.json')}, commit 0123456789ab, 2026-11-30) judges "
        "1 claim that this run leaves out, 1 of them as expected; 1 claim judged in both came out alike.\n"
    ) in capsys.readouterr().out


def test_what_differs_is_counted_and_a_run_of_that_size_says_nothing(project):
    store(project, verdict("small.one", "inconclusive"), verdict("small.large", "refuted"))
    found, quick = discover([project]), Ledger(profile="quick", root_seed=0, verdicts=[verdict("small.one")])
    text = relation(quick, found)
    assert "leaves out, 0 of them as expected; 1 claim judged in both came out alike but for 1." in text
    assert relation(replace(quick, profile="standard"), found) == "" == relation(replace(quick, profile="full"), found)


def test_a_damaged_one_is_named_and_ends_nothing(project, capsys):
    (project / "reference" / "ledger-standard.json").write_text("{}")
    assert relation(Ledger(profile="quick", root_seed=0), discover([project])) == ""
    assert "ledger-standard.json is not a ledger" in capsys.readouterr().err


def test_the_ledger_says_when_and_at_which_commit_each_study_was_measured(project):
    assert cli._exit_code(["verify", "--workers", "1"]) == 0
    run = Ledger.read("results").runs["small"]
    assert run["date"].count("-") == 2 and run.get("commit", "known") != "unknown"

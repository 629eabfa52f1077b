import io
import json
import math
import re
from dataclasses import replace

import pytest

from unifiedscore.errors import FileError, StudyError
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger, changes
from unifiedscore.ledger.terminal import print_changes, print_ledger, print_runs
from unifiedscore.study.unjudged import FailedCell, NotRun


def verdict(**changes):
    base = {
        "claim": "a.b",
        "study": "small",
        "statement": "something is one",
        "source": "Somebody 2020",
        "evidence": "monte_carlo",
        "outcome": "supported",
        "expected": "supported",
        "reason": "because",
        "estimate": 1.0,
        "interval": {"low": 0.9, "high": 1.1, "level": 0.99, "kind": "t"},
        "region": {"low": 0.5, "high": math.inf},
        "control_outcome": "refuted",
        "control_detail": {"mutation": "two", "estimate": 1.0, "interval": {}},
        "reproduce": "unifiedscore verify --claim a.b",
    }
    return Verdict(**(base | changes))


def ledger_of(*verdicts, **parts):
    return Ledger(profile="quick", root_seed=0, verdicts=verdicts, **parts)


def stored(tmp_path, ledger, **changes):
    """A file with the JSON of a ledger, changed by hand."""
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(ledger.to_json() | changes))
    return path


REFUTED = {"outcome": "refuted", "expected": "refuted", "control_outcome": None, "control_detail": None}
FAILED = FailedCell("small", {"dimension": 4}, "ValueError: no")
FAILURES = [FAILED] * 14 + [FailedCell("small", {"seed": 1}, f"other {number}") for number in range(13)]
WAITS = NotRun("a.c", "", "small", "standard", "needs more")


def test_the_ledger_has_the_keys_that_readers_rely_on(tmp_path):
    ledger = ledger_of(verdict(), verdict(claim="a.d", evidence="exact"), not_run=[WAITS], failed_cells=[FAILED])
    stored = json.loads(ledger.write(tmp_path / "out").read_text())
    assert stored == ledger.to_json()
    assert ledger == Ledger.read(tmp_path / "out") == Ledger.read(tmp_path / "out" / "ledger.json")
    assert {name: stored[name] for name in ("schema_version", "profile", "root_seed", "monte_carlo_verdicts")} == {
        "schema_version": 2,
        "profile": "quick",
        "root_seed": 0,
        "monte_carlo_verdicts": 1,
    }
    assert stored["not_run"] == [
        {"claim": "a.c", "regime": "", "study": "small", "profile": "standard", "reason": "needs more"}
    ]
    assert stored["failed_cells"] == [{"study": "small", "cell": {"dimension": 4}, "message": "ValueError: no"}]
    assert set(stored["verdicts"][0]) == {
        *("claim", "regime", "study", "statement", "source", "evidence", "outcome", "expected", "reason", "finding"),
        *("estimate", "interval", "region", "control_outcome", "control_detail", "hypotheses", "cells", "reproduce"),
    }
    assert stored["verdicts"][0]["region"] == {"low": 0.5, "high": None}


def test_the_family_wise_bound_counts_monte_carlo_verdicts_only():
    verdicts = [verdict(regime=str(number)) for number in range(31)] + [verdict(evidence="quadrature")]
    assert ledger_of(*verdicts).family_wise_bound == 0.0031


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([], 1),
        ([verdict(), verdict(regime="r", **REFUTED)], 0),
        ([verdict(outcome="inconclusive", expected="inconclusive")], 0),
        ([verdict(outcome="not_applicable", expected="not_applicable", control_outcome=None)], 0),
        ([verdict(outcome="refuted")], 1),
        ([verdict(expected="refuted", control_outcome=None)], 1),
        ([verdict(control_outcome="supported")], 1),
        ([verdict(control_outcome="inconclusive")], 1),
        ([verdict(control_outcome=None)], 1),
    ],
)
def test_exit_code_is_zero_only_if_all_is_as_expected_and_every_control_refuted(verdicts, code):
    assert ledger_of(*verdicts).exit_code == code
    assert ledger_of(*verdicts, failed_cells=[FAILED]).exit_code == 3


def test_two_verdicts_with_one_key_are_refused():
    with pytest.raises(StudyError, match="same claim, regime and evidence"):
        ledger_of(verdict(), verdict(study="other"))


def test_compare_finds_what_changed_appeared_and_vanished():
    old = ledger_of(verdict(), verdict(claim="gone"), verdict(claim="same"))
    new = ledger_of(verdict(outcome="refuted"), verdict(claim="new"), verdict(claim="same", estimate=1.01))
    found = changes(old, new)
    assert [change.key[0] for change in found] == ["a.b", "gone", "new"]
    text = io.StringIO()
    print_changes(found, file=text)
    assert "a.b [monte_carlo]: supported (expected supported) -> refuted (expected supported)" in text.getvalue()
    assert "absent -> supported" in text.getvalue() and "3 verdicts changed" in text.getvalue()
    assert changes(old, old) == ()


def test_numbers_are_no_change_but_every_outcome_is():
    old = ledger_of(verdict(), verdict(claim="b.c"))
    interval = {"low": 0.8, "high": 1.2, "level": 0.99, "kind": "t"}
    moved = {"estimate": 1.0 + 1e-12, "reason": "because of 1.000000001", "interval": interval}
    assert changes(old, ledger_of(verdict(**moved), verdict(claim="b.c", cells=3))) == ()
    for part, value in {"outcome": "inconclusive", "expected": "refuted", "control_outcome": "supported"}.items():
        ((change,), text) = changes(old, ledger_of(verdict(**{part: value}), verdict(claim="b.c"))), io.StringIO()
        assert (change.key[0], change.study, getattr(change.new, part)) == ("a.b", "small", value)
        print_changes([change], file=text)
        assert "    was: because\n    now: because\n1 verdict changed\n" in text.getvalue()


def test_a_partial_ledger_and_one_of_another_run_are_compared_in_a_few_lines():
    many = [verdict(claim=f"a.{name}") for name in "bcdefgh"]
    waits = NotRun("z.z", "", "other", "standard", "needs more")
    old = ledger_of(*many, verdict(claim="z.z", study="other"))
    new = ledger_of(many[0], not_run=[waits], failed_cells=[FAILED], stale=["small"])
    new = replace(new, root_seed=7)
    text = io.StringIO()
    print_runs(old, new, file=text)
    print_changes(changes(old, new), file=text)
    assert text.getvalue().splitlines() == [
        "note: root seed 0 -> 7",
        "note: the new ledger holds 1 failed cell and stale data of small",
        "small: 6 verdicts vanished, a.c and others",
        "z.z [monte_carlo]: supported (expected supported) -> absent (waits for profile standard)",
        "7 verdicts changed",
    ]


@pytest.mark.parametrize("content", ["{", "[]", '{"verdicts": []}', None])
def test_what_is_no_ledger_is_refused(tmp_path, content):
    path = tmp_path / "ledger.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(FileError, match=r"ledger\.json"):
        Ledger.read(path)


def test_another_schema_version_is_refused(tmp_path):
    path = stored(tmp_path, ledger_of(), schema_version=99)
    with pytest.raises(FileError, match="schema version 99"):
        Ledger.read(path)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def printed(ledger, kind=io.StringIO, **options):
    text = kind()
    print_ledger(ledger, file=text, **options)
    return text.getvalue()


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_the_summary_shows_what_decided_and_what_differs(kind, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    wrong = verdict(claim="c.d", regime="large", outcome="refuted", reason="it is two")
    ledger = ledger_of(verdict(claim="a[b]"), wrong, failed_cells=FAILURES)
    shown = plain(printed(ledger, kind, verbose=True))
    assert re.search(r"^ok  supported  a\[b\] +1  \[0.9, 1.1\]  in \[0.5, inf\]  Monte Carlo$", shown, re.M)
    assert "NOT AS EXPECTED  c.d (large): expected supported, came out refuted\n" in shown
    assert "\n  it is two\n" in shown and f"\n  {wrong.statement}\n" in shown
    assert "FAILED  small (14 cells, the first at dimension=4): ValueError: no" in shown
    assert "FAILED  small (seed=1): other 10" in shown and "and 2 more messages" in shown and "other 11" not in shown
    assert "2 verdicts: 1 supported, 1 refuted; 1 not as expected.\n27 failed cells.\n" in shown
    assert "at most 0.0002" in shown


def test_each_family_has_one_line_and_the_rest_is_for_verbose():
    found = [
        *(verdict(claim=f"drift.{letter}") for letter in "abc"),
        verdict(claim="drift.d", outcome="refuted", expected="refuted"),
        verdict(claim="tilting.a", outcome="not_applicable", expected="not_applicable", finding="the law was wrong"),
        verdict(claim="tilting.b", control_outcome="inconclusive"),
    ]
    shown = printed(ledger_of(*found))
    assert [line.split() for line in shown.splitlines()[1:4]] == [
        ["drift", "3", "1", "-", "-", "-"],
        ["tilting", "-", "-", "-", "1", "1"],
        ["all", "3", "1", "-", "1", "1"],
    ]
    assert len({len(line) for line in shown.splitlines()[:4]}) == 1
    assert "1 claim was changed after a run (see the report)." in shown
    assert "tilting.b: expected supported, its control came out inconclusive" in shown and "drift.a" not in shown
    whole = printed(ledger_of(*found), verbose=True)
    assert whole.endswith(shown) and whole.count("drift.") == 4


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_a_line_of_the_verbose_list_fits_the_terminal_and_a_pipe_shows_all(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    names = [f"drift.two_point_bifurcation_of_the_mean_{end}" for end in "ab"]
    ledger = ledger_of(*(verdict(claim=name, regime="half_of_the_points") for name in names))
    rows = plain(printed(ledger, Terminal, verbose=True)).split("\n\n")[0].splitlines()
    assert len(rows) == 2 and all(len(row) <= width and row.startswith("ok  supported  drift.two") for row in rows)
    assert ("…" in rows[0]) == (width < 160)
    pipe = printed(ledger, verbose=True)
    assert all(f"{name} (half_of_the_points)  1  [0.9, 1.1]" in pipe for name in names) and "\x1b" not in pipe


@pytest.mark.parametrize("width", [30, 38, 47, 80])
def test_no_name_and_no_command_is_broken_at_the_end_of_a_line(width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    reason = "the interval [0.1, 0.2] of a quantity with a long description misses the region [0.5, 1]"
    wrong = verdict(claim="drift.two-point", regime="of all", outcome="refuted", reason=reason)
    lines = plain(printed(ledger_of(wrong), Terminal)).splitlines()
    assert any("drift.two-point (of all)" in line for line in lines)
    assert f"  {wrong.reproduce}" in lines
    words = " ".join(" ".join(lines).split())
    assert reason in words and all(len(line) <= width for line in lines if line.startswith("  ") and "--" not in line)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_is_for_terminals_that_want_it(name, value, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[32mok" in printed(ledger_of(verdict()), Terminal, verbose=True)
    monkeypatch.setenv(name, value)
    assert "\x1b" not in printed(ledger_of(verdict()), Terminal, verbose=True)


def test_nothing_judged_is_said_and_one_claim_waits():
    text = io.StringIO()
    print_ledger(ledger_of(not_run=[WAITS]), file=text)
    assert "0 verdicts; nothing was judged.\n1 claim waits for a larger profile." in text.getvalue()
    assert "as expected" not in text.getvalue()


def test_stale_data_is_never_a_success():
    stale = ledger_of(verdict(), stale=["small"])
    text = io.StringIO()
    print_ledger(stale, file=text)
    assert stale.exit_code == 1 and "1 study judged on stale data (small)" in text.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"verdicts": [{"claim": "a"}]}, r"verdicts\[0\] lacks regime"),
        ({"verdicts": 7}, "verdicts of the file is a number"),
        ({"verdicts": [7]}, r"verdicts\[0\] is a number"),
        ({"verdicts": [verdict().to_json() | {"claim": None}]}, r"claim of verdicts\[0\] is null"),
        ({"verdicts": [verdict().to_json() | {"interval": {}}]}, r"interval of verdicts\[0\] lacks low"),
        (
            {"verdicts": [verdict(interval={"low": 0.9, "high": 1.1, "level": None, "kind": "t"}).to_json()]},
            "level of .* null",
        ),
        ({"verdicts": [verdict().to_json() | {"hypotheses": [3]}]}, "a hypothesis of .* is a number"),
        (
            {"verdicts": [verdict().to_json() | {"outcome": "fine"}]},
            r"verdicts\[0\]: outcome must be one of 'supported'",
        ),
        ({"verdicts": [verdict().to_json() | {"expected": "fine"}]}, r"verdicts\[0\]: expected must be one of"),
        ({"verdicts": [verdict().to_json() | {"control_outcome": "fine"}]}, "control_outcome must be one of"),
        ({"verdicts": [verdict().to_json() | {"evidence": "hearsay"}]}, "evidence must be one of 'symbolic'"),
        ({"verdicts": [verdict().to_json()] * 2}, "two verdicts have the same claim"),
        ({"failed_cells": ["x"]}, r"failed_cells\[0\] is a text"),
        ({"not_run": {}}, "not_run of the file is an object"),
        ({"stale": 3}, "stale"),
    ],
)
def test_foreign_entries_are_refused_by_name(tmp_path, change, message):
    path = stored(tmp_path, ledger_of(), **change)
    with pytest.raises(FileError, match=message):
        Ledger.read(path)

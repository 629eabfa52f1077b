"""The kind of each control and the sharpness of each inequality, in every view of a ledger."""

import io
import json

import pytest

from unifiedscore.errors import FileError
from unifiedscore.inference import Verdict
from unifiedscore.ledger.diff import changes
from unifiedscore.ledger.export import export_ledger
from unifiedscore.ledger.ledger import Ledger
from unifiedscore.ledger.report import render_report
from unifiedscore.ledger.terminal import print_ledger

ENDS = {"low": 0.5, "high": 0.5, "level": None, "kind": "numerical"}
CONTROL = {"mutation": "wrong", "estimate": 3.0, "interval": ENDS, "reason": ""}
# Claim, kind of its control, share of its bound.
CASES = [("a.sharp", "measurement", 0.99), ("a.between", "law", 0.41), ("a.loose", "law", 0.01),
         ("a.equal", "resolution only", None), ("a.none", "none", None)]  # fmt: skip


def verdict(claim, kind, share):
    control = None if kind == "none" else "refuted"
    outcome = "supported" if control else "refuted"
    return Verdict(
        claim=claim, study="s", statement=f"About {claim}.", source="derived here", evidence="quadrature",
        outcome=outcome, expected=outcome, reason="it is", estimate=0.5, interval=ENDS, region={"low": 0, "high": 1},
        control_outcome=control, control_detail=CONTROL if control else None, control_kind=kind, sharpness=share,
    )  # fmt: skip


@pytest.fixture
def ledger():
    return Ledger(profile="quick", root_seed=0, verdicts=tuple(verdict(*case) for case in CASES))


@pytest.fixture
def older(ledger):
    """The same ledger as it was written before both keys existed."""
    data = ledger.to_json()
    for entry in data["verdicts"]:
        entry.pop("control_kind"), entry.pop("sharpness", None)
    return data


def test_they_are_counted_and_survive_the_file(ledger, tmp_path):
    assert ledger.controls == {"measurement": 1, "law": 2, "resolution only": 1, "none": 1}
    assert [v.claim for v in ledger.inequalities] == ["a.sharp", "a.between", "a.loose"]
    ledger.write(tmp_path)
    again = Ledger.read(tmp_path)
    assert again == ledger and [v.sharpness for v in again.verdicts] == [0.99, 0.41, 0.01, None, None]


def test_an_older_ledger_is_read_compared_and_says_nothing_about_them(ledger, older):
    read = Ledger.from_json(older)
    assert read.controls == {"": 5} and read.inequalities == () and changes(read, ledger) == ()
    said = io.StringIO()
    print_ledger(read, file=said)
    assert "controls:" not in said.getvalue() and "inequal" not in said.getvalue()
    assert read.to_json() == older


@pytest.mark.parametrize(("key", "value"), [("sharpness", "1"), ("control_kind", 3)])
def test_a_value_of_the_wrong_kind_is_refused_by_name(older, key, value):
    older["verdicts"][1][key] = value
    with pytest.raises(FileError, match=rf"{key} of verdicts\[1\] is"):
        Ledger.from_json(older)


def test_an_unknown_kind_of_control_is_refused(older):
    older["verdicts"][0]["control_kind"] = "strawman"
    with pytest.raises(FileError, match=r"control_kind.*strawman"):
        Ledger.from_json(older)


def test_the_terminal_has_a_line_of_each(ledger):
    said = io.StringIO()
    print_ledger(ledger, verbose=True, file=said)
    text = said.getvalue()
    assert "controls: 1 by measurement, 2 by law, 1 for resolution only, none for 1 claim that needs none.\n" in text
    assert (
        "3 inequalities: 1 sharp (0.98 of the bound or more), 1 loose (less than 0.03), 1 between, from 0.41 on" in text
    )
    row = next(line for line in text.splitlines() if "a.between" in line)
    assert row.endswith("0.41 of its bound")


def test_report_and_exports_show_both(ledger):
    page = render_report(ledger)
    assert "(resolution only)" in page and "Sharp: 0.99 of its bound." in page and "Loose: 0.01 of its bound." in page
    assert "Controls: 1 by measurement" in page
    for form in ("markdown", "latex"):
        text = export_ledger(ledger, form)
        assert "refuted (law)" in text and "of its bound" in text and text.count("of its bound") == 3
    assert json.loads(json.dumps(ledger.to_json()))["verdicts"][2]["sharpness"] == 0.01

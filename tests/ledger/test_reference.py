"""The committed ledger of the quick profile: a reviewer's `unifiedscore diff reference/ledger.json results`."""

import json
from pathlib import Path

import pytest

from unifiedscore import cli
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.study.discover import discover

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference" / "ledger.json"


@pytest.fixture(scope="module")
def reference():
    return Ledger.read(REFERENCE)  # checks the schema


def test_it_is_a_whole_quick_run_at_seed_zero_with_everything_as_expected(reference):
    assert (reference.profile, reference.root_seed) == ("quick", 0)
    assert reference.exit_code == 0 and reference.stale == () and reference.failed_cells == ()
    assert all(verdict.reproduce.startswith("unifiedscore verify --claim ") for verdict in reference.verdicts)


def test_reading_and_writing_it_changes_no_byte(reference, tmp_path):
    assert reference.write(tmp_path).read_bytes() == REFERENCE.read_bytes()
    assert Ledger.from_json(reference.to_json()) == reference


def test_every_verdict_in_it_goes_through_its_object_and_back(reference):
    stored = json.loads(REFERENCE.read_text())
    pairs = zip(stored["verdicts"], reference.verdicts, strict=True)
    for entry, verdict in pairs:
        assert json.dumps(Verdict.from_json(entry).to_json()) == json.dumps(entry)  # order and digits, too
        assert Verdict.from_json(entry) == verdict
    assert len(reference.verdicts) > 300
    counted = {name: stored[name] for name in ("monte_carlo_verdicts", "family_wise_bound")}
    assert counted == {name: getattr(reference, name) for name in counted}


def test_every_claim_in_it_is_made_by_a_study_or_derivation_of_this_repository(reference):
    found = discover([ROOT], kinds=("studies", "derivations"))
    claims = {claim.key for item in found.studies for claim in item.study.claims}
    claims |= {item.derivation.key for item in found.derivations}
    claims |= {universal.key for item in found.studies for universal in item.study.universals}
    assert {verdict.key for verdict in reference.verdicts} <= claims
    pairs = {key[:2] for key in claims}
    assert {(entry.claim, entry.regime) for entry in reference.not_run} <= pairs


def test_a_run_that_differs_in_digits_is_the_same_and_one_that_differs_in_an_outcome_is_not(
    reference, tmp_path, capsys
):
    other = reference.to_json()
    for verdict in other["verdicts"]:
        if verdict["estimate"] is not None:
            verdict["estimate"] *= 1 + 1e-9
    (tmp_path / "ledger.json").write_text(json.dumps(other))
    assert cli._exit_code(["diff", str(REFERENCE), str(tmp_path)]) == 0
    assert capsys.readouterr().out == "no verdict changed\n"
    changed = next(verdict for verdict in other["verdicts"] if verdict["control_outcome"] == "refuted")
    changed["control_outcome"] = "inconclusive"
    (tmp_path / "ledger.json").write_text(json.dumps(other))
    assert cli._exit_code(["diff", str(REFERENCE), str(tmp_path)]) == 1
    assert changed["claim"] in capsys.readouterr().out

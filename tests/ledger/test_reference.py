"""The committed ledger of the quick profile: a reviewer's `unifiedscore diff reference/ledger.json results`."""

import copy
import json
from pathlib import Path

import pytest

from unifiedscore import cli
from unifiedscore.ledger import exit_code, read_ledger
from unifiedscore.ledger.ledger import family_wise
from unifiedscore.study.discover import discover

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "reference" / "ledger.json"


@pytest.fixture(scope="module")
def reference():
    return read_ledger(REFERENCE)  # checks the schema


def test_it_is_a_whole_quick_run_at_seed_zero_with_everything_as_expected(reference):
    assert (reference["profile"], reference["root_seed"]) == ("quick", 0)
    assert exit_code(reference) == 0 and reference["stale"] == [] and reference["failed_cells"] == []
    assert family_wise(reference["verdicts"]).items() <= reference.items()
    assert all(verdict["reproduce"].startswith("unifiedscore verify --claim ") for verdict in reference["verdicts"])


def test_every_claim_in_it_is_made_by_a_study_or_derivation_of_this_repository(reference):
    found = discover([ROOT], kinds=("studies", "derivations"))
    claims = {(claim.id, claim.regime, claim.evidence) for item in found.studies for claim in item.study.claims}
    claims |= {(item.derivation.claim, item.derivation.regime, "symbolic") for item in found.derivations}
    for verdict in reference["verdicts"]:
        assert (verdict["claim"], verdict["regime"], verdict["evidence"]) in claims, verdict["claim"]
    pairs = {key[:2] for key in claims}
    assert {(entry["claim"], entry["regime"]) for entry in reference["not_run"]} <= pairs


def test_a_run_that_differs_in_digits_is_the_same_and_one_that_differs_in_an_outcome_is_not(
    reference, tmp_path, capsys
):
    other = copy.deepcopy(reference)
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

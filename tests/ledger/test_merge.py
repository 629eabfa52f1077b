"""A call that judges a part keeps exactly the rest of an older ledger."""

import itertools

import pytest

from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.merge import Part
from unifiedscore.study.unjudged import FailedCell, NotRun


def verdict(study, claim, evidence="exact", **changes):
    exact = {"low": 1.0, "high": 1.0, "level": None, "kind": "numerical"}
    base = {"statement": "s", "source": "here", "outcome": "supported", "expected": "supported", "reason": "r"}
    parts = base | {"control_outcome": "refuted", "interval": exact, "region": {"low": 0.0, "high": 2.0}} | changes
    return Verdict(study=study, claim=claim, evidence=evidence, **parts)


def ledger(*studies, proofs=(), **changes):
    """Two claims, one that waits and one failed cell of each study; a proof of each of `proofs`."""
    verdicts = [verdict(study, f"{study}.{name}", **changes) for study in studies for name in ("a", "b")]
    verdicts += [verdict("derivations", claim, "symbolic", **changes) for claim in proofs]
    return Ledger(
        profile="quick",
        root_seed=0,
        verdicts=verdicts,
        not_run=[NotRun(f"{study}.c", "", study, "full", "needs more") for study in studies],
        failed_cells=[FailedCell(study, {"seed": 0}, "no") for study in studies],
        stale=studies,
    )


STUDIES = ("one", "two", "three")
PARTS = [part for size in range(4) for part in itertools.combinations(STUDIES, size)]


@pytest.mark.parametrize("part", PARTS, ids=",".join)
def test_each_study_comes_from_the_call_that_judged_it_last(part):
    old, new = ledger(*STUDIES, proofs=["one.a"]), ledger(*part, reason="again")
    whole = new.merge(old, Part(frozenset(part)))
    assert {v.key for v in whole.verdicts} == {v.key for v in old.verdicts}
    assert all((v.reason == "again") == (v.study in part) for v in whole.verdicts)
    for name in ("not_run", "failed_cells"):
        assert sorted(e.study for e in getattr(whole, name)) == sorted(STUDIES)
    assert whole.stale == tuple(sorted(STUDIES)) and whole.merge(old, Part(frozenset(STUDIES))).run == old.run


def test_what_is_mended_or_gone_is_no_longer_in_the_ledger():
    old = ledger("one", "two", proofs=["one.a"])
    mended = Ledger(profile="quick", root_seed=0, verdicts=[verdict("one", "one.a")])
    whole = mended.merge(old, Part(frozenset({"one"}), frozenset({"one.a"}), frozenset({"derive_one"})))
    # the second claim and the proof were to be judged and are not there any more
    assert [v.key[::2] for v in whole.verdicts] == [("two.a", "exact"), ("two.b", "exact"), ("one.a", "exact")]
    assert [cell.study for cell in whole.failed_cells] == [entry.study for entry in whole.not_run] == ["two"]
    assert whole.stale == ("two",) and whole.exit_code == 3


def test_one_claim_leaves_the_others_of_its_study():
    old = ledger("one")
    whole = Ledger(profile="quick", root_seed=0, verdicts=[verdict("one", "one.a", reason="again")])
    whole = whole.merge(old, Part(frozenset({"one"}), claim="one.a"))
    assert {v.claim: v.reason for v in whole.verdicts} == {"one.a": "again", "one.b": "r"}
    assert [entry.claim for entry in whole.not_run] == ["one.c"]

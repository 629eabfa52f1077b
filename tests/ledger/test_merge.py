"""A call that judges a part keeps exactly the rest of an older ledger."""

import itertools

import pytest

from unifiedscore.errors import FileError
from unifiedscore.inference import Verdict
from unifiedscore.ledger import Ledger
from unifiedscore.ledger.merge import Part, merged, note_judged_before
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


LOOKED = {"looks": {"look": 1, "seeds": 16, "levels": None, "decided_at": 1}}


def sampled(claim, **changes):
    interval = {"low": 1.0, "high": 1.0, "level": 0.99, "kind": "t"}
    return verdict("one", claim, "monte_carlo", interval=interval, **changes)


@pytest.mark.parametrize("looks_first", [False, True])
def test_verdicts_of_looks_and_of_a_plain_run_never_share_a_ledger(tmp_path, capsys, looks_first):
    made = {
        looked: Ledger(profile="quick", root_seed=0, verdicts=[sampled(claim, **(LOOKED if looked else {}))])
        for looked, claim in ((looks_first, "one.a"), (not looks_first, "one.b"))
    }
    first, other = made[looks_first], made[not looks_first]
    assert (made[True].until_decided, made[False].until_decided) == (True, False)
    first.write(tmp_path)
    assert merged(other, Part(frozenset({"one"}), claim="one.b"), tmp_path) == other
    assert "do not belong to this run and are replaced; they are kept in" in capsys.readouterr().err
    # What is set aside has a file of its own for each plan, and is taken up again.
    other.write(tmp_path)
    back = merged(first, Part(frozenset({"one"}), claim="one.a"), tmp_path)
    assert back.verdicts == first.verdicts
    kept = {path.name: Ledger.read(path) for path in tmp_path.glob("ledger-*.json")}
    assert kept == {"ledger-quick-seed0.json": made[False], "ledger-quick-seed0-until-decided.json": made[True]}


@pytest.mark.parametrize("looked", [False, True])
def test_what_takes_no_seeds_joins_either_plan(tmp_path, capsys, looked):
    old = Ledger(profile="quick", root_seed=0, verdicts=[sampled("one.a", **(LOOKED if looked else {}))])
    old.write(tmp_path)
    for flag in (False, True):
        exact = Ledger(profile="quick", root_seed=0, verdicts=[verdict("two", "two.a")], until_decided=flag)
        whole = merged(exact, Part(frozenset({"two"})), tmp_path)
        assert len(whole.verdicts) == 2 and whole.until_decided == looked
        assert Ledger.from_json(whole.to_json()) == whole
    assert capsys.readouterr().err == ""


def test_a_run_with_looks_whose_claims_name_their_seeds_says_so_by_itself():
    named = Ledger(profile="quick", root_seed=0, verdicts=[sampled("one.a")], until_decided=True)
    assert Ledger.from_json(named.to_json()).until_decided
    looks = Ledger(profile="quick", root_seed=0, verdicts=[sampled("one.b", **LOOKED)])
    assert named.belongs_with(looks) and not Ledger.from_json(ledger("one").to_json()).until_decided
    with pytest.raises(FileError, match="until_decided of the file is a text"):
        Ledger.from_json(named.to_json() | {"until_decided": "yes"})


def test_claims_that_were_judged_in_a_plain_run_are_named(tmp_path, capsys):
    Ledger(profile="quick", root_seed=0, verdicts=[sampled("one.a"), sampled("one.b")]).write(tmp_path)
    again = Ledger(profile="quick", root_seed=0, verdicts=[sampled("one.a", **LOOKED), sampled("one.c", **LOOKED)])
    note_judged_before(again, tmp_path)
    assert (
        "one.a was judged in a plain run before; its rates are those of the plan only if that verdict is "
        in (said := capsys.readouterr().err)
        and "one.c" not in said
    )
    again.write(tmp_path)
    note_judged_before(again, tmp_path)
    assert capsys.readouterr().err == ""


def test_one_claim_leaves_the_others_of_its_study():
    old = ledger("one")
    whole = Ledger(profile="quick", root_seed=0, verdicts=[verdict("one", "one.a", reason="again")])
    whole = whole.merge(old, Part(frozenset({"one"}), claim="one.a"))
    assert {v.claim: v.reason for v in whole.verdicts} == {"one.a": "again", "one.b": "r"}
    assert [entry.claim for entry in whole.not_run] == ["one.c"]

"""Every mutation can be planted as it is written; to run them is a command of its own: `python -m tests.mutations`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.mutations.campaign import Known, Result
from tests.mutations.mutation import ROOT, Mutation, mutations
from tests.mutations.table import table

LISTED = mutations()


@pytest.mark.parametrize("mutation", LISTED, ids=[mutation.name for mutation in LISTED])
def test_a_mutation_can_be_planted_and_those_who_should_notice_exist(mutation):
    mutation.applied((ROOT / "unifiedscore" / mutation.file).read_text())
    for path in (*mutation.studies, *(f"tests/{test}" for test in mutation.tests)):
        assert (ROOT / path.partition("::")[0]).exists(), path
    assert mutation.tests


def test_there_are_a_hundred_in_all_packages_and_none_twice():
    assert len(LISTED) >= 100
    assert len({mutation.name for mutation in LISTED}) == len({(m.file, m.old, m.new) for m in LISTED}) == len(LISTED)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [("x = 1", "x = 2", "2 times"), ("z", "y", "0 times"), ("y = 3", "y  =  3", "nothing changes")],
)
def test_an_edit_that_is_not_one_is_refused(old, new, message):
    with pytest.raises(ValueError, match=message):
        Mutation("a.py", old, new, "a mistake").applied("x = 1\nx = 1\ny = 3\n")


def test_results_are_kept_and_the_table_counts_them(tmp_path):
    listed = [Mutation("kernels/a.py", "a", "b", "one"), Mutation("study/b.py", "a", "b", "two")]
    known = Known(tmp_path / "known.jsonl")
    known.put("k1", Result(listed[0].name, "verify", True, ("claim",), False))
    known.put("k2", Result(listed[1].name, "verify", False, (), True))
    again = Known(tmp_path / "known.jsonl")
    found = {(again.get(key).name, "verify"): again.get(key) for key in ("k1", "k2")}
    text = table(found, listed)
    assert "| kernels | 1 | 1 of 1 (100 %) | not run |" in text and "| **all** | 2 | 1 of 2 (50 %) | not run |" in text
    assert "- study/b.py: two\n" in text

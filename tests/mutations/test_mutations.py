"""Every mutation can be planted as it is written; to run them is a command of its own: `python -m tests.mutations`."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.mutations.campaign import Copy, Known, Result, attempt, key_of, planted_of
from tests.mutations.mutation import ROOT, Mutation, mutations
from tests.mutations.table import page

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
    text = page(found, listed, earlier=1)
    assert "| kernels | 1 | 1 of 1 (100 %) | not run |" in text and "| **all** | 2 | 1 of 2 (50 %) | not run |" in text
    assert "- study/b.py: two\n" in text and "| kernels/a.py | one | claim | not run |" in text
    assert "1 of 2 results are of an earlier state" in text


def test_a_result_belongs_to_the_edit_and_to_what_was_run(tmp_path):
    mutation = Mutation("kernels/a.py", "a", "b", "one")
    said_otherwise, other = replace(mutation, mistake="another word"), replace(mutation, new="c")
    assert planted_of(mutation, "tests") == planted_of(said_otherwise, "tests")
    assert len({planted_of(mutation, "tests"), planted_of(mutation, "verify"), planted_of(other, "tests")}) == 3
    for part in ("unifiedscore", "tests"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "file.py").write_text("x = 1\n")
    run = {"mode": "tests", "whole": False}
    key = key_of(tmp_path, mutation, first=["tests/file.py"], **run)
    (tmp_path / "tests/elsewhere.py").write_text("x = 1\n")
    assert key_of(tmp_path, mutation, first=["tests/file.py"], **run) == key
    (tmp_path / "tests/file.py").write_text("x = 2\n")
    after = key_of(tmp_path, mutation, first=["tests/file.py"], **run)
    assert after != key and after.startswith(planted_of(mutation, "tests"))
    known = Known(tmp_path / "known.jsonl")
    for position, place in enumerate((key, after, key)):
        known.put(place, Result("one", "tests", position == 2, (), False))
    assert Known(tmp_path / "known.jsonl").last(planted_of(mutation, "tests")).noticed
    assert known.last(planted_of(other, "tests")) is None


def test_a_mistake_stands_in_the_copy_for_as_long_as_it_is_tried(tmp_path):
    copy, mutation = Copy(tmp_path / "project"), LISTED[0]
    path = copy.folder / "unifiedscore" / mutation.file
    text = path.read_text()
    with copy.planted(mutation):
        assert path.read_text() == mutation.applied(text)
    assert path.read_text() == text == (ROOT / "unifiedscore" / mutation.file).read_text()
    # What says that the planted text is not there would notice everything.
    assert not (copy.folder / "tests/mutations").exists()
    (copy.folder / "tests/test_one.py").write_text("def test_it():\n    assert False\n")
    result = attempt(copy, None, "tests", ["tests/test_one.py"], whole=False)
    assert result == Result("nothing", "tests", True, ("tests/test_one.py::test_it",), False)

"""Every mutation can be planted as it is written; to run them is a command of its own: `python -m tests.mutations`."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tests.mutations.campaign import Copy, Known, Result, attempt, key_of, planted_of
from tests.mutations.importers import files_to_verify
from tests.mutations.mutation import ROOT, Mutation, in_random_order, mutations
from tests.mutations.reasons import REASONS
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


def test_every_beginning_of_the_random_order_is_a_stratified_sample():
    order = in_random_order(LISTED, 7)
    assert sorted(m.name for m in order) == sorted(m.name for m in LISTED)
    assert order == in_random_order(reversed(LISTED), 7) != in_random_order(LISTED, 8)
    share = sum(m.numerical for m in LISTED) / len(LISTED)
    for size in (20, 50, 100):
        assert abs(sum(m.numerical for m in order[:size]) - share * size) <= 1.5


def test_the_scores_of_a_sample_leave_out_what_was_chosen_and_have_an_interval():
    order = in_random_order(LISTED, 3)
    found = {(m.name, "verify"): Result(m.name, "verify", place % 2 == 0, ("claim",), False)
             for place, m in enumerate(order) if place < 10 or place == 40}  # fmt: skip
    text = page(found, LISTED, seed=3)
    assert "random sample of 10" in text
    # Clopper and Pearson: five of ten.
    assert f"| **all** | {len(LISTED)} | 5 of 10 (50 %, interval 19 to 81 %), {len(LISTED) - 10} not run |" in text


def test_a_mistake_is_tried_on_files_that_run_the_mutated_one():
    bandwidth = next(m for m in LISTED if m.file == "kernels/gaussian.py")
    assert len(files_to_verify(bandwidth)) >= 2 and set(bandwidth.studies) <= set(files_to_verify(bandwidth))
    nothing = Mutation("plotting/series.py", "a", "b", "no study draws")
    assert files_to_verify(nothing) == ()


def test_reasons_are_those_of_mutations_that_exist():
    assert {m.name for m in LISTED} >= set(REASONS)


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

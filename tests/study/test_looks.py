"""Verdicts that may ask for more seeds: a function of the root seed and the largest complete look alone."""

import textwrap
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import InputError
from unifiedscore.inference import Inside, Look, decide
from unifiedscore.study import Claim, Control, Grid, Hypothesis, Study, Variable, judge
from unifiedscore.study.dataset import lasting_bytes
from unifiedscore.study.discover import studies_in
from unifiedscore.study.extending import measure_until_decided
from unifiedscore.study.judge import standings
from unifiedscore.study.pool import LocalPool
from unifiedscore.study.runner import measure_studies
from unifiedscore.study.settings import RunSettings

FAR = Control("far away", test=Inside(90.0, 91.0))
CLAIM = Claim("demo.mean", "the mean is one", "derived here", "monte_carlo", "y", Inside(0.5, 1.5), control=FAR)


def study_of(*claims, grid=None):
    names = {name: Variable(name) for name in ("y", "z")}
    return Study("demo", "A demonstration", grid or Grid(seed=range(16)), lambda cell, rng: {}, names, claims)


def data(y, **attributes):
    y = np.asarray(y, dtype=float)
    return xr.Dataset({"y": ("seed", y), "z": ("seed", y)}, {"seed": range(len(y))}, attrs=attributes)


def verdict(claim, y, **options):
    return judge(study_of(claim), data(y), **({"until_decided": True} | options))[0]


def noise(seed, count=1024):
    return np.random.default_rng(seed).normal(size=count)


def by_hand(y, test, first=16):
    """The rule once more, from its words: the first support decides, and a refutation that the next look repeats."""
    k, before = 1, ""
    while (n := first * 2 ** (k - 1)) <= len(y):
        alpha, beta = 0.01 / (k * (k + 1)), 0.0001 / (k * (k + 1))
        narrow, wide = (test.estimate(y[:n], level=1 - rate) for rate in (alpha, beta))
        now = "supported" if decide(narrow, test.low, test.high) == "supported" else "inconclusive"
        now = "refuted" if now != "supported" and decide(wide, test.low, test.high) == "refuted" else now
        if now == "supported" or now == before == "refuted":
            return now, n
        k, before = k + 1, now
    return "inconclusive", n // 2


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mean", [1.0, 1.35, 1.55, 2.2])
def test_a_claim_is_judged_at_one_look_after_the_other(seed, mean):
    y = mean + noise(seed)
    found, (outcome, seeds) = verdict(CLAIM, y), by_hand(y, CLAIM.test)
    assert (found.outcome, found.looks["seeds"]) == (outcome, seeds)
    assert (found.looks["decided_at"] is None) == (outcome == "inconclusive")
    if outcome != "inconclusive":  # what was estimated when it was decided, not what all seeds give
        assert found.estimate == pytest.approx(y[:seeds].mean()) and found.cells == seeds
        levels = found.looks["levels"]
        assert found.interval["level"] == levels["support" if outcome == "supported" else "refute"]


@pytest.mark.parametrize("mean", [1.0, 1.35, 1.6])
def test_the_verdict_depends_on_the_largest_complete_look_alone(mean):
    y = mean + noise(3)
    for seeds in (16, 17, 31, 32, 100, 127):
        complete = 16 * 2 ** int(np.log2(seeds / 16))
        assert verdict(CLAIM, y[:seeds]).to_json() == verdict(CLAIM, y[:complete]).to_json()


def test_spending_begins_at_the_first_look():
    """What the full level supports and half of it does not is undecided: both together would spend too much."""
    y = noise(0, 16)
    y = (y - y.mean()) / y.std(ddof=1)
    low, high = (Inside(-9, 9).estimate(y, level=level).high for level in (0.99, 0.995))
    claim = replace(CLAIM, test=Inside(-9.0, (low + high) / 2))
    assert verdict(claim, y, until_decided=False).outcome == "supported"
    found = verdict(claim, y)
    assert found.outcome == "inconclusive" and found.looks == Look(1, 16).to_json(None)


def test_a_refutation_is_confirmed_by_the_next_look_or_named():
    y = 1 + noise(1, 64)
    early = np.concatenate([9 + 0.1 * y[:16], y[16:]])
    assert verdict(CLAIM, early, until_decided=False).outcome == "inconclusive"
    alone = verdict(CLAIM, early[:16])
    assert alone.outcome == "inconclusive" and alone.reason.startswith("refuted at look 1 (16 seeds), which the look")
    assert "refuted at 16 seeds, not at 32" in verdict(CLAIM, early).reason
    found = verdict(CLAIM, 9 + y)
    assert (found.outcome, found.looks["decided_at"], found.looks["seeds"]) == ("refuted", 2, 32)


def test_a_control_without_power_leaves_the_claim_undecided_until_a_look_refutes_it():
    claim = replace(CLAIM, test=Inside(-9.0, 9.0), control=Control("near", test=Inside(1.7, 9.0)))
    y = 1 + noise(2)
    small, found = verdict(claim, y[:16]), verdict(claim, y)
    assert small.outcome == "inconclusive" and "no power" in small.reason
    assert found.outcome == "supported" and found.looks["seeds"] > 16 and found.control_outcome == "refuted"


def test_a_failing_hypothesis_ends_it():
    claim = replace(CLAIM, hypotheses=(Hypothesis("small", "z", high=0.0),))
    found = standings(study_of(claim), data(1 + noise(0)), until_decided=True)[0]
    assert (found.verdict.outcome, found.verdict.looks["look"], found.need) == ("not_applicable", 1, 0.0)


def test_data_say_by_themselves_that_seeds_were_added_until_claims_were_decided():
    y = 1.2 + noise(5, 256)
    (follows,) = judge(study_of(CLAIM), data(y, until_decided=1))
    assert follows.to_json() == verdict(CLAIM, y).to_json() and follows.looks is not None
    (plain,) = judge(study_of(CLAIM), data(y, until_decided=1), until_decided=False)
    assert plain.looks is None and plain.cells == 256
    with pytest.raises(InputError, match="until_decided must be True, False or None; got 1"):
        judge(study_of(CLAIM), data(y), until_decided=1)


def test_claims_that_more_seeds_do_not_concern_are_judged_as_in_a_plain_run():
    named = replace(CLAIM, regime="named", where={"seed": list(range(16))})
    exact = Claim("demo.exact", "one", "derived here", "quadrature", "z", Inside(0.5, 1.5), where={"seed": 0},
                  control=FAR)  # fmt: skip
    study = study_of(CLAIM, named, exact)
    y = 1 + 0.1 * noise(4)
    z = np.where(np.arange(1024) < 16, 1.0, np.nan)
    wide = data(y).assign(z=("seed", z), z_error=("seed", 0 * y))
    grown, plain = judge(study, wide, until_decided=True), judge(study, wide.isel(seed=slice(16)))
    assert [entry.looks is None for entry in grown] == [False, True, True]
    assert [entry.to_json() for entry in grown[1:]] == [entry.to_json() for entry in plain[1:]]


def test_seeds_that_are_no_range_cannot_be_added():
    (found,) = judge(study_of(CLAIM, grid=Grid(seed=[3, 5, 8])), data(np.ones(3)).assign_coords(seed=[3, 5, 8]),
                     until_decided=True)  # fmt: skip
    assert found.looks is None


def test_a_quick_profile_of_few_seeds_has_its_first_look_at_sixteen():
    study = study_of(CLAIM, grid=Grid(seed=range(3)))
    (few,) = judge(study, data(1 + 0.1 * noise(0, 12)), until_decided=True)
    assert few.outcome == "inconclusive" and "the first look is at 16 of them" in few.reason
    (enough,) = judge(study, data(1 + 0.1 * noise(0, 16)), until_decided=True)
    assert enough.outcome == "supported" and enough.looks["seeds"] == 16


SOURCE = '''
"""Means."""
from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable


def measure(cell, rng):
    return {{"mean": 1 + 0.3 * rng.standard_normal(), "case": float(cell["seed"])}}


shared = dict(source="elementary", evidence="monte_carlo", variable="mean")
study = Study(
    name="means",
    title="Means",
    grid=Grid(
        place=["here", "there"], seed=range({seeds}), skip=lambda cell: cell["place"] == "there" and cell["seed"] >= 16
    ),
    measure=measure,
    variables={{"mean": Variable("Mean"), "case": Variable("Case")}},
    claims=[
        Claim("means.near", "one", where={{"place": "here"}}, test=Inside(0.9, 1.1),
              control=Control("two", test=Inside(1.9, 2.1)), **shared),
        Claim("means.skipped", "one", where={{"place": "there"}}, test=Inside(0.95, 1.05),
              control=Control("two", test=Inside(1.9, 2.1)), **shared),
        Claim("means.expected", "nobody knows", where={{"place": "here"}}, test=Inside(1.0, 9.0),
              control=Control("ten", test=Inside(9.0, 9.1)), expect="inconclusive", **shared),
    ],
)
'''


@pytest.fixture
def make(tmp_path):
    def write(seeds=16):
        path = tmp_path / f"study_{seeds}" / "study_means.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(SOURCE.format(seeds=seeds)).lstrip())
        return studies_in(path)[0].study

    return write


def run(study, out, **options):
    most = {name: options.pop(name) for name in ("most_seeds", "budget") if name in options}
    (dataset,) = measure_until_decided([study], RunSettings(out=out, until_decided=True, **options), **most)
    return dataset


def test_a_run_takes_looks_until_claims_are_decided(make, tmp_path, capsys):
    study = make()
    dataset = run(study, tmp_path / "one")
    near, skipped, expected = judge(study, dataset)
    assert near.outcome == "supported" and near.looks["seeds"] == dataset.sizes["seed"] > 16
    assert skipped.outcome == "inconclusive" and expected.outcome == "inconclusive"
    assert "means.skipped stays undecided: its grid skips further seeds" in capsys.readouterr().err
    # A cell of a larger look is the cell that a larger grid has.
    (wide,) = measure_studies([make(dataset.sizes["seed"])], RunSettings(out=tmp_path / "wide"))
    for name in ("mean", "case"):
        np.testing.assert_array_equal(dataset[name].values, wide[name].values)


def test_the_same_bits_with_any_workers_and_after_an_interruption(make, tmp_path):
    study = make()
    whole = lasting_bytes(run(study, tmp_path / "whole"))
    with LocalPool(2) as pool:
        assert lasting_bytes(run(study, tmp_path / "two", executor=pool)) == whole
    with ThreadPoolExecutor(4) as pool:
        assert lasting_bytes(run(study, tmp_path / "four", executor=pool)) == whole
    # Killed between looks, and in the middle of one: some of its records are missing.
    run(study, tmp_path / "killed", most_seeds=32)
    records = sorted((tmp_path / "killed" / "cells" / "means").glob("*.json"))
    for path in records[::3]:
        path.unlink()
    assert lasting_bytes(run(study, tmp_path / "killed")) == whole
    # Nothing is measured twice.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "killed" / "cells" / "means").glob("*.json")}
    run(study, tmp_path / "killed")
    assert before == {path: path.stat().st_mtime_ns for path in before}


def test_a_budget_and_a_cap_change_how_far_it_gets_and_nothing_else(make, tmp_path, capsys):
    study = make()
    capped = run(study, tmp_path / "capped", most_seeds=31)
    assert capped.sizes["seed"] == 16 and "at most 31 are measured" in capsys.readouterr().err
    spent = run(study, tmp_path / "spent", budget=1e-9)
    assert spent.sizes["seed"] == 16 and "the budget of 1e-09 s is spent" in capsys.readouterr().err
    whole = lasting_bytes(run(study, tmp_path / "other"))
    assert lasting_bytes(run(study, tmp_path / "spent")) == whole
    # What was measured before costs nothing: a budget does not undo what it decided.
    capsys.readouterr()
    assert lasting_bytes(run(study, tmp_path / "spent", budget=1e-9)) == whole
    assert "more cells" not in (said := capsys.readouterr().err) and "the budget" not in said


def test_the_same_replicates_confirm_no_refutation():
    """Its grid skips further seeds of one claim, and a sibling has the data set grow."""
    place = np.repeat([["here", "there"]], 64, axis=0)
    y = np.where(place == "here", 1.0, 9.0) + 0.1 * noise(6, 128).reshape(64, 2)
    skipped = (place == "there") & (np.arange(64)[:, None] >= 16)
    grid = Grid(seed=range(16), place=["here", "there"], skip=lambda c: c["place"] == "there" and c["seed"] >= 16)
    here, there = (replace(CLAIM, regime=name, where={"place": name}) for name in ("here", "there"))
    dims = ("seed", "place")
    dataset = xr.Dataset({"y": (dims, np.where(skipped, np.nan, y)), "status": (dims, np.where(skipped, 1, 0))},
                         {"seed": range(64), "place": ["here", "there"]})  # fmt: skip
    grown, alone = standings(study_of(here, there, grid=grid), dataset, until_decided=True)
    assert grown.verdict.outcome == "supported"
    assert alone.verdict.outcome == "inconclusive" and alone.verdict.looks["decided_at"] is None
    assert alone.verdict.reason.startswith("refuted at look 1 (16 seeds), which the look")


HALF = Grid(seed=range(16), place=["here", "there"], skip=lambda c: c["place"] == "there" and c["seed"] >= 16)


def half_grown(y):
    """Of values (seed, place) the second place has its first 16 seeds alone."""
    dims, skipped = ("seed", "place"), np.zeros(y.shape, bool)
    skipped[16:, 1] = True
    values = {"y": (dims, np.where(skipped, np.nan, y)), "status": (dims, np.where(skipped, 1, 0))}
    return xr.Dataset(values, {"seed": range(len(y)), "place": ["here", "there"]})


def test_a_cell_that_cannot_grow_refutes_no_claim_over_several():
    y = np.array([1.0, 9.0]) + 0.1 * noise(6, 128).reshape(64, 2)
    study = study_of(CLAIM, grid=HALF)
    (first,) = standings(study, half_grown(y[:16]), until_decided=True)
    assert first.need == 32  # another cell may be refuted as well
    (found,) = standings(study, half_grown(y), until_decided=True)
    assert (found.verdict.outcome, found.need) == ("inconclusive", np.inf)
    assert "by the same replicates, which cannot confirm one another" in found.verdict.reason
    assert "skips further seeds of place=there" in found.verdict.reason
    (both,) = judge(study, half_grown(y + np.array([8.0, 0.0])), until_decided=True)
    assert (both.outcome, both.looks["seeds"]) == ("refuted", 32)


@pytest.mark.parametrize(
    ("growing", "needs", "outcome"),
    [
        (
            (1.9, 0.6),
            {16: 32, 32: 64, 64: 128, 128: 256, 256: 0},
            "refuted",
        ),  # by itself, in the end
        ((1.49, 0.6), {16: 32, 32: 64, 64: 128, 128: 256}, "inconclusive"),  # undecided for long
        ((1.0, 0.1), {16: 32, 32: np.inf, 64: np.inf}, "inconclusive"),  # supported: what is left cannot grow
        ((9.0, 0.1), {16: 32, 32: 0}, "refuted"),
    ],
)
def test_a_claim_asks_for_seeds_while_a_cell_that_grows_is_open(growing, needs, outcome):
    """Beside a cell that is refuted by its 16 seeds and gets no more."""
    y = np.array([growing[0], 2.0]) + np.array([growing[1], 0.05]) * noise(3, 512).reshape(256, 2)
    study = study_of(CLAIM, grid=HALF)
    found = {count: standings(study, half_grown(y[:count]), until_decided=True)[0] for count in needs}
    assert {count: standing.need for count, standing in found.items()} == needs
    last = found[max(needs)].verdict
    assert last.outcome == outcome
    if outcome == "refuted":
        assert last.estimate == pytest.approx(growing[0], abs=0.3)


def test_an_undecided_cell_that_cannot_grow_asks_for_no_seeds():
    """Its own interval covers an end of the region, and the other cell is supported: no seeds decide the claim."""
    y = np.array([1.0, 1.5]) + 0.1 * noise(3, 128).reshape(64, 2)
    found = [standings(study_of(CLAIM, grid=HALF), half_grown(y[:n]), until_decided=True)[0] for n in (16, 32, 64)]
    assert [standing.verdict.outcome for standing in found] == ["inconclusive"] * 3
    assert found[0].need >= 32 and [standing.need for standing in found[1:]] == [np.inf] * 2


@pytest.mark.parametrize("close", [[0.9999996, 0.9999998], [0.1, 0.2]])
def test_cells_whose_printed_labels_agree_do_not_confirm_each_other(close):
    """One is refuted by its 16 seeds at the first look, the other by 32 at the second look alone."""
    grid = Grid(seed=range(16), width=close, skip=lambda c: c["width"] == close[0] and c["seed"] >= 16)
    # The second cell is open at 16 seeds and refuted at 32.
    y = np.array([9.0, 1.0]) + 0.1 * noise(6, 64).reshape(32, 2)
    y[16:, 1] += 8.0
    y[:16, 1] += np.where(np.arange(16) % 2, 4.0, 0.0)
    skipped = np.zeros(y.shape, bool)
    skipped[16:, 0] = True
    dims = ("seed", "width")
    dataset = xr.Dataset({"y": (dims, np.where(skipped, np.nan, y)), "status": (dims, np.where(skipped, 1, 0))},
                         {"seed": range(32), "width": close})  # fmt: skip
    (found,) = standings(study_of(CLAIM, grid=grid), dataset, until_decided=True)
    assert found.verdict.outcome == "inconclusive" and found.verdict.looks["decided_at"] is None
    assert found.need == 64 and "which the look at 64 seeds must repeat" in found.verdict.reason


def test_a_cell_confirms_itself_beside_another_with_the_same_printed_label():
    close = [0.9999996, 0.9999998]
    y = np.array([9.0, 1.5]) + 0.1 * noise(6, 64).reshape(32, 2)
    dataset = xr.Dataset({"y": (("seed", "width"), y)}, {"seed": range(32), "width": close})
    (found,) = judge(study_of(CLAIM, grid=Grid(seed=range(16), width=close)), dataset, until_decided=True)
    assert (found.outcome, found.looks["seeds"]) == ("refuted", 32)


def test_the_seeds_of_a_cell_that_cannot_grow_are_not_counted_twice_against_a_true_claim(monkeypatch):
    """300 studies of a claim that holds, at its edge, at an error rate of 1/2 for 1e-4, so that so few of them tell."""
    monkeypatch.setattr("unifiedscore.inference.looks.REFUTE_LEVEL", 0.5)
    study = study_of(replace(CLAIM, test=Inside(1.0, 99.0)), grid=HALF)
    found = [
        standings(study, half_grown(1 + noise(seed, 128).reshape(64, 2)), until_decided=True)[0].verdict
        for seed in range(300)
    ]
    itself = sum("cannot confirm one another" in entry.reason for entry in found)
    wrong = sum(entry.outcome == "refuted" for entry in found)
    # Both looks refute by chance with 1/8 * 1/24 in a cell, one-sided and of two cells, were they independent.
    assert itself >= 4 and wrong <= 3


def test_the_first_look_is_that_of_the_quick_profile():
    """Where that has more seeds than the study's own grid."""
    names = {"y": Variable("y"), "z": Variable("z")}
    study = Study("demo", "D", Grid(seed=range(16)), lambda cell, rng: {}, names, [CLAIM],
                  profiles={"quick": {"seed": range(24)}})  # fmt: skip
    (found,) = judge(study, data(1 + 0.1 * noise(0, 24), profile="quick"), until_decided=True)
    assert found.outcome == "supported" and found.looks["seeds"] == 24


def test_a_claim_of_which_nothing_is_expected_asks_for_no_seeds():
    claim = replace(CLAIM, expect="inconclusive")
    for y in (9 + noise(1, 16), 1.5 + noise(1, 16), noise(1, 8)):
        assert standings(study_of(claim), data(y), until_decided=True)[0].need == np.inf

"""The calibration studies measure the tests themselves: their shortcuts lose no wrong verdict."""

from pathlib import Path

import numpy as np
import pytest

from unifiedscore.inference import REFUTE_LEVEL, SUPPORT_LEVEL, Verdict, decide
from unifiedscore.sources import engine_files
from unifiedscore.study.closure import closure_of
from unifiedscore.study.discover import load_module

ROOT = Path(__file__).parents[2]
study = load_module(ROOT / "studies" / "calibration" / "study_tests.py")
ledger = load_module(ROOT / "studies" / "calibration" / "study_ledger.py")
trials_of_the_study = load_module(ROOT / "studies" / "calibration" / "_trials.py")
estimand = load_module(ROOT / "studies" / "calibration" / "study_estimand.py")
planted = load_module(ROOT / "studies" / "calibration" / "study_planted.py")
power = load_module(ROOT / "studies" / "calibration" / "study_power.py")


@pytest.mark.parametrize(
    ("test", "noise", "correction", "points"),
    [("inside", "lognormal", "none", "long"), ("inside_log", "lognormal", "none", "long"),
     ("rate", "shared", "none", "long"), ("limit", "lognormal", "none", "long"),
     ("rate", "normal", "half_order", "short"), ("limit", "normal", "logarithmic", "short")],
)  # fmt: skip
def test_counts_are_those_of_the_test_itself_on_every_trial(test, noise, correction, points):
    trials, x = 120, study.POINTS[points]
    counted = study.count_seeded(test, noise, correction, x, trials, np.random.default_rng(8))
    y = study.draw(test, noise, correction, x, trials, np.random.default_rng(8))
    found = dict.fromkeys(("false_refutation", "false_support", "miss"), 0)
    for i, one in enumerate(y):
        inner, outer = study.regions(test, 1 if i % 2 else -1, x)
        for name in found:
            found[name] += study.is_wrong(name, test, x, one, inner, outer)
    assert {name: round(counted[name] * trials) for name in found} == found
    assert counted["false_refutation"] <= counted["false_refutation_plain"]


@pytest.mark.parametrize("test", ["inside", "rate", "limit"])
def test_the_truth_is_where_the_study_says(test):
    x = study.POINTS["long"]
    y = study.draw(test, "normal", "none", x, 4000, np.random.default_rng(0))
    statistic = np.einsum("k,tks->ts", study.fit_weights(test, x), y)
    error = statistic.std() / statistic.size**0.5
    # The right correction x^-1 cancels in the intercept exactly.
    assert abs(statistic.mean() - study.TRUTH[test]) < 5 * error
    inner, outer = study.regions(test, 1, x)
    assert inner[0] == study.TRUTH[test] < outer[0]


def test_the_weights_are_those_of_the_tests():
    x, rng = study.POINTS["short"], np.random.default_rng(1)
    y = 2 + 5 / x[:, None] + rng.normal(size=(x.size, 16))
    for test, data in (("rate", np.exp(y / 10)), ("limit", y)):
        fitted = np.log(data) if test == "rate" else data
        value = study.build(test, -9.0, 9.0).estimate(data, x=x, level=0.99).value
        assert (study.fit_weights(test, x) @ fitted).mean() == pytest.approx(value, rel=1e-10)


@pytest.mark.parametrize("noise", ["normal", "heteroscedastic", "t5", "lognormal", "paired", "shared"])
def test_noise_is_centred(noise):
    x = None if noise == "paired" else study.POINTS["long"]
    drawn = trials_of_the_study.draw_noise(noise, (4000, 9, 16), x, np.random.default_rng(2)).mean(axis=(1, 2))
    assert abs(drawn.mean()) < 5 * drawn.std() / drawn.size**0.5


def test_regression_on_seed_means_misses_a_shared_slope_far_too_often():
    x = study.POINTS["long"]
    counted = study.count_seeded("rate", "shared", "none", x, 2000, np.random.default_rng(3))
    assert counted["miss_means"] > 0.3 and counted["miss_plain"] < 0.02


def test_true_and_false_worlds_of_identities_numbers_and_proofs_are_told_apart():
    rng = np.random.default_rng(4)
    for counted in (study.count_identities(20, rng), study.count_proofs(2, rng)):
        assert counted == {"false_refutation": 0, "false_support": 0, "false_world_refuted": 1.0,
                           "true_world_supported": 1.0}  # fmt: skip
    numbers = study.count_numbers("limit_numbers", "declared_order", study.POINTS["long"], 40, rng)
    assert numbers["false_world_refuted"] > 0.9 and numbers["true_world_supported"] > 0.9


def test_the_sixty_claims_are_true_and_ten_of_them_on_an_end():
    assert len(ledger.PLACES) == 60 and np.isin(ledger.PLACES, (0.0, 1.0)).sum() == 10
    for synthetic, truths in ledger.WORLDS:
        for claim, truth in zip(synthetic.claims, truths, strict=True):
            assert claim.test.low <= truth <= claim.test.high
    rng = np.random.default_rng(5)
    synthetic, truths = ledger.WORLDS[1]
    many = np.mean([ledger.data(synthetic, truths, rng).to_array().values for _ in range(60)], axis=0)
    slopes = np.polyfit(np.log(ledger.X), np.log(many).mean(axis=-1).T, 1)[0]
    np.testing.assert_allclose(slopes, truths, atol=0.05)


def test_power_is_measured_at_the_documented_sizes():
    for name, truth, effect in (("inside", "middle", 1.0), ("rate", "outside", 1.0)):
        cell = {"test": name, "truth": truth, "effect": effect}
        assert power.measure(cell, np.random.default_rng(6))["power"] > 0.8
        assert power.measure(cell | {"effect": 0.25}, np.random.default_rng(6))["power"] < 0.5


def test_levels_are_those_of_the_verdicts():
    y = study.draw("inside", "normal", "none", study.POINTS["long"], 1, np.random.default_rng(7))[0]
    chosen = study.build("inside", *study.regions("inside", 1, study.POINTS["long"])[0])
    outcome = decide(chosen.estimate(y[0], level=REFUTE_LEVEL), chosen.low, chosen.high) == "refuted"
    assert (
        study.is_wrong("false_refutation", "inside", None, y, *study.regions("inside", 1, study.POINTS["long"]))
        == outcome
    )
    assert SUPPORT_LEVEL < REFUTE_LEVEL


def test_a_study_that_measures_the_ledger_depends_on_it():
    """The tests themselves belong to the engine; the ledger shows numbers, except to a study of the ledger."""
    assert "inference/rate.py" in engine_files() and "ledger/ledger.py" not in engine_files()
    for name, depends in (("ledger", True), ("tests", False)):
        assert ("ledger" in closure_of(ROOT / "studies" / "calibration" / f"study_{name}.py").views) is depends


def test_every_cell_says_how_many_trials_it_holds():
    for kind, noise, correction, points in study.CASES:
        if kind == "identity":
            cell = {"test": kind, "noise": noise, "correction": correction, "points": points}
            assert study.measure(cell, np.random.default_rng(0))["trials"] == study.trials_of(kind, noise, correction)
    for claim in study.study.claims:
        where = claim.where
        share = len(study.SIZES) if claim.id.endswith("_by_size") else 1
        assert share * claim.test.trials == study.trials_of(where["test"], where["noise"], where["correction"])


def test_the_figure_of_power_knows_how_many_trials_there_are():
    assert load_module(ROOT / "figures" / "calibration" / "fig_power.py").TRIALS == power.TRIALS


def test_an_interval_without_an_end_misses_no_region_there():
    region = {"low": 0.0, "high": 1.0}
    for low, high, missed in ((None, 2.0, False), (2.0, None, True), (None, -1.0, True), (None, None, False)):
        interval = {"low": low, "high": high, "level": 0.99, "kind": "t"}
        outcomes = {"evidence": "monte_carlo", "outcome": "inconclusive", "expected": "supported"}
        texts = dict.fromkeys(("claim", "study", "statement", "source", "reason"), "any")
        verdict = Verdict(**texts, **outcomes, interval=interval, region=region)
        assert ledger.missed_at_support_level(verdict) is missed


def test_wrong_refutations_by_size_average_to_those_of_all_sizes():
    found = study.count_seeded("limit", "normal", "logarithmic", study.POINTS["short"], 150, np.random.default_rng(1))
    parts = [found[f"false_refutation_{size}"] for size in study.SIZES]
    assert np.mean(parts) == pytest.approx(found["false_refutation"]) and max(parts) == parts[1] > 0.2


def test_the_estimands_of_a_law_are_its_own():
    rng = np.random.default_rng(0)
    for name, (draw, mean, geometric, median) in estimand.LAWS.items():
        y = draw(rng, 400_000)
        assert abs(y.mean() - mean) < 5 * y.std() / 400_000**0.5, name
        if not np.isnan(geometric):
            assert np.exp(np.log(y).mean()) == pytest.approx(geometric, rel=0.02), name
        if not np.isnan(median):
            assert abs(np.mean(y < median) - 0.5) < 0.005, name


def test_planted_cases_are_found_and_their_sound_twins_are_not():
    names = [plant.name for plant in planted.PLANTS]
    assert len(set(names)) == len(names) > 40
    for name in ("rate_true_control", "inside_wrong_code", "level_divided", "last_two_changes"):
        assert planted.measure({"plant": name}, np.random.default_rng(0)) == {"right": 1.0, "sound_alike": 0.0}

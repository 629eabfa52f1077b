"""From datasets with known truth to verdicts: outcomes, cells, statuses, controls, slices."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from unifiedscore.errors import InputError, StudyError
from unifiedscore.inference import Identity, Inside, Limit, Rate
from unifiedscore.study.claim import Claim, Control, Hypothesis, Variable
from unifiedscore.study.judge import judge, not_run

AXES = {
    "estimator": ("good", "bad"),
    "bandwidth": (0.1, 0.3, 0.5),
    "dimension": tuple(4**k for k in range(1, 7)),
    "seed": tuple(range(16)),
}
SHAPE = tuple(len(labels) for labels in AXES.values())
CLAIM = Claim(
    "demo.mean", "the mean is one", "derived here", "monte_carlo", "y", Inside(0.5, 1.5),
    where={"estimator": "good", "bandwidth": 0.1, "dimension": 4},
    control=Control("predict five", test=Inside(4.5, 5.5)),
)  # fmt: skip


def _dataset(profile="quick", **changes):
    """y = 1 + 0.2 noise for "good", 3 + ... for "bad"; rate = 2/dimension; noise is common to both methods."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=SHAPE[1:])
    means = np.array([1.0, 3.0])[:, None, None, None]
    dimension = np.array(AXES["dimension"], dtype=float)[:, None]
    population = np.broadcast_to(2 / dimension, SHAPE).copy()
    data = {
        "y": means + 0.2 * noise + 0.001 * rng.normal(size=SHAPE),
        "rate": population * np.exp(0.01 * noise),
        "exact_rate": population.copy(),
        "exact_rate_error": 1e-6 * population,
        "constant": np.ones(SHAPE),
        "residual": np.full(SHAPE, 3 * 2.0**-52),
        "broken": np.full(SHAPE, 1e-3),
        "scale": np.ones(SHAPE),
        "condition": 1 + 0.01 * rng.normal(size=SHAPE),
    } | changes
    variables = {name: (tuple(AXES), values) for name, values in data.items()}
    variables["status"] = (tuple(AXES), np.zeros(SHAPE, dtype=np.int8))
    return xr.Dataset(variables, coords={k: list(v) for k, v in AXES.items()}, attrs={"profile": profile})


def _study(*claims, **variables):
    names = {name: Variable(name) for name in ("y", "rate", "exact_rate", "constant", "residual", "scale", "condition")}
    grid = SimpleNamespace(axes=AXES)
    return SimpleNamespace(name="demo", claims=claims, variables=names | variables, grid=grid)


def test_a_reason_counts_the_seeds_behind_its_interval():
    assert "(99 % over 16 seeds)" in _judge(CLAIM).reason


def _judge(claim, dataset=None):
    (verdict,) = judge(_study(claim), _dataset() if dataset is None else dataset)
    json.dumps(verdict.to_json(), allow_nan=False)
    return verdict


def _at(**labels):
    return tuple(AXES[axis].index(labels[axis]) if axis in labels else slice(None) for axis in AXES)


def test_a_true_mean_is_supported_and_its_control_refuted():
    verdict = _judge(CLAIM)
    assert (verdict.outcome, verdict.control_outcome, verdict.as_expected) == ("supported", "refuted", True)
    assert verdict.estimate == pytest.approx(1.0, abs=0.2)
    assert verdict.interval["level"] == 0.99 and verdict.interval["kind"] == "t"
    assert verdict.region == {"low": 0.5, "high": 1.5} and verdict.cells == 16
    assert verdict.control_detail["mutation"] == "predict five"
    assert verdict.control_detail["interval"]["level"] == 0.9999
    assert verdict.reproduce == "unifiedscore verify --claim demo.mean"
    assert "[0.5, 1.5]" in verdict.reason and "16 seeds" in verdict.reason


def test_a_wrong_mean_is_refuted_at_the_refutation_level():
    verdict = _judge(replace(CLAIM, where=CLAIM.where | {"estimator": "bad"}))
    assert verdict.outcome == "refuted" and verdict.interval["level"] == 0.9999
    assert verdict.estimate == pytest.approx(3.0, abs=0.2)


def test_refutation_needs_the_wider_interval():
    values = np.random.default_rng(3).normal(size=16)
    values = (values - values.mean()) / values.std(ddof=1)
    for mean, outcome in ((1.0 + 0.6, "inconclusive"), (1.0 + 1.0, "inconclusive"), (1.0 + 1.4, "refuted")):
        dataset = _dataset()
        dataset["y"][_at(estimator="good", bandwidth=0.1, dimension=4)] = mean + values
        # half-widths at 16 seeds: 0.74 (99 %) and 1.31 (99.99 %) standard deviations
        verdict = _judge(replace(CLAIM, test=Inside(-9, 1.0)), dataset)
        assert verdict.outcome == outcome


def test_a_control_that_is_not_refuted_takes_the_power():
    toothless = Control("predict about one", test=Inside(0.4, 1.6))
    verdict = _judge(replace(CLAIM, control=toothless))
    assert (verdict.outcome, verdict.control_outcome) == ("inconclusive", "supported")
    assert "the check had no power" in verdict.reason and "predict about one" in verdict.reason
    assert not verdict.as_expected


def test_a_claim_and_a_control_that_are_swapped_are_told_so():
    swapped = replace(CLAIM, test=Inside(4.5, 5.5), control=Control("predict one", test=Inside(0.5, 1.5)))
    verdict = _judge(swapped)
    assert (verdict.outcome, verdict.control_outcome) == ("inconclusive", "supported")
    assert "By itself the claim is refuted: the mean" in verdict.reason
    assert verdict.reason.endswith("Are the claim and its control swapped?")


def test_what_failed_cells_said_is_in_the_reason_once():
    cell = {"estimator": "good", "bandwidth": 0.1, "dimension": 4, "seed": 3}
    dataset = _dataset()
    dataset["status"][_at(**cell)] = 2
    dataset.attrs["failed_cells"] = json.dumps([{"cell": cell, "message": "ValueError: no such thing"}])
    verdict = _judge(replace(CLAIM, control=Control("bad test", test=Inside(4.5, 5.5))), dataset)
    assert verdict.outcome == "inconclusive" and verdict.reason.count("ValueError: no such thing") == 1
    assert verdict.reason.endswith("its control (bad test) is inconclusive for the same reason")


@pytest.mark.parametrize(
    "control",
    [Control("bad method", where={"estimator": "bad"}), Control("other variable", variable="rate"),
     Control("predict three", test=Inside(2.5, 3.5))],
)  # fmt: skip
def test_each_kind_of_control_is_judged_by_the_same_code(control):
    claim = replace(CLAIM, where=CLAIM.where | {"dimension": 4096}, control=control)
    assert _judge(claim).control_outcome == "refuted"


def test_too_few_seeds_say_how_many_would_do_and_those_do():
    dataset = _dataset().isel(seed=slice(0, 4))
    claim = replace(CLAIM, test=Inside(0.9, 1.1), where=CLAIM.where | {"dimension": 16})
    verdict = _judge(claim, dataset)
    assert verdict.outcome == "inconclusive" and "seeds would do" in verdict.reason
    need = int(verdict.reason.split("about ")[1].split(" ")[0])
    values = dataset["y"].sel(estimator="good", bandwidth=0.1, dimension=16).values
    # the same mean and spread with that many seeds
    many = np.random.default_rng(1).normal(size=need)
    many = values.mean() + values.std(ddof=1) * (many - many.mean()) / many.std(ddof=1)
    from unifiedscore.inference import decide

    support = claim.test.estimate(many, level=0.99), claim.test.estimate(many, level=0.9999)
    assert "inconclusive" != decide(support[0 if 0.9 < values.mean() < 1.1 else 1], 0.9, 1.1)


def test_cells_are_judged_apart_and_share_the_level():
    verdict = _judge(replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1}))
    assert verdict.outcome == "supported" and verdict.cells == 6 * 16
    assert verdict.interval["level"] == pytest.approx(1 - 0.01 / 6)
    assert "6 of 6 cells" in verdict.reason and "dimension=" in verdict.reason


def test_one_refuted_cell_refutes_and_one_undecided_cell_holds_back():
    dataset = _dataset()
    dataset["y"][_at(estimator="good", bandwidth=0.1, dimension=64)] += 9
    verdict = _judge(replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1}), dataset)
    assert verdict.outcome == "refuted" and "dimension=64" in verdict.reason
    assert verdict.interval["level"] == pytest.approx(1 - 1e-4 / 6)
    dataset = _dataset()
    dataset["y"][_at(estimator="good", bandwidth=0.1, dimension=64)] += 0.5
    verdict = _judge(replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1}), dataset)
    assert verdict.outcome == "inconclusive" and "dimension=64" in verdict.reason


def test_paired_differences_remove_the_common_noise_with_the_right_sign():
    claim = replace(
        CLAIM, test=Inside(1.99, 2.01), where=CLAIM.where | {"estimator": "bad"}, minus={"estimator": "good"},
        control=Control("opposite sign", test=Inside(-2.01, -1.99)),
    )  # fmt: skip
    verdict = _judge(claim)
    assert verdict.outcome == "supported" and verdict.control_outcome == "refuted"
    assert verdict.interval["high"] - verdict.interval["low"] < 0.01


def test_a_partner_with_one_label_is_subtracted_from_every_seed():
    claim = replace(CLAIM, test=Inside(-0.5, 0.5), minus={"dimension": 16, "seed": 3})
    dataset = _dataset()
    partner = float(dataset["y"].sel(estimator="good", bandwidth=0.1, dimension=16, seed=3))
    own = dataset["y"].sel(estimator="good", bandwidth=0.1, dimension=4)
    assert _judge(claim, dataset).estimate == pytest.approx(float(own.mean()) - partner)


def test_numerical_errors_of_a_difference_add():
    claim = Claim(
        "demo.gap", "s", "derived here", "quadrature", "exact_rate", Inside(-1, -0.1), minus={"dimension": 4},
        where={"estimator": "good", "bandwidth": 0.1, "dimension": 16, "seed": 0},
        control=Control("positive", test=Inside(0.1, 1)),
    )  # fmt: skip
    verdict = _judge(claim)
    assert verdict.outcome == "supported" and verdict.estimate == pytest.approx(2 / 16 - 2 / 4)
    half = (verdict.interval["high"] - verdict.interval["low"]) / 2
    assert half == pytest.approx(1e-6 * (2 / 16 + 2 / 4)) and verdict.interval["level"] is None


RATE = Claim(
    "demo.rate", "y = O(1/d)", "derived here", "quadrature", "exact_rate", Rate(-1.05, -0.95, along="dimension"),
    where={"estimator": "good", "bandwidth": 0.3, "seed": 0},
    control=Control("exponent -2", test=Rate(-2.05, -1.95, along="dimension")),
)  # fmt: skip


def test_quadrature_rates_and_limits():
    verdict = _judge(RATE)
    assert (verdict.outcome, verdict.control_outcome, verdict.cells) == ("supported", "refuted", 6)
    assert verdict.estimate == pytest.approx(-1) and verdict.interval["kind"] == "numerical"
    limit = Limit(-0.001, 0.001, along="dimension", order=1)
    wrong = Control("limit one half", test=Limit(0.49, 0.51, along="dimension", order=1))
    assert _judge(replace(RATE, test=limit, control=wrong)).outcome == "supported"


def test_monte_carlo_rates_use_one_slope_per_seed():
    claim = replace(RATE, evidence="monte_carlo", variable="rate", where={"estimator": "good", "bandwidth": 0.1})
    verdict = _judge(claim)
    assert (verdict.outcome, verdict.interval["kind"], verdict.cells) == ("supported", "t", 96)


def test_quadrature_without_a_stored_error_is_inconclusive():
    verdict = _judge(replace(RATE, variable="rate"))
    assert verdict.outcome == "inconclusive" and "rate_error" in verdict.reason


def test_the_error_variable_may_have_another_name():
    dataset = _dataset().rename(exact_rate_error="two_rules")
    study = _study(RATE, exact_rate=Variable("r", error="two_rules"))
    assert judge(study, dataset)[0].outcome == "supported"
    dataset["two_rules"] = dataset["two_rules"] * 1e6
    assert judge(study, dataset)[0].outcome == "inconclusive"


def test_identities_use_the_stored_scale():
    claim = Claim(
        "demo.identity", "s", "derived here", "exact", "residual", Identity(c=16, scale="scale"),
        control=Control("wrong sign", variable="broken"),
    )  # fmt: skip
    verdict = _judge(claim)
    assert (verdict.outcome, verdict.control_outcome) == ("supported", "refuted")
    assert verdict.estimate == pytest.approx(3.0) and verdict.cells == math.prod(SHAPE)
    dataset = _dataset()
    dataset["residual"][0, 0, 0, 5] = 100 * 2.0**-52
    verdict = _judge(claim, dataset)
    assert verdict.outcome == "inconclusive" and "rounding" in verdict.reason and "seed=5" in verdict.reason
    dataset["scale"][0, 0, 0, 5] = 100.0
    assert _judge(claim, dataset).outcome == "supported"


def test_exact_values_without_an_error_are_known_to_rounding():
    claim = replace(CLAIM, evidence="exact", variable="constant")
    verdict = _judge(claim)
    low, high = verdict.interval["low"], verdict.interval["high"]
    assert verdict.outcome == "supported" and low < 1.0 < high and high - low == pytest.approx(32 * 2.0**-52)
    assert _judge(replace(claim, test=Inside(-1, 1))).outcome == "inconclusive"


def test_randomness_is_not_exact():
    for test in (Inside(0.5, 1.5), Rate(-1.05, -0.95, along="dimension")):
        where = {"estimator": "good", "bandwidth": 0.1} | ({"dimension": 4} if isinstance(test, Inside) else {})
        variable = "y" if isinstance(test, Inside) else "rate"
        claim = replace(CLAIM, evidence="exact", variable=variable, test=test, where=where)
        verdict = _judge(claim)
        assert verdict.outcome == "inconclusive" and "randomness is not exact" in verdict.reason
        assert "randomness" not in _judge(replace(claim, where=where | {"seed": 3})).reason


def test_hypotheses_hold_in_every_cell_or_the_claim_is_not_applicable():
    holds = Hypothesis("near one", "condition", low=0.9, high=1.1)
    claim = replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1}, hypotheses=(holds,))
    (entry,) = _judge(claim).hypotheses
    assert entry["holds"] and 0.9 < entry["value"] < 1.1
    dataset = _dataset()
    dataset["condition"][_at(estimator="good", bandwidth=0.3, dimension=16)] = 2.0  # not in where
    assert _judge(claim, dataset).outcome == "supported"
    dataset["condition"][_at(estimator="good", bandwidth=0.1, dimension=64)] = 2.0
    verdict = _judge(claim, dataset)
    assert verdict.outcome == "not_applicable" and "dimension=64" in verdict.reason and "near one" in verdict.reason
    assert verdict.hypotheses[0]["holds"] is False and verdict.hypotheses[0]["value"] == 2.0
    assert verdict.control_outcome is None and verdict.to_json()["estimate"] is None


def test_the_median_over_seeds_is_what_a_hypothesis_sees():
    claim = replace(CLAIM, hypotheses=(Hypothesis("near one", "condition", 0.9, 1.1),))
    dataset = _dataset()
    dataset["condition"][_at(estimator="good", bandwidth=0.1, dimension=4)][..., :7] = 50.0
    assert _judge(claim, dataset).outcome == "supported"


def test_an_unmeasured_hypothesis_is_inconclusive():
    dataset = _dataset()
    dataset["condition"][_at(estimator="good", bandwidth=0.1, dimension=4)] = np.nan
    verdict = _judge(replace(CLAIM, hypotheses=(Hypothesis("near one", "condition", 0.9, 1.1),)), dataset)
    assert verdict.outcome == "inconclusive" and "could not be measured" in verdict.reason


def test_expected_refuted_and_not_applicable_have_no_control():
    refuted = replace(CLAIM, where=CLAIM.where | {"estimator": "bad"}, expect="refuted", control=None)
    verdict = _judge(refuted)
    assert verdict.as_expected and verdict.control_outcome is None and verdict.control_detail is None


@pytest.mark.parametrize(("code", "words"), [(2, "failed"), (3, "was not run")])
def test_failed_and_missing_cells_are_inconclusive_and_named(code, words):
    dataset = _dataset()
    dataset["status"][_at(estimator="good", bandwidth=0.1, dimension=4)][..., 7] = code
    verdict = _judge(CLAIM, dataset)
    assert verdict.outcome == "inconclusive"
    assert f"1 of 16 cells {words}" in verdict.reason and "seed=7" in verdict.reason
    elsewhere = replace(CLAIM, where=CLAIM.where | {"dimension": 16})
    assert _judge(elsewhere, dataset).outcome == "supported"


def test_skipped_cells_are_no_cells():
    dataset = _dataset()
    at = _at(estimator="good", bandwidth=0.1)
    dataset["status"][at][3:, :] = 1
    dataset["y"][at][3:, :] = np.nan
    verdict = _judge(replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1}), dataset)
    assert verdict.outcome == "supported" and verdict.cells == 3 * 16
    dataset["status"][at] = 1
    verdict = _judge(replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1}), dataset)
    assert verdict.outcome == "inconclusive" and "skips every cell" in verdict.reason


def test_seeds_that_a_population_skips_need_not_be_named():
    dataset = _dataset()
    dataset["status"][..., 1:] = 1
    dataset["exact_rate"][..., 1:] = np.nan
    verdict = _judge(replace(RATE, where={"estimator": "good", "bandwidth": 0.3}), dataset)
    assert verdict.outcome == "supported" and verdict.cells == 6


def test_a_skipped_partner_is_inconclusive():
    dataset = _dataset()
    dataset["status"][_at(estimator="bad")] = 1
    verdict = _judge(replace(CLAIM, minus={"estimator": "bad"}, test=Inside(-2.5, -1.5)), dataset)
    assert verdict.outcome == "inconclusive" and "partner" in verdict.reason


def test_nan_in_a_finished_cell_is_inconclusive():
    dataset = _dataset()
    dataset["y"][_at(estimator="good", bandwidth=0.1, dimension=4)][..., 2] = np.nan
    verdict = _judge(CLAIM, dataset)
    assert verdict.outcome == "inconclusive" and "NaN" in verdict.reason


def test_labels_lists_and_slices_select_the_same_cells():
    reference = _judge(replace(CLAIM, where={"estimator": "good", "bandwidth": 0.3, "dimension": [16, 64]}))
    for where in (
        {"estimator": ["good"], "bandwidth": 0.1 + 0.2, "dimension": slice(16, 64)},  # 0.1 + 0.2 is not 0.3
        {"estimator": slice("good", "good"), "bandwidth": slice(0.1 + 0.2, 0.1 + 0.2), "dimension": np.array([16, 64])},
        {"estimator": "good", "bandwidth": np.float64(0.3), "dimension": range(16, 65, 48)},
        {"estimator": "good", "bandwidth": slice(0.2, 0.4), "dimension": slice(5, 100)},
    ):
        verdict = _judge(replace(CLAIM, where=where))
        assert (verdict.estimate, verdict.cells) == (reference.estimate, 32)
    assert _judge(replace(CLAIM, where=CLAIM.where | {"dimension": slice(1024, None)})).cells == 32


def test_sliced_and_reopened_datasets_are_judged(tmp_path):
    whole = _judge(CLAIM)
    for sliced in (
        _dataset().sel(estimator="good"),
        _dataset().isel(dimension=0).sel(bandwidth=0.1),
        _dataset().transpose("seed", "dimension", "estimator", "bandwidth"),
        _dataset()[["y", "status"]],
    ):
        assert _judge(CLAIM, sliced).to_json() == whole.to_json()
    _dataset().to_netcdf(tmp_path / "demo.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "demo.nc", engine="h5netcdf") as reopened:
        assert _judge(CLAIM, reopened).to_json() == whole.to_json()
    verdict = _judge(CLAIM, _dataset().sel(estimator=["bad"]))
    assert verdict.outcome == "inconclusive" and "'good'" not in verdict.reason and "good" in verdict.reason
    assert _judge(CLAIM, _dataset().drop_vars("y")).outcome == "inconclusive"


def test_a_slice_does_not_decide_a_claim_about_the_whole_axis():
    dataset = _dataset()
    dataset["y"][_at(estimator="good", bandwidth=0.1, dimension=64)] += 9
    claim = replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1})
    assert _judge(claim, dataset).outcome == "refuted"
    for part in ([4], [4, 16]):
        verdict = _judge(claim, dataset.sel(dimension=part))
        assert verdict.outcome == "inconclusive" and "64" in verdict.reason and "dimension" in verdict.reason
    ranged = replace(claim, where=claim.where | {"dimension": slice(4, 64)})
    assert "dimension = 64" in _judge(ranged, dataset.sel(dimension=[4, 16])).reason
    assert _judge(replace(claim, where=claim.where | {"dimension": slice(4, 16)}), dataset.sel(dimension=[4, 16])
                  ).outcome == "supported"  # fmt: skip
    assert "lacks dimension = 4" in _judge(RATE, _dataset().isel(dimension=slice(1, None))).reason
    assert _judge(claim, _dataset().isel(seed=slice(0, 12))).outcome == "supported"


def test_a_slice_is_held_against_the_grid_of_its_own_profile_and_without_skipped_cells():
    claim = replace(CLAIM, where={"estimator": "good", "bandwidth": 0.1})
    study = _study(claim)
    more = AXES | {"dimension": (*AXES["dimension"], 4**7)}
    grids = {"quick": SimpleNamespace(axes=AXES), "standard": SimpleNamespace(axes=more)}
    study.profile_grid = grids.get
    assert judge(study, _dataset())[0].outcome == "supported"
    verdict = judge(study, _dataset(profile="standard"))[0]
    assert verdict.outcome == "inconclusive" and "16384" in verdict.reason
    grids["standard"].skipped = lambda cell: cell["dimension"] == 4**7
    assert judge(study, _dataset(profile="standard"))[0].outcome == "supported"
    grids["standard"].skipped = lambda cell: cell["dimension"] == 4**7 and cell["seed"] > 0
    assert judge(study, _dataset(profile="standard"))[0].outcome == "inconclusive"


def test_repeated_labels_are_no_replicates():
    for axis in ("seed", "dimension", "estimator"):
        twice = xr.concat([_dataset(), _dataset()], axis)
        with pytest.raises(StudyError, match=f"axis {axis} .*more than once"):
            judge(_study(CLAIM), twice)


def test_an_averaged_axis_is_refused():
    with pytest.raises(StudyError, match="seed"):
        judge(_study(CLAIM), _dataset().mean("seed"))
    with pytest.raises(InputError, match="Dataset"):
        judge(_study(CLAIM), {"y": 1})


def test_one_seed_is_too_few_and_says_so():
    verdict = _judge(CLAIM, _dataset().isel(seed=0))
    assert verdict.outcome == "inconclusive" and "too few seeds" in verdict.reason and "16" in verdict.reason


def test_extra_dimensions_are_cells_and_can_be_selected():
    dataset = _dataset()
    stacked = np.stack([dataset["y"].values, dataset["y"].values + 10], axis=-1)
    dataset["pair"] = ((*AXES, "side"), stacked)
    dataset = dataset.assign_coords(side=["left", "right"])
    claim = replace(CLAIM, variable="pair")
    verdict = _judge(claim, dataset)
    assert verdict.outcome == "refuted" and "side=right" in verdict.reason
    assert _judge(replace(claim, where=claim.where | {"side": "left"}), dataset).outcome == "supported"


def test_claims_of_larger_profiles_wait():
    later = replace(CLAIM, regime="later", profile="standard")
    study = _study(CLAIM, later)
    assert [v.regime for v in judge(study, _dataset())] == [""]
    (entry,) = not_run(study, _dataset())
    assert set(entry.to_json()) == {"claim", "regime", "study", "profile", "reason"}
    assert (entry.regime, entry.profile, entry.study) == ("later", "standard", "demo")
    assert len(judge(study, _dataset(profile="full"))) == 2 and not_run(study, _dataset(profile="standard")) == []
    assert judge(study, _dataset(profile="standard"))[0].reproduce.endswith("--profile standard")


def test_a_verdict_over_seeds_says_what_was_estimated():
    values = np.random.default_rng(0).lognormal(-0.5, 1, 16)
    dataset = _dataset()
    dataset["y"][_at(estimator="good", bandwidth=0.1, dimension=4)] = values
    named = {}
    for of in ("mean", "geometric_mean", "median"):
        verdict = _judge(replace(CLAIM, test=Inside(0.01, 40.0, of=of), control=FAR), dataset)
        assert verdict.of == of and f"the {of.replace('_', ' ')} {verdict.estimate:.6g}" in verdict.reason
        named[of] = verdict.estimate
    expected = values.mean(), np.exp(np.log(values).mean()), np.median(values)
    assert list(named.values()) == pytest.approx(expected)
    exact = _judge(replace(CLAIM, evidence="exact", variable="constant", control=FAR))
    assert exact.of == "" and "of" not in exact.to_json()


def test_a_hypothesis_about_an_expectation_takes_the_mean_over_seeds():
    dataset = _dataset()
    dataset["condition"][_at(estimator="good", bandwidth=0.1, dimension=4)] = [0.0] * 12 + [8.0] * 4  # mean 2
    for of, low, outcome in (
        ("mean", 1.9, "supported"),
        ("median", 1.9, "not_applicable"),
        ("mean", 2.1, "not_applicable"),
    ):
        hypothesis = Hypothesis("enough energy", "condition", low=low, of=of)
        verdict = _judge(replace(CLAIM, hypotheses=(hypothesis,)), dataset)
        assert verdict.outcome == outcome
        assert outcome == "supported" or f"the {of} over seeds of condition" in verdict.reason


FAR = Control("a far region", test=Inside(60.0, 61.0))

"""Every inequality says how near to its bound its worst cell comes."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from unifiedscore.study import Claim, Control, Grid, Inside, Study, Variable, judge
from unifiedscore.study.discover import discover

ROOT = Path(__file__).parents[2]
BOUND = re.compile(r"<=|>=|bound|obey|at most|at least|never|stays below|lies above")
# They read like inequalities between two quantities of a theorem, and are none.
ELSE = {
    "closed_form.convex_hull": "bounded by zero, of which nothing is a share",
    "closed_form.equal_norm_lyapunov": "bounded by zero",
    "moment_matched.cfdm_same_energy": "bounded by zero",
    "moment_matched.jensen_gap": "bounded by zero",
    "closed_form.large_sigma_law": "a threshold for a measured share",
    "closed_form.fresh_not_population": "a threshold for a measured mass",
    "closed_form.near_estimator": "its regime 'radius' counts a lost point against a threshold",
    "learned.am_iteration": "a threshold for a ratio of errors",
    "learned.bounded_reward": "a threshold for a measured growth",
    "learned.descriptions": "a threshold for a measured lead",
    "drift.alignment_region": "a threshold whose boundary a map shows",
    "drift.matched_region": "a threshold whose boundary a map shows",
    "closed_form.midpoint_region": "a threshold whose boundary a map shows",
    "drift.identifiable_gaussian_matern": "a threshold for a measured ratio",
    "drift.metric_interval": "thresholds for measured errors and widths",
    "drift.population_error": "a threshold for a measured error",
    "generators.fields_train": "a threshold for a measured gain",
    "generators.fields_train_mmd": "a threshold for a measured gain",
    "moment_matched.stability": "the bound is the law that is tested",
    "tilting.adjoint_logconcave": "its regime 'sharp' states the bound as an equality",
    "tilting.adjoint_onesided": "its regime 'attained' states the bound as an equality",
    "tilting.adjoint_mixture": "its refuted regime exceeds the bound",
    "tilting.adjoint_dimension": "its regime 'product' names the bound and tests another law",
    "tilting.am_finite": "its regime 'mixture' names bounds and tests a value",
    "moment_matched.delta_temperature": "its regime 'sharp' states the bound as an equality",
}


@pytest.fixture(scope="module")
def claims():
    return [claim for item in discover([ROOT], kinds=("studies",)).studies for claim in item.study.claims]


def test_claims_that_read_like_inequalities_declare_their_sharpness_or_are_listed_with_the_reason(claims):
    one_sided = [
        claim
        for claim in claims
        if type(claim.test) is Inside
        and (claim.test.low in (-math.inf, 0.0) or claim.test.high == math.inf)
        and BOUND.search(claim.statement)
    ]
    undeclared = {claim.id for claim in one_sided if not claim.sharpness and not claim.id.startswith("calibration.")}
    assert undeclared <= set(ELSE), undeclared - set(ELSE)
    declared = [claim for claim in claims if claim.sharpness]
    assert len(declared) >= 25 and not any(claim.expect == "refuted" for claim in declared)


def judged(ratios, **changes):
    axes = {"size": [1, 2], "seed": range(4)}
    claim = Claim("demo.bound", "It is bounded.", "derived here", "monte_carlo", "y", Inside(-1.0, 1.0),
                  control=Control("twice", variable="twice"), sharpness="ratio", **changes)  # fmt: skip
    variables = {"y": Variable("Value"), "twice": Variable("Twice the value"), "ratio": Variable("Value over bound")}
    study = Study("demo", "A bound", Grid(**axes), lambda cell, rng: {}, variables, [claim])
    y = np.full((2, 4), 0.5) + 0.01 * np.arange(4)
    data = {name: (("size", "seed"), values) for name, values in (("y", y), ("twice", 8 * y), ("ratio", ratios))}
    (verdict,) = judge(study, xr.Dataset(data, {"size": [1, 2], "seed": range(4)}))
    return verdict


def test_the_sharpness_is_the_largest_ratio_in_the_claims_cells():
    ratios = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.9, 0.6, 0.7]])
    assert judged(ratios).sharpness == 0.9 and judged(ratios, where={"size": 1}).sharpness == 0.4
    assert judged(ratios).control_kind == "measurement" and judged(ratios).to_json()["sharpness"] == 0.9


def test_a_ratio_that_is_not_known_in_a_cell_gives_no_sharpness():
    ratios = np.array([[0.1, 0.2, np.nan, 0.4], [0.5, 0.9, 0.6, 0.7]])
    assert judged(ratios).sharpness is None and "sharpness" not in judged(ratios).to_json()
    assert judged(ratios, where={"size": 2}).sharpness == 0.9

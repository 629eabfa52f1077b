"""The oracles of the drift studies against other oracles, and the regimes that their theory predicts."""

import sys
from pathlib import Path

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.study.discover import discover

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "studies" / "drift"


def study(name):
    return discover([str(FOLDER / f"study_{name}.py")]).studies[0].study


@pytest.fixture
def helpers(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in ("_polar", "_exact_laplace", "_laws"):
        sys.modules.pop(name, None)


def test_the_closed_form_on_the_line_is_the_golden_one(helpers):
    from _exact_laplace import laplace_on_the_line

    found = laplace_on_the_line(1.5, 0.3)
    golden = {"mean_shift": -0.213443860577109, "score": -1.28655613942290, "preconditioner": 0.0994213177794715}
    for name, value in golden.items():
        assert float(found[name]) == pytest.approx(value, rel=1e-13)
    moved = laplace_on_the_line(0.4 + 0.7 * 1.5, 0.7 * 0.3, mean=0.4, std=0.7)
    assert float(moved["mean_shift"]) == pytest.approx(0.7 * golden["mean_shift"], rel=1e-13)
    assert float(moved["score"]) == pytest.approx(golden["score"] / 0.7, rel=1e-13)
    assert float(moved["preconditioner"]) == pytest.approx(0.49 * golden["preconditioner"], rel=1e-13)


@pytest.mark.parametrize(
    ("kernel", "z", "shift", "score", "alpha"),
    [
        ("laplace", 0.0644720664758, (0.251892549859, 0.122372708524), (0.253063506169, 0.120705477393), 2.36250258924),
        ("matern:1.5", 0.2167874905, (-0.008937165731, -0.005427660769), (0.074912224801, 0.036393342541), 3.562396487),
    ],
)
def test_polar_quadrature_of_a_ring(helpers, kernel, z, shift, score, alpha):
    """Golden values of the ring of radius 3 at (1, 0.5), bandwidth 1."""
    from _polar import polar_posterior

    law = us.load_pair("ring_mog", dimension=2)[0]
    found = polar_posterior(us.kernel_by_name(kernel, 1.0), law, np.array([1.0, 0.5]))
    assert np.exp(found["log_normalizer"]) == pytest.approx(z, rel=1e-9)
    np.testing.assert_allclose(found["mean_shift"], shift, rtol=1e-8)
    np.testing.assert_allclose(found["score"], score, rtol=1e-8)
    assert found["preconditioner"] == pytest.approx(alpha, rel=1e-9)


def test_student_radii_are_those_of_a_multivariate_t(helpers):
    """The Gauss rule is exact for the moments of the mixing law: E 1/variance = 1 for every number of degrees."""
    from _laws import student_radii

    for degrees in (3, 5):
        variances, weights = student_radii(degrees, 6)
        assert weights @ (1 / variances) == pytest.approx(1.0, rel=1e-12)
        assert weights @ (1 / variances**2) == pytest.approx((degrees + 2) / degrees, rel=1e-12)


def test_five_and_six_modes_agree_in_two_moments(helpers):
    from _laws import conditions, pair

    five_six, rings, shells = (
        conditions(*(law.reduced() for law in pair(name, 256)[:2])) for name in ("five_six", "ring_mog", "shells")
    )
    assert five_six["moment_gap"] < 1e-12 and five_six["norm_gap"] < 1e-9
    assert rings["moment_gap"] > 0.1 and rings["norm_spread"] < 10 < shells["norm_spread"]


@pytest.mark.parametrize(
    ("law", "d", "a", "error"), [("five_six", 4096, 0.5, 0.745), ("ring_mog_norms", 4096, 0.5, 0.213)]
)
def test_the_matched_gaussian_fails_where_its_conditions_do(law, d, a, error):
    """Numbers measured outside the project."""
    cell = {"law": law, "dimension": d, "bandwidth_exponent": a}
    assert study("matched_gaussian").measure(cell, np.random.default_rng(0))["matched"] == pytest.approx(
        error, abs=1e-3
    )


def test_the_effective_dimension_governs_the_error():
    """Eigenvalues j^-1.5: the effective dimension hardly grows with d, and neither does the error fall."""
    measure = study("effective_dimension").measure
    few, many = (measure({"beta": 1.5, "dimension": d, "seed": 0}, np.random.default_rng(0)) for d in (64, 256))
    assert few["effective_dimension"] == pytest.approx(4.647011866986508)
    assert many["effective_dimension"] == pytest.approx(5.147578221952811)
    for found in (few, many):
        assert 0.02 < found["effective_error"] < 0.65
    assert many["dimension_error"] > 0.65

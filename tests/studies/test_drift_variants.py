"""The measurements of the studies of drift variants against golden numbers, computed by other means."""

from pathlib import Path

import numpy as np
import pytest

from unifiedscore.study.discover import discover

ROOT = Path(__file__).parents[2]
STUDIES = {item.study.name: item.study for item in discover([str(ROOT / "studies")]).studies}


def measured(study, **cell):
    return STUDIES[study].measure(cell, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("kernel", "values"),
    [
        ("laplace", (61.06, 5.448, 5.194)),
        ("gaussian", (31.73, 5.354, 4.506)),
        ("rational_quadratic:0.5", (135.3, 4.446, 4.138)),
    ],
)
def test_singular_values_of_masses_to_field(kernel, values):
    """The golden grid is not published: ratios of singular values hardly depend on it."""
    got = measured("drift_identifiability", kernel=kernel, separation=10.0)["singular_values"]
    np.testing.assert_allclose(got / got[0], np.array(values) / values[0], rtol=0.05)


def test_compact_kernels_are_blind_and_laplace_is_not():
    assert measured("drift_identifiability", kernel="wendland", separation=10.0)["blind_drift"] < 1e-12
    laplace = measured("drift_identifiability", kernel="laplace", separation=10.0)["blind_drift"]
    assert laplace == pytest.approx(3.318, abs=2e-3)


def test_escaped_mass_is_felt_only_where_it_went():
    out = measured("drift_identifiability", kernel="laplace", separation=30.0)
    assert out["escape_near"] < 1e-8 and out["escape_far"] > 0.9


def test_threshold_of_collapse_without_stop_gradient():
    out = measured("drift_training", kernel="gaussian", dimension=1)
    assert out["root"] == pytest.approx(0.485868, abs=1e-6)
    assert out["root_stopped"] == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(("dimension", "share"), [(2, 0.96), (16, 0.94), (256, 0.39)])
def test_affinity_floor(dimension, share):
    """The published shares; the published cosines (.58, .85, .998) belong to a sample that is not known."""
    out = measured("drift_batch", dimension=dimension, temperature=0.02)
    assert out["floored_share"] == pytest.approx(share, abs=0.06)
    assert (out["floored_cosine"] < 0.9) == (dimension <= 16)


def test_lattice_rates_agree_with_the_closed_form():
    out = measured("drift_modes", kernel="laplace", dimension=2, frequency=1.0)
    assert out["ratio"] == pytest.approx(1, abs=5e-4)
    assert out["top_hat"] == pytest.approx(-1, abs=1e-12)


def test_sinkhorn_drift_is_minus_the_gradient():
    out = measured("drift_sinkhorn", epsilon=0.5)
    assert out["gradient_quadratic"] < 1e-8 < 1e-3 < out["gradient_norm"]
    assert out["slope"] == pytest.approx((-0.341377 + 1.417245) / 1.8, abs=1e-6)

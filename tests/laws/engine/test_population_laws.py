"""The laws of population fields: shifts, scalings, rotations, far components, and components without weight."""

from __future__ import annotations

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.posterior import posterior_jacobian, posterior_moments, posterior_vectors

KERNELS = {
    "gaussian": us.Gaussian,
    "laplace": us.Laplace,
    "matern 0.8": lambda h: us.Matern(h, 0.8),
    "matern 5/2": lambda h: us.Matern(h, 2.5),
}
DEGREES = {"log_normalizer": 0, "mean_shift": 1, "score": -1, "preconditioner": 2, "mean_distance": 1, "jacobian": 0}
MEANS = np.array([[0.5, -1.0], [1.25, 0.75], [-1.5, 0.25]])
WEIGHTS = np.array([0.5, 0.25, 0.25])
X = np.array([[0.0, 0.25], [1.0, -0.5], [-2.0, 1.0]])
COVARIANCES = {
    "isotropic": np.array([0.25, 1.0, 0.0625]),
    "full": np.array([[[1.0, 0.25], [0.25, 0.5]], [[0.5, -0.25], [-0.25, 0.5]], [[0.25, 0.0], [0.0, 1.0]]]),
}


def values(kernel, law, x):
    moments, vectors = posterior_moments(kernel, law, x), posterior_vectors(kernel, law, x)
    found = {name: getattr(moments, name) for name in DEGREES if name != "jacobian"}
    found["jacobian"] = posterior_jacobian(kernel, law, x)
    np.testing.assert_array_equal(vectors.mean_shift, found["mean_shift"])
    np.testing.assert_array_equal(us.KernelScore(kernel, law)(x), found["score"])
    return found


def require(got, expected, rtol=1e-9, but=()):
    for name, value in expected.items():
        if name not in but:
            np.testing.assert_allclose(got[name], value, rtol=rtol, atol=rtol * np.abs(value).max(), err_msg=name)


each = pytest.mark.parametrize(
    ("kernel", "covariance"), [(k, c) for k in KERNELS for c in COVARIANCES], ids=lambda value: str(value)
)


@each
@pytest.mark.parametrize("offset", [1.0, 2.0**13, 2.0**27])
def test_translation(kernel, covariance, offset):
    kernel, c = KERNELS[kernel](1.0), COVARIANCES[covariance]
    expected = values(kernel, us.GaussianMixture(MEANS, c, WEIGHTS), X)
    require(values(kernel, us.GaussianMixture(MEANS + offset, c, WEIGHTS), X + offset), expected)


@each
@pytest.mark.parametrize("exponent", [-400, -60, 60, 400])
def test_scaling(kernel, covariance, exponent):
    c, scale = COVARIANCES[covariance], 2.0**exponent
    expected = values(KERNELS[kernel](1.0), us.GaussianMixture(MEANS, c, WEIGHTS), X)
    got = values(KERNELS[kernel](scale), us.GaussianMixture(scale * MEANS, scale**2 * c, WEIGHTS), scale * X)
    require({name: np.ldexp(value, -DEGREES[name] * exponent) for name, value in got.items()}, expected)


@each
def test_rotation(kernel, covariance):
    kernel, c = KERNELS[kernel](1.0), COVARIANCES[covariance]
    q = np.linalg.qr(np.random.default_rng(0).normal(size=(2, 2)))[0]
    expected = values(kernel, us.GaussianMixture(MEANS, c, WEIGHTS), X)
    turned = c if c.ndim == 1 else q.T @ c @ q
    turned = turned if c.ndim == 1 else 0.5 * (turned + turned.transpose(0, 2, 1))
    got = values(kernel, us.GaussianMixture(MEANS @ q, turned, WEIGHTS), X @ q)
    for name in ("mean_shift", "score"):
        expected[name] = expected[name] @ q
    expected["jacobian"] = q.T @ expected["jacobian"] @ q
    require(got, expected)


@each
@pytest.mark.parametrize("distance", [2.0**27, 1e16, 1e200])
@pytest.mark.parametrize("mass", [0.0, 1.0])
def test_a_far_component(kernel, covariance, distance, mass):
    """It takes its share of Z, and nothing of what Z divides; without weight it takes nothing."""
    kernel, c = KERNELS[kernel](1.0), COVARIANCES[covariance]
    expected = values(kernel, us.GaussianMixture(MEANS, c, WEIGHTS), X)
    means, spread = np.concatenate([MEANS, [[distance, distance]]]), np.concatenate([c, c[:1]])
    got = values(kernel, us.GaussianMixture(means, spread, np.append(WEIGHTS, mass)), X)
    expected["log_normalizer"] = expected["log_normalizer"] - np.log1p(mass)
    require(got, expected)


@each
def test_order_splitting_and_batch(kernel, covariance):
    kernel, c = KERNELS[kernel](1.0), COVARIANCES[covariance]
    law = us.GaussianMixture(MEANS, c, WEIGHTS)
    expected, order = values(kernel, law, X), [2, 0, 1]
    require(values(kernel, us.GaussianMixture(MEANS[order], c[order], WEIGHTS[order]), X), expected)
    halves = np.repeat(WEIGHTS, 2) * np.tile([0.25, 0.75], 3)
    twice = us.GaussianMixture(np.repeat(MEANS, 2, 0), np.repeat(c, 2, 0), halves)
    require(values(kernel, twice, X), expected)
    for rows in ([1], [2, 0]):
        require(values(kernel, law, X[rows]), {name: value[rows] for name, value in expected.items()})
    single = values(kernel, law, X.astype(np.float32))
    assert all(value.dtype == np.float32 for value in single.values())
    require(single, expected, rtol=1e-5)

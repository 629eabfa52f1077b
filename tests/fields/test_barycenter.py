"""The posterior mean: golden values, Jacobian, potential, and the limits in which it is known exactly."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError

EPS = np.finfo(float).eps
POINTS, QUERY = np.array([[-1.0], [0.5], [2.0]]), np.array([[0.3]])


def brute(points, queries, time):
    """The softmax average, written out in long double."""
    points, queries = points.astype(np.longdouble), queries.astype(np.longdouble)
    logits = -((queries[:, None] - time * points) ** 2).sum(-1) / (2 * (1 - np.longdouble(time)) ** 2)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return ((weights @ points) / weights.sum(1, keepdims=True)).astype(float)


def test_golden_value():
    field = us.Barycenter(us.Gaussian(0.5), POINTS, scale=0.5)
    assert field(QUERY)[0, 0] == pytest.approx(0.5885186608713545, abs=4 * EPS)


@pytest.mark.parametrize("dimension", [1, 3, 12])
@pytest.mark.parametrize("time", [0.01, 0.5, 0.9, 0.99])
def test_it_is_the_softmax_average(dimension, time):
    rng = np.random.default_rng(dimension)
    points, queries = rng.normal(size=(40, dimension)), rng.normal(size=(30, dimension))
    value = us.Barycenter(us.Gaussian(1 - time), points, scale=time)(queries)
    # Rounding of the logits (|z|^2 / 2 h^2) and of the division by the scale.
    bound = 100 * EPS * (dimension / (1 - time) ** 2 + np.abs(queries).max() / time)
    np.testing.assert_allclose(value, brute(points, queries, time), atol=bound, rtol=0)


def test_scale_zero_is_the_mean_of_the_measure():
    field = us.Barycenter(us.Gaussian(1.0), us.Samples(POINTS, [1, 2, 1]), scale=0.0)
    np.testing.assert_array_equal(field(np.array([[5.0], [-3.0]])), [[0.5], [0.5]])
    assert not field.jacobian(QUERY).any()
    assert field.potential(QUERY)[0] == pytest.approx(0.15)


def test_jacobian_is_the_posterior_covariance_and_at_most_a_quarter_of_the_squared_diameter():
    rng, time = np.random.default_rng(0), 0.6
    points, queries = rng.normal(size=(8, 3)), rng.normal(size=(5, 3))
    field = us.Barycenter(us.Gaussian(1 - time), points, scale=time)
    weights = np.exp(-((queries[:, None] - time * points) ** 2).sum(-1) / (2 * (1 - time) ** 2))
    weights /= weights.sum(1, keepdims=True)
    centred = points - (weights @ points)[:, None]
    covariance = np.einsum("nm,nmi,nmj->nij", weights, centred, centred)
    np.testing.assert_allclose(field.jacobian(queries), time / (1 - time) ** 2 * covariance, atol=1e-13)
    diameter = np.linalg.norm(points[:, None] - points, axis=-1).max()
    assert np.linalg.eigvalsh(covariance).max() <= diameter**2 / 4
    step = 1e-5
    for axis in np.eye(3):
        slope = (field(queries + step * axis) - field(queries - step * axis)) / (2 * step)
        # Central differences: third derivatives times step^2, and rounding over step.
        np.testing.assert_allclose(slope, field.jacobian(queries) @ axis, atol=1e-8)


def test_the_field_is_the_gradient_of_its_potential():
    rng = np.random.default_rng(1)
    field = us.Barycenter(us.Gaussian(0.4), rng.normal(size=(9, 2)), scale=0.6)
    x, step = rng.normal(size=(6, 2)), 1e-5
    for axis in np.eye(2):
        slope = (field.potential(x + step * axis) - field.potential(x - step * axis)) / (2 * step)
        np.testing.assert_allclose(slope, field(x) @ axis, atol=1e-8)


def test_gaussian_population_is_affine():
    """x = m + t Sigma (t^2 Sigma + (1-t)^2 I)^-1 (z - t m)."""
    mean, covariance, time = np.array([1.0, -2.0]), np.array([[2.0, 0.5], [0.5, 1.0]]), 0.7
    field = us.Barycenter(us.Gaussian(1 - time), us.GaussianMixture(mean[None], covariance), scale=time)
    x = np.random.default_rng(0).normal(size=(4, 2))
    gain = time * covariance @ np.linalg.inv(time**2 * covariance + (1 - time) ** 2 * np.eye(2))
    np.testing.assert_allclose(field(x), mean + (x - time * mean) @ gain.T, atol=1e-12)


def test_tower_property_holds_without_smoothing_and_fails_with_it():
    """The mean of the barycenter over rho_t is the data mean; at sigma = .5 it is .43978, .43944, .43337."""
    points = np.array([[-1.0], [0.3], [2.0]])
    nodes, weights = np.polynomial.legendre.leggauss(400)
    for time, wrong in [(0.3, 0.43978), (0.6, 0.43944), (0.9, 0.43337)]:
        z = 10 * nodes[:, None]
        density = np.exp(-((z - time * points[:, 0]) ** 2) / (2 * (1 - time) ** 2)).mean(1) / (1 - time)
        density *= 10 * weights / np.sqrt(2 * np.pi)
        field = us.Barycenter(us.Gaussian(1 - time), points, scale=time)
        assert density @ field(z)[:, 0] == pytest.approx(1.3 / 3, abs=1e-12)
        smoothed = us.Smoothed(field, 0.5, noise="population")
        assert density @ smoothed(z)[:, 0] == pytest.approx(wrong, abs=6e-6)


def test_float32_in_float32_out():
    field = us.Barycenter(us.Gaussian(0.5), POINTS, scale=0.5)
    assert field(QUERY.astype(np.float32)).dtype == np.float32
    assert field.jacobian(QUERY.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("scale", [-0.1, np.nan, "1"])
def test_bad_scale_is_refused(scale):
    with pytest.raises(InputError, match="scale must be"):
        us.Barycenter(us.Gaussian(0.5), POINTS, scale=scale)

"""The laws of sums over samples, in float32: what must not change a moment changes it by the reported error at most.

Data lie on a dyadic grid, so that shifts and scalings by powers of two are exact in float32 too; the tolerance is what
the two results say of themselves, with nothing added but the rounding of a result to float32.
"""

from __future__ import annotations

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.posterior import posterior_field, posterior_vectors

SINGLE, EPS = np.float32, float(np.finfo(np.float32).eps)
KERNELS = {
    "gaussian": lambda h, d: us.Gaussian(h),
    "laplace": lambda h, d: us.Laplace(h),
    "matern 3/2": lambda h, d: us.Matern(h, 1.5),
    "matern 0.8": lambda h, d: us.Matern(h, 0.8),
    "rational quadratic": lambda h, d: us.RationalQuadratic(h, 0.5),
    "student": lambda h, d: us.StudentT(h, 3.0, d),
}
DEGREES = {"log_normalizer": 0, "mean_shift": 1, "score": -1, "preconditioner": 2, "mean_distance": 1}

laws = pytest.mark.parametrize("kernel", KERNELS)
dimensions = pytest.mark.parametrize("d", [1, 2, 7, 8, 16, 64])


@pytest.fixture
def case(kernel, d):
    """A kernel of bandwidth 1, 300 points with weights, and 12 queries, two of them points."""
    rng = np.random.default_rng([d, len(kernel)])
    scale = 128.0 / np.sqrt(d)
    points, x = (np.rint(scale * rng.normal(size=(n, d))) / 64.0 for n in (300, 12))
    x[:2] = points[:2]
    return KERNELS[kernel](1.0, d), points.astype(SINGLE), rng.integers(1, 8, 300) / 8.0, x.astype(SINGLE)


def moments(kernel, points, weights, x, **options):
    found = us.posterior_moments(kernel, us.Samples(points, weights), x, **options)
    assert found.mean_shift.dtype == points.dtype
    return found


def lengths(kernel, points, weights, x):
    """E b r, of which a score is an average."""
    r = np.sqrt(((points.astype(float)[None] - x.astype(float)[:, None]) ** 2).sum(-1))
    log_weight = kernel.log_profile(r) + np.log(weights)
    weight = np.exp(log_weight - log_weight.max(1, keepdims=True))
    inverse = kernel.inverse_weight(r)
    return (weight * np.divide(r, inverse, out=0.0 * r, where=inverse > 0)).sum(1) / weight.sum(1)


def agree(case, got, *, rows=slice(None), turned=None, scale=1.0, shift=0.0):
    """`got` is what the case has, at these rows, turned by a rotation, in other units, with log Z moved by `shift`."""
    kernel, points, weights, x = case
    want = moments(*case)
    sizes = {
        "log_normalizer": 1.0,
        "mean_shift": want.mean_distance,
        "score": lengths(kernel, points, weights, x),
        "preconditioner": want.preconditioner,
        "mean_distance": want.mean_distance,
    }
    error = got.relative_error.astype(float) + want.relative_error[rows]
    for name, degree in DEGREES.items():
        expected = getattr(want, name)[rows].astype(float) + (shift if name == "log_normalizer" else 0.0)
        expected = expected if turned is None or expected.ndim == 1 else expected @ turned
        value = getattr(got, name).astype(float) / scale**degree
        gap, own = (np.linalg.norm(np.reshape(a, (len(value), -1)), axis=1) for a in (value - expected, expected))
        allowed = error * (sizes[name] if np.ndim(sizes[name]) == 0 else sizes[name][rows]) + 2 * EPS * own
        assert (gap <= allowed).all(), (name, (gap / allowed).max())


@laws
@dimensions
@pytest.mark.parametrize("offset", [1.0, 2.0**10, -(2.0**15)])
def test_translation(case, offset):
    kernel, points, weights, x = case
    agree(case, moments(kernel, points + SINGLE(offset), weights, x + SINGLE(offset)))


@laws
@dimensions
@pytest.mark.parametrize("exponent", [-60, -18, 7, 18, 60])
def test_scaling(case, exponent):
    """Beyond 2^20 bandwidths the tiles are float64, and the law goes on to hold."""
    kernel, points, weights, x = case
    scale = SINGLE(2.0**exponent)
    wide = kernel.with_bandwidth(kernel.bandwidth * float(scale))
    agree(case, moments(wide, scale * points, weights, scale * x), scale=float(scale))


@laws
@dimensions
def test_rotation(case, d):
    kernel, points, weights, x = case
    order, signs = np.random.default_rng(2).permutation(d), np.random.default_rng(3).choice([-1.0, 1.0], d)
    turn = (np.eye(d)[order] * signs).astype(SINGLE)  # exact, and another order of all sums over coordinates
    agree(case, moments(kernel, points @ turn, weights, x @ turn), turned=turn.astype(float))


@laws
@dimensions
def test_the_order_of_the_points_and_of_the_queries(case):
    kernel, points, weights, x = case
    order = np.random.default_rng(1).permutation(len(points))
    agree(case, moments(kernel, points[order], weights[order], x))
    for rows in ([0], [7, 3], list(range(11, -1, -1))):
        agree(case, moments(kernel, points, weights, x[rows]), rows=rows)


@laws
@dimensions
def test_points_without_weight_and_points_in_two_parts(case, d):
    kernel, points, weights, x = case
    for idle in (1e20, 0.0, -1e30):
        more = np.full((13, d), idle, SINGLE)
        got = moments(kernel, np.concatenate([more, points]), np.concatenate([np.zeros(13), weights]), x)
        agree(case, got)
    halves = weights.copy()
    halves[2:5] *= 0.25
    got = moments(kernel, np.concatenate([points, points[2:5]]), np.concatenate([halves, 3.0 * halves[2:5]]), x)
    agree(case, got)


@pytest.mark.parametrize("kernel", ["gaussian", "laplace", "matern 3/2", "matern 0.8"])
@dimensions
@pytest.mark.parametrize("distance", [1e6, 1e12, 1e20])
def test_a_second_cluster_far_away_changes_nothing_but_the_mass(case, d, distance):
    """The other kernels decay by a power of the distance, and give a far cluster its share."""
    kernel, points, weights, x = case
    far = points.copy()
    far[:, 0] += SINGLE(distance)
    got = moments(kernel, np.concatenate([points, far]), np.concatenate([weights, weights]), x)
    agree(case, got, shift=np.log(0.5))


@laws
@dimensions
def test_leaving_out_is_deleting(case):
    kernel, points, weights, x = case
    own = np.arange(2)
    left_out = moments(kernel, points, weights, x[:2], exclude=own)
    for i in own:
        rest = (kernel, np.delete(points, i, axis=0), np.delete(weights, i), x[i : i + 1])
        one = moments(kernel, points, weights, x[i : i + 1], exclude=own[i : i + 1])
        agree(rest, one, shift=np.log(1.0 - weights[i] / weights.sum()))
        np.testing.assert_allclose(one.mean_distance, left_out.mean_distance[i : i + 1], rtol=1e-3)


@laws
@dimensions
def test_parts_of_the_moments_are_the_moments(case):
    kernel, points, weights, x = case
    whole, samples = moments(*case), us.Samples(points, weights)
    vectors = posterior_vectors(kernel, samples, x)
    sizes = {"mean_shift": whole.mean_distance, "score": lengths(kernel, points, weights, x)}
    for name, size in sizes.items():
        for part in (getattr(vectors, name), posterior_field(kernel, samples, x, name)):
            gap = np.linalg.norm(part - getattr(whole, name), axis=1)
            own = np.linalg.norm(getattr(whole, name), axis=1)
            assert (gap <= 2 * whole.relative_error * size + EPS * own).all()


@laws
@dimensions
def test_gaussian_and_one_dimensional_fields_have_no_curl(case, d, kernel):
    whole = moments(*case)
    if kernel == "gaussian" or d == 1:
        size = whole.mean_distance * lengths(*case)
        assert (whole.curl_norm <= 4 * (whole.relative_error + EPS) * size).all()
        if kernel == "gaussian":
            np.testing.assert_allclose(whole.residual, 0.0, atol=8 * EPS * whole.mean_distance.max())
    elif d > 1:
        assert (whole.curl_norm > 0).all()

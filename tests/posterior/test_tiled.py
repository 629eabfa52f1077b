"""The sample engine against plain two-pass sums, for every kernel, in every regime of its loops."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.posterior import tiled

EPS = np.finfo(float).eps
# Sums of a few thousand terms in blocks, polynomials and tables: some tens of roundings of the conditioned scale.
C = 100


def kernels(d):
    length = np.sqrt(d)
    return [
        us.Gaussian(0.7 * length),
        us.Laplace(0.4 * length),
        us.Matern(0.3 * length, 0.3),
        us.Matern(0.3 * length, 0.8),
        us.Matern(0.3 * length, 1.0),
        us.Matern(0.3 * length, 1.5),
        us.Matern(0.3 * length, 2.5),
        us.Matern(0.1 * length, 7.3),
        us.RationalQuadratic(length, 0.5),
        us.StudentT(0.8 * length, 3.0, d),
    ]


both = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def per(dtype):
    """How many times coarser numbers of this type are than float64: factor of a tolerance made of roundings."""
    return np.finfo(dtype).eps / EPS


def assert_matches(moments, brute, *, c=C):
    dtype = moments.mean_shift.dtype
    for name, expected in brute.values.items():
        gap = np.abs(getattr(moments, name).astype(float) - expected)
        # The table of a Matern kernel is good to 1e-13.
        allowed = c * EPS * per(dtype) * brute.scale[name] + (1e-300 if dtype == np.float64 else 1e-37)
        assert (gap <= allowed).all(), (name, (gap / allowed).max())


@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 16, 200])
@both
def test_all_moments_agree_with_brute_force(d, dtype, rng, oracle):
    points, x = rng.normal(size=(1030, d)).astype(dtype), rng.normal(size=(40, d)).astype(dtype)
    x[3], x[4], x[5], x[6] = points[5], points[1026], points[7] + dtype(1e-6), points[8] + dtype(1e-3)
    weights = rng.random(1030)
    weights[::7] = 0.0
    exclude = np.full(40, -1)
    exclude[3], exclude[7] = 5, 1028
    for kernel in kernels(d):
        for mass, out in ((None, None), (weights, exclude)):
            got = us.posterior_moments(kernel, us.Samples(points, mass), x, exclude=out)
            assert got.mean_shift.dtype == dtype
            brute = oracle.of_samples(kernel, points, x, mass, out)
            assert_matches(got, brute)


@pytest.mark.parametrize("d", [2, 9])
@pytest.mark.parametrize("kernel", kernels(1)[:6], ids=repr)
@both
def test_near_pairs_keep_their_digits(d, kernel, dtype, rng, oracle):
    """b diverges at r = 0 for rough kernels: the direction of a sample 1e-9 away must not come from rounding."""
    points = rng.normal(size=(300, d)).astype(dtype)
    # Some hundred thousand roundings of the coordinates away, or some hundred.
    x = (points[:20] + (1e-9 if dtype == np.float64 else 1e-4) * rng.normal(size=(20, d))).astype(dtype)
    got, brute = us.posterior_moments(kernel, points, x), oracle.of_samples(kernel, points, x)
    # b r of the near pair dominates the scale; differences of points near 1 carry eps / 1e-9 of it.
    gap = np.abs(got.score - brute.values["score"]).max()
    assert gap <= 1e-6 * (brute.pi * brute.b * brute.r).sum(1).max()
    assert np.abs(got.mean_distance / brute.values["mean_distance"] - 1).max() < 1e-12 * per(dtype)


@pytest.mark.parametrize("n", [1, 127, 128, 129, 257])
@pytest.mark.parametrize("m", [1, 2, 1023, 1024, 1025, 2049])
@pytest.mark.parametrize("d", [3, 9])
@pytest.mark.parametrize("kernel", [us.Gaussian(0.7), us.Laplace(0.5)], ids=repr)
@both
def test_tile_boundaries(n, m, d, kernel, dtype, rng, oracle):
    points, x = rng.normal(size=(m, d)).astype(dtype), rng.normal(size=(n, d)).astype(dtype)
    assert_matches(us.posterior_moments(kernel, points, x), oracle.of_samples(kernel, points, x))


@pytest.mark.parametrize("d", [1, 9])
@pytest.mark.parametrize("kernel", [us.Gaussian(50.0), us.Laplace(0.5)], ids=repr)
@both
def test_the_largest_weight_may_come_first_or_last(d, kernel, dtype, oracle):
    """Online log-sum-exp: rising and falling maxima across tiles, from one to thousands of natural logarithms apart."""
    points, x = np.zeros((3000, d)), np.zeros((4, d))
    points[:, 0] = np.concatenate([np.linspace(0.0, 3.0, 1500), np.linspace(3.0, 5000.0, 1500)])
    x[:, 0] = 0.2, 2.9, 4999.7, 2500.1
    points, x = points.astype(dtype), x.astype(dtype)
    assert_matches(us.posterior_moments(kernel, points, x), oracle.of_samples(kernel, points, x))
    assert_matches(us.posterior_moments(kernel, points[::-1].copy(), x), oracle.of_samples(kernel, points[::-1], x))


@pytest.mark.parametrize("d", [2, 16])
@pytest.mark.parametrize("kernel", [us.Gaussian(0.7), us.Laplace(0.5)], ids=repr)
@pytest.mark.parametrize("n", [400, 1100])
@both
def test_threads_change_nothing_at_all(n, d, kernel, dtype, rng, monkeypatch):
    points, x = rng.normal(size=(1500, d)).astype(dtype), rng.normal(size=(n, d)).astype(dtype)
    answers = []
    for count in (1, 2, 5):
        monkeypatch.setattr(tiled, "threads", lambda count=count: count)
        answers.append(us.posterior_moments(kernel, points, x))
    for other in answers[1:]:
        for name in ("log_normalizer", "mean_shift", "score", "preconditioner", "effective_samples"):
            assert np.array_equal(getattr(answers[0], name), getattr(other, name)), name


@pytest.mark.parametrize("d", [2, 16])
@both
def test_a_query_does_not_feel_its_batch(d, dtype, rng):
    points, x = rng.normal(size=(1500, d)).astype(dtype), rng.normal(size=(300, d)).astype(dtype)
    kernel, many = us.Matern(0.5, 0.8), per(dtype)
    whole = us.posterior_moments(kernel, points, x)
    for rows in (slice(0, 1), slice(100, 231), slice(299, 300)):
        part = us.posterior_moments(kernel, points, x[rows])
        for name in ("log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance"):
            expected = getattr(whole, name)[rows]
            np.testing.assert_allclose(getattr(part, name), expected, rtol=1e-11 * many, atol=1e-12 * many)


@pytest.mark.parametrize("d", [2, 9, 64])
@pytest.mark.parametrize("kernel", [us.Gaussian(1.0), us.Laplace(1.0), us.RationalQuadratic(1.0, 0.5)], ids=repr)
@both
def test_an_offset_costs_nothing(d, kernel, dtype, rng, oracle):
    offset = 1e8 if dtype == np.float64 else 1e4
    points, x = (rng.normal(size=(200, d)) + offset).astype(dtype), (rng.normal(size=(20, d)) + offset).astype(dtype)
    # The offset data, rounded to 1e-8 or 1e-3, are the data: brute force takes the same exact differences.
    assert_matches(us.posterior_moments(kernel, points, x), oracle.of_samples(kernel, points, x))


@pytest.mark.parametrize("d", [1, 2, 9])
@both
def test_one_sample_gives_its_own_direction(d, dtype, rng):
    y, x, many = rng.normal(size=(1, d)).astype(dtype), rng.normal(size=(5, d)).astype(dtype), per(dtype)
    for kernel in kernels(d):
        got = us.posterior_moments(kernel, y, x)
        np.testing.assert_allclose(got.mean_shift, y - x, rtol=1e-13 * many, atol=1e-14 * many)
        np.testing.assert_allclose(got.effective_samples, 1.0, rtol=1e-14 * many)
        np.testing.assert_allclose(got.residual, 0.0, atol=1e-12 * many)


@pytest.mark.parametrize("m", [30, 2500])
@pytest.mark.parametrize("d", [2, 9])
@both
def test_weights_are_multiplicities(d, m, dtype, rng):
    points, x, many = rng.normal(size=(m, d)).astype(dtype), rng.normal(size=(10, d)).astype(dtype), per(dtype)
    times = rng.integers(0, 4, size=m)
    for kernel in kernels(d):
        weighted = us.posterior_moments(kernel, us.Samples(points, times), x)
        repeated = us.posterior_moments(kernel, np.repeat(points, times, axis=0), x)
        for name in ("log_normalizer", "mean_shift", "score", "preconditioner"):
            got, expected = getattr(weighted, name), getattr(repeated, name)
            np.testing.assert_allclose(got, expected, rtol=1e-11 * many, atol=1e-13 * many)


@both
def test_a_coincident_sample_has_direction_zero(dtype):
    """At r = 0 the Laplace score has no direction from that sample; its mass still counts."""
    points, x, rtol = np.array([[0.0, 0.0], [3.0, 4.0]], dtype), np.zeros((1, 2), dtype), 1e-14 * per(dtype)
    got = us.posterior_moments(us.Laplace(1.0), points, x)
    far = np.exp(-5.0) / (1 + np.exp(-5.0))
    np.testing.assert_allclose(got.mean_shift, [[3 * far, 4 * far]], rtol=rtol)
    np.testing.assert_allclose(got.score, [[0.6 * far, 0.8 * far]], rtol=rtol)
    np.testing.assert_allclose(got.preconditioner, 5 * far, rtol=rtol)


@both
def test_leaving_out_equals_deleting(dtype, rng):
    points, many = rng.normal(size=(50, 9)).astype(dtype), per(dtype)
    for kernel in kernels(9):
        left_out = us.posterior_moments(kernel, points, points[:4], exclude=np.arange(4))
        for i in range(4):
            deleted = us.posterior_moments(kernel, np.delete(points, i, axis=0), points[i : i + 1])
            np.testing.assert_allclose(
                left_out.mean_shift[i], deleted.mean_shift[0], rtol=1e-11 * many, atol=1e-13 * many
            )
            np.testing.assert_allclose(left_out.score[i], deleted.score[0], rtol=1e-11 * many, atol=1e-13 * many)
            # The weights are still relative to all 50 samples.
            expected = deleted.log_normalizer[0] + np.log(49 / 50)
            np.testing.assert_allclose(left_out.log_normalizer[i], expected, rtol=1e-12 * many)


@pytest.mark.parametrize("d", [2, 9])
@both
def test_what_is_left_out_is_found_in_its_tile_and_among_points_without_weight(d, dtype, rng):
    points, weights, own = rng.normal(size=(2500, d)).astype(dtype), rng.random(2500), np.array([1, 5, 1030, 2200])
    weights[::3] = 0.0
    for kernel in (us.Gaussian(0.7), us.Laplace(0.5)):
        left_out = us.posterior_moments(kernel, us.Samples(points, weights), points[own], exclude=own)
        for row, i in enumerate(own):
            rest = us.Samples(np.delete(points, i, axis=0), np.delete(weights, i))
            deleted = us.posterior_moments(kernel, rest, points[i : i + 1])
            for name in ("mean_shift", "score", "effective_samples"):
                np.testing.assert_allclose(
                    getattr(left_out, name)[row], getattr(deleted, name)[0], rtol=1e-10 if dtype == np.float64 else 1e-4
                )


@pytest.mark.parametrize("quantity", ["mean_shift", "score"])
@both
def test_a_field_alone_is_the_field_of_all_moments(quantity, dtype, rng):
    points, x, many = rng.normal(size=(1100, 9)).astype(dtype), rng.normal(size=(20, 9)).astype(dtype), per(dtype)
    field = {"mean_shift": us.MeanShift, "score": us.KernelScore}[quantity]
    for kernel in kernels(9):
        all_moments = us.posterior_moments(kernel, points, x)
        expected = getattr(all_moments, quantity)
        np.testing.assert_allclose(field(kernel, points)(x), expected, rtol=1e-12 * many, atol=1e-13 * many)

"""Extreme but legal input: correct limits or a named error, never a silent NaN."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.posterior import posterior_field, posterior_vectors

ALL = (
    "log_normalizer",
    "mean_shift",
    "score",
    "preconditioner",
    "mean_distance",
    "effective_samples",
    "relative_error",
    "residual",
    "curl_norm",
)


def kernels(bandwidth, d):
    return [
        us.Gaussian(bandwidth),
        us.Laplace(bandwidth),
        us.Matern(bandwidth, 0.8),
        us.Matern(bandwidth, 1.0),
        us.Matern(bandwidth, 1.5),
        us.Matern(bandwidth, 7.3),
        us.RationalQuadratic(bandwidth, 0.5),
        us.StudentT(bandwidth, 3.0, d),
    ]


def queries(points, rng):
    d = points.shape[1]
    far = rng.normal(size=(3, d))
    return {
        "ordinary": rng.normal(size=(3, d)),
        "far": 1e8 * far / np.linalg.norm(far, axis=1, keepdims=True),
        "coincident": points[:2].copy(),
        "nearly coincident": points[:2] + 1e-9,
    }


@pytest.mark.parametrize("bandwidth", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("d", [1, 2, 9])
@pytest.mark.parametrize("kind", ["samples", "mixture", "point masses", "full"])
def test_never_a_silent_nan(bandwidth, d, kind, rng):
    points = rng.normal(size=(4, d))
    law = {
        "samples": us.Samples(points),
        "mixture": us.GaussianMixture(points, [0.3, 1e-12, 5.0, 0.0]),
        "point masses": us.GaussianMixture(points, 0.0),
        "full": us.GaussianMixture(points, np.diag(np.linspace(0.0, 2.0, d))),
    }[kind]
    for kernel in kernels(bandwidth, d):
        for name, x in queries(points, rng).items():
            got = us.posterior_moments(kernel, law, x)
            for quantity in ALL:
                value = getattr(got, quantity)
                fine = np.isfinite(value) | (quantity == "effective_samples")
                assert fine.all() and not np.isnan(value).any(), (kernel, name, quantity, value)


@pytest.mark.parametrize("d", [1, 2, 9])
@pytest.mark.parametrize("kind", ["samples", "point masses"])
def test_a_tiny_bandwidth_finds_the_nearest_neighbour(d, kind, rng):
    points = rng.normal(size=(8, d))
    law = us.Samples(points) if kind == "samples" else us.GaussianMixture(points, 0.0)
    for kernel in kernels(1e-8, d)[:6]:
        for name, x in queries(points, rng).items():
            nearest = points[((points[None] - x[:, None]) ** 2).sum(-1).argmin(1)] - x
            got = us.posterior_moments(kernel, law, x)
            # A far query sees distances rounded to 1e-8, its own spacing.
            slack = 1e-7 if name == "far" else 1e-14
            np.testing.assert_allclose(got.mean_shift, nearest, atol=slack, rtol=1e-15)
            if kind == "samples" and name != "far":
                np.testing.assert_allclose(got.effective_samples, 1.0, rtol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 9])
@pytest.mark.parametrize("kind", ["samples", "mixture"])
def test_a_huge_bandwidth_finds_the_mean(d, kind, rng):
    points = rng.normal(size=(30, d))
    law = us.Samples(points) if kind == "samples" else us.GaussianMixture(points, 0.3)
    for kernel in kernels(1e8, d):
        for name, x in queries(points, rng).items():
            if name != "far":
                got = us.posterior_moments(kernel, law, x)
                # The first correction is r/bandwidth.
                np.testing.assert_allclose(got.mean_shift, points.mean(0) - x, atol=1e-6)
                np.testing.assert_allclose(got.log_normalizer, 0.0, atol=1e-6)


@pytest.mark.parametrize("bandwidth", [1e-8, 1.0, 1e8])
@pytest.mark.parametrize("d", [1, 3])
def test_mixtures_of_point_masses_follow_the_sample_engine_everywhere(bandwidth, d, rng):
    """Two engines, one law, in every regime; the population preconditioner too, out to |log Z| = 1e32."""
    points = rng.normal(size=(3, d))
    for kernel in kernels(bandwidth, d):
        for x in queries(points, rng).values():
            one = us.posterior_moments(kernel, us.GaussianMixture(points, 0.0), x)
            two = us.posterior_moments(kernel, us.Samples(points), x)
            # Weights of far points are good to the rounding of their logarithms, which the estimate reports.
            # The sample engine centres, which rounds r by 1e-15 or so; far queries are rounded to 1e-8 themselves.
            spacing = 1e-15 * (1 + np.abs(x).max())
            rtol = 1e-10 + 10 * np.minimum(one.relative_error.max(), 1e-7) + 1e-14 / bandwidth
            for name in ("log_normalizer", "preconditioner", "mean_distance"):
                atol = 1e-12 * bandwidth ** {"log_normalizer": 0, "preconditioner": 2, "mean_distance": 1}[name]
                np.testing.assert_allclose(
                    getattr(one, name), getattr(two, name), rtol=rtol, atol=atol + spacing, err_msg=repr((kernel, name))
                )
            np.testing.assert_allclose(one.mean_shift, two.mean_shift, atol=1e-6, rtol=1e-9)


def test_far_matern_weights_are_not_one():
    """Beyond r = 1e9 l, library Bessel functions give up; their expansion takes over."""
    points = np.array([[0.0], [3e9]])
    for smoothness in (0.8, 1.0, 7.3):
        got = us.posterior_moments(us.Matern(1.0, smoothness), points, [[-3e9]])
        np.testing.assert_allclose(got.log_normalizer, -3e9, rtol=1e-6)
        np.testing.assert_allclose(got.mean_shift, [[3e9]], rtol=1e-15)
        np.testing.assert_allclose(got.preconditioner, 3e9, rtol=1e-6)


def test_a_population_has_nothing_to_leave_out():
    law = us.GaussianMixture([[0.0]], 1.0)
    with pytest.raises(InputError, match="population"):
        us.posterior_moments(us.Laplace(1.0), law, [[1.0]], exclude=np.array([0]))


@pytest.mark.parametrize("exclude", [[0.0, 1.0], [0], [3, 0], [-2, 0], np.zeros((2, 1), int), [True, False]], ids=repr)
def test_bad_exclusions(exclude):
    with pytest.raises(InputError, match="exclude"):
        us.posterior_moments(us.Laplace(1.0), np.zeros((3, 2)), np.ones((2, 2)), exclude=np.array(exclude))


def test_an_exclusion_that_leaves_nothing():
    with pytest.raises(InputError, match="query 1"):
        us.posterior_moments(us.Laplace(1.0), np.zeros((1, 2)), np.ones((2, 2)), exclude=np.array([-1, 0]))


def test_a_kernel_without_mixture_has_no_population():
    from dataclasses import dataclass

    @dataclass(frozen=True, slots=True)
    class Bare(us.Laplace):
        def scale_mixture(self):
            return None

    with pytest.raises(NumericalError, match="scale mixture"):
        us.posterior_moments(Bare(1.0), us.GaussianMixture([[0.0]], 1.0), [[1.0]])


LAWS = {"samples": us.Samples, "mixture": lambda points: us.GaussianMixture(points, 0.5)}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("d", [1, 9])
@pytest.mark.parametrize("bandwidth", [1e-320, 1e-150, 1e200, 1e308])
def test_what_leaves_the_range_of_float64_is_a_named_error_or_finite(bandwidth, d, law, rng):
    measure, x = LAWS[law](rng.normal(size=(4, d))), np.ones((2, d))
    for kernel in kernels(bandwidth, d):
        for compute in (us.posterior_moments, posterior_vectors, lambda *a: posterior_field(*a, "score")):
            try:
                got = compute(kernel, measure, x)
            except NumericalError as error:
                assert "exclude" not in str(error) and "bandwidth" in str(error)
            else:
                assert np.isfinite(got if isinstance(got, np.ndarray) else got.score).all()


@pytest.mark.parametrize("d", [1, 9])
@pytest.mark.parametrize("law", LAWS)
def test_points_too_far_for_a_square_are_a_named_error(d, law, rng):
    with pytest.raises(NumericalError, match="query 0"):
        us.posterior_moments(us.Laplace(1.0), LAWS[law](rng.normal(size=(4, d))), np.full((2, d), 1e200))
    with pytest.raises(NumericalError, match="overflow"):
        us.posterior_moments(us.Gaussian(1e-320), rng.normal(size=(4, d)), np.ones((2, d)))


def test_leaving_one_out_of_two_far_samples_blames_the_distance():
    far = np.array([[0.0], [1.0]])
    with pytest.raises(NumericalError, match="query 0"):
        us.posterior_moments(us.Laplace(1.0), far, [[1e200]], exclude=np.array([0]))
    with pytest.raises(InputError, match="query 0 without any sample of positive weight"):
        us.posterior_moments(us.Laplace(1.0), us.Samples(far, [0.0, 1.0]), [[2.0]], exclude=np.array([1]))


def test_a_point_too_far_for_a_square_counts_with_its_weight():
    """Tails so heavy that 1e150 bandwidths cost a factor six: all moments of weights join those of the other points."""
    kernel, points, x = us.RationalQuadratic(1.0, 0.0025), np.array([[0.0], [1.0], [1e150]]), np.array([[0.5], [-3.0]])
    got = us.posterior_moments(kernel, points, x)
    weight = np.exp(kernel.log_profile(np.abs(points[:, 0] - x)))
    assert 0.05 < weight[0, 2] / weight[0, 0] < 0.2
    np.testing.assert_allclose(got.effective_samples, weight.sum(1) ** 2 / (weight**2).sum(1), rtol=1e-12)
    np.testing.assert_allclose(got.log_normalizer, np.log(weight.mean(1)), rtol=1e-12)
    np.testing.assert_allclose(got.mean_shift[:, 0], weight[:, 2] * 1e150 / weight.sum(1), rtol=1e-12)


def test_far_from_a_gaussian_the_posterior_lies_where_its_precision_says():
    """The posterior mean lies at x/4, also where log Z is so large that ratios of integrals have no digits."""
    got = us.posterior_moments(us.Gaussian(1.0), us.GaussianMixture([[0.0, 0.0]], 1 / 3), np.array([[3e6, -4e6]]))
    np.testing.assert_allclose(got.mean_distance, 3.75e6, rtol=1e-9)
    np.testing.assert_allclose(got.mean_shift, [[-2.25e6, 3e6]], rtol=1e-9)

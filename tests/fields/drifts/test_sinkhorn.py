"""Sinkhorn drift: marginals, closed form between Gaussians, gradient of the entropic divergence."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, NumericalError
from unifiedscore.fields import sinkhorn_scaling

RNG = np.random.default_rng(6)


def test_plans_have_the_marginals_and_the_drift_is_their_projection():
    x, y = us.Samples(RNG.normal(size=(8, 2))), us.Samples(RNG.normal(size=(9, 2)), RNG.random(9))
    kernel = us.Laplace(0.6)

    def plan(first, second):
        s = sinkhorn_scaling(kernel, first, second, tolerance=1e-12)
        r = np.linalg.norm(first.points[:, None] - second.points, axis=2)
        return np.exp(s.log_first[:, None] + kernel.log_profile(r) + s.log_second)

    across, within = plan(x, y), plan(x, x)
    for pi, (a, b) in ((across, (x, y)), (within, (x, x))):
        np.testing.assert_allclose(pi.sum(1), a.weights, rtol=1e-12)
        np.testing.assert_allclose(pi.sum(0), b.weights, atol=1e-12)
    expected = across @ y.points / x.weights[:, None] - within @ x.points / x.weights[:, None]
    drift = us.SinkhornDrift(kernel, target=y, model=x, tolerance=1e-12)
    np.testing.assert_allclose(drift(x.points), expected, atol=1e-10)


def test_golden_gaussians():
    drift = us.SinkhornDrift(
        us.Gaussian(np.sqrt(0.5)), target=us.GaussianMixture([[-0.5]], 1.69), model=us.GaussianMixture([[0.2]], 0.64)
    )
    np.testing.assert_allclose(drift([[-1.0], [0.0], [0.8]]).ravel(), [-1.417245, -0.819541, -0.341377], atol=1e-6)


def test_the_same_law_does_not_move_and_a_shifted_one_moves_by_the_shift():
    x = RNG.normal(size=(15, 2))
    drift = us.SinkhornDrift(us.Gaussian(0.7), target=x, model=x.copy())
    np.testing.assert_allclose(drift(x), 0, atol=1e-7)
    # The quadratic cost splits off the difference of means whatever epsilon is.
    shifted = us.SinkhornDrift(us.Gaussian(0.7), target=x + np.array([3.0, -1.0]), model=x)
    np.testing.assert_allclose(shifted(x), np.broadcast_to([3.0, -1.0], x.shape), atol=1e-7)


def test_points_without_mass_do_not_count():
    x, y = RNG.normal(size=(6, 2)), RNG.normal(size=(5, 2))
    kernel = us.Gaussian(1.0)
    padded = us.Samples(np.concatenate([y, [[50.0, 50.0]]]), [1, 1, 1, 1, 1, 0])
    first, second = (us.SinkhornDrift(kernel, target=law, model=x)(x) for law in (y, padded))
    np.testing.assert_allclose(first, second, atol=1e-9)


def test_plans_that_do_not_converge_are_refused():
    x, y = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 2)) + 4
    with pytest.raises(NumericalError, match="marginals off by"):
        us.SinkhornDrift(us.Gaussian(0.05), target=y, model=x, max_iterations=20)
    with pytest.raises(InputError, match="one dimension"):
        us.SinkhornDrift(us.Gaussian(1.0), target=y, model=x[:, :1])
    with pytest.raises(InputError, match="kernel"):
        us.SinkhornDrift(0.5, target=y, model=x)


@pytest.mark.parametrize(("width", "offset"), [(0.05, 0.0), (0.1, 6.0), (0.5, 0.0)])
def test_scalings_are_those_of_iterations_in_the_log_domain_alone(width, offset):
    """Also where the kernel matrix itself underflows, and where the scalings leave the range of a product."""
    from scipy.special import logsumexp

    x = us.Samples(np.random.default_rng(1).normal(size=(12, 2)))
    y = us.Samples(np.random.default_rng(2).normal(size=(9, 2)) + offset)
    kernel = us.Gaussian(width)
    for first, second in ((x, y), (x, x)):
        r = np.linalg.norm(first.points[:, None] - second.points, axis=2)
        log_k, log_v = kernel.log_profile(r), np.log(second.weights)
        iterations, error = 0, np.inf
        while error > 1e-3:
            iterations += 1
            log_u = np.log(first.weights) - logsumexp(log_k + log_v, axis=1)
            columns = logsumexp(log_k + log_u[:, None], axis=0)
            error = np.abs(np.exp(columns + log_v) - second.weights).sum()
            if error > 1e-3:
                log_v = 0.5 * (log_u + log_v) if first is second else np.log(second.weights) - columns
        got = sinkhorn_scaling(kernel, first, second, tolerance=1e-3)
        assert got.iterations == iterations
        scale = max(1.0, np.abs(log_k).max())
        np.testing.assert_allclose(got.log_first, log_u, atol=1e-9 * scale)
        np.testing.assert_allclose(got.log_second, log_v, atol=1e-9 * scale)

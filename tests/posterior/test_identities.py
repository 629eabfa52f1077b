"""The exact identities of the theory at a few roundings of their scale, by two computations each."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.posterior import posterior_jacobian

EPS = np.finfo(float).eps
DIMENSIONS = [1, 2, 3, 8, 16, 64, 256, 1024, 4096]


@pytest.mark.parametrize("d", DIMENSIONS)
def test_gaussian_mean_shift_is_the_score_of_the_smoothed_law(d, rng):
    """I1 on atoms: a tiled sum against the score of a Gaussian mixture."""
    points, x, tau = rng.normal(size=(60, d)), rng.normal(size=(6, d)), 0.5 * np.sqrt(d)
    got = us.MeanShift(us.Gaussian(tau), points)(x)
    other = tau**2 * us.GaussianMixture(points, tau**2).score(x)
    # Log-weights of size d/tau^2 = 4 times (|x|^2 + |y|^2)/d, vectors of size sqrt(d).
    assert np.abs(got - other).max() <= 100 * EPS * np.sqrt(d) * 10


@pytest.mark.parametrize("d", DIMENSIONS)
def test_gaussian_population_mean_shift_is_the_score_of_the_smoothed_mixture(d, rng):
    tau = 0.5 * np.sqrt(d)
    mixture = us.GaussianMixture(rng.normal(size=(3, d)), [0.2, 1.0, 0.5], [0.5, 0.2, 0.3])
    x = mixture.sample(6, rng)
    got = us.MeanShift(us.Gaussian(tau), mixture)(x)
    other = tau**2 * mixture.smoothed(tau**2).score(x)
    assert np.abs(got - other).max() <= 100 * EPS * np.sqrt(d) * 10


@pytest.mark.parametrize("d", DIMENSIONS)
def test_radial_decomposition_on_samples(d, rng, oracle):
    """I4: V - alpha s from the engine against the covariance of 1/b and b (y - x), centred in two passes."""
    points, x = rng.normal(size=(60, d)), rng.normal(size=(6, d))
    length = np.sqrt(d)
    for kernel in (
        us.Laplace(0.3 * length),
        us.Matern(0.3 * length, 0.8),
        us.Matern(0.3 * length, 1.5),
        us.RationalQuadratic(length, 0.5),
        us.StudentT(length, 3.0, d),
    ):
        got, brute = us.posterior_moments(kernel, points, x), oracle.of_samples(kernel, points, x)
        gap = np.abs(got.residual - brute.values["residual"])
        assert (gap <= 100 * EPS * brute.scale["residual"]).all()
        assert np.abs(brute.values["residual"]).max() > 1e4 * gap.max()


def test_gaussian_residual_vanishes_and_others_do_not(rng):
    points, x = rng.normal(size=(60, 3)), rng.normal(size=(6, 3))
    for measure in (us.Samples(points), us.GaussianMixture(points[:3], 0.3)):
        gaussian = us.posterior_moments(us.Gaussian(0.7), measure, x)
        assert np.abs(gaussian.residual).max() <= 10 * EPS * np.abs(gaussian.mean_shift).max()
        for kernel in (us.Laplace(0.5), us.Matern(0.5, 0.8), us.RationalQuadratic(1.0, 0.5), us.StudentT(1.0, 3.0, 3)):
            assert np.linalg.norm(us.posterior_moments(kernel, measure, x).residual, axis=1).min() > 1e-3


@pytest.mark.parametrize("d", [2, 3, 9])
def test_laplace_residual_is_bounded_by_the_spread_of_the_distance(d, rng, oracle):
    """I6: |delta| <= sd(r) sqrt(1 - |E u|^2)."""
    points, x, kernel = rng.normal(size=(40, d)), rng.normal(size=(50, d)), us.Laplace(0.5)
    got, brute = us.posterior_moments(kernel, points, x), oracle.of_samples(kernel, points, x)
    mean = got.mean_distance
    spread = np.sqrt((brute.pi * (brute.r - mean[:, None]) ** 2).sum(1))
    unit = 0.5 * np.linalg.norm(got.score, axis=1)
    size = np.linalg.norm(got.residual, axis=1)
    assert (size <= spread * np.sqrt(1 - unit**2) * (1 + 1e-12)).all()
    assert (size > 0.1 * spread * np.sqrt(1 - unit**2)).any()


@pytest.mark.parametrize("d", [2, 3, 9])
def test_curl_is_that_of_the_jacobian(d, rng, oracle):
    """I10: the antisymmetric part of Cov(y, b (y - x)) - I is -(V s^T - s V^T)/2."""
    points, x = rng.normal(size=(40, d)), rng.normal(size=(5, d))
    covariance = np.cov(rng.normal(size=(d, 3 * d)))
    for kernel in (us.Gaussian(0.8), us.Laplace(0.5), us.Matern(0.5, 0.8), us.StudentT(1.0, 3.0, d)):
        mixtures = us.GaussianMixture(points[:3], 0.3), us.GaussianMixture(points[:2], covariance)
        for measure in (us.Samples(points), *mixtures):
            moments = us.posterior_moments(kernel, measure, x)
            jacobian = posterior_jacobian(kernel, measure, x)
            outer = moments.mean_shift[:, :, None] * moments.score[:, None, :]
            curl = (jacobian - jacobian.transpose(0, 2, 1)) / 2
            scale = np.abs(jacobian).max()
            np.testing.assert_allclose(curl, -(outer - outer.transpose(0, 2, 1)) / 2, atol=1e-11 * scale)
            np.testing.assert_allclose(np.linalg.norm(curl, axis=(1, 2)), moments.curl_norm, atol=1e-11 * scale)
            if kernel.constant_weight:
                assert moments.curl_norm.max() < 1e-13 * scale
            else:
                assert moments.curl_norm.max() > 1e-5
        brute = oracle.of_samples(kernel, points, x)
        covariance_form = np.einsum("nm,nmi,nmj->nij", brute.pi, brute.gap, brute.centred) - np.eye(d)
        np.testing.assert_allclose(posterior_jacobian(kernel, points, x), covariance_form, rtol=1e-11, atol=1e-12)


def test_second_order_tweedie():
    """I + J = Cov_pi(y)/tau^2, whose inverse is I + tau^2 C^-1 for one Gaussian of covariance C."""
    c, tau, eye = np.array([[1.3, 0.4, -0.2], [0.4, 0.6, 0.1], [-0.2, 0.1, 0.9]]), 0.7, np.eye(3)
    jacobian = posterior_jacobian(us.Gaussian(tau), us.GaussianMixture([[0.3, -1.0, 2.0]], c), [[2.0, 0.1, 0.4]])[0]
    np.testing.assert_allclose(eye + jacobian, np.linalg.inv(eye + tau**2 * np.linalg.inv(c)), rtol=1e-12)


def test_gaussian_laws():
    """I3, with different means and full covariances."""
    p, q = np.array([[1.3, 0.4], [0.4, 0.6]]), np.array([[0.5, -0.2], [-0.2, 0.9]])
    mp, mq, x, tau = np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.array([0.4, -0.7]), 0.8
    kernel = us.Gaussian(tau)
    drift = us.Drift(kernel, target=us.GaussianMixture([mp], p), model=us.GaussianMixture([mq], q))
    eye = tau**2 * np.eye(2)
    expected = tau**2 * (np.linalg.solve(p + eye, mp - x) - np.linalg.solve(q + eye, mq - x))
    np.testing.assert_allclose(drift(x[None])[0], expected, rtol=1e-13)


def test_three_channels(rng):
    """I8: alpha-bar (s_p - s_q) + (alpha_p - alpha_q)(s_p + s_q)/2 + residual gap."""
    x, kernel = rng.normal(size=(5, 3)), us.Laplace(0.7)
    p, q = us.GaussianMixture(rng.normal(size=(2, 3)), 0.4), us.Samples(rng.normal(size=(50, 3)))
    a, b = us.posterior_moments(kernel, p, x), us.posterior_moments(kernel, q, x)
    mean, gap = (a.preconditioner + b.preconditioner) / 2, a.preconditioner - b.preconditioner
    channels = mean[:, None] * (a.score - b.score) + gap[:, None] * (a.score + b.score) / 2 + a.residual - b.residual
    np.testing.assert_allclose(us.Drift(kernel, target=p, model=q)(x), channels, atol=1e-13)


@pytest.mark.parametrize(("tau", "kind"), [(1.0, "samples"), (0.02, "population")])
def test_low_temperature_constants(tau, kind, rng):
    """6.8: V/(tau^2 score) and |delta|/|V| for N(0, I) at e_1; n = 1 keeps V = y - x for every kernel (I24)."""
    if kind == "samples":
        y, x = rng.normal(size=(1, 4)), rng.normal(size=(3, 4))
        np.testing.assert_allclose(us.MeanShift(us.Laplace(tau), y)(x), y - x, rtol=1e-14)
        return
    table = {1: (1.996806, 0.499601), 2: (2.992822, 0.332935), 3: (3.987252, 0.249602), 5: (5.971375, 0.166269)}
    for d, (rate, share) in {**table, 10: (10.904267, 0.090514)}.items():
        x = np.eye(d)[:1]
        got = us.posterior_moments(us.Laplace(tau), us.GaussianMixture(np.zeros((1, d)), 1.0), x)
        assert abs(got.mean_shift[0, 0] / (-(tau**2)) - rate) < 1e-6
        assert abs(np.linalg.norm(got.residual) / np.linalg.norm(got.mean_shift) - share) < 1e-6

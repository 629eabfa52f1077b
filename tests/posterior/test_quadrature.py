"""The population engine against direct integration in the space of the data: no scale mixture, no sampling."""

import mpmath
import numpy as np
import pytest

import unifiedscore as us

NAMES = ("log_normalizer", "mean_shift", "score", "preconditioner", "mean_distance")


def kernels(d):
    return [
        us.Gaussian(0.7),
        us.Laplace(0.4),
        us.Laplace(20.0),
        us.Matern(0.5, 0.3),
        us.Matern(0.5, 0.8),
        us.Matern(0.5, 1.0),
        us.Matern(0.4, 1.5),
        us.Matern(0.4, 2.5),
        us.Matern(0.2, 7.3),
        us.RationalQuadratic(1.0, 0.5),
        us.RationalQuadratic(0.5, 2.0),
        us.StudentT(0.8, 3.0, d),
    ]


def assert_close(got, i, expected, *, rtol=2e-11):
    """Relative to natural sizes: V to E r, s to E r/alpha; and the engine's own estimate must be honest."""
    size = {
        "log_normalizer": 1.0,
        "mean_shift": expected["mean_distance"],
        "score": expected["mean_distance"] / expected["preconditioner"],
        "preconditioner": expected["preconditioner"],
        "mean_distance": expected["mean_distance"],
    }
    worst = {name: np.abs(getattr(got, name)[i] - expected[name]).max() / size[name] for name in NAMES}
    assert max(worst.values()) <= rtol, worst
    # The rounding of the direct integration itself is about 1e-13.
    assert max(worst.values()) <= 10 * got.relative_error[i] + 5e-13, (worst, got.relative_error[i])
    assert got.relative_error[i] < 1e-10


@pytest.mark.parametrize("d", [1, 2, 3, 10])
def test_isotropic_mixtures(d, rng, oracle):
    means, variances, weights = 1.5 * rng.normal(size=(3, d)), np.array([0.3, 1.0, 0.05]), np.array([0.5, 0.2, 0.3])
    x = np.vstack([1.5 * rng.normal(size=(3, d)), means[:1], means[1:2] + 1e-6])
    mixture = us.GaussianMixture(means, variances, weights)
    for kernel in kernels(d):
        got = us.posterior_moments(kernel, mixture, x)
        for i, query in enumerate(x):
            assert_close(got, i, oracle.of_isotropic(kernel, means, variances, weights, query))


@pytest.mark.parametrize("d", [2, 3])
def test_full_covariances(d, rng, oracle):
    root = rng.normal(size=(2, d, d))
    mixture = us.GaussianMixture(
        rng.normal(size=(2, d)), root @ root.transpose(0, 2, 1) / d + 0.2 * np.eye(d), weights=[0.3, 0.7]
    )
    x = rng.normal(size=(2, d))
    inverses = [np.linalg.inv(c) for c in root @ root.transpose(0, 2, 1) / d + 0.2 * np.eye(d)]

    def density(points):
        total = 0.0
        for mass, mean, inverse in zip(mixture.weights, mixture.means, inverses, strict=True):
            gap = points - mean
            form = np.einsum("ni,ij,nj->n", gap, inverse, gap)
            total = total + mass * np.exp(-form / 2) * np.sqrt(np.linalg.det(inverse) / (2 * np.pi) ** d)
        return total

    around = [oracle.shells(density, query, 15.0) for query in x]
    for kernel in kernels(d):
        got = us.posterior_moments(kernel, mixture, x)
        for i, shell in enumerate(around):
            assert_close(got, i, oracle.of_shells(kernel, *shell), rtol=5e-11)


def test_full_covariance_that_is_isotropic_after_all(rng):
    """Two code paths, one law; and a zero eigenvalue is legal."""
    means, x = rng.normal(size=(3, 4)), rng.normal(size=(5, 4))
    for kernel in kernels(4):
        one = us.posterior_moments(kernel, us.GaussianMixture(means, 0.3), x)
        two = us.posterior_moments(kernel, us.GaussianMixture(means, 0.3 * np.eye(4)), x)
        for name in NAMES:
            np.testing.assert_allclose(getattr(one, name), getattr(two, name), rtol=1e-10, atol=1e-11)
    flat = us.GaussianMixture([[0.0, 0.0]], np.diag([1.0, 0.0]))
    line = us.GaussianMixture([[0.0]], 1.0)
    got, expected = (us.posterior_moments(us.Laplace(0.3), law, [[1.5, 0.0][: law.dimension]]) for law in (flat, line))
    np.testing.assert_allclose(got.log_normalizer, expected.log_normalizer, rtol=1e-12)
    np.testing.assert_allclose(got.mean_shift[0], [expected.mean_shift[0, 0], 0.0], atol=1e-12)


def test_point_masses_are_samples(rng):
    points, weights = rng.normal(size=(4, 3)), np.array([0.1, 0.4, 0.2, 0.3])
    x = np.vstack([rng.normal(size=(3, 3)), points[:1], points[:1] + 1e-6])
    for kernel in kernels(3):
        population = us.posterior_moments(kernel, us.GaussianMixture(points, 0.0, weights), x)
        sample = us.posterior_moments(kernel, us.Samples(points, weights), x)
        for name in NAMES:
            np.testing.assert_allclose(getattr(population, name), getattr(sample, name), rtol=2e-10, atol=1e-11)
        assert population.relative_error.max() < 1e-10


@pytest.mark.parametrize("d", [1024, 2**20])
def test_very_high_dimension(d):
    """Forty-digit arithmetic on the integral over s, Laplace kernel, at a typical point."""
    tau, variance, means = 0.3 * np.sqrt(d), 0.25, np.array([[3.0, 0.0], [-1.0, 2.0]])
    law = us.GaussianMixture(means, variance, [0.7, 0.3], dimension=d).reduced()
    x = np.array([[1.0, 0.4, 0.5 * np.sqrt(d - 2)]])
    got = us.posterior_moments(us.Laplace(tau), law, x)
    with mpmath.workdps(40):
        b2 = mpmath.mpf(tau) ** 2
        total, flow, pull = mpmath.mpf(0), [mpmath.mpf(0)] * 3, [mpmath.mpf(0)] * 3
        grid = [mpmath.mpf(g) for g in np.linspace(-14.0, 12.0, 1201)]
        step = grid[1] - grid[0]
        for mean, mass in zip(means, (0.7, 0.3), strict=True):
            gap = [mpmath.mpf(a) - mpmath.mpf(b) for a, b in zip([*mean, 0.0], x[0], strict=True)]
            far = sum(g * g for g in gap)
            for v in grid:
                t = mpmath.exp(v)
                eta = 1 + 2 * t * mpmath.mpf(variance) / b2
                log_omega = -v / 2 - 1 / (4 * t) - d * mpmath.log(eta) / 2 - t * far / (b2 * eta)
                omega = mass * mpmath.exp(log_omega) * step / (2 * mpmath.sqrt(mpmath.pi))
                total += omega
                flow = [f + omega * g / eta for f, g in zip(flow, gap, strict=True)]
                pull = [f + 2 * t / b2 * omega * g / eta for f, g in zip(pull, gap, strict=True)]
        expected = float(mpmath.log(total)), [float(f / total) for f in flow], [float(f / total) for f in pull]
    np.testing.assert_allclose(got.log_normalizer[0], expected[0], rtol=1e-12)
    np.testing.assert_allclose(got.mean_shift[0], expected[1], rtol=1e-12)
    np.testing.assert_allclose(got.score[0], expected[2], rtol=1e-12)
    # The distance concentrates: E r = |y - x| within a relative 1/d.
    np.testing.assert_allclose(got.mean_distance[0] ** 2, 0.5 * d, rtol=30 / d + 3e-3 * 1024 / d)


def test_reduced_and_ambient_agree(rng):
    d = 40
    mixture = us.GaussianMixture(rng.normal(size=(3, d)), [0.3, 0.2, 0.5])
    x = rng.normal(size=(4, d))
    reduced = mixture.reduced()
    z = reduced.project(x)
    for kernel in kernels(d):
        ambient, short = us.posterior_moments(kernel, mixture, x), us.posterior_moments(kernel, reduced, z)
        for name in ("log_normalizer", "preconditioner", "mean_distance", "curl_norm"):
            np.testing.assert_allclose(getattr(short, name), getattr(ambient, name), rtol=1e-10, atol=1e-10)
        for name in ("mean_shift", "score", "residual"):
            norms = [np.linalg.norm(getattr(m, name), axis=1) for m in (short, ambient)]
            np.testing.assert_allclose(*norms, rtol=1e-9, atol=1e-11)


def test_small_exponents_have_slow_tails(oracle):
    """A power r^(-1/10) or z^(1/5) spreads over hundreds of e-foldings of s; a fixed window loses percents."""
    means, weights, x = np.array([[0.0], [2.0]]), np.array([0.4, 0.6]), np.array([[0.7], [0.0]])
    for kernel in (us.RationalQuadratic(1.0, 0.05), us.Matern(1.0, 0.1)):
        got = us.posterior_moments(kernel, us.GaussianMixture(means, 0.3, weights), x)
        for i, query in enumerate(x):
            assert_close(got, i, oracle.of_isotropic(kernel, means, [0.3, 0.3], weights, query), rtol=1e-9)


def test_moments_in_blocks_are_moments_at_once(rng, monkeypatch):
    from unifiedscore.posterior import mixture_engine

    mixture, x = us.GaussianMixture(rng.normal(size=(2, 3)), 0.3), rng.normal(size=(7, 3))
    whole = us.posterior_moments(us.Laplace(0.5), mixture, x)
    monkeypatch.setattr(mixture_engine, "rows_within", lambda numbers: 1)
    single = us.posterior_moments(us.Laplace(0.5), mixture, x)
    for name in NAMES:
        np.testing.assert_allclose(getattr(single, name), getattr(whole, name), rtol=1e-12)

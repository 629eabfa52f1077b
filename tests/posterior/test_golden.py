"""Golden values of the theory: printed digits, not computed here."""

import numpy as np
import pytest
from scipy.special import log_ndtr

import unifiedscore as us

ANGLES = np.arange(6) * np.pi / 3


def ring(radius, angle, d=2):
    means = radius * np.stack([np.cos(ANGLES + angle), np.sin(ANGLES + angle)], axis=1)
    return us.GaussianMixture(means, 0.25, dimension=d)


P, Q = ring(3.0, 0.0), ring(2.5, 0.5)
X = np.array([[1.0, 0.5]])

TABLE = [
    (
        us.Laplace(1.0), P, 0.0644720664758,
        (0.251892549859, 0.122372708524), (0.253063506169, 0.120705477393),
        2.36250258924, 0.3823580,
    ),
    (
        us.Laplace(1.0), Q, 0.102739336941,
        (0.047360163154, 0.025672223876), (0.218780843001, 0.114446981425),
        1.89358825778, 0.4136766,
    ),
    (
        us.Gaussian(1.0), P, 0.05001068441,
        (0.868440722516, 0.422537152209), (0.868440722516, 0.422537152209),
        1.0, 0.0,
    ),
    (
        us.Matern(1.0, 1.5), P, 0.2167874905,
        (-0.008937165731, -0.005427660769), (0.074912224801, 0.036393342541),
        3.562396487, 0.30710465,
    ),
    (
        us.RationalQuadratic(1.0, 0.5), P, 0.3255614129,
        (-0.557575539225, -0.279460626469), (0.029746474028, 0.013904401777),
        10.19203662, 0.95827105,
    ),
    (
        us.StudentT(1.0, 3.0, 2), P, 0.05378393976,
        (0.464862393844, 0.224219773712), (0.507311548559, 0.240728432583),
        1.656965696, 0.41434633,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case[0]!r}-{'p' if case[1] is P else 'q'}")
def test_rings_in_the_plane(case):
    kernel, law, z, shift, score, alpha, residual = case
    got = us.posterior_moments(kernel, law, X)
    # Half a unit of the last printed digit.
    assert abs(np.exp(got.log_normalizer[0]) - z) <= 5.1e-12 * max(1, 10 * (z > 0.1))
    np.testing.assert_allclose(got.mean_shift[0], shift, atol=6e-13)
    np.testing.assert_allclose(got.score[0], score, atol=6e-13)
    np.testing.assert_allclose(got.preconditioner[0], alpha, rtol=3e-10)
    np.testing.assert_allclose(np.linalg.norm(got.residual[0]), residual, atol=5.1e-8)


@pytest.mark.parametrize(("law", "curl"), [(P, 2.816280979948e-4), (Q, 9.818153429287e-5)], ids=["p", "q"])
def test_curl_of_the_rings(law, curl):
    kernel = us.Laplace(1.0)
    jacobian = us.MeanShift(kernel, law).jacobian(X)[0]
    np.testing.assert_allclose((jacobian[0, 1] - jacobian[1, 0]) / 2, curl, rtol=1e-9)
    norm = us.posterior_moments(kernel, law, X).curl_norm[0]
    np.testing.assert_allclose(norm, np.sqrt(2) * curl, rtol=1e-9)


@pytest.mark.parametrize("kind", ["samples", "point masses"])
def test_two_atoms(kind):
    """I11: A_12 = w_1 w_2 / 2, by the sample engine and as a mixture without spread."""
    atoms = np.array([[1.0, 0.0], [0.0, 2.0]])
    law = us.Samples(atoms) if kind == "samples" else us.GaussianMixture(atoms, 0.0)
    kernel, x = us.Laplace(1.0), np.zeros((1, 2))
    got = us.posterior_moments(kernel, law, x)
    np.testing.assert_allclose(got.mean_shift, [[0.731058579, 0.537882843]], atol=6e-10)
    np.testing.assert_allclose(got.score, [[0.731058579, 0.268941421]], atol=6e-10)
    jacobian = us.MeanShift(kernel, law).jacobian(x)[0]
    np.testing.assert_allclose((jacobian[0, 1] - jacobian[1, 0]) / 2, 0.0983059666207, atol=6e-13)
    np.testing.assert_allclose(got.curl_norm, np.sqrt(2) * 0.0983059666207, atol=1e-12)


def test_the_line():
    """6.1."""
    got = us.posterior_moments(us.Laplace(0.3), us.GaussianMixture([[0.0]], 1.0), [[1.5]])
    np.testing.assert_allclose(np.exp(got.log_normalizer), 0.0839445990437376, rtol=1e-13)
    np.testing.assert_allclose(got.mean_shift, [[-0.213443860577109]], rtol=2e-14)
    np.testing.assert_allclose(got.score, [[-1.28655613942290]], rtol=2e-14)
    np.testing.assert_allclose(got.preconditioner, 0.0994213177794715, rtol=1e-13)
    np.testing.assert_allclose(got.residual, [[-0.0855327537984162]], rtol=1e-12)
    assert got.curl_norm == 0.0
    assert np.isinf(got.effective_samples).all()


@pytest.mark.parametrize("tau", [0.05, 0.3, 1.0, 20.0])
def test_the_line_in_closed_form(tau):
    """P4: Z, s, V and E r of a Laplace kernel against N(0, 1), by the normal distribution function."""
    x = np.array([-30.0, -2.0, -0.1, 0.0, 0.7, 3.0, 8.0])
    beta = 1 / tau
    log_plus, log_minus = (beta**2 / 2 + side * beta * x + log_ndtr(-side * x - beta) for side in (1, -1))
    log_z = np.logaddexp(log_plus, log_minus)
    plus, minus = np.exp(log_plus - log_z), np.exp(log_minus - log_z)

    def hazard(a):
        return np.exp(-(a**2) / 2 - 0.5 * np.log(2 * np.pi) - log_ndtr(a))

    # -d log Z_side/d beta = E of the distance to that side.
    right, left = (-(beta + side * x) + hazard(-side * x - beta) for side in (1, -1))
    got = us.posterior_moments(us.Laplace(tau), us.GaussianMixture([[0.0]], 1.0), x[:, None])
    np.testing.assert_allclose(got.log_normalizer, log_z, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got.score[:, 0], beta * (plus - minus), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(got.mean_shift[:, 0], plus * right - minus * left, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(got.mean_distance, plus * right + minus * left, rtol=1e-9)


@pytest.mark.parametrize("form", ["ambient", "reduced"])
def test_high_dimension(form):
    """6.2, D = 1024."""
    d = 1024
    p, q = ring(3.0, 0.0, d), ring(2.5, 0.5, d)
    x = np.full((1, d), 0.5)
    x[0, :2] += q.centers[0]
    if form == "reduced":
        p, q = p.reduced(), q.reduced()
        x = np.append(x[0, :2], np.linalg.norm(x[0, 2:]))[None]
    kernel = us.Laplace(9.6)
    a, b = us.posterior_moments(kernel, p, x), us.posterior_moments(kernel, q, x)
    drift, gap = (a.mean_shift - b.mean_shift)[0], (a.score - b.score)[0]
    np.testing.assert_allclose(a.preconditioner, 220.80948765, rtol=1e-10)
    np.testing.assert_allclose(b.preconditioner, 220.26732631, rtol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(drift), 0.01964025482, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(gap), 2.364464194e-4, rtol=1e-9)
    cosine = drift @ gap / np.linalg.norm(drift) / np.linalg.norm(gap)
    np.testing.assert_allclose(cosine, 0.6745200213, rtol=1e-9)
    np.testing.assert_allclose(drift[:2], [1.661359650e-2, 1.047502382e-2], rtol=1e-9)
    rest = np.linalg.norm(drift[2:]) if form == "ambient" else -drift[2]
    np.testing.assert_allclose(rest, 4.3551009e-5, rtol=1e-6)


def test_a_minimal_loss_under_the_model_law():
    """I2: 0.36 is the expectation under q itself."""
    p, q = us.GaussianMixture([[0.0]], 1.0), us.GaussianMixture([[0.0]], 4.0)
    nodes, weights = q.quadrature(order=8)
    drift = us.Drift(us.Gaussian(1.0), target=p, model=q)(nodes)
    np.testing.assert_allclose(weights @ drift[:, 0] ** 2, 0.36, rtol=1e-12)

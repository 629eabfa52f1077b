"""The laws of the interface for every deterministic drift beside the plain one."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError, UnknownNameError
from unifiedscore.fields.drifts.divergence import _DIVERGENCES
from unifiedscore.testing import parametrize_with_checks

RNG = np.random.default_rng(8)
X = np.array([[0.3, 1.2], [-1.1, 0.6], [1.0, 0.4]])
P = us.GaussianMixture([[1.0, 0.0], [-0.5, 0.8]], 0.3)
Q = us.GaussianMixture([[0.0, 0.5]], 0.8)
DATA, MODEL = us.Samples(RNG.normal(size=(30, 2))), us.Samples(RNG.normal(size=(30, 2)) + 0.4)
GAUSSIAN, LAPLACE = us.Gaussian(0.8), us.Laplace(0.9)


def fields():
    for kernel in (GAUSSIAN, LAPLACE, us.Matern(0.6, 1.5), us.RationalQuadratic(0.8, 2.0), us.StudentT(0.8, 3.0, 2)):
        yield us.SharpScore(kernel, P)
        yield us.SharpDrift(kernel, target=DATA, model=Q)
        yield us.CorrectedMeanShift(kernel, DATA)
        yield us.BatchDriftTarget(kernel, target=DATA, model=MODEL)
        yield us.SinkhornDrift(kernel, target=DATA, model=MODEL, tolerance=1e-6)
    for name in _DIVERGENCES:
        yield us.DivergenceDrift(GAUSSIAN, target=P, model=Q, divergence=name)
        yield us.DivergenceDrift(LAPLACE, target=P, model=Q, divergence=name)
    yield us.WitnessGradient(LAPLACE, target=P, model=DATA)
    yield us.BatchDriftTarget(GAUSSIAN, target=P, model=Q, order=12)
    yield us.SmoothedKLGradient(GAUSSIAN, target=P, model=Q, order=8)
    yield us.SmoothedKLGradient(LAPLACE, target=P, model=Q, noise=RNG.normal(size=(20, 2)))
    yield us.CorrectedMeanShift(LAPLACE, RNG.normal(size=(20, 1)))


@parametrize_with_checks([(field, X[:, : field.dimension]) for field in fields()])
def test_laws(subject, check):
    check(subject)


def test_kl_of_the_model_against_the_target_is_the_score_difference():
    expected = us.ScoreDifference(LAPLACE, target=P, model=Q)(X)
    np.testing.assert_allclose(us.DivergenceDrift(LAPLACE, target=P, model=Q)(X), expected, rtol=1e-13)


@pytest.mark.parametrize("name", _DIVERGENCES)
def test_divergence_weights_are_rho_times_the_second_derivative_of_f(name):
    f = {
        "kl_model_target": lambda r: r * np.log(r),
        "kl_target_model": lambda r: -np.log(r),
        "chi2_model_target": lambda r: (r - 1) ** 2,
        "hellinger": lambda r: (np.sqrt(r) - 1) ** 2,
        "jensen_shannon": lambda r: (r * np.log(r) - (1 + r) * np.log((1 + r) / 2)) / 2,
    }[name]
    p, q = (us.posterior_moments(GAUSSIAN, law, X) for law in (P, Q))
    rho, h = np.exp(q.log_normalizer - p.log_normalizer), 1e-3
    second = (16 * (f(rho + h) + f(rho - h)) - f(rho + 2 * h) - f(rho - 2 * h) - 30 * f(rho)) / (12 * h * h)
    expected = (rho * second)[:, None] * (p.score - q.score)
    np.testing.assert_allclose(us.DivergenceDrift(GAUSSIAN, target=P, model=Q, divergence=name)(X), expected, rtol=1e-7)


def test_the_witness_is_the_gradient_of_the_kernel_mean_difference():
    """By complex steps of the kernel means of samples."""

    def witness(x):
        means = [np.mean(np.exp(-((law.points - x) ** 2).sum(1) / (2 * 0.8**2))) for law in (DATA, MODEL)]
        return means[0] - means[1]

    expected = [[witness(x + 1e-30j * axis).imag / 1e-30 for axis in np.eye(2)] for x in X]
    np.testing.assert_allclose(us.WitnessGradient(GAUSSIAN, target=DATA, model=MODEL)(X), expected, rtol=1e-12)


@pytest.mark.parametrize(("tau", "expected"), [(0.25, 0.227), (0.5, 0.362), (1.0, 0.436)])
def test_the_kl_flow_differs_from_the_gaussian_drift_by_the_golden_amounts(tau, expected):
    p, q = us.GaussianMixture([[-2.0], [2.0]], 0.25), us.GaussianMixture([[0.0]], 1.0)
    x, kernel = np.linspace(-4, 4, 201)[:, None], us.Gaussian(tau)
    drift = us.Drift(kernel, target=p, model=q)(x) / tau**2
    gap = us.SmoothedKLGradient(kernel, target=p, model=q, order=40)(x) - drift
    weight = np.exp(q.log_density(x))
    assert np.sqrt(weight @ gap**2 / (weight @ drift**2)).item() == pytest.approx(expected, abs=6e-4)
    np.testing.assert_allclose(us.SmoothedKLGradient(kernel, target=q, model=q)(x), 0, atol=1e-12)


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(UnknownNameError, match="divergence"):
        us.DivergenceDrift(GAUSSIAN, target=P, model=Q, divergence="kl")
    for field in (us.DivergenceDrift, us.WitnessGradient):
        with pytest.raises(InputError, match="one dimension"):
            field(GAUSSIAN, target=P, model=us.GaussianMixture([[0.0]], 1.0))
    with pytest.raises(InputError, match="noise="):
        us.SmoothedKLGradient(LAPLACE, target=P, model=Q)
    with pytest.raises(InputError, match="noise must have dimension"):
        us.SmoothedKLGradient(GAUSSIAN, target=P, model=Q, noise=np.zeros((3, 1)))

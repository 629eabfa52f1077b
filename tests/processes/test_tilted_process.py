"""Scores, values and controls of a tilted process: golden numbers, two routes each, clear refusals."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.testing import check_field

CONTROL = {"foellmer": 0.0178562, "vp_cosine": 0.1380783, "rectified_flow": 0.1021093}


def derivative(function, x, h=1e-3):
    value = lambda k: function(x + k * h)
    return (8 * (value(1) - value(-1)) - value(2) + value(-2)) / (12 * h)


def wrapped(process):
    """The same reward as a black box: every quantity then comes from quadrature."""
    reward = us.CallableReward(process.reward.value, process.reward.gradient, process.dimension)
    return us.TiltedProcess(process.base, reward, process.schedule)


def test_gaussian_golden_numbers(schedule, gaussian):
    process = gaussian(schedule)
    assert float(process.target.variances[0]) == pytest.approx(0.915989159891599, abs=1e-14)
    assert float(process.target.mean[0]) == pytest.approx(0.8037940379403795, abs=1e-14)
    assert np.exp(process.log_normalizer) == pytest.approx(1.0200011162796137, abs=1e-14)
    assert process.score_difference([[0.9]], 0.37)[0, 0] == pytest.approx(CONTROL[schedule.name], abs=6e-8)


def test_mixture_golden_numbers(mixture):
    target = mixture().target
    np.testing.assert_allclose(np.sort(target.means.ravel()), [-1.0938628, 1.6137184], atol=6e-8)
    np.testing.assert_allclose(np.sort(target.weights), [0.10283953, 0.89716047], atol=6e-9)
    assert np.exp(target.log_normalizer) == pytest.approx(1.2795337817560115, abs=1e-14)
    assert target.mean[0] == pytest.approx(1.3352720436, abs=1e-10)
    assert target.covariance_matrix[0, 0] == pytest.approx(1.0012935262, abs=1e-10)


@pytest.mark.parametrize("t", [0.05, 0.4, 0.9, 1.0])
def test_control_is_minus_sigma_times_the_gradient_of_the_value(build, schedule, x, t):
    process = build(schedule)
    expected = -derivative(lambda y: process.value(y, t), x)[:, None] if t < 1 else process.reward.gradient(x)
    np.testing.assert_allclose(process.score_difference(x, t), expected, atol=2e-8)
    sigma = schedule.sigma(t)
    np.testing.assert_allclose(process.optimal_control(x, t), sigma * process.score_difference(x, t), rtol=1e-14)


@pytest.mark.parametrize("t", [0.05, 0.4, 0.9])
def test_quadrature_over_the_posterior_agrees_with_the_closed_form(build, schedule, x, t):
    process = build(schedule)
    other = wrapped(process)
    assert other.log_normalizer == pytest.approx(process.log_normalizer, abs=1e-13)
    for name in ("value", "tilted_score", "score_difference"):
        np.testing.assert_allclose(getattr(other, name)(x, t), getattr(process, name)(x, t), atol=1e-11)


def test_quadrature_in_the_plane(schedule):
    base = us.GaussianMixture([[0.5, -1.0], [-1.0, 0.4]], [[[1.0, 0.3], [0.3, 0.6]], [[0.5, 0.0], [0.0, 0.8]]])
    process = us.TiltedProcess(base, us.QuadraticReward([0.3, -0.2], [[0.4, 0.1], [0.1, 0.2]]), schedule)
    x = np.array([[0.2, -0.3], [1.0, 1.0]])
    np.testing.assert_allclose(wrapped(process).tilted_score(x, 0.5), process.tilted_score(x, 0.5), atol=1e-9)


def test_value_is_constant_at_the_memoryless_start(x, mixture):
    process = mixture("vp_cosine")
    np.testing.assert_allclose(process.value(x, 0.0), -process.log_normalizer, atol=1e-14)
    foellmer = mixture("foellmer")
    moved = np.broadcast_to(foellmer.target.mean - foellmer.base.mean, x.shape)
    np.testing.assert_allclose(foellmer.score_difference(x, 0.0), moved, atol=1e-14)
    np.testing.assert_allclose(wrapped(foellmer).score_difference(x, 0.0), moved, atol=1e-10)
    near = foellmer.score_difference(np.zeros((1, 1)), 1e-9)
    np.testing.assert_allclose(near, foellmer.score_difference(np.zeros((1, 1)), 0.0), atol=1e-6)


def test_drifts_of_every_noise_keep_the_marginals(build, schedule, x):
    """Fokker-Planck: p_t' = -(a p)' + sigma^2/2 p'' with a = kappa x + (sigma^2/2 + eta) s."""
    process, t = build(schedule), 0.4
    density = lambda y, s: np.exp(process.base_marginal(s).log_density(y))
    h = 1e-4
    rate = (density(x, t + h) - density(x, t - h)) / (2 * h)
    for sigma in (None, 0.0, 0.7):
        noise = schedule.sigma(t) if sigma is None else sigma
        flux = lambda y, s=sigma: process.drift(y, t, sigma=s)[:, 0] * density(y, t)
        spread = (density(x + h, t) - 2 * density(x, t) + density(x - h, t)) / h**2
        np.testing.assert_allclose(rate, -derivative(flux, x) + noise**2 / 2 * spread, atol=3e-6)


@pytest.mark.parametrize("t", [1e-6, 0.4, 1.0])
def test_velocity_is_the_drift_without_noise_and_twice_it_minus_kappa_x_is_memoryless(schedule, x, t, mixture):
    process = mixture(schedule)
    x = x * np.sqrt(schedule.variance(t, 1.69))
    scale = 1e-15 * (1 + schedule.kappa(t))
    np.testing.assert_allclose(process.velocity(x, t), process.drift(x, t, sigma=0.0), atol=50 * scale)
    expected = 2 * process.velocity(x, t) - schedule.kappa(t) * x
    np.testing.assert_allclose(process.drift(x, t), expected, atol=50 * scale)


def test_drift_jacobian_is_the_derivative_and_is_not_transposed(schedule):
    base = us.GaussianMixture([[0.5, -1.0], [-1.0, 0.4]], [[[1.0, 0.3], [0.3, 0.6]], [[0.5, 0.0], [0.0, 0.8]]])
    process = us.TiltedProcess(base, us.QuadraticReward([0.3, -0.2], 0.1), schedule)
    x, h = np.array([[0.2, -0.3], [1.0, 1.0]]), 1e-5
    for j, axis in enumerate(np.eye(2)):
        column = (process.drift(x + h * axis, 0.4) - process.drift(x - h * axis, 0.4)) / (2 * h)
        np.testing.assert_allclose(process.drift_jacobian(x, 0.4)[:, :, j], column, atol=1e-8)


def test_propagator_of_the_base_drift_has_the_tabulated_values(schedule, gaussian):
    from scipy.integrate import quad

    golden = {
        "rectified_flow": (0.333322, 1.319625),
        "vp_cosine": (0.380225, 0.941877),
        "foellmer": (1.531491, 1.195191),
    }
    process = gaussian(schedule)
    for t, value in zip((0.15, 0.6), golden[schedule.name], strict=True):
        area = quad(lambda s: process.drift_jacobian([[0.0]], s)[0, 0, 0], t, 1, epsabs=1e-12)[0]
        assert np.exp(area) == pytest.approx(value, abs=6e-7)


@pytest.mark.parametrize("t", [0.05, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["base_score_field", "tilted_score_field", "optimal_control_field"])
def test_scores_and_controls_are_fields(schedule, x, t, kind, mixture):
    check_field(getattr(mixture(schedule), kind)(t), x)
    check_field(getattr(wrapped(mixture(schedule)), kind)(t), x)


def test_fields_join_comparisons(x, mixture):
    from unifiedscore.fields import Difference

    process, t = mixture(), 0.4
    gap = Difference(process.tilted_score_field(t), process.base_score_field(t))
    np.testing.assert_allclose(process.schedule.sigma(t) * gap(x), process.optimal_control_field(t)(x), atol=1e-14)
    check_field(gap, x)


def test_a_field_in_many_dimensions_is_coordinatewise(gaussian):
    d = 16
    process = us.TiltedProcess(
        us.GaussianMixture(np.full((1, d), 0.3), 1.69), us.QuadraticReward(np.full(d, 0.7), 0.5), "vp_cosine"
    )
    x = np.random.default_rng(0).standard_normal((3, d))
    single = gaussian("vp_cosine").optimal_control(x.reshape(-1, 1), 0.3).reshape(x.shape)
    np.testing.assert_allclose(process.optimal_control(x, 0.3), single, atol=1e-13)


def test_noising_draws_the_marginal(mixture):
    process = mixture()
    rng = np.random.default_rng(0)
    noisy, noise = process.noise(process.base.sample(200_000, rng), 0.3, rng)
    marginal = process.base_marginal(0.3)
    assert noisy.var() == pytest.approx(marginal.covariance_matrix[0, 0], rel=0.02)  # six standard deviations
    assert np.mean(noisy * noise) == pytest.approx(0.7, abs=0.02)


def test_dtype_is_kept(x, mixture):
    process = mixture()
    for name in ("base_score", "tilted_score", "score_difference", "velocity", "drift", "value"):
        assert getattr(process, name)(x.astype(np.float32), 0.4).dtype == np.float32


def test_rewards_that_do_not_normalise_are_refused():
    base = us.GaussianMixture([[0.3]], 1.69)
    with pytest.raises(InputError, match="positive definite"):
        us.TiltedProcess(base, us.QuadraticReward([0.7], -1 / 1.69), "foellmer")
    growing = us.CallableReward(lambda y: 0.4 * y[:, 0] ** 2, lambda y: 0.8 * y, 1)
    with pytest.raises(InputError, match="does not normalise"):
        us.TiltedProcess(base, growing, "foellmer")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"base": us.Samples(np.zeros((2, 1)))}, "GaussianMixture"),
        ({"base": us.GaussianMixture([[0.0]], 0.0)}, "density"),
        ({"base": us.GaussianMixture([[0.0, 0.0]], 1.0)}, "dimension"),
        ({"reward": lambda y: y}, "QuadraticReward"),
        ({"schedule": "linear"}, "schedule"),
    ],
)
def test_bad_parts_are_refused(change, message):
    parts = {"base": us.GaussianMixture([[0.0]], 1.0), "reward": us.QuadraticReward([1.0]), "schedule": "foellmer"}
    with pytest.raises(InputError, match=message):
        us.TiltedProcess(**(parts | change))


def test_singular_times_are_refused(x, mixture):
    with pytest.raises(InputError, match="point"):
        mixture("foellmer").tilted_score(x, 0.0)
    with pytest.raises(InputError, match="singular at time 0"):
        mixture("vp_cosine").optimal_control(x, 0.0)
    with pytest.raises(InputError, match="singular at time 0"):
        mixture().drift(x, 0.0)
    with pytest.raises(InputError, match=r"\[0, 1\]"):
        mixture().base_score(x, 1.5)


@pytest.mark.parametrize(
    ("linear", "quadratic"), [([[1.0]], 0.0), ([1.0, 0.0], [[0.0, 1.0], [0.0, 0.0]]), ([1.0], [[1.0, 2.0]])]
)
def test_bad_quadratic_rewards_are_refused(linear, quadratic):
    with pytest.raises(InputError):
        us.QuadraticReward(linear, quadratic)


def test_bad_callable_rewards_are_refused(x):
    with pytest.raises(InputError, match="function must"):
        us.CallableReward(3, np.cos, 1)
    with pytest.raises(InputError, match="shape"):
        us.CallableReward(np.cos, np.cos, 1).value(x)
    with pytest.raises(InputError, match="finite"):
        us.CallableReward(lambda y: y[:, 0], lambda y: y / 0.0 if False else y * np.inf, 1).gradient(x[:1])

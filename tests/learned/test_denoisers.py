"""Denoisers without a network: golden numbers, fields that keep their laws, second routes and errors."""

import numpy as np
import pytest
from scipy.special import erf

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import (
    LOSSES,
    SCHEMES,
    DensitySmoothedDenoiser,
    GaussianDenoiser,
    Preconditioning,
    ScoreSmoothedDenoiser,
    WiderKernelDenoiser,
    gaussian_sampling_gain,
    loss_weight,
    noise_levels,
    sample_denoiser,
)
from unifiedscore.learned.sample import NOISY

TWO = np.array([[-1.0], [1.0]])
PLANE = np.random.default_rng(0).normal(size=(7, 2)) * [1.0, 0.4] + [0.5, -1.0]


def slope(denoiser, eps=1e-4):
    return float(denoiser(np.array([[eps]]))[0, 0] / eps)


def test_golden_slopes_at_the_midpoint_of_two_points():
    assert slope(DensitySmoothedDenoiser(TWO, 0.1, 0.2)) == pytest.approx(4.8, rel=1e-5)
    assert slope(DensitySmoothedDenoiser(TWO, 0.1, 0.5)) == pytest.approx(1.10947, rel=1e-5)
    for sigma, golden in ((0.2, 3.98942), (0.5, 1.59577)):
        assert slope(ScoreSmoothedDenoiser(TWO, 0.01, sigma, noise="population")) == pytest.approx(golden, rel=1e-4)


def test_a_smoothed_score_of_two_points_is_an_error_function_and_a_wider_kernel_a_tanh():
    x = np.linspace(-2, 2, 9)[:, None]
    got = ScoreSmoothedDenoiser(TWO, 0.02, 0.5, noise="population")(x)
    np.testing.assert_allclose(got, erf(x / (0.5 * np.sqrt(2))), atol=2e-6)
    np.testing.assert_allclose(WiderKernelDenoiser(TWO, 0.2, 3.0)(x), np.tanh(x / 0.36), atol=1e-14)


def test_a_smoothed_density_is_denoised_as_the_mixture_it_is():
    x = np.random.default_rng(1).normal(size=(20, 2))
    law = us.GaussianMixture(PLANE, 0.3**2 + 0.5**2)
    np.testing.assert_allclose(DensitySmoothedDenoiser(PLANE, 0.5, 0.3)(x), x + 0.25 * law.score(x), atol=1e-13)


def test_the_gaussian_denoiser_is_the_regression_on_the_noisy_point():
    data, h = us.Samples(PLANE, np.arange(1.0, 8.0)), 0.7
    covariance = data.covariance_matrix
    expected = data.mean + (PLANE - data.mean) @ np.linalg.solve(covariance + h**2 * np.eye(2), covariance)
    np.testing.assert_allclose(GaussianDenoiser(data, h)(PLANE), expected, atol=1e-14)
    line = GaussianDenoiser([[0.0, 1.0], [2.0, 1.0]], 0.5)  # no spread along the second axis
    np.testing.assert_allclose(line([[3.0, 9.0]])[0, 1], 1.0)


@pytest.mark.parametrize(
    "field",
    [
        DensitySmoothedDenoiser(PLANE, 0.4, 0.3),
        DensitySmoothedDenoiser(PLANE, 0.4, 0.0),
        GaussianDenoiser(PLANE, 0.4),
        WiderKernelDenoiser(PLANE, 0.4, 1.5),
        ScoreSmoothedDenoiser(PLANE, 0.4, 0.2, noise=np.array([[0.5, -0.1], [-0.5, 0.1]])),
    ],
    ids=lambda field: type(field).__name__,
)
def test_denoisers_are_fields(field):
    us.testing.check_field(field, np.random.default_rng(2).normal(size=(6, 2)))


def test_golden_preconditioning_and_finite_ends():
    at = Preconditioning(0.37, scale=0.8)
    got = [part([[1.3]], [[0.4]])[0, 0] for part in (at.denoiser, at.velocity, at.score)]
    np.testing.assert_allclose(got, [0.924980975, -0.595268294, -2.413094077], atol=1e-9)
    x, f = np.array([[0.3, -1.0]]), np.array([[0.2, 0.5]])
    np.testing.assert_allclose(Preconditioning(1.0, scale=0.8).denoiser(x, f), x)
    np.testing.assert_allclose(Preconditioning(1.0, scale=0.8).velocity(x, f), f + x)
    np.testing.assert_allclose(Preconditioning(0.0, scale=0.8).velocity(x, f), 0.8 * f - x)
    with pytest.raises(InputError, match="infinite at time 1"):
        Preconditioning(1.0, scale=0.8).score(x, f)
    with pytest.raises(InputError, match="clip the time"):
        _ = Preconditioning(0.0, scale=0.8).embedding
    with pytest.raises(InputError, match="values must have the shape of x"):
        at.denoiser(x, f[:, :1])


def test_loss_weights_are_those_of_losses_summed_over_time():
    """E over t of a loss with a unit error of its own output equals the integral of the weight over log h."""
    h = np.geomspace(1e-4, 1e4, 8001)
    for loss, own in (
        ("flow_matching", lambda t: (1 - t) ** -2.0),
        ("kl", lambda t: (1 - t) / t * (t / (1 - t) ** 2) ** 2),
    ):
        t = 1 / (1 + h)
        by_time = -np.trapezoid(own(t) * np.exp(-(h**2)), t)
        assert np.trapezoid(loss_weight(loss, h) * np.exp(-(h**2)), np.log(h)) == pytest.approx(by_time, rel=1e-4)
    angle = np.arctan(1 / h)
    noise = -np.trapezoid(h**-2.0, 2 / np.pi * angle)
    assert np.trapezoid(loss_weight("noise_prediction", h), np.log(h)) == pytest.approx(noise, rel=1e-4)
    edm = loss_weight("edm", h, scale=0.5) / loss_weight("log_uniform", h, scale=0.5)
    assert np.trapezoid(edm, np.log(h)) == pytest.approx(1, abs=1e-6)
    assert h[np.argmax(edm)] == pytest.approx(np.exp(-1.2), rel=2e-3)
    # The weights do not depend on the unit of length, apart from powers.
    for loss in ("edm", "log_uniform"):
        np.testing.assert_allclose(loss_weight(loss, 3 * h, scale=3.0) * 9, loss_weight(loss, h, scale=1.0), rtol=1e-12)
    with pytest.raises(InputError, match="loss must be one of"):
        loss_weight("hinge", h)
    with pytest.raises(InputError, match="level must be positive"):
        loss_weight(LOSSES[0], [0.0, 1.0])


GOLDEN = {
    "ddim": (0.848665, 0.925149, 0.962711, 0.981316),
    "heun": (1.063554, 1.012839, 1.002770, 1.000510),
}


@pytest.mark.parametrize("scheme", GOLDEN)
def test_golden_deviations_of_a_sampled_gaussian(scheme):
    for n, golden in zip((10, 20, 40, 80), GOLDEN[scheme], strict=True):
        levels = noise_levels(n, high=8.0, low=0.02)
        end = sample_denoiser(lambda x, h: x / (1 + h**2), [[65**0.5]], levels=levels, scheme=scheme)
        assert end[0, 0] == pytest.approx(golden, abs=1e-6)
        assert gaussian_sampling_gain(levels, scheme=scheme) == pytest.approx(golden, abs=1e-6)
        assert gaussian_sampling_gain(3 * levels, scale=3.0, scheme=scheme) == pytest.approx(golden, abs=1e-6)


@pytest.mark.parametrize("scheme", NOISY)
@pytest.mark.parametrize("scale", [0.3, 1.0, 1.5])
def test_steps_with_noise_have_the_stated_moments(scheme, scale):
    """Few steps, whose bias is large: the deviation within four standard errors; two schemes would be told apart."""
    levels, n = noise_levels(7, high=6.0, low=0.1), 40_000
    rng = np.random.default_rng(5)
    start = 2.0 + np.hypot(levels[0], scale) * rng.standard_normal((n, 1))
    end = sample_denoiser(
        lambda x, h: 2.0 + (x - 2.0) * scale**2 / (h**2 + scale**2), start, levels=levels, scheme=scheme, rng=rng
    )
    gains = {name: gaussian_sampling_gain(levels, scale=scale, scheme=name) for name in SCHEMES}
    error = gains[scheme] / np.sqrt(2 * n)
    assert end.std() / scale == pytest.approx(gains[scheme], abs=4 * error)
    assert end.mean() == pytest.approx(2.0, abs=4 * scale * gains[scheme] / np.sqrt(n))
    assert min(abs(gains[scheme] - gain) for name, gain in gains.items() if name != scheme) > 8 * error


@pytest.mark.parametrize(("scheme", "order"), [("ddim", 1), ("heun", 2), ("ancestral", 1), ("stochastic_heun", 2)])
def test_the_bias_of_a_scheme_has_its_order(scheme, order):
    """Apart from the last step, which takes 1/(1 + h^2) where the law takes its root."""
    bias = [
        np.sqrt(1 + 0.02**2) * gaussian_sampling_gain(noise_levels(n, high=8.0, low=0.02), scheme=scheme) - 1
        for n in (320, 640, 1280)
    ]
    np.testing.assert_allclose(np.log2(np.divide(bias[:-1], bias[1:])), order, atol=0.05)


@pytest.mark.parametrize("schedule", us.processes.SCHEDULES)
def test_ancestral_steps_on_the_levels_of_a_schedule_are_its_memoryless_diffusion(schedule):
    """Against `simulate` with the exact score of a mixture on the same times, by the moments of the data."""
    law = us.GaussianMixture([[-1.0], [1.5]], [0.1, 0.3], weights=[0.4, 0.6])
    process, n = us.TiltedProcess(law, us.QuadraticReward([1.0]), schedule), 8000
    times = np.linspace(0.1, 0.999, 400)
    paths = us.simulate(process, n, np.random.default_rng(0), times=times, control="none")
    levels = [float(process.schedule.beta(t) / process.schedule.alpha(t)) for t in times]
    rng = np.random.default_rng(1)
    ends = sample_denoiser(
        lambda x, h: x + h**2 * law.smoothed(h**2).score(x),
        law.smoothed(levels[0] ** 2).sample(n, rng),
        levels=[*levels, 0.0],
        scheme="stochastic_heun",
        rng=rng,
    )
    for found in (ends, paths.points):
        for power in (1, 2, 3):
            values = found[:, 0] ** power
            exact = {1: law.mean[0], 2: law.second_moment, 3: _third_moment(law)}[power]
            assert values.mean() == pytest.approx(exact, abs=4 * values.std() / np.sqrt(n) + 0.02)


def _third_moment(law):
    means = law.means[:, 0]
    return float(law.weights @ (means**3 + 3 * means * law.variances))


def test_the_last_step_returns_the_denoiser_and_samplers_keep_the_type():
    levels, start = [2.0, 0.5, 0.0], np.array([[1.0, -2.0]], dtype=np.float32)
    end = sample_denoiser(lambda x, h: np.full_like(x, 0.25), start, levels=levels)
    np.testing.assert_array_equal(end, [[0.25, 0.25]])
    assert end.dtype == np.float32 and start[0, 0] == 1.0
    for scheme in NOISY:
        # A denoiser that knows the point: every level has the law of that point with its noise, whatever the steps.
        options = {"scheme": scheme, "rng": np.random.default_rng(0)}
        end = sample_denoiser(lambda x, h: np.full_like(x, 0.25), start, levels=levels, **options)
        np.testing.assert_array_equal(end, [[0.25, 0.25]])
        assert end.dtype == np.float32
        with pytest.raises(InputError, match="rng must be"):
            sample_denoiser(lambda x, h: x, start, levels=levels, scheme=scheme)
    for bad in ([1.0, 2.0, 0.0], [1.0, 0.5], [0.0]):
        with pytest.raises(InputError, match="levels must be"):
            sample_denoiser(lambda x, h: x, start, levels=bad)
    with pytest.raises(InputError, match="denoiser must return"):
        sample_denoiser(lambda x, h: x[:, :1], start, levels=levels)
    with pytest.raises(InputError, match="low must be below high"):
        noise_levels(4, high=1.0, low=2.0)

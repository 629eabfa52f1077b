"""Controlled paths: exact chains, Girsanov weights, refusals."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.inference import Inside
from unifiedscore.references import LinearStep, log_expectation
from unifiedscore.samplers import log_mean_exp


def base_chain(process, times):
    """The Euler chain of a Gaussian base as linear steps."""
    variance, mean = float(process.base.variances[0]), float(process.base.mean[0])
    for t, h in zip(times[:-1], np.diff(times), strict=True):
        kappa, gain = process.drift_rates(t)
        gamma, alpha = process.schedule.variance(t, variance), process.schedule.alpha(t)
        slope = kappa - gain / gamma
        yield LinearStep(1 + h * slope, h * gain * alpha * mean / gamma, h * process.schedule.sigma(t) ** 2)


def chain_value(process, times):
    marginal = process.base_marginal(times[0])
    reward = process.reward
    terminal = (0.0, float(reward.linear[0]), -reward.quadratic / 2)
    return np.exp(
        log_expectation(
            base_chain(process, times),
            mean=float(marginal.mean[0]),
            variance=float(marginal.variances[0]),
            terminal=terminal,
        )
    )


@pytest.mark.parametrize(("steps", "value"), [(10, 1.01770), (100, 1.02010)])
def test_the_euler_base_chain_has_the_tabulated_normalizer(steps, value, gaussian):
    assert chain_value(gaussian(), np.linspace(0.05, 1 - 1e-6, steps + 1)) == pytest.approx(value, abs=6e-6)


@pytest.mark.parametrize("control", ["optimal", "none", lambda x, t: 0.3 + 0.4 * np.cos(x)])
def test_girsanov_weights_give_the_euler_chain_exactly_for_every_control(control, gaussian):
    process, times = gaussian(), np.linspace(0.05, 1 - 1e-6, 11)
    exact = chain_value(process, times)
    values = [
        np.exp(
            log_mean_exp(
                us.simulate(process, 4000, np.random.default_rng(seed), times=times, control=control).log_weight
            )
        )
        for seed in range(16)
    ]
    estimate = Inside(exact - 1, exact + 1).estimate(values, level=0.9999)
    assert estimate.low < exact < estimate.high
    assert estimate.high - estimate.low < 0.02


def test_zero_variance_control_of_a_linear_reward():
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.7]), "foellmer")
    weights = us.simulate(process, 100, np.random.default_rng(0), times=np.linspace(0, 1, 21)).log_weight
    np.testing.assert_allclose(weights, 0.245, atol=1e-14)
    worse = us.simulate(
        process, 100, np.random.default_rng(0), times=np.linspace(0, 1, 21), control=lambda x, t: np.full_like(x, 0.63)
    )
    assert np.ptp(worse.log_weight) > 0.1


def test_optimal_control_reaches_the_tilted_law(schedule, mixture):
    process = mixture(schedule)
    start = 0.0 if schedule.name == "foellmer" else 0.01
    times = start + (1 - start) * np.linspace(0, 1, 301) ** 1.5
    points = us.simulate(process, 40_000, np.random.default_rng(0), times=times).points
    assert points.mean() == pytest.approx(process.target.mean[0], abs=0.03)
    assert points.var() == pytest.approx(process.target.covariance_matrix[0, 0], abs=0.06)


def test_general_covariances_follow_the_same_law_as_isotropic_ones():
    """Three routes on the same random numbers: isotropic, full covariances, and a reward known as a black box."""
    reward, times = us.QuadraticReward([0.5, -0.2], 0.3), np.linspace(0.1, 1, 21)
    means = [[0.5, -1.0], [-1.0, 0.4]]
    plain = us.TiltedProcess(us.GaussianMixture(means, np.stack([0.7 * np.eye(2)] * 2)), reward, "vp_cosine")
    fast = us.TiltedProcess(us.GaussianMixture(means, 0.7), reward, "vp_cosine")
    black = us.TiltedProcess(
        us.GaussianMixture(means, 0.7), us.CallableReward(reward.value, reward.gradient, 2), "vp_cosine"
    )
    for control in ("optimal", "none"):
        start = np.random.default_rng(1).standard_normal((50, 2))
        one, two = (
            us.simulate(p, 50, np.random.default_rng(0), times=times, control=control, start=start, keep=True)
            for p in (plain, fast)
        )
        np.testing.assert_allclose(one.trajectory, two.trajectory, atol=1e-12)
        np.testing.assert_allclose(one.log_weight, two.log_weight, atol=1e-12)
        three = us.simulate(black, 5, np.random.default_rng(0), times=times, control=control, start=start[:5])
        two = us.simulate(fast, 5, np.random.default_rng(0), times=times, control=control, start=start[:5])
        np.testing.assert_allclose(three.log_weight, two.log_weight, atol=1e-7)


@pytest.mark.parametrize("covariances", [[0.3, 2.0], [0.3 * np.eye(3), np.diag([2.0, 1.0, 0.5])]])
def test_a_step_without_noise_follows_the_drift_of_the_process(covariances, schedule):
    base = us.GaussianMixture([[0.5, -1.0, 0.0], [-1.0, 0.4, 0.3]], covariances, [0.8, 0.2])
    process = us.TiltedProcess(base, us.QuadraticReward([0.5, -0.2, 0.1]), schedule)
    start = np.random.default_rng(1).standard_normal((20, 3))
    run = {"times": [0.4, 0.5], "control": "none", "sigma": lambda t: 0.0, "start": start}
    moved = us.simulate(process, 20, np.random.default_rng(0), **run).points
    np.testing.assert_allclose(moved, start + 0.1 * process.drift(start, 0.4, sigma=0.0), rtol=1e-12)


@pytest.mark.parametrize("law", ["base", "tilted"])
def test_paths_start_at_the_law_that_is_asked_for(law, gaussian):
    process = gaussian()
    run = {"times": [0.6, 0.7], "control": "none", "start": law, "keep": True}
    first = us.simulate(process, 20_000, np.random.default_rng(0), **run).trajectory[0]
    marginals = {"base": process.base_marginal(0.6), "tilted": process.tilted_marginal(0.6)}
    error = 5 * np.sqrt(marginals[law].variances[0] / len(first))
    assert abs(marginals["base"].mean[0] - marginals["tilted"].mean[0]) > 4 * error
    assert abs(first.mean() - marginals[law].mean[0]) < error


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch, mixture):
    times = np.linspace(0.1, 1, 6)
    run = lambda: us.simulate(mixture(), 20_000, np.random.default_rng(0), times=times)
    many = run()
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")
    one = run()
    np.testing.assert_array_equal(many.points, one.points)
    np.testing.assert_array_equal(many.log_weight, one.log_weight)


def test_a_noise_that_is_not_memoryless_is_refused_with_the_optimal_control(mixture):
    with pytest.raises(InputError, match="memoryless"):
        us.simulate(mixture(), 2, np.random.default_rng(0), times=[0.1, 0.5, 1.0], sigma=lambda t: 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": [0.0, 1.0]}, "above 0"),
        ({"times": [0.5, 0.4]}, "increasing"),
        ({"times": [0.5, 1.4]}, r"\[0, 1\]"),
        ({"control": "best"}, "control"),
        ({"control": lambda x, t: x[:, 0]}, "shape"),
        ({"start": "middle"}, "start"),
        ({"rng": 0}, "Generator"),
        ({"n": 0}, "n must"),
    ],
)
def test_bad_simulations_are_refused(change, message, mixture):
    arguments = {"n": 4, "rng": np.random.default_rng(0), "times": [0.1, 0.5, 1.0]} | change
    with pytest.raises(InputError, match=message):
        us.simulate(mixture(), arguments.pop("n"), arguments.pop("rng"), **arguments)

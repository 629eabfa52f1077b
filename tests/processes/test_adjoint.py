"""The lean adjoint: exact over Gaussians, bounded as the theorems say, unbiased at the optimum."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.processes import (
    Schedule,
    adjoint_energy,
    gaussian_factor,
    integrate_time,
    logconcave_factor,
    mixture_energy_factor,
    mixture_factor,
)


def run(process, n, times, seed=0):
    paths = us.simulate(process, n, np.random.default_rng(seed), times=times, keep=True)
    return paths, us.lean_adjoint(process, paths)


def test_gaussian_adjoint_is_the_closed_form(schedule, gaussian):
    process = gaussian(schedule)
    times = np.linspace(0.1, 1, 4001)
    paths, adjoint = run(process, 3, times)
    factor = gaussian_factor(schedule, times, 1.69)[:, None, None]
    expected = -factor * process.reward.gradient(paths.trajectory[-1])
    np.testing.assert_allclose(adjoint, expected, rtol=3e-3)  # left-point rule, 4000 steps
    energy = adjoint_energy(schedule, times, adjoint)
    area = integrate_time(lambda t: schedule.eta(t) * gaussian_factor(schedule, t, 1.69) ** 2, 0.1, 1 - 1e-9)
    np.testing.assert_allclose(energy, area * expected[-1, :, 0] ** 2, rtol=3e-3)


def test_general_covariances_use_the_matrix_exponential():
    covariance = np.array([[1.0, 0.3], [0.3, 0.6]])
    process = us.TiltedProcess(
        us.GaussianMixture([[0.0, 0.0]], covariance), us.QuadraticReward([1.0, -0.5]), "vp_cosine"
    )
    times = np.linspace(0.2, 1, 2001)
    _, adjoint = run(process, 1, times)
    values, vectors = np.linalg.eigh(covariance)
    schedule = process.schedule
    factor = vectors @ np.diag(schedule.alpha(0.2) * values / schedule.variance(0.2, values)) @ vectors.T
    np.testing.assert_allclose(adjoint[0, 0], -factor @ [1.0, -0.5], atol=1e-3)


def test_euler_adjoint_converges_to_the_exponential_one(mixture):
    process = mixture("vp_cosine")
    paths, exact = run(process, 20, np.linspace(0.2, 1, 4001))
    euler = us.lean_adjoint(process, paths, method="euler")
    assert np.abs(euler - exact).max() < 0.02 * np.abs(exact).max()
    assert np.abs(euler - exact).max() > 0


@pytest.mark.parametrize(("rate", "value"), [(50, 7.9e-31), (150, 7.9e-31), (250, 4.07e17)])
def test_explicit_euler_is_stable_up_to_h_rate_two(rate, value):
    """100 steps of h = 0.01 for a drift of slope -rate: |1 - h rate|^100, through the code's own step."""
    from unifiedscore.processes.adjoint import propagate

    a = np.ones((1, 1))
    for _ in range(100):
        a = propagate(np.full((1, 1, 1), -0.01 * rate), a, "euler")
    assert abs(a[0, 0]) == pytest.approx(value, rel=5e-3)
    exact = propagate(np.full((1, 1, 1), -1.0 * rate), np.ones((1, 1)), "exponential")
    assert exact[0, 0] == np.exp(-rate)


@pytest.mark.parametrize("d", [2, 16, 128])
def test_logconcave_bound_holds_and_is_attained_by_the_widest_direction(d):
    rng = np.random.default_rng(d)
    spectrum = rng.uniform(0.2, 2.0, d)
    schedule, t = Schedule("rectified_flow"), np.linspace(0.05, 1, 20)
    gradient = rng.standard_normal(d)
    factors = np.stack([gaussian_factor(schedule, t, v) for v in spectrum])
    bound = logconcave_factor(schedule, t, 1 / spectrum.max())
    ratio = np.linalg.norm(factors * gradient[:, None], axis=0) / np.linalg.norm(gradient) / bound
    assert ratio.max() <= 1 + 1e-14
    np.testing.assert_allclose(factors[spectrum.argmax()], bound, rtol=1e-14)


def test_bounds_have_the_tabulated_values():
    schedule = Schedule("rectified_flow")
    assert logconcave_factor(schedule, 0.7, 1.0) == pytest.approx(1.207, abs=5e-4)
    for d, value in ((1, 451.5), (4, 4.15e10), (16, 2.98e42)):
        growth = mixture_factor(schedule, 0.2, 0.36, 1.5 * np.sqrt(d)) / gaussian_factor(schedule, 0.2, 0.36)
        assert growth == pytest.approx(value, rel=2e-3)
    assert mixture_factor(schedule, 0.3, 0.36, 0.0) == pytest.approx(gaussian_factor(schedule, 0.3, 0.36), rel=1e-14)
    assert mixture_energy_factor(0.36, 0.0) == 0.18
    assert mixture_energy_factor(0.36, 1e-4) == pytest.approx(0.18, rel=1e-6)
    assert mixture_energy_factor(0.36, 1.5) * 0.2496514652 == pytest.approx(964.7, abs=0.1)


def test_mixture_bound_is_the_integral_of_the_curvature_bound(schedule):
    """exp of the integral of kappa + 2 eta (-1/Gamma + alpha^2 R^2 / Gamma^2)."""
    variance, radius = 0.36, 1.5

    def rate(t):
        gamma = schedule.variance(t, variance)
        return schedule.kappa(t) + 2 * schedule.eta(t) * (schedule.alpha(t) ** 2 * radius**2 / gamma**2 - 1 / gamma)

    from scipy.integrate import quad

    area = quad(rate, 0.3, 1, epsabs=1e-11)[0]
    assert mixture_factor(schedule, 0.3, variance, radius) == pytest.approx(np.exp(area), rel=1e-8)


def test_adjoint_of_the_mixture_stays_below_its_bound_and_has_the_tabulated_energy(mixture):
    process = mixture()
    times = np.linspace(0.02, 1, 1001)
    _, adjoint = run(process, 8000, times)
    ratio = np.abs(adjoint[:, :, 0]) / np.abs(adjoint[-1, :, 0])
    worst = (ratio / mixture_factor(process.schedule, times, 0.36, 1.5)[:, None]).max()
    assert 0.9 < worst < 1.01
    energy = adjoint_energy(process.schedule, times, adjoint)
    assert energy.mean() == pytest.approx(2.284, abs=6 * energy.std() / np.sqrt(len(energy)))
    # The bound of a Gaussian with the same variance fails: log-concavity is needed.
    assert energy.mean() > 0.326 * 3


def test_adjoint_is_unbiased_for_the_control_at_the_optimum_only(mixture):
    process = mixture()
    times = np.linspace(0.02, 1, 501)
    k = int(np.searchsorted(times, 0.5))
    for control, biased in (("optimal", False), ("none", True)):
        paths = us.simulate(process, 20_000, np.random.default_rng(0), times=times, control=control, keep=True)
        gap = -us.lean_adjoint(process, paths)[k] - process.score_difference(paths.trajectory[k], times[k])
        z = gap.mean() / gap.std() * np.sqrt(len(gap))
        assert (abs(z) > 5) == biased
        assert abs(z) < 4 or biased


def test_bad_input_is_refused(gaussian):
    process = gaussian()
    paths = us.simulate(process, 2, np.random.default_rng(0), times=[0.1, 1.0])
    with pytest.raises(InputError, match="keep=True"):
        us.lean_adjoint(process, paths)
    paths = us.simulate(process, 2, np.random.default_rng(0), times=[0.1, 1.0], keep=True)
    with pytest.raises(InputError, match="method"):
        us.lean_adjoint(process, paths, method="heun")
    with pytest.raises(InputError, match="convexity"):
        logconcave_factor("foellmer", 0.5, 0.0)
    with pytest.raises(InputError, match="point"):
        gaussian_factor("foellmer", 0.0, 1.0)

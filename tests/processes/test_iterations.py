"""Iterations off the optimum in the linear-quadratic case, and the bias of noise that is not memoryless."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.references import linear_quadratic as lq
from unifiedscore.references import memoryless


@pytest.mark.parametrize(
    ("q", "errors"),
    [(2.0, (1.333, 0.40, 0.18, 0.045, 0.010, 0.0018)), (-0.6, (0.90, 0.41, 0.13, 0.033, 0.0065, 0.0010))],
)
def test_picard_iterates_have_the_tabulated_errors_and_obey_the_factorial_bound(q, errors):
    t, gains = lq.adjoint_matching_gains(q, iterations=10)
    gap = np.abs(gains - lq.optimal_gain(q, t))
    assert gap.max(axis=1)[:6] == pytest.approx(errors, rel=0.06)
    for n in range(11):
        assert (gap[n] <= lq.picard_bound(q, n, t) + 1e-9).all()
    assert gap[10].max() < 1e-5


def test_optimal_gain_is_the_control_of_the_process():
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], 2.0), "foellmer")
    x = np.linspace(-2, 2, 5)[:, None]
    for t in (0.2, 0.8):
        np.testing.assert_allclose(process.optimal_control(x, t), -lq.optimal_gain(2.0, t) * x, atol=1e-14)


def test_adjoint_sampling_recursion_has_the_tabulated_iterates():
    variance, values = 1.0, [1.0]
    for _ in range(7):
        variance = lq.adjoint_sampling_step(2.0, variance)
        values.append(variance)
    golden = [1, 0.245421, 0.372594, 0.320714, 0.337916, 0.331737, 0.333897, 0.333135]
    assert values == pytest.approx(golden, abs=6e-7)


@pytest.mark.parametrize(("q", "slope"), [(2.0, -0.35208), (0.5, -0.13442), (5.0, -0.53996), (-0.6, 0.29713)])
def test_adjoint_sampling_has_its_fixed_point_and_contracts_geometrically(q, slope):
    fixed, h = 1 / (1 + q), 1e-5
    assert lq.adjoint_sampling_step(q, fixed) == pytest.approx(fixed, abs=1e-12)
    rate = (lq.adjoint_sampling_step(q, fixed + h) - lq.adjoint_sampling_step(q, fixed - h)) / (2 * h)
    assert rate == pytest.approx(slope, abs=6e-6)


@pytest.mark.parametrize("s", [1 - 1e-6, 1 + 1e-6, 1 / (1 + 2 * 2.0), 1 / 5 + 3e-8])
def test_adjoint_sampling_step_is_continuous_through_its_limits(s):
    """2 varpi = 1 at S = 1/(1 + 2q); neighbours on both sides of either limit."""
    values = [lq.adjoint_sampling_step(2.0, s + k * 1e-6) for k in (-2, -1, 0, 1, 2)]
    assert np.abs(np.diff(values, 2)).max() < 1e-8


def test_adjoint_sampling_gain_gives_the_recursion():
    """The variance of dX = -K(t) X dt + dB, by ODE."""
    from scipy.integrate import solve_ivp

    gain = lambda t: lq.adjoint_sampling_gain(2.0, 0.4, t)
    end = solve_ivp(lambda t, v: 1 - 2 * gain(t) * v, (0, 1), [0.0], rtol=1e-11, atol=1e-13).y[0, -1]
    assert lq.adjoint_sampling_step(2.0, 0.4) == pytest.approx(end, abs=1e-9)


def test_off_optimum_slopes_differ_between_the_two_methods():
    """u = -2x, t = 1/2, q = 2."""
    matching = 2 * np.exp(-2 * 0.5)
    sampling = lq.adjoint_sampling_gain(2.0, lq.terminal_variance(2.0), 0.5)
    assert (matching, sampling) == pytest.approx((0.735759, 0.788235), abs=6e-7)


@pytest.mark.parametrize(("sigma", "shift"), [(0.5, 0.32476809), (1.0, 0.79212042), (2.0, 0.99813256)])
def test_constant_noise_is_never_memoryless(sigma, shift):
    assert 1 - memoryless.constant_noise_correlation(sigma) == pytest.approx(shift, abs=5e-9)
    ode = memoryless.terminal_shift("rectified_flow", lambda t: sigma, start=0.0)
    assert ode == pytest.approx(shift, abs=1e-8)


@pytest.mark.parametrize(("multiple", "square"), [(0.25, 0.2293), (1.0, 0.0028)])
def test_late_starts_leave_a_correlation(multiple, square):
    assert memoryless.squared_correlation("rectified_flow", 0.05, multiple=multiple) == pytest.approx(square, abs=6e-5)


@pytest.mark.parametrize("multiple", [0.25, 1.0, 2.0])
def test_the_shift_is_one_minus_the_squared_correlation(schedule, multiple):
    noise = lambda t: np.sqrt(multiple) * schedule.sigma(t)
    ode = memoryless.terminal_shift(schedule, noise, start=0.05, variance=1.69, slope=0.7)
    square = memoryless.squared_correlation(schedule, 0.05, variance=1.69, multiple=multiple)
    assert ode == pytest.approx(0.7 * 1.69 * (1 - square), rel=1e-8)


def test_every_multiple_becomes_memoryless_as_the_start_goes_to_zero(schedule):
    values = [memoryless.squared_correlation(schedule, t, multiple=0.25) for t in (1e-2, 1e-4, 1e-8, 0.0)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == 0


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="curvature"):
        lq.optimal_gain(-1.0, 0.5)
    with pytest.raises(InputError, match="variance"):
        lq.adjoint_sampling_step(2.0, 0.0)
    with pytest.raises(InputError, match="start"):
        memoryless.terminal_shift("vp_cosine", lambda t: 1.0, start=1.0)

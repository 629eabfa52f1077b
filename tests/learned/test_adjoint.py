"""The full adjoint: the derivative of the cost of its own path, its golden variances and its martingale."""

import numpy as np
import pytest

import unifiedscore as us
from unifiedscore.errors import InputError
from unifiedscore.learned import full_adjoint

LAW = us.GaussianMixture([[0.5, 0.0], [-0.5, 1.0]], [0.4, 0.7], weights=[0.3, 0.7])
PROCESS = us.TiltedProcess(LAW, us.QuadraticReward([0.4, -0.2], [[0.5, 0.2], [0.2, 0.3]]), "rectified_flow")
MATRIX = np.array([[-0.6, 0.9], [0.2, 0.4]])  # not symmetric: a transposed Jacobian is seen


def control(x, t):
    return np.sin(x @ MATRIX.T) * t


def control_jacobian(x, t):
    return t * np.cos(x @ MATRIX.T)[:, :, None] * MATRIX


def cost(first, noise, times):
    """int |u|^2/2 - r(X_1) along the Euler path from `first` with the given noise of the steps, and the path."""
    x, total, path = first, 0.0, [first]
    for k, t in enumerate(times[:-1]):
        h, sigma, u = times[k + 1] - t, PROCESS.schedule.sigma(t), control(x, t)
        total = total + h / 2 * np.sum(u**2, axis=1)
        x = x + h * (PROCESS.drift(x, t) + sigma * u) + np.sqrt(h) * sigma * noise[k]
        path.append(x)
    return total - PROCESS.reward.value(x), np.array(path)


def test_the_full_adjoint_is_the_derivative_of_the_cost_in_the_first_state():
    rng, times = np.random.default_rng(0), np.linspace(0.2, 1.0, 9)
    start, noise, eps = rng.normal(size=(5, 2)), rng.normal(size=(8, 5, 2)), 1e-5
    _, path = cost(start, noise, times)
    run = us.processes.Paths(times, path[-1], np.zeros(5), path)
    got = full_adjoint(PROCESS, run, control=control, control_jacobian=control_jacobian)[0]
    for axis in range(2):
        step = eps * np.eye(2)[axis]
        slope = (cost(start + step, noise, times)[0] - cost(start - step, noise, times)[0]) / (2 * eps)
        np.testing.assert_allclose(got[:, axis], slope, rtol=1e-7, atol=1e-8)
    with_martingale = full_adjoint(PROCESS, run, control=control, control_jacobian=control_jacobian, martingale=True)
    assert np.abs(with_martingale[0] - got).max() > 0.01


@pytest.mark.parametrize(("q", "lean", "full"), [(2.0, 1.33333, 0.44444), (-0.6, 0.9, 2.25)])
def test_golden_variances_of_both_adjoints(q, lean, full):
    process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], q), "foellmer")

    def gain(t):
        return q / (1 + q * (1 - t))

    times = np.append(1e-9, np.linspace(0, 1, 101)[1:])
    run = us.simulate(process, 4000, np.random.default_rng(1), times=times, keep=True, start=np.zeros((4000, 1)))
    settings = {
        "control": lambda x, t: -gain(t) * x,
        "control_jacobian": lambda x, t: np.full((len(x), 1, 1), -gain(t)),
    }
    # Variances of normal samples: a standard error of sqrt(2/4000) = 2.2 %, and Euler steps of .01.
    assert us.lean_adjoint(process, run)[0].var() == pytest.approx(lean, rel=0.1)
    assert full_adjoint(process, run, **settings)[0].var() == pytest.approx(full, rel=0.1)
    assert full_adjoint(process, run, **settings, martingale=True)[0].var() < 1e-25


def test_foellmer_paths_start_at_time_zero():
    """The drift of a base that is not standard has a Jacobian there: Cov - I."""
    process = us.TiltedProcess(us.GaussianMixture([[0.3]], 1.7), us.QuadraticReward([1.0]), "foellmer")
    run = us.simulate(process, 3, np.random.default_rng(0), times=np.linspace(0, 1, 2001), keep=True)
    zero = {"control": lambda x, t: 0 * x, "control_jacobian": lambda x, t: np.zeros((len(x), 1, 1))}
    # Without control it is the lean adjoint: -alpha nu^2/Gamma = -1.7 at time 0.
    np.testing.assert_allclose(full_adjoint(process, run, **zero)[0], -1.7, rtol=1e-3)


def test_paths_without_states_and_answers_of_the_wrong_shape_are_refused():
    run = us.simulate(PROCESS, 2, np.random.default_rng(0), times=[0.5, 1.0])
    with pytest.raises(InputError, match="keep=True"):
        full_adjoint(PROCESS, run, control=control, control_jacobian=control_jacobian)
    run = us.simulate(PROCESS, 2, np.random.default_rng(0), times=[0.5, 1.0], keep=True)
    with pytest.raises(InputError, match="control_jacobian must return"):
        full_adjoint(PROCESS, run, control=control, control_jacobian=control)

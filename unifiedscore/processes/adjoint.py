"""The lean adjoint along simulated paths, and the bounds on its norm."""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.processes.schedules import Schedule, read_schedule, read_times
from unifiedscore.processes.simulate import Paths
from unifiedscore.processes.tilted_process import TiltedProcess


def lean_adjoint(process: TiltedProcess, paths: Paths, *, method: str = "exponential") -> np.ndarray:
    r"""Solve :math:`a' = -(\nabla b(X_t, t))^T a`, :math:`a(1) = -\nabla r(X_1)` backward along each path.

    Use when you need the regression target of adjoint matching along simulated paths.

    Only the *base* drift enters: no derivative of the control and no running cost.

    Parameters
    ----------
    process : TiltedProcess
    paths : Paths
        Simulated with `keep=True`.
    method : {"exponential", "euler"}
        :math:`a_k = e^{hJ_k} a_{k+1}` or :math:`a_k = (1 + hJ_k) a_{k+1}`; Euler blows up where an eigenvalue of h J is
        below -2, although the solution decays there.

    Returns
    -------
    (K + 1, n, d) array

    Raises
    ------
    InputError
        Paths without a trajectory, or an unknown method.

    References
    ----------
    Domingo-Enrich et al. 2024, arXiv 2409.08861.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([2.0]), "foellmer")
    >>> paths = us.simulate(process, 2, np.random.default_rng(0), times=np.linspace(0.1, 1, 4), keep=True)
    >>> us.lean_adjoint(process, paths)[0]
    array([[-2.],
           [-2.]])
    """
    validate.instance(process, "process", TiltedProcess)
    validate.instance(paths, "paths", Paths, " from simulate")
    if paths.trajectory is None:
        raise InputError("paths must hold their trajectory; simulate them with keep=True")
    validate.choice(method, "method", ("exponential", "euler"))
    if paths.times[0] == 0:
        raise InputError("paths must start above time 0, where the base drift is singular or its law a point")
    adjoint = np.empty_like(paths.trajectory)
    adjoint[-1] = -process.reward.gradient(paths.trajectory[-1])
    for k in range(len(paths.times) - 2, -1, -1):
        h = paths.times[k + 1] - paths.times[k]
        jacobian = h * process.drift_jacobian(paths.trajectory[k], paths.times[k])
        adjoint[k] = propagate(jacobian, adjoint[k + 1], method)
    return adjoint


def propagate(jacobian: np.ndarray, a: np.ndarray, method: str) -> np.ndarray:
    """Return e^J a for the method "exponential" or (1 + J) a for "euler", with symmetric J (n, d, d) and a (n, d)."""
    if method == "euler":
        return a + np.einsum("nij,nj->ni", jacobian, a)
    if a.shape[1] == 1:
        return np.exp(jacobian[:, :, 0]) * a
    values, vectors = np.linalg.eigh(jacobian)
    return np.einsum("nij,nj,nkj,nk->ni", vectors, np.exp(values), vectors, a)


def gaussian_factor(schedule: Schedule | str, t, variance: float):
    r"""Exact factor :math:`\alpha\nu^2/\Gamma` of :math:`|\nabla r|` in the lean adjoint over N(m, nu^2 I).

    Use when the base is an isotropic Gaussian and you need the size of the adjoint exactly.
    """
    schedule = read_schedule(schedule)
    variance = validate.positive(variance, "variance")
    return _in_time(schedule, t, lambda t: schedule.alpha(t) * variance / schedule.variance(t, variance))


def logconcave_factor(schedule: Schedule | str, t, convexity: float):
    r"""Bound :math:`\alpha/(\alpha^2 + \mu\beta^2)` for a base with :math:`-\nabla^2\log p_1 \succeq \mu I`.

    Use when the base is strongly log-concave and you need a bound on the size of the adjoint.

    Not monotone and not below 1; sharp for a Gaussian with grad r in its widest direction.
    """
    convexity = validate.positive(convexity, "convexity")
    schedule = read_schedule(schedule)

    def factor(t):
        return schedule.alpha(t) / (
            np.asarray(schedule.alpha(t)) ** 2 + convexity * np.asarray(schedule.beta_squared(t))
        )

    return _in_time(schedule, t, factor)


def mixture_factor(schedule: Schedule | str, t, variance: float, radius: float):
    r"""Bound :math:`\frac{\alpha v}{\Gamma} e^{R^2\beta^2/(v\Gamma)}` for a base N(0, v I) * Q, Q in a ball of R.

    Use when the base is a bounded law plus Gaussian noise and you need a bound on the size of the adjoint.

    Grows like :math:`e^{R^2/v}`: exponential in the dimension for products, although their true adjoint does not.
    """
    schedule = read_schedule(schedule)
    variance, radius = validate.positive(variance, "variance"), validate.positive(radius, "radius", allow_zero=True)

    def factor(t):
        gamma = np.asarray(schedule.variance(t, variance))
        growth = radius**2 * np.asarray(schedule.beta_squared(t)) / (variance * gamma)
        return np.asarray(schedule.alpha(t)) * variance / gamma * np.exp(growth)

    return _in_time(schedule, t, factor)


def mixture_energy_factor(variance: float, radius: float) -> float:
    r"""Bound on :math:`\int\eta|a|^2 / |\nabla r|^2` that follows: :math:`v^2(e^{2R^2/v} - 1)/(4R^2)`; v/2 at R = 0.

    Use when you need a bound on the energy of the adjoint over a smoothed bounded law.
    """
    variance, radius = validate.positive(variance, "variance"), validate.positive(radius, "radius", allow_zero=True)
    return variance / 2 if radius == 0 else float(variance**2 * np.expm1(2 * radius**2 / variance) / (4 * radius**2))


def adjoint_energy(schedule: Schedule, times: np.ndarray, adjoint: np.ndarray) -> np.ndarray:
    """Integral of eta |a|^2 dt along each path, (n,), by the trapezoidal rule.

    Use when you need the squared size of the adjoint along each path, which `mixture_energy_factor` bounds.
    """
    times, adjoint = read_times(times, name="times"), validate.real_array(adjoint, "adjoint")
    energy = np.asarray(schedule.eta(times))[:, None] * np.einsum("knd,knd->kn", adjoint, adjoint)
    return np.einsum("k,kn->n", np.diff(times), (energy[1:] + energy[:-1]) / 2)


def _in_time(schedule, t, factor):
    times = read_times(t)
    if schedule.name == "foellmer" and (times == 0).any():
        raise InputError("t must be positive: the law at time 0 of the foellmer schedule is a point")
    value = factor(times)
    return float(value) if np.ndim(value) == 0 else value

"""The full adjoint along controlled paths, with and without its martingale."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.processes import Paths, TiltedProcess


def full_adjoint(
    process: TiltedProcess, paths: Paths, *, control: Callable, control_jacobian: Callable, martingale: bool = False
) -> np.ndarray:
    r"""Solve :math:`a' = -(\nabla b + \sigma\nabla u)^\top a - (\nabla u)^\top u`, :math:`a(1) = -\nabla r(X_1)`.

    Use when you compare full with lean adjoint matching, whose target needs no derivative of the control.

    The derivative of the cost to go along each path in its own state: exact for the Euler paths of `simulate`. At the
    optimal control it has the conditional mean :math:`\nabla V`, as the lean adjoint has. With `martingale` the term
    :math:`\int_t^1(\partial_{X_t}u_s)\cdot dB_s`, of conditional mean zero, is added: at the optimum the sum is
    deterministic given the state.

    Parameters
    ----------
    process : TiltedProcess
    paths : Paths
        Simulated with `keep=True` under `control`.
    control : callable ((n, d), float) -> (n, d)
        u(x, t).
    control_jacobian : callable ((n, d), float) -> (n, d, d)
        :math:`\partial_ju_i`.
    martingale : bool

    Returns
    -------
    (K + 1, n, d) array

    Raises
    ------
    InputError
        Paths without a trajectory, or a control whose values or derivatives have the wrong shape.

    References
    ----------
    Domingo-Enrich et al. 2024, arXiv 2409.08861.

    Examples
    --------
    >>> import unifiedscore as us
    >>> process = us.TiltedProcess(us.GaussianMixture([[0.0]], 1.0), us.QuadraticReward([0.0], 2.0), "foellmer")
    >>> times = np.linspace(0, 1, 101)
    >>> paths = us.simulate(process, 2, np.random.default_rng(0), times=times, keep=True)
    >>> gain = lambda t: 2 / (1 + 2 * (1 - t))
    >>> a = full_adjoint(process, paths, control=lambda x, t: -gain(t) * x,
    ...                  control_jacobian=lambda x, t: np.full((len(x), 1, 1), -gain(t)), martingale=True)
    >>> bool(np.abs(a[0]).max() < 1e-12)
    True
    """
    validate.instance(process, "process", TiltedProcess)
    validate.instance(paths, "paths", Paths, " from simulate")
    validate.function(control, "control", "of (x, t)", arguments=2)
    validate.function(control_jacobian, "control_jacobian", "of (x, t)", arguments=2)
    if paths.trajectory is None:
        raise InputError("paths must hold their trajectory; simulate them with keep=True")
    states, times = paths.trajectory, paths.times
    n, d = states.shape[1:]
    adjoint = np.empty_like(states)
    adjoint[-1] = -process.reward.gradient(states[-1])
    for k in range(len(times) - 2, -1, -1):
        x, t, h = states[k], float(times[k]), times[k + 1] - times[k]
        u = validate.answer(control(x, t), "control", (n, d))
        slope = validate.answer(control_jacobian(x, t), "control_jacobian", (n, d, d))
        noise, drift, base_slope = _step(process, x, t)
        forcing = h * u
        if martingale:
            # sqrt(h) xi of the step, from the states: no noise has to be stored.
            forcing = forcing + (states[k + 1] - x - h * (drift + noise * u)) / noise
        jacobian = base_slope + noise * slope
        after = adjoint[k + 1]
        # Transposed: the row index of a Jacobian is the component of the field.
        adjoint[k] = after + h * np.einsum("nij,ni->nj", jacobian, after) + np.einsum("nij,ni->nj", slope, forcing)
    return adjoint


def _step(process: TiltedProcess, x: np.ndarray, t: float) -> tuple[float, np.ndarray, np.ndarray]:
    """sigma, the base drift and its Jacobian; at time 0 of the Foellmer schedule paths start at the point 0."""
    d = process.dimension
    if t == 0:
        slope = process.base.covariance_matrix - np.eye(d)  # the limit of the Jacobian of the drift
        return 1.0, np.broadcast_to(process.base.mean, x.shape), np.broadcast_to(slope, (len(x), d, d))
    return float(process.schedule.sigma(t)), process.drift(x, t), process.drift_jacobian(x, t)

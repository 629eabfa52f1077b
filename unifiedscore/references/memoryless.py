r"""What is left of the start when the noise is not memoryless.

The tilted law is recovered for every reward iff X_0 and X_1 are independent under the base process. For a Gaussian base
N(m, nu^2 I) and a linear reward l.x the terminal mean moves by :math:`\nu^2 l (1 - \rho^2)` instead of :math:`\nu^2 l`,
with :math:`\rho` the correlation of start and end.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.processes.schedules import Schedule, read_schedule, read_time


def squared_correlation(
    schedule: Schedule | str, start: float, *, variance: float = 1.0, multiple: float = 1.0
) -> float:
    r""":math:`\rho^2 = (\alpha_0^2\nu^2/\Gamma_0)^\zeta` for noise :math:`\sigma^2 = 2\zeta\eta` begun at time `start`.

    Tends to 0 with `start` for every multiple zeta > 0: the bias of starting late, not of the noise.

    Examples
    --------
    >>> round(squared_correlation("rectified_flow", 0.05, multiple=0.25), 4)
    0.2293
    """
    schedule = read_schedule(schedule)
    start, variance = read_time(start), validate.positive(variance, "variance")
    zeta = validate.positive(multiple, "multiple", allow_zero=True)
    if start == 0:
        return 0.0 if zeta else 1.0
    return float((schedule.alpha(start) ** 2 * variance / schedule.variance(start, variance)) ** zeta)


def constant_noise_correlation(sigma: float) -> float:
    r""":math:`\rho^2 = e^{-\pi\sigma^2/2}` for rectified flow over N(0, I) with constant noise from time 0: never 0."""
    return float(np.exp(-np.pi * validate.positive(sigma, "sigma", allow_zero=True) ** 2 / 2))


def terminal_shift(
    schedule: Schedule | str,
    sigma: Callable[[float], float],
    *,
    start: float,
    variance: float = 1.0,
    slope: float = 1.0,
) -> float:
    r"""Shift of the terminal mean per coordinate by the exact control of the process with noise sigma(t), by ODE.

    The control of a linear reward is :math:`u = \sigma\Phi(1, t) l` with :math:`\Phi` the propagator of the drift
    :math:`\kappa - (\sigma^2/2 + \eta)/\Gamma`, so the shift is :math:`l\int\sigma^2\Phi(1, t)^2 dt`.

    Raises
    ------
    InputError
        `start` is 0 where the drift is singular there (sigma is not integrable against it).
    """
    from scipy.integrate import solve_ivp

    schedule = read_schedule(schedule)
    start, variance = read_time(start), validate.positive(variance, "variance")
    if start == 1:
        raise InputError("start must be below 1")

    def rate(t):
        # kappa - eta/Gamma = Gamma'/(2 Gamma) has no 1/t to cancel.
        gamma = schedule.variance(t, variance)
        return (schedule.variance_rate(t, variance) - sigma(t) ** 2) / (2 * gamma)

    def backward(s, state):
        # s = 1 - t: log Phi(1, t) grows by the rate, the shift by sigma^2 Phi^2.
        t = max(1 - s, start)
        return [rate(t), sigma(t) ** 2 * np.exp(2 * state[0])]

    solution = solve_ivp(backward, (0, 1 - start), [0.0, 0.0], rtol=1e-11, atol=1e-13, method="DOP853")
    return float(slope * solution.y[1, -1])

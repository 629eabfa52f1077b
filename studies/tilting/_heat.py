r"""The energy of the lean adjoint at the optimum on the line, as a heat equation: no path is sampled.

With the noise-to-signal ratio theta = beta^2/alpha^2 as time and Y = X/alpha, the paths of the optimum are Y = X_1 +
B_theta with X_1 from p* and B a Brownian motion, and alpha a = -r'(X_1) exp(int_0^theta s'(Y)), s the score of the
base smoothed by theta. So E[(alpha a)^2; Y = y] solves f' = f''/2 + 2 s' f from f = p* r'^2, in every schedule, and
eta a^2 dt = (alpha a)^2 dtheta/2. The equation is solved in z = y/sqrt(Gamma), w = log Gamma, Gamma = v + theta.
"""

import numpy as np
from scipy.linalg import solve_banded

from unifiedscore.study import two_rules

REACH, TOP = 11.0, 9.0  # widths of z; theta up to v exp(9), beyond which (alpha a)^2 falls like 1/Gamma^2


def score_slope(law, y, theta):
    """Derivative of the score of the law smoothed by theta, written out from the components."""
    spread = law.variances + theta
    logs = np.log(law.weights) - np.log(spread) / 2 - (y[:, None] - law.means[:, 0]) ** 2 / (2 * spread)
    share = np.exp(logs - logs.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    slopes = (law.means[:, 0] - y[:, None]) / spread
    gaps = slopes - (share * slopes).sum(1, keepdims=True)
    return (share * (gaps**2 - 1 / spread)).sum(1)


def energy_on(process, law, nodes, steps):
    """int eta E|a|^2 dt by Crank-Nicolson, the Jacobian that of the drift towards `law`."""
    v = float(process.base.variances.min())
    z, w = np.linspace(-REACH, REACH, nodes), np.linspace(0, TOP, steps + 1)
    dz, h = z[1] - z[0], w[1] - w[0]
    y = np.sqrt(v) * z[:, None]
    f = np.exp(process.target.log_density(y)) * process.reward.gradient(y)[:, 0] ** 2
    upper, lower = 0.5 / dz**2 + 0.25 * z / dz, 0.5 / dz**2 - 0.25 * z / dz
    squares = [np.sqrt(v) * f.sum() * dz]
    for middle, after in zip(w[:-1] + h / 2, w[1:], strict=True):
        gamma = v * np.exp(middle)
        diagonal = -1 / dz**2 + 2 * gamma * score_slope(law, np.sqrt(gamma) * z, gamma - v)
        right = f + h / 2 * diagonal * f
        right[:-1] += h / 2 * upper[:-1] * f[1:]
        right[1:] += h / 2 * lower[1:] * f[:-1]
        bands = np.zeros((3, nodes))
        bands[0, 1:], bands[1], bands[2, :-1] = -h / 2 * upper[:-1], 1 - h / 2 * diagonal, -h / 2 * lower[1:]
        f = solve_banded((1, 1), bands, right)
        squares.append(np.sqrt(v * np.exp(after)) * f.sum() * dz)
    density = np.array(squares) * v * np.exp(w)
    return (np.sum(density[1:] + density[:-1]) * h / 2 + density[-1]) / 2


def adjoint_energy_exact(process, law=None):
    """The energy with its numerical error: errors of second order, extrapolated away twice."""
    law = process.base if law is None else law
    coarse, middle, fine = (energy_on(process, law, 200 * k + 1, 100 * k) for k in (1, 2, 4))
    return two_rules((4 * middle - coarse) / 3, (4 * fine - middle) / 3, relative=1e-6)

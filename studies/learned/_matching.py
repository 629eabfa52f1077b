r"""Adjoint matching with exact expectations on the line, as a heat equation: one sweep is one linear solve.

With theta = beta^2/alpha^2 as time, Y = X/alpha and w = alpha q, where u = sigma q is the control, a sweep takes w_n to
the solution of w' = w''/2 + (S + w_n) dw/dy + (dS/dy) w from w = r' at theta = 0, S the score of the base smoothed by
theta: in these variables no schedule is left. The equation is solved by Crank-Nicolson in z = y/sqrt(Gamma) and
log Gamma, Gamma = v + theta, as in the energy of the lean adjoint.
"""

import numpy as np
from scipy.linalg import solve_banded

REACH = 9.0


class Sweeps:
    """The grid, the score and its slope on it, and the map of one sweep."""

    def __init__(self, law, slope, *, nodes=361, steps=160, top=2401.0):
        """`law` is the base, `slope` r'(x), `top` the largest theta: 2401 is t = .02 of rectified flow."""
        v = float(law.variances.min())
        self.z = np.linspace(-REACH, REACH, nodes)
        self.log = np.linspace(0, np.log1p(top / v), steps + 1)
        gamma = v * np.exp(self.log)
        middle = v * np.exp((self.log[1:] + self.log[:-1]) / 2)
        self.theta, self.gamma, self.middle = gamma - v, gamma, middle
        self.score, self.curvature = zip(*(smoothed(law, np.sqrt(g) * self.z, g - v) for g in middle), strict=True)
        self.start = slope(np.sqrt(v) * self.z)

    def masses(self, law):
        """Probabilities of the nodes at every time when the data have this law."""
        spread = law.variances + self.theta[:, None, None]
        y = np.sqrt(self.gamma)[:, None, None] * self.z[:, None]
        density = (law.weights / np.sqrt(spread) * np.exp(-((y - law.means[:, 0]) ** 2) / (2 * spread))).sum(2)
        return density / density.sum(axis=1, keepdims=True)

    def __call__(self, control):
        """The next w, (steps + 1, nodes), from the last one."""
        z, h = self.z, self.log[1] - self.log[0]
        dz, found = z[1] - z[0], [self.start]
        for k, gamma in enumerate(self.middle):
            speed = np.sqrt(gamma) * (self.score[k] + (control[k] + control[k + 1]) / 2) + z / 2
            found.append(step(found[-1], speed, gamma * self.curvature[k], h, dz))
        return np.array(found)

    def distance(self, one, two, masses):
        """Largest L2 distance over time of q = w/alpha, with alpha = 1/(1 + sqrt theta)."""
        gap = (one - two) * (1 + np.sqrt(self.theta))[:, None]
        return float(np.sqrt(np.einsum("kz,kz,kz->k", masses, gap, gap).max()))


def smoothed(law, y, theta):
    """Score of the law smoothed by theta and its slope, from the components."""
    spread = law.variances + theta
    logs = np.log(law.weights) - np.log(spread) / 2 - (y[:, None] - law.means[:, 0]) ** 2 / (2 * spread)
    share = np.exp(logs - logs.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    slopes = (law.means[:, 0] - y[:, None]) / spread
    score = (share * slopes).sum(1)
    return score, (share * ((slopes - score[:, None]) ** 2 - 1 / spread)).sum(1)


def step(f, speed, growth, h, dz):
    """Crank-Nicolson for f' = f_zz/2 + speed f_z + growth f; what leaves through the ends needs no condition there."""
    upper, lower = 0.5 / dz**2 + speed / (2 * dz), 0.5 / dz**2 - speed / (2 * dz)
    diagonal = growth - 1 / dz**2
    # At the ends the second derivative is dropped and the slope is one-sided.
    diagonal[0], upper[0] = growth[0] - speed[0] / dz, speed[0] / dz
    diagonal[-1], lower[-1] = growth[-1] + speed[-1] / dz, -speed[-1] / dz
    right = f + h / 2 * diagonal * f
    right[:-1] += h / 2 * upper[:-1] * f[1:]
    right[1:] += h / 2 * lower[1:] * f[:-1]
    bands = np.zeros((3, len(f)))
    bands[0, 1:], bands[1], bands[2, :-1] = -h / 2 * upper[:-1], 1 - h / 2 * diagonal, -h / 2 * lower[1:]
    return solve_banded((1, 1), bands, right, overwrite_ab=True, overwrite_b=True, check_finite=False)

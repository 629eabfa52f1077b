r"""The one-particle law of P particles on the line, for every P: draws of $p^*$ conditioned on mean and covariance.

With $T = (y, y^2 - 1)$, $\phi(\theta) = E_{p^*} e^{i\theta\cdot T}$ and $\phi_f = E_{p^*} f e^{i\theta\cdot T}$,

$$E_P f = \int\phi^{P-1}\phi_f\,d\theta \Big/ \int\phi^P\,d\theta, \qquad
  E_P f = E_{p^*} f + c_1/P + O(P^{-2}),$$

$c_1 = E_{p^*} f\,[D/2 - \frac12 t^TC^{-1}t + \frac12 K_{abc}(C^{-1})_{ab}(C^{-1}t)_c]$ with $t = T - ET$, $C$ and
$K$ the covariance and third cumulants of T, and D = 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.fields.moment_matched.family import NodeFamily, minimise_dual, statistic

_REACH = 9.0
# |phi|^P falls like exp(-u^2 P/2) in u: 20 widths of it, since its tail is slower than Gaussian at small P.
_REACH_PHASE = 20.0


@final
@dataclass(frozen=True, slots=True)
class LineLaw:
    r"""The tilted law $p^* \propto e^{-V(y) - \lambda y - \Lambda y^2/2}$ of mean 0 and variance 1, at nodes.

    Attributes
    ----------
    nodes, weights : (k,) arrays
        The weights sum to 1.
    untilted : (k,) array
        Weights of the law $e^{-V}$ on the same nodes.
    linear, quadratic : float
        $\lambda$ and $\Lambda$.
    residuals : tuple of floats
        Of the Newton steps.
    """

    nodes: np.ndarray
    weights: np.ndarray
    untilted: np.ndarray
    linear: float
    quadratic: float
    residuals: tuple[float, ...]

    def average(self, f: Callable) -> float:
        """E f under the tilted law."""
        return float(self.weights @ f(self.nodes))

    def untilted_average(self, f: Callable) -> float:
        """E f under the law without tilt."""
        return float(self.untilted @ f(self.nodes))


def line_law(potential: Callable, *, mesh: float = 0.02, reach: float = _REACH) -> LineLaw:
    """The tilted law of a potential V(y) in standardised coordinates, by the trapezoid rule on [-reach, reach]."""
    y = mesh * np.arange(-int(np.ceil(reach / mesh)), int(np.ceil(reach / mesh)) + 1)
    family = NodeFamily(statistic(y[:, None]), -potential(y))
    found = minimise_dual(family, 1, tolerance=1e-12, max_iterations=60)
    law = lambda theta: family.probabilities(theta)  # noqa: E731
    linear, quadratic = (float(v) for v in found.theta)
    return LineLaw(y, law(found.theta), law(np.zeros(2)), linear, quadratic, found.residuals)


def finite_average(law: LineLaw, f: Callable, n_particles: int, *, nodes: int = 200) -> float:
    """E f(y) of one of P particles, by the Fourier quotient; to about 1e-7 from P = 20 on.

    Parameters
    ----------
    law : LineLaw
    f : callable
        Elementwise.
    n_particles : int
        P >= 12.
    nodes : int
        Of the rule in each variable, theta_1 = u sqrt(1 + 4 theta_2^2), theta_2 = c tan x.
    """
    return float(finite_averages(law, [f], n_particles, nodes=nodes)[0])


def finite_averages(law: LineLaw, functions, n_particles: int, *, nodes: int = 200) -> np.ndarray:
    """`finite_average` of several functions at once, (k,)."""
    n_particles = validate.integer(n_particles, "n_particles", low=12)
    chosen = law.weights > 1e-20
    y, w = law.nodes[chosen], law.weights[chosen]
    values = np.stack([np.ones_like(y), *(f(y) for f in functions)])
    # The scale of theta_2 follows the width of phi^P; tan covers the algebraic tail. The integrand is conjugated by
    # theta -> -theta, so that half of theta_2 is enough.
    scale = 2.0 / np.sqrt(n_particles)
    x, weights = np.polynomial.legendre.leggauss(nodes // 2)
    x, weights = 0.25 * np.pi * (x + 1), 0.25 * np.pi * weights
    second, jacobian = scale * np.tan(x), scale / np.cos(x) ** 2
    reach = _REACH_PHASE / np.sqrt(n_particles)
    u, step = np.linspace(-reach, reach, nodes + 1, retstep=True)
    top, bottom = np.zeros(len(functions), dtype=complex), 0.0j
    for t2, w2, j2 in zip(second, weights, jacobian, strict=True):
        stretch = np.sqrt(1 + 4 * t2**2)
        phase = np.exp(1j * t2 * (y**2 - 1)) * w
        transforms = (values * phase) @ np.exp(1j * np.outer(y, u * stretch))
        power = transforms[0] ** (n_particles - 1) * (w2 * j2 * stretch * step)
        bottom += (power * transforms[0]).sum()
        top += transforms[1:] @ power
    return top.real / bottom.real


def finite_coefficient(law: LineLaw, f: Callable) -> float:
    """The coefficient c_1 of 1/P in E_P f."""
    y, w = law.nodes, law.weights
    t = np.stack([y, y**2 - 1])
    t = t - (t @ w)[:, None]
    inverse = np.linalg.inv((t * w) @ t.T)
    third = np.einsum("an,bn,cn,n->abc", t, t, t, w)
    score = inverse @ t
    bracket = 1.0 - 0.5 * np.einsum("an,an->n", t, score) + 0.5 * np.einsum("abc,ab,cn->n", third, inverse, score)
    return float(w @ (f(y) * bracket))

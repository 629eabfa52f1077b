"""The rational quadratic (inverse multiquadric) kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.kernels.base import AbstractKernel, ScaleMixture, SharpKernel
from unifiedscore.validate import array, positive


@njit(cache=True, nogil=True, error_model="numpy")
def rational_tile(squared, parameters, log_kernel, weight):
    """Compiled k = (1 + r^2/c^2)^(-beta) with parameters (c, beta); the Student-t kernel is the same profile."""
    rate = 1.0 / parameters[0] ** 2
    exponent = parameters[1]
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            log_kernel[i, j] = -exponent * np.log1p(rate * squared[i, j])
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            weight[i, j] = 2.0 * exponent * rate / (1.0 + rate * squared[i, j])


def log_growth(z):
    r"""Return $\log(1 + z^2)$ for $z \ge 0$ of any size; the square of a large one leaves float64."""
    z = np.asarray(z)
    large = z > 1e10  # where the 1 is below rounding, and the square still a number in float32
    return np.where(large, 2.0 * np.log(np.where(large, z, 1.0)), np.log1p(np.where(large, 0.0, z) ** 2))


def rational_mixture(exponent: float, rate: float) -> ScaleMixture:
    r"""Return the Gamma mixture $(1 + u/c^2)^{-\beta} = \int e^{-su} \mathrm{Gamma}(s; \beta, c^2)\,ds$."""
    from scipy.special import gammaln

    normalizer = exponent * np.log(rate) - gammaln(exponent)
    return ScaleMixture(log_density=lambda v: normalizer + exponent * v - rate * np.exp(v))


@dataclass(frozen=True, slots=True)
class RationalQuadratic(AbstractKernel):
    r"""The rational quadratic kernel $k(r) = (1 + r^2/c^2)^{-\beta}$, $1/b = (c^2 + r^2)/2\beta$.

    Use when points at many distances should count at once: far ones decay by a power, not exponentially.

    Parameters
    ----------
    bandwidth : float
        Length $c > 0$, in the units of the data.
    exponent : float
        Power $\beta > 0$; 1/2 is the inverse multiquadric, 1 the Cauchy kernel. For $\beta \le 1$ the sharp kernel
        $k^\#$ diverges, while mean shift and score stay finite.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(us.RationalQuadratic(bandwidth=1.0, exponent=0.5).inverse_weight(2.0))
    5.0
    """

    bandwidth: float
    exponent: float
    name: ClassVar[str] = "rational_quadratic"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))
        object.__setattr__(self, "exponent", positive(self.exponent, "exponent"))

    def log_profile(self, r):
        return -self.exponent * log_growth(array(r, "r") / self.bandwidth)

    def inverse_weight(self, r):
        return (self.bandwidth**2 + array(r, "r") ** 2) / (2 * self.exponent)

    def compiled_tile(self):
        return rational_tile, np.array([self.bandwidth, self.exponent])

    def scale_mixture(self):
        return rational_mixture(self.exponent, 1.0)

    def sharp(self):
        return rational_sharp(self.bandwidth, self.exponent)


def rational_sharp(scale: float, exponent: float) -> SharpKernel | None:
    r"""Return $k^\# = \frac{c^2}{2(\beta - 1)}(1 + r^2/c^2)^{1 - \beta}$; None for $\beta \le 1$, where it diverges."""
    if exponent <= 1.0:
        return None
    log_scale = float(2.0 * np.log(scale) - np.log(2.0 * (exponent - 1.0)))
    return SharpKernel(RationalQuadratic(scale, exponent - 1.0), log_scale)

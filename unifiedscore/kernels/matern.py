"""The Matern kernel of any smoothness."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from unifiedscore.kernels.base import AbstractKernel, ScaleMixture, SharpKernel
from unifiedscore.kernels.matern_tiles import LEFT, SIZE, STEP, half_integer_tile, table_tile
from unifiedscore.validate import array, positive


def _log_bessel(order: float, z: np.ndarray) -> np.ndarray:
    """Return log(K e^z) for an order in [0, 1]; beyond z = 1e5 three terms of its expansion are exact to rounding."""
    from scipy.special import kve

    # The library function gives up (NaN) near z = 1e9.
    far = np.abs(z) > 1e5
    big = np.where(far, z, 1e5)
    factor = 4.0 * order**2 - 1.0
    correction = factor / (8.0 * big) * (1.0 + (factor - 8.0) / (16.0 * big))
    expansion = 0.5 * np.log(np.pi / (2.0 * big)) + np.log1p(correction)
    return np.where(far, expansion, np.log(kve(order, np.where(far, 1.0, z))))


def _log_unit(z: np.ndarray, smoothness: float) -> tuple[np.ndarray, np.ndarray]:
    """Return log k + z and log(1/b) of the unit-bandwidth kernel for z off the negative axis.

    From an order in (0, 1] upwards by w_{nu+1} = 2 nu + z^2/w_nu and k_{nu+1} = k_nu w_{nu+1}/(2 nu): every term is
    positive, and no Bessel function of high order overflows.
    """
    from scipy.special import gammaln

    z = np.where(np.abs(z) < 1e-300, 1e-300, z)
    order = smoothness - np.ceil(smoothness) + 1.0
    log_z = np.log(z)
    upper = _log_bessel(order, z)
    profile = order * log_z + upper - (order - 1.0) * np.log(2.0) - gammaln(order)
    inverse = log_z + upper - _log_bessel(1.0 - order, z)
    while order < smoothness - 0.5:
        growth = np.log1p(np.exp(2.0 * log_z - inverse) / (2.0 * order))
        profile, inverse = profile + growth, np.log(2.0 * order) + growth
        order += 1.0
    return profile, inverse


@lru_cache(maxsize=8)
def _table(smoothness: float) -> np.ndarray:
    z = np.exp(LEFT + STEP * np.arange(SIZE))
    profile, inverse = _log_unit(z, smoothness)
    slope = (inverse[8] - inverse[0]) / (8 * STEP)
    # 1/b tends to 2(nu - 1) for nu > 1 and behaves like z^{2 nu} below: the slope is 0 or 2 nu.
    slope = 0.0 if smoothness > 1 else float(slope)
    offset = -(inverse[0] - slope * np.log(z[0]))
    table = np.concatenate([[slope, offset], profile, inverse])
    table.setflags(write=False)
    return table


@dataclass(frozen=True, slots=True)
class Matern(AbstractKernel):
    r"""The Matern kernel $k(r) = \frac{2^{1-\nu}}{\Gamma(\nu)} z^\nu K_\nu(z)$ with $z = r/l$.

    Use when smoothness should be a parameter, from rougher than the Laplace kernel to nearly Gaussian.

    Its inverse weight is $1/b = l r K_\nu(z)/K_{\nu-1}(z)$.

    Parameters
    ----------
    bandwidth : float
        Length $l > 0$ in the units of the data: the argument of the Bessel function is $r/l$. With the convention of
        Gaussian processes, $l = \sigma/\sqrt{2\nu}$, the limit $\nu \to \infty$ is a Gaussian of standard deviation
        $\sigma$; here $l$ itself is the parameter.
    smoothness : float
        $\nu > 0$; 1/2 is the Laplace kernel. Half-integers up to 21/2 use closed forms, others a table (1e-13).

    References
    ----------
    Lee, Chun 2026, arXiv 2604.24196.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(us.Matern(bandwidth=1.0, smoothness=1.5).inverse_weight(2.0).round(12))
    3.0
    """

    bandwidth: float
    smoothness: float
    name: ClassVar[str] = "matern"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))
        object.__setattr__(self, "smoothness", positive(self.smoothness, "smoothness"))

    @property
    def rounding(self) -> float:
        """About 1e-13 where the tile interpolates a table; the recursion of a half-integer rounds once an order."""
        return 1000.0 if self._order is None else 8.0 * self._order

    @property
    def _order(self) -> int | None:
        """n for a smoothness n + 1/2 with a closed form."""
        n = self.smoothness - 0.5
        return int(n) if n == int(n) and n <= 10 else None

    def log_profile(self, r):
        z = array(r, "r") / self.bandwidth
        away = z != 0
        profile, _ = _log_unit(np.where(away, z, 1.0), self.smoothness)
        return np.where(away, profile - z, 0.0)

    def inverse_weight(self, r):
        from scipy.special import kve

        z = array(r, "r") / self.bandwidth
        if not np.iscomplexobj(z):
            _, inverse = _log_unit(np.where(z > 0, z, 1.0), self.smoothness)
            limit = max(2.0 * (self.smoothness - 1.0), 0.0)
            return self.bandwidth**2 * np.where(z > 0, np.exp(inverse), limit)
        return self.bandwidth**2 * z * kve(self.smoothness, z) / kve(self.smoothness - 1.0, z)

    def inverse_weight_density(self, t):
        r"""Return $\sigma(t) = \frac{2}{\pi^2 t}\big/\big(J_{\nu-1}^2 + Y_{\nu-1}^2\big)(\sqrt t)$ [Grosswald 1976]."""
        from scipy.special import jv, yv

        order, t = abs(self.smoothness - 1.0), array(t, "t")
        y = np.sqrt(t)
        far = y > 1e4 * (1.0 + order) ** 2
        near = np.where(far, 1.0, y)
        with np.errstate(over="ignore"):
            modulus = jv(order, near) ** 2 + yv(order, near) ** 2
        # Far out the modulus is 2/(pi y) (1 + (4 mu^2 - 1)/8y^2 + ...); library Bessel functions lose digits there.
        asymptotic = 2.0 / (np.pi * y) * (1.0 + (4.0 * order**2 - 1.0) / (8.0 * y**2))
        return 2.0 / (np.pi**2 * t) / np.where(far, asymptotic, modulus)

    def compiled_tile(self):
        from scipy.special import gammaln

        if (n := self._order) is not None:
            # theta_n(0) = (2n - 1)!! = 2^n Gamma(n + 1/2) / sqrt(pi)
            normalizer = n * np.log(2.0) + gammaln(n + 0.5) - 0.5 * np.log(np.pi)
            return half_integer_tile, np.array([self.bandwidth, n, normalizer])
        return table_tile, np.concatenate([[self.bandwidth], _table(self.smoothness)])

    def scale_mixture(self):
        from scipy.special import gammaln

        # z^nu K_nu(z) = 2^{nu-1} int w^{nu-1} e^{-w - z^2/4w} dw, with s = 1/4w.
        nu, normalizer = self.smoothness, gammaln(self.smoothness) + self.smoothness * np.log(4.0)
        return ScaleMixture(log_density=lambda v: -nu * v - 0.25 * np.exp(-v) - normalizer)

    def sharp(self):
        # z^nu K_nu normalised at 0: the constants of orders nu and nu + 1 differ by 2 nu.
        scale = float(np.log(2.0 * self.smoothness) + 2.0 * np.log(self.bandwidth))
        return SharpKernel(Matern(self.bandwidth, self.smoothness + 1.0), scale)

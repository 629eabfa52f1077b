"""The Gaussian kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.kernels.base import AbstractKernel, ScaleMixture, SharpKernel
from unifiedscore.validate import array, positive


@njit(cache=True, nogil=True, error_model="numpy")
def _tile(squared, parameters, log_kernel, weight):
    rate = 1.0 / parameters[0] ** 2
    half = squared.dtype.type(-0.5 * rate)
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            log_kernel[i, j] = half * squared[i, j]
    for i in range(weight.shape[0]):
        weight[i, :] = rate


@dataclass(frozen=True, slots=True)
class Gaussian(AbstractKernel):
    r"""The Gaussian kernel $k(r) = e^{-r^2/2\tau^2}$, $1/b = \tau^2$.

    Use when the drift must be an exact score, as a theorem or a baseline, or the data lie in few dimensions.

    The only radial kernel whose mean shift is an exact score: $V = \tau^2 \nabla \log (p * N(0, \tau^2 I))$.

    Parameters
    ----------
    bandwidth : float
        Standard deviation $\tau > 0$, in the units of the data (not $2\tau^2$, not a variance).

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514, Theorem 1.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(us.Gaussian(bandwidth=2.0).inverse_weight(1.0))
    4.0
    """

    bandwidth: float
    name: ClassVar[str] = "gaussian"
    constant_weight: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))

    def log_profile(self, r):
        return -0.5 * (array(r, "r") / self.bandwidth) ** 2

    def inverse_weight(self, r):
        return np.full_like(array(r, "r") * 1.0, self.bandwidth**2)

    def compiled_tile(self):
        return _tile, np.array([self.bandwidth])

    def scale_mixture(self):
        return ScaleMixture(atom=0.5)

    def sharp(self):
        return SharpKernel(self, 2.0 * float(np.log(self.bandwidth)))

"""The Laplace (exponential) kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.kernels.base import AbstractKernel, ScaleMixture, SharpKernel
from unifiedscore.kernels.matern import Matern
from unifiedscore.validate import array, positive


@njit(cache=True, nogil=True, error_model="numpy")
def _tile(squared, parameters, log_kernel, weight):
    own = squared.dtype.type
    rate, none = own(1.0 / parameters[0]), own(0.0)
    scale = -rate * rate
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            log_kernel[i, j] = -rate * np.sqrt(squared[i, j])
    for i in range(weight.shape[0]):
        for j in range(squared.shape[1]):
            # b = 1/(tau r) from log k = -r/tau: a division is cheaper than a second root.
            log_k = log_kernel[i, j]
            weight[i, j] = scale / log_k if log_k < none else none


@dataclass(frozen=True, slots=True)
class Laplace(AbstractKernel):
    r"""The Laplace kernel $k(r) = e^{-r/\tau}$ of the plain Euclidean distance, $1/b = \tau r$.

    Use when the data lie in many dimensions and the kernel should not forget far points, as in drifting models.

    Parameters
    ----------
    bandwidth : float
        Length $\tau > 0$, in the units of the data. In high dimension it acts like a Gaussian of bandwidth
        $\sqrt{\rho\tau}$, with $\rho$ the typical distance, never like a Gaussian of bandwidth $\tau$.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770; Lai et al. 2026, arXiv 2603.07514.

    Examples
    --------
    >>> import unifiedscore as us
    >>> float(us.Laplace(bandwidth=0.5).log_profile(2.0))
    -4.0
    """

    bandwidth: float
    name: ClassVar[str] = "laplace"

    def __post_init__(self) -> None:
        object.__setattr__(self, "bandwidth", positive(self.bandwidth, "bandwidth"))

    @property
    def inverse_slope(self):
        # A class derived from this one may have another weight.
        return self.bandwidth if type(self) is Laplace else None

    def log_profile(self, r):
        return -array(r, "r") / self.bandwidth

    def inverse_weight(self, r):
        return self.bandwidth * array(r, "r")

    def compiled_tile(self):
        return _tile, np.array([self.bandwidth])

    def scale_mixture(self):
        # g(s) = s^{-3/2} e^{-1/4s} / (2 sqrt(pi)); in v = log s the density gains a factor s.
        return ScaleMixture(log_density=lambda v: -0.5 * v - 0.25 * np.exp(-v) - np.log(2 * np.sqrt(np.pi)))

    def sharp(self):
        # tau (r + tau) e^{-r/tau}
        return SharpKernel(Matern(self.bandwidth, 1.5), 2.0 * float(np.log(self.bandwidth)))

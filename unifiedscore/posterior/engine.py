"""What the kernel posterior of one kind of measure can do."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import GaussianMixture, ReducedMixture, Samples
from unifiedscore.posterior.records import PosteriorMoments, PosteriorVectors


class AbstractEngine(ABC):
    r"""The kernel posterior $\pi_x(y) = k(x, y)\mu(y)/Z(x)$ of one kernel and one measure.

    Use when you add a measure of your own kind: write its engine and enter it in `unifiedscore.posterior.moments`.

    Laws
    ----
    * Queries `x` are an (n, d) array of finite floats, checked by the caller. Results have its dtype; integrals and
      sums over many samples are float64.
    * `vectors` and `field` are parts of `moments`, equal to them up to rounding and cheaper.
    * `exclude` holds for each query the index of one sample to leave out, -1 for none. A population refuses it.
    * A result that leaves the range of floats is returned as it is; the caller refuses it.
    """

    __slots__ = ()
    kernel: AbstractKernel
    measure: Samples | GaussianMixture | ReducedMixture

    @property
    @abstractmethod
    def has_jacobian(self) -> bool:
        """Whether the mean shift has a Jacobian in the coordinates of `x`. Law: if so, `spread` returns."""

    @abstractmethod
    def moments(self, x: np.ndarray, *, exclude=None) -> PosteriorMoments:
        """Return all moments in one pass."""

    @abstractmethod
    def vectors(self, x: np.ndarray, *, exclude=None) -> PosteriorVectors:
        """Return mean shift, score and log Z in one pass."""

    @abstractmethod
    def field(self, x: np.ndarray, quantity: str, *, exclude=None) -> np.ndarray:
        """Return `quantity`, "mean_shift" or "score", (n, d)."""

    @abstractmethod
    def spread(self, x: np.ndarray) -> np.ndarray:
        r"""Return $E_\pi[b\,(y - x)(y - x)^\top]$, (n, d, d) float64."""

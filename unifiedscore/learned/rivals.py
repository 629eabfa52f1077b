r"""What a trained denoiser may be: the empirical one with its score, kernel or density smoothed, or a Gaussian one.

At the noise level h a denoiser maps x = y + h z, in the units of the data, to an estimate of y. The empirical denoiser
:math:`\hat D_h` of a data set is `Barycenter(Gaussian(h), data)`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.fields import AbstractField, Barycenter, Smoothed
from unifiedscore.kernels import Gaussian
from unifiedscore.measures import GaussianMixture, Samples, as_samples


def ScoreSmoothedDenoiser(data, level: float, smoothing: float, *, noise) -> Barycenter | Smoothed:
    r"""Return :math:`\hat D_\sigma(x) = E\,\hat D_h(x + \sigma\epsilon)`: the empirical denoiser, smoothed over noise.

    Use when you ask whether a denoiser averages the empirical score over a neighbourhood, as training may.

    It smooths the *logarithm* of the density of the noised data.

    Parameters
    ----------
    data : Samples, GaussianMixture or (m, d) array
    level : float
        Noise level h > 0, in the units of the data.
    smoothing : float
        :math:`\sigma \ge 0`, in the units of the data.
    noise : (M, d) array or "population"
        As for `Smoothed`.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395; Chen 2025, arXiv 2502.19499.

    Examples
    --------
    >>> ScoreSmoothedDenoiser([[-1.0], [1.0]], 0.1, 0.5, noise="population")([[0.2]]).round(6)
    array([[0.310795]])
    """
    center = Barycenter(Gaussian(level), _law(data))
    return center if smoothing == 0 else Smoothed(center, smoothing, noise=noise)


def WiderKernelDenoiser(data, level: float, factor: float) -> Barycenter:
    r"""Return :math:`\hat D_{ch}`: the empirical denoiser of c times as much noise.

    Use when you want the simplest rival of a smoothed score, which beats nothing but the empirical denoiser.

    Parameters
    ----------
    data, level
        As for `ScoreSmoothedDenoiser`.
    factor : float
        :math:`c > 0`.

    Examples
    --------
    >>> WiderKernelDenoiser([[-1.0], [1.0]], 0.1, 4.0)([[0.2]]).round(6)
    array([[0.848284]])
    """
    return Barycenter(Gaussian(validate.positive(factor, "factor") * validate.positive(level, "level")), _law(data))


@final
@dataclass(frozen=True, slots=True, init=False)
class DensitySmoothedDenoiser(AbstractField):
    r"""The exact denoiser of the data convolved with :math:`N(0, \tau^2 I)`, a kernel density estimate.

    Use when you ask whether a denoiser smooths the density of the data rather than its logarithm: it copies x.

    .. math:: D_\tau(x) = \frac{\tau^2 x + h^2\hat D_{\sqrt{h^2 + \tau^2}}(x)}{h^2 + \tau^2}

    Parameters
    ----------
    data, level
        As for `ScoreSmoothedDenoiser`.
    bandwidth : float
        :math:`\tau \ge 0`, in the units of the data.

    Examples
    --------
    >>> DensitySmoothedDenoiser([[-1.0], [1.0]], 0.1, 0.5)([[0.2]]).round(6)
    array([[0.217172]])
    """

    level: float
    bandwidth: float
    center: Barycenter = field(repr=False)

    def __init__(self, data, level, bandwidth):
        level = validate.positive(level, "level")
        bandwidth = validate.positive(bandwidth, "bandwidth", allow_zero=True)
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "bandwidth", bandwidth)
        object.__setattr__(self, "center", Barycenter(Gaussian(float(np.hypot(level, bandwidth))), _law(data)))

    @property
    def dimension(self) -> int:
        return self.center.dimension

    @property
    def is_conservative(self) -> bool:
        return True

    @property
    def _share(self) -> float:
        """Share of x itself, tau^2 / (h^2 + tau^2)."""
        return (self.bandwidth / np.hypot(self.level, self.bandwidth)) ** 2

    def __call__(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        return (self._share * x + (1 - self._share) * self.center(x)).astype(x.dtype, copy=False)

    def potential(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        square = 0.5 * np.einsum("nd,nd->n", x, x)
        return (self._share * square + (1 - self._share) * self.center.potential(x)).astype(x.dtype, copy=False)

    def jacobian(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        inner = (1 - self._share) * self.center.jacobian(x)
        return (inner + self._share * np.eye(self.dimension)).astype(x.dtype, copy=False)


@final
@dataclass(frozen=True, slots=True, init=False)
class GaussianDenoiser(AbstractField):
    r"""The exact denoiser of the Gaussian law with the mean and the covariance of the data.

    Use when you ask whether a denoiser knows more of the data than two moments; an untrained one does not.

    .. math:: D(x) = \bar y + \Sigma(\Sigma + h^2 I)^{-1}(x - \bar y)

    Parameters
    ----------
    data, level
        As for `ScoreSmoothedDenoiser`.

    Examples
    --------
    >>> GaussianDenoiser([[-1.0], [1.0]], 0.5)([[0.2]]).round(6)
    array([[0.16]])
    """

    level: float
    mean: np.ndarray
    slope: np.ndarray = field(repr=False)

    def __init__(self, data, level):
        level, data = validate.positive(level, "level"), _law(data)
        values, vectors = np.linalg.eigh(data.covariance_matrix)
        # A singular covariance is fine: a direction without spread is denoised to the mean.
        values = np.maximum(values, 0.0)
        object.__setattr__(self, "level", level)
        object.__setattr__(self, "mean", data.mean)
        object.__setattr__(self, "slope", (vectors * (values / (values + level**2))) @ vectors.T)

    @property
    def dimension(self) -> int:
        return len(self.mean)

    @property
    def is_conservative(self) -> bool:
        return True

    def __call__(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        # A sum per point: a matrix product rounds a row differently in batches of different sizes.
        return (self.mean + np.einsum("nd,ed->ne", x - self.mean, self.slope)).astype(x.dtype, copy=False)

    def potential(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        gap = x - self.mean
        return (x @ self.mean + 0.5 * np.einsum("nd,de,ne->n", gap, self.slope, gap)).astype(x.dtype, copy=False)

    def jacobian(self, x):
        x = validate.points(x, "x", dimension=self.dimension)
        return np.repeat(self.slope[None].astype(x.dtype), len(x), axis=0)


def empirical_denoiser(data, level: float) -> Barycenter:
    """The minimiser of every denoising loss over the data set itself."""
    return Barycenter(Gaussian(level), _law(data))


def _law(data) -> Samples | GaussianMixture:
    if isinstance(data, GaussianMixture):
        return data
    data = as_samples(data)
    if data.size == 0:
        raise InputError("data must hold at least one point")
    return data

"""The Wasserstein gradient of the KL divergence between smoothed laws, which is not the drift."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.difference import ScoreDifference
from unifiedscore.kernels import AbstractKernel
from unifiedscore.keywords import keyword_only
from unifiedscore.measures import GaussianMixture, Samples, as_samples
from unifiedscore.memory import BLOCK, rows_within
from unifiedscore.validate import integer, points


@final
@keyword_only("target", "model", "order", "noise")
@dataclass(frozen=True, slots=True)
class SmoothedKLGradient(AbstractField):
    r"""The velocity $-\nabla\,k * \log\frac{k*q}{k*p}$ of the Wasserstein gradient flow of $\mathrm{KL}(k*q\,\|\,k*p)$.

    Use when you compare a drift with the true Wasserstein gradient flow of a smoothed KL divergence.

    It averages the score difference over the kernel's own noise, $E_z\,\Delta s(x + z)$; the Gaussian drift
    $\tau^2\Delta s(x)$ does not. Both vanish for q = p.

    Parameters
    ----------
    kernel : AbstractKernel
        Gaussian, unless `noise` is given.
    target, model : Samples, GaussianMixture or (m, d) array
    order : int
        Gauss-Hermite nodes an axis (d <= 3).
    noise : Samples or (m, d) array, optional
        Draws from the normalised kernel, for other kernels or higher dimensions.

    Raises
    ------
    InputError

    References
    ----------
    Gretton et al. 2026, arXiv 2605.05118.

    Examples
    --------
    >>> import unifiedscore as us
    >>> p, q = us.GaussianMixture([[0.0]], 1.0), us.GaussianMixture([[0.0]], 4.0)
    >>> us.SmoothedKLGradient(us.Gaussian(bandwidth=1.0), target=p, model=q)([[1.0]]).round(12)
    array([[-0.3]])
    """

    kernel: AbstractKernel
    _: KW_ONLY
    target: object
    model: object
    order: int = 24
    noise: object = None

    def __post_init__(self) -> None:
        difference = ScoreDifference(self.kernel, target=self.target, model=self.model)
        object.__setattr__(self, "target", difference.first.measure)
        object.__setattr__(self, "model", difference.second.measure)
        d = difference.dimension
        if self.noise is not None:
            noise = as_samples(self.noise, "noise")
        elif self.kernel.constant_weight and d <= 3:
            law = GaussianMixture(np.zeros((1, d)), float(self.kernel.inverse_weight(np.zeros(()))))
            noise = Samples(*law.quadrature(order=integer(self.order, "order")))
        else:
            raise InputError(
                f"the noise of {self.kernel!r} in {d} dimensions has no quadrature here; "
                "pass noise=, draws from the kernel normalised to a density"
            )
        if noise.dimension != d:
            raise InputError(f"noise must have dimension {d}; got {noise.dimension}")
        object.__setattr__(self, "noise", noise)

    @property
    def dimension(self) -> int:
        return self.noise.dimension

    @property
    def is_conservative(self) -> bool:
        return True

    def __call__(self, x):
        return self._average(x, lambda field, points: field(points))

    def potential(self, x):
        r"""Return $E_z \log(Z_p/Z_q)(x + z)$."""
        return self._average(x, lambda field, points: field.potential(points))

    def _average(self, x, evaluate):
        x = points(x, "x", dimension=self.dimension)
        field = ScoreDifference(self.kernel, target=self.target, model=self.model)
        noise, weights = self.noise.points.astype(np.float64), self.noise.weights
        step = rows_within(len(noise), memory=BLOCK // 10)
        parts = []
        for start in range(0, len(x), step):
            rows = x[start : start + step].astype(np.float64)
            shifted = (rows[:, None, :] + noise).reshape(-1, x.shape[1])
            values = evaluate(field, shifted)
            parts.append(np.tensordot(values.reshape(len(rows), len(noise), *values.shape[1:]), weights, axes=(1, 0)))
        return np.concatenate(parts).astype(x.dtype)

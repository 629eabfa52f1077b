"""Moment-matched score smoothing: the smoothed score of a data set, and the tilted one of the limit law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.moment_matched.multipliers import Tilt
from unifiedscore.fields.moment_matched.population_score import PopulationScore
from unifiedscore.fields.noise import field_noise
from unifiedscore.fields.score import KernelScore
from unifiedscore.fields.smoothed import Smoothed
from unifiedscore.kernels import Gaussian
from unifiedscore.measures import as_samples
from unifiedscore.validate import instance, points, positive


def SmoothedScore(
    data, noise_level: float, smoothing: float, *, noise=None
) -> KernelScore | Smoothed | PopulationScore:
    r"""Return $-\nabla V_s(z) = E_\epsilon\nabla\log\sum_i w_i e^{-\lVert z + s\epsilon - x_i\rVert^2/2\delta^2}$.

    Use when you need the smoothed score of a data set for moment matching, and its potential.

    The kernel score of the data with a Gaussian of bandwidth $\delta$, averaged over input noise. It smooths the score,
    not the density: $V_s$ is not the potential of a wider mixture.

    Parameters
    ----------
    data : Samples or (m, d) array
    noise_level : float
        $\delta > 0$; also acts as a temperature, $\delta^2$.
    smoothing : float
        $s \ge 0$, in the units of the data.
    noise : (M, d) array, "population" or Noise
        The tuple $\epsilon_1 \dots \epsilon_M$, or the exact average (one or two dimensions); needed for s > 0. A tuple
        that does not sum to zero adds the constant $-s\bar\epsilon/\delta^2$.

    Raises
    ------
    InputError
        Noise level not positive, negative smoothing, no noise, or a population in more than two dimensions.

    References
    ----------
    Yao and Paulin 2026, arXiv 2605.14276, eq. 8.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.SmoothedScore([[-1.2], [0.1], [1.7], [2.0]], 0.3, 1.0, noise="population")([[0.5]]).round(6)
    array([[-0.064486]])
    """
    data, noise_level = as_samples(data), positive(noise_level, "noise_level")
    smoothing = positive(smoothing, "smoothing", allow_zero=True)
    noise, score = field_noise(noise), KernelScore(Gaussian(noise_level), data)
    if smoothing == 0.0:
        return score
    if noise is None:
        raise InputError('noise must be an (M, d) array or "population" where smoothing is not 0')
    if isinstance(noise, str) and noise == "population":
        return PopulationScore(data, noise_level, smoothing)
    return Smoothed(score, smoothing, noise=noise)


@final
@dataclass(frozen=True, slots=True)
class MomentMatchedTilt(AbstractField):
    r"""The score of $p^*(z) \propto e^{-V(z) - \lambda\cdot(z - \mu) - \frac12(z - \mu)^T\Lambda(z - \mu)}$.

    Use when the law of a smoothed score should have a given mean and covariance, such as those of the data.

    Parameters
    ----------
    score : AbstractField
        $-\nabla V$, with a potential.
    tilt : Tilt
        From `solve_tilt(score)`.

    Raises
    ------
    InputError
        The two have different dimensions.

    References
    ----------
    Yao and Paulin 2026, arXiv 2605.14276: the one-particle law of moment-matched particles tends to it.

    Examples
    --------
    >>> import unifiedscore as us
    >>> score = us.SmoothedScore([[-1.0], [1.0]], 0.5, 0.0)
    >>> field = us.MomentMatchedTilt(score, us.solve_tilt(score))
    >>> field.log_density([[0.0]]).round(6), us.GaussianMixture([[-1.0], [1.0]], 0.25).log_density([[0.0]]).round(6)
    (array([-2.225791]), array([-2.225791]))
    """

    score: AbstractField
    tilt: Tilt

    def __post_init__(self):
        instance(self.score, "score", AbstractField, " with a potential")
        instance(self.tilt, "tilt", Tilt, " as solve_tilt(score) returns it")
        if self.tilt.mean.shape != (self.score.dimension,):
            raise InputError(
                f"score and tilt must have one dimension; got {self.score.dimension} and {len(self.tilt.mean)}"
            )

    @property
    def dimension(self) -> int:
        return self.score.dimension

    @property
    def is_conservative(self) -> bool:
        return self.score.is_conservative

    def __call__(self, x):
        x = points(x, "x", dimension=self.dimension)
        gap = x - self.tilt.mean
        return (self.score(x) - self.tilt.linear - gap @ self.tilt.quadratic).astype(x.dtype, copy=False)

    def potential(self, x):
        x = points(x, "x", dimension=self.dimension)
        inner = self.score.potential(x)
        if inner is None:
            return None
        gap = x - self.tilt.mean
        value = inner - gap @ self.tilt.linear - 0.5 * np.einsum("nd,de,ne->n", gap, self.tilt.quadratic, gap)
        return value.astype(x.dtype, copy=False)

    def jacobian(self, x):
        x = points(x, "x", dimension=self.dimension)
        inner = self.score.jacobian(x)
        return None if inner is None else (inner - self.tilt.quadratic).astype(x.dtype, copy=False)

    def log_density(self, x) -> np.ndarray:
        """Log-density of the tilted law at x, (n,): exact in closed form and by quadrature, estimated by samples.

        Raises
        ------
        InputError
            The score has no potential.
        """
        value = self.potential(x)
        if value is None:
            raise InputError(f"{type(self.score).__name__} has no potential here, so the density is unknown")
        return value - np.asarray(self.tilt.log_normalizer, dtype=value.dtype)

"""A field averaged over Gaussian perturbations of its argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.noise import field_noise
from unifiedscore.keywords import keyword_only
from unifiedscore.memory import rows_within
from unifiedscore.validate import noise_tuples, points, positive, shown


@final
@dataclass(frozen=True, slots=True)
class Smoothed(AbstractField):
    r"""The average $F_\sigma(x) = \frac1M \sum_m F(x + \sigma \epsilon_m)$ of a field over a fixed noise tuple.

    Use when a field should be averaged over perturbations of its argument, as in smoothed closed-form diffusion.

    With `noise="population"` it is $E\,F(x + \sigma\epsilon)$, $\epsilon \sim N(0, I)$, by adaptive quadrature (d = 1
    only): for sharp fields Gauss-Hermite nodes would be another model, a weighted tuple with its own fixed points.

    Parameters
    ----------
    field : AbstractField
        The field F.
    smoothing : float
        $\sigma \ge 0$, in the units of x.
    noise : (M, d) array, "population" or Noise
        The tuple $\epsilon_1 \dots \epsilon_M$, the same at every point, so that the field is deterministic; as for
        samplers, `Noise("shared", given=...)` and `Noise("population")`.

    Raises
    ------
    InputError
        For a negative smoothing, noise of the wrong shape, or the population in more than one dimension.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395, section 4.

    Examples
    --------
    >>> import unifiedscore as us
    >>> center = us.Barycenter(us.Gaussian(bandwidth=0.5), [[-1.0], [0.5], [2.0]], scale=0.5)
    >>> us.Smoothed(center, 0.4, noise=[[-1.0], [0.5]])([[0.3]]).round(6)
    array([[0.418444]])
    """

    field: AbstractField
    smoothing: float
    noise: np.ndarray | str

    def __init__(self, field, smoothing, *, noise):
        if not isinstance(field, AbstractField):
            raise InputError(f"field must be a field (wrap a callable with as_field); got {shown(field)}")
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "smoothing", positive(smoothing, "smoothing", allow_zero=True))
        noise = field_noise(noise)
        if isinstance(noise, str):
            if noise != "population":
                raise InputError(f'noise must be an (M, d) array or "population"; got {shown(noise)}')
            if field.dimension != 1 and smoothing > 0:
                raise InputError(
                    'noise="population" is exact in dimension 1 only; '
                    f"got a field of dimension {field.dimension}; pass a large antithetic (M, d) array"
                )
            object.__setattr__(self, "noise", noise)
        else:
            object.__setattr__(self, "noise", points(noise, "noise", dimension=field.dimension))

    @property
    def dimension(self) -> int:
        return self.field.dimension

    @property
    def is_conservative(self) -> bool:
        return self.field.is_conservative

    def __call__(self, x):
        return self.evaluate(x, noise=self.noise)

    @keyword_only("noise")
    def evaluate(self, x, *, noise) -> np.ndarray:
        """Return the average with a noise tuple for each point.

        Parameters
        ----------
        x : (n, d) array
        noise : (n, M, d) array, (M, d) array, "population" or Noise
            One tuple per point, or one tuple for all of them.

        Returns
        -------
        (n, d) array
        """
        x, noise = points(x, "x", dimension=self.dimension), field_noise(noise)
        if isinstance(noise, str) and noise != "population":
            raise InputError(f'noise must be an (n, M, d) or (M, d) array or "population"; got {shown(noise)}')
        return self._average(self.field, x, noise)

    def potential(self, x):
        x = points(x, "x", dimension=self.dimension)
        if isinstance(self.noise, str) or self.field.potential(x[:1]) is None:
            return None
        return self._average(lambda z: self.field.potential(z)[:, None], x, self.noise)[:, 0]

    def jacobian(self, x):
        x = points(x, "x", dimension=self.dimension)
        if isinstance(self.noise, str) or self.field.jacobian(x[:1]) is None:
            return None
        d = self.dimension
        flat = self._average(lambda z: self.field.jacobian(z).reshape(-1, d * d), x, self.noise)
        return flat.reshape(-1, d, d)

    def _average(self, function, x, noise):
        if self.smoothing == 0.0:
            return function(x)
        if isinstance(noise, str):
            from unifiedscore.fields.population_smoothing import gaussian_average

            return gaussian_average(function, x, self.smoothing)
        noise = noise_tuples(noise, x.shape)
        # The queries are formed in float64: a float32 sum would move them by more than the last bandwidths.
        draws = noise.shape[-2]
        width = rows_within(draws * x.shape[1])
        parts = []
        for start in range(0, len(x), width):
            rows = slice(start, start + width)
            tuples = noise if noise.ndim == 2 else noise[rows]
            queries = x[rows, None].astype(np.float64) + self.smoothing * tuples
            value = function(queries.reshape(-1, x.shape[1]))
            parts.append(value.reshape(len(queries), draws, -1).mean(1))
        return np.concatenate(parts).astype(x.dtype, copy=False)

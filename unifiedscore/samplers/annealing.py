"""Annealing paths: unnormalised densities exp(-U_t) from an easy law to a hard one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


@final
@dataclass(frozen=True, slots=True, eq=False)
class AnnealingPath:
    """U_t(x) for t in [0, 1], with its derivatives and samples of both ends.

    Use when you estimate a free energy along a path of potentials of your own.

    Parameters
    ----------
    potential, time_derivative : callable (x (n, d), t) -> (n,)
    gradient : callable (x (n, d), t) -> (n, d)
    sample_start, sample_end : callable (n, rng) -> (n, d)
        From pi_0 and pi_1; the end is needed for backward paths alone.
    """

    potential: Callable = field(repr=False)
    gradient: Callable = field(repr=False)
    time_derivative: Callable = field(repr=False)
    sample_start: Callable = field(repr=False)
    sample_end: Callable | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in ("potential", "gradient", "time_derivative", "sample_start"):
            if not callable(getattr(self, name)):
                raise InputError(f"{name} must be a function; got {getattr(self, name)!r}")


@final
@dataclass(frozen=True, slots=True, eq=False)
class GaussianPath:
    r"""N(m_t, s_t^2 I) with mean and standard deviation linear in t, and its exact escort.

    Use when you test a free-energy method where the answer and the perfect escort are known.

    The escort :math:`e = m' + (s'/s)(x - m)` transports the path: div(e pi) = -pi'.

    Parameters
    ----------
    means : (2, d) array
        Both ends.
    deviations : pair of positive floats

    Examples
    --------
    >>> path = GaussianPath([[0.0], [2.0]], (1.0, 0.5))
    >>> round(path.free_energy, 6)
    0.693147
    """

    means: np.ndarray
    deviations: tuple[float, float]

    def __post_init__(self) -> None:
        means = validate.points(self.means, "means").astype(np.float64)
        if len(means) != 2 or len(self.deviations) != 2:
            raise InputError(f"means and deviations must have two entries; got {len(means)} and {len(self.deviations)}")
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "deviations", tuple(validate.positive(s, "deviations") for s in self.deviations))

    @property
    def free_energy(self) -> float:
        """-log(Z_1 / Z_0)."""
        return float(-self.means.shape[1] * np.log(self.deviations[1] / self.deviations[0]))

    def moments(self, t) -> tuple[np.ndarray, float, np.ndarray, float]:
        """m, s, m', s' at time t."""
        (first, last), (start, end) = self.means, self.deviations
        return first + t * (last - first), start + t * (end - start), last - first, end - start

    def escort(self, x, t) -> np.ndarray:
        """The exact escort e, (n, d)."""
        x = validate.points(x, "x", dimension=self.means.shape[1])
        mean, deviation, mean_rate, rate = self.moments(t)
        return mean_rate + rate / deviation * (x - mean)

    def escort_divergence(self, x, t) -> np.ndarray:
        """div e, (n,)."""
        _, deviation, _, rate = self.moments(t)
        x = validate.points(x, "x", dimension=self.means.shape[1])
        return np.full(len(x), self.means.shape[1] * rate / deviation)

    def path(self) -> AnnealingPath:
        """The annealing path U = |x - m|^2 / (2 s^2)."""

        def potential(x, t):
            mean, deviation, _, _ = self.moments(t)
            return 0.5 * np.einsum("nd,nd->n", x - mean, x - mean) / deviation**2

        def gradient(x, t):
            mean, deviation, _, _ = self.moments(t)
            return (x - mean) / deviation**2

        def time_derivative(x, t):
            mean, deviation, mean_rate, rate = self.moments(t)
            gap = x - mean
            return -(gap @ mean_rate) / deviation**2 - rate / deviation**3 * np.einsum("nd,nd->n", gap, gap)

        def sampler(end):
            mean, deviation = self.means[end], self.deviations[end]
            return lambda n, rng: mean + deviation * rng.standard_normal((n, len(mean)))

        return AnnealingPath(potential, gradient, time_derivative, sampler(0), sampler(1))

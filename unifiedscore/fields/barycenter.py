"""The barycenter field: the posterior mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.fields.posterior_field import AbstractPosteriorField
from unifiedscore.measures import Samples
from unifiedscore.posterior import posterior_field, posterior_jacobian, posterior_moments
from unifiedscore.validate import points, positive


@final
@dataclass(frozen=True, slots=True)
class Barycenter(AbstractPosteriorField):
    r"""The posterior mean $\hat x(z) = E_\pi[y]$, $\pi_z(y) \propto k(z, c\,y)\,\mu(y)$, where c is `scale`.

    Use when you need the denoised point itself, the best guess of the data from a noisy point.

    With a Gaussian kernel of bandwidth $1 - t$ and scale $t$ it is $E[x \mid t x + (1 - t)\epsilon = z]$, for every t
    from 0 (the mean of the measure) on, and the Jacobian is $t\,\mathrm{Cov}_\pi(y)/(1 - t)^2$.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : Samples, GaussianMixture or (m, d) array
        The law $\mu$ of y.
    scale : float
        Factor $c \ge 0$ that places y among the queries. For 0 < c << 1 the rounding error grows like eps |z| / c.

    Raises
    ------
    InputError
        For a negative scale, or a measure or kernel of another kind.

    References
    ----------
    Scarvelis et al. 2025, arXiv 2310.12395, Prop. 4.1.

    Examples
    --------
    >>> import unifiedscore as us
    >>> field = us.Barycenter(us.Gaussian(bandwidth=0.5), [[-1.0], [0.5], [2.0]], scale=0.5)
    >>> field([[0.3]]).round(6)
    array([[0.588519]])
    """

    scale: float = 1.0

    def __post_init__(self) -> None:
        AbstractPosteriorField.__post_init__(self)
        object.__setattr__(self, "scale", positive(self.scale, "scale", allow_zero=True))

    def _scaled(self):
        return scaled_measure(self.measure, self.scale)

    def __call__(self, x):
        x = points(x, "x", dimension=self.dimension)
        if self.scale == 0.0:
            # The posterior is the measure itself: its mean, whatever the query.
            return np.tile(self.measure.mean, (len(x), 1)).astype(x.dtype)
        single = x.dtype == np.float32 and isinstance(self.measure, Samples) and self.measure.points.dtype == np.float32
        mean = barycenters(self.kernel, self.measure, x, scale=self.scale, precision="float32" if single else "float64")
        return mean.astype(x.dtype, copy=False)

    def potential(self, x):
        r"""Return $(\lVert z \rVert^2/2 + \tau^2 \log Z(z))/c$ (for c = 0 its limit, $\bar y \cdot z$), else None."""
        if not self.kernel.constant_weight:
            return None
        x = points(x, "x", dimension=self.dimension)
        if self.scale == 0.0:
            return (x @ self.measure.mean).astype(x.dtype)
        wide = x.astype(np.float64, copy=False)
        moments = posterior_moments(self.kernel, self._scaled(), wide)
        value = 0.5 * np.einsum("nd,nd->n", wide, wide) + moments.preconditioner * moments.log_normalizer
        return (value / self.scale).astype(x.dtype, copy=False)

    def jacobian(self, x):
        r"""Return $c\,\mathrm{Cov}_\pi(y, b\,y)$, (n, d, d); for a Gaussian kernel $c\,\mathrm{Cov}_\pi(y)/\tau^2$."""
        x = points(x, "x", dimension=self.dimension)
        if self.scale == 0.0:
            return np.zeros((len(x), self.dimension, self.dimension), dtype=x.dtype)
        return (posterior_jacobian(self.kernel, self._scaled(), x) + np.eye(self.dimension, dtype=x.dtype)) / self.scale


def scaled_measure(measure, scale: float):
    """Return the law of c y, c = `scale`; samples in float64, as a float32 product would move those at an offset."""
    if scale == 1.0:
        return measure
    if isinstance(measure, Samples):
        return Samples(measure.points.astype(np.float64, copy=False) * scale, measure.weights)
    return measure.scaled(scale)


def barycenters(kernel, measure, x, *, scale: float, precision: str) -> np.ndarray:
    """Return what `Barycenter` is at queries (n, d), scale > 0: float64, from tiles of this precision."""
    wide, scale = x.astype(np.float64, copy=False), float(scale)
    shift = posterior_field(kernel, scaled_measure(measure, scale), wide, "mean_shift", precision=precision)
    return (wide + shift) / scale

"""The mean shift of a measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.fields.posterior_field import AbstractPosteriorField
from unifiedscore.measures import ReducedMixture
from unifiedscore.posterior import posterior_field, posterior_jacobian, posterior_moments


@final
@dataclass(frozen=True, slots=True)
class MeanShift(AbstractPosteriorField):
    r"""The mean shift $V(x) = E_{\pi_x}[y - x]$ under the kernel posterior $\pi_x(y) \propto k(x, y)\mu(y)$.

    Use when you need the attraction of one law, the building block of a drift.

    For a Gaussian kernel $V = \tau^2 \nabla \log(\mu * N(0, \tau^2 I))$ exactly (Tweedie); for any other radial
    kernel $V = \alpha s + \mathrm{Cov}_\pi(1/b, b(y - x))$, in general not a gradient.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : Samples, GaussianMixture, ReducedMixture or (m, d) array
        Samples give the plug-in estimate, mixtures the population value.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770; Lai et al. 2026, arXiv 2603.07514, Theorem 1.

    Examples
    --------
    >>> import unifiedscore as us
    >>> field = us.MeanShift(us.Gaussian(bandwidth=1.0), us.GaussianMixture([[0.0]], 1.0))
    >>> field([[2.0]])
    array([[-1.]])
    """

    def __call__(self, x):
        return posterior_field(self.kernel, self.measure, x, "mean_shift")

    def potential(self, x):
        r"""Return $\tau^2 \log Z(x)$ for a Gaussian kernel, else None."""
        if not self.kernel.constant_weight:
            return None
        moments = posterior_moments(self.kernel, self.measure, x)
        return moments.preconditioner * moments.log_normalizer

    def jacobian(self, x):
        r"""Return $J = \mathrm{Cov}_\pi(y, b(y - x)) - I$, (n, d, d); None in the coordinates of a reduced mixture."""
        if isinstance(self.measure, ReducedMixture):
            return None
        return posterior_jacobian(self.kernel, self.measure, x)

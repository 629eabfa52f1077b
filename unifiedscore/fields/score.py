"""The score of a kernel-smoothed measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.fields.posterior_field import AbstractPosteriorField
from unifiedscore.measures import ReducedMixture
from unifiedscore.posterior import posterior_field, posterior_jacobian, posterior_vectors


@final
@dataclass(frozen=True, slots=True)
class KernelScore(AbstractPosteriorField):
    r"""The kernel score $s(x) = \nabla \log Z(x) = E_{\pi_x}[b(r)(y - x)]$, $Z(x) = E_\mu k(x, y)$.

    Use when you need the gradient of the log density of a law smoothed by a kernel.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : Samples, GaussianMixture, ReducedMixture or (m, d) array

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514.

    Examples
    --------
    >>> import unifiedscore as us
    >>> field = us.KernelScore(us.Gaussian(bandwidth=1.0), us.GaussianMixture([[0.0]], 3.0))
    >>> field([[2.0]])
    array([[-0.5]])
    """

    @property
    def is_conservative(self) -> bool:
        return True

    def __call__(self, x):
        return posterior_field(self.kernel, self.measure, x, "score")

    def potential(self, x):
        r"""Return $\log Z(x)$."""
        return posterior_vectors(self.kernel, self.measure, x).log_normalizer

    def jacobian(self, x):
        """Return the Hessian of log Z for a Gaussian kernel, else None."""
        if not self.kernel.constant_weight or isinstance(self.measure, ReducedMixture):
            return None
        return posterior_jacobian(self.kernel, self.measure, x) / float(self.kernel.inverse_weight(0.0))

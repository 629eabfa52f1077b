"""What the fields of one kernel posterior share: the kernel, and a measure in the form the posterior takes."""

from __future__ import annotations

from dataclasses import dataclass

from unifiedscore.fields.base import AbstractField
from unifiedscore.kernels import AbstractKernel
from unifiedscore.posterior.moments import as_posterior_measure


@dataclass(frozen=True, slots=True)
class AbstractPosteriorField(AbstractField):
    r"""A field $F(x) = E_{\pi_x}[f(x, y)]$ under one kernel posterior $\pi_x(y) \propto k(x, y)\mu(y)$.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : Samples, GaussianMixture, ReducedMixture or (m, d) array
        Samples give the plug-in estimate, mixtures the population value.
    """

    kernel: AbstractKernel
    measure: object

    def __post_init__(self) -> None:
        object.__setattr__(self, "measure", as_posterior_measure(self.kernel, self.measure))

    @property
    def dimension(self) -> int:
        return self.measure.dimension

    @property
    def is_conservative(self) -> bool:
        """Law: a mean under the posterior is a gradient where the kernel's weight b is constant, and on the line."""
        return self.kernel.constant_weight or self.dimension == 1

"""Drifts of other divergences between the smoothed laws: f-divergence weights and the MMD witness."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.kernels import AbstractKernel
from unifiedscore.keywords import keyword_only
from unifiedscore.posterior import posterior_vectors
from unifiedscore.posterior.moments import as_posterior_measure
from unifiedscore.validate import known, points

# With t = log(Z_q/Z_p): the weight rho f''(rho) and the potential -f'(rho), up to a constant, at rho = e^t.
_DIVERGENCES = {
    "kl_model_target": (lambda t: np.ones_like(t), lambda t: -t),  # f = rho log rho
    "kl_target_model": (lambda t: np.exp(-t), lambda t: np.exp(-t)),  # f = -log rho
    "chi2_model_target": (lambda t: 2 * np.exp(t), lambda t: -2 * np.exp(t)),  # f = (rho - 1)^2
    "hellinger": (lambda t: 0.5 * np.exp(-0.5 * t), lambda t: np.exp(-0.5 * t)),  # f = (sqrt rho - 1)^2
    "jensen_shannon": (  # f = (rho log rho - (1 + rho) log((1 + rho)/2))/2
        lambda t: 0.5 / (1 + np.exp(t)),
        lambda t: 0.5 * np.logaddexp(0.0, -t),
    ),
}


class _Pair(AbstractField):
    """A target and a model of one dimension under one kernel."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name in ("target", "model"):
            object.__setattr__(self, name, as_posterior_measure(self.kernel, getattr(self, name), name))
        if self.target.dimension != self.model.dimension:
            raise InputError(
                f"target and model must have one dimension; got {self.target.dimension} and {self.model.dimension}"
            )

    @property
    def dimension(self) -> int:
        return self.target.dimension

    @property
    def is_conservative(self) -> bool:
        return True

    def _moments(self, x):
        x = points(x, "x", dimension=self.dimension)
        wide = x.astype(np.float64)
        return x.dtype, *(posterior_vectors(self.kernel, law, wide) for law in (self.target, self.model))


@final
@keyword_only("target", "model", "divergence")
@dataclass(frozen=True, slots=True)
class DivergenceDrift(_Pair):
    r"""The drift $\omega\,\nabla\log(Z_p/Z_q)$ that descends $\int p_k f(q_k/p_k)$ in the smoothed density.

    Use when another f-divergence than the KL divergence should fall along the flow.

    $\omega = \varrho f''(\varrho)$ at $\varrho = Z_q/Z_p$; the field is the gradient of $-f'(\varrho)$. With the
    divergence "kl_model_target" it is the score difference itself.

    Parameters
    ----------
    kernel : AbstractKernel
    target, model : Samples, GaussianMixture, ReducedMixture or (m, d) array
    divergence : str
        "kl_model_target" ($\omega = 1$), "kl_target_model" ($Z_p/Z_q$), "chi2_model_target" ($2 Z_q/Z_p$),
        "hellinger", "jensen_shannon".

    Raises
    ------
    UnknownNameError, InputError

    References
    ----------
    Cao, Wei, Liu 2026, arXiv 2603.10592; Gretton et al. 2026, arXiv 2605.05118.

    Examples
    --------
    >>> import unifiedscore as us
    >>> p, q = us.GaussianMixture([[0.0]], 1.0), us.GaussianMixture([[0.0]], 4.0)
    >>> us.DivergenceDrift(us.Gaussian(bandwidth=1.0), target=p, model=q)([[1.0]]).round(12)
    array([[-0.3]])
    """

    kernel: AbstractKernel
    _: KW_ONLY
    target: object
    model: object
    divergence: str = "kl_model_target"

    def __post_init__(self) -> None:
        known(self.divergence, "divergence", _DIVERGENCES)
        _Pair.__post_init__(self)

    def __call__(self, x):
        dtype, p, q = self._moments(x)
        weight = _DIVERGENCES[self.divergence][0](q.log_normalizer - p.log_normalizer)
        return (weight[:, None] * (p.score - q.score)).astype(dtype)

    def potential(self, x):
        r"""Return $-f'(Z_q/Z_p)$ up to a constant."""
        dtype, p, q = self._moments(x)
        return _DIVERGENCES[self.divergence][1](q.log_normalizer - p.log_normalizer).astype(dtype)


@final
@keyword_only("target", "model")
@dataclass(frozen=True, slots=True)
class WitnessGradient(_Pair):
    r"""The gradient $\nabla(Z_p - Z_q)$ of the MMD witness function.

    Use when particles should descend the squared MMD, whose force vanishes far from all samples.

    Examples
    --------
    >>> import unifiedscore as us
    >>> law = us.GaussianMixture([[0.0]], 1.0)
    >>> us.WitnessGradient(us.Gaussian(bandwidth=1.0), target=law, model=law)([[1.0]])
    array([[0.]])
    """

    kernel: AbstractKernel
    _: KW_ONLY
    target: object
    model: object

    def __call__(self, x):
        dtype, p, q = self._moments(x)
        size = [np.exp(m.log_normalizer)[:, None] for m in (p, q)]
        return (size[0] * p.score - size[1] * q.score).astype(dtype)

    def potential(self, x):
        r"""Return $Z_p - Z_q$."""
        dtype, p, q = self._moments(x)
        return (np.exp(p.log_normalizer) - np.exp(q.log_normalizer)).astype(dtype)

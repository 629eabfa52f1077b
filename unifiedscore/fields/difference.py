"""Differences of fields: the drift and the score difference of a target and a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.fields.score import KernelScore
from unifiedscore.kernels import AbstractKernel
from unifiedscore.posterior.moments import as_posterior_measure


@final
@dataclass(frozen=True, slots=True)
class Difference(AbstractField):
    """The field first - second; conservative, with a potential or a Jacobian, where both are.

    Use when you compare two fields of any kind, such as a trained one and a closed form.

    Raises
    ------
    InputError
        The two fields have different dimensions or are not fields.
    """

    first: AbstractField
    second: AbstractField

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            if not isinstance(getattr(self, name), AbstractField):
                raise InputError(f"{name} must be a field (wrap a callable with as_field); got {getattr(self, name)!r}")
        if self.first.dimension != self.second.dimension:
            raise InputError(
                "the two fields of a difference must have the same dimension; "
                f"got {self.first.dimension} and {self.second.dimension}"
            )

    @property
    def dimension(self) -> int:
        return self.first.dimension

    @property
    def is_conservative(self) -> bool:
        return self.first.is_conservative and self.second.is_conservative

    def __call__(self, x):
        return self.first(x) - self.second(x)

    def potential(self, x):
        return _minus(self.first.potential(x), self.second.potential(x))

    def jacobian(self, x):
        return _minus(self.first.jacobian(x), self.second.jacobian(x))


def _minus(first, second):
    return None if first is None or second is None else first - second


def Drift(kernel: AbstractKernel, *, target, model) -> Difference:
    r"""Return the drift $\Delta = V_p - V_q$ of a drifting model: target mean shift minus model mean shift.

    Use when you study the field of a drifting model as published; `ScoreDifference` is the gradient to compare it with.

    Parameters
    ----------
    kernel : AbstractKernel
    target, model : Samples, GaussianMixture, ReducedMixture or (m, d) array
        The data law p and the generator law q, of one dimension.

    Returns
    -------
    Difference
        Conservative for a Gaussian kernel, where $\Delta = \tau^2 \nabla\log(p_\tau/q_\tau)$.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, eq. 11; Lai et al. 2026, arXiv 2603.07514, Theorem 1.

    Examples
    --------
    >>> import unifiedscore as us
    >>> p, q = us.GaussianMixture([[0.0]], 1.0), us.GaussianMixture([[0.0]], 4.0)
    >>> us.Drift(us.Gaussian(bandwidth=1.0), target=p, model=q)([[1.0]]).round(12)
    array([[-0.3]])
    """
    return Difference(*(MeanShift(kernel, law) for law in _laws(kernel, target, model)))


def ScoreDifference(kernel: AbstractKernel, *, target, model) -> Difference:
    r"""Return the kernel-score difference $\Delta s = s_p - s_q = \nabla \log (Z_p/Z_q)$, always conservative.

    Use when you need the gradient field that a drift is compared with, whatever the kernel.

    Parameters and references as for `Drift`.

    Examples
    --------
    >>> import unifiedscore as us
    >>> p, q = us.GaussianMixture([[0.0]], 1.0), us.GaussianMixture([[0.0]], 4.0)
    >>> us.ScoreDifference(us.Gaussian(bandwidth=1.0), target=p, model=q)([[1.0]]).round(12)
    array([[-0.3]])
    """
    return Difference(*(KernelScore(kernel, law) for law in _laws(kernel, target, model)))


def _laws(kernel, target, model):
    laws = as_posterior_measure(kernel, target, "target"), as_posterior_measure(kernel, model, "model")
    if laws[0].dimension != laws[1].dimension:
        raise InputError(f"target and model must have one dimension; got {laws[0].dimension} and {laws[1].dimension}")
    return laws

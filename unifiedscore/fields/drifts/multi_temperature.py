"""Drifts of several bandwidths, normalised one by one and added, as drifting models are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.difference import Drift
from unifiedscore.fields.mean_shift import MeanShift
from unifiedscore.kernels import AbstractKernel
from unifiedscore.measures import Samples, as_samples
from unifiedscore.posterior.moments import as_posterior_measure
from unifiedscore.validate import points, real_array, shown


@final
@dataclass(frozen=True, slots=True)
class FieldSum(AbstractField):
    r"""The field $\sum_i c_i F_i$; conservative, with a potential or a Jacobian, where all parts are.

    Use when you add fields with fixed coefficients; `Difference` subtracts two of them.

    Parameters
    ----------
    fields : sequence of AbstractField
        Of the same dimension.
    coefficients : sequence of floats

    Raises
    ------
    InputError
        Not fields, different dimensions, or not as many numbers as fields.
    """

    fields: Sequence[AbstractField]
    coefficients: Sequence[float]

    def __post_init__(self) -> None:
        parts = tuple(self.fields) if isinstance(self.fields, list | tuple) else ()
        if not parts or not all(isinstance(part, AbstractField) for part in parts):
            raise InputError(
                f"fields must be a list of fields (wrap a callable with as_field); got {shown(self.fields)}"
            )
        if len({part.dimension for part in parts}) > 1:
            raise InputError(f"fields must have the same dimension; got {[part.dimension for part in parts]}")
        numbers = _numbers(self.coefficients, len(parts), "coefficients")
        object.__setattr__(self, "fields", parts)
        object.__setattr__(self, "coefficients", tuple(numbers))

    @property
    def dimension(self) -> int:
        return self.fields[0].dimension

    @property
    def is_conservative(self) -> bool:
        return all(part.is_conservative for part in self.fields)

    def __call__(self, x):
        x = points(x, "x", dimension=self.dimension)
        return self._add([part(x) for part in self.fields]).astype(x.dtype, copy=False)

    def potential(self, x):
        return self._add([part.potential(x) for part in self.fields])

    def jacobian(self, x):
        return self._add([part.jacobian(x) for part in self.fields])

    def _add(self, values):
        if any(value is None for value in values):
            return None
        return sum(c * value for c, value in zip(self.coefficients, values, strict=True))


def _numbers(value, size: int, name: str) -> list[float]:
    """As many finite numbers as there are parts."""
    numbers = real_array(value, name).astype(np.float64)
    if numbers.shape != (size,) or not np.isfinite(numbers).all():
        raise InputError(f"{name} must hold a number for each of the {size} parts; got {shown(value)}")
    return numbers.tolist()


def MultiTemperatureDrift(
    kernels: Sequence[AbstractKernel], *, target, model, reference=None, weights=None
) -> FieldSum:
    r"""Return $\sum_i w_i \Delta_i/\lambda_i$, drifts over their scales $\lambda_i = \sqrt{E\lVert\Delta_i\rVert^2/d}$.

    Use when you study the field that a drifting model with several temperatures is trained on.

    Each part has unit size at the reference points, so that a wide kernel, whose drift is large everywhere, does not
    drown a narrow one. The drift of the sum of the kernels, `Drift(KernelSum(kernels), ...)`, is another field.

    Parameters
    ----------
    kernels : sequence of AbstractKernel
        One for each temperature.
    target, model : Samples, GaussianMixture, ReducedMixture or (m, d) array
        The data law p and the generator law q, of the same dimension.
    reference : (n, d) array or Samples, optional
        Where the mean over points is taken; by default the points of the model, which must then be samples.
    weights : sequence of floats, optional
        Equal by default, 1 each.

    Returns
    -------
    FieldSum
        Conservative where every kernel is Gaussian. Its `coefficients` are $w_i/\lambda_i$.

    Raises
    ------
    InputError
        Not kernels, no reference points, or a drift that vanishes at all of them.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, appendix A.6.

    Examples
    --------
    >>> import numpy as np, unifiedscore as us
    >>> rng = np.random.default_rng(0)
    >>> data, generated = rng.normal(2.0, 1.0, (200, 2)), rng.normal(0.0, 1.0, (200, 2))
    >>> kernels = [us.Laplace(bandwidth=tau) for tau in (0.02, 0.05, 0.2)]
    >>> drift = us.MultiTemperatureDrift(kernels, target=data, model=generated)
    >>> drift(generated[:5]).shape, len(drift.coefficients)
    ((5, 2), 3)
    """
    if not isinstance(kernels, list | tuple) or not kernels:
        raise InputError(f"kernels must be a list of kernels, one for each temperature; got {shown(kernels)}")
    for kernel in kernels:
        if not isinstance(kernel, AbstractKernel):
            raise InputError(f"kernels must be a list of kernels; got {shown(kernel)} in it")
    drifts = [Drift(kernel, target=target, model=model) for kernel in kernels]
    law = _reference(kernels[0], model, reference, drifts[0].dimension)
    numbers = np.ones(len(drifts)) if weights is None else _numbers(weights, len(drifts), "weights")
    scales = []
    for drift, kernel in zip(drifts, kernels, strict=True):
        squares = np.mean(drift(law.points).astype(np.float64) ** 2, axis=1)
        scale = float(np.sqrt(law.weights @ squares))
        pull = np.mean(MeanShift(kernel, target)(law.points).astype(np.float64) ** 2, axis=1)
        # Between equal laws the drift is the rounding of two pulls that cancel.
        if scale <= 1e-12 * float(np.sqrt(law.weights @ pull)):
            raise InputError(
                f"reference must hold points where the drift does not vanish; that of {kernel!r} is zero at all of them"
            )
        scales.append(scale)
    return FieldSum(drifts, [number / scale for number, scale in zip(numbers, scales, strict=True)])


def _reference(kernel, model, reference, dimension: int) -> Samples:
    """The points over which the scales are means."""
    if reference is None:
        law = as_posterior_measure(kernel, model, "model")
        if isinstance(law, Samples):
            return law
        raise InputError("reference must be given, such as model.sample(1000, rng): the model is a population")
    law = as_samples(reference, "reference")
    if law.dimension != dimension:
        raise InputError(f"reference must have {dimension} columns, as the laws have; got {law.dimension}")
    return law

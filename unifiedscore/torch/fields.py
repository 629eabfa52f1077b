"""Fields of kernel posteriors on tensors: mean shift, kernel score, their differences and sharp forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch

from unifiedscore.errors import InputError
from unifiedscore.fields.drifts.sharp import sharp_kernel
from unifiedscore.kernels import AbstractKernel
from unifiedscore.torch.posterior import moments
from unifiedscore.torch.samples import as_samples, tensor_points
from unifiedscore.validate import shown


class AbstractTensorField(ABC):
    r"""A deterministic vector field $F: R^d \to R^d$ on tensors.

    Use when you ask whether a field takes tensors; `unifiedscore.as_field` turns one into a field on arrays.

    Laws
    ----
    * `field(x)` for an (n, d) tensor returns an (n, d) tensor of its dtype on its device, with a graph back to `x` and
      to the samples where they need a gradient.
    * Its values are those of the field of the same name in `unifiedscore`, to the rounding of the dtype.
    * `potential(x)`, if not None, has the field as its gradient.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Dimension d of the space."""

    @abstractmethod
    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Return the field at the points."""

    def potential(self, x: torch.Tensor) -> torch.Tensor | None:
        """Return a potential (n,) with field = +grad potential, or None where none is known."""
        return None


@dataclass(frozen=True, slots=True)
class _PosteriorField(AbstractTensorField):
    kernel: AbstractKernel
    measure: object

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, AbstractKernel):
            raise InputError(
                f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(self.kernel)}"
            )
        object.__setattr__(self, "measure", as_samples(self.measure, "measure"))

    @property
    def dimension(self) -> int:
        return self.measure.dimension


@final
@dataclass(frozen=True, slots=True)
class MeanShift(_PosteriorField):
    r"""The mean shift $V(x) = E_{\pi_x}[y - x]$ of a sample, on tensors.

    Use when a program of tensors needs the mean shift of a sample, on a device or with its gradient.

    $\pi_x(y_j) \propto m_j\,k(\lVert x - y_j\rVert)$; see `posterior_moments` for devices, dtypes and derivatives.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : unifiedscore.torch.Samples or (m, d) tensor

    Raises
    ------
    InputError, NumericalError
        As `posterior_moments` does.

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770; Lai et al. 2026, arXiv 2603.07514, Theorem 1.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> field = ust.MeanShift(us.Gaussian(bandwidth=1.0), torch.tensor([[0.0], [2.0]]))
    >>> field(torch.tensor([[1.0]]))
    tensor([[0.]])
    """

    def __call__(self, x):
        return moments(self.kernel, self.measure, x, ("mean_shift",))["mean_shift"]

    def potential(self, x):
        r"""Return $\tau^2 \log Z(x)$ for a Gaussian kernel, else None."""
        if not self.kernel.constant_weight:
            return None
        height = moments(self.kernel, self.measure, x, ("log_normalizer",))["log_normalizer"]
        return float(self.kernel.inverse_weight(0.0)) * height


@final
@dataclass(frozen=True, slots=True)
class KernelScore(_PosteriorField):
    r"""The kernel score $s(x) = \nabla \log Z(x) = E_{\pi_x}[b(r)(y - x)]$ of a sample, on tensors.

    Use when a program of tensors needs the gradient of the log density of a smoothed sample.

    Parameters
    ----------
    kernel : AbstractKernel
    measure : unifiedscore.torch.Samples or (m, d) tensor

    Raises
    ------
    InputError, NumericalError
        As `posterior_moments` does.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> field = ust.KernelScore(us.Gaussian(bandwidth=2.0), torch.tensor([[0.0]]))
    >>> field(torch.tensor([[2.0]]))
    tensor([[-0.5000]])
    """

    def __call__(self, x):
        return moments(self.kernel, self.measure, x, ("score",))["score"]

    def potential(self, x):
        r"""Return $\log Z(x)$."""
        return moments(self.kernel, self.measure, x, ("log_normalizer",))["log_normalizer"]


@final
@dataclass(frozen=True, slots=True)
class Difference(AbstractTensorField):
    """The field first - second on tensors, with a potential where both have one.

    Use when you subtract one field on tensors from another.

    Raises
    ------
    InputError
        The two have different dimensions or are not fields on tensors.
    """

    first: AbstractTensorField
    second: AbstractTensorField

    def __post_init__(self) -> None:
        for name in ("first", "second"):
            if not isinstance(getattr(self, name), AbstractTensorField):
                raise InputError(f"{name} must be a field of unifiedscore.torch; got {getattr(self, name)!r}")
        if self.first.dimension != self.second.dimension:
            raise InputError(
                "the two fields of a difference must have the same dimension; "
                f"got {self.first.dimension} and {self.second.dimension}"
            )

    @property
    def dimension(self) -> int:
        return self.first.dimension

    def __call__(self, x):
        wide, dtype = widened(x)
        return (self.first(wide) - self.second(wide)).to(dtype)

    def potential(self, x):
        wide, dtype = widened(x)
        heights = self.first.potential(wide), self.second.potential(wide)
        return None if None in heights else (heights[0] - heights[1]).to(dtype)


def Drift(kernel: AbstractKernel, *, target, model) -> Difference:
    r"""Return the drift $\Delta = V_p - V_q$ of two samples: target mean shift minus model mean shift.

    Use when you train a drifting model and its points are tensors.

    Parameters
    ----------
    kernel : AbstractKernel
    target, model : unifiedscore.torch.Samples or (m, d) tensor
        Of one dimension, on one device.

    Returns
    -------
    Difference

    References
    ----------
    Deng et al. 2026, arXiv 2602.04770, eq. 11.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> drift = ust.Drift(us.Laplace(bandwidth=1.0), target=torch.tensor([[3.0]]), model=torch.tensor([[-1.0]]))
    >>> drift(torch.tensor([[0.0]]))
    tensor([[4.]])
    """
    return Difference(*(MeanShift(kernel, law) for law in laws(kernel, target, model)))


def ScoreDifference(kernel: AbstractKernel, *, target, model) -> Difference:
    r"""Return the kernel-score difference $\Delta s = s_p - s_q = \nabla \log(Z_p/Z_q)$ of two samples.

    Use when a training on tensors should follow a gradient field, whatever the kernel.

    Parameters and references as for `Drift`.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> p, q = torch.tensor([[3.0]]), torch.tensor([[-1.0]])
    >>> ust.ScoreDifference(us.Gaussian(bandwidth=2.0), target=p, model=q)(torch.tensor([[0.0]]))
    tensor([[1.]])
    """
    return Difference(*(KernelScore(kernel, law) for law in laws(kernel, target, model)))


def SharpScore(kernel: AbstractKernel, measure) -> KernelScore:
    r"""Return $\nabla\log Z^\#$ of a sample, with $Z^\#(x) = E_\mu k^\#$ and $k^\#(r) = \int_r^\infty t\,k(t)\,dt$.

    Use when tensors should follow the gradient to which a mean shift is parallel.

    Parameters, errors and references as for `unifiedscore.SharpScore`.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> ust.SharpScore(us.Laplace(bandwidth=2.0), torch.tensor([[0.0]])).kernel
    Matern(bandwidth=2.0, smoothness=1.5)
    """
    return KernelScore(sharp_kernel(kernel).kernel, measure)


def SharpDrift(kernel: AbstractKernel, *, target, model) -> Difference:
    r"""Return $\nabla \log (Z^\#_p/Z^\#_q)$ of two samples, the conservative drift of the sharp kernel.

    Use when a drift on tensors should give way to the gradient field of its sharp kernel.

    Parameters, errors and references as for `unifiedscore.SharpDrift`.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> p, q = torch.tensor([[3.0]]), torch.tensor([[-1.0]])
    >>> ust.SharpDrift(us.Gaussian(bandwidth=2.0), target=p, model=q)(torch.tensor([[0.0]]))
    tensor([[1.]])
    """
    return ScoreDifference(sharp_kernel(kernel).kernel, target=target, model=model)


def sharp_scale(kernel: AbstractKernel, measure, x) -> torch.Tensor:
    r"""Return $\lambda(x) = Z^\#(x)/Z(x)$ of a sample, (n,), in squared units of the data, with its graph.

    Use when tensors need the scalar between a mean shift and the gradient that it is parallel to.

    Examples
    --------
    >>> import torch, unifiedscore as us, unifiedscore.torch as ust
    >>> ust.sharp_scale(us.Gaussian(bandwidth=2.0), torch.tensor([[0.0]]), torch.tensor([[1.0]]))
    tensor([4.])
    """
    sharp, law = sharp_kernel(kernel), as_samples(measure, "measure")
    x, dtype = widened(x)
    top, bottom = (moments(k, law, x, ("log_normalizer",))["log_normalizer"] for k in (sharp.kernel, kernel))
    return torch.exp(sharp.log_scale + top - bottom).to(dtype)


def widened(x) -> tuple[torch.Tensor, torch.dtype]:
    """Points in at least single precision, and the dtype of what is made of several results: it is rounded once."""
    x = tensor_points(x, "x", finite=False)
    return (x.float() if x.element_size() < 4 else x), x.dtype


def laws(kernel, target, model):
    """Return target and model as samples of one dimension, after checking all three arguments."""
    if not isinstance(kernel, AbstractKernel):
        raise InputError(f"kernel must be a kernel such as unifiedscore.Laplace(bandwidth=0.5); got {shown(kernel)}")
    found = as_samples(target, "target"), as_samples(model, "model")
    if found[0].dimension != found[1].dimension:
        raise InputError(
            f"target and model must have the same dimension; got {found[0].dimension} and {found[1].dimension}"
        )
    return found

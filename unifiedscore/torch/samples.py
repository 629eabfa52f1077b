"""Weighted samples on tensors, and the door through which every tensor comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from unifiedscore import validate
from unifiedscore.errors import InputError
from unifiedscore.measures import GaussianMixture, ReducedMixture
from unifiedscore.measures import Samples as HostSamples


def working_dtype(*tensors: torch.Tensor) -> torch.dtype:
    """Return the dtype of the computation: that of the widest tensor, float32 for half precision."""
    widest = torch.float32
    for tensor in tensors:
        widest = torch.promote_types(widest, tensor.dtype) if tensor.element_size() > 2 else widest
    return widest


def tensor_points(value, name: str, *, dimension: int | None = None, finite: bool = True) -> torch.Tensor:
    """Return (n, d) points as a tensor: a tensor as it is, with its graph and memory, others as the engine's door does.

    Raises
    ------
    InputError
        Not a dense real (n, d) tensor of finite numbers, or of another dimension.
    """
    if not isinstance(value, torch.Tensor):
        return torch.from_numpy(validate.points(value, name, dimension=dimension))
    if value.layout != torch.strided or value.is_quantized or value.is_nested or value.device.type == "meta":
        raise InputError(f"{name} must be a dense tensor with numbers; got layout {value.layout} on {value.device}")
    if value.is_complex() or value.dtype == torch.bool:
        raise InputError(f"{name} must be a real tensor; got {value.dtype}")
    if not value.is_floating_point():
        value = value.to(torch.float64)
    if value.ndim != 2:
        hint = f"; reshape it with {name}[:, None] or {name}[None, :]" if value.ndim == 1 else ""
        raise InputError(f"{name} must be a two-dimensional tensor (n, d); got shape {tuple(value.shape)}{hint}")
    if 0 in value.shape:
        raise InputError(f"{name} must hold at least one point and one dimension; got shape {tuple(value.shape)}")
    if dimension is not None and value.shape[1] != dimension:
        raise InputError(f"{name} must have dimension {dimension}; got shape {tuple(value.shape)}")
    if finite:
        refuse_infinite(value, name)
    return value


def refuse_infinite(value: torch.Tensor, name: str) -> None:
    """Refuse a tensor with an entry that is infinite or not a number."""
    fine = torch.isfinite(value.detach() if value.element_size() > 1 else value.detach().float())
    if not bool(fine.all()):
        bad = torch.nonzero(~fine)
        raise InputError(
            f"{name} must be finite; {len(bad)} entries are not, the first at index {tuple(bad[0].tolist())}; "
            "drop or replace missing values and infinities"
        )


def same_device(x: torch.Tensor, other: torch.Tensor, names: tuple[str, str]) -> None:
    """Refuse two tensors that lie on different devices."""
    if x.device != other.device:
        raise InputError(
            f"{names[0]} and {names[1]} must lie on the same device; got {x.device} and {other.device}; "
            f"move one of them with .to(device)"
        )


@final
@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Samples:
    r"""The empirical measure $\sum_j w_j \delta_{y_j}$ of weighted points, as tensors that share memory with yours.

    Use when points have weights and are tensors; where all weights are equal, a plain (m, d) tensor will do.

    Nothing is copied, unlike in `unifiedscore.Samples`: what you write into the tensor later, its law follows.

    Parameters
    ----------
    points : (m, d) tensor
        Of any float dtype and device, with or without a graph. Arrays, and `unifiedscore.Samples`, become tensors.
    weights : (m,) tensor, optional
        Non-negative masses, rescaled to sum 1; may have a graph. Equal by default. A point of weight zero is left out,
        and the gradient of its weight is 0.

    Raises
    ------
    InputError
        For an empty, non-finite, complex or wrongly shaped tensor, or for negative or all-zero weights.

    Examples
    --------
    >>> import torch
    >>> Samples(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), weights=torch.tensor([1.0, 3.0]))
    Samples(size=2, dimension=2, dtype=torch.float32, device=cpu)
    """

    points: torch.Tensor
    weights: torch.Tensor | None

    def __init__(self, points, weights=None):
        if isinstance(points, HostSamples):
            equal = bool((points.weights == points.weights[0]).all())
            weights = points.weights if weights is None and not equal else weights
            points = torch.from_numpy(points.points)
        object.__setattr__(self, "points", tensor_points(points, "points"))
        object.__setattr__(self, "weights", None if weights is None else self._checked(weights))

    def _checked(self, weights) -> torch.Tensor:
        if not isinstance(weights, torch.Tensor):
            weights = torch.from_numpy(validate.real_array(weights, "weights")).to(self.points.device)
        if weights.shape != (self.size,):
            raise InputError(f"weights must have shape ({self.size},); got shape {tuple(weights.shape)}")
        same_device(self.points, weights, ("points", "weights"))
        weights = weights.to(working_dtype(weights) if weights.is_floating_point() else torch.float64)
        held = weights.detach()
        if not bool(torch.isfinite(held).all()):
            raise InputError("weights must be finite; drop or replace missing values and infinities")
        if bool((held < 0).any()):
            raise InputError(f"weights must not be negative; the smallest is {float(held.min())!r}")
        if not bool((held > 0).any()):
            raise InputError("weights must not all be zero")
        return weights

    def __repr__(self) -> str:
        what = f"size={self.size}, dimension={self.dimension}, dtype={self.points.dtype}, device={self.points.device}"
        return f"Samples({what})"

    @property
    def size(self) -> int:
        """Number of points m."""
        return self.points.shape[0]

    @property
    def dimension(self) -> int:
        """Dimension d of a point."""
        return self.points.shape[1]

    @property
    def needs_gradient(self) -> bool:
        """Whether a gradient with respect to the points or their weights is to be recorded."""
        weighted = self.weights is not None and self.weights.requires_grad
        return torch.is_grad_enabled() and (self.points.requires_grad or weighted)


def host_samples(points: torch.Tensor, weights: torch.Tensor | None) -> HostSamples:
    """Return a law for the compiled engine; its points share the memory of a contiguous tensor on the CPU."""
    found = object.__new__(HostSamples)
    held = points.detach()
    held = held.float() if held.element_size() < 4 else held
    found._set(held.contiguous().numpy(), None if weights is None else weights.detach().numpy())
    return found


def as_samples(value, name: str, x: torch.Tensor | None = None) -> Samples:
    """Return `value` as `Samples` of tensors; a tensor or an array stands for equal weights."""
    if isinstance(value, Samples):
        return value
    if isinstance(value, GaussianMixture | ReducedMixture):
        raise InputError(
            f"{name} must be an (m, d) tensor or Samples; got {type(value).__name__}: population values on tensors are "
            "not implemented; draw from it with .sample(n, rng), or use unifiedscore itself"
        )
    if isinstance(value, HostSamples):
        return Samples(value)
    found = object.__new__(Samples)
    object.__setattr__(found, "points", tensor_points(value, name))
    object.__setattr__(found, "weights", None)
    return found

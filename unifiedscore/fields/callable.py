"""A user's own function as a field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.fields.module import known_dimension, takes_tensors, tensor_field
from unifiedscore.validate import answer, integer, points, shown


@final
@dataclass(frozen=True, slots=True)
class CallableField(AbstractField):
    """A function (n, d) -> (n, d) with its outputs checked; made by `as_field`.

    Use when you ask whether a field was made from a function; make one with `as_field`.
    """

    function: Callable
    size: int
    batch_size: int | None = None

    @property
    def dimension(self) -> int:
        return self.size

    @property
    def is_conservative(self) -> bool:
        return False

    def __call__(self, x):
        x = points(x, "x", dimension=self.size)
        name = getattr(self.function, "__name__", type(self.function).__name__)
        width = self.batch_size or len(x)
        pieces = (x[start : start + width] for start in range(0, len(x), width))
        parts = [answer(self.function(p), f"the function {name} given to as_field", p.shape) for p in pieces]
        return np.concatenate(parts).astype(x.dtype, copy=False)


def as_field(
    function, *, dimension: int | None = None, tensors: bool | None = None, dtype=None, device=None,
    batch_size: int | None = None,
) -> AbstractField:  # fmt: skip
    """Return any callable (n, d) -> (n, d) as a field; a field passes through unchanged.

    Use when the field is a function of yours, such as a network, and should be tested or plotted like the others.

    A callable takes arrays of NumPy. A module of PyTorch, a method of one, and a field of `unifiedscore.torch` take
    tensors: they are called without recording a graph, a module in evaluation mode, which is taken back afterwards, and
    their Jacobian is that of `torch.func`.

    Parameters
    ----------
    function : callable or AbstractField
        Deterministic, row by row.
    dimension : int
        Dimension d of its points. Needed unless the function knows it: a field, or a module whose first linear layer
        takes as many numbers as its last one gives.
    tensors : bool, optional
        Whether the function takes tensors rather than arrays; needed for a plain function of tensors.
    dtype, device : torch.dtype, torch.device or str, optional
        Of the tensors that a function of tensors gets; by default those of the first parameter of the module, or the
        dtype of the points on the CPU.
    batch_size : int, optional
        Most points that the function gets at once; all of them by default.

    Raises
    ------
    InputError
        Not a callable, no dimension or one that differs, or (when called) an output of the wrong shape or not finite.
    MissingDependencyError
        The function takes tensors and PyTorch is not installed.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.as_field(lambda x: -x, dimension=2)([[1.0, 2.0]])
    array([[-1., -2.]])
    """
    dimension = None if dimension is None else integer(dimension, "dimension")
    batch_size = None if batch_size is None else integer(batch_size, "batch_size")
    if tensors is not None and not isinstance(tensors, bool):
        raise InputError(f"tensors must be True, False or None; got {shown(tensors)}")
    on_tensors = takes_tensors(function) or dtype is not None or device is not None if tensors is None else tensors
    if not on_tensors and (dtype is not None or device is not None):
        raise InputError("dtype and device are those of tensors; leave them out for a function of arrays")
    if isinstance(function, AbstractField):
        if dimension is not None and function.dimension != dimension:
            raise InputError(f"dimension must be that of the field, {function.dimension}; got {dimension}")
        return function
    if not callable(function):
        raise InputError(f"function must be a callable (n, d) -> (n, d); got {shown(function)}")
    if dimension is None and on_tensors:
        dimension = known_dimension(function)
    if dimension is None:
        raise InputError("dimension must be given, the d of the points (n, d): as_field(f, dimension=2)")
    if on_tensors:
        return tensor_field(function, dimension, dtype=dtype, device=device, batch_size=batch_size)
    return CallableField(function, dimension, batch_size)

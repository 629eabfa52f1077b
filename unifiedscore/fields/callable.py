"""A user's own function as a field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from unifiedscore.errors import InputError
from unifiedscore.fields.base import AbstractField
from unifiedscore.validate import answer, integer, points, shown


@final
@dataclass(frozen=True, slots=True)
class CallableField(AbstractField):
    """A function (n, d) -> (n, d) with its outputs checked; made by `as_field`.

    Use when you ask whether a field was made from a function; make one with `as_field`.
    """

    function: Callable
    size: int

    @property
    def dimension(self) -> int:
        return self.size

    @property
    def is_conservative(self) -> bool:
        return False

    def __call__(self, x):
        x = points(x, "x", dimension=self.size)
        name = getattr(self.function, "__name__", type(self.function).__name__)
        value = answer(self.function(x), f"the function {name} given to as_field", x.shape)
        return value.astype(x.dtype, copy=False)


def as_field(function, *, dimension: int | None = None) -> AbstractField:
    """Return any callable (n, d) -> (n, d) as a field; a field passes through unchanged.

    Use when the field is a function of yours, such as a network, and should be tested or plotted like the others.

    Parameters
    ----------
    function : callable or AbstractField
        Deterministic, row by row.
    dimension : int
        Dimension d of its points. Only a field knows its own, and may leave it out.

    Raises
    ------
    InputError
        Not a callable, no dimension or one that differs, or (when called) an output of the wrong shape or not finite.

    Examples
    --------
    >>> import unifiedscore as us
    >>> us.as_field(lambda x: -x, dimension=2)([[1.0, 2.0]])
    array([[-1., -2.]])
    """
    dimension = None if dimension is None else integer(dimension, "dimension")
    if isinstance(function, AbstractField):
        if dimension is not None and function.dimension != dimension:
            raise InputError(f"dimension must be that of the field, {function.dimension}; got {dimension}")
        return function
    if not callable(function):
        raise InputError(f"function must be a callable (n, d) -> (n, d); got {shown(function)}")
    if dimension is None:
        raise InputError("dimension must be given, the d of the points (n, d): as_field(f, dimension=2)")
    return CallableField(function, dimension)

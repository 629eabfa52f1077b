"""Rewards r: what tilts the base law p_1 into p* = p_1 exp(r) / Z."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import final

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


class AbstractReward(ABC):
    """A differentiable function of the data.

    Use when you add a reward with a closed form of your own; for a pair of functions see `CallableReward`.

    Laws
    ----
    * `value(x)` for (n, d) points is (n,), `gradient(x)` is (n, d), and the gradient is that of the value.
    * `dimension` is d.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Dimension d of the points."""

    @abstractmethod
    def value(self, x) -> np.ndarray:
        """r at the points. Law: (n,)."""

    @abstractmethod
    def gradient(self, x) -> np.ndarray:
        """grad r at the points. Law: (n, d), the gradient of `value`."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class QuadraticReward(AbstractReward):
    r"""The reward :math:`r(x) = l^T x - x^T Q x / 2`; tilts of Gaussian mixtures by it are Gaussian mixtures.

    Use when the tilted law should be known in closed form, in any dimension.

    Parameters
    ----------
    linear : (d,) array
        l.
    quadratic : float or (d, d) symmetric array
        Q; a number q means q I. May be negative: `TiltedProcess` refuses what does not normalise.

    Raises
    ------
    InputError
        Non-finite or wrongly shaped parameters, or a matrix that is not symmetric.

    Examples
    --------
    >>> reward = QuadraticReward([1.0, 0.0], 0.5)
    >>> reward.value([[2.0, 1.0]]), reward.gradient([[2.0, 1.0]])
    (array([0.75]), array([[ 0. , -0.5]]))
    """

    linear: np.ndarray
    quadratic: np.ndarray | float = 0.0

    def __post_init__(self) -> None:
        linear = validate.real_array(self.linear, "linear").astype(np.float64)
        if linear.ndim != 1 or not linear.size:
            raise InputError(f"linear must have shape (d,); got shape {linear.shape}")
        quadratic = validate.real_array(self.quadratic, "quadratic")
        if quadratic.shape not in ((), (linear.size, linear.size)):
            raise InputError(
                f"quadratic must be a number or have shape ({linear.size}, {linear.size}); got shape {quadratic.shape}"
            )
        if quadratic.ndim:
            quadratic = validate.symmetric(quadratic, "quadratic", validate.resolution(self.quadratic, quadratic))
        object.__setattr__(self, "linear", linear)
        object.__setattr__(self, "quadratic", quadratic if quadratic.ndim else float(quadratic))

    @property
    def dimension(self) -> int:
        return self.linear.size

    @property
    def hessian(self) -> np.ndarray:
        """-Q as a (d, d) matrix."""
        return -self.quadratic * np.eye(self.dimension) if np.ndim(self.quadratic) == 0 else -self.quadratic

    def value(self, x) -> np.ndarray:
        x = validate.points(x, "x", dimension=self.dimension)
        return x @ self.linear - 0.5 * np.einsum("nd,nd->n", x, self._times(x))

    def gradient(self, x) -> np.ndarray:
        x = validate.points(x, "x", dimension=self.dimension)
        return self.linear - self._times(x)

    def _times(self, x: np.ndarray) -> np.ndarray:
        return self.quadratic * x if np.ndim(self.quadratic) == 0 else x @ self.quadratic


@final
@dataclass(frozen=True, slots=True)
class CallableReward(AbstractReward):
    """A user's reward as a pair of functions.

    Use when the reward is a function with a gradient and the dimension is at most three.

    Parameters
    ----------
    function : callable (n, d) -> (n,)
    slope : callable (n, d) -> (n, d)
        Its gradient.
    size : int
        Dimension d.

    Raises
    ------
    InputError
        Not callable, or (when called) an output of the wrong shape or not finite.

    Examples
    --------
    >>> reward = CallableReward(lambda x: np.cos(x).sum(1), lambda x: -np.sin(x), 1)
    >>> reward.value([[0.0]])
    array([1.])
    """

    function: Callable = field(repr=False)
    slope: Callable = field(repr=False)
    size: int

    def __post_init__(self) -> None:
        for name in ("function", "slope"):
            if not callable(getattr(self, name)):
                raise InputError(f"{name} must be a function of an (n, d) array; got {getattr(self, name)!r}")
        object.__setattr__(self, "size", validate.integer(self.size, "size"))

    @property
    def dimension(self) -> int:
        return self.size

    def value(self, x) -> np.ndarray:
        x = validate.points(x, "x", dimension=self.size)
        return self._checked("function", self.function(x), (len(x),))

    def gradient(self, x) -> np.ndarray:
        x = validate.points(x, "x", dimension=self.size)
        return self._checked("slope", self.slope(x), x.shape)

    @staticmethod
    def _checked(name: str, value, shape) -> np.ndarray:
        return validate.answer(value, name, shape)

"""Parameters of an instance: how each is drawn from the unit interval, and which values of it are simpler."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from numbers import Integral
from numbers import Real as RealNumber
from typing import Any, final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.validate import shown

SIMPLE = (1.0, 0.0, 0.5, 2.0, 0.1, 10.0)
STEP = 64  # whole numbers above are halved, not lowered one by one
DIGITS = (1, 2, 3)  # to which a number is rounded while an instance is made simpler
Known = Mapping[str, Any]
"""Values of the parameters decoded before, among which a ragged parameter finds its count."""


class Parameter(ABC):
    """A part of an instance. `coordinates` numbers of the unit cube decode to its value.

    The law: `decode(encode(value))` is the value up to rounding, and every value that `simpler` yields passes `check`.
    """

    __slots__ = ()
    coordinates: int

    @abstractmethod
    def decode(self, u: np.ndarray, known: Known) -> Any:
        """The value at a point of the unit cube."""

    @abstractmethod
    def encode(self, value, known: Known) -> np.ndarray:
        """A point of the unit cube that decodes to the value."""

    @abstractmethod
    def check(self, value, known: Known, name: str) -> Any:
        """The value in its plain form; InputError where it is not one of this parameter."""

    @abstractmethod
    def simpler(self, value, known: Known) -> Iterator[Any]:
        """Values to try instead, the simplest first."""

    @abstractmethod
    def complexity(self, value) -> tuple[int, int]:
        """How many entries are not simple and how far down the list of simple values the others are, in one number;
        and how many digits there are."""

    def active(self, known: Known) -> np.ndarray:
        """Which coordinates the value depends on."""
        return np.ones(self.coordinates, dtype=bool)

    def fitted(self, value, known: Known) -> Any:
        """The value cut to what the counts in `known` say."""
        return value


@final
@dataclass(frozen=True, slots=True)
class Real(Parameter):
    """A real number in `[low, high]`, drawn evenly in itself or in its logarithm.

    Parameters
    ----------
    low, high : float
    log : bool
    simple : tuple of float
        Values that a counterexample is shrunk to, the best first. By default 1, 0, 1/2, 2, 1/10, 10 within bounds.

    Examples
    --------
    >>> round(Real(0.01, 100, log=True).decode(np.array([0.5]), {}), 12)
    1.0
    """

    low: float
    high: float
    log: bool = False
    simple: tuple[float, ...] = ()

    def __post_init__(self):
        low, high = bounds(self, "Real", RealNumber)
        object.__setattr__(self, "low", float(low))
        object.__setattr__(self, "high", float(high))
        values = self.simple or tuple(value for value in SIMPLE if low <= value <= high)
        values = tuple(float(value) for value in values)
        if not all(low <= value <= high for value in values):
            raise InputError(f"Real: simple must lie in [{low!r}, {high!r}]; got {shown(self.simple)}")
        object.__setattr__(self, "simple", values)

    @property
    def coordinates(self) -> int:
        """One coordinate."""
        return 1

    def decode(self, u: np.ndarray, known: Known) -> float:
        value = place(float(u[0]), self.low, self.high, self.log)
        return min(max(value, self.low), self.high)

    def encode(self, value, known: Known) -> np.ndarray:
        return np.array([share(value, self.low, self.high, self.log)])

    def check(self, value, known: Known, name: str) -> float:
        if isinstance(value, bool) or not isinstance(value, RealNumber) or not self.low <= value <= self.high:
            raise InputError(f"{name} must be a number in [{self.low!r}, {self.high!r}]; got {shown(value)}")
        return float(value)

    def simpler(self, value, known: Known) -> Iterator[float]:
        if value in self.simple:
            yield from self.simple[: self.simple.index(value)]
            return
        yield from sorted(self.simple, key=lambda simple: abs(simple - value))
        for digits in DIGITS:
            rounded = float(f"{value:.{digits - 1}e}")
            if rounded != value and self.low <= rounded <= self.high:
                yield rounded

    def complexity(self, value) -> tuple[int, int]:
        if value in self.simple:
            return self.simple.index(value), 0
        return 100, digits_of(value)


@final
@dataclass(frozen=True, slots=True)
class Integer(Parameter):
    """A whole number from `low` to `high`, such as a dimension or the count of a ragged parameter.

    Examples
    --------
    >>> Integer(2, 2**20, log=True).decode(np.array([0.0]), {})
    2
    """

    low: int
    high: int
    log: bool = False
    simple: tuple[int, ...] = ()

    def __post_init__(self):
        low, high = bounds(self, "Integer", Integral)
        if not all(isinstance(value, Integral) and low <= value <= high for value in self.simple):
            raise InputError(f"Integer: simple must lie in [{low!r}, {high!r}]; got {shown(self.simple)}")
        object.__setattr__(self, "simple", tuple(int(value) for value in self.simple) or (int(low),))

    @property
    def coordinates(self) -> int:
        """One coordinate."""
        return 1

    def decode(self, u: np.ndarray, known: Known) -> int:
        value = place(float(u[0]), self.low - 0.5, self.high + 0.5, self.log)
        return min(max(round(value), self.low), self.high)

    def encode(self, value, known: Known) -> np.ndarray:
        return np.array([share(float(value), self.low - 0.5, self.high + 0.5, self.log)])

    def check(self, value, known: Known, name: str) -> int:
        if isinstance(value, bool) or not isinstance(value, Integral) or not self.low <= value <= self.high:
            raise InputError(f"{name} must be a whole number from {self.low} to {self.high}; got {shown(value)}")
        return int(value)

    def simpler(self, value, known: Known) -> Iterator[int]:
        powers = (2**k for k in range(int(self.high).bit_length()))
        tried = [*self.simple, *(p for p in powers if self.low <= p), value // 2]
        tried += [value - 1] if value <= STEP else []
        yield from dict.fromkeys(n for n in tried if self.low <= n < value or (n in self.simple and n != value))

    def complexity(self, value) -> tuple[int, int]:
        return 0, 0  # the space compares integers by their size


@final
@dataclass(frozen=True, slots=True)
class Choice(Parameter):
    """One of several names or numbers, such as a family of kernels; the first is the simplest.

    Examples
    --------
    >>> Choice(("gaussian", "laplace")).decode(np.array([0.7]), {})
    'laplace'
    """

    options: tuple[str | int | float, ...]

    def __post_init__(self):
        options = self.options
        if isinstance(options, str) or not isinstance(options, list | tuple) or len(options) < 2:
            raise InputError(f"Choice: options must be a tuple of at least two values; got {shown(options)}")
        if not all(isinstance(item, str | int | float) for item in options) or len(set(options)) < len(options):
            raise InputError(f"Choice: options must be different texts or numbers; got {shown(options)}")
        object.__setattr__(self, "options", tuple(options))

    @property
    def coordinates(self) -> int:
        """One coordinate."""
        return 1

    def decode(self, u: np.ndarray, known: Known) -> str | int | float:
        return self.options[min(int(u[0] * len(self.options)), len(self.options) - 1)]

    def encode(self, value, known: Known) -> np.ndarray:
        return np.array([(self.options.index(value) + 0.5) / len(self.options)])

    def check(self, value, known: Known, name: str) -> str | int | float:
        if value not in self.options:
            raise InputError(f"{name} must be one of {', '.join(map(str, self.options))}; got {shown(value)}")
        return self.options[self.options.index(value)]

    def simpler(self, value, known: Known) -> Iterator[str | int | float]:
        yield from self.options[: self.options.index(value)]

    def complexity(self, value) -> tuple[int, int]:
        return self.options.index(value), 0


def bounds(parameter, kind: str, number: type) -> tuple:
    """The bounds of a parameter, which must be finite, in order, and positive for a logarithmic scale."""
    low, high = parameter.low, parameter.high
    if not all(isinstance(end, number) and not isinstance(end, bool) and _is_finite(end) for end in (low, high)):
        raise InputError(f"{kind}: low and high must be finite numbers; got {shown(low)} and {shown(high)}")
    if not low < high:
        raise InputError(f"{kind} needs low < high; got {shown(low)} and {high!r}")
    if not isinstance(getattr(parameter, "log", False), bool):
        raise InputError(f"{kind}: log must be True or False; got {shown(parameter.log)}")
    if getattr(parameter, "log", False) and not low > 0:
        raise InputError(f"{kind} with log=True needs low > 0; got {shown(low)}")
    return low, high


def _is_finite(value) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond floats
        return False


def place(u: float, low: float, high: float, log: bool) -> float:
    """The point at the share `u` of the way from low to high."""
    return math.exp((1 - u) * math.log(low) + u * math.log(high)) if log else (1 - u) * low + u * high


def share(value: float, low: float, high: float, log: bool) -> float:
    """The inverse of `place`."""
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return min(max((value - low) / (high - low), 0.0), 1.0)


def digits_of(value: float) -> int:
    """Significant digits of the shortest text of a number."""
    return max(len(repr(abs(float(value))).partition("e")[0].replace(".", "").strip("0")), 1)

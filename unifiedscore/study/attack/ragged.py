"""Parameters with several entries: weights, vectors, spectra, and lists as long as another parameter says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from unifiedscore.errors import InputError
from unifiedscore.study.attack.parameters import Known, Parameter, Real, bounds
from unifiedscore.validate import integer, number, shown

LOGITS = 6.0  # softmax coordinates reach from -6 to 6: weights from 2.5e-6 on


@final
@dataclass(frozen=True, slots=True)
class Simplex(Parameter):
    """Weights that add up to one, each at least `floor`: the softmax of coordinates, the last of them fixed.

    Examples
    --------
    >>> Simplex(2).decode(np.array([0.5]), {})
    (0.5, 0.5)
    """

    size: int
    floor: float = 0.0

    def __post_init__(self):
        integer(self.size, "Simplex: size", low=2)
        if not 0 <= number(self.floor, "Simplex: floor") < 1 / self.size:
            raise InputError(f"Simplex: floor must lie in [0, 1/{self.size}); got {shown(self.floor)}")

    @property
    def coordinates(self) -> int:
        """One coordinate less than there are weights."""
        return self.size - 1

    def decode(self, u: np.ndarray, known: Known) -> tuple[float, ...]:
        logits = np.append(LOGITS * (2 * np.asarray(u) - 1), 0.0)
        weights = np.exp(logits - logits.max())
        free = weights / weights.sum()
        return tuple((self.floor + (1 - self.size * self.floor) * free).tolist())

    def encode(self, value, known: Known) -> np.ndarray:
        free = (np.asarray(value) - self.floor) / (1 - self.size * self.floor)
        logits = np.log(np.maximum(free, 1e-300)) - np.log(max(free[-1], 1e-300))
        return np.clip((logits[:-1] / LOGITS + 1) / 2, 0.0, 1.0)

    def check(self, value, known: Known, name: str) -> tuple[float, ...]:
        weights = _floats(value, self.size, name)
        if min(weights) < self.floor - 1e-12 or abs(math.fsum(weights) - 1) > 1e-9:
            raise InputError(f"{name} must be weights of at least {self.floor!r} with sum 1; got {shown(value)}")
        return weights

    def simpler(self, value, known: Known) -> Iterator[tuple[float, ...]]:
        yield (1 / self.size,) * self.size
        for digits in (1, 2, 3):
            head = [round(weight, digits) for weight in value[:-1]]
            weights = (*head, round(1 - math.fsum(head), digits))
            if min(weights) >= self.floor and weights != value and min(weights) > 0:
                yield weights

    def complexity(self, value) -> tuple[int, int]:
        if len(set(value)) == 1:
            return 0, 0
        return _total(Real(-1.0, 1.0, simple=(1 / self.size,)), value)


@final
@dataclass(frozen=True, slots=True)
class Vector(Parameter):
    """A vector with entries in `[low, high]`, such as a mean or a query.

    Examples
    --------
    >>> Vector(2, -1.0, 1.0).decode(np.array([0.5, 1.0]), {})
    (0.0, 1.0)
    """

    size: int
    low: float
    high: float

    def __post_init__(self):
        integer(self.size, "Vector: size", low=1)
        bounds(self, "Vector", (int, float))

    @property
    def coordinates(self) -> int:
        """One coordinate for each entry."""
        return self.size

    @property
    def entry(self) -> Real:
        """What each entry is; zero is the simplest where it is allowed."""
        simple = tuple(float(v) for v in (0, 1, -1, 0.5, -0.5, 2, -2) if self.low <= v <= self.high)
        return Real(self.low, self.high, simple=simple)

    def decode(self, u: np.ndarray, known: Known) -> tuple[float, ...]:
        return tuple(self.entry.decode(np.asarray([x]), known) for x in u)

    def encode(self, value, known: Known) -> np.ndarray:
        return np.concatenate([self.entry.encode(x, known) for x in value])

    def check(self, value, known: Known, name: str) -> tuple[float, ...]:
        entries = _floats(value, self.size, name)
        return tuple(self.entry.check(x, known, f"an entry of {name}") for x in entries)

    def simpler(self, value, known: Known) -> Iterator[tuple[float, ...]]:
        yield from _simpler_entries(self.entry, value, known)

    def complexity(self, value) -> tuple[int, int]:
        return _total(self.entry, value)


@final
@dataclass(frozen=True, slots=True)
class Spectrum(Parameter):
    """Eigenvalues in `[low, high]` on a logarithmic scale, and the share of the dimension that each occupies.

    The value is `(eigenvalues, shares)`. Without `multiplicity` every eigenvalue has the same share.

    Examples
    --------
    >>> values, shares = Spectrum(2, 0.01, 1.0).decode(np.array([0.5, 1.0, 0.5]), {})
    >>> [round(value, 12) for value in values], shares
    ([0.1, 1.0], (0.5, 0.5))
    """

    size: int
    low: float
    high: float
    multiplicity: bool = True

    def __post_init__(self):
        integer(self.size, "Spectrum: size", low=2)
        low, _ = bounds(self, "Spectrum", (int, float))
        if not low > 0:
            raise InputError(f"Spectrum needs low > 0; got {shown(low)}")

    @property
    def coordinates(self) -> int:
        """One coordinate for each eigenvalue, and those of the shares."""
        return self.size + (self.size - 1 if self.multiplicity else 0)

    @property
    def parts(self) -> tuple[Real, Simplex]:
        """What an eigenvalue is, and what the shares are."""
        return Real(self.low, self.high, log=True), Simplex(self.size, floor=0.02)

    def decode(self, u: np.ndarray, known: Known) -> tuple[tuple[float, ...], tuple[float, ...]]:
        value, shares = self.parts
        eigenvalues = tuple(value.decode(np.asarray([x]), known) for x in u[: self.size])
        rest = u[self.size :] if self.multiplicity else np.full(self.size - 1, 0.5)
        return eigenvalues, shares.decode(rest, known)

    def encode(self, value, known: Known) -> np.ndarray:
        entry, shares = self.parts
        u = np.concatenate([entry.encode(x, known) for x in value[0]])
        return np.concatenate([u, shares.encode(value[1], known)]) if self.multiplicity else u

    def check(self, value, known: Known, name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise InputError(f"{name} must be (eigenvalues, shares); got {shown(value)}")
        entry, shares = self.parts
        eigenvalues = _floats(value[0], self.size, f"the eigenvalues of {name}")
        checked = tuple(entry.check(x, known, f"an eigenvalue of {name}") for x in eigenvalues)
        return checked, shares.check(value[1], known, f"the shares of {name}")

    def simpler(self, value, known: Known) -> Iterator[tuple]:
        entry, shares = self.parts
        yield from ((value[0], found) for found in shares.simpler(value[1], known))
        yield from ((found, value[1]) for found in _simpler_entries(entry, value[0], known))

    def complexity(self, value) -> tuple[int, int]:
        entry, shares = self.parts
        return _sum(_total(entry, value[0]), shares.complexity(value[1]))


@final
@dataclass(frozen=True, slots=True)
class Many(Parameter):
    """As many values of one parameter as the Integer called `count` says, up to `at_most`.

    Points of a ragged dimension are `Many(Many(Real(-3, 3), at_most=4, count="dimension"), at_most=6, count="points")`.

    Examples
    --------
    >>> Many(Real(0.0, 1.0), at_most=3, count="points").decode(np.array([0.0, 0.5, 1.0]), {"points": 2})
    (0.0, 0.5)
    """

    of: Parameter
    at_most: int
    count: str

    def __post_init__(self):
        if not isinstance(self.of, Parameter):
            raise InputError(f"Many: of must be a parameter; got {shown(self.of)}")
        integer(self.at_most, "Many: at_most", low=1)
        if not isinstance(self.count, str) or not self.count.isidentifier():
            raise InputError(f"Many: count must name an Integer of the space; got {shown(self.count)}")

    @property
    def coordinates(self) -> int:
        """The coordinates of all entries, those beyond the count included."""
        return self.at_most * self.of.coordinates

    def decode(self, u: np.ndarray, known: Known) -> tuple:
        rows = np.asarray(u).reshape(self.at_most, self.of.coordinates)
        return tuple(self.of.decode(row, known) for row in rows[: known[self.count]])

    def encode(self, value, known: Known) -> np.ndarray:
        rows = np.full((self.at_most, self.of.coordinates), 0.5)
        for row, entry in zip(rows, value, strict=False):
            row[:] = self.of.encode(entry, known)
        return rows.ravel()

    def check(self, value, known: Known, name: str) -> tuple:
        if not isinstance(value, list | tuple) or len(value) != known[self.count]:
            raise InputError(f"{name} must hold {known[self.count]} entries, as {self.count} says; got {shown(value)}")
        return tuple(self.of.check(entry, known, f"an entry of {name}") for entry in value)

    def simpler(self, value, known: Known) -> Iterator[tuple]:
        yield from _simpler_entries(self.of, value, known)

    def complexity(self, value) -> tuple[int, int]:
        return _total(self.of, value)

    def active(self, known: Known) -> np.ndarray:
        inner = self.of.active(known)
        return np.concatenate([inner & (position < known[self.count]) for position in range(self.at_most)])

    def fitted(self, value, known: Known) -> tuple:
        return tuple(self.of.fitted(entry, known) for entry in value[: known[self.count]])


def _simpler_entries(of: Parameter, value: tuple, known: Known) -> Iterator[tuple]:
    """All entries simpler at once, then all equal, then one entry after the other."""
    if len(value) > 1:
        first = [next(of.simpler(entry, known), entry) for entry in value]
        yield tuple(first)
        yield from ((entry,) * len(value) for entry in dict.fromkeys(value) if set(value) != {entry})
    for position, entry in enumerate(value):
        for found in of.simpler(entry, known):
            yield (*value[:position], found, *value[position + 1 :])


def _total(of: Parameter, value: tuple) -> tuple[int, int]:
    """Equal entries count once: a person reads them as one number."""
    return _sum(*(of.complexity(entry) for entry in dict.fromkeys(value)))


def _sum(*pairs: tuple[int, int]) -> tuple[int, int]:
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _floats(value: Any, count: int, name: str) -> tuple[float, ...]:
    good = isinstance(value, list | tuple | np.ndarray) and len(value) == count
    if not good or not all(isinstance(x, int | float) and math.isfinite(x) for x in value):
        raise InputError(f"{name} must be {count} finite numbers; got {shown(value)}")
    return tuple(float(x) for x in value)

"""What a sample cut into tiles offers to the driver in `tiled`: distances to it and weighted sums over it.

There are two ways to both: differences of coordinates in few dimensions (`low_tiles`), matrix products in many
(`high_tiles`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from unifiedscore.kernels import AbstractKernel
from unifiedscore.posterior.sums import Sums


@dataclass(frozen=True, slots=True)
class Rounding:
    """What the precision of the tiles costs the moments, relative to their size as `PosteriorMoments` measures it.

    Attributes
    ----------
    fixed : (a,) array
        Error per query whatever the weights.
    slope : float
        Further error for each unit of the mean size of a log-weight.
    """

    fixed: np.ndarray
    slope: float


@dataclass(frozen=True, slots=True)
class ConstantWeight:
    """A kernel whose weight b is constant, log k = -b r^2/2, and the log-masses of the samples.

    Attributes
    ----------
    b : float
    log_mass : tuple of arrays
        Of each tile, in the precision of the tiles; empty arrays where all are equal.
    """

    b: float
    log_mass: tuple[np.ndarray, ...]


def summing(count: int) -> float:
    r"""Rounding of a sum of so many products relative to the sum of their sizes, in units of eps = 2u.

    At most count u, and $\lambda\sqrt{\mathrm{count}}\,u$ but for a probability $2e^{-\lambda^2/2}$ [Higham, Mary 2019,
    SIAM J. Sci. Comput. 41]; here $\lambda = 8$. Products of equal numbers, whose roundings go the same way, stay below
    count/3 u within the few hundred terms that a matrix library adds up in one go.
    """
    return 0.5 * min(count, 8.0 * np.sqrt(count)) + 1.0


def radial_or_empty(out: Sums) -> np.ndarray:
    """The radial sums, or no row of them: compiled loops take arrays of one type."""
    return out.radial if out.radial is not None else np.empty((0, 3))


class AbstractTiles(ABC):
    """A sample cut into contiguous tiles, in the form that one way of computing distances needs.

    Laws
    ----
    * `sizes` are the numbers of points of the tiles, in the order of the sample.
    * `first()` holds one point of the first tile; the loops it compiles are those of the whole.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, ...]:
        """Number of points of every tile."""

    @property
    def edges(self) -> np.ndarray:
        """Where a tile ends and the next begins, (tiles - 1,) indices into the sample."""
        return np.cumsum(self.sizes[:-1], dtype=np.int64)

    @abstractmethod
    def first(self) -> AbstractTiles:
        """Return the first point alone, as tiles."""

    @abstractmethod
    def sums_at(self, queries: np.ndarray) -> AbstractTileSums:
        """Return empty sums at a tile of queries, (a, d), in the precision of the tiles."""


class AbstractTileSums(ABC):
    """Weighted sums of y - x over the tiles visited so far, at one tile of queries.

    Laws
    ----
    * `fill_squared(i, squared)` is called before `add(..., i, ...)` for the same tile, with the same array.
    * After all tiles `mean_shift` and `score` are the sums of w (y - x) and w b (y - x) over the total weight.
    * `add_constant` does all of one tile where b is constant, instead of the two.
    """

    __slots__ = ()

    @abstractmethod
    def fill_squared(self, index: int, squared: np.ndarray) -> None:
        """Fill `squared` (a, b) with the squared distances to tile `index`."""

    @abstractmethod
    def add(self, name: str, index: int, weights: np.ndarray, squared: np.ndarray, row_sum, rescale) -> None:
        """Add tile `index` to the sum called `name`, older terms times `rescale`; may overwrite weights and row sums.

        `weights` (a, b) are w for "mean_shift" and w b for "score", `row_sum` (a,) their sums.
        """

    @abstractmethod
    def add_constant(self, index: int, rule: ConstantWeight, left_out: np.ndarray, out: Sums) -> None:
        """Add tile `index` to "mean_shift" and to largest weight, total and radial sums in `out`.

        `left_out` (a,) holds where in this tile the sample is that a query leaves out, and may lie outside; or nothing.
        """

    @abstractmethod
    def add_mass(self, row_sum: np.ndarray, rescale: np.ndarray) -> None:
        """Add the weights w b of a tile whose score nobody wants; `rounding` depends on their sum."""

    @abstractmethod
    def mean_shift(self, total: np.ndarray) -> np.ndarray:
        """Return the sum called "mean_shift" over the total weight (a,), (a, d)."""

    @abstractmethod
    def score(self, total: np.ndarray) -> np.ndarray:
        """Return the sum called "score" over the total weight (a,), (a, d)."""

    @abstractmethod
    def rounding(self, total: np.ndarray, kernel: AbstractKernel) -> Rounding:
        """Return what the precision of distances, weights and products costs."""

"""Tiles of a sample in few dimensions: distances and directions are differences of the coordinates as they were given.

Below eight dimensions this is faster than a matrix product, and exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.posterior import loops, row_loops
from unifiedscore.posterior.tiles import AbstractTiles, AbstractTileSums, Rounding, radial_or_empty, summing


@final
@dataclass(frozen=True, slots=True)
class LowTiles(AbstractTiles):
    """Tiles as columns, (d, b) each, so that the inner loops are contiguous."""

    columns: tuple[np.ndarray, ...]
    dtype: np.dtype

    @classmethod
    def cut(cls, points: np.ndarray, size: int, dtype: np.dtype, each=map) -> LowTiles:
        """Cut points (m, d) into tiles of `size` points; differences are taken before they are rounded to `dtype`."""
        starts = range(0, len(points), size)
        columns = each(lambda start: np.ascontiguousarray(points[start : start + size].T), starts)
        return cls(tuple(columns), dtype)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(tile.shape[1] for tile in self.columns)

    def first(self) -> LowTiles:
        return LowTiles((np.ascontiguousarray(self.columns[0][:, :1]),), self.dtype)

    def sums_at(self, queries: np.ndarray) -> LowTileSums:
        return LowTileSums(self, queries, {name: np.zeros(queries.shape) for name in ("mean_shift", "score")})


@final
@dataclass(slots=True)
class LowTileSums(AbstractTileSums):
    """Sums of w (y - x), each difference taken by itself."""

    tiles: LowTiles
    queries: np.ndarray
    vectors: dict[str, np.ndarray]

    def fill_squared(self, index, squared) -> None:
        loops.direct_squared(self.queries, self.tiles.columns[index], squared)

    def add(self, name, index, weights, squared, row_sum, rescale) -> None:
        loops.direct_products(self.queries, self.tiles.columns[index], weights, self.vectors[name], rescale)

    def add_constant(self, index, rule, left_out, out) -> None:
        tiles = self.tiles
        squares, row = np.empty((2, tiles.columns[index].shape[1]), tiles.dtype)
        row_loops.direct_rows(
            self.queries, tiles.columns[index], tiles.dtype.type(-0.5 * rule.b), rule.log_mass[index], left_out,
            squares, row, out.largest, out.total, self.vectors["mean_shift"], radial_or_empty(out),
        )  # fmt: skip

    def add_mass(self, row_sum, rescale) -> None:
        """Nothing: no rounding depends on it."""

    def mean_shift(self, total) -> np.ndarray:
        return self.vectors["mean_shift"] / total[:, None]

    def score(self, total) -> np.ndarray:
        return self.vectors["score"] / total[:, None]

    def rounding(self, total, kernel) -> Rounding:
        n, d = self.queries.shape
        eps = np.finfo(self.tiles.dtype).eps
        if self.tiles.dtype == np.float64:
            return Rounding(np.full(n, 8.0 * eps), 4.0 * eps)
        # A square of d differences is off by d + 3 half units, a log-weight by as many times r b r / 2, at most its own
        # size; b by as many at most. Numerator and denominator both.
        sums = 2.0 * summing(max(self.tiles.sizes))
        return Rounding(np.full(n, eps * (8.0 + 0.5 * (d + 3.0) + sums)), eps * (4.0 + d + 3.0))

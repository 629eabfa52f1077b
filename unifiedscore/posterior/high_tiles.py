"""Tiles of a sample in many dimensions: distances and sums come from matrix products of centred points.

The points are taken relative to a median, which no outlier moves. Pairs whose distance such a product does not resolve
(clusters far from the centre, coincident points) are recomputed from the coordinates as they were given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.posterior import loops
from unifiedscore.posterior.pairs import robust_center
from unifiedscore.posterior.tiles import AbstractTiles, AbstractTileSums


@final
@dataclass(frozen=True, slots=True)
class HighTiles(AbstractTiles):
    """Tiles (b, d) as they were given and centred, with the squared norms (b,) of the centred points."""

    given: tuple[np.ndarray, ...]
    centred: tuple[np.ndarray, ...]
    norms: tuple[np.ndarray, ...]
    center: np.ndarray

    @classmethod
    def cut(cls, points: np.ndarray, size: int) -> HighTiles:
        """Cut points (m, d) into tiles of `size` points."""
        center = robust_center(points)
        given, centred, norms = [], [], []
        for start in range(0, len(points), size):
            given.append(points[start : start + size])
            centred.append(given[-1] - center)
            # While the tile is in the cache.
            norms.append(np.einsum("md,md->m", centred[-1], centred[-1]))
        return cls(tuple(given), tuple(centred), tuple(norms), center)

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(tile) for tile in self.given)

    def first(self) -> HighTiles:
        return HighTiles((self.given[0][:1],), (self.centred[0][:1],), (self.norms[0][:1],), self.center)

    def sums_at(self, queries: np.ndarray) -> HighTileSums:
        a, names = len(queries), ("mean_shift", "score")
        centred = queries - self.center
        return HighTileSums(
            self,
            queries,
            centred,
            np.einsum("nd,nd->n", centred, centred),
            {name: np.zeros(queries.shape) for name in names},
            {name: np.zeros(a) for name in names},
            np.zeros(a, dtype=np.bool_),
            np.empty(queries.shape),
        )


@final
@dataclass(slots=True)
class HighTileSums(AbstractTileSums):
    """Sums of w y over centred points, from which `mass` times the query is taken; near pairs directly as w (y - x)."""

    tiles: HighTiles
    queries: np.ndarray
    centred: np.ndarray
    norms: np.ndarray
    vectors: dict[str, np.ndarray]
    mass: dict[str, np.ndarray]
    """Weight in products that are relative to the center: all of it, less that of near pairs."""
    near: np.ndarray
    """Queries with a pair in this tile that the product does not resolve."""
    product: np.ndarray

    def fill_squared(self, index, squared) -> None:
        tiles = self.tiles
        np.matmul(self.centred, tiles.centred[index].T, out=squared)
        loops.gram_squared(squared, self.norms, tiles.norms[index], self.queries, tiles.given[index], self.near)

    def add(self, name, index, weights, squared, row_sum, rescale) -> None:
        directions = None
        if self.near.any():
            directions = np.zeros(self.queries.shape)
            pairs = (squared, self.norms, self.tiles.norms[index], self.near)
            given = self.tiles.given[index]
            loops.near_directions(self.queries, given, *pairs, weights, row_sum, directions)
        np.matmul(weights, self.tiles.centred[index], out=self.product)
        loops.rescale_add(self.vectors[name], self.mass[name], rescale, self.product, row_sum)
        if directions is not None:
            self.vectors[name] += directions

    def add_mass(self, row_sum, rescale) -> None:
        self.mass["score"] = self.mass["score"] * rescale + row_sum

    def mean_shift(self, total) -> np.ndarray:
        return self.vectors["mean_shift"] / total[:, None] - (self.mass["mean_shift"] / total)[:, None] * self.centred

    def score(self, total) -> np.ndarray:
        return (self.vectors["score"] - self.mass["score"][:, None] * self.centred) / total[:, None]

    def rounding(self, total) -> np.ndarray:
        # r^2 from inner products is wrong by some eps (|x|^2 + |y|^2), and log k by b/2 of that.
        return 8.0 * self.norms * self.mass["score"] / total

"""Queries in the cells of a fixed grid: what is decided for a cell holds whatever other queries there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

# Cells with a larger number are cells of one query: their corners would be rounded.
_LARGEST = 2.0**30


@final
@dataclass(frozen=True, slots=True)
class QueryCells:
    """Queries sorted by cell.

    Attributes
    ----------
    order : (n,) int64 array
        The queries, cell after cell.
    edges : (cells + 1,) int64 array
        Where the queries of a cell begin in `order`.
    boxes : (cells, 2, d) array
        Least and largest coordinates of each cell, which hold all its queries.
    """

    order: np.ndarray
    edges: np.ndarray
    boxes: np.ndarray

    @classmethod
    def of(cls, queries: np.ndarray, origin: np.ndarray, side: float) -> QueryCells:
        """Sort queries (n, d) into cubes of this side, one of which has a corner at `origin`."""
        with np.errstate(over="ignore", invalid="ignore"):
            index = np.floor((queries - origin) / side)
            inside = (np.abs(index) < _LARGEST).all(1)
        usual, apart = np.flatnonzero(inside), np.flatnonzero(~inside)
        index = index[usual].astype(np.int64)
        by_cell = _sorted_rows(index)
        index = index[by_cell]
        new = np.ones(len(index), dtype=bool)
        new[1:] = (index[1:] != index[:-1]).any(1)
        starts = np.flatnonzero(new)
        corner = origin + index[starts] * side
        # The corner is rounded, and so was the query's index.
        slack = 1e-6 * side
        grid = np.stack([corner - slack, corner + (side + slack)], axis=1)
        alone = np.repeat(queries[apart][:, None, :], 2, axis=1)
        edges = np.concatenate([starts, np.arange(len(usual), len(queries) + 1)])
        return cls(np.concatenate([usual[by_cell], apart]), edges, np.concatenate([grid, alone]))


def _sorted_rows(index: np.ndarray) -> np.ndarray:
    """Order of the rows of an integer matrix."""
    if len(index) == 0:
        return np.arange(0)
    low, high = index.min(0), index.max(0)
    shape = [int(b) - int(a) + 1 for a, b in zip(low, high, strict=True)]
    if np.prod([float(s) for s in shape]) >= 2.0**62:
        return np.lexsort(index.T[::-1])
    number = index[:, 0] - low[0]
    for k in range(1, len(shape)):
        number = number * shape[k] + (index[:, k] - low[k])
    return np.argsort(number)

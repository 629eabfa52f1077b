"""A balanced tree of boxes around the points of a sample, built once and found again while the sample lives.

The tree belongs to the arrays of the sample, by weak references: it is no part of a measure or field, neither copied
nor pickled nor hashed with it, and it goes when they go. Two threads may build it at once; they build the same.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import final

import numpy as np

from unifiedscore.compiled import njit

LEAF = 16
"""Most points of a leaf; a leaf has more than half as many."""


@final
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SampleTree:
    """Points in the order of the leaves, and for each node (1 is the root, 2i and 2i + 1 are children) its share.

    Attributes
    ----------
    points : (m, d) float64 array
    weights : (m,) float64 array
    order, place : (m,) int64 arrays
        `points` is the sample at `order`; sample j is at `place[j]`.
    starts, ends : (nodes,) int64 arrays
        The points of a node are those from start to end.
    boxes : (nodes, 2, d) array
        Least and largest coordinates.
    mass, heaviest, lighter : (nodes,) arrays
        Sum of the weights, their maximum, and the sum without a point of that weight.
    """

    points: np.ndarray
    weights: np.ndarray
    order: np.ndarray
    place: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    boxes: np.ndarray
    mass: np.ndarray
    heaviest: np.ndarray
    lighter: np.ndarray

    @classmethod
    def build(cls, points: np.ndarray, weights: np.ndarray | None) -> SampleTree:
        """Sort the points (m, d) with these weights, None for equal ones, into a tree."""
        m, d = points.shape
        leaves = 1
        while m > LEAF * leaves:
            leaves *= 2
        sorted_points, order = points.astype(np.float64, order="C"), np.arange(m)
        starts, ends = np.empty(2 * leaves, np.int64), np.empty(2 * leaves, np.int64)
        boxes, (mass, heaviest, lighter) = np.empty((2 * leaves, 2, d)), np.zeros((3, 2 * leaves))
        _split(sorted_points, order, starts, ends, boxes)
        weights = np.full(m, 1.0 / m) if weights is None else weights[order]
        _weigh(weights, starts, ends, mass, heaviest, lighter)
        place = np.empty(m, np.int64)
        place[order] = np.arange(m)
        return cls(sorted_points, weights, order, place, starts, ends, boxes, mass, heaviest, lighter)

    @property
    def leaf_side(self) -> float:
        """Longest side of a typical leaf."""
        leaves = self.boxes[len(self.boxes) // 2 :]
        return float(np.median((leaves[:, 1] - leaves[:, 0]).max(1)))


@njit(cache=True, nogil=True)
def _split(points, order, starts, ends, boxes):
    """Split every node at the median of its longest side; sorts points and order."""
    d, leaves = points.shape[1], len(starts) // 2
    starts[0], ends[0], boxes[0] = 0, 0, 0.0  # no node has this number
    starts[1], ends[1] = 0, len(points)
    for node in range(1, 2 * leaves):
        first, last = starts[node], ends[node]
        for k in range(d):
            boxes[node, 0, k], boxes[node, 1, k] = points[first, k], points[first, k]
        for j in range(first + 1, last):
            for k in range(d):
                boxes[node, 0, k] = min(boxes[node, 0, k], points[j, k])
                boxes[node, 1, k] = max(boxes[node, 1, k], points[j, k])
        if node < leaves:
            axis = np.argmax(boxes[node, 1] - boxes[node, 0])
            middle = (first + last) // 2
            _select(points, order, first, last, middle, axis)
            starts[2 * node], ends[2 * node] = first, middle
            starts[2 * node + 1], ends[2 * node + 1] = middle, last


@njit(cache=True, nogil=True)
def _select(points, order, first, last, middle, axis):
    """Move the points so that none before `middle` is larger on the axis than any after it (Hoare's selection)."""
    low, high = first, last - 1
    while low < high:
        a, b, c = points[low, axis], points[(low + high) // 2, axis], points[high, axis]
        pivot = max(min(a, b), min(max(a, b), c))
        i, j = low, high
        while i <= j:
            while points[i, axis] < pivot:
                i += 1
            while points[j, axis] > pivot:
                j -= 1
            if i <= j:
                order[i], order[j] = order[j], order[i]
                for k in range(points.shape[1]):
                    points[i, k], points[j, k] = points[j, k], points[i, k]
                i += 1
                j -= 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return


@njit(cache=True, nogil=True)
def _weigh(weights, starts, ends, mass, heaviest, lighter):
    """Fill the sums from the leaves up. `lighter` is a sum of its own: a difference would lose small weights."""
    leaves = len(starts) // 2
    for node in range(2 * leaves - 1, 0, -1):
        if node >= leaves:
            for j in range(starts[node], ends[node]):
                lighter[node] += min(weights[j], heaviest[node])
                heaviest[node] = max(heaviest[node], weights[j])
        else:
            a, b = 2 * node, 2 * node + 1
            heaviest[node] = max(heaviest[a], heaviest[b])
            lighter[node] = lighter[a] + lighter[b] + min(heaviest[a], heaviest[b])
        mass[node] = heaviest[node] + lighter[node]


@final
@dataclass(frozen=True, slots=True)
class _Kept:
    """A tree, the arrays it was built for, and what they held then: an array may be written to."""

    arrays: tuple[weakref.ref, weakref.ref]
    copies: tuple[np.ndarray, np.ndarray]
    tree: SampleTree

    def fits(self, *arrays: np.ndarray) -> bool:
        return all(
            known() is array and np.array_equal(copy, array)
            for known, array, copy in zip(self.arrays, arrays, self.copies, strict=True)
        )


_KEPT: dict[tuple[int, int], _Kept] = {}


def tree_of(measure, points: np.ndarray, weights: np.ndarray | None) -> SampleTree:
    """Return the tree of `points` and `weights`, which are the points of the samples `measure` that have weight."""
    arrays = measure.points, measure.weights
    key = tuple(map(id, arrays))
    kept = _KEPT.get(key)
    if kept is None or not kept.fits(*arrays):
        tree = SampleTree.build(points, weights)

        def forget(_, key=key):
            _KEPT.pop(key, None)

        known = tuple(weakref.ref(array, forget) for array in arrays)
        kept = _KEPT[key] = _Kept(known, tuple(array.copy() for array in arrays), tree)
    return kept.tree

"""The compiled loops of `distances`: differences of coordinates, and the pairs for which inner products do."""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit

# Sums may be reordered, so that they vectorise; the rounding stays that of d additions.
_FAST = {"reassoc", "contract"}


@njit(cache=True, nogil=True, fastmath=_FAST)
def _squared(x, y):
    total = 0.0
    for k in range(x.size):
        gap = x[k] - y[k]
        total += gap * gap
    return total


@njit(cache=True, nogil=True)
def squared_distances(x, y, out):
    """Fill `out` (n, m) with squared distances from differences."""
    for i in range(len(x)):
        for j in range(len(y)):
            out[i, j] = _squared(x[i], y[j])


@njit(cache=True, nogil=True)
def resolve(x, y, x_norm, y_norm, trust, products):
    """Turn inner products (n, m) into squared distances; below `trust` times the norms from differences."""
    for i in range(len(x)):
        for j in range(len(y)):
            norms = x_norm[i] + y_norm[j]
            value = norms - 2.0 * products[i, j]
            products[i, j] = _squared(x[i], y[j]) if value <= trust * norms else value


@njit(cache=True, nogil=True)
def nearest(queries, points, q_norm, p_norm, rounding, products, index):
    """Fill `index` (n, k) with the nearest points, from inner products (n, m) and from differences where these decide.

    `rounding` bounds the error of a squared distance over the sum of the squared norms. No point whose distance may be
    among the k smallest is left out; equal distances are ordered by index.
    """
    k = index.shape[1]
    upper, best = np.empty(k), np.empty(k)
    for i in range(len(queries)):
        upper[:] = np.inf
        limit = np.inf
        row = products[i]
        for j in range(len(points)):
            norms = q_norm[i] + p_norm[j]
            row[j] = norms - 2.0 * row[j] - rounding * norms
        for j in range(len(points)):
            value = row[j] + 2.0 * rounding * (q_norm[i] + p_norm[j])
            if value < limit:
                _insert(upper, value)
                limit = upper[k - 1]
        best[:] = np.inf
        for j in range(len(points)):
            if row[j] <= limit:
                value = _squared(queries[i], points[j])
                if value < best[k - 1]:
                    at = _insert(best, value)
                    for a in range(k - 1, at, -1):
                        index[i, a] = index[i, a - 1]
                    index[i, at] = j


@njit(cache=True, nogil=True)
def _insert(values, value):
    """Put `value` behind what is not larger, in a sorted array that drops its last; returns the place."""
    at = values.size - 1
    while at > 0 and values[at - 1] > value:
        values[at] = values[at - 1]
        at -= 1
    values[at] = value
    return at


@njit(cache=True, nogil=True)
def reached(queries, points, radius):
    """Whether a query lies within `radius` (m,) of some point, (n,)."""
    found = np.zeros(len(queries), np.bool_)
    for i in range(len(queries)):
        for j in range(len(points)):
            if np.sqrt(_squared(queries[i], points[j])) <= radius[j]:
                found[i] = True
                break
    return found

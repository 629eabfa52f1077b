"""The compiled loops of the near field: sort queries into blocks, choose points for a block, sum weights over them.

Queries are never stored: query (p, m) is x_p + smoothing * noise_m, formed where it is needed.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.posterior.exponential import exp_negative
from unifiedscore.posterior.lanes import whole_registers

BLOCK = 64
"""Queries that share one list of points."""

# Largest log-weights of a block may differ by this much: e^-_SPAN squared is still a normal number, as is the e^-708
# that stands for weights below it, e^(_SPAN - 708) of the largest.
_SPAN = 300.0
_LANES = 32  # queries summed at once: long enough for full vector registers, short enough to waste little on padding


@njit(cache=True, nogil=True)
def query_box(x, noise, smoothing):
    """Smallest box (low, high) around all queries."""
    low, high = np.full(x.shape[1], np.inf), np.full(x.shape[1], -np.inf)
    for p in range(x.shape[0]):
        row = noise[p if noise.shape[0] > 1 else 0]
        for k in range(x.shape[1]):
            least, most = row[0, k], row[0, k]
            for m in range(1, row.shape[0]):
                least, most = min(least, row[m, k]), max(most, row[m, k])
            low[k] = min(low[k], x[p, k] + smoothing * least)
            high[k] = max(high[k], x[p, k] + smoothing * most)
    return low, high


@njit(cache=True, nogil=True)
def find_cells(x, noise, smoothing, low, axes, side, shape, cell, first, last):
    """Number of the grid cell of every query of the particles first to last."""
    draws, inverse = noise.shape[1], 1.0 / side
    for p in range(first, last):
        row = noise[p if noise.shape[0] > 1 else 0]
        for m in range(draws):
            index = 0
            for a in range(len(axes)):
                k = axes[a]
                at = int((x[p, k] + smoothing * row[m, k] - low[k]) * inverse)
                index = index * shape[a] + max(0, min(shape[a] - 1, at))
            cell[p * draws + m] = index


@njit(cache=True, nogil=True)
def cut_into_blocks(cell, cells):
    """Counting sort by cell, each cell cut into blocks: (order (n,), edges (blocks + 1,))."""
    n, counts = cell.shape[0], np.zeros(cells + 1, np.int64)
    for i in range(n):
        counts[cell[i] + 1] += 1
    blocks = 0
    for c in range(cells):
        blocks += (counts[c + 1] + BLOCK - 1) // BLOCK
        counts[c + 1] += counts[c]
    edges, b = np.empty(blocks + 1, np.int64), 0
    for c in range(cells):
        for start in range(counts[c], counts[c + 1], BLOCK):
            edges[b] = start
            b += 1
    edges[b] = n
    order = np.empty(n, np.int32)
    for i in range(n):
        order[counts[cell[i]]] = i
        counts[cell[i]] += 1
    return order, edges


@njit(cache=True, nogil=True)
def average_draws(values, out, first, last):
    """Means over axis 1 of values (n, M, d), for the rows first to last."""
    draws = values.shape[1]
    for p in range(first, last):
        for k in range(values.shape[2]):
            total = 0.0
            for m in range(draws):
                total += values[p, m, k]
            out[p, k] = total / draws


@njit(cache=True, nogil=True, fastmath={"contract", "nnan"})
def _choose(low, high, points, starts, boxes, radius2, nearest, farthest, chosen):
    """Fill `chosen` with the points that matter to a box of queries; return how many, and bounds L, U.

    Every query of the box has a point within U, the least over points of the largest distance to the box, and none
    within L. A point matters unless its squared distance to the box exceeds U^2 + radius2. L and U come squared.
    """
    d, leaves = points.shape[1], len(nearest)
    for k in range(d):
        a, b, least, most = low[k], high[k], boxes[0, k], boxes[1, k]
        for leaf in range(leaves):
            gap = max(least[leaf] - b, a - most[leaf], 0.0)
            reach = max(b - least[leaf], most[leaf] - a)
            nearest[leaf] = gap * gap + (nearest[leaf] if k else 0.0)
            farthest[leaf] = reach * reach + (farthest[leaf] if k else 0.0)
    at = np.argmin(farthest)
    bound = farthest[at]
    # The points of that leaf bound the distance better than its box.
    for j in range(starts[at], starts[at + 1]):
        most = 0.0
        for k in range(d):
            most += max(high[k] - points[j, k], points[j, k] - low[k]) ** 2
        bound = min(bound, most)
    reach2, count, closest = bound + radius2, 0, bound
    for leaf in range(leaves):
        if nearest[leaf] <= reach2:
            for j in range(starts[leaf], starts[leaf + 1]):
                least = 0.0
                for k in range(d):
                    least += max(points[j, k] - high[k], low[k] - points[j, k], 0.0) ** 2
                chosen[count] = j
                count += least <= reach2
                closest = min(closest, least)
    return count, closest, bound


@njit(cache=True, nogil=True)
def _perturbed(x, noise, smoothing, indices, q):
    """Fill `q` with the queries of these numbers."""
    # Unsigned: the division of signed integers rounds down only with branches.
    draws, own = np.uint32(noise.shape[1]), np.uint32(noise.shape[0] > 1)
    for i in range(len(indices)):
        p = np.uint32(indices[i]) // draws
        row = noise[p * own, np.uint32(indices[i]) - p * draws]
        for k in range(x.shape[1]):
            q[i, k] = x[p, k] + smoothing * row[k]


@cache
def blocks_loop(d):
    """The loop over blocks in d dimensions: with d known its innermost loops are unrolled into registers."""

    @njit(cache=True, nogil=True, fastmath={"contract", "nnan"})
    def loop(x, noise, smoothing, order, edges, points, starts, boxes, scale, bandwidth, radius2, mean, visited):
        whole_registers()
        unit, m = np.sqrt(0.5) / bandwidth, points.shape[0]
        nearest, farthest, chosen = np.empty(len(starts) - 1), np.empty(len(starts) - 1), np.arange(m + 1)
        closest, shared = 0.0, False
        near, count = np.empty(2 * d * m), 0
        low, high = np.empty(d), np.empty(d)
        # One array, rows at fixed places, so that the compiler sees that they do not overlap: coordinates, smallest
        # squared distance, sum of weights, weights, weighted sums.
        least, total, weight, sums = d * _LANES, (d + 1) * _LANES, (d + 2) * _LANES, (d + 3) * _LANES
        s, q = np.empty((2 * d + 3) * _LANES), np.empty((BLOCK, d))
        for b in range(len(edges) - 1):
            n = edges[b + 1] - edges[b]
            _perturbed(x, noise, smoothing, order[edges[b] : edges[b + 1]], q)
            if radius2 < np.inf:
                # Loops throughout: an assignment to a slice takes seconds to compile.
                for k in range(d):
                    low[k] = high[k] = q[0, k]
                    for i in range(1, n):
                        low[k], high[k] = min(low[k], q[i, k]), max(high[k], q[i, k])
                    low[k] /= scale
                    high[k] /= scale
                count, closest, bound = _choose(
                    low, high, points, starts, boxes, radius2 / scale**2, nearest, farthest, chosen
                )
                # One reference for all queries of the box, where no weight falls below e^-_SPAN times the largest.
                closest, bound = closest * (unit * scale) ** 2, bound * (unit * scale) ** 2
                shared = bound - closest < _SPAN
            elif b == 0:
                count = m
            if radius2 < np.inf or b == 0:
                for j in range(count):
                    for k in range(d):
                        # In units of sqrt(2) h squared distances are log-weights.
                        near[2 * d * j + k] = unit * scale * points[chosen[j], k]
                        # Sums of the unscaled points: where one of them has all the weight it is returned exactly.
                        near[2 * d * j + d + k] = points[chosen[j], k]
            visited[b] = count * n
            for first in range(0, n, _LANES):
                for u in range(_LANES):
                    # The last lanes repeat the last query.
                    i = min(first + u, n - 1)
                    for k in range(d):
                        s[k * _LANES + u] = unit * q[i, k]
                        s[sums + k * _LANES + u] = 0.0
                    s[least + u], s[total + u] = closest if shared else np.inf, 0.0
                for j in range(0, 0 if shared else 2 * d * count, 2 * d):
                    for u in range(_LANES):
                        r = 0.0
                        for k in range(d):
                            r += (s[k * _LANES + u] - near[j + k]) ** 2
                        s[least + u] = min(s[least + u], r)
                for j in range(0, 2 * d * count, 2 * d):
                    for u in range(_LANES):
                        r = 0.0
                        for k in range(d):
                            r += (s[k * _LANES + u] - near[j + k]) ** 2
                        w = exp_negative(s[least + u] - r)
                        s[total + u] += w
                        s[weight + u] = w
                    for u in range(_LANES):
                        for k in range(d):
                            s[sums + k * _LANES + u] += s[weight + u] * near[j + d + k]
                for u in range(min(_LANES, n - first)):
                    i = order[edges[b] + first + u]
                    for k in range(d):
                        mean[i, k] = s[sums + k * _LANES + u] / s[total + u]

    return loop

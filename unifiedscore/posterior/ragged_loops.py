"""The compiled loops over pairs of which each query has its own: those of its cell, one after another.

A row is what one query sees: the points of its cell, stored by coordinate. Rows stand one behind another, so that the
kernel's tile, which works entry by entry, takes any number of them in one call.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.posterior.exponential import exp_negative
from unifiedscore.posterior.lanes import whole_registers

_LANES = 32


@njit(cache=True, nogil=True)
def columns_of(points, chosen, offsets):
    """The coordinates of the chosen points, cell after cell and coordinate after coordinate within a cell."""
    d = points.shape[1]
    out = np.empty(len(chosen) * d)
    for c in range(len(offsets) - 1):
        first, count = offsets[c], offsets[c + 1] - offsets[c]
        for k in range(d):
            column = out[d * first + k * count : d * first + (k + 1) * count]
            for j in range(count):
                column[j] = points[chosen[first + j], k]
    return out


@njit(cache=True, nogil=True)
def squared_rows(queries, cell, offsets, columns, squared):
    """Squared distances of the rows of these queries, one behind another."""
    whole_registers()
    d, at = queries.shape[1], 0
    for i in range(len(queries)):
        first = offsets[cell[i]]
        count = offsets[cell[i] + 1] - first
        row = squared[at : at + count]
        for k in range(d):
            column, x = columns[d * first + k * count : d * first + (k + 1) * count], queries[i, k]
            if k == 0:
                for j in range(count):
                    t = x - column[j]
                    row[j] = t * t
            else:
                for j in range(count):
                    t = x - column[j]
                    row[j] += t * t
        at += count


@njit(cache=True, nogil=True, fastmath={"nnan", "nsz"})
def _largest(row, lanes):
    """The maximum. A reduction is compiled entry by entry; maxima of whole lanes are not."""
    whole_registers()
    width = len(lanes)
    lanes[:] = -np.inf
    whole = len(row) - len(row) % width
    for start in range(0, whole, width):
        for u in range(width):
            lanes[u] = max(lanes[u], row[start + u])
    top = -np.inf
    for u in range(width):
        top = max(top, lanes[u])
    for j in range(whole, len(row)):
        top = max(top, row[j])
    return top


@njit(cache=True, nogil=True, fastmath={"reassoc", "nnan", "nsz"})
def _weights(row, top):
    """Turn log-weights into weights relative to the largest; return their sum."""
    whole_registers()
    total = 0.0
    for j in range(len(row)):
        # As in the tiles: what is below the exponential's floor has no weight at all.
        t = row[j] - top
        w = exp_negative(t) if t >= -708.0 else 0.0
        row[j] = w
        total += w
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _direction(row, columns, x, out):
    """Fill `out` with the sums of w (y - x), two coordinates at a time."""
    whole_registers()
    d, n = len(x), len(row)
    for k in range(0, d - 1, 2):
        first, second = columns[k * n : (k + 1) * n], columns[(k + 1) * n : (k + 2) * n]
        a, b, x0, x1 = 0.0, 0.0, x[k], x[k + 1]
        for j in range(n):
            a += row[j] * (first[j] - x0)
            b += row[j] * (second[j] - x1)
        out[k], out[k + 1] = a, b
    if d % 2 == 1:
        last, a, x0 = columns[(d - 1) * n : d * n], 0.0, x[d - 1]
        for j in range(n):
            a += row[j] * (last[j] - x0)
        out[d - 1] = a


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def _radial(row, b_row, squared, out):
    whole_registers()
    square, inverse, distance = 0.0, 0.0, 0.0
    for j in range(len(row)):
        w, b = row[j], b_row[j]
        square += w * w
        distance += w * np.sqrt(squared[j])
        inverse += w / b if b > 0.0 else 0.0
    out[0], out[1], out[2] = square, inverse, distance


@njit(cache=True, nogil=True)
def sum_rows(
    queries, cell, offsets, columns, log_mass, exclude, squared, log_kernel, weight,
    largest, total, shift, score, radial,
):  # fmt: skip
    """Fill the sums of `Sums` for these queries; an array without rows is not wanted."""
    d, at, lanes = queries.shape[1], 0, np.empty(_LANES)
    for i in range(len(queries)):
        first = offsets[cell[i]]
        count = offsets[cell[i] + 1] - first
        row, b_row = log_kernel[at : at + count], weight[at : at + count]
        own = columns[d * first : d * (first + count)]
        if len(log_mass) > 0:
            for j in range(count):
                row[j] += log_mass[first + j]
        if len(exclude) > 0 and exclude[i] >= 0:
            row[exclude[i]] = -np.inf
        top = _largest(row, lanes)
        largest[i] = top
        if top > -np.inf:
            total[i] = _weights(row, top)
            if len(radial) > 0:
                _radial(row, b_row, squared[at : at + count], radial[i])
            if len(shift) > 0:
                _direction(row, own, queries[i], shift[i])
                shift[i] /= total[i]
            if len(score) > 0:
                for j in range(count):
                    row[j] *= b_row[j]
                _direction(row, own, queries[i], score[i])
                score[i] /= total[i]
        at += count

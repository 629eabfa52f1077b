"""The compiled loops of a kernel whose weight b is constant, log k = -b r^2/2: a whole row of a tile at a time.

Distances, log-weights, their largest, exponentials and sums of a query against a tile of samples pass through a row
that stays in the first-level cache. The general loops (`loops`) pass five times over whole tiles, with the kernel's own
loop between them; one function compiled from both could not be stored, and would be compiled again in every process.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.posterior.exponential import weight_of
from unifiedscore.posterior.lanes import larger, smaller, whole_registers
from unifiedscore.posterior.loops import NEAR, pair_squared


@njit(cache=True, nogil=True, fastmath={"contract"})
def _direct_row(x, y_columns, squares):
    """Squared distances of one query by differences of the coordinates; returns the least of them."""
    whole_registers()
    single = squares.dtype.type
    least = single(np.inf)
    if x.shape[0] == 1:
        for j in range(squares.shape[0]):
            t = single(x[0] - y_columns[0, j])
            squares[j] = t * t
            least = smaller(least, t * t)
        return least
    last = x.shape[0] - 1
    # Two coordinates a pass, the last pass with the least.
    if last == 1:
        for j in range(squares.shape[0]):
            t, u = single(x[0] - y_columns[0, j]), single(x[1] - y_columns[1, j])
            value = t * t + u * u
            squares[j] = value
            least = smaller(least, value)
        return least
    for j in range(squares.shape[0]):
        t, u = single(x[0] - y_columns[0, j]), single(x[1] - y_columns[1, j])
        squares[j] = t * t + u * u
    for k in range(2, last):
        for j in range(squares.shape[0]):
            t = single(x[k] - y_columns[k, j])
            squares[j] += t * t
    for j in range(squares.shape[0]):
        t = single(x[last] - y_columns[last, j])
        value = squares[j] + t * t
        squares[j] = value
        least = smaller(least, value)
    return least


@njit(cache=True, nogil=True, fastmath={"contract"})
def _gram_row(gram, own, y_norm, squares):
    """Squared distances from inner products of centred points; the least of them, and whether a pair is near."""
    whole_registers()
    single = squares.dtype.type
    two, share = single(2.0), single(NEAR)
    worst, least = single(np.inf), single(np.inf)
    for j in range(squares.shape[0]):
        both = own + y_norm[j]
        value = both - two * gram[j]
        squares[j] = value
        worst = smaller(worst, value - share * both)
        least = smaller(least, value)
    return least, worst <= single(0.0)


@njit(cache=True, nogil=True)
def _near_row(x, y, own, y_norm, squares):
    """Recompute near pairs by differences; the least square of them all, and of those that stay."""
    single = squares.dtype.type
    share = single(NEAR)
    least, kept = single(np.inf), single(np.inf)
    for j in range(squares.shape[0]):
        if squares[j] <= share * (own + y_norm[j]):
            squares[j] = pair_squared(x, y[j])
        else:
            kept = min(kept, squares[j])
        least = min(least, squares[j])
    return least, kept


@njit(cache=True, nogil=True)
def _log_weights(squares, half, log_mass, left_out, row):
    """Log-weights where samples have masses or one is left out; returns the largest."""
    whole_registers()
    top = row.dtype.type(-np.inf)
    for j in range(row.shape[0]):
        value = half * squares[j]
        if log_mass.shape[0] > 0:
            value += log_mass[j]
        row[j] = value
    if 0 <= left_out < row.shape[0]:
        row[left_out] = -np.inf
    for j in range(row.shape[0]):
        top = larger(top, row[j])
    return top


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _exponentials(squares, half, top, plain, row):
    """Weights relative to e^top, from squares where `plain` and from the log-weights in `row` otherwise; their sum."""
    whole_registers()
    # No contraction: half * least - top is then 0, and none is above.
    total = row.dtype.type(0.0)
    if plain:
        for j in range(row.shape[0]):
            w = weight_of(half * squares[j] - top)
            row[j] = w
            total += w
    else:
        for j in range(row.shape[0]):
            w = weight_of(row[j] - top)
            row[j] = w
            total += w
    return total


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _radial_row(weights, squares, radial, rescale):
    """Add w^2 and w r of the row to columns 0 and 2 of `radial`."""
    whole_registers()
    zero = weights.dtype.type(0.0)
    square, distance = zero, zero
    for j in range(weights.shape[0]):
        w = weights[j]
        square += w * w
        distance += w * np.sqrt(squares[j])
    radial[0] = radial[0] * rescale * rescale + square
    radial[2] = radial[2] * rescale + distance


@njit(cache=True, nogil=True)
def _weigh(i, squares, half, least, log_mass, left_out, row, largest, total, radial):
    """Turn the squares of query i into weights relative to the running maximum.

    Returns the factor for older sums and the sum of the weights in this row.
    """
    single = row.dtype.type
    plain = log_mass.shape[0] == 0 and not 0 <= left_out < row.shape[0]
    top = half * least if plain else _log_weights(squares, half, log_mass, left_out, row)
    old, rescale = largest[i], 1.0
    if top > old:
        rescale = np.exp(old - top) if old > -np.inf else 0.0
        largest[i] = top
    else:
        top = single(old)
    if top == -np.inf:
        row[:] = single(0.0)
        return rescale, 0.0
    part = np.float64(_exponentials(squares, half, top, plain, row))
    total[i] = total[i] * rescale + part
    if radial.shape[0] > 0:
        _radial_row(row, squares, radial[i], rescale)
    return rescale, part


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _add_differences(x, y_columns, weights, rescale, vector):
    """vector = vector * rescale + sum_j w_j (y_j - x)."""
    whole_registers()
    single = weights.dtype.type
    for k in range(x.shape[0]):
        total = single(0.0)
        for j in range(weights.shape[0]):
            total += weights[j] * single(y_columns[k, j] - x[k])
        vector[k] = vector[k] * rescale + total


@njit(cache=True, nogil=True)
def direct_rows(x, y_columns, half, log_mass, exclude, squares, row, largest, total, vector, radial):
    """Visit one tile of samples, (d, b) columns, in few dimensions.

    Parameters
    ----------
    half : float
        -b/2, in the precision of the tile.
    log_mass, exclude, radial : arrays
        Of length 0 where samples have equal masses, nothing is left out and radial sums are not wanted. What is left
        out is counted from the first sample of the tile, and may lie outside it.
    squares, row : (b,) arrays
        Buffers in the precision of the tile.
    """
    whole_registers()
    for i in range(x.shape[0]):
        least = _direct_row(x[i], y_columns, squares)
        left_out = exclude[i] if exclude.shape[0] > 0 else -1
        rescale, _ = _weigh(i, squares, half, least, log_mass, left_out, row, largest, total, radial)
        _add_differences(x[i], y_columns, row, rescale, vector[i])


@njit(cache=True, nogil=True)
def gram_rows(
    gram, x_norm, y_norm, x, y, half, log_mass, exclude, squares,
    largest, total, rescale, row_sum, closest, vector, radial,
):  # fmt: skip
    """Turn inner products of centred points into weights, (a, b), in place; the products with them remain to be done.

    The weights of near pairs, whose differences of the points as they were given are added to `vector` here, become 0;
    `row_sum` is the sum of those that stay, so that nothing is ever taken off a sum. `closest` is the least squared
    distance that came from a product.
    """
    whole_registers()
    for i in range(gram.shape[0]):
        row = gram[i]
        least, near = _gram_row(row, x_norm[i], y_norm, squares)
        kept = least
        if near:
            least, kept = _near_row(x[i], y, x_norm[i], y_norm, squares)
        closest[i] = min(closest[i], kept)
        left_out = exclude[i] if exclude.shape[0] > 0 else -1
        rescale[i], row_sum[i] = _weigh(i, squares, half, least, log_mass, left_out, row, largest, total, radial)
        if rescale[i] != 1.0:
            for k in range(vector.shape[1]):
                vector[i, k] *= rescale[i]
        if near:
            row_sum[i] = _near_directions(x[i], y, x_norm[i], y_norm, squares, row, vector[i])


@njit(cache=True, nogil=True)
def _near_directions(x, y, own, y_norm, squares, weights, vector):
    """Add w (y - x) of near pairs to `vector` and take their weights; the sum of those that stay."""
    rest = 0.0
    share = squares.dtype.type(NEAR)
    for j in range(weights.shape[0]):
        w = weights[j]
        if squares[j] <= share * (own + y_norm[j]):
            weights[j] = 0.0
            if w > 0.0:
                for k in range(x.shape[0]):
                    vector[k] += w * (np.float64(y[j, k]) - np.float64(x[k]))
        else:
            rest += w
    return rest


@njit(cache=True, nogil=True)
def add_rows(vector, plain, rescale, product, row_sum):
    """vector += product and plain = plain * rescale + row_sum, where `gram_rows` has rescaled the vector."""
    for i in range(vector.shape[0]):
        plain[i] = plain[i] * rescale[i] + row_sum[i]
        for k in range(vector.shape[1]):
            vector[i, k] += product[i, k]

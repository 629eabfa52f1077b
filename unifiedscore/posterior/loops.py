"""The compiled loops of the sample engine: distances, exponentials and weighted sums over one tile.

A loop works in the precision of the tile it fills, float32 or float64; sums that run over tiles are float64.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.posterior.exponential import weight_of
from unifiedscore.posterior.lanes import larger, smaller, whole_registers

# Reassociation in `fastmath` lets sums run in vector registers; NaN and infinity keep their meaning.

# The rounding of a Gram distance is of the size eps (|x|^2 + |y|^2), whatever r is: where r^2 is below this share of
# that, two digits or more are lost, and the pair is recomputed by differences of its own coordinates.
NEAR = 1.0 / 256


@njit(cache=True, nogil=True)
def _span(numbers, sizes):
    """The same of at most as many numbers as the buffer holds; with a choice inside, no minimum is vectorised."""
    whole_registers()
    largest, least = sizes.dtype.type(0.0), sizes.dtype.type(np.inf)
    for k in range(numbers.shape[0]):
        size = abs(numbers[k])
        largest = larger(largest, size)
        sizes[k] = size
    for k in range(numbers.shape[0]):
        if sizes[k] == 0.0:
            sizes[k] = np.inf
    for k in range(numbers.shape[0]):
        least = smaller(least, sizes[k])
    return largest, least


@njit(cache=True, nogil=True)
def span(points):
    """Largest and smallest size of the coordinates that are not zero, (0, inf) if there are none."""
    largest, least = 0.0, np.inf
    numbers, sizes = points.ravel(), np.empty(2048, points.dtype)
    for start in range(0, numbers.shape[0], 2048):
        high, low = _span(numbers[start : start + 2048], sizes)
        largest, least = max(largest, np.float64(high)), min(least, np.float64(low))
    return largest, least


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def centre(points, center, centred, norms):
    """Points less the center, rounded once to the precision of `centred`, and their squared norms, likewise."""
    single = centred.dtype.type
    for i in range(points.shape[0]):
        total = 0.0
        for k in range(points.shape[1]):
            t = single(points[i, k] - center[k])
            centred[i, k] = t
            total += np.float64(t) * np.float64(t)
        norms[i] = single(total)


@njit(cache=True, nogil=True)
def centre_columns(points, center, centred, norms):
    """The same with `centred` as columns, (d, b)."""
    # Sixteen rows are centred where they stay in the cache, and fill a line of it in a column of float32.
    rows = np.empty((16, points.shape[1]), centred.dtype)
    for start in range(0, points.shape[0], 16):
        width = min(16, points.shape[0] - start)
        centre(points[start : start + width], center, rows[:width], norms[start : start + width])
        if width == 16:
            for k in range(points.shape[1]):
                for j in range(16):
                    centred[k, start + j] = rows[j, k]
        else:
            for k in range(points.shape[1]):
                for j in range(width):
                    centred[k, start + j] = rows[j, k]


@njit(cache=True, nogil=True)
def weighted_differences(weights, x, y):
    """sum_j w_ij (y_j - x_i), by differences of the coordinates as they are; a point without weight adds nothing."""
    out = np.zeros(x.shape)
    for i in range(x.shape[0]):
        for j in range(y.shape[0]):
            w = weights[i, j]
            if w != 0.0:
                for k in range(x.shape[1]):
                    out[i, k] += w * (y[j, k] - x[i, k])
    return out


@njit(cache=True, nogil=True, fastmath={"contract"})
def direct_squared(x, y_columns, squared):
    """Squared distances by direct differences; y_columns is (d, b), so that the inner loop is contiguous."""
    whole_registers()
    single = squared.dtype.type
    for i in range(x.shape[0]):
        row = squared[i]
        x0 = x[i, 0]
        if x.shape[1] == 1:
            for j in range(row.shape[0]):
                t = single(x0 - y_columns[0, j])
                row[j] = t * t
            continue
        # Two coordinates a pass: half the traffic of one.
        x1 = x[i, 1]
        for j in range(row.shape[0]):
            t, u = single(x0 - y_columns[0, j]), single(x1 - y_columns[1, j])
            row[j] = t * t + u * u
        for k in range(2, x.shape[1]):
            xk = x[i, k]
            for j in range(row.shape[0]):
                t = single(xk - y_columns[k, j])
                row[j] += t * t


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def pair_squared(x, y):
    total = 0.0
    for k in range(x.shape[0]):
        t = np.float64(x[k]) - np.float64(y[k])
        total += t * t
    return total


@njit(cache=True, nogil=True, fastmath={"contract"})
def gram_squared(gram, x_norm, y_norm, x, y, near, closest):
    """Turn inner products into squared distances in place; near pairs are recomputed and their rows flagged.

    The products and norms are those of centred points; `x` and `y` are the points as they were given, whose differences
    are exact where those of centred points far from the centre are not. `closest` becomes the least squared distance of
    each query that stays as the product gave it, if that is less than it was.
    """
    whole_registers()
    single = gram.dtype.type
    two, share = single(2.0), single(NEAR)
    for i in range(gram.shape[0]):
        row = gram[i]
        a = x_norm[i]
        worst, least = single(np.inf), single(np.inf)
        for j in range(row.shape[0]):
            both = a + y_norm[j]
            value = both - two * row[j]
            row[j] = value
            worst = smaller(worst, value - share * both)
            least = smaller(least, value)
        near[i] = worst <= 0.0
        if near[i]:
            least = single(np.inf)
            for j in range(row.shape[0]):
                if row[j] <= share * (a + y_norm[j]):
                    row[j] = pair_squared(x[i], y[j])
                else:
                    least = min(least, row[j])
        closest[i] = min(closest[i], least)


@njit(cache=True, nogil=True)
def add_log_mass(log_kernel, log_mass):
    """Add the log-weights of the samples."""
    for i in range(log_kernel.shape[0]):
        for j in range(log_kernel.shape[1]):
            log_kernel[i, j] += log_mass[j]


@njit(cache=True, nogil=True)
def leave_out(log_kernel, exclude, start):
    """Give the excluded sample of each query, if it lies in this tile, no weight."""
    for i in range(log_kernel.shape[0]):
        j = exclude[i] - start
        if 0 <= j < log_kernel.shape[1]:
            log_kernel[i, j] = -np.inf


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def exponentials(log_weight, largest, total, rescale, row_sum):
    """Exponentiate a tile against the running row maximum (online log-sum-exp).

    `log_weight` becomes the weights and `row_sum` their sums in this tile, `largest` and `total` are updated, `rescale`
    is the factor for older sums.
    """
    whole_registers()
    single = log_weight.dtype.type
    for i in range(log_weight.shape[0]):
        row = log_weight[i]
        top = row[0]
        for j in range(1, row.shape[0]):
            top = larger(top, row[j])
        old = largest[i]
        if top > old:
            rescale[i] = np.exp(old - top) if old > -np.inf else 0.0
            largest[i] = top
        else:
            rescale[i] = 1.0
            top = single(old)
        if top == -np.inf:
            for j in range(row.shape[0]):
                row[j] = 0.0
            row_sum[i] = 0.0
            continue
        part = single(0.0)
        for j in range(row.shape[0]):
            w = weight_of(row[j] - top)
            row[j] = w
            part += w
        row_sum[i] = part
        total[i] = total[i] * rescale[i] + row_sum[i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def radial_sums(weights, squared, weight_b, sums, rescale, row_sum):
    """Add w^2, w/b and w r of the tile to `sums` (a, 3), turn `weight_b` from b into w b and sum that in `row_sum`."""
    whole_registers()
    single = weights.dtype.type
    zero = single(0.0)
    for i in range(weights.shape[0]):
        square, inverse, distance, direct = zero, zero, zero, zero
        row, b_row, r_row = weights[i], weight_b[i], squared[i]
        for j in range(row.shape[0]):
            w, b = row[j], b_row[j]
            wb = w * b
            square += w * w
            direct += wb
            distance += w * np.sqrt(r_row[j])
            inverse += w / b if b > zero else zero
            b_row[j] = wb
        factor = rescale[i]
        sums[i, 0] = sums[i, 0] * factor * factor + square
        sums[i, 1] = sums[i, 1] * factor + inverse
        sums[i, 2] = sums[i, 2] * factor + distance
        row_sum[i] = direct


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def linear_sums(weights, squared, weight_b, slope, sums, rescale, row_sum):
    """The same where 1/b = slope r, by products alone: r = r^2 slope b, also at r = 0, where b is stored as 0."""
    whole_registers()
    single = weights.dtype.type
    zero, rate = single(0.0), single(slope)
    for i in range(weights.shape[0]):
        square, distance, direct = zero, zero, zero
        row, b_row, r_row = weights[i], weight_b[i], squared[i]
        for j in range(row.shape[0]):
            w = row[j]
            wb = w * b_row[j]
            square += w * w
            direct += wb
            distance += wb * (rate * r_row[j])
            b_row[j] = wb
        factor = rescale[i]
        sums[i, 0] = sums[i, 0] * factor * factor + square
        sums[i, 2] = sums[i, 2] * factor + distance
        sums[i, 1] = slope * sums[i, 2]
        row_sum[i] = direct


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def score_weights(weights, weight_b, row_sum):
    """The part of `radial_sums` that a score alone needs."""
    whole_registers()
    single = weights.dtype.type
    for i in range(weights.shape[0]):
        direct = single(0.0)
        row, b_row = weights[i], weight_b[i]
        for j in range(row.shape[0]):
            wb = row[j] * b_row[j]
            direct += wb
            b_row[j] = wb
        row_sum[i] = direct


@njit(cache=True, nogil=True)
def near_directions(x, y, squared, x_norm, y_norm, near, weights, row_sum, vector):
    """Move near pairs from the products w y - x w to direct differences w (y - x), which keep their digits.

    Of flagged rows `row_sum` becomes the sum over the pairs that stay: taking the near ones off an old sum would leave
    nothing of it at a sample that has nearly all the weight.
    """
    for i in range(x.shape[0]):
        if near[i]:
            rest = 0.0
            for j in range(y.shape[0]):
                w = weights[i, j]
                if squared[i, j] <= NEAR * (x_norm[i] + y_norm[j]):
                    weights[i, j] = 0.0
                    if w > 0.0:
                        for k in range(x.shape[1]):
                            vector[i, k] += w * (np.float64(y[j, k]) - np.float64(x[i, k]))
                else:
                    rest += w
            row_sum[i] = rest


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def direct_products(x, y_columns, weights, vector, rescale):
    """vector = vector * rescale + sum_j w_ij (y_j - x_i), by direct differences, for low dimension."""
    whole_registers()
    single = weights.dtype.type
    for i in range(x.shape[0]):
        row = weights[i]
        for k in range(x.shape[1]):
            column = y_columns[k]
            xk = x[i, k]
            total = single(0.0)
            for j in range(row.shape[0]):
                total += row[j] * single(column[j] - xk)
            vector[i, k] = vector[i, k] * rescale[i] + total


@njit(cache=True, nogil=True)
def rescale_add(vector, plain, rescale, product, row_sum):
    """vector = vector * rescale + product, row by row, and the weight in these products likewise."""
    for i in range(vector.shape[0]):
        factor = rescale[i]
        plain[i] = plain[i] * factor + row_sum[i]
        for k in range(vector.shape[1]):
            vector[i, k] = vector[i, k] * factor + product[i, k]


@njit(cache=True, nogil=True)
def means(vector, mass, total, centred):
    """(vector - mass centred)/total, row by row: sums of w y over products become means of y - x."""
    out = np.empty(vector.shape)
    for i in range(vector.shape[0]):
        one, share = 1.0 / total[i], mass[i] / total[i]
        for k in range(vector.shape[1]):
            out[i, k] = one * vector[i, k] - share * centred[i, k]
    return out

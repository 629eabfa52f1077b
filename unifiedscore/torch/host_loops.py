"""The compiled loops of the backward pass on the processor: one tile of queries against one of samples, in float64."""

from __future__ import annotations

import numpy as np

from unifiedscore.compiled import njit
from unifiedscore.posterior.exponential import exp_negative
from unifiedscore.posterior.loops import NEAR

# What the derivative of b follows from; see `slopes`.
CONSTANT, LAPLACE, RATIONAL, MATERN = 0, 1, 2, 3


@njit(cache=True, nogil=True)
def low_pairs(x, y_columns, g_shift, g_score, squared, shift, score):
    """Fill squared distances and heights g.(y - x) by differences of coordinates; heights without rows are left out."""
    for i in range(x.shape[0]):
        row = squared[i]
        for j in range(row.shape[0]):
            t = y_columns[0, j] - x[i, 0]
            row[j] = t * t
        for k in range(1, x.shape[1]):
            xk = x[i, k]
            for j in range(row.shape[0]):
                t = y_columns[k, j] - xk
                row[j] += t * t
        if shift.shape[0] > 0:
            _heights(x[i], y_columns, g_shift[i], shift[i])
        if score.shape[0] > 0:
            _heights(x[i], y_columns, g_score[i], score[i])


@njit(cache=True, nogil=True)
def _heights(x, y_columns, g, out):
    for j in range(out.shape[0]):
        out[j] = g[0] * (y_columns[0, j] - x[0])
    for k in range(1, x.shape[0]):
        for j in range(out.shape[0]):
            out[j] += g[k] * (y_columns[k, j] - x[k])


@njit(cache=True, nogil=True)
def high_pairs(squared, x_norm, y_norm, x, y, near):
    """Turn inner products of centred points into squared distances; near pairs are recomputed, their rows flagged."""
    for i in range(squared.shape[0]):
        row = squared[i]
        worst = 1.0
        for j in range(row.shape[0]):
            both = x_norm[i] + y_norm[j]
            value = both - 2.0 * row[j]
            row[j] = value
            worst = min(worst, value - NEAR * both)
        near[i] = worst <= 0.0
        if near[i]:
            for j in range(row.shape[0]):
                if row[j] <= NEAR * (x_norm[i] + y_norm[j]):
                    total = 0.0
                    for k in range(x.shape[1]):
                        t = y[j, k] - x[i, k]
                        total += t * t
                    # Exact, and marked by its sign for the loops to come.
                    row[j] = -total


@njit(cache=True, nogil=True)
def high_heights(heights, own, squared, x, y, g, near):
    """Turn products g.y into heights g.(y - x): `own` holds g.x; near pairs by their differences."""
    for i in range(heights.shape[0]):
        row = heights[i]
        for j in range(row.shape[0]):
            row[j] -= own[i]
        if near[i]:
            for j in range(row.shape[0]):
                if squared[i, j] <= 0.0:
                    total = 0.0
                    for k in range(x.shape[1]):
                        total += g[i, k] * (y[j, k] - x[i, k])
                    row[j] = total


@njit(cache=True, nogil=True)
def absolute(squared, near, marked):
    """Take the marks off the squared distances, and note where they were."""
    for i in range(squared.shape[0]):
        if near[i]:
            for j in range(squared.shape[1]):
                marked[i, j] = squared[i, j] <= 0.0
                squared[i, j] = abs(squared[i, j])


@njit(cache=True, nogil=True, error_model="numpy")
def slopes(kind, parameters, squared, weight, out):
    """Fill the derivative of b with respect to q = r^2; 0 where q is 0 or its inverse not a number."""
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            q, b = squared[i, j], weight[i, j]
            value = 0.0
            if q > 1e-290 and b > 0.0:
                if kind == LAPLACE:
                    value = -0.5 * b / q
                elif kind == RATIONAL:
                    value = -b / (parameters[0] + q)
                elif kind == MATERN:
                    # z w' = w^2 - 2 (nu - 1) w - z^2 for w = rate/b and z^2 = rate q, those of unit bandwidth.
                    rate, order = parameters[0], parameters[1]
                    value = -0.5 * b * (rate / b - 2.0 * (order - 1.0) - q * b) / q
            out[i, j] = value


@njit(cache=True, nogil=True, error_model="numpy")
def pulls(log_weight, height, squared, weight, slope, shift, score, constant, scalars, exclude, start, mass, log_mass):
    """The coefficients of a tile; see `unifiedscore.torch.tiles.gradients`.

    `scalars` (a, 3) are the cotangents of preconditioner and mean distance and the factor of the effective samples;
    arrays without rows are left out. Afterwards `log_weight` holds the shares pi, `weight` the shares times b where a
    score is wanted, `squared` the coefficients h of y - x in the gradient of the query, and the sums over the queries
    of the coefficients of the log-weights are added to `mass`.
    """
    for i in range(log_weight.shape[0]):
        share, q, b = log_weight[i], squared[i], weight[i]
        for j in range(share.shape[0]):
            t = share[j] - height[i]
            if log_mass.shape[0] > 0:
                t += log_mass[j]
            share[j] = exp_negative(min(t, 0.0)) if t >= -708.0 else 0.0
        if exclude.shape[0] > 0 and 0 <= exclude[i] - start < share.shape[0]:
            share[exclude[i] - start] = 0.0
        by_alpha, by_distance, by_count = scalars[i, 0], scalars[i, 1], scalars[i, 2]
        for j in range(share.shape[0]):
            change = constant[i] + by_count * share[j]
            moved = 0.0
            if shift.shape[0] > 0:
                change += shift[i, j]
            if score.shape[0] > 0:
                change += b[j] * score[i, j]
                moved += slope[i, j] * score[i, j]
            if by_alpha != 0.0 and b[j] > 0.0:
                change += by_alpha / b[j]
                moved -= by_alpha * slope[i, j] / (b[j] * b[j])
            if by_distance != 0.0:
                r = np.sqrt(q[j])
                change += by_distance * r
                moved += 0.5 * by_distance / r if r > 0.0 else 0.0
            change *= share[j]
            if mass.shape[0] > 0:
                mass[j] += change
            q[j] = b[j] * change - 2.0 * share[j] * moved
            if score.shape[0] > 0:
                b[j] *= share[j]


@njit(cache=True, nogil=True, fastmath={"contract", "nsz"})
def shift_pulls(log_weight, height, squared, weight, shift, constant, exclude, start, log_mass):
    """The part of `pulls` that the mean shift alone needs, with loops that run in vector registers."""
    for i in range(log_weight.shape[0]):
        share, q, b, t = log_weight[i], squared[i], weight[i], shift[i]
        if log_mass.shape[0] > 0:
            for j in range(share.shape[0]):
                share[j] += log_mass[j]
        for j in range(share.shape[0]):
            s = share[j] - height[i]
            share[j] = exp_negative(min(s, 0.0)) if s >= -708.0 else 0.0
        if exclude.shape[0] > 0 and 0 <= exclude[i] - start < share.shape[0]:
            share[exclude[i] - start] = 0.0
        for j in range(share.shape[0]):
            q[j] = b[j] * (share[j] * (t[j] + constant[i]))


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def low_rows(x, y_columns, pull, out):
    """out_i += sum_j h_ij (y_j - x_i)."""
    for i in range(x.shape[0]):
        row = pull[i]
        for k in range(x.shape[1]):
            column, xk, total = y_columns[k], x[i, k], 0.0
            for j in range(row.shape[0]):
                total += row[j] * (column[j] - xk)
            out[i, k] += total


@njit(cache=True, nogil=True)
def low_columns(x, y_columns, pull, out):
    """out_kj += sum_i h_ij (y_j - x_i), (d, b)."""
    for i in range(x.shape[0]):
        row = pull[i]
        for k in range(x.shape[1]):
            column, xk = y_columns[k], x[i, k]
            for j in range(row.shape[0]):
                out[k, j] += row[j] * (column[j] - xk)


@njit(cache=True, nogil=True)
def near_differences(x, y, pull, marked, near, rows, columns):
    """Add h (y - x) of near pairs to the sums over rows, and over columns if these have rows, and take them out."""
    for i in range(x.shape[0]):
        if near[i]:
            for j in range(y.shape[0]):
                if marked[i, j]:
                    h = pull[i, j]
                    pull[i, j] = 0.0
                    for k in range(x.shape[1]):
                        t = h * (y[j, k] - x[i, k])
                        rows[i, k] += t
                        if columns.shape[0] > 0:
                            columns[j, k] += t


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def row_sums(values, out):
    """Fill the sums of the rows."""
    for i in range(values.shape[0]):
        total = 0.0
        for j in range(values.shape[1]):
            total += values[i, j]
        out[i] = total

r"""How well one field is a multiple of another: cosines, scales and errors of field values at common queries.

Pure functions of arrays. A *field* is an (n, d) array of values at n queries, *weights* are the (n,) masses of the
queries (equal by default), and $E$ is the weighted mean over queries. Everything is computed in float64, and no product
leaves its range on the way: fields of size 1e-200 or 1e200 have the cosines of fields of size 1. A query of weight
zero influences nothing.
"""

from __future__ import annotations

import numpy as np

from unifiedscore import validate
from unifiedscore.errors import InputError


def mean_product(first, second, weights=None) -> float:
    r"""Return $E\langle F, G \rangle$ over the queries; with both fields the same, the energy $E\lVert F \rVert^2$.

    Use when you need an energy or an inner product of fields under a law.

    Parameters
    ----------
    first, second : (n, d) array
    weights : (n,) array, optional

    Raises
    ------
    InputError
        Arrays that are not finite, two-dimensional and of one shape, or bad weights.

    Examples
    --------
    >>> mean_product([[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 1.0]])
    2.5
    """
    return _at_scale(*_mean_product(*_checked(first, second, weights)))


def cosine(first, second) -> np.ndarray:
    r"""Return the cosine of the angle between two fields at each query, (n,); NaN where one of them vanishes.

    Use when you need the angle at each query, to plot it or to see where it is large.

    Examples
    --------
    >>> cosine([[1.0, 0.0], [2.0, 0.0]], [[3.0, 0.0], [0.0, 1.0]])
    array([1., 0.])
    """
    first, second, _ = _checked(first, second, None)
    return _cosine(first, second)


def mean_cosine(first, second, weights=None) -> float:
    r"""Return the mean of ratios $E\,\cos\angle(F, G)$ over the queries where both fields are non-zero.

    Use when every query should count alike, or a published mean cosine is to be reproduced.

    Every query counts alike, however small the fields are there: in high dimension the noisier of the two cosines.
    NaN where no query of positive weight is left.

    Examples
    --------
    >>> mean_cosine([[1.0, 0.0], [9.0, 0.0]], [[3.0, 0.0], [0.0, 1.0]])
    0.5
    """
    first, second, weights = _checked(first, second, weights)
    value = _cosine(first, second)
    weights = np.where(np.isnan(value), 0.0, weights)
    total = weights.sum()
    return float(weights @ np.nan_to_num(value) / total) if total > 0 else np.nan


def global_cosine(first, second, weights=None) -> float:
    r"""Return the smooth global cosine $E\langle F, G\rangle / \sqrt{E\lVert F\rVert^2\,E\lVert G\rVert^2}$.

    Use when you need one number for the alignment of two exact fields; for noisy ones see `cross_fitted_cosine`.

    A ratio of means: $1 - \mathrm{gcos}^2$ is exactly the relative error left by the best multiple of G
    (`best_relative_error`). NaN where a field vanishes.

    Examples
    --------
    >>> round(global_cosine([[1.0, 0.0], [3.0, 0.0]], [[2.0, 0.0], [6.0, 0.0]]), 12)
    1.0
    """
    first, second, weights = _checked(first, second, weights)
    first, second = _unit_energy(first, weights), _unit_energy(second, weights)
    if first is None or second is None:
        return np.nan
    return float(weights @ np.einsum("nd,nd->n", first, second))


def best_scale(drift, score, weights=None) -> float:
    r"""Return the least-squares scale $C^* = E\langle\Delta, \Delta s\rangle / E\lVert\Delta s\rVert^2$.

    Use when you need the one number by which a score fits a drift best.

    It minimises $E\lVert \Delta - C\,\Delta s\rVert^2$. NaN where the score vanishes.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514 (the oracle scale; its formula is reconstructed).

    Examples
    --------
    >>> best_scale([[2.0, 0.0], [4.0, 3.0]], [[1.0, 0.0], [1.0, 0.0]])
    3.0
    """
    drift, score, weights = _checked(drift, score, weights)
    product, product_exponent = _mean_product(drift, score, weights)
    energy, energy_exponent = _mean_product(score, score, weights)
    return _at_scale(product / energy, product_exponent - energy_exponent) if energy > 0 else np.nan


def relative_error(drift, score, scale, weights=None) -> float:
    r"""Return $\mathrm{rel} = E\lVert\Delta - C\,\Delta s\rVert^2 / E\lVert\Delta\rVert^2$ for a given scale C.

    Use when a theory predicts the scale between score and drift and you test that prediction.

    Parameters
    ----------
    drift, score : (n, d) array
    scale : float or (n,) array
        One number, or one a query such as the preconditioner.
    weights : (n,) array, optional

    Returns
    -------
    float
        0 for an exact multiple; 1 for a score of no use; unbounded above; NaN where the drift vanishes.

    References
    ----------
    Lai et al. 2026, arXiv 2603.07514, Figure 5 b.

    Examples
    --------
    >>> relative_error([[2.0, 0.0]], [[1.0, 0.0]], scale=1.0)
    0.25
    """
    scale = validate.real_array(scale, "scale").astype(np.float64)
    size = validate.points(drift, "first field").shape[:1]
    if scale.shape not in ((), size):
        raise InputError(f"scale must be a number or have shape {size}; got shape {scale.shape}")
    scale = np.broadcast_to(scale, size)[_query_weights(weights, *size) != 0, None]
    drift, score, weights = _checked(drift, score, weights)
    (gap, exponent), (energy, energy_exponent) = _gap(drift, scale, score), _mean_product(drift, drift, weights)
    left, left_exponent = _mean_product(gap, gap, weights)
    return _at_scale(left / energy, left_exponent + 2 * exponent - energy_exponent) if energy > 0 else np.nan


def best_relative_error(drift, score, weights=None) -> float:
    r"""Return $\mathrm{rel}^* = \min_C \mathrm{rel}(C) = 1 - \mathrm{gcos}^2$.

    Use when you ask how much of a drift no multiple of the score explains.

    From the gap itself, not from 1 minus a square, so that a nearly perfect alignment keeps its digits.

    Examples
    --------
    >>> best_relative_error([[1.0, 0.0]], [[1.0, 1.0]])
    0.5
    """
    drift, score, weights = _checked(drift, score, weights)
    drift, score = _unit_energy(drift, weights), _unit_energy(score, weights)
    if drift is None:
        return np.nan
    if score is None:
        return 1.0
    gap = drift - (weights @ np.einsum("nd,nd->n", drift, score)) * score
    return float(weights @ np.einsum("nd,nd->n", gap, gap))


def _cosine(first, second) -> np.ndarray:
    units = []
    for field in (first, second):
        # By powers of two at each query: no square leaves the range, and no digit is touched.
        field = np.ldexp(field, -np.frexp(np.abs(field).max(axis=1, keepdims=True))[1])
        length = np.linalg.norm(field, axis=1, keepdims=True)
        units.append(field / np.where(length > 0, length, np.nan))
    return np.einsum("nd,nd->n", *units)


def _mean_product(first, second, weights) -> tuple[float, int]:
    """E<F, G> as a number and a power of two: its terms are added relative to the largest of them."""
    (a, a_exponent), (b, b_exponent) = np.frexp(first), np.frexp(second)
    term, exponent = a * b, a_exponent + b_exponent
    top = int(exponent.max(where=term != 0, initial=-5000))
    # What lies 1000 powers below the largest term is no part of the sum.
    return float(weights @ np.ldexp(term, np.maximum(exponent - top, -1000)).sum(1)), top


def _gap(drift, scale, score) -> tuple[np.ndarray, int]:
    """The field drift - scale * score as a field and a power of two."""
    (a, a_exponent), (b, b_exponent), (c, c_exponent) = np.frexp(drift), np.frexp(scale), np.frexp(score)
    term, exponent = b * c, b_exponent + c_exponent
    top = max(int(e.max(where=t != 0, initial=-5000)) for t, e in ((a, a_exponent), (term, exponent)))
    part = [np.ldexp(t, np.maximum(e - top, -1000)) for t, e in ((a, a_exponent), (term, exponent))]
    return part[0] - part[1], top


def _at_scale(value: float, exponent: int) -> float:
    """value * 2**exponent; infinite or zero where no float holds it."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.ldexp(value, exponent))


def _unit_energy(field, weights):
    """The field divided by its root mean square; None for a field that vanishes."""
    scaled = np.ldexp(field, -int(np.frexp(np.abs(field).max())[1]))
    energy = weights @ np.einsum("nd,nd->n", scaled, scaled)
    return scaled / np.sqrt(energy) if energy > 0 else None


def _checked(first, second, weights) -> tuple:
    """Both fields and their weights, at the queries that have one."""
    first = validate.points(first, "first field").astype(np.float64, copy=False)
    second = validate.points(second, "second field").astype(np.float64, copy=False)
    if first.shape != second.shape:
        raise InputError(f"the two fields must have one shape (n, d); got {first.shape} and {second.shape}")
    weights = _query_weights(weights, len(first))
    kept = weights != 0
    return first[kept], second[kept], weights[kept]


def _query_weights(weights, size):
    """Weights of sum 1; unlike masses they may be negative, as those of sparse quadrature rules are."""
    if weights is None:
        return np.full(size, 1.0 / size)
    weights = validate.real_array(weights, "weights").astype(np.float64)
    if weights.shape == (size,) and (largest := np.abs(weights).max()) > 0:
        weights = weights / largest
    if weights.shape != (size,) or not weights.sum() > 0:
        raise InputError(f"weights must have shape ({size},) and a positive sum; got shape {weights.shape}")
    return weights / weights.sum()

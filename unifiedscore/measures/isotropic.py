r"""Densities and scores of isotropic mixtures, from in-span coordinates and the squared norm of the rest.

With centres in the first k axes, :math:`|x - c_m|^2 = |x_{in} - c_m|^2 + t^2`: one formula serves the ambient mixture
(t from d - k coordinates) and the reduced one (t given), at a cost free of the dimension.
"""

from __future__ import annotations

import numpy as np

from unifiedscore.errors import InputError, NumericalError


def safe_log(weights: np.ndarray) -> np.ndarray:
    """Logarithm with log 0 = -inf and no warning."""
    return np.log(weights, out=np.full(weights.shape, -np.inf), where=weights > 0)


def log_sum_exp(terms: np.ndarray) -> np.ndarray:
    """log sum exp along the last axis."""
    largest = terms.max(axis=-1, keepdims=True)
    if not np.isfinite(largest).all():
        raise NumericalError(
            "the log-density overflows float64: a point is more than about 1e150 standard deviations away from every "
            "component; rescale the points and the measure"
        )
    return np.log(np.exp(terms - largest).sum(axis=-1)) + largest[..., 0]


def refuse_atoms(smallest_variance: float) -> None:
    """Refuse the density of a law that has none."""
    if smallest_variance == 0:
        raise InputError(
            "this mixture has a component of zero variance and so no density and no score; "
            "give it one with .smoothed(variance), or use a kernel score"
        )


def log_terms(inner, rest_squared, *, centers, variances, weights, dimension) -> np.ndarray:
    """log(w_m N(x; c_m, v_m I)) for every point and component, (n, m)."""
    terms = _relative_terms(inner, rest_squared, centers, variances, weights, dimension)
    return terms - 0.5 * dimension * np.log(2 * np.pi * variances.min())


def _relative_terms(inner, rest_squared, centers, variances, weights, dimension) -> np.ndarray:
    """The same up to a constant that cancels in a score; at d = 4096 it would cost four digits of the weights."""
    refuse_atoms(variances.min())
    terms = np.empty((len(inner), len(centers)))
    constants = safe_log(weights) - 0.5 * dimension * np.log(variances / variances.min())
    # An overflowing square becomes -inf here and a named error in log_sum_exp.
    with np.errstate(over="ignore"):
        for m, center in enumerate(centers):
            offset = inner - center
            squared = np.einsum("nk,nk->n", offset, offset) + rest_squared
            terms[:, m] = constants[m] - squared / (2 * variances[m])
    return terms


def score_parts(inner, rest_squared, *, centers, variances, weights, dimension) -> tuple[np.ndarray, np.ndarray]:
    """In-span score (n, k) and the rate a (n,) such that the score of the remaining coordinates is -a times them."""
    terms = _relative_terms(inner, rest_squared, centers, variances, weights, dimension)
    rates = np.exp(terms - log_sum_exp(terms)[:, None]) / variances
    score = np.zeros_like(inner)
    # Sum of differences, not difference of sums: exact at a centre that is 1e8 from the origin.
    for m, center in enumerate(centers):
        score += rates[:, m, None] * (center - inner)
    return score, rates.sum(axis=1)
